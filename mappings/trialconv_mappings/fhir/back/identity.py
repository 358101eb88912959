"""Identification, texts, dates and design of a study, read back from a ResearchStudy in the shape of R5."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.fhir.back.bundles import (
    Resources,
    exact,
    first,
    is_filled_in,
    named,
    put,
    texts,
    value_of,
    without_none,
)
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.study_dates import EVENTS
from trialconv_mappings.fhir.study_facts import OWN_ID
from trialconv_mappings.fhir.terms import NCT_SYSTEM

_P = "protocolSection."
_I = f"{_P}identificationModule."
_S = f"{_P}statusModule."
_DATE_TYPES: Final[dict[bool | None, str]] = {True: "ACTUAL", False: "ESTIMATED"}
_OVERALL: Final = "overall-study"
_STRUCTS: Final = frozenset(event.field for event in EVENTS if event.field.endswith("Struct"))


def read_identity(study: Element, tree: dict[str, Any]) -> None:
    """Put the identification, the descriptions, the conditions and the keywords into the tree."""
    _identifiers(study, tree)
    if "title" in study and not is_filled_in(study, "title"):
        put(tree, _I + "briefTitle", exact(study, "title"))
    for label in study.get("label", ()):
        codes = {coding.get("code") for coding in label.get("type", {}).get("coding", ())}
        for code, field in (("official", "officialTitle"), ("acronym", "acronym")):
            if code in codes:
                put(tree, _I + field, exact(label, "value"))
    put(tree, f"{_P}descriptionModule.briefSummary", exact(study, "descriptionSummary"))
    if not is_filled_in(study, "description"):
        put(tree, f"{_P}descriptionModule.detailedDescription", exact(study, "description"))
    put(tree, f"{_P}conditionsModule.conditions", list(texts(study.get("condition", []))))
    keywords = [word for word in study.get("keyword", ()) if not named(word, "derived-from")]
    put(tree, f"{_P}conditionsModule.keywords", list(texts(keywords)))


def _identifiers(study: Element, tree: dict[str, Any]) -> None:
    for identifier in study.get("identifier", ()):
        use, value = identifier.get("use"), exact(identifier, "value")
        kind = exact(identifier.get("type", {}), "text")
        if identifier.get("system") == NCT_SYSTEM:
            if use == "old":
                put(tree, _I + "nctIdAliases[]", value)
            else:
                put(tree, _I + "nctId", value)
        elif use == "secondary":
            domain = exact(identifier.get("assigner", {}), "display")
            secondary = without_none(id=value, type=kind, domain=domain)
            tree.setdefault("protocolSection", {}).setdefault("identificationModule", {}).setdefault(
                "secondaryIdInfos", []
            ).append(secondary)
        else:
            put(tree, _I + "orgStudyIdInfo.id", value)
            put(tree, _I + "orgStudyIdInfo.type", kind if kind != OWN_ID else None)


def read_status(study: Element, tree: dict[str, Any]) -> None:
    """Put the status and all dates into the tree."""
    period = study.get("period", {})
    put(tree, _S + "startDateStruct.date", exact(period, "start"))
    put(tree, _S + "completionDateStruct.date", exact(period, "end"))
    for progress in study.get("progressStatus", ()):
        state = progress.get("state", {})
        if any(coding.get("code") == _OVERALL for coding in state.get("coding", ())):
            _overall(progress, tree)
        else:
            put(tree, _S + "overallStatus", exact(state, "text"))
    last_known = first(study, "last-known-status")
    put(tree, _S + "lastKnownStatus", (last_known or {}).get("text"))
    put(tree, _S + "whyStopped", exact(study.get("whyStopped", {}), "text"))
    _registrations(study, tree)
    put(tree, _S + "lastUpdatePostDateStruct.date", exact(study, "date"))


def _overall(progress: Element, tree: dict[str, Any]) -> None:
    """Read the study's dates as its overall state: whether they are actual, and what the period cannot hold."""
    status = tree.setdefault("protocolSection", {}).setdefault("statusModule", {})
    period = progress.get("period", {})
    for edge, field in (("start", "startDateStruct"), ("end", "completionDateStruct")):
        if edge in period:
            struct = status.setdefault(field, {})
            struct.setdefault("date", exact(period, edge))
            if "actual" in progress:
                struct["type"] = _DATE_TYPES[progress["actual"]]


def _registrations(study: Element, tree: dict[str, Any]) -> None:
    by_code = {event.activity["valueCodeableConcept"]["coding"][0]["code"]: event.field for event in EVENTS}
    for found in named(study, "researchStudy-studyRegistration"):
        parts = {part["url"]: value_of(part) for part in found.get("extension", ())}
        codes = [coding.get("code") for coding in parts.get("activity", {}).get("coding", ())]
        field = next((by_code[code] for code in codes if code in by_code), None)
        period = parts.get("period", {})
        day = exact(period, "start") or exact(period, "end")
        if field is None:
            continue
        if field in _STRUCTS:
            put(tree, f"{_S}{field}.date", day)
            put(tree, f"{_S}{field}.type", _DATE_TYPES.get(parts.get("actual")))
        else:
            put(tree, _S + field, day)


def read_design(study: Element, resources: Resources, tree: dict[str, Any]) -> None:
    """Put the phases, the purpose, the masking and the enrolment into the tree; the axes are facts."""
    design = f"{_P}designModule."
    phases = exact(study.get("phase", {}), "text")
    put(tree, design + "phases", phases.split("/") if phases else None)
    put(tree, design + "designInfo.primaryPurpose", exact(study.get("primaryPurposeType", {}), "text"))
    for role in named(study, "blinded-role"):
        put(tree, design + "designInfo.maskingInfo.whoMasked[]", (value_of(role) or {}).get("text"))
    recruitment = study.get("recruitment", {})
    for key, kind in (("actualNumber", "ACTUAL"), ("targetNumber", "ESTIMATED")):
        if recruitment.get(key) is not None:
            put(tree, design + "enrollmentInfo.type", kind)
            put(tree, design + "enrollmentInfo.count", recruitment[key])
    for group in resources.all("Group"):
        put(tree, design + "enrollmentInfo.count", group.get("quantity"))
