"""What a ResearchStudy says in every FHIR version, before it is placed where the version wants it.

Each function returns the pieces of one topic as R5 shapes them; the placing modules put them into R5's
elements or into the official R4 extensions for those elements.
"""

from __future__ import annotations

import re
from typing import Final

from trialconv.context import Context
from trialconv.lineage import checked_date, checked_link, plain
from trialconv.record.protocol import EnrollmentInfo, Outcome, ResponsibleParty
from trialconv_mappings.fhir.parties import is_investigator
from trialconv_mappings.fhir.parts import Element, concept, extension
from trialconv_mappings.fhir.terms import (
    BLINDED_ROLE,
    NCIT,
    NCT_SYSTEM,
    STUDY_PAGE,
)
from trialconv_mappings.fhir.versions import OUTCOME_TYPES
from trialconv_mappings.mesh import MESH, condition_headings
from trialconv_mappings.tables import table

_P = "protocolSection."
_TITLE_TYPES: Final = table("fhir_title_type")
_STUDY_TYPES: Final = table("fhir_study_type")
_ALLOCATIONS: Final = table("fhir_allocation")
_MODELS: Final = table("fhir_intervention_model")
_OBSERVATIONAL_MODELS: Final = table("fhir_observational_model")
_TIME_PERSPECTIVES: Final = table("fhir_time_perspective")
_MASKINGS: Final = table("fhir_masking")
_WHO_MASKED: Final = table("fhir_who_masked")
_SAMPLING: Final = table("fhir_sampling_method")
_MESH_ID: Final = re.compile(r"[A-Z]\d+")
_REGISTRY_IDENTIFIER: Final = {
    "coding": [{"system": NCIT, "code": "C98714", "display": "Clinical Trial Registry Identifier"}]
}


def title(ctx: Context) -> str | None:
    """Return the study's title: the brief one, else the official one, else a page's unlabelled one."""
    module = ctx.record.study.protocol_section.identification_module
    return module.brief_title or module.official_title or ctx.record.extras.get("title")


def identifiers(ctx: Context) -> list[Element]:
    """Return the NCT number, the numbers it had before, the sponsor's own id and the secondary ids."""
    module = ctx.record.study.protocol_section.identification_module
    nct = ctx.record.nct_id
    found: list[Element] = [{"use": "official", "type": _REGISTRY_IDENTIFIER, "system": NCT_SYSTEM, "value": nct}]
    found += [{"use": "old", "system": NCT_SYSTEM, "value": alias} for alias in module.nct_id_aliases if alias]
    own = module.org_study_id_info
    if own.id:
        made: Element = {"type": {"text": own.type or "Organization's study id"}, "value": own.id}
        if module.organization.full_name:
            made["assigner"] = {"display": module.organization.full_name}
        found.append(made)
    elif own.type:
        found.append({"type": {"text": own.type}})
    for secondary in module.secondary_id_infos:
        if secondary.id or secondary.type or secondary.domain:
            made = {"use": "secondary"}
            if secondary.type:
                made["type"] = {"text": secondary.type}
            if secondary.id:
                made["value"] = secondary.id
            if secondary.domain:
                made["assigner"] = {"display": secondary.domain}
            found.append(made)
    return found


def id_links(ctx: Context) -> list[tuple[str, str | None]]:
    """Return the pages that ids link to: a label, the id where there is one, and the address.

    What cannot be an address is the label.
    """
    module = ctx.record.study.protocol_section.identification_module
    own = module.org_study_id_info
    ids = [(own.id, own.link), *((secondary.id, secondary.link) for secondary in module.secondary_id_infos)]
    source, target = f"{_P}identificationModule", "ResearchStudy.relatedArtifact.url"
    found = []
    for id_, link in ids:
        if link:
            address = checked_link(ctx, link, source, target)
            label = id_ or link if address else f"{id_ or ''} {link}".strip()
            if label:
                found.append((label, address))
    return found


def labels(ctx: Context) -> list[Element]:
    """Return the official title and the acronym with their kinds."""
    module = ctx.record.study.protocol_section.identification_module
    found = []
    for field, value in (("officialTitle", module.official_title), ("acronym", module.acronym)):
        if value:
            source = f"{_P}identificationModule.{field}"
            kind = concept(ctx, _TITLE_TYPES, field, source, "ResearchStudy.label.type")
            found.append({"type": {"coding": kind["coding"]}, "value": value})
    return found


def conditions(ctx: Context) -> list[Element]:
    """Return the conditions in the sponsor's words, with the MeSH heading where it is the same term."""
    study = ctx.record.study
    headings = condition_headings(study)
    found = []
    for name in filter(None, study.protocol_section.conditions_module.conditions):
        made: Element = {"text": name}
        heading = headings.get(name.casefold()) if headings else None
        if heading is not None and _MESH_ID.fullmatch(heading[0]):
            made = {"coding": [{"system": MESH, "code": heading[0], "display": heading[1]}], "text": name}
        found.append(made)
    return found


