"""What a trace tells: the leaves of a document with their origins, and the leaves of the record with their ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from trialconv.lineage.values import WHOLE_RECORD, How
from trialconv_mappings.tables import Row

#: A single value of a document or of a record.
Value = str | int | float | bool | None


class Anchor(NamedTuple):
    """A part of a document that has a name of its own: its exact path, and its name (`Group/NCT09900001-e`)."""

    path: str
    name: str


class Leaf(msgspec.Struct, frozen=True, gc=False):
    """A single value of a document, and where it comes from.

    `file` is the document's name where a study becomes several. `element` is the path without positions, from the
    class of the nearest part that has a name: `ResearchStudy.identifier.value`. `sources` are the paths of values of
    the record. `how` is `copied`, `coded` (by `row` of the code table `table`), `parsed` (taken out of a text),
    `derived` (made of one or several values, or decided by them), `filled-in` (demanded by the target and not said
    by the record) or `constant` (the mapping's own, or an option's).
    """

    file: str
    anchor: Anchor
    within: str
    element: str
    value: Value
    how: How
    sources: tuple[str, ...]
    table: str
    row: Row | None

    @property
    def path(self) -> str:
        """The exact path in the document."""
        return self.anchor.path + self.within

    @property
    def place(self) -> str:
        """The path from the nearest part that has a name: `Group/NCT09900001-eligibility.name`."""
        return self.anchor.name + self.within


class SourceLeaf(msgspec.Struct, frozen=True, gc=False):
    """A single value of a record, the exact paths of the leaves that it went to, and why to none.

    The results section, which no target has, is one leaf without a value. Where a study becomes several files
    their names stand before the paths: `ts.json: TS.rows[0].TSVAL`.
    """

    path: str
    value: Value
    targets: tuple[str, ...]
    reason: str = ""


class Lineage(msgspec.Struct, frozen=True):
    """The lineage of one record in one target: every leaf of the document, and every leaf of the record."""

    record: str
    target: str
    leaves: tuple[Leaf, ...]
    sources: tuple[SourceLeaf, ...]

    def of_source(self, path: str) -> list[Leaf]:
        """Return the leaves that come from a value of the record, or from what is below it.

        Positions may be left out or be empty: `a.b[2].c`, `a.b[].c` and `a.b.c` all hold for `a.b[2].c`.
        """
        holds = path_matcher(path)
        return [leaf for leaf in self.leaves if any(map(holds, leaf.sources))]


class _Matcher:
    """Tells whether a path is one that is looked for, or below it; each path is judged once."""

    def __init__(self, wanted: str) -> None:
        steps = [re.escape(step.rstrip("]")) for step in re.sub(r"\[\]", "", wanted).split("[")]
        pattern = r"\[".join(steps)
        # A step without a position holds for all of them.
        pattern = re.sub(r"(\\\[\d+)", r"\1]", pattern)
        parts = pattern.split(r"\.")
        pattern = r"\.".join(part if part.endswith("]") else part + r"(?:\[\d+\])?" for part in parts)
        self._pattern = re.compile(pattern + r"(?:$|[.\[])")
        self._known: dict[str, bool] = {}

    def __call__(self, path: str) -> bool:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = self._pattern.match(path) is not None
        return known


def path_matcher(wanted: str) -> Any:
    """Return a function that tells whether a path of the record is the wanted one, or below it."""
    return _Matcher(wanted)


def without_positions(path: str) -> str:
    """Return a path of the record as field tables have it: `a[3].b` is `a[].b`."""
    return re.sub(r"\[\d+\]", "[]", path)


def is_whole(path: str) -> bool:
    """Tell whether a source is the record as a whole."""
    return path == WHOLE_RECORD


def paths_to(leaves: tuple[Leaf, ...]) -> dict[str, list[str]]:
    """Return the exact paths of the leaves that each source went to."""
    found: dict[str, list[str]] = {}
    for leaf in leaves:
        path = f"{leaf.file}: {leaf.path}" if leaf.file else leaf.path
        for source in leaf.sources:
            found.setdefault(source, []).append(path)
    return found


def counted(leaves: tuple[Leaf, ...]) -> Iterator[tuple[How, int]]:
    """Yield how many leaves there are of each way, in a fixed order."""
    counts: dict[How, int] = dict.fromkeys(("copied", "coded", "parsed", "derived", "constant", "filled-in"), 0)  # type: ignore[assignment,arg-type]
    for leaf in leaves:
        counts[leaf.how] += 1
    yield from counts.items()
