"""A list of marked lines as items with the items below them, where their place is certain.

Indentation nests, and so does a change of markers below a line that introduces it. A list inside a list on the
same level and with the same markers has an end that nobody can see: there the reading stops, and the caller keeps
the rest whole. Where only the lines inside one item are unclear, and the list around it goes on for certain (its
count, its indentation), the item keeps its lines together, and the reading goes on after them.
"""

from __future__ import annotations

import re
from typing import Final

from trialconv_mappings.criteria.doubts import MIXED, NUMBERS, TOO_DEEP, UNSEEN_END
from trialconv_mappings.criteria.ends import end_of_inner, end_of_item
from trialconv_mappings.criteria.lines import KNOWN, Line, as_roman, depth, style
from trialconv_mappings.criteria.model import Joiner, Kind
from trialconv_mappings.criteria.words import combines, introduces, is_frame

#: How many lists may be open, one inside the other. No real text comes near; writers of JSON have their limits.
_DEEPEST: Final = 30
_JOINS: Final = re.compile(r"\W(?:or|and|and\s?/\s?or)[ ,;:/*_]*$", re.IGNORECASE)


class Item:
    """An item: its lead, its words as they stand, the items below it, and the line it begins at.

    `together`: its words hold lines of lists that were not taken apart.
    """

    __slots__ = ("children", "lead", "line", "source", "together")

    def __init__(self, lead: str, source: str, line: int, *, together: bool = False) -> None:
        self.lead = lead
        self.source = source
        self.line = line
        self.children: list[Item] = []
        self.together = together


class _Level:
    """A list that is open: its indentation, its style, its last number and its items."""

    __slots__ = ("alone", "depth", "harmless", "items", "last", "linked", "pending", "style")

    def __init__(
        self,
        depth_: int,
        style_: str,
        number: int,
        items: list[Item],
        *,
        pending: bool = False,
        linked: bool = False,
        alone: bool = False,
    ) -> None:
        self.depth = depth_
        self.style = style_
        self.last = number
        self.items = items
        #: That it belongs below the item above it has still to be seen.
        self.pending = pending
        #: That its items are told from those of the list around it by the words that join them only.
        self.linked = linked
        #: That no other open list has its indentation.
        self.alone = alone
        #: How a list inside of it holds together where it does not matter that it is inside.
        self.harmless: Joiner | None = None


