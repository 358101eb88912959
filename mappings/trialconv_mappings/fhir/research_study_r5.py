"""The ResearchStudy of R5: https://hl7.org/fhir/R5/researchstudy.html."""

from __future__ import annotations

from trialconv.context import Context
from trialconv_mappings.fhir import study_common as common
from trialconv_mappings.fhir import study_facts as facts
from trialconv_mappings.fhir.additions import mesh_keywords
from trialconv_mappings.fhir.artifacts import related_artifacts
from trialconv_mappings.fhir.classifiers import classifiers, notes
from trialconv_mappings.fhir.parties import Party
from trialconv_mappings.fhir.parts import Element, concept, put_markdown, reference
from trialconv_mappings.fhir.plan import ARM_TYPES, Arm
from trialconv_mappings.fhir.study_dates import study_period
from trialconv_mappings.fhir.terms import TIME_FRAME

_ARMS = "protocolSection.armsInterventionsModule.armGroups"


def place_r5(ctx: Context, made: Element, neighbours: common.Neighbours) -> None:
    """Put the study into the elements of R5."""
    protocol = ctx.record.study.protocol_section
    made["extension"] = common.shared_extensions(ctx)
    made["url"] = facts.page(ctx)
    made["identifier"] = facts.identifiers(ctx)
    made["name"] = ctx.record.nct_id
    facts.put_title(ctx, made)
    made["label"] = facts.labels(ctx)
    made["protocol"] = [reference("PlanDefinition", neighbours.plan_id)]
    made["relatedArtifact"] = related_artifacts(ctx)
    made["date"] = facts.updated(ctx)
    made["status"] = "active"
    made["primaryPurposeType"] = common.primary_purpose(ctx)
    made["phase"] = common.phase(ctx)
    made["studyDesign"] = facts.study_designs(ctx)
    made["condition"] = facts.conditions(ctx)
    made["keyword"] = facts.keywords(ctx) + mesh_keywords(ctx)
    made["region"] = common.countries(ctx, "ResearchStudy.region")
    texts = protocol.description_module
    if texts.brief_summary:
        put_markdown(
            ctx,
            made,
            "descriptionSummary",
            texts.brief_summary,
            common.SUMMARY,
            "ResearchStudy.descriptionSummary",
        )
    if texts.detailed_description:
        put_markdown(
            ctx, made, "description", texts.detailed_description, common.DESCRIPTION, "ResearchStudy.description"
        )
    made["period"] = study_period(ctx)
    made["site"] = [reference("Location", site) for site in neighbours.site_ids]
    made["note"] = notes(ctx)
    made["classifier"] = classifiers(ctx)
    made["associatedParty"] = [_r5_party(ctx, party) for party in neighbours.parties.parties]
    made["progressStatus"] = [
        {
            "state": state,
            **({"actual": actual} if actual is not None else {}),
            **({"period": span} if span else {}),
        }
        for state, actual, span in common.progress(ctx)
    ]
    made["whyStopped"] = common.why_stopped(ctx)
    made["recruitment"] = {**common.recruitment(ctx), "eligibility": reference("Group", neighbours.group_id)}
    made["comparisonGroup"] = [_r5_arm(ctx, number, arm) for number, arm in enumerate(neighbours.arms)]
    made["outcomeMeasure"] = _outcomes(ctx)


def _r5_party(ctx: Context, party: Party) -> Element:
    made: Element = {"name": party.name} if party.name else {}
    made["role"] = common.party_role(ctx, party)
    if kinds := common.party_classifiers(ctx, party):
        made["classifier"] = kinds
    made["party"] = party.reference
    return made


def _outcomes(ctx: Context) -> list[Element]:
    time_frame_url = ctx.options.base + TIME_FRAME
    found = []
    for kind, outcomes in facts.outcomes(ctx):
        kinds = [kind]
        for outcome in outcomes:
            made: Element = {}
            if outcome.time_frame:
                made["extension"] = [{"url": time_frame_url, "valueString": outcome.time_frame}]
            if outcome.measure:
                made["name"] = outcome.measure
            made["type"] = kinds
            if outcome.description:
                put_markdown(
                    ctx, made, "description", outcome.description, facts.OUTCOMES, "ResearchStudy.outcomeMeasure"
                )
            found.append(made)
    return found


def _r5_arm(ctx: Context, number: int, arm: Arm) -> Element:
    made: Element = {"linkId": arm.link_id, "name": arm.group.label or arm.link_id}
    if arm.group.type:
        source, target = f"{_ARMS}[{number}].type", "ResearchStudy.comparisonGroup.type"
        made["type"] = concept(ctx, ARM_TYPES, arm.group.type, source, target)
    if arm.group.description:
        source, target = f"{_ARMS}[{number}].description", "ResearchStudy.comparisonGroup.description"
        put_markdown(ctx, made, "description", arm.group.description, source, target)
    return made
