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
_LONGEST_HEADING = 60
_BULLETS = frozenset("*+-•·●▪◦○\u2013\u2014")  # the last two: en dash, em dash
_NUMBER = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{2,4})[.)](?=\s|[^\d\s])\s*(?=\S)")


def split_criteria(markup: str) -> list[Criterion]:
    """Split a criteria text (registry markup) into its top-level criteria, in the order of the text.

    Returns an empty list when the text has no reading that is certain: no heading, text before the first one,
    a heading twice (one per cohort), or a list whose members may belong to the line above it.
    """
    criteria: list[Criterion] = []
    seen: set[str] = set()
    for kind, lines in _sections(plain(markup)):
        if kind is None or kind in seen:
            return []
        seen.add(kind)
        texts = _items(lines)
        if texts is None:
            return []
        criteria.extend([Criterion(kind, text) for text in texts])
    return criteria


def _sections(text: str) -> list[tuple[Literal["inclusion", "exclusion"] | None, list[str]]]:
    """Return the lines below each heading; the kind is None for text before the first heading."""
    sections: list[tuple[Literal["inclusion", "exclusion"] | None, list[str]]] = []
    for line in text.split("\n"):
        if not line:
            if sections:
                sections[-1][1].append(line)
            continue
        if len(line) < _LONGEST_HEADING and (heading := _HEADING.fullmatch(line)):
            sections.append(("inclusion" if heading[1].lower() == "inclusion" else "exclusion", []))
        elif sections:
            sections[-1][1].append(line)
        elif line.strip():
            sections.append((None, [line]))
    return sections


def _items(lines: list[str]) -> list[str] | None:
    """Return the text of each top-level item of a section, or None when they cannot be told for certain."""
    items: list[list[str]] = []
    top = -1
    for line in lines:
        text = line.strip()
        if not text:
            continue
        start = _marker(text)
        if not start:
            if not items:
                return _unlisted(lines)
            items[-1].append(text)
            continue
        depth = len(line) - len(line.lstrip())
        if top < 0:
            top = depth
        if depth > top:
            items[-1].append(text)
        elif depth < top or (items and items[-1][-1].endswith(":")):
            return None
        else:
            items.append([text[start:]])
    return ["\n".join(item) for item in items]


def _marker(text: str) -> int:
    """Return the length of the list marker that a line begins with, 0 when it has none."""
    if text[0] in _BULLETS:
        return len(text) - len(text[1:].lstrip()) if len(text) > 1 else 0
    match = _NUMBER.match(text)
    return match.end() if match else 0


def _unlisted(lines: list[str]) -> list[str] | None:
    """Return the paragraphs of a section without a list: one criterion each.

    None when there is a list after all, or a paragraph that introduces what follows.
    """
    if any(_marker(text) for line in lines if (text := line.strip())):
        return None
    paragraphs = [part.strip() for part in "\n".join(lines).split("\n\n") if part.strip()]
    return None if any(part.endswith(":") for part in paragraphs) else paragraphs
