"""Single nodes: the words of a criterion, a note or nothing, and their plain text."""

from __future__ import annotations

from typing import Final

from trialconv.lineage import plain
from trialconv_mappings.criteria import words
from trialconv_mappings.criteria.model import Criterion, Kind

SAYS_OTHER: Final = "words that say the opposite of the heading"


def plain_lines(source: str) -> str:
    return "\n".join(line.rstrip() for line in plain(source).split("\n") if line and not line.isspace())


def plain_text(source: str) -> str:
    """Return words as they stand in plain text, without the indentation of lines that go on."""
    if "\\" in source or "&" in source:
        source = plain(source)
    if "\n" in source:
        return "\n".join([line.strip() for line in source.split("\n") if line.strip()])
    return source


def _firsts(*lists: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return the beginnings of words: of three characters, and the words of two and of one."""
    listed = [word for words_ in lists for word in words_]
    return (
        frozenset(word[:3] for word in listed if len(word) > 2),
        frozenset(word for word in listed if len(word) == 2),
        frozenset(word for word in listed if len(word) == 1),
    )


# What a line begins with that may be no criterion, or one of some participants: one look-up tells of most lines
# that they are neither.
_THREE, _TWO, _ONE = _firsts(words.NOTHING_BEGINS, words.NOTE_BEGINS, words.COHORT_BEGINS)


def may_be_other(text: str) -> bool:
    """Tell whether a line begins like a note, like nothing or like a criterion of some participants."""
    return text[:3] in _THREE or text[:2] in _TWO or text[:1] in _ONE


def leaf(kind: Kind | None, cohort: str | None, lead: str, source: str) -> Criterion:
    """Return a node for words without anything below them."""
    text = plain_text(source) if "\\" in source or "&" in source or "\n" in source else source
    if text[:3] in _THREE or text[:2] in _TWO or text[:1] in _ONE:
        if text.startswith(words.NOTHING_BEGINS) and words.is_nothing(text):
            return Criterion(None, "nothing", text, None, cohort, (), lead, source)
        if text.startswith(words.NOTE_BEGINS) and words.is_note(text):
            return Criterion(None, "note", text, None, cohort, (), lead, source)
        if cohort is None and text.startswith(words.COHORT_BEGINS):
            cohort = words.cohort_of_item(text)
    if kind is not None and may_say_other(kind, text):
        if kind == "inclusion" and words.says_excluded(text):
            return Criterion(None, "whole", text, None, cohort, (), lead, source, SAYS_OTHER)
        if kind == "exclusion" and words.says_allowed(text):
            return Criterion(None, "note", text, None, cohort, (), lead, source)
    return Criterion(kind, "criterion", text, None, cohort, (), lead, source)


def may_say_other(kind: Kind | None, text: str) -> bool:
    """Tell whether text holds a word by which a criterion may say the opposite of its section."""
    if kind == "inclusion":
        return "xclu" in text or "XCLU" in text or "ligible" in text
    return kind == "exclusion" and (
        "llowed" in text or "ligible" in text or "ermi" in text or "cceptable" in text or "ncluded" in text
    )
