"""The criteria of a record as the targets take them: the tree with its Issues, or a flat list."""

from __future__ import annotations

from typing import Final

from trialconv.context import Context
from trialconv.lineage import taken_apart
from trialconv_mappings.criteria.model import (
    Block,
    CriteriaTree,
    cohort_blocks,
    has_others,
    study_wide,
    whole_text,
)
from trialconv_mappings.criteria.reading import read_criteria

_SOURCE: Final = "protocolSection.eligibilityModule.eligibilityCriteria"


def criteria_tree(
    ctx: Context, target: str, others: str, whole: str = "the criteria are carried as one text"
) -> CriteriaTree:
    """Return the tree of the record's criteria, and raise the Issues of what is not certain in it.

    `target` is the element that the Issues name, `others` what becomes of criteria that do not hold for everybody,
    `whole` what becomes of a text that cannot be taken apart.
    """
    tree = taken_apart(
        read_criteria, ctx.record.study.protocol_section.eligibility_module.eligibility_criteria or ""
    )
    doubts = tree.doubts
    if tree.is_whole:
        ctx.note("criteria-not-split", f"{whole}: {doubts[0]}", _SOURCE, target)
        return tree
    if doubts:
        why = "; ".join(dict.fromkeys(doubts))
        ctx.note("criteria-partly-split", f"{len(doubts)} parts are carried whole: {why}", _SOURCE, target)
    if has_others(tree):
        ctx.note("criteria-not-study-wide", others, _SOURCE, target)
    return tree


def listed_criteria(ctx: Context, target: str, *, only_place: bool = False) -> list[Block]:
    """Return the study's criteria one by one, and those of each cohort as one that begins with the cohort's words.

    What is not said to include or exclude is left to the whole text. `only_place` says that the target has no
    whole text beside the list.
    """
    others = "criteria of a cohort are one with its words in front, those of no stated kind "
    if only_place:
        tree = criteria_tree(ctx, target, others + "are left out", "the criteria are not told apart")
    else:
        tree = criteria_tree(ctx, target, others + "in the whole text only")
    listed = [Block(node.kind, whole_text(node)) for node in study_wide(tree) if node.kind] + cohort_blocks(tree)
    return [each for each in listed if each.text]
