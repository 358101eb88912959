"""The commonest section by a short way: one plain list, perhaps with plain lists inside.

It makes the same nodes as `members`, and gives up where it cannot (a test compares both on real texts). A list is
cut into its lines at once, and what a line begins and ends with is looked up by a few characters; which of these
are harmless is worked out once.
"""

from __future__ import annotations

import re
from itertools import repeat
from operator import itemgetter
from typing import Final

from trialconv.lineage import plain
from trialconv_mappings.criteria.joints import joints
from trialconv_mappings.criteria.leaves import ESCAPED, OTHER_WORDS, leaf, may_be_other, unescaped
from trialconv_mappings.criteria.lines import depth, split_lines
from trialconv_mappings.criteria.members import Members, parent
from trialconv_mappings.criteria.model import Criterion, Kind, node_of
from trialconv_mappings.criteria.nesting import Item
from trialconv_mappings.criteria.words import introduces, is_general

_JOINTS: Final = ("or", "and")
_JOINING: Final = ("or ", "Or ", "OR ", "or,", "OR:", "and", "And", "AND")
# What items begin with, in seven characters, that is harmless.
_ITEMS_BEGIN: Final[set[str]] = set()
_HARMLESS_ENDS: Final[set[str]] = set()
_MOST_KNOWN: Final = 50_000
_BEGIN: Final = itemgetter(slice(7))
_END: Final = itemgetter(slice(-3, None))
_COUNTED: Final = [re.compile(rf"\n {{{indent}}}(\d{{1,3}})\. ") for indent in range(17)]
_FIRST: Final = re.compile(r"\n*( {0,16})(?:\* |(\d{1,3})\. )")

#: Items of a list and what stands before each.
List = tuple[list[str], list[str]]


def has_odd_space(text: str) -> bool:
    """Tell whether a text has space that belongs to the lead of the next item, or that lines are not cut at."""
    return " \n" in text or "\t" in text or "\r" in text or "\xa0" in text or "<!-- -->" in text


def plain_list(kind: Kind | None, cohort: str | None, raw: str) -> list[Criterion] | None:
    """Return the nodes of a section's text when it is a list of plain lines, else None."""
    cut = _cut(raw, -2)
    if cut is None:
        return None
    items, leads = cut
    looked: dict[int, Item] = {}
    sources = items
    if raw.count("\n") - leads[0].count("\n") >= len(items):
        made = _with_lists(items, leads)
        if made is None:
            return None
        looked, sources = made
    if "ollow" in raw or "below" in raw:
        for source in sources:
            if ("ollow" in source or "below" in source) and introduces(source):
                return None
    begins = set(map(_BEGIN, items))
    others = None if begins <= _ITEMS_BEGIN else _learn(begins - _ITEMS_BEGIN)
    if others is not None and None in others:
        return None
    ends = set(map(_END, sources))
    if not (ends <= _HARMLESS_ENDS or _all_harmless(ends)) and (
        any(":" in end or "\uff1a" in end for end in ends) or any(joints(sources, items))
    ):
        return None
    return _nodes(kind, cohort, raw, (items, leads), looked, others)


def _nodes(
    kind: Kind | None,
    cohort: str | None,
    raw: str,
    cut: List,
    looked: dict[int, Item],
    others: set[str | None] | None,
) -> list[Criterion]:
    """Return the nodes of items; `others` are the beginnings of those that may be no plain criteria."""
    items, leads = cut
    texts = _texts(raw, items)
    rows = zip(repeat(kind), _CRITERION, texts, _NONE, repeat(cohort), _NO_CHILDREN, leads, items, _NONE)
    nodes = list(map(node_of, rows))
    said = [word for word in OTHER_WORDS[kind] if word in raw]
    if not (others or said or looked):
        return nodes
    places = set(looked)
    if others:
        places.update([place for place, item in enumerate(items) if item[:7] in others])
    for word in said:
        places.update([place for place, item in enumerate(items) if word in item])
    noted = False
    for place in places:
        held = looked.get(place)
        if held is not None and held.children:
            nodes[place] = parent(Members(kind, cohort, []), held, top=True)
        else:
            nodes[place] = leaf(kind, cohort, leads[place], items[place])
            noted = noted or nodes[place].role == "note"
    return _with_notes(nodes) if noted else nodes


def _with_notes(nodes: list[Criterion]) -> list[Criterion]:
    """Return the nodes of a list with its notes below the criteria that they may limit."""
    made: list[Criterion] = []
    for node in nodes:
        if node.role == "note" and made and made[-1].role == "criterion" and not is_general(node.text):
            made[-1] = made[-1]._replace(children=(*made[-1].children, node))
        else:
            made.append(node)
    return made


_CRITERION: Final = repeat("criterion")
_NONE: Final = repeat(None)
_NO_CHILDREN: Final = repeat(())


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
    """Return the items of several lines as such, by their place, and the last words of each item.

    `items` is left with the own words of each.
    """
    looked: dict[int, Item] = {}
    sources = items.copy()
    indent = _depth(leads[0])
    for place, item in enumerate(items):
        if "\n" in item:
            made = _item(item, leads[place], indent)
            if made is None:
                return None
            looked[place] = made
            items[place] = made.source
            while made.children:
                made = made.children[-1]
            sources[place] = made.source
    return looked, sources


def _item(words: str, lead: str, indent: int) -> Item | None:
    """Return an item of several lines, or None where they are to be looked at.

    Lines that are deeper and have no marker go on with it; a list may stand at its end.
    """
    begin = words.find("\n")
    if not begin or words[-1] == "\n":
        return None
    cut = _cut(words[begin:], indent)
    if cut is None:
        for space, mark, body in split_lines(words[begin:]):
            if mark:
                cut = _cut(words[begin:], indent)
                break
            if depth(space) <= indent or "clusion" in body:
                return None
            begin += len(space) + len(body)
        else:
            return Item(lead, words, 0)
        if cut is None:
            return None
    made = Item(lead, words[:begin], 0)
    begins = {item[:7] for item in cut[0]}
    if not begins <= _ITEMS_BEGIN and None in _learn(begins - _ITEMS_BEGIN, joined=True):
        return None
    inside = _depth(cut[1][0])
    for item, item_lead in zip(*cut, strict=True):
        child = _item(item, item_lead, inside) if "\n" in item else Item(item_lead, item, 0)
        if (
            child is None
            or not item
            or (not child.children and (":" in item[-3:] or "\uff1a" in item[-3:] or introduces(item)))
        ):
            return None
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
    if "&" in raw:
        return [plain(item) for item in items]
    # An escape holds no end of a line: all items are freed of theirs at once.
    texts = "".join(ESCAPED.split("\n".join(items))).split("\n")
    return texts if len(texts) == len(items) else [unescaped(item) for item in items]


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
    if begin[:1].isspace() or not begin.isprintable():
        return True
    return any(mark for _, mark, _ in split_lines(f"{begin.strip()} x") + split_lines(f"{begin}x"))


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
