"""Single nodes: the words of a criterion, a note or nothing, and their plain text."""

from __future__ import annotations

import re
from typing import Final

from trialconv.lineage import plain
from trialconv_mappings.criteria import vocabulary, words
from trialconv_mappings.criteria.doubts import SAYS_OTHER
from trialconv_mappings.criteria.model import Criterion, Kind, node_of

ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")


def unescaped(source: str) -> str:
    """Return words in plain text, as `plain` does; faster where there is no entity."""
    return plain(source) if "&" in source else "".join(ESCAPED.split(source))


def plain_lines(source: str) -> str:
    """Return words as they stand in plain text, without empty lines."""
    return "\n".join(line.rstrip() for line in unescaped(source).split("\n") if line and not line.isspace())


def plain_text(source: str) -> str:
    """Return words as they stand in plain text, without the indentation of lines that go on."""
    if "\\" in source or "&" in source:
        source = unescaped(source)
    if "\n" in source:
        return "\n".join([line.strip() for line in source.split("\n") if line.strip()])
    return source


_BEGINS: Final = tuple(
    word[:7] for word in (*vocabulary.NOTHING_BEGINS, *vocabulary.NOTE_BEGINS, *vocabulary.COHORT_BEGINS)
)
# What lines begin with that is known to be none of these: one look-up is enough for most lines.
PLAIN_BEGINS: Final[set[str]] = set()
_MOST_KNOWN: Final = 50_000


def may_be_other(text: str) -> bool:
    """Tell whether a line begins like a note, like nothing or like a criterion of some participants."""
    begin = text[:7]
    if begin in PLAIN_BEGINS:
        return False
    if begin.startswith(_BEGINS):
        return True
    if len(PLAIN_BEGINS) < _MOST_KNOWN:
        PLAIN_BEGINS.add(begin)
    return False


def leaf(kind: Kind | None, cohort: str | None, lead: str, source: str) -> Criterion:
    """Return a node for words without anything below them."""
    text = plain_text(source) if "\\" in source or "&" in source or "\n" in source else source
    if text[:7] not in PLAIN_BEGINS and may_be_other(text):
        if text.startswith(vocabulary.NOTHING_BEGINS) and words.is_nothing(text):
            return node_of((None, "nothing", text, None, cohort, (), lead, source, None))
        if text.startswith(vocabulary.NOTE_BEGINS) and words.is_note(text):
            return node_of((None, "note", text, None, cohort, (), lead, source, None))
        if cohort is None and text.startswith(vocabulary.COHORT_BEGINS):
            cohort = words.cohort_of_item(text)
    if kind is not None and may_say_other(kind, text):
        if kind == "inclusion" and words.says_excluded(text):
            return node_of((None, "whole", text, None, cohort, (), lead, source, SAYS_OTHER))
        if kind == "exclusion" and words.says_allowed(text):
            return node_of((None, "note", text, None, cohort, (), lead, source, None))
    return node_of((kind, "criterion", text, None, cohort, (), lead, source, None))


#: The words by which a criterion may say the opposite of its section.
OTHER_WORDS: Final[dict[Kind | None, tuple[str, ...]]] = {
    "inclusion": ("xclu", "XCLU", "ligible"),
    "exclusion": (" allowed", "eligible", "ermitted", "ermissible", "cceptable", " included"),
    None: (),
}


def may_say_other(kind: Kind | None, text: str) -> bool:
    """Tell whether text holds a word by which a criterion may say the opposite of its section."""
    return any(word in text for word in OTHER_WORDS[kind])
