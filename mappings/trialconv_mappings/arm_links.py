"""Which interventions an arm has, from the two places where the registry says it."""

from __future__ import annotations

from collections.abc import Iterable

from trialconv.context import Context
from trialconv.lineage import TRACING, at_once, derived, remembered
from trialconv.record.protocol import ArmGroup, Intervention

_MODULE = "protocolSection.armsInterventionsModule"


def arm_links(ctx: Context, target: str) -> tuple[list[list[int]], list[int]]:
    """Return the positions of each arm's interventions, and those of the interventions that no arm has.

    The registry states each link twice: the intervention names its arms by their labels, the arm its
    interventions as "Type: name". Both are followed; a name that nothing bears becomes an Issue with `target`
    as its place.
    """
    module = ctx.record.study.protocol_section.arms_interventions_module
    labels = labels_of(module.interventions)
    by_label = _arms_by_label(ctx, module.arm_groups, target)
    links: list[dict[int, int]] = [{} for _ in module.arm_groups]
    for number, item in enumerate(module.interventions):
        for label in item.arm_group_labels:
            numbers = by_label.get(label, ())
            if not numbers:
                source = f"{_MODULE}.interventions[{number}].armGroupLabels"
                ctx.note("unknown-arm", f"no arm is called {label!r}", source, target)
            elif len(numbers) == 1:
                arm = module.arm_groups[numbers[0]]
                links[numbers[0]][number] = derived(number, label, arm.label) if TRACING.on else number
            # Arms of one label cannot be told apart by it; they name their interventions themselves.
    for number, (arm, found) in enumerate(zip(module.arm_groups, links, strict=True)):
        for name in arm.intervention_names:
            named = [position for position, label in enumerate(labels) if label == name]
            if not named:
                source = f"{_MODULE}.armGroups[{number}].interventionNames"
                ctx.note("unknown-intervention", f"no intervention is called {name!r}", source, target)
                continue
            for position in [each for each in named if each in found] or named:
                linked = found.get(position, position)
                found[position] = derived(linked, name, labels[position]) if TRACING.on else linked
    everywhere = {position for found in links for position in found}
    unlinked = [position for position in range(len(module.interventions)) if position not in everywhere]
    return [sorted(found.values()) for found in links], unlinked


def _arms_by_label(ctx: Context, arms: list[ArmGroup], target: str) -> dict[str | None, list[int]]:
    """Return the positions of the arms by their labels; labels should be unique."""
    by_label: dict[str | None, list[int]] = {}
    for number, arm in enumerate(arms):
        by_label.setdefault(arm.label, []).append(number)
    if len(by_label) < len(arms):
        for label, numbers in by_label.items():
            if len(numbers) > 1:
                source = f"{_MODULE}.armGroups[{numbers[1]}].label"
                ctx.note("repeated-arm-label", f"{len(numbers)} arms are called {label!r}", source, target)
    return by_label


def labels_of(interventions: Iterable[Intervention]) -> list[str]:
    """Return how arms name some interventions: `Dietary Supplement: Made-up oil`."""
    kind = at_once(_kind)
    return [kind(item.type or "") + ": " + str(item.name) for item in interventions]


def label_of(type_: str | None, name: str | None) -> str:
    """Return how arms name an intervention."""
    return _kind(type_ or "") + ": " + str(name)


@remembered(256)
def _kind(type_: str) -> str:
    return type_.replace("_", " ").title()
