"""Eligibility criteria text, split into the study's top-level criteria.

The registry asks for one text with a heading for inclusion and one for exclusion and a list below each
(https://clinicaltrials.gov/policy/protocol-definitions#EligibilityCriteria). Sponsors write it in many ways.
This module splits the ways that have one reading; for all others it gives nothing, and the text stays whole.

Targets read the criteria as conditions that hold for every participant. So a sub-list stays inside the text of
the criterion above it, and a text whose items may be alternatives, or belong to one cohort, is not split.
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
# A line that begins like a heading: inside a section it means that the section ends in an unknown way.
_LIKE_A_HEADING = re.compile(r"^[\W_]*(?:\w+ )?(?:in|ex)clusion\s+criteri", re.IGNORECASE | re.MULTILINE)
# Words that make an item one of several alternatives.
_BEGINS_WITH_OR = ("or ", "Or ", "OR ", "or,", "and/or", "And/or", "AND/OR")
_ENDS_WITH_OR = tuple(
    f"{before}{word}{after}" for before in " /\n" for word in ("or", "OR", "Or") for after in ("", ",", ";")
)
# Words that make an item a criterion of some participants only.
_SOME_ONLY = re.compile(
    r"\W*(?:for )?(?:the )?(?:cohorts?|groups?|arms?|parts?|sub-?stud(?:y|ies))\s*[-#]?\(?(?:[A-Z]|\d+|[IVX]+)\b"
    r"|\W*(?:cases|controls|control group|healthy (?:subjects|volunteers|controls|participants))\b[^.\n]{0,20}:",
    re.IGNORECASE,
)
# What such an item can begin with, since most do not: this is cheaper to tell.
_MAY_BE_SOME_ONLY = (
    *("Cohort", "cohort", "COHORT", "Group", "group", "GROUP", "Arm", "arm", "ARM", "Part", "part", "PART"),
    *("Sub", "sub", "SUB", "Case", "case", "CASE", "Control", "control", "CONTROL", "Health", "health", "HEALTH"),
    *("For ", "for ", "FOR ", "The ", "the ", "THE ", "(", "[", '"', "*", "_", "#", "-"),
)
_NOTHING = re.compile(r"\W*(?:none|nil|n/?a|not applicable)\W*", re.IGNORECASE)
_BULLETS = frozenset("*+-•·●▪◦○\u2013\u2014")  # the last two: en dash, em dash
_NUMBER = re.compile(r"\(?(\d{1,3}|[A-Za-z]|[ivxIVX]{2,4})[.)](?=\s|[^\d\s])\s*(?=\S)")
_NEXT_NUMBER = re.compile(r"\n\d{1,3}\. ")


def split_criteria(markup: str) -> list[Criterion]:
    """Split a criteria text (registry markup) into its top-level criteria, in the order of the text.

    Returns an empty list when the text has no reading that is certain: no heading, text before the first one,
    a heading twice (one per cohort), a list whose members may belong to the line above it or be alternatives.
    """
    sections = _sections(plain(markup))
    kinds = [kind for kind, _ in sections]
    if len(set(kinds)) != len(kinds):
        return []
    criteria: list[Criterion] = []
    for kind, section in sections:
        if ("clusion" in section or "CLUSION" in section) and _LIKE_A_HEADING.search(section):
            return []
        items = _items(section)
        if items is None or (len(items) > 1 and not _all_hold(kind, items)):
            return []
        criteria += [Criterion(kind, item) for item in items if len(item) > 20 or not _NOTHING.fullmatch(item)]
    return criteria


def _all_hold(kind: str, items: list[str]) -> bool:
    """Tell whether each item stands for itself and for every participant."""
    for item in items:
        if item.startswith(_MAY_BE_SOME_ONLY) and _SOME_ONLY.match(item):
            return False
        # An exclusion holds for whoever meets any of them, so that "or" changes nothing there.
        if kind == "inclusion" and (item.endswith(_ENDS_WITH_OR) or item.startswith(_BEGINS_WITH_OR)):
            return False
    return True


def _sections(text: str) -> list[tuple[Literal["inclusion", "exclusion"], str]]:
    """Return the text below each heading; nothing when the text does not begin with one."""
    found: list[tuple[Literal["inclusion", "exclusion"], int, int]] = []
    small = text
    position = small.find("clusion")
    if position < 0:
        # Capitals are rare, and making small letters of a whole text is not free.
        small = text.lower()
        position = small.find("clusion") if len(small) == len(text) else -1
    while position >= 0:
        start = text.rfind("\n", 0, position) + 1
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if end - start < _LONGEST_HEADING and (heading := _HEADING.fullmatch(text, start, end)):
            found.append(("inclusion" if heading[1][0] in "iI" else "exclusion", start, end))
        position = small.find("clusion", end)
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
        if lines and f"\n{lines + 1}. " not in section:
            return _nested_items(section.split("\n"))
    else:
        return _nested_items(section.split("\n"))
    if ":\n" in section:
        return None
    return [_without_marker(text) for item in items if (text := item.strip())]


def _without_marker(text: str) -> str:
    """Return an item without the second marker that some sponsors typed into a list item."""
    return text[_marker(text)[0] :]


def _nested_items(lines: list[str]) -> list[str] | None:
    """Return the items of a section whose items have lines or lists of their own."""
    items: list[list[str]] = []
    top, style, number = -1, "", 0
    after_blank = loose = False
    for line in lines:
        text = line.strip()
        if not text:
            after_blank = True
            continue
        length, kind, value = _marker(text)
        depth = len(line) - len(line.lstrip())
        if not length:
            if not items:
                return _unlisted(lines)
            # A line of its own between the items may be the heading of those below it.
            loose |= after_blank and depth <= top
            items[-1].append(text)
        elif top >= 0 and depth > top:
            items[-1].append(text)
        elif items and (
            depth < top or loose or kind != style or 0 < value <= number or items[-1][-1].endswith(":")
        ):
            return None
        else:
            top, style, number = depth, kind, value
            items.append([_without_marker(text[length:])])
        after_blank = False
    return ["\n".join(item) for item in items]


def _marker(text: str) -> tuple[int, str, int]:
    """Return the length of the list marker that a line begins with, its style, and its place in a count.

    The length is 0 when there is none, the place where the style does not count.
    """
    if text[0] in _BULLETS:
        return (len(text) - len(text[1:].lstrip()), "bullet", 0) if len(text) > 1 else (0, "", 0)
    match = _NUMBER.match(text)
    if match is None:
        return 0, "", 0
    mark = match[1]
    if mark.isdecimal():
        return match.end(), "number", int(mark)
    if len(mark) > 1:
        return match.end(), "roman", 0
    return match.end(), "small letter" if mark.islower() else "letter", ord(mark.lower()) - ord("a") + 1


def _unlisted(lines: list[str]) -> list[str] | None:
    """Return the paragraphs of a section without a list: one criterion each.

    None when there is a list after all, or a paragraph that introduces what follows.
    """
    if any(_marker(text)[0] for line in lines if (text := line.strip())):
        return None
    paragraphs = [part.strip() for part in "\n".join(lines).split("\n\n") if part.strip()]
    return None if any(part.endswith(":") for part in paragraphs) else paragraphs
