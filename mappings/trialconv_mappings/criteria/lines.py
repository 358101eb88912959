"""The lines of a criteria text, and the list markers that they begin with."""

from __future__ import annotations

import re
from typing import Final

#: A line: the white space before it (line breaks and indentation), its marker with the space after it, its words.
Line = tuple[str, str, str]

_BULLET: Final = r"\\?[*+\-\u2010-\u2015\u2022\u00b7\u25cf\u25aa\u25e6\u25cb\u25a0\u2023\uf0b7]"
_ITEM: Final = (
    r"\(?\d{1,3}(?:\\?\.\)|\\?\.(?!\d)|\\?\)|\u3001)"  # 1. 1) (1) 1.) 1\.
    r"|\(?[A-Za-z](?:\\?[.)](?=[ \t])|\))"  # a. a) (a)
    r"|\(?[ivxIVX]{2,5}(?:\\?[.)](?=[ \t])|\))"  # ii. (ii)
    r"|[\u2460-\u2473]"  # circled digits
)
_MARKER: Final = (
    rf"(?:{_BULLET}[ \t]+(?:(?:{_BULLET}[ \t]*|(?:{_ITEM})[ \t]*|o[ \t]+)(?=\S))?"
    rf"|{_BULLET}(?=[^\W\d])"
    r"|o[ \t]+(?=[A-Z\d])"
    rf"|(?:{_ITEM})(?:[ \t]+|(?=[^\W\d\u2460-\u2473]))|[\u2460-\u2473][ \t]*)"
)
_LINE: Final = re.compile(rf"(\s*)({_MARKER}(?=\S))?([^\n]*\S)")
# An empty comment is how the registry's markdown ends a list before another begins.
_WITH_BREAKS: Final = re.compile(rf"((?:\s|<!-- -->)*)({_MARKER}(?=\S))?((?!<!-- -->)[^\n]*\S)")


def split_lines(markup: str) -> list[Line]:
    """Return the lines of a text that hold words. Joined they are the text without the white space at its end."""
    if "<!-- -->" in markup and not markup.rstrip().endswith("<!-- -->"):
        return _WITH_BREAKS.findall(markup)
    return _LINE.findall(markup)


def depth(space: str) -> int:
    """Return how far a line is indented, of the white space before it."""
    return len(space) - space.rfind("\n") - 1


_ORDINAL: Final = re.compile(
    r"\(?(?:(\d+)|([ivx]{2,5}|[IVX]{2,5})|([A-Za-z])|([\u2460-\u2473]))(\\?\.\)|\\?[.)]|\u3001|)$"
)
_NUMERALS: Final = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx"
_ROMAN: Final = {numeral: number for number, numeral in enumerate(_NUMERALS.split(), 1)}
#: The markers that were seen before.
KNOWN: Final[dict[str, tuple[str, int]]] = {}
_MOST_KNOWN: Final = 4096


def style(mark: str) -> tuple[str, int]:
    """Return the style of a marker and its place in a count; the place is 0 where the style does not count.

    A single letter that may be a Roman number is a letter: see `as_roman`.
    """
    known = KNOWN.get(mark)
    if known is None:
        known = _style(mark)
        if len(KNOWN) < _MOST_KNOWN:
            KNOWN[mark] = known
    return known


def _style(mark: str) -> tuple[str, int]:
    text = mark.strip().replace("\\", "")
    first, _, second = text.partition(" ")
    if second and (inner := _ordinal(second.strip())):
        return first + inner[0], inner[1]
    return _ordinal(text) or (text[0] + (second.strip()[:1] or text[1:2]), 0)


def _ordinal(text: str) -> tuple[str, int] | None:
    found = _ORDINAL.match(text)
    if found is None:
        return None
    shape = text[: found.start(1) if found[1] else 0] and "("
    shape = ("(" if text[0] == "(" else "") + "{}" + (found[5] or "")
    if found[1]:
        return shape.format("1"), int(found[1])
    if found[2]:
        small = found[2].lower()
        return shape.format("i" if found[2].islower() else "I"), _ROMAN.get(small, 99)
    if found[3]:
        return shape.format("a" if found[3].islower() else "A"), ord(found[3].lower()) - ord("a") + 1
    return "\u2460", ord(found[4]) - 0x2460 + 1


def as_roman(name: str, number: int) -> tuple[str, int] | None:
    """Return the style and place of a letter read as a Roman number, or None where it is none."""
    letter = chr(ord("a") + number - 1) if 0 < number < 27 else ""
    if letter not in ("i", "v", "x") or ("a" not in name and "A" not in name):
        return None
    return name.replace("a", "i").replace("A", "I"), _ROMAN[letter]
