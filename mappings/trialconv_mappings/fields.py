"""Where each field of the record goes, per target: the tables from which losses and coverage are told.

Each room of targets has a `fields.csv`: one row per leaf path of the record (list steps end in `[]`) with

- a column per target: the field's home there, or several with `; ` between them;
- `reason`: why a home is missing;
- `codes`: the code tables that give the field's values their codes, with `; ` between them. A star stands for
  the target's version (`fhir_*_phase`). `joined:TABLE` looks up all words of a list as one, `unit:TABLE` the unit
  after a number, `span:TABLE` the unit of a time span, in the singular. `mesh:condition` and `mesh:intervention`
  compare with the MeSH headings that the registry derived, `mesh:heading` is such a heading itself. `TYPE|TYPE?`
  in front says that the code is written for studies of these types only. What one column
  alone has ends in `@` and that column: `countries@odm-2.0`.

A row for an object or a section stands for every field below it that has no row of its own: `resultsSection`.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib.resources import files
from typing import Final, Literal, NamedTuple

#: The room and the column of each target.
_COLUMNS: Final = {
    "fhir-r4": ("fhir", "fhir-r4"),
    "fhir-r4b": ("fhir", "fhir-r4"),
    "fhir-r5": ("fhir", "fhir-r5"),
    "odm-2.0": ("odm", "odm-2.0"),
    "odm-2.0-json": ("odm", "odm-2.0"),
    "odm-1.3.2": ("odm", "odm-1.3.2"),
    "odm-1.3.2-plain": ("odm", "odm-1.3.2-plain"),
    "rpe": ("rpe", "rpe"),
    "sdtm": ("sdtm", "sdtm"),
    "usdm-4.0": ("usdm", "usdm-4.0"),
    "warehouse": ("warehouse", "warehouse"),
}


#: The registry's own JSON, in which every field is at home.
_OWN_FORM: Final = "ctgov-json"
_PAGE_EXTRAS: Final = frozenset({"title", "lastUpdated", "countries"})

#: What each target carries of a record's extras; None is all of them.
CARRIED_EXTRAS: Final[dict[str, frozenset[str] | None]] = {
    _OWN_FORM: frozenset(),
    "fhir-r4": _PAGE_EXTRAS,
    "fhir-r4b": _PAGE_EXTRAS,
    "fhir-r5": _PAGE_EXTRAS,
    "odm-2.0": None,
    "odm-2.0-json": None,
    "odm-1.3.2": None,
    "odm-1.3.2-plain": frozenset(),
    "rpe": frozenset({"title"}),
    "sdtm": _PAGE_EXTRAS,
    "usdm-4.0": None,
    "warehouse": None,
}

#: Where a value stands: in an element of the standard, or in an extension of it.
Standing = Literal["native", "extension"]

#: What the text of a home has that lies outside of the standard's own elements: an extension of FHIR or of USDM,
#: the registry's own parameter, an element or attribute of a namespace of our own.
_EXTENDED: Final = re.compile(r"\bextension\(|\bExtensionAttribute\[|\[CTG\.|(?:^|/)@?(?!xml:|sdm:)[a-z]\w*:\w")

_CONTACTS: Final = tuple(
    f"protocolSection.contactsLocationsModule.{contacts}[]."
    for contacts in ("centralContacts", "locations[].contacts")
)
#: Targets that keep the role of a contact whose name, addresses and numbers are left out.
_ROLE_KEPT: Final = frozenset({"odm-2.0", "odm-2.0-json", "odm-1.3.2"})


class CodeUse(NamedTuple):
    """How a field is coded: the way (`word`, `joined`, `unit`, `span`, `mesh`), and the table or what of MeSH.

    `study_types` are the types of studies in which it is; all, where there is none.
    """

    way: str
    name: str
    study_types: tuple[str, ...] = ()


class FieldRow(NamedTuple):
    """A field of the record, its home in one target (empty: none), why it has none, and what codes it."""

    path: str
    home: str
    reason: str
    codes: str = ""

    @property
    def homes(self) -> tuple[str, ...]:
        """The homes one by one."""
        return tuple(self.home.split("; ")) if self.home else ()

    @property
    def standing(self) -> Standing | None:
        """Where the field's values stand: natively when one of the homes is native, None without a home."""
        if not self.home:
            return None
        return "extension" if all(_EXTENDED.search(home) for home in self.homes) else "native"

    @property
    def code_uses(self) -> tuple[CodeUse, ...]:
        """The code tables that the field goes through in this target; none without a home."""
        if not self.home or not self.codes:
            return ()
        return tuple(_code_use(use) for use in self.codes.split("; "))


def _code_use(text: str) -> CodeUse:
    types, _, rest = text.rpartition("?")
    way, _, name = rest.rpartition(":")
    return CodeUse(way or "word", name, tuple(types.split("|")) if types else ())


@cache
def field_rows(target: str) -> tuple[FieldRow, ...]:
    """Return the rows of a target's field table. Raises KeyError for an unknown target."""
    if target == _OWN_FORM:
        return tuple(FieldRow(row.path, row.path, "") for row in field_rows("fhir-r4"))
    room, column = _COLUMNS[target]
    text = files(f"trialconv_mappings.{room}").joinpath("fields.csv").read_text(encoding="utf-8")
    return tuple(
        FieldRow(row["field"], row[column], row["reason"], _codes_of(row.get("codes") or "", column))
        for row in csv.DictReader(text.splitlines())
    )


def _codes_of(codes: str, column: str) -> str:
    """Return what a column of targets has of a row's code tables."""
    if "@" in codes:
        uses = (use.partition("@") for use in codes.split("; "))
        codes = "; ".join(use for use, _, only in uses if only in ("", column))
    return codes.replace("*", column.rpartition("-")[2])


def field_row(target: str, path: str) -> FieldRow | None:
    """Return the row for a field: its own or that of the nearest object above it; None when there is neither."""
    rows = _by_path(target)
    while path not in rows:
        path = path.rpartition(".")[0]
        if not path:
            return None
    return rows[path]


@cache
def _by_path(target: str) -> dict[str, FieldRow]:
    return {row.path: row for row in field_rows(target)}


def withheld_fields(target: str) -> tuple[str, ...]:
    """Return the fields that a document does not hold when contacts are left out."""
    names = ("name", "phone", "phoneExt", "email", *(() if target in _ROLE_KEPT else ("role",)))
    return tuple(contacts + name for contacts in _CONTACTS for name in names)
