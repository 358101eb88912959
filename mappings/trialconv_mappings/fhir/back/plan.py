"""Arms, interventions and outcomes, read back from the study, its plan and the definitions of its activities."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.arm_links import label_of
from trialconv_mappings.back import Notes, put, without_none, words
from trialconv_mappings.fhir.back.bundles import Resources
from trialconv_mappings.fhir.back.element import Part
from trialconv_mappings.fhir.study_facts import OUTCOME_KINDS
from trialconv_mappings.fhir.terms import ARM_LABEL, INTERVENTION_NAME, OTHER_NAME, TIME_FRAME

_P = "protocolSection."
_M = f"{_P}armsInterventionsModule."
_KINDS: Final = {text: field for field, text, _ in OUTCOME_KINDS}
_OUTCOME_TYPES: Final = ("fhir_r4_outcome_type", "fhir_r5_outcome_type")


def read_arms(study: Part, resources: Resources, tree: dict[str, Any]) -> None:
    """Put arms and interventions with the links between them into the tree."""
    plans = resources.linked("PlanDefinition", study.parts("protocol"), study, "ResearchStudy.protocol")
    actions, urls = _actions(plans)
    activities = resources.all("ActivityDefinition")
    if len(resources.studies) > 1:
        activities = [activity for activity in activities if activity.raw.get("url") in urls]
    interventions = [_intervention(activity, resources) for activity in activities]
    by_url = {activity.text("url"): made for activity, made in zip(activities, interventions, strict=True)}
    arms = []
    for group in study.parts("comparisonGroup"):
        name, link, kind = group.exact("name"), group.text("linkId"), group.part("type")
        type_ = words("fhir_arm_type").word(
            kind.codes(), kind.exact("text"), resources.notes, "ResearchStudy.comparisonGroup.type"
        )
        made = without_none(
            label=name if name != link else None, type=type_, description=group.exact("description")
        )
        action = actions.get(link or "") or actions.get("") or Part(None, resources.asked)
        linked = [by_url[url] for each in action.parts("action") for url in _canonicals(each) if url in by_url]
        if names := _names(action, linked, interventions):
            made["interventionNames"] = names
        if "label" in made:
            for each in linked:
                each.setdefault("armGroupLabels", []).append(made["label"])
        arms.append(made)
    labels = {made.get("label") for made in arms}
    for activity, made in zip(activities, interventions, strict=True):
        _put_labels(activity, made, labels)
    for goal in (goal for plan in plans for goal in plan.parts("goal")):
        # The outcomes again.
        goal.ask_all()
    if actions or urls.intersection(url for url in by_url if url):
        # All that the plan says of arms and interventions, the study and the definitions say, too.
        for action in (action for plan in plans for action in plan.parts("action")):
            action.ask_all()
    put(tree, _M + "armGroups", [made for made in arms if made])
    put(tree, _M + "interventions", [made for made in interventions if made])


def _names(action: Part, linked: list[dict[str, Any]], interventions: list[dict[str, Any]]) -> list[str]:
    """Return the names of an arm's interventions: in the words that stand beside the links, if these agree."""
    links = [label_of(each.get("type"), each.get("name")) for each in linked]
    stated = [text for found in action.extensions(INTERVENTION_NAME) if (text := found.said()) is not None]
    known = {label_of(each.get("type"), each.get("name")) for each in interventions}
    agree = known.intersection(stated) <= set(links) and (stated or not links)
    return stated if stated and agree else links


def _put_labels(activity: Part, made: dict[str, Any], labels: set[str | None]) -> None:
    """Give an intervention the labels of its arms: in the words that stand beside the links, if these agree."""
    stated = [text for found in activity.extensions(ARM_LABEL) if (text := found.said()) is not None]
    links = made.get("armGroupLabels", [])
    if stated and labels.intersection(stated) >= set(links):
        made["armGroupLabels"] = stated
    elif links:
        made["armGroupLabels"] = sorted(links)


def _canonicals(action: Part) -> list[str]:
    found = [action.text(key) for key in ("definitionCanonical", "definitionUri")]
    return [url for url in found if url is not None]


def _actions(plans: list[Part]) -> tuple[dict[str, Part], set[str]]:
    """Return the arms' actions by the ids that link them to the arms, and the urls of all that is to be done."""
    found: dict[str, Part] = {}
    urls: set[str] = set()
    waiting = [action for plan in plans for action in plan.parts("action")]
    for action in waiting:
        waiting.extend(action.parts("action"))
        urls.update(_canonicals(action))
        link = action.text("linkId") or action.extension("extension-PlanDefinition.action.linkId").said()
        if link:
            found[link] = action
    return found, urls


def _intervention(activity: Part, resources: Resources) -> dict[str, Any]:
    others = [text for found in activity.extensions(OTHER_NAME) if (text := found.said()) is not None]
    topic = activity.part("topic")
    place = "ActivityDefinition.topic"
    type_ = words("fhir_intervention_type").word(topic.codes(), topic.exact("text"), resources.notes, place)
    name = activity.exact("title")
    for key in ("productCodeableConcept", "code"):
        concept = activity.part(key)
        name = name if name is not None else concept.words()
        concept.ask_all()
    return without_none(type=type_, name=name, description=activity.exact("description"), otherNames=others)


def read_outcomes(study: Part, tree: dict[str, Any], notes: Notes) -> None:
    """Put the outcomes into the tree; R6 has them below the objectives."""
    measures = [*study.parts("outcomeMeasure")]
    for objective in study.parts("objective"):
        measures += objective.parts("outcomeMeasure")
    for outcome in measures:
        place = "ResearchStudy.outcomeMeasure.type"
        kinds = [kind for each in outcome.parts("type") if (kind := _kind(each, notes, place))]
        made = without_none(
            measure=outcome.exact("name"),
            description=outcome.exact("description"),
            timeFrame=outcome.extension(TIME_FRAME).said(),
        )
        if kinds:
            put(tree, f"{_P}outcomesModule.{kinds[0]}[]", made)
        elif made:
            shown = f"an outcome of no kind that the registry has: {outcome.exact('name') or ''}"
            notes.note("not-understood", shown[:200], "ResearchStudy.outcomeMeasure")


def _kind(concept: Part, notes: Notes, place: str) -> str | None:
    """Return the list of outcomes that a kind stands for; the text of ours is the name of the list in words."""
    text = concept.exact("text")
    field = _KINDS.get(text or "")
    codes = concept.codes()
    known = words(*_OUTCOME_TYPES)
    if not any(code in known for code in codes):
        return field
    return known.word(codes, field, notes, place)
