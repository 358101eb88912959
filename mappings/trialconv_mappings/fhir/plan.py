"""The study as a plan: arms as actions, the interventions of each arm as actions below it.

A registry states no visits, timings or decisions, so there are none here.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import plain
from trialconv.record.protocol import ArmGroup
from trialconv_mappings.arm_links import arm_links
from trialconv_mappings.fhir.activities import Activity
from trialconv_mappings.fhir.parts import Element, Ids, concept, extension, reference
from trialconv_mappings.fhir.terms import IN_R4, PLAN_DEFINITION_TYPE
from trialconv_mappings.tables import table

ARM_TYPES: Final = table("fhir_arm_type")
_ARMS = "protocolSection.armsInterventionsModule.armGroups"
_PLAN_TYPE: Final = {
    "coding": [{"system": PLAN_DEFINITION_TYPE, "code": "clinical-protocol", "display": "Clinical Protocol"}]
}
# A participant of such a study is in one arm only. Crossover arms are registered as sequences or as treatments
# that everybody passes through, and of the other models the registry does not say it either.
_ONE_ARM_EACH: Final = frozenset({"PARALLEL"})


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
        "url": f"{ctx.options.base}/PlanDefinition/{id_}",
        "name": f"{ctx.record.nct_id}_Protocol",
    }
    title = identification.official_title or identification.brief_title or ctx.record.extras.get("title")
    if title:
        made["title"] = title
    made["type"] = _PLAN_TYPE
    made["status"] = "active"
    made["subjectReference"] = reference("Group", group_id)
    if actions := _actions(ctx, study_arms, study_activities):
        made["action"] = actions
    return made


def _actions(ctx: Context, study_arms: list[Arm], study_activities: list[Activity]) -> list[Element]:
    by_arm, unlinked = arm_links(ctx, "PlanDefinition.action")
    actions = []
    if study_arms:
        top: Element = {"title": "Arms", "groupingBehavior": "logical-group"}
        model = ctx.record.study.protocol_section.design_module.design_info.intervention_model
        if model in _ONE_ARM_EACH and len(study_arms) > 1:
            top["selectionBehavior"] = "exactly-one"
        top["action"] = [
            _arm_action(ctx, number, arm, [study_activities[position] for position in linked])
            for number, (arm, linked) in enumerate(zip(study_arms, by_arm, strict=True))
        ]
        actions.append(top)
    if unlinked:
        top = {"title": "Interventions (arm not stated)", "groupingBehavior": "logical-group"}
        top["action"] = [_intervention_action(study_activities[position]) for position in unlinked]
        actions.append(top)
    return actions


def _arm_action(ctx: Context, number: int, arm: Arm, linked: list[Activity]) -> Element:
    group, in_r5 = arm.group, ctx.options.fhir_version == "R5"
    action: Element = {}
    if in_r5:
        action["linkId"] = arm.link_id
    else:
        action["extension"] = [extension(IN_R4 + "PlanDefinition.action.linkId", valueString=arm.link_id)]
    if group.label:
        action["title"] = group.label
    if group.description:
        action["description"] = group.description if in_r5 else plain(group.description)
    if group.type:
        target = "PlanDefinition.action.code"
        kind = concept(ctx, ARM_TYPES, group.type, f"{_ARMS}[{number}].type", target)
        action["code"] = kind if in_r5 else [kind]
    if linked:
        action["groupingBehavior"] = "logical-group"
        action["action"] = [_intervention_action(activity) for activity in linked]
    return action


def _intervention_action(activity: Activity) -> Element:
    action: Element = {}
    if activity.intervention.name:
        action["title"] = activity.intervention.name
    action["definitionCanonical"] = activity.resource["url"]
    return action
