"""A study as a person reads it: what the page shows beside the documents, as plain data.

Nothing is added to what the record says: texts stay the registry's, dates keep their precision, and a criterion is
split only where its reading is certain. The registry's constants are written as words (PHASE2: phase 2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from trialconv.context import Context, Options
from trialconv.lineage import plain
from trialconv.record import Record
from trialconv.record.protocol import DesignModule, Location, StatusModule
from trialconv_mappings.arm_links import arm_links
from trialconv_mappings.criteria import Criterion, read_criteria

_CONSTANT: Final = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_DIGITS: Final = re.compile(r"(?<=[A-Z])(\d+)")


class Day(msgspec.Struct):
    """A date of the study: what it is of, the date (maybe without a day or month), and whether it has been."""

    label: str
    date: str
    type: str | None


class Treatment(msgspec.Struct):
    """An intervention or an arm."""

    name: str
    type: str | None
    description: str | None


class Requirement(msgspec.Struct):
    """A criterion or a heading, and what is below it."""

    kind: str | None
    role: str
    text: str
    joiner: str | None
    children: list[Requirement]


class Site(msgspec.Struct):
    """A place where the study is run."""

    facility: str | None
    place: str
    status: str | None


class Country(msgspec.Struct):
    """The sites of a country."""

    name: str | None
    sites: list[Site]


class StudyView(msgspec.Struct, rename="camel"):
    """What a person wants to see of a study first.

    `links` has, for each arm, the positions of its interventions; `facts` are pairs of a label and what the record
    says; `criteria_are_whole` tells that the criteria's text was not split for certain.
    """

    nct_id: str
    title: str
    official_title: str | None
    status: str | None
    why_stopped: str | None
    summary: str | None
    facts: list[tuple[str, str]]
    days: list[Day]
    arms: list[Treatment]
    interventions: list[Treatment]
    links: list[list[int]]
    criteria: list[Requirement]
    criteria_are_whole: bool
    countries: list[Country]


def study_view(record: Record) -> StudyView:
    """Return the view of a record."""
    protocol = record.study.protocol_section
    identity, status = protocol.identification_module, protocol.status_module
    treatments = protocol.arms_interventions_module
    criteria = read_criteria(protocol.eligibility_module.eligibility_criteria or "")
    summary = protocol.description_module.brief_summary
    why = status.why_stopped
    return StudyView(
        nct_id=record.nct_id,
        title=identity.brief_title or record.extras.get("title") or record.nct_id,
        official_title=identity.official_title,
        status=_words(status.overall_status),
        why_stopped=plain(why) if why else None,
        summary=plain(summary) if summary else None,
        facts=_facts(record),
        days=list(_days(status)),
        arms=[_treatment(arm.label, arm.type, arm.description) for arm in treatments.arm_groups],
        interventions=[_treatment(each.name, each.type, each.description) for each in treatments.interventions],
        links=arm_links(Context(record, Options()), "the page")[0],
        criteria=[_requirement(node) for node in criteria.nodes],
        criteria_are_whole=not criteria.certain,
        countries=_countries(protocol.contacts_locations_module.locations),
    )


def _treatment(name: str | None, type_: str | None, description: str | None) -> Treatment:
    return Treatment(plain(name or ""), _words(type_), plain(description) if description else None)


def _facts(record: Record) -> list[tuple[str, str]]:
    protocol = record.study.protocol_section
    design, people = protocol.design_module, protocol.eligibility_module
    found = [
        ("Type", _words(design.study_type)),
        ("Phase", ", ".join(filter(None, map(_words, design.phases)))),
        ("Sponsor", protocol.sponsor_collaborators_module.lead_sponsor.name),
        ("Participants", _participants(design)),
        ("Conditions", "; ".join(filter(None, protocol.conditions_module.conditions))),
        ("Sex", _words(people.sex)),
        ("Ages", " to ".join(filter(None, (people.minimum_age, people.maximum_age)))),
        ("Last update", record.last_update),
    ]
    return [(label, plain(str(value))) for label, value in found if value]


def _participants(design: DesignModule) -> str:
    enrollment = design.enrollment_info
    if enrollment.count is None:
        return ""
    kind = _words(enrollment.type)
    return f"{enrollment.count:,} ({kind.lower()})" if kind else f"{enrollment.count:,}"


def _words(constant: str | None) -> str | None:
    """Return a constant of the registry as words: ACTIVE_NOT_RECRUITING as "Active not recruiting".

    One that is no constant, as a record of another source may have it, stays as it is.
    """
    if constant is None or not _CONSTANT.fullmatch(constant):
        return constant
    if constant == "NA":
        return "Not applicable"
    return _DIGITS.sub(r" \1", constant.replace("_", " ")).capitalize()


def _days(status: StatusModule) -> Iterable[Day]:
    dates = (
        ("Start", status.start_date_struct),
        ("Primary completion", status.primary_completion_date_struct),
        ("Completion", status.completion_date_struct),
    )
    for label, found in dates:
        if found.date:
            kind = _words(found.type)
            yield Day(label, found.date, kind.lower() if kind else None)
    for label, day in (
        ("First submitted", status.study_first_submit_date),
        ("Last update", status.last_update_submit_date),
    ):
        if day:
            yield Day(label, day, None)


def _requirement(node: Criterion) -> Requirement:
    return Requirement(
        node.kind, node.role, node.text, node.joiner, [_requirement(child) for child in node.children]
    )


def _countries(locations: Iterable[Location]) -> list[Country]:
    by_name: dict[str | None, list[Site]] = {}
    for each in locations:
        place = ", ".join(filter(None, (each.city, each.state, each.zip)))
        by_name.setdefault(each.country, []).append(Site(each.facility, place, _words(each.status)))
    return [Country(name, sites) for name, sites in sorted(by_name.items(), key=lambda pair: -len(pair[1]))]
