"""The dates of a study, and those of its record."""

from __future__ import annotations

from trialconv.context import Context
from trialconv.lineage import checked_date
from trialconv.record.protocol import DateStruct, PartialDateStruct
from trialconv_mappings.fhir.parts import Element, extension, nested_extension, period, starts_after
from trialconv_mappings.fhir.terms import REGISTRATION_ACTIVITY, STUDY_REGISTRATION

_P = "protocolSection."


def study_period(ctx: Context) -> Element | None:
    """Return the period from the start date to the completion date."""
    status = ctx.record.study.protocol_section.status_module
    start, end = status.start_date_struct.date, status.completion_date_struct.date
    return period(ctx, start, end, f"{_P}statusModule.startDateStruct", "ResearchStudy.period")


def overall_study(ctx: Context) -> list[tuple[bool | None, Element]]:
    """Return the study's dates with whether they are actual: one period, or two where that differs."""
    status = ctx.record.study.protocol_section.status_module
    start, end = status.start_date_struct, status.completion_date_struct
    started = _actual(start.type)
    ended = _actual(end.type)
    source, target = f"{_P}statusModule", "ResearchStudy.progressStatus.period"
    halves: list[tuple[bool | None, str | None, str | None]]
    if start.date and end.date and (started != ended or starts_after(start.date, end.date)):
        halves = [(started, start.date, None), (ended, None, end.date)]
    else:
        halves = [(started if start.date else ended, start.date, end.date)]
    return [(actual, made) for actual, a, b in halves if (made := period(ctx, a, b, source, target))]


def _actual(date_type: str | None) -> bool | None:
    return None if date_type is None else date_type == "ACTUAL"


def registrations(ctx: Context) -> list[Element]:
    """Return the extensions that date the record's own history: submitted, checked, posted, verified."""
    status = ctx.record.study.protocol_section.status_module
    events: tuple[tuple[str, str, str, str | DateStruct | PartialDateStruct | None], ...] = (
        ("record-verification", "end", "statusVerifiedDate", status.status_verified_date),
        (
            "primary-outcome-data-collection",
            "end",
            "primaryCompletionDateStruct",
            status.primary_completion_date_struct,
        ),
        ("registration-submission", "start", "studyFirstSubmitDate", status.study_first_submit_date),
        ("registration-submission-qc", "start", "studyFirstSubmitQcDate", status.study_first_submit_qc_date),
        ("registration-posting", "start", "studyFirstPostDateStruct", status.study_first_post_date_struct),
        ("results-submission", "start", "resultsFirstSubmitDate", status.results_first_submit_date),
        ("results-submission-qc", "start", "resultsFirstSubmitQcDate", status.results_first_submit_qc_date),
        ("results-posting", "start", "resultsFirstPostDateStruct", status.results_first_post_date_struct),
        ("disposition-submission", "start", "dispFirstSubmitDate", status.disp_first_submit_date),
        ("disposition-submission-qc", "start", "dispFirstSubmitQcDate", status.disp_first_submit_qc_date),
        ("disposition-posting", "start", "dispFirstPostDateStruct", status.disp_first_post_date_struct),
        ("update-submission", "end", "lastUpdateSubmitDate", status.last_update_submit_date),
        ("update-posting", "end", "lastUpdatePostDateStruct", status.last_update_post_date_struct),
    )
    return [
        made for activity, edge, field, day in events if day and (made := _event(ctx, activity, edge, field, day))
    ]


def _event(
    ctx: Context, activity: str, edge: str, field: str, day: str | DateStruct | PartialDateStruct
) -> Element | None:
    actual = None
    if not isinstance(day, str):
        actual = _actual(day.type)
        if not day.date:
            return None
        day = day.date
    checked = checked_date(ctx, day, f"{_P}statusModule.{field}", "ResearchStudy.extension(studyRegistration)")
    if checked is None:
        return None
    what = {"coding": [{"system": REGISTRATION_ACTIVITY, "code": activity}]}
    parts = [extension("activity", valueCodeableConcept=what)]
    if actual is not None:
        parts.append(extension("actual", valueBoolean=actual))
    parts.append(extension("period", valuePeriod={edge: checked}))
    return nested_extension(STUDY_REGISTRATION, parts)
