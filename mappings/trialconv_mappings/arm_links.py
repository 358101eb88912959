"""Which interventions an arm has, from the two places where the registry says it."""

from __future__ import annotations

from trialconv.context import Context

_MODULE = "protocolSection.armsInterventionsModule"


def arm_links(ctx: Context, target: str) -> tuple[list[list[int]], list[int]]:
    """Return the positions of each arm's interventions, and those of the interventions that no arm has.

    The registry states each link twice: the intervention names its arms by their labels, the arm its
    interventions as "Type: name". Both are followed; a name that nothing bears becomes an Issue with `target`
    as its place.
    """
    module = ctx.record.study.protocol_section.arms_interventions_module
    labels = [f"{(item.type or '').replace('_', ' ').title()}: {item.name}" for item in module.interventions]
    by_label: dict[str | None, list[int]] = {}
    for number, arm in enumerate(module.arm_groups):
        by_label.setdefault(arm.label, []).append(number)
    links: list[set[int]] = [set() for _ in module.arm_groups]
    for number, item in enumerate(module.interventions):
        for label in item.arm_group_labels:
            numbers = by_label.get(label, ())
            if not numbers:
                source = f"{_MODULE}.interventions[{number}].armGroupLabels"
                ctx.note("unknown-arm", f"no arm is called {label!r}", source, target)
            elif len(numbers) == 1:
                links[numbers[0]].add(number)
            # Arms of one label cannot be told apart by it; they name their interventions themselves.
    for number, (arm, found) in enumerate(zip(module.arm_groups, links, strict=True)):
        for name in arm.intervention_names:
            named = [position for position, label in enumerate(labels) if label == name]
            if not named:
                source = f"{_MODULE}.armGroups[{number}].interventionNames"
                ctx.note("unknown-intervention", f"no intervention is called {name!r}", source, target)
            elif found.isdisjoint(named):
                found.update(named)
    everywhere = set().union(*links)
    unlinked = [position for position in range(len(module.interventions)) if position not in everywhere]
    return [sorted(found) for found in links], unlinked
