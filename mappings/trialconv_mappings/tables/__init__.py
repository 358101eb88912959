"""Code tables: reviewed CSV files with a strict look-up.

Each file has the columns `source,target system,target code,display,relation,note`. A source value has one row
per target coding, in the order in which the codings are written, or one row with an empty code, which says
that a reviewer found no code: text only. `relation` is that of a FHIR ConceptMap (`equivalent`,
`source-is-narrower-than-target`, ...) or empty where there is no code. There is no default row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

COLUMNS = ("source", "target system", "target code", "display", "relation", "note")


class Row(NamedTuple):
    """A row of a code table."""

    source: str
    system: str
    code: str
    display: str
    relation: str
    note: str


class CodeTable:
    """A code table: source values to the rows that carry a code for them."""

    def __init__(self, name: str, rows: list[Row]) -> None:
        self.name = name
        self.rows = rows
        #: What mappings made of a value and a text, so that it is made once. Values of the table only.
        self.memo: dict[tuple[str, str | None], dict[str, Any]] = {}
        self._coded: dict[str, tuple[Row, ...]] = {}
        for row in rows:
            before = self._coded.get(row.source, ())
            self._coded[row.source] = (*before, row) if row.code else before

    def get(self, source: str) -> tuple[Row, ...] | None:
        """Return the rows with a code: an empty tuple where the table says "no code", None without a row."""
        return self._coded.get(source)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __contains__(self, source: object) -> bool:
        return source in self._coded


@cache
def table(name: str) -> CodeTable:
    """Load the table `name`.csv of this folder.

    Raises FileNotFoundError for a table that is not there and ValueError for one with other columns.
    """
    text = files(__name__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    lines = csv.reader(text.splitlines())
    header = tuple(next(lines))
    if header != COLUMNS:
        raise ValueError(f"{name}.csv: expected the columns {', '.join(COLUMNS)}; found {', '.join(header)}")
    try:
        return CodeTable(name, [Row(*line) for line in lines])
    except TypeError:
        raise ValueError(f"{name}.csv: line {lines.line_num} has not {len(COLUMNS)} columns") from None


def table_names() -> list[str]:
    """Return the names of all code tables."""
    return sorted(
        entry.name.removesuffix(".csv") for entry in files(__name__).iterdir() if entry.name.endswith(".csv")
    )
