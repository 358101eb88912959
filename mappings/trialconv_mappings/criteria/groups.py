"""Criteria of a list that are alternatives to each other, while the others are not: kept together as one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trialconv_mappings.criteria.leaves import plain_lines
from trialconv_mappings.criteria.model import Criterion, walk
from trialconv_mappings.criteria.words import introduces

if TYPE_CHECKING:
    from trialconv_mappings.criteria.members import Members

_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_BEFORE_ALL: Final = ("either", "following", "one of", "any of")


def keep_groups(made: Members, found: list[Criterion], lasts: list[str], between: list[str]) -> bool:
    """Make one criterion of each run of criteria joined by "or", with all their words.

    `found` are the criteria among the nodes of a section, `lasts` their last words, `between` the words between
    them. Returns False, with nothing changed, where it is not certain which criteria are alternatives.
    """
    runs = _runs(between)
    if made.nodes[: len(found)] != found or any(node.role != "note" for node in made.nodes[len(found) :]):
        return False  # below an introduction or in parts, other members may be alternatives too
    if not all(_is_certain(found, lasts, between, first, last) for first, last in runs):
        return False
    for first, last in reversed(runs):
        made.nodes[first : last + 1] = [_together(made.nodes[first : last + 1])]
    return True


def _runs(between: list[str]) -> list[tuple[int, int]]:
    """Return the first and the last member of each run of members with "or" between them."""
    runs: list[tuple[int, int]] = []
    for place, word in enumerate(between):
        if word == "or":
            if runs and runs[-1][1] == place:
                runs[-1] = (runs[-1][0], place + 1)
            else:
                runs.append((place, place + 1))
    return runs


def _is_certain(found: list[Criterion], lasts: list[str], between: list[str], first: int, last: int) -> bool:
    """Tell whether a run of alternatives begins and ends where it seems to.

    A run of three or more has "or" after each but the last: one before or behind it would have it too. Two are
    alike in their words, and their neighbours are not; or they are the first two and the next is not like them.
    """
    members = found[first : last + 1]
    if any(node.role != "criterion" or node.cohort != members[0].cohort for node in members):
        return False
    if any(introduces(lasts[place]) for place in range(first, last + 1)):
        return False
    if "and" in between[max(first - 1, 0) : first] + between[last : last + 1]:
        return False
    if first and (lasts[first - 1][-1] in ",;" or _needs_more(lasts[first - 1])):
        return False
    if lasts[last][-1] in ",;" and last + 1 < len(found):
        return False
    if last - first > 1:
        return True
    begin = _begin(members[0])
    if begin == _begin(members[1]):
        neighbours = found[max(first - 1, 0) : first] + found[last + 1 : last + 2]
        return all(begin != _begin(node) for node in neighbours) and (not first or len(begin) > 1)
    shared = _words(members[0]) & _words(members[1])
    if last + 1 < len(found) and _shares(found[last + 1], shared):
        return False
    return not first or (len(shared) > 1 and not _shares(found[first - 1], shared))


def _needs_more(source: str) -> bool:
    return introduces(source) or source.lower().endswith(_BEFORE_ALL)


def _shares(node: Criterion, shared: set[str]) -> bool:
    return bool(shared & _words(node))


def _begin(node: Criterion) -> list[str]:
    """Return the first two words of a criterion."""
    return node.text.lower().split()[:2]


def _words(node: Criterion) -> set[str]:
    return {word.lower() for word in _WORD.findall(node.text)}


def _together(nodes: list[Criterion]) -> Criterion:
    """Return one criterion of all the words of several and of those below them."""
    first = nodes[0]
    source = "".join([part for node in walk(tuple(nodes)) for part in (node.lead, node.source)])[len(first.lead) :]
    return Criterion(first.kind, "criterion", plain_lines(source), None, first.cohort, (), first.lead, source)
