"""Criteria that were read one by one as a text again, in the form that the registry asks for."""

from __future__ import annotations

from collections.abc import Iterable

from trialconv_mappings.criteria.model import Block, cohort_blocks, study_wide, whole_text
from trialconv_mappings.criteria.reading import read_criteria


def composed_text(criteria: Iterable[tuple[str, str]]) -> str:
    """Return criteria, each with its kind (`inclusion` or `exclusion`), as one text with a list of each kind.

    https://clinicaltrials.gov/policy/protocol-definitions#EligibilityCriteria
    """
    listed = list(criteria)
    sections = []
    for kind in ("inclusion", "exclusion"):
        lines = ["* " + text.replace("\n", "\n  ") for each, text in listed if each == kind]
        if lines:
            sections.append(f"{kind.capitalize()} Criteria:\n\n" + "\n".join(lines))
    return "\n\n".join(sections)


def says_criteria(markup: str, criteria: Iterable[tuple[str, str]], *, with_cohorts: bool) -> bool:
    """Tell whether criteria are those which the targets list of a text of the registry.

    `with_cohorts` says that the list has those of cohorts behind those that hold for everybody.
    """
    tree = read_criteria(markup)
    blocks = [Block(node.kind, whole_text(node)) for node in study_wide(tree) if node.kind]
    if with_cohorts:
        blocks += cohort_blocks(tree)
    stated = [(each.kind, each.text) for each in blocks if each.text]
    return composed_text(stated) == composed_text(criteria)
