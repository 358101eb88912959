"""The dates of a study, and those of its record."""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import at_once, checked_date, derived, is_date, remembered
from trialconv.record.protocol import DateStruct, PartialDateStruct
from trialconv_mappings.fhir.parts import Element, not_carried, period, starts_after
from trialconv_mappings.fhir.terms import REGISTRATION_ACTIVITY, STUDY_REGISTRATION

_P = "protocolSection."
_EDGES: Final = (f"{_P}statusModule.startDateStruct.date", f"{_P}statusModule.completionDateStruct.date")
_REGISTRATION = "ResearchStudy.extension(studyRegistration)"


def study_period(ctx: Context) -> Element | None:
    """Return the period from the start date to the completion date."""
    status = ctx.record.study.protocol_section.status_module
    start, end = status.start_date_struct.date, status.completion_date_struct.date
    return period(ctx, start, end, _EDGES, "ResearchStudy.period")


def overall_study(ctx: Context) -> list[tuple[bool | None, Element]]:
    """Return the study's dates with whether they are actual: one period, or two where that differs."""
    status = ctx.record.study.protocol_section.status_module
    start, end = status.start_date_struct, status.completion_date_struct
    started = _actual(ctx, start, "startDateStruct")
    ended = _actual(ctx, end, "completionDateStruct")
    target = "ResearchStudy.progressStatus.period"
    halves: list[tuple[bool | None, str | None, str | None]]
    if start.date and end.date and (started != ended or starts_after(start.date, end.date)):
        halves = [(started, start.date, None), (ended, None, end.date)]
    else:
        halves = [(started if start.date else ended, start.date, end.date)]
    # Whether there are two, both of the types decide.
    types = (start.type, end.type)
    return [
        (derived(actual, types), made) for actual, a, b in halves if (made := period(ctx, a, b, _EDGES, target))
    ]


# An unknown word asserts nothing.
_KNOWN_TYPES: Final[dict[str | None, bool]] = {"ACTUAL": True, "ESTIMATED": False}


def _actual(ctx: Context, day: DateStruct | PartialDateStruct, field: str) -> bool | None:
    """Return whether a date is actual; None where the record does not say, or says it in an unknown word."""
    if day.type is None:
        return None
    known = _KNOWN_TYPES.get(day.type)
    if known is None or not day.date or not is_date(day.date):
        _note_type(ctx, day.type, field)
    return derived(known, day.type)


def _note_type(ctx: Context, type_: str, field: str) -> None:
    """Say that the type of a date is not carried, and why."""
    known = type_ in _KNOWN_TYPES
    why = "there is no date for this type" if known else f"{type_!r} is no known type of a date"
    not_carried(ctx, f"{_P}statusModule.{field}.type", why)


class Event(NamedTuple):
    """A dated event of a record's history: the field, which end of a period it is, and its activity."""

    attribute: str
    field: str
    edge: str
    activity: Element


def _event(attribute: str, field: str, edge: str, activity: str) -> Event:
    coding = {"system": REGISTRATION_ACTIVITY, "code": activity}
    return Event(attribute, field, edge, {"url": "activity", "valueCodeableConcept": {"coding": [coding]}})


EVENTS: Final = (
    _event("status_verified_date", "statusVerifiedDate", "end", "record-verification"),
    _event(
        "primary_completion_date_struct", "primaryCompletionDateStruct", "end", "primary-outcome-data-collection"
    ),
    _event("study_first_submit_date", "studyFirstSubmitDate", "start", "registration-submission"),
    _event("study_first_submit_qc_date", "studyFirstSubmitQcDate", "start", "registration-submission-qc"),
    _event("study_first_post_date_struct", "studyFirstPostDateStruct", "start", "registration-posting"),
    _event("results_first_submit_date", "resultsFirstSubmitDate", "start", "results-submission"),
    _event("results_first_submit_qc_date", "resultsFirstSubmitQcDate", "start", "results-submission-qc"),
    _event("results_first_post_date_struct", "resultsFirstPostDateStruct", "start", "results-posting"),
    _event("disp_first_submit_date", "dispFirstSubmitDate", "start", "disposition-submission"),
    _event("disp_first_submit_qc_date", "dispFirstSubmitQcDate", "start", "disposition-submission-qc"),
    _event("disp_first_post_date_struct", "dispFirstPostDateStruct", "start", "disposition-posting"),
    _event("last_update_submit_date", "lastUpdateSubmitDate", "end", "update-submission"),
    _event("last_update_post_date_struct", "lastUpdatePostDateStruct", "end", "update-posting"),
)


_DAYS: Final = attrgetter(*(event.attribute for event in EVENTS))


def registrations(ctx: Context) -> list[Element]:
    """Return the extensions that date the record's own history: submitted, checked, posted, verified."""
    found = []
    registration = at_once(_registration)
    days = _DAYS(ctx.record.study.protocol_section.status_module)
    for position, day in enumerate(days):
        if day is None:
            continue
        type_ = None
        if not isinstance(day, str):
            day, type_ = day.date, day.type
        dated = day and checked_date(ctx, day, f"{_P}statusModule.{EVENTS[position].field}", _REGISTRATION)
        if type_ is not None and (not dated or type_ not in _KNOWN_TYPES):
            _note_type(ctx, type_, EVENTS[position].field)
        if dated:
            found.append(registration(position, dated, type_))
    return found


@remembered(16_384)
def _registration(position: int, day: str, type_: str | None) -> Element:
    """Return a dated event. All records together have few days, so that equal events are one object."""
    event = EVENTS[position]
    parts = [event.activity]
    if (actual := _KNOWN_TYPES.get(type_)) is not None:
        parts.append({"url": "actual", "valueBoolean": derived(actual, type_)})
    parts.append({"url": "period", "valuePeriod": {event.edge: day}})
    return {"url": STUDY_REGISTRATION, "extension": parts}
