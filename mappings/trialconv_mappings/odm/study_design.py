"""The children of Protocol beside its summary and arms: indications, interventions, end points, criteria.

A registry states no epochs, visits, timings or objectives, and none are made up.
"""

from __future__ import annotations

from typing import Final, Literal

from trialconv.context import Context
from trialconv.lineage import code, derived, join, joined, looked_up, plain
from trialconv.odm_tree import Node
from trialconv.record.protocol import Intervention, Outcome
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.criteria import Block, listed_criteria
from trialconv_mappings.mesh import MESH, condition_headings
from trialconv_mappings.odm.codelists import coding
from trialconv_mappings.odm.parameters import Parameters
from trialconv_mappings.odm.text import description
from trialconv_mappings.tables import table

_ARMS: Final = "protocolSection.armsInterventionsModule."
_OUTCOMES: Final = "protocolSection.outcomesModule."
_ELIGIBILITY: Final = "protocolSection.eligibilityModule."


def trial_phase(ctx: Context) -> list[Node]:
    """Return the `TrialPhase`, where the study's phase has a CDISC term."""
    phases = ctx.record.study.protocol_section.design_module.phases
    rows = looked_up(table("cdisc_trial_phase"), joined(phases)) or ()
    return [Node("TrialPhase", {"Value": row.display}) for row in rows]


def indications(ctx: Context) -> list[Node]:
    """Return the `StudyIndications`, with a MeSH code where the registry's MeSH term is the condition."""
    study = ctx.record.study
    headings = condition_headings(study)
    made = []
    for position, condition in enumerate(study.protocol_section.conditions_module.conditions, 1):
        oid = f"IND.{position}"
        target = f"StudyIndication[@OID='{oid}']/Description"
        children = [description(ctx, condition, "protocolSection.conditionsModule.conditions[]", target)]
        heading = headings.get(condition.casefold())
        if heading is not None:
            children.append(_mesh_coding(ctx, *heading))
        made.append(Node("StudyIndication", {"OID": oid}, children))
    return [Node("StudyIndications", {}, made)] if made else []


def _mesh_coding(ctx: Context, mesh_id: str, term: str) -> Node:
    source = "derivedSection.conditionBrowseModule.meshes[]"
    attributes = {
        "Code": clean(ctx, mesh_id, source + ".id", "StudyIndication/Coding/@Code"),
        "System": MESH,
        "SystemName": "MeSH",
        "Label": clean(ctx, term, source + ".term", "StudyIndication/Coding/@Label"),
    }
    return Node("Coding", attributes)


def interventions(ctx: Context) -> list[Node]:
    """Return the `StudyInterventions`, coded by their type."""
    listed = ctx.record.study.protocol_section.arms_interventions_module.interventions
    made = [_intervention(ctx, item, f"INT.{position}") for position, item in enumerate(listed, 1)]
    return [Node("StudyInterventions", {}, made)] if made else []


def _intervention(ctx: Context, intervention: Intervention, oid: str) -> Node:
    """Return one intervention. It has no name in ODM: the text is the name, then what describes it."""
    texts = [intervention.name or "", plain(intervention.description or "")]
    target = f"StudyIntervention[@OID='{oid}']/Description"
    text = join("\n\n", [text for text in texts if text])
    children = [description(ctx, text, _ARMS + "interventions[]", target)]
    if intervention.type:
        name = "cdisc_intervention_type"
        rows = looked_up(table(name), intervention.type) or ()
        children.extend(coding(name, row) for row in rows)
    return Node("StudyIntervention", {"OID": oid}, children)


def end_points(ctx: Context, parameters: Parameters) -> list[Node]:
    """Return the `StudyEndPoints`.

    Other pre-specified outcomes have no level: ODM knows Exploratory, which the registry does not say.
    """
    module = ctx.record.study.protocol_section.outcomes_module
    made = _end_points(parameters, module.primary_outcomes, "primaryOutcomes", "EP.PRI", "Primary")
    made += _end_points(parameters, module.secondary_outcomes, "secondaryOutcomes", "EP.SEC", "Secondary")
    made += _end_points(parameters, module.other_outcomes, "otherOutcomes", "EP.OTH", None)
    return [Node("StudyEndPoints", {}, made)] if made else []


