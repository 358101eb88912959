"""What a trace tells: the leaves of a document with their origins, and those of the record with their ways."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple, get_args

import msgspec

from trialconv.lineage.values import CodedBy, How

#: A single value of a document or of a record.
Value = str | int | float | bool | None


#: The ways in which leaves come about, in the order of display.
WAYS: Final[tuple[How, ...]] = get_args(How)


class Subject(NamedTuple):
    """What a lineage is of: a record, by its id, in a target."""

    record: str
    target: str


class Leaf(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="side", tag="document"):
    """A single value of the document of a record in a target, and where it comes from.

    `path` is exact: `Bundle.entry[0].resource.identifier[0].value`. `place` begins at the nearest part with a
    name: `ResearchStudy/NCT99999901.identifier[0].value`. `element` is the path without positions, from the class
    of that part: `ResearchStudy.identifier.value`. `file` is the document's name where a study becomes several.

    `how` is `copied`, `coded` (by `row` of the code table `table`), `parsed` (taken out of a text), `derived`
    (made of values, or decided by them), `filled-in` (demanded by the target, not said by the record) or
    `constant` (of the mapping, or of an option). `sources` are paths of the record: first what was copied or
    coded, then what decided on it.
    """

    record: str
    target: str
    path: str
    place: str
    element: str
    value: Value
    how: How
    sources: tuple[str, ...] = ()
    table: str = ""
    row: CodedBy | None = None
    file: str = ""


class SourceLeaf(msgspec.Struct, frozen=True, omit_defaults=True, gc=False, tag_field="side", tag="record"):
    """A single value of a record, the elements of the document that it went to, and why to none.

    `elements` are paths without positions, as `Leaf.element`; `Lineage.of_source` gives the leaves. The results
    section, which no target has, is one leaf without a value.
    """

    record: str
    target: str
    path: str
    value: Value
    elements: tuple[str, ...] = ()
    reason: str = ""


class Lineage(msgspec.Struct, frozen=True):
    """The lineage of one record in one target: every leaf of the document, and every leaf of the record."""

    record: str
    target: str
    leaves: tuple[Leaf, ...]
    sources: tuple[SourceLeaf, ...]

    def counts(self) -> dict[How, int]:
        """Return how many leaves of the document came about in each way."""
        found = dict.fromkeys(WAYS, 0)
        for leaf in self.leaves:
            found[leaf.how] += 1
        return found

    def of_source(self, path: str) -> list[Leaf]:
        """Return the leaves that come from a value of the record, or from what is below it.

        Positions may be left out or be empty: `a.b[2].c`, `a.b[].c` and `a.b.c` all hold for `a.b[2].c`.
        """
        holds = path_matcher(path)
        return [leaf for leaf in self.leaves if any(map(holds, leaf.sources))]


_STEP: Final = re.compile(r"([^.\[]+)(?:\[(\d*)\])?")


def path_pattern(wanted: str) -> str:
    """Return a pattern for the paths of a record that a path means; a list without a position is all of it."""
    steps = []
    for name, position in _STEP.findall(wanted):
        steps.append(re.escape(name) + (rf"\[{position}\]" if position else r"(?:\[\d+\])?"))
    return r"\.".join(steps)


class _Matcher:
    """Tells whether a path is one that is looked for, or below it; each path is judged once."""

    def __init__(self, wanted: str) -> None:
        self._pattern = re.compile(path_pattern(wanted) + r"(?:$|[.\[])")
        self._known: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._pattern.match(path) is not None
        return known


def path_matcher(wanted: str) -> Callable[[str], bool]:
    """Return a function that tells whether a path of the record is the wanted one, or below it."""
    return _Matcher(wanted)


def without_positions(path: str) -> str:
    """Return a path of the record as field tables have it: `a[3].b` is `a[].b`."""
    return re.sub(r"\[\d+\]", "[]", path)


def elements_by_source(leaves: tuple[Leaf, ...]) -> dict[str, dict[str, None]]:
    """Return the elements that each source went to, each once and in their order."""
    found: dict[str, dict[str, None]] = {}
    for leaf in leaves:
        element = leaf.element
        for source in leaf.sources:
            known = found.get(source)
            if known is None:
                found[source] = {element: None}
            else:
                known[element] = None
    return found
