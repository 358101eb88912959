"""Defects of USDM documents: for each rule of the validator, a change that breaks it and nothing beside it.

A defect is a function that changes the study version and its design in place. It gets both, and may change what is
in them; `code` makes a code of CDISC terminology.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

from made_up import Tree

Change = Callable[[Tree, Tree], Any]


class Defect(NamedTuple):
    """A change, the rule that it breaks, and the severity and the code of the Issue."""

    rule: str
    change: Change
    severity: str = "error"
    code: str = "conformance"


def code(value: str, decode: str, version: str = "2026-03-27") -> Tree:
    """Return a Code; its id is that of its value."""
    return {
        "id": f"Code_of_{value}",
        "code": value,
        "codeSystem": "http://www.cdisc.org",
        "codeSystemVersion": version,
        "decode": decode,
        "instanceType": "Code",
    }


def again(element: Tree, **changes: Any) -> Tree:
    """Return a copy of an object with other ids throughout, and some attributes changed."""
    made = copy.deepcopy(element)
    waiting: list[Any] = [made]
    for value in waiting:
        if isinstance(value, dict):
            value["id"] += "_again"
            waiting += [inner for inner in value.values() if isinstance(inner, dict | list)]
        else:
            waiting += [inner for inner in value if isinstance(inner, dict)]
    return {**made, **changes}


def role_of(version: Tree, value: str) -> Tree:
    """Return the first role with a code."""
    found: Tree = next(role for role in version["roles"] if role["code"]["code"] == value)
    return found


def _cohort(design: Tree, **attributes: Any) -> None:
    design["population"]["cohorts"] = [
        {
            "id": "Cohort_1",
            "name": "C1",
            "includesHealthySubjects": False,
            "instanceType": "StudyCohort",
            **attributes,
        }
    ]


def _reorder(design: Tree, first: Tree, second: Tree) -> None:
    design["eligibilityCriteria"][0].update(first)
    design["eligibilityCriteria"][1].update(second)


def _second_event(design: Tree, **changes: Any) -> Tree:
    timeline: Tree = design["scheduleTimelines"][0]
    timeline["instances"].append(again(timeline["instances"][0], name="EVENT2", **changes))
    event: Tree = timeline["instances"][1]
    return event


def _timing(design: Tree) -> Tree:
    timing: Tree = design["scheduleTimelines"][0]["timings"][0]
    return timing


def _timeline(design: Tree) -> Tree:
    timeline: Tree = design["scheduleTimelines"][0]
    return timeline


def _alone(design: Tree, key: str) -> Tree:
    """Return a copy of the second objective's end point, as an end point of the first."""
    endpoint: Tree = again(design["objectives"][1]["endpoints"][0], name="END9")
    endpoint["level"] = code("C94496", "Primary Endpoint")
    design["objectives"][1][key] = [endpoint]
    return endpoint


def _not_fixed(timing: Tree) -> None:
    timing["type"] = code("C201356", "After Timing Type")


