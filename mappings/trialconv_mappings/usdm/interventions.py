"""Interventions, and the arms with the interventions that each has.

USDM links an arm to interventions through cells: what an arm gets in an epoch. A registry states no epochs, so
there is one placeholder epoch, and an element for each arm.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.lineage import derived, looked_up, plain
from trialconv.record.protocol import ArmGroup, Intervention
from trialconv_mappings.arm_links import arm_links
from trialconv_mappings.mesh import MESH, intervention_headings
from trialconv_mappings.tables import table
from trialconv_mappings.usdm import placeholders
from trialconv_mappings.usdm.draft import Draft, Element
from trialconv_mappings.usdm.terms import Term, terms

_MODULE: Final = "protocolSection.armsInterventionsModule."
_ROLE: Final = "StudyIntervention.role"
_ROLES: Final = "usdm_intervention_role"


class Interventions(NamedTuple):
    """The interventions of a study, and their positions in each of its arms."""

    elements: list[Element]
    by_arm: list[list[int]]

    def ids(self, positions: list[int]) -> list[str]:
        """Return the ids of the interventions at some positions."""
        return [derived(self.elements[position]["id"], position) for position in positions]


def mesh_code(draft: Draft, heading: tuple[str, str], target: str) -> Element:
    """Return the Code of a MeSH heading. The registry does not say which year's MeSH it is."""
    return draft.code(Term(heading[0], MESH, draft.fill.text(f"{target}.codeSystemVersion"), heading[1]))


def interventions(draft: Draft, *, has_design: bool) -> Interventions:
    """Return the interventions of a record, in its order."""
    module = draft.ctx.record.study.protocol_section.arms_interventions_module
    by_arm, _ = arm_links(draft.ctx, "StudyElement.studyInterventionIds")
    headings = intervention_headings(draft.ctx.record.study)
    made = [
        _intervention(
            draft, item, _role(draft, module.arm_groups, by_arm, position), headings, has_design=has_design
        )
        for position, item in enumerate(module.interventions)
    ]
    return Interventions(made, by_arm)


def _intervention(
    draft: Draft, item: Intervention, role: Element, headings: dict[str, tuple[str, str]], *, has_design: bool
) -> Element:
    path = _MODULE + "interventions[]."
    words = draft.carried(path + "type", item.type) + draft.carried(path + "otherNames", item.other_names)
    if not has_design:
        # Without a design there are no arms that could have the intervention.
        labels = draft.carried(path + "armGroupLabels", item.arm_group_labels)
        words += derived(labels, draft.ctx.record.study.protocol_section.design_module.study_type)
    heading = headings.get(item.name.casefold()) if item.name else None
    return draft.make(
        "StudyIntervention",
        extensionAttributes=words,
        name=draft.name("INT"),
        label=item.name,
        description=plain(item.description) if item.description else None,
        role=role,
        type=draft.required("cdisc_intervention_type", item.type, path + "type", "StudyIntervention.type"),
        codes=[mesh_code(draft, heading, "StudyIntervention.codes")] if heading else None,
    )


def _role(draft: Draft, arms: list[ArmGroup], by_arm: list[list[int]], position: int) -> Element:
    """Return the role of an intervention.

    The type of an arm is that of an intervention only where the arm has no other: there it is what the
    registry's definition of the type speaks of. Everything else would be a guess.
    """
    alone = {arm.type for arm, linked in zip(arms, by_arm, strict=True) if linked == [position]}
    together = any(position in linked and len(linked) > 1 for linked in by_arm)
    (word,) = alone if len(alone) == 1 else (None,)
    rows = looked_up(table(_ROLES), word) if word and not together else None
    return draft.code(terms(_ROLES, rows)[0]) if rows else draft.unknown(_ROLE)


def epoch(draft: Draft) -> Element:
    """Return the placeholder epoch."""
    target = "StudyEpoch"
    draft.fill.note(target, "one epoch for all of the study")
    return draft.make(
        "StudyEpoch", name=draft.name("EPOCH"), label=placeholders.NOT_STATED, type=draft.unknown(target + ".type")
    )


class Structure(NamedTuple):
    """The arms of a design, their elements, and the cells that join these with an epoch."""

    arms: list[Element]
    elements: list[Element]
    cells: list[Element]


def structure(draft: Draft, given: Interventions, epoch_id: str, population_id: str) -> Structure:
    """Return the arms of a record; one placeholder where it has none, since USDM demands one."""
    groups = draft.ctx.record.study.protocol_section.arms_interventions_module.arm_groups
    made = Structure([], [], [])
    linked = given.by_arm
    if not groups:
        draft.fill.note("StudyArm", "one arm")
        groups, linked = [ArmGroup(label=placeholders.NOT_STATED)], [[]]
    for group, positions in zip(groups, linked, strict=True):
        arm = _arm(draft, group, population_id)
        element = draft.make(
            "StudyElement",
            name=draft.name("ELEMENT"),
            label=group.label,
            studyInterventionIds=given.ids(positions),
        )
        cell = draft.make("StudyCell", armId=arm["id"], epochId=epoch_id, elementIds=[element["id"]])
        made.arms.append(arm)
        made.elements.append(element)
        made.cells.append(cell)
    return made


def _arm(draft: Draft, group: ArmGroup, population_id: str) -> Element:
    path = _MODULE + "armGroups[]."
    return draft.make(
        "StudyArm",
        extensionAttributes=draft.carried(path + "type", group.type),
        name=draft.name("ARM"),
        label=group.label,
        description=plain(group.description) if group.description else None,
        type=draft.required("cdisc_arm_type", group.type, path + "type", "StudyArm.type"),
        dataOriginDescription=draft.fill.text("StudyArm.dataOriginDescription"),
        dataOriginType=draft.unknown("StudyArm.dataOriginType"),
        populationIds=[population_id],
    )
