"""What is studied and how, in the registry's XML: design, groups, interventions, outcomes, eligibility."""

from __future__ import annotations

import re
from typing import Any, Final

from trialconv.readers._ctgov_xml_values import Values, kept, markup_text, text_block
from trialconv.readers._ctgov_xml_walk import Cursor

_REGISTRY_TYPE = "Observational [Patient Registry]"
_NO_PHASE = "N/A"


def description(study: Cursor) -> dict[str, Any]:
    """Return `descriptionModule`."""
    return kept(
        briefSummary=text_block(study, "brief_summary"),
        detailedDescription=text_block(study, "detailed_description"),
    )


def conditions(study: Cursor) -> dict[str, Any]:
    """Return `conditionsModule`."""
    return kept(conditions=study.texts("condition"), keywords=study.texts("keyword"))


def design(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `designModule`."""
    kind = study.text("study_type")
    access = study.one("expanded_access_info")
    return kept(
        studyType=values.code("study_type", kind),
        expandedAccessTypes=_expanded_access(access, values) if access else {},
        patientRegistry=True if kind == _REGISTRY_TYPE else None,
        targetDuration=study.text("target_duration"),
        phases=_phases(study, values, kind),
        designInfo=_design_info(study, values),
        bioSpec=kept(
            retention=values.code("biospec_retention", study.text("biospec_retention")),
            description=text_block(study, "biospec_descr"),
        ),
        enrollmentInfo=_enrollment(study, values),
    )


def _expanded_access(access: Cursor, values: Values) -> dict[str, Any]:
    kinds = ("individual", "intermediate", "treatment")
    return kept(**{kind: values.yes_no(access, f"expanded_access_type_{kind}") for kind in kinds})


def _phases(study: Cursor, values: Values, kind: str | None) -> list[str]:
    """Return the phases.

    Until 2018-03-29 the registry wrote N/A for every phase that was not given, and only interventional studies
    have one; so N/A says nothing about the others.
    """
    phase = study.text("phase")
    if phase == _NO_PHASE and kind != "Interventional":
        return []
    return values.codes("phase", phase)


def _enrollment(study: Cursor, values: Values) -> dict[str, Any]:
    element = study.one("enrollment")
    if element is None:
        return {}
    return kept(count=values.number(study, "enrollment"), type=values.code("date_type", element.attribute("type")))


_MASKING = re.compile(r"(?P<masking>[^(]+?)(?: \((?P<who>[^()]+)\))?")
_OPEN_LABEL = "Open Label"


def _masking(values: Values, label: str | None, details: str | None) -> dict[str, Any]:
    """Return the masking of a label such as `Double (Participant, Investigator)`."""
    match = _MASKING.fullmatch(label) if label else None
    if match is None:
        return kept(masking=label, maskingDescription=details)
    who = match["who"]
    roles = [] if who is None or who == _OPEN_LABEL else who.split(", ")
    return kept(
        masking=values.code("masking", match["masking"]),
        maskingDescription=details,
        whoMasked=[code for role in roles for code in values.codes("who_masked", role)],
    )


def _design_info(study: Cursor, values: Values) -> dict[str, Any]:
    info = study.one("study_design_info")
    if info is None:
        return _old_design(study, values)
    return kept(
        allocation=values.code("allocation", info.text("allocation")),
        interventionModel=values.code("intervention_model", info.text("intervention_model")),
        interventionModelDescription=markup_text(info, "intervention_model_description"),
        primaryPurpose=values.code("primary_purpose", info.text("primary_purpose")),
        observationalModel=values.code("observational_model", info.text("observational_model")),
        timePerspective=values.code("time_perspective", info.text("time_perspective")),
        maskingInfo=_masking(values, info.text("masking"), markup_text(info, "masking_description")),
    )


#: The names in the design string that was written before 2017-01-11, with field and code table.
_OLD_DESIGN: Final = {
    "Allocation": ("allocation", "allocation"),
    "Intervention Model": ("interventionModel", "intervention_model"),
    "Primary Purpose": ("primaryPurpose", "primary_purpose"),
    "Observational Model": ("observationalModel", "observational_model"),
    "Time Perspective": ("timePerspective", "time_perspective"),
}
_OLD_PART = re.compile(r"(?P<name>[A-Z][A-Za-z ]+): *(?P<label>.+)")
# A comma ends a part of the string only where another name and colon follow.
_OLD_COMMA = re.compile(r", *(?=[A-Z][A-Za-z ]+:)")
_ABANDONED_PART = "Endpoint Classification"


def _old_design(study: Cursor, values: Values) -> dict[str, Any]:
    """Read a string such as `Allocation: Randomized, Masking: Open Label`."""
    element = study.one("study_design")
    text = element.own_text() if element else None
    if element is None or text is None:
        return {}
    fields: dict[str, Any] = {}
    for part in _OLD_COMMA.split(" ".join(text.split())):
        match = _OLD_PART.fullmatch(part)
        name = match["name"] if match else ""
        if match and name in _OLD_DESIGN:
            field, table_name = _OLD_DESIGN[name]
            fields[field] = values.code(table_name, match["label"])
        elif match and name == "Masking":
            fields["maskingInfo"] = _masking(values, match["label"], None)
        elif name == _ABANDONED_PART:
            message = f"{part!r} has no field; the registry abandoned it in 2017"
            values.note("field-not-mapped", message, element.path)
        else:
            values.note("unread-element", f"the part {part[:80]!r} of the design is not known", element.path)
    return fields


def arms_and_interventions(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `armsInterventionsModule`, with the interventions of each group by the labels that they name."""
    interventions: list[dict[str, Any]] = []
    names: dict[str, list[str]] = {}
    for one in study.every("intervention"):
        label, name = one.text("intervention_type"), one.text("intervention_name")
        arms = one.texts("arm_group_label")
        for arm in arms:
            names.setdefault(arm, []).append(f"{label}: {name}")
        interventions.append(
            kept(
                type=values.code("intervention_type", label),
                name=name,
                description=markup_text(one, "description"),
                armGroupLabels=arms,
                otherNames=one.texts("other_name"),
            )
        )
    groups = [_group(one, values, names) for one in study.every("arm_group")]
    _check_count(study, values, len(groups))
    return kept(armGroups=groups, interventions=interventions)


def _group(group: Cursor, values: Values, names: dict[str, list[str]]) -> dict[str, Any]:
    label = group.text("arm_group_label")
    return kept(
        label=label,
        type=values.code("arm_type", group.text("arm_group_type")),
        description=markup_text(group, "description"),
        interventionNames=list(dict.fromkeys(names.get(label or "", []))),
    )


def _check_count(study: Cursor, values: Values, listed: int) -> None:
    """Compare the stated number of groups with those listed. It has no field of its own."""
    for name in ("number_of_arms", "number_of_groups"):
        stated = values.number(study, name)
        if stated is not None and stated != listed:
            message = f"<{name}> states {stated} groups, {listed} are listed; the number has no field"
            values.note("field-not-mapped", message, f"{study.path}/{name}")


def outcomes(study: Cursor) -> dict[str, Any]:
    """Return `outcomesModule`."""
    kinds = ("primary", "secondary", "other")
    return kept(**{f"{kind}Outcomes": [_outcome(one) for one in study.every(f"{kind}_outcome")] for kind in kinds})


def _outcome(outcome: Cursor) -> dict[str, Any]:
    return kept(
        measure=outcome.text("measure"),
        description=markup_text(outcome, "description"),
        timeFrame=outcome.text("time_frame"),
    )


_HEALTHY: Final = {"No": False, "Yes": True, "Accepts Healthy Volunteers": True}


def eligibility(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `eligibilityModule`."""
    element = study.one("eligibility")
    if element is None:
        return {}
    return kept(
        eligibilityCriteria=text_block(element, "criteria"),
        healthyVolunteers=_healthy(element, values),
        sex=values.code("sex", element.text("gender")),
        genderBased=values.yes_no(element, "gender_based"),
        genderDescription=markup_text(element, "gender_description"),
        minimumAge=_age(element, "minimum_age"),
        maximumAge=_age(element, "maximum_age"),
        studyPopulation=text_block(element, "study_pop"),
        samplingMethod=values.code("sampling_method", element.text("sampling_method")),
    )


def _healthy(element: Cursor, values: Values) -> bool | None:
    text = element.text("healthy_volunteers")
    if text is not None and text not in _HEALTHY:
        message = f"expected No or Accepts Healthy Volunteers, found {text[:80]!r}"
        values.note("wrong-type", message, f"{element.path}/healthy_volunteers")
    return _HEALTHY.get(text) if text else None


def _age(element: Cursor, name: str) -> str | None:
    """Return an age limit; the XML says N/A where API v2 leaves it out."""
    text = element.text(name)
    return None if text == "N/A" else text