OF_STUDIES: list[Defect] = [
    Defect("DDF00083", lambda v, d: d["arms"][0].update(id=d["epochs"][0]["id"]), code="duplicate-id"),
    Defect("DDF00260", lambda v, d: v["titles"][0].update(id="Study Title"), "warning"),
    Defect("DDF00010", lambda v, d: v["organizations"][1].update(name=v["organizations"][0]["name"])),
    Defect(
        "usdm-reference", lambda v, d: d["studyCells"][0].update(armId="StudyArm_9"), code="reference-unresolved"
    ),
    Defect(
        "usdm-reference",
        lambda v, d: d["studyCells"][0].update(armId=d["epochs"][0]["id"]),
        code="reference-type",
    ),
    Defect("DDF00115", lambda v, d: v["titles"].pop(0)),
    Defect("DDF00100", lambda v, d: v["titles"].append(again(v["titles"][0]))),
    Defect("DDF00201", lambda v, d: v["roles"].remove(role_of(v, "C70793"))),
    Defect("DDF00202", lambda v, d: role_of(v, "C70793").update(organizationIds=[])),
    Defect("DDF00203", lambda v, d: role_of(v, "C70793").update(appliesToIds=[d["id"]])),
    Defect("DDF00172", lambda v, d: v["studyIdentifiers"].pop(1)),
    Defect("DDF00173", lambda v, d: v["studyIdentifiers"].append(again(v["studyIdentifiers"][0]))),
    Defect("DDF00190", lambda v, d: role_of(v, "C19924").update(organizationIds=["Organization_2"])),
    Defect("DDF00189", lambda v, d: role_of(v, "C19924").update(appliesToIds=[v["id"], d["id"]])),
    Defect(
        "DDF00191",
        lambda v, d: d["blindingSchema"].update(standardCode=code("C49659", "Open Label Study")),
        "warning",
    ),
    Defect("DDF00093", lambda v, d: v["dateValues"].append(again(v["dateValues"][0], name="DATE2"))),
    Defect(
        "DDF00151",
        lambda v, d: v["dateValues"][0]["geographicScopes"].append(
            again(
                v["dateValues"][0]["geographicScopes"][0],
                type=code("C41129", "Region"),
                code={
                    "id": "AliasCode_area",
                    "standardCode": {**code("EU", "Europe"), "codeSystem": "areas"},
                    "instanceType": "AliasCode",
                },
            )
        ),
    ),
    Defect(
        "DDF00261",
        lambda v, d: v["dateValues"][0]["geographicScopes"][0].update(type=code("C41129", "Region")),
        "warning",
    ),
    Defect(
        "DDF00249",
        lambda v, d: v["eligibilityCriterionItems"].append(again(v["eligibilityCriterionItems"][0], name="IN9")),
        "warning",
    ),
    Defect("DDF00187", lambda v, d: v["narrativeContentItems"][0].update(text="plain"), "warning"),
    Defect("DDF00247", lambda v, d: d["objectives"][0].update(text="plain"), "warning"),
    Defect("DDF00030", lambda v, d: role_of(v, "C19924")["assignedPersons"][0]["personName"].pop("text")),
    Defect("DDF00194", lambda v, d: _empty_address(v)),
    Defect("DDF00033", lambda v, d: _timeline(d)["plannedDuration"].update(text="")),
    Defect("DDF00034", lambda v, d: _timeline(d)["plannedDuration"].update(durationWillVary=True)),
    Defect("DDF00231", lambda v, d: d["biospecimenRetentions"][0].pop("includesDNA")),
    Defect("DDF00242", lambda v, d: d["population"]["plannedAge"]["minValue"].pop("unit"), "error"),
    Defect("DDF00241", lambda v, d: d["population"]["plannedAge"]["minValue"].update(value=70)),
    Defect("DDF00241", lambda v, d: d["population"]["plannedAge"]["minValue"].update(value=64), "information"),
    Defect("DDF00234", lambda v, d: d["population"]["plannedEnrollmentNumber"].update(unit=_unit(d))),
    Defect(
        "DDF00235",
        lambda v, d: d["population"].update(
            plannedCompletionNumber={"id": "Quantity_c", "value": 9, "unit": _unit(d), "instanceType": "Quantity"}
        ),
    ),
    Defect("DDF00042", lambda v, d: d["population"]["plannedAge"].update(isApproximate=True), "warning"),
    Defect("DDF00021", lambda v, d: _reorder(d, {"previousId": d["eligibilityCriteria"][0]["id"]}, {})),
    Defect("DDF00022", lambda v, d: _reorder(d, {"nextId": d["eligibilityCriteria"][0]["id"]}, {})),
    Defect("DDF00023", lambda v, d: _reorder(d, {"nextId": d["eligibilityCriteria"][1]["id"]}, {})),
    Defect("DDF00027", lambda v, d: _same_next(v, d)),
]

