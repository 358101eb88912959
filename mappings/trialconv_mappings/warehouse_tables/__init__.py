"""The tables of the warehouse: two reviewed CSV files, of which everything that knows a column is made.

`tables.csv` has a row per table, `columns.csv` one per column: its type, whether it may be empty, its place in
the key, its meaning, its unit, the fields of the record that it comes from, and the version of the schema since
which it is there. The DDL, the comments, the types of Arrow, the mapping of `studies` and the page of the schema
follow them.

`rule` says how a value is made where it is not the field as it stands: `first-day` and `last-day` of a date that
may name a month or a year, `number`, `unit` and `years` of a time span, `extras`; `sink`: the warehouse fills it
in.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple, get_args

Type = Literal["TEXT", "TEXT[]", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "JSON"]

#: The version of the schema. It grows when a table or column is added, which then says so in `since`.
SCHEMA_VERSION: Final = 1


class Column(NamedTuple):
    """A column of a table. `key` is its place in the primary key, 0 when it is none of it."""

    table: str
    name: str
    type: Type
    nullable: bool
    key: int
    meaning: str
    unit: str
    sources: tuple[str, ...]
    rule: str
    since: int

    @property
    def comment(self) -> str:
        """The comment that a database keeps: the meaning, the unit and the source fields."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        source = f" Source: {', '.join(self.sources)}." if self.sources else ""
        return f"{self.meaning}.{unit}{source}"


class Table(NamedTuple):
    """A table: its name, what a row of it is, what it holds, and its columns in their order."""

    name: str
    row: str
    meaning: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the columns of its primary key."""
        return tuple(each.name for each in sorted(self.columns, key=lambda each: each.key) if each.key)

    @property
    def since(self) -> int:
        """The version of the schema since which it is there."""
        return min(each.since for each in self.columns)

    @property
    def comment(self) -> str:
        """The comment that a database keeps."""
        return f"{self.meaning}. A row is a {self.row}."


#: The table of studies; all others but `loads` belong to a study by their first column.
STUDIES: Final = "studies"
#: The tables that the load itself keeps.
VERSIONS: Final = "study_versions"
LOADS: Final = "loads"
#: The table of FHIR resources.
RESOURCES: Final = "fhir_resources"


@cache
def tables() -> dict[str, Table]:
    """Return the tables by name, in the order of `tables.csv`. Raises ValueError for a type that is none."""
    columns: dict[str, list[Column]] = {}
    for row in _rows("columns.csv"):
        columns.setdefault(row["table"], []).append(_column(row))
    return {
        row["table"]: Table(row["table"], row["row"], row["meaning"], tuple(columns[row["table"]]))
        for row in _rows("tables.csv")
    }


def _column(row: dict[str, str]) -> Column:
    type_ = row["type"]
    if type_ not in get_args(Type):
        raise ValueError(f"{type_!r} is no type of a column")
    return Column(
        row["table"],
        row["column"],
        type_,  # type: ignore[arg-type]
        row["nullable"] != "no",
        int(row["key"] or 0),
        row["meaning"],
        row["unit"],
        tuple(row["source"].split("; ")) if row["source"] else (),
        row["rule"],
        int(row["since"]),
    )


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
