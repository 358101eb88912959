"""What `trialconv explain` prints for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trialconv.tracing.model import Leaf, SourceLeaf, Value

_SHOWN: Final = 20
_WIDTH: Final = 100
_NARROW: Final = 50

_WORDS: Final = {
    "copied": "copied",
    "coded": "coded",
    "parsed": "taken out of the text",
    "derived": "derived",
    "constant": "a constant of the mapping, or an option",
    "filled-in": "filled in, since the record does not say it",
}


def as_text(sources: list[SourceLeaf], leaves: list[Leaf], *, everything: bool) -> Iterator[str]:
    """Yield the lines that tell where leaves of a document come from or, of sources, where they went."""
    if not sources:
        for leaf in leaves if everything else leaves[:_SHOWN]:
            yield f"{leaf.place} = {_shown(leaf.value)}"
            yield from _origin(leaf)
            yield f"  at {leaf.path}" + (f" of {leaf.file}" if leaf.file else "") + f" ({leaf.target})"
        yield from _rest(len(leaves), everything=everything)
    for source in sources if everything else sources[:_SHOWN]:
        yield f"{source.path} = {_shown(source.value)}"
        yield f"  is not in {source.target}: {source.reason}" if source.reason else f"  in {source.target}:"
        went = [leaf for leaf in leaves if source.path in leaf.sources]
        for leaf in went if everything else went[:_SHOWN]:
            yield f"  -> {leaf.place} = {_shown(leaf.value, _NARROW)}: {_way(leaf)}"
        yield from _rest(len(went), everything=everything, indent="  ")
    if sources:
        yield from _rest(len(sources), everything=everything)


def _rest(count: int, *, everything: bool, indent: str = "") -> Iterator[str]:
    if count > _SHOWN and not everything:
        yield f"{indent}... and {count - _SHOWN} more; --all names them"


def _origin(leaf: Leaf) -> Iterator[str]:
    """Yield how a leaf came about, from what, and the row that coded it."""
    if leaf.sources:
        yield f"  <- {leaf.sources[0]}: {_way(leaf)}"
        yield from (f"  <- {source}" for source in leaf.sources[1:])
    else:
        yield f"  {_way(leaf)}"
    if leaf.row is not None and leaf.row.note:
        yield f"     note: {leaf.row.note}"


def _way(leaf: Leaf) -> str:
    row = leaf.row
    if row is None:
        return _WORDS[leaf.how]
    relation = f", {row.relation}" if row.relation else ""
    return f"coded by the row {row.source} -> {row.code} of the table {leaf.table}{relation}"


def _shown(value: Value, width: int = _WIDTH) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "(not read)"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= width else f"{text[:width]}..."
