"""A lineage as lines: of JSON for programs, or of CSV for people with a spreadsheet.

There is a line for each leaf of the document (`side` is `document`), then one for each leaf of the record
(`side` is `record`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from trialconv.tracing.model import Leaf, Lineage, SourceLeaf, Value

#: The columns of the CSV. Several paths in one of them have `; ` between them.
COLUMNS: Final = (
    "record",
    "target",
    "side",
    "file",
    "path",
    "place",
    "element",
    "value",
    "how",
    "sources",
    "table",
    "row source",
    "row system",
    "row code",
    "row relation",
    "row note",
    "elements",
    "reason",
)


def as_json_lines(lineage: Lineage) -> bytes:
    """Return a lineage as JSON, a leaf on a line. What says nothing is left out: the sources of a constant."""
    return json_lines(lineage.leaves) + json_lines(lineage.sources)


def json_lines(leaves: Sequence[Leaf | SourceLeaf]) -> bytes:
    """Return leaves as JSON, one on a line."""
    return _ENCODER.encode_lines(leaves)


_ENCODER: Final = msgspec.json.Encoder()


def as_csv(lineage: Lineage) -> bytes:
    """Return a lineage as CSV without the line of columns."""
    held = io.StringIO()
    rows = csv.writer(held, lineterminator="\n")
    rows.writerows(map(_document_cells, lineage.leaves))
    rows.writerows(map(_record_cells, lineage.sources))
    return held.getvalue().encode("utf-8", "surrogatepass")


def _document_cells(leaf: Leaf) -> list[Any]:
    row = leaf.row
    coded = (row.source, row.system, row.code, row.relation, row.note) if row is not None else [""] * 5
    return [
        leaf.record,
        leaf.target,
        "document",
        leaf.file,
        leaf.path,
        leaf.place,
        leaf.element,
        _word(leaf.value),
        leaf.how,
        "; ".join(leaf.sources),
        leaf.table,
        *coded,
        "",
        "",
    ]


def _record_cells(source: SourceLeaf) -> list[Any]:
    begin = [source.record, source.target, "record", "", source.path, "", "", _word(source.value)]
    return [*begin, *[""] * 8, "; ".join(source.elements), source.reason]


def _word(value: Value) -> Any:
    """Return a value as it stands in a cell."""
    return ("true" if value else "false") if isinstance(value, bool) else value


def csv_header() -> bytes:
    """Return the line of columns."""
    return (",".join(COLUMNS) + "\n").encode()


#: How a lineage is written: the first line, if any, and the lines of one record.
Writer = tuple[bytes, Callable[[Lineage], bytes]]


def writer_for(name: str) -> Writer:
    """Return how to write a lineage to a file of that name: CSV where it ends in `.csv`, else JSON lines."""
    return (csv_header(), as_csv) if name.lower().endswith(".csv") else (b"", as_json_lines)
