"""Interventions: one ActivityDefinition each, which the plan's actions refer to."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import TRACING, code, derived
from trialconv.record.protocol import Intervention
from trialconv_mappings.fhir.parts import Element, Ids, concept, extension, put_markdown
from trialconv_mappings.fhir.terms import ARM_LABEL, OTHER_NAME
from trialconv_mappings.mesh import MESH, intervention_headings
from trialconv_mappings.tables import table

_INTERVENTIONS = "protocolSection.armsInterventionsModule.interventions"
_DESCRIPTION = f"{_INTERVENTIONS}[].description"
_TYPES: Final = table("fhir_intervention_type")
_KINDS: Final = table("fhir_activity_kind")
# Types whose name is the name of a product; the name of every other type is the name of an activity.
_PRODUCTS: Final = frozenset({"DRUG", "BIOLOGICAL", "DIETARY_SUPPLEMENT", "COMBINATION_PRODUCT", "DEVICE"})


class Activity(NamedTuple):
    """An intervention of the record and the ActivityDefinition that stands for it."""

    intervention: Intervention
    resource: Element


def activities(ctx: Context, ids: Ids) -> list[Activity]:
    """Return an ActivityDefinition for each intervention, in the registry's order."""
    study = ctx.record.study
    interventions = study.protocol_section.arms_interventions_module.interventions
    headings = intervention_headings(study) if interventions else {}
    arms = {group.label for group in study.protocol_section.arms_interventions_module.arm_groups}
    found = []
    for number, item in enumerate(interventions):
        made = _activity(ctx, ids, number, item, headings)
        labels = item.arm_group_labels
        if labels and (labels != sorted(set(labels)) or not arms.issuperset(labels)):
            # The plan has the links, but neither another order than that of the words nor arms that are not there.
            url = ctx.options.base + ARM_LABEL
            if exact := [extension(url, valueString=derived(label, labels, arms)) for label in labels if label]:
                made["extension"] = made.get("extension", []) + exact
        found.append(Activity(item, made))
    return found


def _activity(
    ctx: Context, ids: Ids, number: int, intervention: Intervention, headings: dict[str, tuple[str, str]]
) -> Element:
    kind, name = intervention.type, intervention.name
    content = f"{kind}|{name}|{intervention.description}"
    id_ = ids.derive("activity", content, kind, name, intervention.description)
    made: Element = {"resourceType": "ActivityDefinition", "id": id_}
    url = ctx.options.base + OTHER_NAME
    if others := [extension(url, valueString=other) for other in intervention.other_names if other]:
        made["extension"] = others
    made["url"] = ctx.options.base + "/ActivityDefinition/" + id_
    if name:
        made["title"] = name
    made["status"] = "active"
    if intervention.description:
        put_markdown(
            ctx, made, "description", intervention.description, _DESCRIPTION, "ActivityDefinition.description"
        )
    if kind:
        source = f"{_INTERVENTIONS}[{number}].type"
        made["topic"] = [concept(ctx, _TYPES, kind, source, "ActivityDefinition.topic")]
        if rows := code(ctx, _KINDS, kind, source, "ActivityDefinition.kind"):
            made["kind"] = rows[0].code
    if name:
        named: Element = {"text": derived(name, kind) if TRACING.on else name}
        heading = headings.get(name.casefold()) if headings else None
        if heading is not None:
            heading = derived(heading, name)
            named["coding"] = [{"system": MESH, "code": heading[0], "display": heading[1]}]
        made["productCodeableConcept" if kind in _PRODUCTS else "code"] = named
    return made
