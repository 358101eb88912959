"""Arms, interventions and outcomes, read back from the study, its plan and the definitions of its activities."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.arm_links import label_of
from trialconv_mappings.fhir.back.bundles import Resources, exact, first, named, put, texts, value_of, without_none
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.study_facts import OUTCOME_KINDS

_P = "protocolSection."
_M = f"{_P}armsInterventionsModule."
_KINDS: Final = {text: field for field, text, _ in OUTCOME_KINDS}


def read_arms(study: Element, resources: Resources, tree: dict[str, Any]) -> None:
    """Put arms and interventions with the links between them into the tree."""
    activities = resources.all("ActivityDefinition")
    interventions = [_intervention(activity) for activity in activities]
    by_url = {activity.get("url"): made for activity, made in zip(activities, interventions, strict=True)}
    actions = _actions(resources)
    arms = []
    for group in study.get("comparisonGroup", ()):
        name = exact(group, "name")
        made = without_none(
            label=name if name != group.get("linkId") else None,
            type=exact(group.get("type", {}), "text"),
            description=exact(group, "description"),
        )
        action = actions.get(group.get("linkId"), {})
        urls = [one.get("definitionCanonical") for one in action.get("action", ())]
        linked = [by_url[url] for url in urls if url in by_url]
        names = [value_of(found) for found in named(action, "intervention-name")]
        names = names or [label_of(each.get("type"), each.get("name")) for each in linked]
        if names:
            made["interventionNames"] = names
        if "label" in made:
            for each in linked:
                each.setdefault("armGroupLabels", []).append(made["label"])
        arms.append(made)
    for activity, made in zip(activities, interventions, strict=True):
        stated = [value_of(found) for found in named(activity, "arm-group-label")]
        if stated:
            made["armGroupLabels"] = stated
        elif "armGroupLabels" in made:
            made["armGroupLabels"].sort()
    put(tree, _M + "armGroups", arms)
    put(tree, _M + "interventions", interventions)


def _actions(resources: Resources) -> dict[Any, Element]:
    """Return the arms' actions by the ids that link them to the arms."""
    found = {}
    waiting = [action for plan in resources.all("PlanDefinition") for action in plan.get("action", ())]
    for action in waiting:
        waiting.extend(action.get("action", ()))
        link = action.get("linkId") or first(action, "extension-PlanDefinition.action.linkId")
        if link:
            found[link] = action
    return found


def _intervention(activity: Element) -> dict[str, Any]:
    others = [value_of(found) for found in named(activity, "intervention-other-name")]
    return without_none(
        type=next(iter(texts(activity.get("topic", []))), None),
        name=exact(activity, "title"),
        description=exact(activity, "description"),
        otherNames=others,
    )


def read_outcomes(study: Element, tree: dict[str, Any]) -> None:
    """Put the outcomes into the tree."""
    for outcome in study.get("outcomeMeasure", ()):
        kind = next((_KINDS[text] for text in texts(outcome.get("type", [])) if text in _KINDS), "otherOutcomes")
        made = without_none(
            measure=exact(outcome, "name"),
            description=exact(outcome, "description"),
            timeFrame=first(outcome, "outcome-time-frame"),
        )
        put(tree, f"{_P}outcomesModule.{kind}[]", made)