def study_designs(ctx: Context) -> list[Element]:
    """Return the study type and every axis of the design, each with the axis before the registry's word."""
    module = ctx.record.study.protocol_section.design_module
    info = module.design_info
    eligibility = ctx.record.study.protocol_section.eligibility_module
    axes = (
        (_STUDY_TYPES, "Study type", module.study_type, "studyType"),
        (_ALLOCATIONS, "Allocation", info.allocation, "designInfo.allocation"),
        (_MODELS, "Intervention model", info.intervention_model, "designInfo.interventionModel"),
        (
            _OBSERVATIONAL_MODELS,
            "Observational model",
            info.observational_model,
            "designInfo.observationalModel",
        ),
        (_TIME_PERSPECTIVES, "Time perspective", info.time_perspective, "designInfo.timePerspective"),
        (_MASKINGS, "Masking", info.masking_info.masking, "designInfo.maskingInfo.masking"),
    )
    found = []
    for codes, axis, value, field in axes:
        if value:
            text, source = f"{axis}: {value}", f"{_P}designModule.{field}"
            found.append(concept(ctx, codes, value, source, "ResearchStudy.studyDesign", text))
    if sampling := eligibility.sampling_method:
        text, source = f"Sampling method: {sampling}", f"{_P}eligibilityModule.samplingMethod"
        found.append(concept(ctx, _SAMPLING, sampling, source, "ResearchStudy.studyDesign", text))
    words = (
        ("Intervention model description", info.intervention_model_description),
        ("Masking description", info.masking_info.masking_description),
    )
    found += [{"text": f"{axis}: {plain(text)}"} for axis, text in words if text]
    return found


def blinded_roles(ctx: Context) -> list[Element]:
    """Return the extensions that name who is masked."""
    who = ctx.record.study.protocol_section.design_module.design_info.masking_info.who_masked
    source = f"{_P}designModule.designInfo.maskingInfo.whoMasked"
    target = "ResearchStudy.extension(blinded-role)"
    return [
        extension(BLINDED_ROLE, valueCodeableConcept=concept(ctx, _WHO_MASKED, role, source, target))
        for role in who
        if role
    ]


def keywords(ctx: Context) -> list[Element]:
    """Return the keywords, one concept each."""
    words = ctx.record.study.protocol_section.conditions_module.keywords
    return [{"text": word} for word in words if word]


def updated(ctx: Context) -> str | None:
    """Return the day of the record's last update."""
    day, source = ctx.record.last_update, f"{_P}statusModule.lastUpdatePostDateStruct.date"
    return checked_date(ctx, day, source, "ResearchStudy.date") if day else None


def outcomes(ctx: Context) -> list[tuple[list[Element], list[Outcome]]]:
    """Return the outcomes that are there, by kind: the codings of the kind and its outcomes."""
    module = ctx.record.study.protocol_section.outcomes_module
    codes = OUTCOME_TYPES[ctx.options.fhir_version]
    kinds = (
        ("primaryOutcomes", module.primary_outcomes),
        ("secondaryOutcomes", module.secondary_outcomes),
        ("otherOutcomes", module.other_outcomes),
    )
    target = "ResearchStudy.outcomeMeasure.type"
    return [
        (concept(ctx, codes, field, f"{_P}outcomesModule.{field}", target)["coding"], found)
        for field, found in kinds
        if found
    ]


def classifiers(ctx: Context) -> list[Element]:
    """Return the facts that FHIR has no element for, each as a text that begins with its name."""
    study = ctx.record.study
    protocol = study.protocol_section
    status, design, oversight = protocol.status_module, protocol.design_module, protocol.oversight_module
    party = protocol.sponsor_collaborators_module.responsible_party
    access = status.expanded_access_info
    facts: tuple[tuple[str, object], ...] = (
        ("Has results", study.has_results),
        ("Delayed posting", status.delayed_posting),
        ("Results waived", status.results_waived),
        ("Has expanded access", access.has_expanded_access),
        ("Expanded access record", access.nct_id),
        ("Expanded access status", access.status_for_nct_id),
        ("Responsible party", party.type),
        ("Responsible party name and title", party.old_name_title),
        ("Responsible party organization", party.old_organization),
        *_investigator(party),
        ("Oversight has DMC", oversight.oversight_has_dmc),
        ("FDA regulated drug", oversight.is_fda_regulated_drug),
        ("FDA regulated device", oversight.is_fda_regulated_device),
        ("Unapproved device", oversight.is_unapproved_device),
        ("Pediatric postmarket surveillance", oversight.is_ppsd),
        ("US export", oversight.is_us_export),
        ("FDAAA 801 violation", oversight.fdaaa801_violation),
        ("Patient registry", design.patient_registry),
        ("Target duration", design.target_duration),
        ("Biospecimen retention", design.bio_spec.retention),
        ("Biospecimen description", design.bio_spec.description),
        ("Expanded access individual", design.expanded_access_types.individual),
        ("Expanded access intermediate", design.expanded_access_types.intermediate),
        ("Expanded access treatment", design.expanded_access_types.treatment),
        ("Enrollment type", None if _is_recruitment(design.enrollment_info) else design.enrollment_info.type),
    )
    found = [{"text": f"{name}: {_word(value)}"} for name, value in facts if value not in (None, "")]
    found += [{"text": f"Age group: {age}"} for age in protocol.eligibility_module.std_ages if age]
    return found


def _investigator(party: ResponsibleParty) -> list[tuple[str, object]]:
    """Return what the record says of the responsible person where it does not make them an investigator."""
    if is_investigator(party):
        return []
    return [
        ("Responsible party investigator", party.investigator_full_name),
        ("Responsible party investigator title", party.investigator_title),
        ("Responsible party investigator affiliation", party.investigator_affiliation),
    ]


def _is_recruitment(info: EnrollmentInfo) -> bool:
    return info.count is not None and info.type in ("ACTUAL", "ESTIMATED")


def _word(value: object) -> str:
    if value is True:
        return "true"
    return "false" if value is False else str(value)


def page(ctx: Context) -> str:
    """Return the address of the study's page at the registry."""
    return STUDY_PAGE + ctx.record.nct_id
