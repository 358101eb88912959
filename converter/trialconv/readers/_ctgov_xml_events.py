"""Adverse events in the registry's XML, `reported_events`.

The XML has the numbers of participants with any event, and of deaths, as events of a category "Total"; API v2 has
them with the groups. A vocabulary or a way of assessment is stated once for a table, or else with the event.
"""

from __future__ import annotations

from typing import Any, Final

from trialconv.readers._ctgov_xml_measures import Groups, groups_of, items
from trialconv.readers._ctgov_xml_values import Values, kept, markup_text
from trialconv.readers._ctgov_xml_walk import Cursor

_TOTAL: Final = "Total"
#: The events that are none, with the beginning of the group's fields for them.
_TOTALS: Final = {
    "Total, all-cause mortality": "deaths",
    "Total, serious adverse events": "serious",
    "Total, other adverse events": "other",
}


def adverse_events(reported: Cursor | None, values: Values) -> dict[str, Any]:
    """Return `adverseEventsModule`."""
    if reported is None:
        return {}
    groups = groups_of(reported, "EG")
    serious, other = reported.one("serious_events"), reported.one("other_events")
    # Before the groups are looked at, since the totals of the tables are added to them.
    events = kept(seriousEvents=_events(serious, groups, values), otherEvents=_events(other, groups, values))
    return kept(
        frequencyThreshold=other.text("frequency_threshold") if other else None,
        timeFrame=reported.text("time_frame"),
        description=markup_text(reported, "desc"),
        eventGroups=groups.listed,
        **events,
    )


def _events(table: Cursor | None, groups: Groups, values: Values) -> list[dict[str, Any]]:
    """Return the events of a table. Its totals are added to the groups."""
    if table is None:
        return []
    vocabulary = table.text("default_vocab")
    assessment = table.text("default_assessment")
    found = []
    for category in items(table, "category_list", "category"):
        system = category.text("title")
        for event in items(category, "event_list", "event"):
            name = event.one("sub_title")
            term = name.own_text() if name else None
            if system == _TOTAL and term in _TOTALS:
                _add_total(event, _TOTALS[term], groups, values)
                continue
            own = name.attribute("vocab") if name else None
            found.append(
                kept(
                    term=term,
                    organSystem=system,
                    sourceVocabulary=own or vocabulary,
                    assessmentType=values.code("assessment", event.text("assessment") or assessment),
                    notes=markup_text(event, "description"),
                    stats=[_stats(counts, groups, values) for counts in event.every("counts")],
                )
            )
    return found


def _stats(counts: Cursor, groups: Groups, values: Values) -> dict[str, Any]:
    return kept(
        groupId=groups.id_of(counts),
        numEvents=values.whole(counts, "events"),
        numAffected=values.whole(counts, "subjects_affected"),
        numAtRisk=values.whole(counts, "subjects_at_risk"),
    )


def _add_total(event: Cursor, kind: str, groups: Groups, values: Values) -> None:
    """Add a total to the groups. One of a group that is not listed, or a second one, has no field."""
    listed = {each["id"]: each for each in groups.listed if "id" in each}
    for counts in event.every("counts"):
        id_ = groups.id_of(counts)
        group = listed.get(id_ or "")
        total = kept(
            **{
                f"{kind}NumAffected": values.whole(counts, "subjects_affected"),
                f"{kind}NumAtRisk": values.whole(counts, "subjects_at_risk"),
            }
        )
        if group is None or any(group.get(name, number) != number for name, number in total.items()):
            message = f"a total of group {str(id_)[:40]!r}, which is not listed or has another one, has no field"
            values.note("field-not-mapped", message, counts.path)
        else:
            group.update(total)
