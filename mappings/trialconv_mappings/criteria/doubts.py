"""Why a part of a criteria text is not taken apart: the words of `Criterion.doubt`."""

from __future__ import annotations

from typing import Final

SAYS_OTHER: Final = "words that say the opposite of the heading"
ALTERNATIVES: Final = "some of the list are alternatives, and which cannot be seen"
JOINED: Final = "criteria of exclusion that may hold together only"
UNCLEAR_LINE: Final = "a line that may be a heading or a criterion"
AFTER_LIST: Final = "a paragraph after a list"
UNSEEN_END: Final = "a list inside a list, whose end cannot be seen"
MIXED: Final = "markers that may or may not nest"
NUMBERS: Final = "numbers that do not count on"
TOO_DEEP: Final = "lists inside lists, deeper than anyone reads them"
BEFORE: Final = "text before the first heading"
TWICE: Final = "a heading twice"
HIDDEN: Final = "a heading that may begin inside a line"
SAYS_NOT: Final = "a heading that says not"
BOTH_KINDS: Final = "a heading that names both kinds"

#: All of them.
DOUBTS: Final = (
    SAYS_OTHER,
    ALTERNATIVES,
    JOINED,
    UNCLEAR_LINE,
    AFTER_LIST,
    UNSEEN_END,
    MIXED,
    NUMBERS,
    TOO_DEEP,
    BEFORE,
    TWICE,
    HIDDEN,
    SAYS_NOT,
    BOTH_KINDS,
)
