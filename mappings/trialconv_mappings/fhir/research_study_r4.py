"""The ResearchStudy of R4 and R4B.

Elements follow https://hl7.org/fhir/R4/researchstudy.html and its mapping column for ClinicalTrials.gov. What
only R5 has goes into the official extensions for it (package hl7.fhir.uv.xver-r5.r4).
"""

from __future__ import annotations

from trialconv.context import Context
from trialconv_mappings.fhir import study_common as common
from trialconv_mappings.fhir import study_facts as facts
from trialconv_mappings.fhir.additions import mesh_keywords
from trialconv_mappings.fhir.artifacts import related_artifacts
from trialconv_mappings.fhir.classifiers import classifiers, notes
from trialconv_mappings.fhir.parties import ROLES, Party, central_contacts
from trialconv_mappings.fhir.parts import (
    Element,
    concept,
    extension,
    filled_from,
    nested_extension,
    put_markdown,
    put_plain,
    reference,
    telecom,
)
from trialconv_mappings.fhir.plan import ARM_TYPES, Arm
from trialconv_mappings.fhir.status import r4_status
from trialconv_mappings.fhir.study_dates import study_period
from trialconv_mappings.fhir.terms import CONTACT_ROLE, STUDY_IN_R4, TIME_FRAME

_P = "protocolSection."
_ARMS = f"{_P}armsInterventionsModule.armGroups"
_CLASSIFIER = STUDY_IN_R4 + "classifier"
_PROGRESS = STUDY_IN_R4 + "progressStatus"
_PARTY = STUDY_IN_R4 + "associatedParty"


def place_r4(ctx: Context, made: Element, neighbours: common.Neighbours) -> None:
    """Put the study into the elements of R4 and R4B, and the rest into extensions."""
    protocol = ctx.record.study.protocol_section
    made["extension"] = _r4_extensions(ctx, neighbours)
    made["identifier"] = facts.identifiers(ctx)
    facts.put_title(ctx, made)
    made["protocol"] = [reference("PlanDefinition", neighbours.plan_id)]
    made["status"], made["_status"] = r4_status(ctx)
    made["primaryPurposeType"] = common.primary_purpose(ctx)
    made["phase"] = common.phase(ctx)
    made["category"] = facts.study_designs(ctx)
    made["condition"] = facts.conditions(ctx)
    made["contact"] = _contact_details(ctx)
    made["relatedArtifact"] = related_artifacts(ctx)
    made["keyword"] = facts.keywords(ctx) + mesh_keywords(ctx)
    made["location"] = common.countries(ctx, "ResearchStudy.location")
    description = protocol.description_module
    if description.detailed_description:
        text = description.detailed_description
        put_markdown(ctx, made, "description", text, common.DESCRIPTION, "ResearchStudy.description")
    elif description.brief_summary:
        put_markdown(
            ctx, made, "description", description.brief_summary, common.SUMMARY, "ResearchStudy.description"
        )
        beside = made.setdefault("_description", {"extension": []})
        beside["extension"] += filled_from(ctx, common.SUMMARY)["extension"]
    made["enrollment"] = [reference("Group", neighbours.group_id)]
    made["period"] = study_period(ctx)
    made["sponsor"] = neighbours.parties.first("LEAD_SPONSOR")
    made["principalInvestigator"] = neighbours.parties.first("PRINCIPAL_INVESTIGATOR", "SPONSOR_INVESTIGATOR")
    made["site"] = [reference("Location", site) for site in neighbours.site_ids]
    made["reasonStopped"] = common.why_stopped(ctx)
    made["note"] = notes(ctx)
    made["arm"] = [_r4_arm(ctx, number, arm) for number, arm in enumerate(neighbours.arms)]


