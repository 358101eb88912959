"""What a document says of each field, and by which words: the elements of the standard decide.

Beside an element may stand the registry's own word, its markup, or its string in base64. Each of these is used as
long as the element still says it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from trialconv.lineage import plain
from trialconv_mappings.back import Notes, one_of, typed, words
from trialconv_mappings.cdisc.durations import duration, words_of_duration
from trialconv_mappings.cdisc.text import FORBIDDEN

#: The joined words of a list that has one code together.
PHASES: Final = "protocolSection.designModule.phases"

#: How an element says a value: whether a word of the registry is said by it, and which words are.
Says = Callable[[str, str], bool]
Means = Callable[[str], list[str]]


class Way(NamedTuple):
    """How an element says the value of a field: whether it says a word, and which words it may mean."""

    says: Says
    means: Means


def as_it_stands() -> Way:
    """Return the way of an element that holds the text itself."""
    return Way(lambda shown, text: shown in _forms(text), lambda shown: [shown])


def by_table(name: str) -> Way:
    """Return the way of an element that holds the submission value of a term, or its code."""

    def means(shown: str) -> list[str]:
        known = words(name)
        return list(known.shown.get(shown, ())) or known.with_code(shown)

    return Way(lambda shown, word: word in means(shown), means)


def _means_duration(shown: str) -> list[str]:
    found = words_of_duration(shown)
    return [] if found is None else [found]


def by_duration() -> Way:
    """Return the way of an element that holds an ISO 8601 duration."""

    def says(shown: str, text: str) -> bool:
        found = duration(text)
        return found is not None and found.iso == shown

    return Way(says, _means_duration)


def _forms(text: str) -> Iterable[str]:
    for shown in (text, plain(text)):
        yield shown
        yield FORBIDDEN.sub("\ufffd", shown)


class _Shown(NamedTuple):
    value: str
    way: Way
    place: str


class Said:
    """Everything that a document says of the fields of a study, by their paths with positions from 1 on."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        #: The registry's own words.
        self.own: dict[str, str] = {}
        self._markup: dict[str, str] = {}
        self._encoded: dict[str, str] = {}
        self._shown: dict[str, list[_Shown]] = {}

    def add_own(self, path: str, value: str) -> None:
        """Add the registry's own words."""
        self.own[path] = value

    def add_markup(self, path: str, value: str) -> None:
        """Add the registry's own string of a text whose escapes were undone."""
        self._markup[path] = value

    def add_encoded(self, path: str, value: str) -> None:
        """Add the registry's own string in base64; what is no base64 of a text says nothing."""
        try:
            self._encoded[path] = b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            self.notes.note("not-understood", "this is no text in base64", f"StudyParameter[{path}]")

    def show(self, path: str, value: str | None, place: str, way: Way | None = None) -> None:
        """Add what an element of the standard says; the first place of a field is the one that decides."""
        if value is not None:
            self._shown.setdefault(path, []).append(_Shown(value, way or as_it_stands(), place))

    def first_shown(self, path: str) -> str | None:
        """Return what the first element says of a field; None where none says anything."""
        return next((each.value for each in self._shown.get(path, ())), None)

    def values(self) -> dict[str, Any]:
        """Return the value of every field that the document says something of."""
        found: dict[str, Any] = {}
        for path in dict.fromkeys((*self.own, *self._shown, *self._markup, *self._encoded)):
            value = self._value(path)
            if value is not None:
                found[path] = typed(path, value)
        return found

    def _value(self, path: str) -> str | None:
        """Return what is said of a field: own words that all elements agree with, else the first that does not."""
        exact = self._encoded.get(path, self._markup.get(path))
        own = self.own.get(path)
        shown = self._shown.get(path, [])
        reference = exact if exact is not None else own
        if reference is None:
            return self._first(shown, path)
        if not shown:
            return exact if exact is not None and (own is None or own in _forms(exact)) else own
        other = next((each for each in shown if not each.way.says(each.value, reference)), None)
        if other is None:
            return reference
        return one_of(other.way.means(other.value), other.value, reference, self.notes, other.place)

    def _first(self, shown: list[_Shown], path: str) -> str | None:
        first = shown[0]
        found = one_of(first.way.means(first.value), first.value, None, self.notes, first.place)
        for other in shown[1:]:
            if found is not None and not other.way.says(other.value, found):
                message = (
                    f"{other.place} says {other.value[:80]!r}, not {found[:80]!r} as {first.place}, which is used"
                )
                self.notes.note("contradiction", message, path)
        return found