class Doubt(Exception):  # noqa: N818 - no error: the end of what can be read
    """Where the reading stops: the line of the top-level item that it has to go back to, and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def flat(lines: list[Line], first: int) -> list[Item]:
    """Return the items of a list of one bullet on one level, none of which introduces others; else nothing."""
    space, mark, _ = lines[0]
    if mark.strip() not in ("*", "-") or any(line[1] != mark for line in lines):
        return []
    indent = depth(space)
    if any(len(line[0]) - line[0].rfind("\n") - 1 != indent or introduces(line[2]) for line in lines):
        return []
    return [Item(lead + mark, body, number) for number, (lead, _, body) in enumerate(lines, first)]


def nested(lines: list[Line], first: int, kind: Kind | None) -> tuple[list[Item], Doubt | None]:
    """Return the top-level items of lines that begin with a marked one, and where and why the reading stopped.

    `first` is the number of the first line, `kind` that of the criteria. With a Doubt the items are those before
    its line.
    """
    space, mark, body = lines[0]
    top = [Item(space + mark, body, first)]
    levels = [_Level(depth(space), *_first(*style(mark)), top, alone=True)]
    levels[0].harmless = "any-of" if kind == "exclusion" else "all-of" if kind == "inclusion" else None
    begin = 1
    while True:
        try:
            _nest(lines, begin, first, levels, top)
        except Doubt as doubt:
            start = doubt.line - first
            if len(levels) == 1 and doubt.reason == UNSEEN_END and top[-1].line == doubt.line:
                begin = end_of_inner(lines, start)
                if begin:
                    top[-1].children = [
                        Item(space + mark, body, first + place)
                        for place, (space, mark, body) in enumerate(lines[start + 1 : begin], start + 1)
                    ]
                    continue
            begin = end_of_item(lines, start) if style(lines[start][1]) == (levels[0].style, levels[0].last) else 0
            if not begin or depth(lines[start][0]) != levels[0].depth or top[-1].line != doubt.line:
                return [item for item in top if item.line < doubt.line], doubt
            space, mark, body = lines[start]
            source = body + "".join(["".join(line) for line in lines[start + 1 : begin]])
            top[-1] = Item(space + mark, source, doubt.line, together=True)
            del levels[1:]
        else:
            return top, None


def _nest(lines: list[Line], begin: int, first: int, levels: list[_Level], top: list[Item]) -> None:
    """Read lines, from the one at `begin`, into the open lists. Raises Doubt where the place of one is unclear."""
    for number, (space, mark, body) in enumerate(lines[begin:], first + begin):
        if mark:
            # The next item of a plain list: most lines are one.
            level = levels[-1]
            name, ordinal = KNOWN.get(mark) or style(mark)
            if (
                name == level.style
                and level.alone
                and (not ordinal or ordinal == level.last + 1)
                and len(space) - space.rfind("\n") - 1 == level.depth
                and ((previous := level.items[-1]).children or not introduces(previous.source))
            ):
                level.last = ordinal
                level.items.append(Item(space + mark, body, number))
                continue
            _place(levels, top, depth(space), mark, Item(space + mark, body, number))
            if len(levels) > _DEEPEST:
                raise Doubt(top[-1].line, TOO_DEEP)
        else:
            _continue(levels, space, body, number)
    if any(level.pending for level in levels):
        raise Doubt(top[-1].line, MIXED)


def _continue(levels: list[_Level], space: str, body: str, number: int) -> None:
    """Add a line without a marker to the item that it belongs to by its indentation."""
    indent = depth(space)
    item = levels[-1].items[-1]
    if space.count("\n") > 1:
        for level in reversed(levels):
            item = level.items[-1]
            if level.depth < indent:
                break
    if item.children:
        item.children.append(Item(space, body, number))
    else:
        item.source += space + body


def _place(levels: list[_Level], top: list[Item], indent: int, mark: str, item: Item) -> None:
    name, number = style(mark)
    while levels and levels[-1].depth > indent and len(levels) > 1:
        if levels[-1].pending:
            raise Doubt(top[-1].line, MIXED)
        levels.pop()
    last = levels[-1]
    if indent > last.depth + 1:
        if number == last.last + 1 > 1 and last.style[1:] == name and not last.items[-1].children:
            last.last = number  # `* 1.` and then `2.` in its own indentation
            last.items.append(item)
            return
        children = last.items[-1].children
        levels.append(_Level(indent, *_first(name, number), children, alone=True))
        children.append(item)
        return
    if indent < last.depth:  # less than the first item of the whole list
        if len(top) > 1 or "\n" in top[0].lead or last.items is not top or number or last.last or top[0].children:
            raise Doubt(top[0].line, MIXED)
        last.depth, last.style = indent, name  # the first bullet stands behind its heading
    _beside(levels, top, name, number, item)


def _is_escaped(item: Item) -> bool:
    return "\\" in item.lead


def _first(name: str, number: int) -> tuple[str, int]:
    """Return the style of the first item of a list: a letter i is the Roman one there."""
    return as_roman(name, number) or (name, number)


def _beside(levels: list[_Level], top: list[Item], name: str, number: int, item: Item) -> None:
    """Add an item to the list on its level that it goes on with, or begin one below the last item."""
    last = levels[-1]
    if number > last.last + 1 and (name in (last.style, last.style[1:]) or name[:1] == last.style[:1] == "1"):
        _cut_inline(last, number)
    previous = last.items[-1]
    introduced = not previous.children and introduces(previous.source)
    if last.linked:
        _after_joint(levels, top, item)
        return
    if introduced and number and name == last.style and "ollowing" not in previous.source[-60:]:
        introduced = number == 1  # the count goes on: a colon, and no list inside the list
    if introduced and name == last.style and not number and _JOINS.search(item.source):
        levels.append(_Level(last.depth, name, number, previous.children, linked=True))
        previous.children.append(item)
        return
    fitting = _fitting(levels, name, number)
    if introduced and not fitting:
        _below(levels, name, number, item, pending=False)
        return
    harmless = fitting == [len(levels) - 1] and _harmless(levels, previous)
    beside = fitting == [len(levels) - 2] and last.style != levels[-2].style
    if introduced and not harmless and not beside:
        raise Doubt(top[-1].line, UNSEEN_END)
    if len(fitting) > 1:
        # A number with a backslash is no list of the markup's own: the two kinds are two lists.
        fitting = [place for place in fitting if _is_escaped(levels[place].items[-1]) == _is_escaped(item)]
        if len(fitting) != 1:
            raise Doubt(top[-1].line, NUMBERS)
    if fitting:
        _go_on(levels, top, fitting[0], number, item)
    else:
        _with_new_marker(levels, top, name, number, item, introduced=introduced)


def _after_joint(levels: list[_Level], top: list[Item], item: Item) -> None:
    """Add an item after one of a list that is told by its joints: to it while they last, else beside it."""
    last = levels[-1].items[-1].source
    if last[-1] in ",;" and not _JOINS.search(last):
        raise Doubt(top[-1].line, UNSEEN_END)
    if not _JOINS.search(last):
        levels.pop()
    levels[-1].items.append(item)


def _go_on(levels: list[_Level], top: list[Item], place: int, number: int, item: Item) -> None:
    """Add an item to the open list at a place, and close those below it."""
    while len(levels) - 1 > place:
        gone = levels.pop()
        if gone.pending and not number:
            raise Doubt(top[-1].line, MIXED)
    level = levels[-1]
    level.last = level.last + 1 if number else 0
    level.items.append(item)


def _with_new_marker(
    levels: list[_Level], top: list[Item], name: str, number: int, item: Item, *, introduced: bool
) -> None:
    """Add an item that goes on with none of the open lists."""
    last = levels[-1]
    if name == last.style and number >= last.last and len(_same(levels)) == 1:
        last.last = number  # a number left out, or given twice
        last.items.append(item)
    elif name == last.style or any(level.style == name and level.depth == last.depth for level in levels):
        raise Doubt(top[-1].line, NUMBERS)
    elif not introduced and _is_same_list(levels, name, number):
        last.items.append(item)
        last.style, last.last = name, number
    else:
        _below(levels, name, number, item, pending=True)


def _is_same_list(levels: list[_Level], name: str, number: int) -> bool:
    """Tell whether an item goes on with the list above it though its marker looks different."""
    last = levels[-1]
    if number and "1" in name and "1" in last.style and len(_same(levels)) == 1:
        return number > last.last  # `1.` and then `2)`
    bullets = name[0] not in _COUNTING and last.style[0] not in _COUNTING
    # A second marker that was typed into some items only; a first item that lost its marker to another.
    return bullets and (name[0] == last.style[0] or (len(levels) == 1 and len(last.items) == 1))


def _same(levels: list[_Level]) -> list[_Level]:
    return [level for level in levels if level.depth == levels[-1].depth]


def _fitting(levels: list[_Level], name: str, number: int) -> list[int]:
    """Return the places of the open lists on the last level's indentation that an item goes on with."""
    indent = levels[-1].depth
    found = []
    for place in range(len(levels) - 1, -1, -1):
        level = levels[place]
        if level.depth < indent - 1:
            break
        if level.style == name or (number and (level.style[1:] == name or name[1:] == level.style)):
            if not number or number == level.last + 1:
                found.append(place)
        elif (roman := as_roman(name, number)) and level.style == roman[0] and roman[1] == level.last + 1:
            found.append(place)
    return found


