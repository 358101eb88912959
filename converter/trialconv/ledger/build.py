"""The data of a ledger: what a page needs to show a record beside its documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from trialconv.catalog import Target
from trialconv.context import Options
from trialconv.ledger.lines import NO_LEAF, Line, document_lines
from trialconv.pipeline import Converted, transform
from trialconv.record import Record
from trialconv.tracing.model import WAYS, Leaf, SourceLeaf
from trialconv.tracing.run import traced

_RESULTS: Final = "resultsSection"
_STEP: Final = re.compile(r"[^.\[\]]+|\[\d+\]")


class SourcePart(msgspec.Struct):
    """The record: its lines, and the number of each value's line (in the order of `SourceLeaf`)."""

    lines: list[Line]


class DocumentPart(msgspec.Struct, rename="camel"):
    """A document: its lines, and of each value how it came, from which values of the record, by which code row.

    `origins` has `[how, sources]` or `[how, sources, row]` for each value, where `row` is the number of a text in
    `rows`. `reasons` has, by the number of a value of the record, why it is not in this document.
    """

    target: str
    title: str
    lines: list[Line]
    origins: list[list[Any]]
    rows: list[str]
    reasons: dict[int, str]
    findings: list[str]


class Ledger(msgspec.Struct):
    """A record beside its documents."""

    record: str
    title: str
    source: SourcePart
    documents: list[DocumentPart]


def ledger_of(record: Record, targets: Iterable[Target], options: Options) -> Ledger:
    """Convert a record to several targets, with the lineage of each document. Raises what `ledger` raises."""
    return ledger(record, ((target, transform(record, target, options)) for target in targets), options)


def ledger(record: Record, documents: Iterable[tuple[Target, Converted]], options: Options) -> Ledger:
    """Return the ledger of a record and what it became. Raises TraceError for a defect of the lineage."""
    parts: list[DocumentPart] = []
    source: SourcePart | None = None
    numbers: dict[str, int] = {}
    for target, made in documents:
        lineage = traced(record, target, options, made.document, made.issues)
        if source is None:
            numbers = {leaf.path: number for number, leaf in enumerate(lineage.sources)}
            source = SourcePart(_source_lines(record, numbers))
        parts.append(_document(made, target, lineage.leaves, lineage.sources, numbers))
    title = record.study.protocol_section.identification_module.brief_title or ""
    return Ledger(record.nct_id, title, source or SourcePart([]), parts)


def _source_lines(record: Record, numbers: dict[str, int]) -> list[Line]:
    """Return the lines of a record; a value has the number of its path, and the results are one line."""
    tree = json.loads(record.to_json())
    results = tree.pop(_RESULTS, None)
    lines: list[Line] = []
    _tree_lines(tree, "", "", -1, numbers, lines)
    if results is not None:
        lines.append(Line(0, _RESULTS, "not converted", numbers.get(_RESULTS, NO_LEAF)))
    for path, number in numbers.items():
        if path.startswith("extras."):
            lines.append(Line(0, path, str(_extra(record, path)), number))
    return lines


def _tree_lines(value: Any, label: str, path: str, depth: int, numbers: dict[str, int], lines: list[Line]) -> None:
    if isinstance(value, dict | list):
        if label:
            lines.append(Line(depth, label, f"{len(value)}" if isinstance(value, list) else "", NO_LEAF))
        items = value.items() if isinstance(value, dict) else ((f"[{n}]", each) for n, each in enumerate(value))
        for key, item in items:
            step = key if key.startswith("[") or not path else f".{key}"
            _tree_lines(item, key, path + step, depth + 1, numbers, lines)
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        lines.append(Line(depth, label, text, numbers.get(path, NO_LEAF)))


def _extra(record: Record, path: str) -> Any:
    """Return what stands in the record's extras at a path."""
    found: Any = record.extras
    for step in _STEP.findall(path.removeprefix("extras.")):
        found = found[int(step[1:-1])] if step.startswith("[") else found[step]
    return found


def _document(
    made: Converted,
    target: Target,
    leaves: tuple[Leaf, ...],
    sources: tuple[SourceLeaf, ...],
    numbers: dict[str, int],
) -> DocumentPart:
    rows: dict[str, int] = {}
    origins = [_origin(leaf, numbers, rows) for leaf in leaves]
    lines = document_lines(made.document)
    if sum(line.leaf != NO_LEAF for line in lines) != len(leaves):
        raise ValueError(f"{target.name}: the lines of the document are not those of its lineage")
    reasons = {numbers[leaf.path]: leaf.reason for leaf in sources if leaf.reason and leaf.path in numbers}
    return DocumentPart(
        target.name, target.title, lines, origins, list(rows), reasons, [str(each) for each in made.findings]
    )


def _origin(leaf: Leaf, numbers: dict[str, int], rows: dict[str, int]) -> list[Any]:
    origin: list[Any] = [WAYS.index(leaf.how), [numbers[path] for path in leaf.sources if path in numbers]]
    if leaf.row is not None:
        row = leaf.row
        note = f"; {row.note}" if row.note else ""
        text = f"{leaf.table}: {row.source} -> {row.code} {row.display!r} ({row.relation}){note}"
        origin.append(rows.setdefault(text, len(rows)))
    return origin
