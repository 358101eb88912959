"""Results of API v2 as the registry's legacy XML, `clinical_results`, for tests.

Written after the schema (https://clinicaltrials.gov/ct2/html/images/info/public.xsd), apart from the reader.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from legacy_elements import Element, label, plain

Tree = dict[str, Any]

_ID: Final = re.compile(r"([FBOE])G(\d{3})")
#: The titles of the baseline's measures of age that the legacy XML shortens.
_AGES: Final = ("Age, Continuous", "Age, Categorical")
_WITHOUT_WORD: Final = ("NA", "CONFIDENCE_OTHER")


def render_results(root: Element, results: Tree) -> None:
    """Fill `clinical_results`."""
    for made in root.filled("participant_flow", of=results.get("participantFlowModule")):
        _flow(made, results["participantFlowModule"])
    for made in root.filled("baseline", of=results.get("baselineCharacteristicsModule")):
        _baseline(made, results["baselineCharacteristicsModule"])
    outcomes = results.get("outcomeMeasuresModule", {}).get("outcomeMeasures", [])
    for made, outcome in root.listed("outcome_list", "outcome", outcomes):
        _outcome(made, outcome)
    for made in root.filled("reported_events", of=results.get("adverseEventsModule")):
        _reported(made, results["adverseEventsModule"])
    _more(root, results.get("moreInfoModule", {}))


def _legacy_id(id_: str | None) -> str | None:
    match = _ID.fullmatch(id_) if id_ else None
    letter = {"F": "P"}.get(match[1], match[1]) if match else ""
    return f"{letter}{int(match[2]) + 1}" if match else id_


def _groups(made: Element, groups: list[Tree]) -> None:
    for one, group in made.listed("group_list", "group", groups):
        one.own(None, group_id=_legacy_id(group.get("id")))
        one.add("title", group.get("title"))
        one.add("description", plain(group.get("description", "")))


def _flow(made: Element, flow: Tree) -> None:
    made.add("recruitment_details", plain(flow.get("recruitmentDetails", "")))
    made.add("pre_assignment_details", plain(flow.get("preAssignmentDetails", "")))
    _groups(made, flow.get("groups", []))
    for period, held in made.listed("period_list", "period", flow.get("periods", [])):
        period.add("title", held.get("title"))
        for names, key, numbers in (
            (("milestone_list", "milestone"), "milestones", "achievements"),
            (("drop_withdraw_reason_list", "drop_withdraw_reason"), "dropWithdraws", "reasons"),
        ):
            for one, each in period.listed(*names, held.get(key, [])):
                one.add("title", each.get("type"))
                for entry, number in one.listed("participants_list", "participants", each.get(numbers, [])):
                    text = plain(number.get("comment", ""))
                    entry.own(text, group_id=_legacy_id(number.get("groupId")), count=number.get("numSubjects"))


def _analyzed(made: Element, denoms: list[Tree], scope: str) -> None:
    for one, denom in made.listed("analyzed_list", "analyzed", denoms):
        one.add("units", denom.get("units"))
        one.add("scope", scope)
        for entry, count in one.listed("count_list", "count", denom.get("counts", [])):
            entry.own(None, group_id=_legacy_id(count.get("groupId")), value=count.get("value"))


def _baseline(made: Element, baseline: Tree) -> None:
    made.add("population", plain(baseline.get("populationDescription", "")))
    _groups(made, baseline.get("groups", []))
    _analyzed(made, baseline.get("denoms", []), "Overall")
    for one, measure in made.listed("measure_list", "measure", baseline.get("measures", [])):
        word = measure.get("dispersionType")
        _measure(one, measure, None if word in (None, *_WITHOUT_WORD) else label("measure_dispersion", word))


def _measure(made: Element, measure: Tree, dispersion: str | None) -> None:
    title = measure.get("title")
    made.add("title", "Age" if title in _AGES else title)
    made.add("description", plain(measure.get("description", "")))
    made.add("population", plain(measure.get("populationDescription", "")))
    made.add("units", measure.get("unitOfMeasure"))
    made.code("param", "measure_param", measure.get("paramType"))
    made.add("dispersion", dispersion)
    made.add("units_analyzed", measure.get("denomUnitsSelected"))
    _analyzed(made, measure.get("denoms", []), "Measure")
    for one, group in made.listed("class_list", "class", measure.get("classes", [])):
        one.add("title", group.get("title"))
        _analyzed(one, group.get("denoms", []), "Class")
        for category, held in one.listed("category_list", "category", group.get("categories", [])):
            category.add("title", held.get("title"))
            for entry, each in category.listed("measurement_list", "measurement", held.get("measurements", [])):
                entry.own(
                    plain(each.get("comment", "")),
                    group_id=_legacy_id(each.get("groupId")),
                    value=each.get("value"),
                    spread=each.get("spread"),
                    lower_limit=each.get("lowerLimit"),
                    upper_limit=each.get("upperLimit"),
                )


_MEASURED: Final = ("paramType", "unitOfMeasure", "dispersionType", "denomUnitsSelected", "denoms", "classes")


def _outcome(made: Element, outcome: Tree) -> None:
    made.code("type", "outcome_type", outcome.get("type"))
    made.add("title", outcome.get("title"))
    made.add("description", plain(outcome.get("description", "")))
    made.add("time_frame", outcome.get("timeFrame"))
    made.add("posting_date", "/".join(reversed(outcome.get("anticipatedPostingDate", "").split("-"))))
    made.add("population", plain(outcome.get("populationDescription", "")))
    _groups(made, outcome.get("groups", []))
    for one in made.filled("measure", of=[name for name in _MEASURED if name in outcome]):
        _measure(one, outcome, outcome.get("dispersionType"))
    for one, analysis in made.listed("analysis_list", "analysis", outcome.get("analyses", [])):
        _analysis(one, analysis)


def _analysis(made: Element, analysis: Tree) -> None:
    for one, id_ in made.listed("group_id_list", "group_id", analysis.get("groupIds", [])):
        one.own(_legacy_id(id_))
    made.add("groups_desc", plain(analysis.get("groupDescription", "")))
    word = analysis.get("nonInferiorityType", "").removesuffix("_LEGACY")
    made.code("non_inferiority_type", "non_inferiority", word)
    made.add("non_inferiority_desc", plain(analysis.get("nonInferiorityComment", "")))
    made.add("p_value", analysis.get("pValue"))
    made.add("p_value_desc", plain(analysis.get("pValueComment", "")))
    made.add("method", analysis.get("statisticalMethod"))
    made.add("method_desc", plain(analysis.get("statisticalComment", "")))
    made.add("param_type", analysis.get("paramType"))
    made.add("param_value", analysis.get("paramValue"))
    made.code("dispersion_type", "analysis_dispersion", analysis.get("dispersionType"))
    made.add("dispersion_value", analysis.get("dispersionValue"))
    made.add("ci_percent", analysis.get("ciPctValue"))
    made.code("ci_n_sides", "ci_sides", analysis.get("ciNumSides"))
    made.add("ci_lower_limit", analysis.get("ciLowerLimit"))
    made.add("ci_upper_limit", analysis.get("ciUpperLimit"))
    made.add("ci_upper_limit_na_comment", plain(analysis.get("ciUpperLimitComment", "")))
    made.add("estimate_desc", plain(analysis.get("estimateComment", "")))
    made.add("other_analysis_desc", plain(analysis.get("otherAnalysisDescription", "")))


def _reported(made: Element, module: Tree) -> None:
    made.add("time_frame", module.get("timeFrame"))
    made.add("desc", plain(module.get("description", "")))
    groups = module.get("eventGroups", [])
    _groups(made, groups)
    serious = made.inner("serious_events")
    totals = [("all-cause mortality", "deaths"), ("serious adverse events", "serious")]
    _events(serious, module.get("seriousEvents", []), groups, totals)
    other = made.inner("other_events")
    other.add("frequency_threshold", module.get("frequencyThreshold"))
    _events(other, module.get("otherEvents", []), groups, [("other adverse events", "other")])


def _common(events: list[Tree], key: str) -> str | None:
    """Return the commonest value of a field that every event has: what is stated once for the table."""
    values = Counter(each.get(key) for each in events)
    return None if not events or None in values else values.most_common(1)[0][0]


def _events(made: Element, events: list[Tree], groups: list[Tree], totals: list[tuple[str, str]]) -> None:
    vocabulary, assessment = _common(events, "sourceVocabulary"), _common(events, "assessmentType")
    made.add("default_vocab", vocabulary)
    made.code("default_assessment", "assessment", assessment)
    systems: dict[str | None, list[Tree]] = {}
    for event in events:
        systems.setdefault(event.get("organSystem"), []).append(event)
    categories = made.inner("category_list")
    _totals(categories, groups, totals)
    for system, held in systems.items():
        category = categories.inner("category")
        category.add("title", system)
        for one, event in category.listed("event_list", "event", held):
            own = event.get("sourceVocabulary")
            one.add("sub_title", event.get("term"), vocab=own if own != vocabulary else None)
            word = event.get("assessmentType")
            one.code("assessment", "assessment", word if word != assessment else None)
            one.add("description", plain(event.get("notes", "")))
            for each in event.get("stats", []):
                one.inner("counts").own(
                    None,
                    group_id=_legacy_id(each.get("groupId")),
                    subjects_affected=each.get("numAffected"),
                    subjects_at_risk=each.get("numAtRisk"),
                    events=each.get("numEvents"),
                )


def _totals(categories: Element, groups: list[Tree], totals: list[tuple[str, str]]) -> None:
    category = categories.inner("category")
    category.add("title", "Total")
    listing = category.inner("event_list")
    for name, kind in totals:
        having = [each for each in groups if f"{kind}NumAffected" in each or f"{kind}NumAtRisk" in each]
        for event in listing.filled("event", of=having):
            event.add("sub_title", f"Total, {name}")
            for group in having:
                event.inner("counts").own(
                    None,
                    group_id=_legacy_id(group.get("id")),
                    subjects_affected=group.get(f"{kind}NumAffected"),
                    subjects_at_risk=group.get(f"{kind}NumAtRisk"),
                )


_EMPLOYED: Final = {True: "All Principal Investigators ARE", False: "Principal Investigators are NOT"}
_NO_AGREEMENT: Final = (
    "There is NOT an agreement between Principal Investigators and the Sponsor (or its agents) that restricts "
    "the PI's rights to discuss or publish trial results after the trial is completed. "
)


def _more(root: Element, module: Tree) -> None:
    agreement, contact = module.get("certainAgreement", {}), module.get("pointOfContact", {})
    for made in root.filled("certain_agreements", of=agreement):
        if "piSponsorEmployee" in agreement:
            who = _EMPLOYED[agreement["piSponsorEmployee"]]
            made.add("pi_employee", f"{who} employed by the organization sponsoring the study.")
        kind = agreement.get("restrictionType")
        text = plain(agreement.get("otherDetails", "")) if kind == "OTHER" else label("restriction", kind or "")
        made.add(
            "restrictive_agreement", _NO_AGREEMENT if agreement.get("restrictiveAgreement") is False else text
        )
    made_text = plain(module.get("limitationsAndCaveats", {}).get("description", ""))
    root.add("limitations_and_caveats", made_text)
    for made in root.filled("point_of_contact", of=contact):
        made.add("name_or_title", contact.get("title"))
        made.add("organization", contact.get("organization"))
        made.add("phone", contact.get("phone"))
        made.add("email", contact.get("email"))
