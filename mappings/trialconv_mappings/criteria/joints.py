"""The words between the members of a list, by which they hold together."""

from __future__ import annotations

import re
from typing import Final, Literal

from trialconv_mappings.criteria.model import Joiner

_JOINT: Final = re.compile(r"(?:\W|^)((?:and\s?/\s?)?or|and)[ ,;:/*_]*$", re.IGNORECASE)
_LONGEST_JOINT: Final = 12
_OR_BEGINS: Final = ("or ", "Or ", "OR ", "or,", "and/or", "And/or", "AND/OR", "OR:")
_AND_BEGINS: Final = ("and ", "And ", "AND ")


def _ends(source: str) -> str:
    """Return the word that joins a line to the next: `or`, `and` or none."""
    found = _JOINT.search(source[-_LONGEST_JOINT:])
    if found is None:
        return ""
    return "and" if found[1][0] in "aA" and "/" not in found[1] else "or"


def _begins(source: str) -> str:
    """Return the word that joins a line to the one before it: `or`, `and` or none."""
    if source.startswith(_OR_BEGINS):
        return "or"
    return "and" if source.startswith(_AND_BEGINS) else ""


def joints(lasts: list[str], firsts: list[str]) -> list[str]:
    """Return the word between each member and the next, by the last words of one and the first of the other."""
    ends = [_ends(source) if source[-1] in _JOINT_LAST else "" for source in lasts[:-1]]
    begins = [_begins(source) if source[:2] in _JOINT_FIRST else "" for source in firsts[1:]]
    return [end or begin for end, begin in zip(ends, begins, strict=True)]


_JOINT_LAST: Final = frozenset("rRdD,;:/*_")
_JOINT_FIRST: Final = frozenset(("or", "Or", "OR", "an", "An", "AN"))


def linked(sources: list[str], between: list[str]) -> Joiner | Literal["mixed"] | None:
    """Return how the words between the members of a list join them; "mixed" when not all are joined alike."""
    if not any(between):
        return None
    used = set(between)
    if len(used) == 1:
        return "any-of" if "or" in used else "all-of"
    if (
        len(used) == 2
        and between[-1]
        and not any(between[:-1])
        and all(each[-1:] in ",;" for each in sources[:-2])
    ):
        return "any-of" if between[-1] == "or" else "all-of"
    return "mixed"


def is_enumeration(sources: list[str], between: list[str]) -> bool:
    """Tell whether "and" only ends an enumeration: `a;` then `b; and` then `c`."""
    if between[-1] != "and" or any(between[:-1]):
        return False
    if re.search(r"[;,]\s*and\W*$", sources[-2], re.I) is None:
        return len(sources) > 3 and all(each[-1:] in ",;" for each in sources[:-2])
    return True
