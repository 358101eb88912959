"""The rules of USDM about a study design."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from trialconv.validators.usdm_scope import Element, Finding, Group, Scope, code_of, listed

_PRIMARY_OBJECTIVE: Final = "C85826"
_PRIMARY_ENDPOINT: Final = "C94496"
_BOTH_SEXES: Final = "C49636"
_FIXED_REFERENCE: Final = "C201358"
_START_TO_START: Final = "C201355"
_CENTRES: Final = {"C217004", "C217005"}
_COUNTRIES: Final = {"C217006", "C217007"}
_INTERVENTIONAL: Final = "C98388"
_OBSERVATIONAL: Final = {"C16084", "C129000"}
_DURATION: Final = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")

#: References that stay within a design: the class, the attribute, the rule.
WITHIN: Final = (
    ("StudyEpoch", "previousId", "DDF00024"),
    ("StudyEpoch", "nextId", "DDF00024"),
    ("Activity", "nextId", "DDF00028"),
    ("Activity", "previousId", "DDF00028"),
    ("Encounter", "previousId", "DDF00029"),
    ("Encounter", "nextId", "DDF00029"),
    ("StudyCell", "elementIds", "DDF00047"),
    ("StudyArm", "populationIds", "DDF00050"),
    ("StudyCell", "armId", "DDF00071"),
    ("StudyCell", "epochId", "DDF00072"),
    ("ScheduledActivityInstance", "epochId", "DDF00105"),
    ("ScheduledDecisionInstance", "epochId", "DDF00105"),
    ("ScheduledActivityInstance", "encounterId", "DDF00106"),
    ("ScheduledActivityInstance", "timelineId", "DDF00107"),
    ("Encounter", "scheduledAtId", "DDF00127"),
    ("Activity", "timelineId", "DDF00152"),
    ("StudyCohort", "indicationIds", "DDF00251"),
    ("Activity", "childIds", "DDF00254"),
)


def design_findings(group: Group, scope: Scope) -> Iterator[Finding]:
    """Yield what is wrong with a study design; `group` holds it and all that is in it."""
    design = group.roots[0]
    yield from within_findings(group, scope)
    yield from _type(design)
    yield from _objectives(design)
    yield from _structure(design)
    yield from _population(design)
    yield from _criteria(design)
    yield from _timelines(design)


def within_findings(group: Group, scope: Scope) -> Iterator[Finding]:
    """Yield the references of a study design that lead out of it."""
    design = group.roots[0]
    if len(scope.designs) > 1:
        # With one design, a reference into another one has been found to refer to nothing.
        own = {each["id"] for elements in group.by_class.values() for each in elements}
        for kind, key, rule in WITHIN:
            for element in group.of(kind):
                value = element.get(key) or []
                for target in value if isinstance(value, list) else [value]:
                    if target not in own and target in scope.ids:
                        yield Finding(rule, element, key, f"{target} is not in this study design")
    given = set(listed(design, "studyInterventionIds"))
    for element in listed(design, "elements"):
        for target in listed(element, "studyInterventionIds"):
            if target not in given:
                message = f"the study design does not name the intervention {target}"
                yield Finding("DDF00252", element, "studyInterventionIds", message)


def _type(design: Element) -> Iterator[Finding]:
    kind, own = code_of(design, "studyType"), design["instanceType"]
    if kind == _INTERVENTIONAL and own != "InterventionalStudyDesign":
        yield Finding("DDF00227", design, "studyType", f"an interventional study is a {own}")
    if kind in _OBSERVATIONAL and own != "ObservationalStudyDesign":
        yield Finding("DDF00228", design, "studyType", f"an observational study is a {own}")
    there = {code["code"] for code in listed(design, "characteristics")}
    if there >= _CENTRES:
        yield Finding("DDF00154", design, "characteristics", "the study has both a single centre and several")
    if there >= _COUNTRIES:
        yield Finding(
            "DDF00257", design, "characteristics", "the study is both in a single country and in several"
        )


def _objectives(design: Element) -> Iterator[Finding]:
    objectives = listed(design, "objectives")
    primary = [each for each in objectives if code_of(each, "level") == _PRIMARY_OBJECTIVE]
    if len(primary) != 1:
        message = f"there are {len(primary)} primary objectives; expected one"
        yield Finding("DDF00084", design, "objectives", message)
    there = 0
    for objective in objectives:
        for endpoint in listed(objective, "endpoints"):
            if code_of(endpoint, "level") == _PRIMARY_ENDPOINT:
                there += 1
                if code_of(objective, "level") != _PRIMARY_OBJECTIVE:
                    message = "a primary end point belongs to an objective that is not primary"
                    yield Finding("DDF00096", endpoint, "level", message)
    if not there:
        yield Finding("DDF00041", design, "objectives", "there is no primary end point")


def _structure(design: Element) -> Iterator[Finding]:
    cells = Counter((cell["armId"], cell["epochId"]) for cell in design["studyCells"])
    for (arm, epoch), count in cells.items():
        if count > 1:
            yield Finding("DDF00069", design, "studyCells", f"there are {count} cells of {arm} and {epoch}")
    for arm in design["arms"]:
        for epoch in design["epochs"]:
            if (arm["id"], epoch["id"]) not in cells:
                message = f"there is no cell for the epoch {epoch['id']}"
                yield Finding("DDF00243", arm, "", message, severity="warning")
    used = {id_ for cell in design["studyCells"] for id_ in cell["elementIds"]}
    for element in listed(design, "elements"):
        if element["id"] not in used:
            yield Finding("DDF00040", element, "", "no cell has this element")


def _population(design: Element) -> Iterator[Finding]:
    population = design["population"]
    cohorts = listed(population, "cohorts")
    for key, rule, is_required in (
        ("plannedAge", "DDF00097", True),
        ("plannedSex", "DDF00098", True),
        ("plannedCompletionNumber", "DDF00132", False),
        ("plannedEnrollmentNumber", "DDF00133", False),
    ):
        here = bool(population.get(key))
        there = [bool(cohort.get(key)) for cohort in cohorts]
        is_at_both = here and any(there)
        is_nowhere = is_required and not here and not any(there)
        if is_at_both or is_nowhere or (any(there) and not all(there)):
            message = "it must stand either in the population or in all of its cohorts"
            yield Finding(rule, population, key, message)
    for each in (population, *cohorts):
        sexes = [code["code"] for code in listed(each, "plannedSex")]
        if _BOTH_SEXES in sexes or len(sexes) != len(set(sexes)):
            message = "expected male, female, or both of these codes; not a code for both"
            yield Finding("DDF00188", each, "plannedSex", message)


def _criteria(design: Element) -> Iterator[Finding]:
    population = design["population"]
    own = set(listed(population, "criterionIds"))
    of_cohorts = {id_ for cohort in listed(population, "cohorts") for id_ in listed(cohort, "criterionIds")}
    for criterion in design["eligibilityCriteria"]:
        if criterion["id"] not in own | of_cohorts:
            yield Finding("DDF00158", criterion, "", "neither the population nor a cohort has this criterion")
        if criterion["id"] in own & of_cohorts:
            yield Finding("DDF00250", criterion, "", "both the population and a cohort have this criterion")
    uses = Counter(criterion["criterionItemId"] for criterion in design["eligibilityCriteria"])
    for item, count in uses.items():
        if count > 1:
            yield Finding("DDF00248", design, "eligibilityCriteria", f"{count} criteria have the item {item}")


def _timelines(design: Element) -> Iterator[Finding]:
    timelines = listed(design, "scheduleTimelines")
    main = sum(1 for each in timelines if each["mainTimeline"])
    if main != 1:
        yield Finding("DDF00012", design, "scheduleTimelines", f"there are {main} main timelines; expected one")
    for timeline in timelines:
        yield from _timeline(timeline)


def _timeline(timeline: Element) -> Iterator[Finding]:
    exits = {each["id"] for each in listed(timeline, "exits")}
    instances = listed(timeline, "instances")
    timings = listed(timeline, "timings")
    if not exits:
        yield Finding("DDF00108", timeline, "exits", "the timeline has no exit")
    if not any(each.get("timelineExitId") for each in instances):
        yield Finding("DDF00037", timeline, "instances", "no instance leads to an exit of the timeline")
    for each in instances:
        if each["instanceType"] == "ScheduledActivityInstance":
            if bool(each.get("timelineExitId")) == bool(each.get("defaultConditionId")):
                message = "the instance has either a default condition or an exit"
                yield Finding("DDF00008", each, "timelineExitId", message)
            if each.get("timelineExitId") and each["timelineExitId"] not in exits:
                message = f"{each['timelineExitId']} is not an exit of this timeline"
                yield Finding("DDF00102", each, "timelineExitId", message)
        if each.get("defaultConditionId") == each["id"]:
            yield Finding("DDF00019", each, "defaultConditionId", "the instance refers to itself")
    if not any(code_of(each, "type") == _FIXED_REFERENCE for each in timings):
        yield Finding("DDF00009", timeline, "timings", "the timeline has no fixed reference")
    own = {each["id"] for each in instances}
    for timing in timings:
        yield from _timing(timing, own)


def _timing(timing: Element, instances: set[str]) -> Iterator[Finding]:
    start, end = timing["relativeFromScheduledInstanceId"], timing.get("relativeToScheduledInstanceId")
    if start not in instances or (end and end not in instances):
        yield Finding("DDF00046", timing, "", "the timing refers to an instance of another timeline")
    if code_of(timing, "type") == _FIXED_REFERENCE:
        if end not in (None, start):
            message = "a fixed reference refers to one instance"
            yield Finding("DDF00007", timing, "relativeToScheduledInstanceId", message)
        if code_of(timing, "relativeToFrom") != _START_TO_START:
            yield Finding("DDF00036", timing, "relativeToFrom", "a fixed reference is from start to start")
        if timing.get("windowLower") or timing.get("windowUpper"):
            yield Finding("DDF00025", timing, "windowLower", "a fixed reference has no window")
    elif end in (None, start):
        message = "a timing that is no fixed reference refers to two instances"
        yield Finding("DDF00031", timing, "relativeToScheduledInstanceId", message)
    if not _DURATION.fullmatch(timing["value"]):
        yield Finding("DDF00060", timing, "value", f"{timing['value']!r} is no ISO 8601 duration")
