"""What every way back from a document to the record needs: the tree, the notes, and code tables read backwards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from trialconv.issues import Issue, Severity, issue
from trialconv.record import Study
from trialconv.record.decode import leaf_types
from trialconv_mappings.tables import table

#: A code of a code system: the system and the code.
Code = tuple[str, str]

_POSITION: Final = re.compile(r"\[\d*\]")
_MARKS: Final = {"Y": True, "true": True, "N": False, "false": False}
_SHOWN: Final = 100


class Rebuilt(NamedTuple):
    """A record as a document gives it back.

    `tree` has the registry's keys, `extras` what a source said beside them, `issues` what the document says in
    places or words that the registry has not.
    """

    tree: dict[str, Any]
    issues: list[Issue]
    extras: dict[str, Any]


class Notes:
    """What there is to say of a document: one Issue for each kind of trouble at each kind of place."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Issue] = {}

    def note(self, code: str, message: str, place: str) -> None:
        """Add an Issue about a place of the document, unless there is one with this code about it."""
        if (code, place) not in self._found:
            # In a document that is judged this is an error; one that is read may come from a larger whole.
            severity: Severity | None = "warning" if code == "reference-unresolved" else None
            self._found[code, place] = issue(code, message, source_path=place, severity=severity)

    def several(self, number: int, count: int, place: str) -> None:
        """Say that a document has several studies, of which this one is the `number`th."""
        message = f"the document has {count} studies, each of which becomes a record; this is number {number}"
        self.note("several-studies", message, place)

    @property
    def issues(self) -> list[Issue]:
        """The Issues in the order in which they were found."""
        return list(self._found.values())


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set a value of a tree at a path of keys, or add it to the list there where the path ends in `[]`.

    Does nothing where there is nothing to set.
    """
    if value is None or value == [] or value == {}:
        return
    *steps, last = path.split(".")
    for step in steps:
        tree = tree.setdefault(step, {})
    if last.endswith("[]"):
        tree.setdefault(last[:-2], []).append(value)
    else:
        tree[last] = value


def without_none(**values: Any) -> dict[str, Any]:
    """Return the values that are there."""
    return {key: value for key, value in values.items() if value is not None and value != []}


def typed(path: str, text: str) -> Any:
    """Return a field's value from its text: a truth value or a number where the field holds one.

    A text that is none stays a text, which the record then refuses with an Issue.
    """
    kind = _types().get(_POSITION.sub("[]", path))
    if kind is bool:
        return _MARKS.get(text, text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def is_field(path: str) -> bool:
    """Tell whether a path, with `[]` for lists, is that of a field of the registry outside its results."""
    return path in _types()


@cache
def _types() -> dict[str, type]:
    return leaf_types(Study)


class Words:
    """Code tables read backwards: which words of the registry have a code.

    Tables that give the same words codes of several versions are read as one.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self._codes: dict[str, set[Code]] = {}
        self._words: dict[Code, dict[str, None]] = {}
        self.shown: dict[str, dict[str, None]] = {}
        for name in names:
            for row in table(name):
                codes = self._codes.setdefault(row.source, set())
                if row.code:
                    codes.add((row.system, row.code))
                    self._words.setdefault((row.system, row.code), {})[row.source] = None
                    self.shown.setdefault(row.display, {})[row.source] = None
        self._systems = {system for system, _ in self._words}

    def __contains__(self, code: Code) -> bool:
        return code in self._words

    def codes_of(self, word: str) -> set[Code]:
        """Return the codes of a word; none where it has none."""
        return self._codes.get(word, set())

    def with_code(self, code: str) -> list[str]:
        """Return the words that have a code, whatever its system."""
        return list(
            dict.fromkeys(word for (_, known), words in self._words.items() if known == code for word in words)
        )

    def word(self, codes: Sequence[Code], text: str | None, notes: Notes, place: str) -> str | None:
        """Return the word that codes and the text beside them stand for.

        The text tells which word it is as long as it has these codes. Codes that say something else win; where
        they stand for no word of the registry, or for several, an Issue says so and nothing is guessed.
        """
        own = [code for code in codes if code[0] in self._systems]
        if not own:
            if text is None and codes:
                shown = ", ".join(f"{code} of {system or 'no system'}" for system, code in codes)
                notes.note("no-word", f"the registry has no word for {shown[:_SHOWN]}", place)
            return text
        if text is not None and self.codes_of(text).issuperset(own):
            return text
        changed = [code for code in own if text is None or code not in self.codes_of(text)]
        # A text that is no word of the registry says nothing against a code.
        beside = text if text in self._codes else None
        return one_of(self._standing_for(changed), changed[0][1], beside, notes, place)

    def _standing_for(self, codes: Iterable[Code]) -> list[str]:
        """Return the words that have all of some codes."""
        found: dict[str, None] | None = None
        for code in codes:
            words = self._words.get(code, {})
            found = dict(words) if found is None else {word: None for word in found if word in words}
        return list(found or {})


def one_of(words: Sequence[str], code: str, text: str | None, notes: Notes, place: str) -> str | None:
    """Return the only word that a code stands for; with none or several an Issue tells of the code.

    `text` is what the document says beside the code; the Issue tells that it says another thing.
    """
    beside = f"; the text beside it is {text[:_SHOWN]!r}" if text is not None else ""
    if len(words) == 1:
        if text is not None:
            message = f"the code {code!r} says {words[0]}, not {text[:_SHOWN]!r}; the code is used"
            notes.note("contradiction", message, place)
        return words[0]
    if words:
        message = f"{code!r} can be {', '.join(words[:-1])} or {words[-1]}{beside}; left out"
        notes.note("ambiguous-code", message, place)
    else:
        notes.note("no-word", f"the registry has no word for the code {code[:_SHOWN]!r}{beside}; left out", place)
    return None


@cache
def words(*names: str) -> Words:
    """Return code tables read backwards."""
    return Words(names)
