"""What the ResearchStudy of every version takes from the record in the same shape."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import TRACING, derived, distinct, joined
from trialconv_mappings.fhir import study_facts as facts
from trialconv_mappings.fhir.additions import mesh_ancestors, registry_additions
from trialconv_mappings.fhir.group import enrollment_count
from trialconv_mappings.fhir.parties import AGENCY_CLASSES, REGISTRANT, ROLES, Parties, Party
from trialconv_mappings.fhir.parts import Element, concept, country, extension
from trialconv_mappings.fhir.plan import Arm
from trialconv_mappings.fhir.status import last_known_status, progress_state
from trialconv_mappings.fhir.study_dates import overall_study, registrations
from trialconv_mappings.fhir.terms import LAST_KNOWN_STATUS, STUDY_STATUS_R5, STUDY_STATUS_THO
from trialconv_mappings.fhir.versions import PHASES, PRIMARY_PURPOSES

_P = "protocolSection."
SUMMARY: Final = f"{_P}descriptionModule.briefSummary"
DESCRIPTION: Final = f"{_P}descriptionModule.detailedDescription"
_OVERALL_THO: Final = {"system": STUDY_STATUS_THO, "code": "overall-study", "display": "Overall study"}
_OVERALL_R5: Final = {"system": STUDY_STATUS_R5, "code": "overall-study", "display": "Overall study"}


class Neighbours(NamedTuple):
    """The resources that the ResearchStudy refers to."""

    plan_id: str
    group_id: str
    arms: list[Arm]
    parties: Parties
    site_ids: list[str]


def primary_purpose(ctx: Context) -> Element | None:
    """Return the primary purpose as a CodeableConcept."""
    purpose = ctx.record.study.protocol_section.design_module.design_info.primary_purpose
    if not purpose:
        return None
    source = f"{_P}designModule.designInfo.primaryPurpose"
    codes = PRIMARY_PURPOSES[ctx.options.fhir_version]
    return concept(ctx, codes, purpose, source, "ResearchStudy.primaryPurposeType")


def phase(ctx: Context) -> Element | None:
    """Return the phases as one CodeableConcept: two phases have a code of their own."""
    phases = joined(ctx.record.study.protocol_section.design_module.phases)
    if not phases:
        return None
    source = f"{_P}designModule.phases"
    return concept(ctx, PHASES[ctx.options.fhir_version], phases, source, "ResearchStudy.phase")


def why_stopped(ctx: Context) -> Element | None:
    """Return the reason for stopping in the sponsor's words; the registry has no codes for it."""
    reason = ctx.record.study.protocol_section.status_module.why_stopped
    return {"text": reason} if reason else None


def countries(ctx: Context, target: str) -> list[Element]:
    """Return the distinct countries of the sites, or those that a page lists, in the order of appearance."""
    locations = ctx.record.study.protocol_section.contacts_locations_module.locations
    ordered = distinct(site.country for site in locations if site.country)
    source = f"{_P}contactsLocationsModule.locations[].country"
    return [country(ctx, name, source, target) for name in ordered or ctx.record.extras.get("countries", ())]


def recruitment(ctx: Context) -> Element:
    """Return how many took part or are to take part; nothing when the registry does not say which it is."""
    kind = ctx.record.study.protocol_section.design_module.enrollment_info.type
    count = enrollment_count(ctx)
    if count is None or kind not in ("ACTUAL", "ESTIMATED"):
        return {}
    element = "actualNumber" if kind == "ACTUAL" else "targetNumber"
    return {derived(element, kind): derived(count, kind)} if TRACING.on else {element: count}


def progress(ctx: Context) -> list[tuple[Element, bool | None, Element | None]]:
    """Return the progress statuses: the registry's status, and the study's dates as its overall state."""
    found: list[tuple[Element, bool | None, Element | None]] = []
    state = progress_state(ctx)
    if state:
        found.append((state, None, None))
    codings = [_OVERALL_R5, _OVERALL_THO] if ctx.options.fhir_version == "R5" else [_OVERALL_THO]
    found.extend(({"coding": codings}, actual, span) for actual, span in overall_study(ctx))
    return found


def party_classifiers(ctx: Context, party: Party) -> list[Element]:
    """Return the class of a party, and what its role does not tell of it."""
    found = []
    if party.agency_class:
        source, target = f"{party.source}.class", "ResearchStudy.associatedParty.classifier"
        found.append(concept(ctx, AGENCY_CLASSES, party.agency_class, source, target))
    if party.kind:
        found.append({"text": party.kind})
    return found


def party_role(ctx: Context, party: Party) -> Element:
    """Return the role of a party; a role that the registry leaves open is said to be so."""
    if not party.role:
        return {"text": "not stated"}
    if party.role == "ORGANIZATION":
        return {"text": REGISTRANT}
    return concept(ctx, ROLES, party.role, f"{party.source}.role", "ResearchStudy.associatedParty.role")


def shared_extensions(ctx: Context) -> list[Element]:
    """Return the extensions that all versions carry in the same way."""
    found = registrations(ctx) + facts.blinded_roles(ctx) + mesh_ancestors(ctx) + registry_additions(ctx)
    last_known = last_known_status(ctx)
    if last_known:
        found.append(extension(ctx.options.base + LAST_KNOWN_STATUS, valueCodeableConcept=last_known))
    return found
