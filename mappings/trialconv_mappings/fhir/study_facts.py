"""What a ResearchStudy says in every FHIR version, before it is placed where the version wants it.

Each function returns the pieces of one topic as R5 shapes them; the placing modules put them into R5's
elements or into the official R4 extensions for those elements.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import checked_date
from trialconv.record import Study
from trialconv.record.decode import attribute_names
from trialconv.record.protocol import Outcome
from trialconv_mappings.fhir.parts import Element, concept, extension, filled_from, put_plain
from trialconv_mappings.fhir.terms import (
    BLINDED_ROLE,
    NCIT,
    NCT_SYSTEM,
    STUDY_PAGE,
)
from trialconv_mappings.fhir.versions import OUTCOME_TYPES
from trialconv_mappings.mesh import MESH, condition_headings
from trialconv_mappings.tables import CodeTable, table

_P = "protocolSection."
#: The type of an organization's own id that the registry gives no type.
OWN_ID: Final = "Organization's study id"
OUTCOMES: Final = f"{_P}outcomesModule"
_OWN_ID_TYPES: Final = table("fhir_org_study_id_type")
_SECONDARY_ID_TYPES: Final = table("fhir_secondary_id_type")
_TITLE_TYPES: Final = table("fhir_title_type")
_WHO_MASKED: Final = table("fhir_who_masked")
_REGISTRY_IDENTIFIER: Final = {
    "coding": [{"system": NCIT, "code": "C98714", "display": "Clinical Trial Registry Identifier"}]
}


def put_title(ctx: Context, made: Element) -> None:
    """Put in the study's title: the brief one, else the official one and a mark, else a page's unlabelled one."""
    module = ctx.record.study.protocol_section.identification_module
    if module.brief_title:
        made["title"] = module.brief_title
    elif module.official_title:
        made["title"] = module.official_title
        made["_title"] = filled_from(ctx, f"{_P}identificationModule.officialTitle")
    elif title := ctx.record.extras.get("title"):
        made["title"] = title


def identifiers(ctx: Context) -> list[Element]:
    """Return the NCT number, the numbers it had before, the sponsor's own id and the secondary ids."""
    module = ctx.record.study.protocol_section.identification_module
    nct = ctx.record.nct_id
    found: list[Element] = [{"use": "official", "type": _REGISTRY_IDENTIFIER, "system": NCT_SYSTEM, "value": nct}]
    found += [{"use": "old", "system": NCT_SYSTEM, "value": alias} for alias in module.nct_id_aliases if alias]
    own = module.org_study_id_info
    if own.id:
        made: Element = {"type": _own_id_type(ctx, own.type), "value": own.id}
        if module.organization.full_name:
            made["assigner"] = {"display": module.organization.full_name}
        found.append(made)
    elif own.type:
        found.append({"type": _own_id_type(ctx, own.type)})
    for number, secondary in enumerate(module.secondary_id_infos):
        if secondary.id or secondary.type or secondary.domain or secondary.link:
            made = {"use": "secondary"}
            if secondary.type:
                source = f"{_P}identificationModule.secondaryIdInfos[{number}].type"
                target = "ResearchStudy.identifier.type"
                made["type"] = concept(ctx, _SECONDARY_ID_TYPES, secondary.type, source, target)
            if secondary.id:
                made["value"] = secondary.id
            if secondary.domain:
                made["assigner"] = {"display": secondary.domain}
            found.append(made)
    return found


def _own_id_type(ctx: Context, word: str | None) -> Element:
    if not word:
        return {"text": OWN_ID}
    source, target = f"{_P}identificationModule.orgStudyIdInfo.type", "ResearchStudy.identifier.type"
    return concept(ctx, _OWN_ID_TYPES, word, source, target)


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
    found: list[Element] = []
    for name in study.protocol_section.conditions_module.conditions:
        heading = headings.get(name.casefold()) if headings else None
        if heading is not None:
            found.append({"coding": [{"system": MESH, "code": heading[0], "display": heading[1]}], "text": name})
        elif name:
            found.append({"text": name})
    return found


class Axis(NamedTuple):
    """An axis of the design: its name, the field, and the codes of its words."""

    name: str
    path: str
    codes: CodeTable


_D = f"{_P}designModule."
#: The axes of a design, each with the name that stands before the registry's word.
AXES: Final = (
    Axis("Study type", f"{_D}studyType", table("fhir_study_type")),
    Axis("Allocation", f"{_D}designInfo.allocation", table("fhir_allocation")),
    Axis("Intervention model", f"{_D}designInfo.interventionModel", table("fhir_intervention_model")),
    Axis("Observational model", f"{_D}designInfo.observationalModel", table("fhir_observational_model")),
    Axis("Time perspective", f"{_D}designInfo.timePerspective", table("fhir_time_perspective")),
    Axis("Masking", f"{_D}designInfo.maskingInfo.masking", table("fhir_masking")),
    Axis("Sampling method", f"{_P}eligibilityModule.samplingMethod", table("fhir_sampling_method")),
)
#: What the sponsor says of the design in words of their own.
DESCRIPTIONS: Final = (
    ("Intervention model description", f"{_D}designInfo.interventionModelDescription"),
    ("Masking description", f"{_D}designInfo.maskingInfo.maskingDescription"),
)
_WORDS: Final = attrgetter(*(".".join(attribute_names(Study, axis.path)) for axis in AXES))
_DESCRIBED: Final = attrgetter(*(".".join(attribute_names(Study, path)) for _, path in DESCRIPTIONS))


def study_designs(ctx: Context) -> list[Element]:
    """Return the study type and every axis of the design, each with the axis before the registry's word."""
    found = []
    for (name, path, codes), word in zip(AXES, _WORDS(ctx.record.study), strict=True):
        if word:
            found.append(concept(ctx, codes, word, path, "ResearchStudy.studyDesign", name + ": " + word))
    for (name, _), text in zip(DESCRIPTIONS, _DESCRIBED(ctx.record.study), strict=True):
        if text:
            made: Element = {}
            put_plain(ctx, made, "text", text, f"{name}: ")
            found.append(made)
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


class Outcomes(NamedTuple):
    """The outcomes of one kind: the kind as a CodeableConcept, and the registry's entries."""

    kind: Element
    entries: list[Outcome]


OUTCOME_KINDS: Final = (
    ("primaryOutcomes", "Primary outcome measure", attrgetter("primary_outcomes")),
    ("secondaryOutcomes", "Secondary outcome measure", attrgetter("secondary_outcomes")),
    ("otherOutcomes", "Other pre-specified outcome measure", attrgetter("other_outcomes")),
)


def outcomes(ctx: Context) -> list[Outcomes]:
    """Return the outcomes that are there, by kind."""
    module = ctx.record.study.protocol_section.outcomes_module
    codes, target = OUTCOME_TYPES[ctx.options.fhir_version], "ResearchStudy.outcomeMeasure.type"
    return [
        Outcomes(concept(ctx, codes, field, f"{_P}outcomesModule.{field}", target, text), entries)
        for field, text, fetch in OUTCOME_KINDS
        if (entries := fetch(module))
    ]


def page(ctx: Context) -> str:
    """Return the address of the study's page at the registry."""
    return STUDY_PAGE + ctx.record.nct_id
