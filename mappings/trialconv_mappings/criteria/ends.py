"""Where an item ends, or the list inside of it, when its own lines do not say it but those around them do."""

from __future__ import annotations

import re
from typing import Final

from trialconv_mappings.criteria.lines import Line, depth, style
from trialconv_mappings.criteria.words import introduces, is_frame, last_sentence

#: What unmarked lines inside an item must not say: a heading may stand there.
_HEADS: Final = re.compile(r"clusion|eligib|criteria\W*$|^\W*(?:part|group|cohort|phase|arm)\b", re.IGNORECASE)


def end_of_item(lines: list[Line], start: int) -> int:
    """Return the line after an item of the outermost list where its end is certain; 0 where it is not.

    It ends before the line that goes on with the list's count or, in a list of bullets, with its indentation; what
    lies between has to be deeper or to be marked in other ways than that list.
    """
    space, mark, body = lines[start]
    outer, (name, number) = depth(space), style(mark)
    if start + 1 == len(lines) or is_frame(last_sentence(body)):
        return 0
    place = start + 1
    deeper = True
    while place < len(lines):
        space, mark, body = lines[place]
        indent = depth(space)
        if not mark:
            if _HEADS.search(body):
                return 0
            deeper = deeper and (indent > outer or "\n\n" not in space)
        elif indent <= outer + 1:
            next_name, next_number = style(mark)
            if indent == outer and next_name == name and next_number == (number + 1 if number else 0):
                break
            if next_name == name or not number or next_name[0] == "-" != name[0]:
                return 0
            deeper = False
        place += 1
    if introduces(lines[place - 1][2]) or (not deeper and (place == len(lines) or not number)):
        return 0
    return 0 if place == len(lines) and not start else place


def end_of_inner(lines: list[Line], start: int) -> int:
    """Return the line after the list that an item introduces in a flat list of bullets; 0 where it is not seen."""
    return _end_of_small_letters(lines, start) or _end_of_capitals(lines, start) or _end_of_sentence(lines, start)


def _end_of_small_letters(lines: list[Line], start: int) -> int:
    """Return the line after the list inside a list that an item introduces, told by small letters; 0 if it is not.

    All items of the outer list, before and after, begin with a capital, and all between with a small letter.
    """
    outer = lines[start]
    place = start + 1
    while place < len(lines) and _is_beside(lines[place], outer) and lines[place][2][:2].islower():
        place += 1
    if place == len(lines) or place < start + 3:
        return 0
    others = lines[: start + 1] + lines[place:]
    if not all(_is_beside(line, outer) and line[2][0].isupper() for line in others):
        return 0
    return 0 if any(introduces(line[2]) for line in lines[:start] + lines[start + 1 : place]) else place


def _end_of_capitals(lines: list[Line], start: int) -> int:
    """Return the line after the items below a title in capitals, in a list of such titles and their items."""
    outer = lines[start]
    if not _is_title(lines[0]) or not _is_title(outer) or not all(_is_beside(line, outer) for line in lines):
        return 0
    place = start + 1
    while place < len(lines) and not _is_title(lines[place]):
        if introduces(lines[place][2]):
            return 0
        place += 1
    return place if place > start + 1 and sum(map(_is_title, lines)) > 1 else 0


def _end_of_sentence(lines: list[Line], start: int) -> int:
    """Return the line after the last of a list where that ends the sentence of the one before it, else 0."""
    last = start + 1
    if last + 1 != len(lines) or not _is_beside(lines[last], lines[start]):
        return 0
    return len(lines) if _UNENDED.search(lines[start][2][-16:]) else 0


_UNENDED: Final = re.compile(
    r"\b(?:and|or|if|when|as|by|has|have|is|are|must|be|of|following)\s*:$", re.IGNORECASE
)


def _is_title(line: Line) -> bool:
    return line[2][-1] == ":" and line[2].isupper()


def _is_beside(line: Line, other: Line) -> bool:
    """Tell whether a line has the indentation and the bullet of another."""
    return line[1] == other[1] and depth(line[0]) == depth(other[0]) and not style(line[1])[1]