def _harmless(levels: list[_Level], previous: Item) -> bool:
    """Tell whether it does not matter where the list ends that an item introduces."""
    if len(levels) > 1 or not is_frame(previous.source):
        return False
    said = combines(previous.source)
    return len(levels[0].items) == 1 or (said is not None and said == levels[0].harmless)


def _below(levels: list[_Level], name: str, number: int, item: Item, *, pending: bool) -> None:
    last = levels[-1]
    children = last.items[-1].children
    if number > 1 and as_roman(name, number) is None:
        raise Doubt(levels[0].items[-1].line, NUMBERS)
    levels.append(_Level(last.depth, *_first(name, number), children, pending=pending))
    children.append(item)


_COUNTING: Final = frozenset("(1aAiI\u2460")
_INLINE_NUMBER: Final = re.compile(r"(?<=[.;,)\s])(\d{1,2})[.)][ \t]+(?=[A-Z\u2264\u2265<>])")


def _cut_inline(level: _Level, until: int) -> None:
    """Cut the last item of a list into those that were written into its line, up to the number of the next."""
    item = level.items[-1]
    if item.children:
        return
    pieces = cut_inline(item, level.last, until)
    if pieces:
        level.items[-1:] = pieces
        level.last += len(pieces) - 1


def cut_inline(item: Item, number: int, until: int | None) -> list[Item]:
    """Return the items of a line that holds several (`1. x 2. y 3. z`); empty where the count is not whole.

    `number` is that of the line, `until` that of the next item; None at the end of a list.
    """
    source = item.source
    if f"{number + 1}." not in source and f"{number + 1})" not in source:
        return []
    found: list[re.Match[str]] = []
    for match in _INLINE_NUMBER.finditer(source):
        if int(match[1]) == number + len(found) + 1:
            found.append(match)
    if until is not None:
        if len(found) != until - number - 1:
            return []
    elif not found or (len(found) == 1 and source[: found[0].start()].rstrip()[-1:] not in ".;,"):
        return []
    pieces = []
    lead, begin = item.lead, 0
    ends = [*(each.start() for each in found), len(source)]
    for place, end in enumerate(ends):
        words = source[begin:end].rstrip()
        pieces.append(Item(lead, words, item.line))
        if place < len(found):
            after = found[place].end()
            lead, begin = source[begin + len(words) : after], after
    return pieces
