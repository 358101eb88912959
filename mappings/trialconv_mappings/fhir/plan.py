"""The study as a plan: arms as actions, the interventions of each arm as actions below it.

A registry states no visits, timings or decisions, so there are none here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import TRACING, code, derived
from trialconv.record.protocol import ArmGroup
from trialconv_mappings.arm_links import arm_links, labels_of
from trialconv_mappings.fhir.activities import Activity
from trialconv_mappings.fhir.parts import Element, Ids, concept, extension, put_markdown, put_plain, reference
from trialconv_mappings.fhir.study_facts import outcomes as study_outcomes
from trialconv_mappings.fhir.terms import IN_R4, INTERVENTION_NAME, PLAN_DEFINITION_TYPE, TIME_FRAME
from trialconv_mappings.tables import table

ARM_TYPES: Final = table("fhir_arm_type")
_ARMS = "protocolSection.armsInterventionsModule.armGroups"
_PLAN_TYPE: Final = {
    "coding": [{"system": PLAN_DEFINITION_TYPE, "code": "clinical-protocol", "display": "Clinical Protocol"}]
}
_SELECTIONS: Final = table("fhir_selection_behavior")
_MODEL = "protocolSection.designModule.designInfo.interventionModel"


class Arm(NamedTuple):
    """An arm group of the record, and the id that links its places in the documents."""

    group: ArmGroup
    link_id: str


def arms(ctx: Context) -> list[Arm]:
    """Return the study's arms with their link ids."""
    ids = Ids("arm")
    groups = ctx.record.study.protocol_section.arms_interventions_module.arm_groups
    return [Arm(group, ids.derive("group", group.label or "").replace("arm-group-", "arm-")) for group in groups]


def plan_definition(
    ctx: Context, id_: str, group_id: str, study_arms: list[Arm], study_activities: list[Activity]
) -> Element:
    """Return the PlanDefinition of the study."""
    protocol = ctx.record.study.protocol_section
    identification = protocol.identification_module
    made: Element = {
        "resourceType": "PlanDefinition",
        "id": id_,
        "url": ctx.options.base + "/PlanDefinition/" + id_,
        "name": ctx.record.nct_id + "_Protocol",
    }
    title = identification.official_title or identification.brief_title or ctx.record.extras.get("title")
    if title:
        made["title"] = title
    made["type"] = _PLAN_TYPE
    made["status"] = "active"
    made["subjectReference"] = reference("Group", group_id)
    if goals := _goals(ctx):
        made["goal"] = goals
    if actions := _actions(ctx, study_arms, study_activities):
        made["action"] = actions
    return made


def _goals(ctx: Context) -> list[Element]:
    """Return the outcome measures as goals, each said to be one: a registry states no objectives.

    The time frame is a text of the sponsor's, from which no time of the study's own can be taken.
    """
    time_frame_url = ctx.options.base + TIME_FRAME
    found = []
    for kind, outcomes in study_outcomes(ctx):
        for outcome in outcomes:
            goal: Element = {"category": kind}
            if outcome.time_frame:
                goal["extension"] = [{"url": time_frame_url, "valueString": outcome.time_frame}]
            text = outcome.measure or outcome.description or outcome.time_frame
            if text:
                goal["description"] = {"text": text}
                found.append(goal)
    return found


def _actions(ctx: Context, study_arms: list[Arm], study_activities: list[Activity]) -> list[Element]:
    by_arm, unlinked = arm_links(ctx, "PlanDefinition.action")
    actions = []
    if study_arms:
        top: Element = {"title": "Arms", "groupingBehavior": "logical-group"}
        model = ctx.record.study.protocol_section.design_module.design_info.intervention_model
        if model and len(study_arms) > 1:
            rows = code(ctx, _SELECTIONS, model, _MODEL, "PlanDefinition.action.selectionBehavior")
            if rows:
                top["selectionBehavior"] = rows[0].code
        top["action"] = [
            _arm_action(ctx, number, arm, study_activities, linked)
            for number, (arm, linked) in enumerate(zip(study_arms, by_arm, strict=True))
        ]
        actions.append(top)
    if unlinked:
        top = {"title": "Interventions (arm not stated)", "groupingBehavior": "logical-group"}
        top["action"] = [_intervention_action(study_activities, position) for position in unlinked]
        actions.append(top)
    return actions


def _arm_action(
    ctx: Context, number: int, arm: Arm, study_activities: list[Activity], linked: list[int]
) -> Element:
    group, in_r5 = arm.group, ctx.options.fhir_version == "R5"
    action: Element = {}
    if in_r5:
        action["linkId"] = arm.link_id
    else:
        action["extension"] = [extension(IN_R4 + "PlanDefinition.action.linkId", valueString=arm.link_id)]
    if group.label:
        action["title"] = group.label
    if group.description:
        if in_r5:
            source, target = f"{_ARMS}[{number}].description", "PlanDefinition.action.description"
            put_markdown(ctx, action, "description", group.description, source, target)
        else:
            put_plain(ctx, action, "description", group.description)
    if group.type:
        target = "PlanDefinition.action.code"
        kind = concept(ctx, ARM_TYPES, group.type, f"{_ARMS}[{number}].type", target)
        action["code"] = kind if in_r5 else [kind]
    names = group.intervention_names
    items = [study_activities[position].intervention for position in linked] if names else []
    labels = labels_of(items)
    if names != labels:
        # The plan has the links, but neither another order nor interventions that are not there.
        url = ctx.options.base + INTERVENTION_NAME
        if exact := [extension(url, valueString=derived(name, names, labels)) for name in names if name]:
            action["extension"] = action.get("extension", []) + exact
    if linked:
        action["groupingBehavior"] = "logical-group"
        action["action"] = [_intervention_action(study_activities, position) for position in linked]
    return action


def _intervention_action(study_activities: list[Activity], position: int) -> Element:
    activity = study_activities[position]
    action: Element = {}
    if activity.intervention.name:
        action["title"] = activity.intervention.name
    url = activity.resource["url"]
    action["definitionCanonical"] = derived(url, position) if TRACING.on else url
    return action
