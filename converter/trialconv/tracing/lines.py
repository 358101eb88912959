"""A lineage as lines: of JSON for programs, or of CSV for people with a spreadsheet.

There is a line for each leaf of the document (`side` is `document`), then one for each leaf of the record
(`side` is `record`).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec

from trialconv.tracing.model import Leaf, Lineage, SourceLeaf, Value
from trialconv_mappings.tables import Row


class RowLine(msgspec.Struct, frozen=True):
    """The row of a code table, but for its note."""

    source: str
    system: str
    code: str
    display: str
    relation: str


class Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A line of lineage. What says nothing is left out: `sources` of a constant, `table` of what is not coded."""

    record: str
    target: str
    side: str
    file: str = ""
    path: str
    element: str = ""
    value: Value = None
    how: str = ""
    sources: tuple[str, ...] = ()
    table: str = ""
    row: RowLine | None = None
    targets: tuple[str, ...] = ()
    reason: str = ""


#: The columns of the CSV. Several paths in one of them have `; ` between them.
COLUMNS: Final = (
    "record",
    "target",
    "side",
    "file",
    "path",
    "element",
    "value",
    "how",
    "sources",
    "table",
    "row source",
    "row system",
    "row code",
    "row relation",
    "targets",
    "reason",
)


def lines_of(lineage: Lineage) -> Iterator[Line]:
    """Yield the lines of a lineage."""
    for leaf in lineage.leaves:
        yield document_line(lineage, leaf)
    for source in lineage.sources:
        yield record_line(lineage, source)


def document_line(lineage: Lineage, leaf: Leaf) -> Line:
    """Return the line of a leaf of the document."""
    return Line(
        record=lineage.record,
        target=lineage.target,
        side="document",
        file=leaf.file,
        path=leaf.path,
        element=leaf.element,
        value=leaf.value,
        how=leaf.how,
        sources=leaf.sources,
        table=leaf.table,
        row=_row_line(leaf.row) if leaf.row is not None else None,
    )


def record_line(lineage: Lineage, source: SourceLeaf) -> Line:
    """Return the line of a leaf of the record."""
    return Line(
        record=lineage.record,
        target=lineage.target,
        side="record",
        path=source.path,
        value=source.value,
        targets=source.targets,
        reason=source.reason,
    )


@lru_cache(maxsize=4096)
def _row_line(row: Row) -> RowLine:
    return RowLine(row.source, row.system, row.code, row.display, row.relation)


def as_json_lines(lineage: Lineage) -> bytes:
    """Return a lineage as JSON, a leaf on a line."""
    return _ENCODER.encode_lines(lines_of(lineage))


_ENCODER: Final = msgspec.json.Encoder()


def as_csv(lineage: Lineage) -> bytes:
    """Return a lineage as CSV without the line of columns."""
    held = io.StringIO()
    csv.writer(held, lineterminator="\n").writerows(map(_cells, lines_of(lineage)))
    return held.getvalue().encode("utf-8", "surrogatepass")


def csv_header() -> bytes:
    """Return the line of columns."""
    return (",".join(COLUMNS) + "\n").encode()


def _cells(line: Line) -> list[Any]:
    row = line.row
    coded = (row.source, row.system, row.code, row.relation) if row is not None else ("", "", "", "")
    value = line.value
    if isinstance(value, bool):
        value = "true" if value else "false"
    return [
        line.record,
        line.target,
        line.side,
        line.file,
        line.path,
        line.element,
        value,
        line.how,
        "; ".join(line.sources),
        line.table,
        *coded,
        "; ".join(line.targets),
        line.reason,
    ]


#: How a lineage is written: the first line, if any, and the lines of one record.
Writer = tuple[bytes, Callable[[Lineage], bytes]]


def writer_for(name: str) -> Writer:
    """Return how to write a lineage to a file of that name: CSV where it ends in `.csv`, else JSON lines."""
    return (csv_header(), as_csv) if name.lower().endswith(".csv") else (b"", as_json_lines)
