"""Texts of the registry's XML: folded text blocks back to paragraphs and lists, and plain text to markup.

The registry folded every text block to lines of at most 99 characters, indented it, and wrote a list item as
`-  item` or `1. item` in a paragraph of its own, indented deeper than the text around it. API v2 writes the
same as markdown: `* item` lines without blank lines between them, a nested list after a blank line.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: The characters that API v2 escapes with a backslash wherever they stand in running text.
_SPECIAL = re.compile(r"[\\\[\]<>~^&*_|`]")
_ITEM = re.compile(r"(?P<indent> *)(?P<marker>-|\d{1,3}\.) +(?P<text>\S.*)")
_INDENT = re.compile(r" *")
_WIDTH: Final = 99


def markup(text: str) -> str:
    """Return a plain text as the registry's markup, in which these characters are escaped."""
    return _SPECIAL.sub(r"\\\g<0>", text)


class _Part(NamedTuple):
    """A paragraph or a list item: its indentation, its marker (empty for a paragraph), and its text."""

    indent: int
    marker: str
    text: str


def unfolded(block: str) -> str:
    """Return the markup of a text block, with its paragraphs, lists and their levels.

    A line break between two lines of a paragraph is undone where folding explains it, that is, where the next
    word would not have fitted; another one is kept.
    """
    lines = block.replace("\r\n", "\n").replace("\r", "\n").expandtabs().split("\n")
    parts: list[_Part] = []
    before = ""
    for line in (line.rstrip() for line in lines):
        if line:
            item = _ITEM.fullmatch(line)
            if item:
                parts.append(_Part(len(item["indent"]), item["marker"], markup(item["text"])))
            elif before:
                parts[-1] = parts[-1]._replace(text=parts[-1].text + _glue(before, line) + markup(line.strip()))
            else:
                parts.append(_Part(_indent(line), "", markup(line.strip())))
        before = line
    return _laid_out(parts)


def _indent(line: str) -> int:
    match = _INDENT.match(line)
    return match.end() if match else 0


def _glue(line: str, following: str) -> str:
    """Return what stood between two lines before the text was folded."""
    first_word = following.split(maxsplit=1)[0]
    return "\n" if len(line) + 1 + len(first_word) < _WIDTH else " "


class _Level(NamedTuple):
    """An open list: the indentation of its markers here, and that of its items' texts in the markup."""

    indent: int
    inner: int


def _laid_out(parts: list[_Part]) -> str:
    """Join the parts as markdown."""
    pieces: list[str] = []
    levels: list[_Level] = []
    for part in parts:
        if not part.marker:
            pieces += ["\n\n", part.text]
            levels = []
            continue
        depth = len(levels)
        while levels and levels[-1].indent > part.indent:
            levels.pop()
        same = bool(levels) and levels[-1].indent == part.indent
        if same:
            levels.pop()
        outer = levels[-1].inner if levels else 0
        marker = "*" if part.marker == "-" else part.marker
        levels.append(_Level(part.indent, outer + len(marker) + 1))
        opens = len(levels) > depth
        text = part.text.replace("\n", "\n" + " " * levels[-1].inner)
        pieces += ["\n\n" if opens else "\n", f"{' ' * outer}{marker} {text}"]
    return "".join(pieces).strip("\n")