OF_TERMS: list[Defect] = [
    Defect("DDF00073", lambda v, d: _code_of(v).update(codeSystemVersion="2024-09-27"), "warning"),
    Defect("DDF00155", lambda v, d: _code_of(v).update(codeSystemVersion="September 2024")),
    Defect("DDF00035", lambda v, d: d["arms"][0]["dataOriginType"].update(decode="Nobody knows"), "warning"),
    Defect(
        "DDF00237",
        lambda v, d: d["population"]["plannedAge"]["minValue"]["unit"].update(standardCode=code("C48155", "Gram")),
        code="binding",
    ),
    Defect("DDF00032", lambda v, d: v.update(businessTherapeuticAreas=_twice())),
    Defect("DDF00052", lambda v, d: d["studyPhase"].update(standardCodeAliases=_twice())),
    Defect("DDF00058", lambda v, d: d["indications"][0].update(codes=_twice())),
    Defect("DDF00059", lambda v, d: v["studyInterventions"][0].update(codes=_twice())),
    Defect("DDF00219", lambda v, d: d["characteristics"].append(again(d["characteristics"][0]))),
    Defect("DDF00220", lambda v, d: d.update(subTypes=_twice())),
    Defect("DDF00221", lambda v, d: d.update(therapeuticAreas=_twice())),
    Defect("DDF00222", lambda v, d: d["intentTypes"].append(again(d["intentTypes"][0]))),
]

OF_DESIGNS: list[Defect] = [
    Defect("DDF00252", lambda v, d: d.update(studyInterventionIds=[])),
    Defect("DDF00227", lambda v, d: _as_observational(d)),
    Defect("DDF00228", lambda v, d: d.update(studyType=code("C16084", "Observational Study"))),
    Defect(
        "DDF00154",
        lambda v, d: d["characteristics"].extend(
            [code("C217004", "Single-Center Study"), code("C217005", "Multicenter Study")]
        ),
    ),
    Defect(
        "DDF00257",
        lambda v, d: d["characteristics"].extend(
            [code("C217006", "Single Country"), code("C217007", "Multiple Countries")]
        ),
    ),
    Defect("DDF00084", lambda v, d: d["objectives"].append(again(d["objectives"][0], name="OBJ9", endpoints=[]))),
    Defect("DDF00096", lambda v, d: _alone(d, "endpoints")),
    Defect("DDF00041", lambda v, d: d["objectives"][0].update(endpoints=[])),
    Defect("DDF00069", lambda v, d: d["studyCells"].append(again(d["studyCells"][0]))),
    Defect(
        "DDF00243",
        lambda v, d: d["epochs"].append(again(d["epochs"][0], name="EPOCH2")),
        "warning",
    ),
    Defect("DDF00040", lambda v, d: d["elements"].append(again(d["elements"][0], name="ELEMENT9"))),
    Defect("DDF00097", lambda v, d: d["population"].pop("plannedAge")),
    Defect("DDF00098", lambda v, d: d["population"].pop("plannedSex")),
    Defect(
        "DDF00132",
        lambda v, d: _both_numbers(d, "plannedCompletionNumber"),
    ),
    Defect("DDF00133", lambda v, d: _both_numbers(d, "plannedEnrollmentNumber")),
    Defect("DDF00188", lambda v, d: d["population"].update(plannedSex=[_female("1"), _female("2")])),
    Defect("DDF00158", lambda v, d: d["population"]["criterionIds"].pop()),
    Defect("DDF00250", lambda v, d: _cohort(d, criterionIds=d["population"]["criterionIds"][:1])),
    Defect(
        "DDF00248",
        lambda v, d: (
            d["eligibilityCriteria"][1].update(criterionItemId=d["eligibilityCriteria"][0]["criterionItemId"])
            or v["eligibilityCriterionItems"].pop(1)
        ),
    ),
    Defect("DDF00012", lambda v, d: _timeline(d).update(mainTimeline=False)),
    Defect("DDF00108", lambda v, d: _without_exit(d)),
    Defect("DDF00037", lambda v, d: _without_way_out(d)),
    Defect("DDF00008", lambda v, d: _second_event(d, defaultConditionId=_timeline(d)["instances"][0]["id"])),
    Defect("DDF00102", lambda v, d: _other_exit(d)),
    Defect("DDF00019", lambda v, d: _to_itself(d)),
    Defect("DDF00009", lambda v, d: _no_anchor(d)),
    Defect("DDF00046", lambda v, d: _other_timeline(d)),
    Defect("DDF00007", lambda v, d: _timing(d).update(relativeToScheduledInstanceId=_second_event(d)["id"])),
    Defect("DDF00036", lambda v, d: _timing(d).update(relativeToFrom=code("C201352", "End to End"))),
    Defect("DDF00025", lambda v, d: _timing(d).update(windowLower="P1D")),
    Defect("DDF00031", lambda v, d: _one_ended(d)),
    Defect("DDF00060", lambda v, d: _timing(d).update(value="today")),
]


