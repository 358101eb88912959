"""Eligibility criteria text, split into the study's top-level criteria.

The registry asks for one text with a heading for inclusion and one for exclusion and a list below each
(https://clinicaltrials.gov/policy/protocol-definitions#EligibilityCriteria). Sponsors write it in many ways.
This module splits the ways that have one reading; for all others it gives nothing, and the text stays whole.

A sub-list stays inside the text of the criterion above it: its members may be alternatives or belong to one
cohort, so that they must not stand beside the others as if all of them held.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from trialconv.lineage import plain


class Criterion(NamedTuple):
    """One top-level criterion: its kind, and its text with the markdown escapes undone."""

    kind: Literal["inclusion", "exclusion"]
    text: str


_HEADING = re.compile(
    r"[\s#*_]*(?:(?:key|main|major|general)\s+)?(inclusion|exclusion)(?:\s+criteria|\s+criterion)?\s*[\s:.*_]*",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(\s*)(?:[*+\-•·●▪◦○–—]|\(?\d{1,3}[.)](?!\d)|\(?[A-Za-z][.)](?=\s)|\(?[ivxIVX]{1,4}[.)](?=\s))\s*(?=\S)")


def split_criteria(markup: str) -> list[Criterion]:
    """Split a criteria text (registry markup) into its top-level criteria, in the order of the text.

    Returns an empty list when the text has no reading that is certain: no heading, text before the first one,
    a heading twice (one per cohort), or a list whose members may belong to the line above it.
    """
    criteria: list[Criterion] = []
    seen: set[str] = set()
    for kind, lines in _sections(markup):
        if kind is None or kind in seen:
            return []
        seen.add(kind)
        texts = _items(lines)
        if texts is None:
            return []
        criteria.extend(Criterion(kind, plain(text)) for text in texts)
    return criteria


def _sections(markup: str) -> list[tuple[Literal["inclusion", "exclusion"] | None, list[str]]]:
    """Return the lines below each heading; the kind is None for text before the first heading."""
    sections: list[tuple[Literal["inclusion", "exclusion"] | None, list[str]]] = []
    for line in markup.split("\n"):
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            sections.append(("inclusion" if heading[1].lower() == "inclusion" else "exclusion", []))
        elif sections:
            sections[-1][1].append(line)
        elif line.strip():
            sections.append((None, [line]))
    return sections


def _items(lines: list[str]) -> list[str] | None:
    """Return the text of each top-level item of a section, or None when they cannot be told for certain."""
    paragraphs = [line for line in lines if line.strip()]
    if not any(_ITEM.match(line) for line in paragraphs):
        return _unlisted(lines)
    items: list[list[str]] = []
    top = None
    for line in paragraphs:
        marker = _ITEM.match(line)
        if marker is None:
            if not items:
                return None
            items[-1].append(line.strip())
            continue
        depth = len(marker[1])
        if top is None:
            top = depth
        if depth < top:
            return None
        if depth == top:
            if items and items[-1][-1].rstrip().endswith(":"):
                return None
            items.append([line[marker.end() :].strip()])
        else:
            items[-1].append(line.strip())
    return ["\n".join(item) for item in items]


def _unlisted(lines: list[str]) -> list[str] | None:
    """Return the paragraphs of a section without a list: one criterion each, if each is a single line."""
    paragraphs = [part.strip() for part in "\n".join(lines).split("\n\n") if part.strip()]
    if any(part.endswith(":") for part in paragraphs):
        return None
    return paragraphs
