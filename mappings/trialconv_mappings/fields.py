"""Where each field of the record goes, per target: the tables from which losses are listed.

Each room of targets has a `fields.csv`: one row per leaf path of the record (list steps end in `[]`), a column
per target with the field's home, and the reason where a home is missing. `resultsSection` is one row.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

#: The room and the column of each target.
_COLUMNS: Final = {
    "fhir-r4": ("fhir", "fhir-r4"),
    "fhir-r4b": ("fhir", "fhir-r4"),
    "fhir-r5": ("fhir", "fhir-r5"),
    "odm-2.0": ("odm", "odm-2.0"),
    "odm-1.3.2": ("odm", "odm-1.3.2"),
    "sdtm": ("sdtm", "sdtm"),
}


_PAGE_EXTRAS: Final = frozenset({"title", "lastUpdated", "countries"})

#: What each target carries of a record's extras; None is all of them.
CARRIED_EXTRAS: Final[dict[str, frozenset[str] | None]] = {
    "fhir-r4": _PAGE_EXTRAS,
    "fhir-r4b": _PAGE_EXTRAS,
    "fhir-r5": _PAGE_EXTRAS,
    "odm-2.0": None,
    "odm-1.3.2": frozenset(),
    "sdtm": _PAGE_EXTRAS,
}


class FieldRow(NamedTuple):
    """A field of the record, its home in one target (empty: none) and why it has none."""

    path: str
    home: str
    reason: str


@cache
def field_rows(target: str) -> tuple[FieldRow, ...]:
    """Return the rows of a target's field table. Raises KeyError for an unknown target."""
    room, column = _COLUMNS[target]
    text = files(f"trialconv_mappings.{room}").joinpath("fields.csv").read_text(encoding="utf-8")
    return tuple(FieldRow(row["field"], row[column], row["reason"]) for row in csv.DictReader(text.splitlines()))