def _r4_extensions(ctx: Context, neighbours: common.Neighbours) -> list[Element]:
    """Return the R5 elements that R4 lacks, as the official extensions for them, and the shared extensions."""
    protocol = ctx.record.study.protocol_section
    found = []
    if updated := facts.updated(ctx):
        found.append(extension(STUDY_IN_R4 + "date", valueDateTime=updated))
    found.extend(
        nested_extension(
            STUDY_IN_R4 + "label",
            [
                extension("type", valueCodeableConcept=label["type"]),
                extension("value", valueString=label["value"]),
            ],
        )
        for label in facts.labels(ctx)
    )
    summary = protocol.description_module.brief_summary
    if summary:
        made = extension(STUDY_IN_R4 + "descriptionSummary")
        put_markdown(
            ctx, made, "valueMarkdown", summary, common.SUMMARY, "ResearchStudy.extension(descriptionSummary)"
        )
        found.append(made)
    found += [_r4_progress(state, actual, span) for state, actual, span in common.progress(ctx)]
    found += [_r4_party(ctx, party) for party in neighbours.parties.beyond_sponsor()]
    for field, number in common.recruitment(ctx).items():
        found.append(extension(STUDY_IN_R4 + "recruitment." + field, valueUnsignedInt=number))
    found += _outcomes(ctx)
    found += [{"url": _CLASSIFIER, "valueCodeableConcept": fact} for fact in classifiers(ctx)]
    return [*found, *common.shared_extensions(ctx)]


def _r4_progress(state: Element, actual: bool | None, span: Element | None) -> Element:
    parts: list[Element] = [{"url": "state", "valueCodeableConcept": state}]
    if actual is not None:
        parts.append({"url": "actual", "valueBoolean": actual})
    if span:
        parts.append({"url": "period", "valuePeriod": span})
    return {"url": _PROGRESS, "extension": parts}


def _r4_party(ctx: Context, party: Party) -> Element:
    parts: list[Element] = [{"url": "name", "valueString": party.name}] if party.name else []
    parts.append({"url": "role", "valueCodeableConcept": common.party_role(ctx, party)})
    kinds = common.party_classifiers(ctx, party)
    parts += [{"url": "classifier", "valueCodeableConcept": kind} for kind in kinds]
    parts.append({"url": "party", "valueReference": party.reference})
    return {"url": _PARTY, "extension": parts}


def _outcomes(ctx: Context) -> list[Element]:
    url, time_frame_url = STUDY_IN_R4 + "outcomeMeasure", ctx.options.base + TIME_FRAME
    found = []
    for concept_, outcomes in facts.outcomes(ctx):
        kind = {"url": "type", "valueCodeableConcept": concept_}
        for outcome in outcomes:
            parts: list[Element] = []
            if outcome.measure:
                parts.append({"url": "name", "valueString": outcome.measure})
            parts.append(kind)
            if outcome.description:
                part: Element = {"url": "description"}
                put_markdown(
                    ctx, part, "valueMarkdown", outcome.description, facts.OUTCOMES, "ResearchStudy.outcomeMeasure"
                )
                parts.append(part)
            if outcome.time_frame:
                parts.append({"url": time_frame_url, "valueString": outcome.time_frame})
            found.append({"url": url, "extension": parts})
    return found


def _r4_arm(ctx: Context, number: int, arm: Arm) -> Element:
    made: Element = {
        "extension": [extension(STUDY_IN_R4 + "comparisonGroup.linkId", valueId=arm.link_id)],
        "name": arm.group.label or arm.link_id,
    }
    if arm.group.type:
        made["type"] = concept(ctx, ARM_TYPES, arm.group.type, f"{_ARMS}[{number}].type", "ResearchStudy.arm.type")
    if arm.group.description:
        put_plain(ctx, made, "description", arm.group.description)
    return made


def _contact_details(ctx: Context) -> list[Element]:
    found = []
    for number, contact in enumerate(central_contacts(ctx)):
        made: Element = {}
        if contact.role:
            source = f"{_P}contactsLocationsModule.centralContacts[{number}].role"
            role = concept(ctx, ROLES, contact.role, source, "ResearchStudy.contact.extension(contact-role)")
            made["extension"] = [extension(ctx.options.base + CONTACT_ROLE, valueCodeableConcept=role)]
        if contact.name:
            made["name"] = contact.name
        if points := telecom(contact):
            made["telecom"] = points
        if made:
            found.append(made)
    return found