def _end_points(
    parameters: Parameters,
    outcomes: list[Outcome],
    field: str,
    prefix: str,
    level: Literal["Primary", "Secondary"] | None,
) -> list[Node]:
    made = []
    path = f"{_OUTCOMES}{field}[]."
    for position, outcome in enumerate(outcomes, 1):
        oid = f"{prefix}.{position}"
        target = f"StudyEndPoint[@OID='{oid}']"
        short_name = f"CTG.{field}.{position}."
        otherwise = f"Outcome {position}"
        name = parameters.name(
            outcome.measure, otherwise, path + "measure", short_name + "measure", target + "/@Name"
        )
        attributes = {"OID": oid, "Name": name}
        if level:
            attributes["Level"] = level
        # The description is required: where the registry has none, the measure describes itself.
        measure = outcome.measure or otherwise
        text = plain(outcome.description) if outcome.description else measure
        if outcome.description and text == measure:
            parameters.carry(short_name + "description", path + "description", outcome.description)
        children = [description(parameters.ctx, text, path + "description", target + "/Description")]
        made.append(Node("StudyEndPoint", attributes, children))
    return made


def target_population(ctx: Context) -> list[Node]:
    """Return the `StudyTargetPopulation`, where the registry describes one (observational studies)."""
    text = ctx.record.study.protocol_section.eligibility_module.study_population
    if not text:
        return []
    made = description(ctx, plain(text), _ELIGIBILITY + "studyPopulation", "StudyTargetPopulation/Description")
    return [Node("StudyTargetPopulation", {"OID": "POP.1", "Name": "Study population"}, [made])]


def listed(ctx: Context) -> list[Block]:
    """Return the study's criteria one by one."""
    return listed_criteria(ctx, "Protocol/InclusionExclusionCriteria")


def criteria_and_conditions(ctx: Context, criteria: list[Block]) -> tuple[list[Node], list[Node]]:
    """Return the `InclusionExclusionCriteria` (ODM 2.0) and the `ConditionDef` that each criterion refers to.

    The condition is the criterion's text. It has no formal expression, since a registry has none.
    """
    made: dict[str, list[Node]] = {"inclusion": [], "exclusion": []}
    conditions = []
    is_v2 = ctx.options.odm_version == "2.0"
    source = _ELIGIBILITY + "eligibilityCriteria"
    codings = {kind: _kind_codings(ctx, kind, source) for kind in dict.fromkeys(each.kind for each in criteria)}
    for criterion in criteria:
        siblings = made[criterion.kind]
        number = f"{criterion.kind[:4].upper()}.{len(siblings) + 1}"
        name = f"{criterion.kind.capitalize()} {len(siblings) + 1}"
        text = description(ctx, criterion.text, source, f"ConditionDef[@OID='COND.{number}']/Description")
        attributes = {"OID": f"CRIT.{number}", "Name": name, "ConditionOID": f"COND.{number}"}
        siblings.append(Node("Criterion", attributes, [text, *codings[criterion.kind]]))
        # ODM 2.0 demands a signature; an empty one says that the condition takes no parameters.
        children = [text, Node("MethodSignature")] if is_v2 else [text]
        conditions.append(Node("ConditionDef", {"OID": f"COND.{number}", "Name": name}, children))
    if ctx.options.odm_plain:
        conditions += _whole_criteria(ctx, source)
    lists = (("InclusionCriteria", made["inclusion"]), ("ExclusionCriteria", made["exclusion"]))
    below = [Node(name, {}, nodes) for name, nodes in lists if nodes]
    return ([Node("InclusionExclusionCriteria", {}, below)] if below else []), conditions


def _whole_criteria(ctx: Context, source: str) -> list[Node]:
    """Return one condition with the whole text of the criteria: plain ODM 1.3.2 has no other place for it."""
    markup = ctx.record.study.protocol_section.eligibility_module.eligibility_criteria
    if not markup:
        return []
    text = description(ctx, plain(markup), source, "ConditionDef[@OID='COND.ELIG']/Description")
    return [Node("ConditionDef", {"OID": "COND.ELIG", "Name": "Eligibility criteria"}, [text])]


def _kind_codings(ctx: Context, kind: str, source: str) -> list[Node]:
    rows = code(ctx, table("cdisc_criterion_kind"), kind, source, "Criterion/Coding")
    return [coding("cdisc_criterion_kind", row) for row in rows]
