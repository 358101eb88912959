"""The commonest section by a short way: one plain list, each line an item, and nothing that needs a second look.

It makes the same nodes as `members`, and gives up where it cannot (a test compares both on real texts). What a
line begins and ends with is looked up by three characters; which of these are harmless is worked out once.
"""

from __future__ import annotations

from typing import Final

from trialconv.lineage import plain
from trialconv_mappings.criteria.leaves import leaf, may_be_other, may_say_other
from trialconv_mappings.criteria.lines import split_lines
from trialconv_mappings.criteria.model import Criterion, Kind
from trialconv_mappings.criteria.words import introduces

_NUMBERS: Final = tuple(f"{number}. " for number in range(1, 100))
_TO_NINE: Final = 9
_JOINTS: Final = ("or", "and")
_JOINING: Final = ("or ", "Or ", "OR ", "or,", "OR:", "and", "And", "AND")
# What items begin with, in seven characters, that is harmless.
_ITEMS_BEGIN: Final[set[str]] = set()
_HARMLESS_ENDS: Final[set[str]] = set()
_MOST_KNOWN: Final = 50_000


def has_odd_space(text: str) -> bool:
    """Tell whether a text has space that belongs to the lead of the next item, or that lines are not cut at."""
    return " \n" in text or "\t" in text or "\r" in text or "\xa0" in text or "<!-- -->" in text


def plain_list(kind: Kind | None, cohort: str | None, raw: str) -> list[Criterion] | None:
    """Return the nodes of a section's text when it is one plain list, else None."""
    items, leads = _items(raw)
    if not items or (("ollow" in raw or "below" in raw) and any(map(introduces, items))):
        return None
    begins = {item[:7] for item in items}
    others = None if begins <= _ITEMS_BEGIN else _learn(begins - _ITEMS_BEGIN)
    if others is not None and None in others:
        return None
    ends = {item[-3:] for item in items}
    if not (ends <= _HARMLESS_ENDS or _all_harmless(ends)):
        return None
    new = tuple.__new__
    nodes = [
        new(Criterion, (kind, "criterion", words, None, cohort, (), lead, item, None))
        for words, lead, item in zip(_texts(raw, items), leads, items, strict=True)
    ]
    says = may_say_other(kind, raw)
    if others or says:
        for place, item in enumerate(items):
            if (others and item[:7] in others) or (says and may_say_other(kind, item)):
                nodes[place] = leaf(kind, cohort, leads[place], item)
                if nodes[place].role == "note":
                    return None  # it may belong to the criterion above it
    return nodes


def _items(raw: str) -> tuple[list[str], list[str]]:
    """Return the items of a plain list and what stands before each; nothing when it is none."""
    text = raw.lstrip("\n")
    breaks = raw[: len(raw) - len(text)]
    if text.startswith("* "):
        items = text[2:].split("\n* ")
        if text.count("\n") != len(items) - 1:
            return [], []
        return items, [breaks + "* ", *["\n* "] * (len(items) - 1)]
    lines = text.split("\n")
    if len(lines) > len(_NUMBERS) or not all(map(str.startswith, lines, _NUMBERS)):
        return [], []
    items = [line[3:] for line in lines[:_TO_NINE]] + [line[4:] for line in lines[_TO_NINE:]]
    following = str(len(items) + 1)
    if following + "." in items[-1] or following + ")" in items[-1]:
        return [], []  # more items in the last line
    return items, [breaks + "1. ", *["\n" + number for number in _NUMBERS[1 : len(items)]]]


def _texts(raw: str, items: list[str]) -> list[str]:
    """Return the plain text of each item."""
    if "\\" not in raw and "&" not in raw:
        return items
    return [plain(item) if "\\" in item or "&" in item else item for item in items]


def _learn(begins: set[str]) -> set[str | None]:
    """Return what lines begin with that may be other than criteria; None among them for what may be no item.

    What is harmless is remembered.
    """
    others: set[str | None] = set()
    for begin in begins:
        if not begin or begin.startswith(_JOINING) or _may_be_marker(begin):
            return {None}
        if may_be_other(begin):
            others.add(begin)
        elif len(_ITEMS_BEGIN) < _MOST_KNOWN:
            _ITEMS_BEGIN.add(begin)
    return others


def _may_be_marker(begin: str) -> bool:
    """Tell whether a line may begin with a second marker: `- a`, `a. b`, `ii. c`, `(1) d`."""
    if begin[:2].isalpha() and begin.split(" ")[0].lower().strip("ivx.) "):
        return False
    if begin[:1] in "(\\[" or begin[:1].isspace() or begin[1:2] in (".", ")") or not begin.isprintable():
        return True
    return any(mark for _, mark, _ in split_lines(f"{begin.strip()} x"))


def _all_harmless(ends: set[str]) -> bool:
    """Tell whether none of the ends introduces what follows or joins it."""
    for end in ends - _HARMLESS_ENDS:
        word = end.lower().rstrip(" ,;:/*_")
        if (
            end[-1:] in (":", "\uff1a")
            or ":" in end
            or word.endswith(_JOINTS)
            or word in ("nd", "r", "")
            or end[-1:].isspace()
        ):
            # The end of a word such as "factor," cannot be told from the word "or," here.
            return False
        if len(_HARMLESS_ENDS) < _MOST_KNOWN:
            _HARMLESS_ENDS.add(end)
    return True
