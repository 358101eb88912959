"""The commonest section by a short way: one plain list, perhaps with plain lists inside, no line needing more looks.

It makes the same nodes as `members`, and gives up where it cannot (a test compares both on real texts). Lines are
cut by whole lists at once, and what a line begins and ends with is looked up by a few characters; which of these are
harmless is worked out once.
"""

from __future__ import annotations

import re
from typing import Final

from trialconv_mappings.criteria.joints import joints
from trialconv_mappings.criteria.leaves import leaf, may_be_other, may_say_other, plain_text, unescaped
from trialconv_mappings.criteria.lines import split_lines
from trialconv_mappings.criteria.members import Members, parent
from trialconv_mappings.criteria.model import Criterion, Kind
from trialconv_mappings.criteria.nesting import Item
from trialconv_mappings.criteria.words import introduces

_JOINTS: Final = ("or", "and")
_JOINING: Final = ("or ", "Or ", "OR ", "or,", "OR:", "and", "And", "AND")
# What items begin with, in seven characters, that is harmless.
_ITEMS_BEGIN: Final[set[str]] = set()
_HARMLESS_ENDS: Final[set[str]] = set()
_MOST_KNOWN: Final = 50_000
_COUNTED: Final = [re.compile(rf"\n {{{indent}}}(\d{{1,3}})\. ") for indent in range(17)]
_FIRST: Final = re.compile(r"\n*( {0,16})(?:\* |(\d{1,3})\. )")

#: Items of a list and what stands before each.
List = tuple[list[str], list[str]]


def plain_list(kind: Kind | None, cohort: str | None, raw: str) -> list[Criterion] | None:
    """Return the nodes of a section's text when it is a list of plain lines, else None."""
    if "\t" in raw or "\r" in raw or " \n" in raw or "\xa0" in raw or "<!-- -->" in raw:
        return None
    cut = _cut(raw, -2)
    if cut is None:
        return None
    items, leads = cut
    parents: dict[int, Item] = {}
    sources = items
    if raw.count("\n") - leads[0].count("\n") >= len(items):
        made = _with_lists(items, leads)
        if made is None:
            return None
        parents, sources = made
    if ("ollow" in raw or "below" in raw) and any(map(introduces, sources)):
        return None
    begins = {item[:7] for item in items}
    others = None if begins <= _ITEMS_BEGIN else _learn(begins - _ITEMS_BEGIN)
    if others is not None and None in others:
        return None
    ends = {source[-3:] for source in sources}
    if not (ends <= _HARMLESS_ENDS or _all_harmless(ends)) and (
        any([":" in end or "\uff1a" in end for end in ends]) or any(joints(sources, items))
    ):
        return None
    return _nodes(kind, cohort, raw, (items, leads), parents, others)


def _nodes(
    kind: Kind | None,
    cohort: str | None,
    raw: str,
    cut: List,
    parents: dict[int, Item],
    others: set[str | None] | None,
) -> list[Criterion] | None:
    """Return the nodes of items; `others` are the beginnings of those that may be no plain criteria."""
    items, leads = cut
    new = tuple.__new__
    nodes = [
        new(Criterion, (kind, "criterion", words, None, cohort, (), lead, item, None))
        for words, lead, item in zip(_texts(raw, items), leads, items, strict=True)
    ]
    says = may_say_other(kind, raw)
    if others or says:
        for place, item in enumerate(items):
            if place not in parents and ((others and item[:7] in others) or (says and may_say_other(kind, item))):
                nodes[place] = leaf(kind, cohort, leads[place], item)
                if nodes[place].role == "note":
                    return None  # it may belong to the criterion above it
    if parents:
        list_ = Members(kind, cohort, [])
        for place, item in parents.items():
            nodes[place] = parent(list_, item, top=True)
    return nodes


def _cut(block: str, outside: int) -> List | None:
    """Return the items of a block that begins with one, or None; lines that are deeper stay in their items.

    `outside` is the indentation of the list around it.
    """
    first = _FIRST.match(block)
    if first is None or len(first[1]) < outside + 2:
        return None
    begin = first.end()
    if first[2] is None:
        lead = f"\n{first[1]}* "
        items = block[begin:].split(lead)
        leads = [first[0], *[lead] * (len(items) - 1)]
    else:
        parts = _COUNTED[len(first[1])].split(block[begin:])
        items, numbers = parts[::2], parts[1::2]
        number = int(first[2])
        if numbers != [str(each) for each in range(number + 1, number + len(items))]:
            return None
        leads = [first[0], *[f"\n{first[1]}{each}. " for each in numbers]]
        following = str(number + len(items))
        if following + "." in items[-1] or following + ")" in items[-1]:
            return None  # more items in the last line
    return items, leads


def _with_lists(items: list[str], leads: list[str]) -> tuple[dict[int, Item], list[str]] | None:
    """Return the items that hold a list as such, by their place, and the last words of each item.

    `items` is left with the own words of each.
    """
    parents: dict[int, Item] = {}
    sources = items.copy()
    indent = _depth(leads[0])
    for place, item in enumerate(items):
        if "\n" in item:
            made = _item(item, leads[place], indent)
            if made is None:
                return None
            parents[place] = made
            items[place] = made.source
            while made.children:
                made = made.children[-1]
            sources[place] = made.source
    return parents, sources


def _item(words: str, lead: str, indent: int) -> Item | None:
    """Return an item with the list below it, or None where it holds other lines or lines to be looked at."""
    source, _, _ = words.partition("\n")
    if not source:
        return None
    made = Item(lead, source, 0)
    cut = _cut(words[len(source) :], indent)
    if cut is None:
        return None
    begins = {item[:7] for item in cut[0]}
    if not begins <= _ITEMS_BEGIN and None in _learn(begins - _ITEMS_BEGIN, joined=True):
        return None
    inside = _depth(cut[1][0])
    for item, item_lead in zip(*cut, strict=True):
        if "\n" in item:
            child = _item(item, item_lead, inside)
            if child is None:
                return None
        elif not item or ":" in item[-3:] or "\uff1a" in item[-3:] or introduces(item):
            return None
        else:
            child = Item(item_lead, item, 0)
        made.children.append(child)
    return made


def _depth(lead: str) -> int:
    """Return the indentation of a lead."""
    words = lead.lstrip("\n")
    return len(words) - len(words.lstrip(" "))


def _texts(raw: str, items: list[str]) -> list[str]:
    """Return the plain text of each item."""
    if "\\" not in raw and "&" not in raw:
        return items
    return [unescaped(item) if "\\" in item or "&" in item else item for item in items]


def _learn(begins: set[str], *, joined: bool = False) -> set[str | None]:
    """Return what lines begin with that may be other than criteria; None among them for what may be no item.

    What is harmless is remembered. `joined` lets lines begin with the word that joins them.
    """
    others: set[str | None] = set()
    for begin in begins:
        if begin and joined and begin.startswith(_JOINING) and begin.strip().isalpha():
            continue
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
