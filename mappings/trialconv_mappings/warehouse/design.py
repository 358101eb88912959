"""Rows of what is studied and how: conditions, arms, interventions, outcomes, criteria."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import TRACING, derived, numbered
from trialconv_mappings.arm_links import arm_links
from trialconv_mappings.criteria import Criterion, criteria_tree
from trialconv_mappings.mesh import condition_headings, intervention_headings
from trialconv_mappings.warehouse.values import plain_or_none

Row = dict[str, Any]
Rows = dict[str, list[Row]]

_OUTCOMES: Final = (
    ("PRIMARY", "primary_outcomes"),
    ("SECONDARY", "secondary_outcomes"),
    ("OTHER", "other_outcomes"),
)


def words_rows(ctx: Context) -> Rows:
    """Return the rows of conditions and keywords."""
    nct_id, module = ctx.record.nct_id, ctx.record.study.protocol_section.conditions_module
    headings = condition_headings(ctx.record.study)
    return {
        "conditions": [
            {
                "nct_id": nct_id,
                "position": place,
                "condition": words,
                "mesh_id": _mesh_id(headings, words),
            }
            for place, words in numbered(module.conditions)
        ],
        "keywords": [
            {"nct_id": nct_id, "position": place, "keyword": words} for place, words in numbered(module.keywords)
        ],
    }


def _mesh_id(headings: dict[str, tuple[str, str]], words: str) -> str | None:
    """Return the id of the heading that has the same words."""
    heading = headings.get(words.casefold())
    return derived(heading[0], heading[1], words) if heading else None


def arm_rows(ctx: Context) -> Rows:
    """Return the rows of arms and interventions, and of what belongs to what."""
    nct_id, module = ctx.record.nct_id, ctx.record.study.protocol_section.arms_interventions_module
    headings = intervention_headings(ctx.record.study)
    interventions, names = [], []
    for place, item in numbered(module.interventions):
        interventions.append(
            {
                "nct_id": nct_id,
                "position": place,
                "type": item.type,
                "name": item.name,
                "description": plain_or_none(item.description),
                "mesh_id": _mesh_id(headings, item.name or ""),
            }
        )
        names += [
            {"nct_id": nct_id, "intervention_position": place, "position": number, "name": name}
            for number, name in numbered(item.other_names)
        ]
    links, _ = arm_links(ctx, "arm_interventions") if module.arm_groups or module.interventions else ([], [])
    return {
        "interventions": interventions,
        "intervention_other_names": names,
        "arms": [
            {
                "nct_id": nct_id,
                "position": place,
                "label": arm.label,
                "type": arm.type,
                "description": plain_or_none(arm.description),
            }
            for place, arm in numbered(module.arm_groups)
        ],
        "arm_interventions": [
            {
                "nct_id": nct_id,
                "arm_position": derived(arm, position) if TRACING.on else arm,
                "intervention_position": position + 1,
            }
            for arm, positions in enumerate(links, 1)
            for position in positions
        ],
    }


def outcome_rows(ctx: Context) -> Rows:
    """Return the rows of the outcomes."""
    nct_id, module = ctx.record.nct_id, ctx.record.study.protocol_section.outcomes_module
    return {
        "outcomes": [
            {
                "nct_id": nct_id,
                "type": kind,
                "position": place,
                "measure": outcome.measure,
                "description": plain_or_none(outcome.description),
                "time_frame": outcome.time_frame,
            }
            for kind, name in _OUTCOMES
            for place, outcome in numbered(getattr(module, name))
        ]
    }


def criteria_rows(ctx: Context) -> Rows:
    """Return a row for each node of the tree of criteria, in the order of the text."""
    if not ctx.record.study.protocol_section.eligibility_module.eligibility_criteria:
        return {"criteria": []}
    others = "criteria of a cohort have its words in the column cohort, those of no stated kind none in kind"
    tree = criteria_tree(ctx, "criteria", others, "the criteria are one row")
    nct_id = ctx.record.nct_id
    rows: list[Row] = []
    for node, path, parent in _placed(tree.nodes, "", None, rows):
        place = {
            "position": len(rows) + 1,
            "parent_position": parent,
            "depth": path.count("."),
            "path": path,
        }
        rows.append(
            {
                "nct_id": nct_id,
                **(derived(place, node.text) if TRACING.on else place),
                "kind": node.kind,
                "role": node.role,
                "joiner": node.joiner,
                "cohort": node.cohort,
                "text": node.text,
                "doubt": node.doubt,
            }
        )
    return {"criteria": rows}


def _placed(
    nodes: tuple[Criterion, ...], above: str, parent: int | None, rows: list[Row]
) -> Iterator[tuple[Criterion, str, int | None]]:
    """Yield the nodes with their paths and their parents' positions; `rows` are those that were made so far."""
    for number, node in enumerate(nodes, 1):
        path = f"{above}.{number}" if above else str(number)
        yield node, path, parent
        if node.children:
            yield from _placed(node.children, path, len(rows), rows)
