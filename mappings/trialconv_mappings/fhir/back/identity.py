"""Identification, texts and design of a study, read back from a ResearchStudy in the shape of R5."""

from __future__ import annotations

import re
from typing import Any, Final

from trialconv_mappings.back import Notes, put, typed, without_none, words
from trialconv_mappings.fhir.back.bundles import Resources
from trialconv_mappings.fhir.back.element import Part, said_texts
from trialconv_mappings.fhir.study_facts import OWN_ID
from trialconv_mappings.fhir.terms import DERIVED_FROM, NCT_SYSTEM

_P = "protocolSection."
_I = f"{_P}identificationModule."
_NCT: Final = re.compile(r"NCT[0-9]{8}")
#: What the systems of identifiers for NCT numbers have in common, in all spellings that are in use.
_REGISTRY: Final = "clinicaltrials.gov"


def read_identity(study: Part, tree: dict[str, Any], notes: Notes) -> None:
    """Put the identification, the descriptions, the conditions and the keywords into the tree."""
    _identifiers(study, tree, notes)
    for label in study.parts("label"):
        kind = label.part("type")
        fields = [word for _, code in kind.codes() for word in words("fhir_title_type").with_code(code)]
        text = label.exact("value")
        if fields:
            put(tree, _I + fields[0], text)
        else:
            shown = kind.words() or ""
            notes.note("not-understood", f"a label of the kind {shown[:100]!r}", "ResearchStudy.label")
    _read_filled_in(study, "title", tree, _I + "briefTitle", _I + "officialTitle")
    texts = f"{_P}descriptionModule."
    put(tree, texts + "briefSummary", study.exact("descriptionSummary"))
    _read_filled_in(study, "description", tree, texts + "detailedDescription", texts + "briefSummary")
    put(tree, f"{_P}conditionsModule.conditions", said_texts(study.parts("condition")))
    keywords = [word for word in study.parts("keyword") if not word.extensions(DERIVED_FROM)]
    put(tree, f"{_P}conditionsModule.keywords", said_texts(keywords))


def _read_filled_in(study: Part, key: str, tree: dict[str, Any], path: str, other: str) -> None:
    """Put a text into the tree, unless it was filled in from another field and still says what that field says."""
    text = study.exact(key)
    section, module, field = other.split(".")
    said = tree.get(section, {}).get(module, {}).get(field)
    if not (study.is_filled_in(key) and said == text):
        put(tree, path, text)


def _identifiers(study: Part, tree: dict[str, Any], notes: Notes) -> None:
    """Read the identifiers. A number of the registry is known by its system or, without one, by its form."""
    identifiers = study.parts("identifier")
    own_system = any(each.raw.get("system") == NCT_SYSTEM for each in identifiers)
    for identifier in identifiers:
        use, value = identifier.text("use"), identifier.exact("value")
        kind, system = identifier.part("type"), identifier.text("system")
        if system == NCT_SYSTEM or (not own_system and _is_nct_number(system, value)):
            kind.ask_all()
            module = tree.get("protocolSection", {}).get("identificationModule", {})
            put(tree, _I + ("nctIdAliases[]" if use == "old" or "nctId" in module else "nctId"), value)
            continue
        identifier.ask("period")
        assigner = identifier.part("assigner")
        module = tree.setdefault("protocolSection", {}).setdefault("identificationModule", {})
        if use == "secondary" or "orgStudyIdInfo" in module:
            type_ = _kind(kind, "fhir_secondary_id_type", notes)
            domain = assigner.exact("display") or system
            module.setdefault("secondaryIdInfos", []).append(without_none(id=value, type=type_, domain=domain))
        else:
            type_ = _kind(kind, "fhir_org_study_id_type", notes)
            put(tree, _I + "orgStudyIdInfo.id", value)
            put(tree, _I + "orgStudyIdInfo.type", type_ if type_ != OWN_ID else None)
            put(tree, _I + "organization.fullName", assigner.exact("display"))


def _is_nct_number(system: str | None, value: str | None) -> bool:
    if value is None or not _NCT.fullmatch(value):
        return False
    # Whatever the system is called: nothing else has numbers of this form.
    return system is None or _REGISTRY in system.lower() or not system.startswith("http")


def _kind(kind: Part, table: str, notes: Notes) -> str | None:
    return words(table).word(kind.codes(), kind.exact("text"), notes, "ResearchStudy.identifier.type")


def read_design(study: Part, groups: list[Part], tree: dict[str, Any], notes: Notes) -> None:
    """Put the phases, the purpose, the masking and the enrolment into the tree; the axes are facts."""
    design = f"{_P}designModule."
    phase, purpose = study.part("phase"), study.part("primaryPurposeType")
    tables = ("fhir_r4_phase", "fhir_r5_phase")
    phases = words(*tables).word(phase.codes(), phase.exact("text"), notes, "ResearchStudy.phase")
    put(tree, design + "phases", phases.split("/") if phases else None)
    tables = ("fhir_r4_primary_purpose", "fhir_r5_primary_purpose")
    place = "ResearchStudy.primaryPurposeType"
    word = words(*tables).word(purpose.codes(), purpose.exact("text"), notes, place)
    put(tree, design + "designInfo.primaryPurpose", word)
    for role in study.extensions("blinded-role"):
        held = role.held()
        word = words("fhir_who_masked").word(
            held.codes(), held.exact("text"), notes, "ResearchStudy.extension(blinded-role)"
        )
        put(tree, design + "designInfo.maskingInfo.whoMasked[]", word)
    _read_enrollment(study.part("recruitment"), groups, tree)


def _read_enrollment(recruitment: Part, groups: list[Part], tree: dict[str, Any]) -> None:
    path = f"{_P}designModule.enrollmentInfo."
    for key, kind in (("actualNumber", "ACTUAL"), ("targetNumber", "ESTIMATED")):
        count = recruitment.value(key)
        module = tree.get("protocolSection", {}).get("designModule", {}).get("enrollmentInfo", {})
        if count is not None and "count" not in module:
            put(tree, path + "type", kind)
            put(tree, path + "count", typed(path + "count", count))
    for group in groups:
        count = group.value("quantity")
        put(tree, path + "count", typed(path + "count", count) if count is not None else None)


def resources_of_population(study: Part, resources: Resources) -> list[Part]:
    """Return the Groups that a study names as those who take part or may take part."""
    references = [*study.parts("enrollment"), *study.part("recruitment").parts("eligibility")]
    return resources.linked("Group", references, study, "ResearchStudy.enrollment")
