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


# A line that is a heading and nothing else.
_HEADING = re.compile(
    r"[ \t#*_]*(?:(?:key|main|major|general)[ \t]+)?(inclusion|exclusion)(?:[ \t]+criteri(?:a|on))?[ \t:.*_]*",
    re.IGNORECASE,
)
_LONGEST_HEADING = 60
_BULLETS = frozenset("*+-•·●▪◦○\u2013\u2014")  # the last two: en dash, em dash
_NUMBER = re.compile(r"\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{2,4})[.)](?=\s|[^\d\s])\s*(?=\S)")
_NEXT_NUMBER = re.compile(r"\n\d{1,3}\. ")


def split_criteria(markup: str) -> list[Criterion]:
    """Split a criteria text (registry markup) into its top-level criteria, in the order of the text.

    Returns an empty list when the text has no reading that is certain: no heading, text before the first one,
    a heading twice (one per cohort), or a list whose members may belong to the line above it.
    """
    text = plain(markup)
    sections = _sections(text)
    kinds = [kind for kind, _ in sections]
    if len(set(kinds)) != len(kinds):
        return []
    criteria: list[Criterion] = []
    for kind, section in sections:
        items = _items(section)
        if items is None:
            return []
        criteria += [Criterion(kind, item) for item in items]
    return criteria


def _sections(text: str) -> list[tuple[Literal["inclusion", "exclusion"], str]]:
    """Return the text below each heading; nothing when the text does not begin with one."""
    found: list[tuple[Literal["inclusion", "exclusion"], int, int]] = []
    position = text.find("clusion")
    if position < 0:
        # Capitals are rare, and making small letters of a whole text is not free.
        text_in_small = text.lower()
        position = text_in_small.find("clusion") if len(text_in_small) == len(text) else -1
    else:
        text_in_small = text
    while position >= 0:
        start = text.rfind("\n", 0, position) + 1
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if end - start < _LONGEST_HEADING and (heading := _HEADING.fullmatch(text, start, end)):
            found.append(("inclusion" if heading[1][0] in "iI" else "exclusion", start, end))
        position = text_in_small.find("clusion", end)
    if not found or text[: found[0][1]].strip():
        return []
    ends = [*(start for _, start, _ in found[1:]), len(text)]
    return [(kind, text[below:end].strip("\n")) for (kind, _, below), end in zip(found, ends, strict=True)]


def _items(section: str) -> list[str] | None:
    """Return the text of each top-level item of a section, or None when they cannot be told for certain."""
    lines = section.count("\n")
    # Most sections are one plain list: every line an item. They are cut at once.
    if section.startswith("* ") and section.count("\n* ") == lines:
        items = section[2:].split("\n* ")
    elif section.startswith("1. ") and len(items := _NEXT_NUMBER.split(section[3:])) == lines + 1:
        pass
    else:
        return _nested_items(section.split("\n"))
    if ":\n" in section:
        return None
    return [text for item in items if (text := item.strip())]


def _nested_items(lines: list[str]) -> list[str] | None:
    """Do the same for a section whose items have lines or lists of their own."""
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