def _empty_address(version: Tree) -> None:
    address = next(each["legalAddress"] for each in version["organizations"] if "legalAddress" in each)
    for key in ("city", "state", "postalCode", "country"):
        del address[key]


def _unit(design: Tree) -> Tree:
    return again(design["population"]["plannedAge"]["minValue"]["unit"])


def _same_next(version: Tree, design: Tree) -> None:
    first, second, *_ = design["eligibilityCriteria"]
    item = again(version["eligibilityCriterionItems"][0], name="IN9")
    version["eligibilityCriterionItems"].append(item)
    other = again(first, name="IN9", criterionItemId=item["id"], nextId=second["id"])
    design["eligibilityCriteria"].append(other)
    design["population"]["criterionIds"].append(other["id"])
    first["nextId"], second["previousId"] = second["id"], first["id"]


def _code_of(version: Tree) -> Tree:
    """Return a code whose codelist no rule names, so that only the rules for all codes look at it."""
    found: Tree = next(
        each["legalAddress"]["country"] for each in version["organizations"] if "legalAddress" in each
    )
    found["codeSystem"] = "http://www.cdisc.org"
    return found


def _twice() -> list[Tree]:
    """Return one code twice, of a system of its own."""
    made = {**code("A1", "A made-up term"), "codeSystem": "https://example.org"}
    return [{**made, "id": "Code_first"}, {**made, "id": "Code_second"}]


def _female(number: str) -> Tree:
    return {**code("C16576", "Female"), "id": f"Code_sex_{number}"}


def _as_observational(design: Tree) -> None:
    for key in ("blindingSchema", "intentTypes", "model"):
        design.pop(key, None)
    design.update(
        instanceType="ObservationalStudyDesign",
        model=code("C15208", "Cohort Study"),
        timePerspective=code("C15273", "Longitudinal Study"),
    )


def _both_numbers(design: Tree, key: str) -> None:
    number = {"id": "Quantity_here", "value": 9, "instanceType": "Quantity"}
    design["population"][key] = number
    _cohort(design, **{key: {**number, "id": "Quantity_there"}})


def _without_exit(design: Tree) -> None:
    timeline = _timeline(design)
    timeline["exits"] = []


def _without_way_out(design: Tree) -> None:
    event = _timeline(design)["instances"][0]
    other = _second_event(design)
    del event["timelineExitId"], other["timelineExitId"]
    event["defaultConditionId"], other["defaultConditionId"] = other["id"], event["id"]


def _other_exit(design: Tree) -> None:
    other = again(_timeline(design), name="TIMELINE2", mainTimeline=False)
    other["entryId"] = other["instances"][0]["id"]
    other["timings"][0]["relativeFromScheduledInstanceId"] = other["entryId"]
    design["scheduleTimelines"].append(other)


def _to_itself(design: Tree) -> None:
    event = _second_event(design)
    del event["timelineExitId"]
    event["defaultConditionId"] = event["id"]


def _no_anchor(design: Tree) -> None:
    _not_fixed(_timing(design))
    _timing(design)["relativeToScheduledInstanceId"] = _second_event(design)["id"]


def _one_ended(design: Tree) -> None:
    timeline = _timeline(design)
    timeline["timings"].append(again(timeline["timings"][0], name="TIMING2"))
    _not_fixed(timeline["timings"][1])


def _other_timeline(design: Tree) -> None:
    other = again(_timeline(design), name="TIMELINE2", mainTimeline=False)
    other["entryId"] = other["instances"][0]["id"]
    other["instances"][0]["timelineExitId"] = other["exits"][0]["id"]
    design["scheduleTimelines"].append(other)
