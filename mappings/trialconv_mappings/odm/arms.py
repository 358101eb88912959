"""The arms of a study, and which interventions each of them has."""

from __future__ import annotations

from typing import Final

from trialconv.lineage import derived, plain
from trialconv.odm_tree import Node
from trialconv.record.protocol import ArmsInterventionsModule
from trialconv_mappings.odm.parameters import Parameters
from trialconv_mappings.odm.text import description

_ARMS: Final = "protocolSection.armsInterventionsModule."
#: The term of the parameters that name the interventions of an arm by their OIDs.
LINK_TERM: Final = "protocolSection.armsInterventionsModule.armGroups[].interventionNames[] (OID)"


def structure(parameters: Parameters) -> list[Node]:
    """Return the `StudyStructure` with the study's arms or groups, if it has any."""
    module = parameters.ctx.record.study.protocol_section.arms_interventions_module
    made = []
    for position, arm in enumerate(module.arm_groups, 1):
        oid = f"ARM.{position}"
        target = f"Arm[@OID='{oid}']"
        children = []
        if arm.description:
            source = _ARMS + "armGroups[].description"
            children.append(description(parameters.ctx, plain(arm.description), source, target + "/Description"))
        short_name = f"CTG.armGroups.{position}.label"
        label = _ARMS + "armGroups[].label"
        name = parameters.name(arm.label, f"Arm {position}", label, short_name, target + "/@Name")
        made.append(Node("Arm", {"OID": oid, "Name": name}, children))
    return [Node("StudyStructure", {}, made)] if made else []


def write_links(parameters: Parameters) -> None:
    """Add the OIDs of each arm's interventions, which no element of ODM 2.0 can hold."""
    module = parameters.ctx.record.study.protocol_section.arms_interventions_module
    for arm, linked in enumerate(_links(parameters, module), 1):
        for position, intervention in enumerate(linked, 1):
            short_name = f"CTG.armGroups.{arm}.interventionOIDs.{position}"
            parameters.registry(short_name, LINK_TERM, "INT." + str(intervention + 1))


def _links(parameters: Parameters, module: ArmsInterventionsModule) -> list[list[int]]:
    """Return the positions of each arm's interventions.

    The registry states each link twice: the intervention names its arms by their labels, the arm its
    interventions as "Type: name". Both are followed; a label that several arms share tells none of them.
    """
    ctx = parameters.ctx
    by_label: dict[str | None, list[int]] = {}
    for number, arm in enumerate(module.arm_groups):
        by_label.setdefault(arm.label, []).append(number)
    by_name: dict[str, list[int]] = {}
    links: list[dict[int, int]] = [{} for _ in module.arm_groups]
    for number, intervention in enumerate(module.interventions):
        kind = (intervention.type or "").replace("_", " ").title()
        by_name.setdefault(f"{kind}: {intervention.name}", []).append(number)
        for label in intervention.arm_group_labels:
            arms = by_label.get(label, ())
            if len(arms) == 1:
                links[arms[0]][number] = derived(number, label, module.arm_groups[arms[0]].label)
            elif not arms:
                source = f"{_ARMS}interventions[{number}].armGroupLabels"
                ctx.note("unknown-arm", f"no arm is called {label!r}", source, "StudyStructure/Arm")
    for number, (arm, found) in enumerate(zip(module.arm_groups, links, strict=True)):
        for name in arm.intervention_names:
            named = by_name.get(name, ())
            if not named:
                source = f"{_ARMS}armGroups[{number}].interventionNames"
                ctx.note(
                    "unknown-intervention", f"no intervention is called {name!r}", source, "StudyStructure/Arm"
                )
                continue
            for position in [each for each in named if each in found] or named:
                item = module.interventions[position]
                found[position] = derived(found.get(position, position), name, item.type, item.name)
    return [sorted(found.values()) for found in links]
