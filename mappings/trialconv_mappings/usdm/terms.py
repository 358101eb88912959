"""The terms that USDM codes stand for: the code tables with preferred terms and versions."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from trialconv.lineage import derived, looked_up, remembered
from trialconv_mappings.cdisc.codelists import CODELISTS, FIXED
from trialconv_mappings.tables import Row, table

#: The code system of CDISC terminology, as USDM writes it.
CDISC: Final = "http://www.cdisc.org"
#: The edition of ISO 3166-1 in use.
_ISO_3166: Final = "2020-08"


class Term(NamedTuple):
    """A code with its system, the system's version, and the preferred term."""

    code: str
    system: str
    version: str
    decode: str


@remembered(None)
def terms(name: str, rows: tuple[Row, ...]) -> tuple[Term, ...]:
    """Return the terms of rows of a table of CDISC terms."""
    version = CODELISTS[name].effective
    return tuple(Term(row.code, *derived((CDISC, version), row.code), _decode(name, row)) for row in rows)


def _decode(name: str, row: Row) -> str:
    """Return the preferred term; in the tables that ODM uses, too, the display is the submission value."""
    if name.startswith("usdm_"):
        return row.display
    rows = looked_up(table("usdm_preferred_term"), row.code)
    if not rows:
        raise KeyError(f"usdm_preferred_term.csv has no row for {row.code} of {name}.csv")
    return rows[0].display


@cache
def fixed(name: str) -> Term:
    """Return a term that does not depend on the record: a row of `usdm_fixed`."""
    (row,) = table("usdm_fixed").get(name) or ()
    return Term(row.code, CDISC, FIXED[name].effective, row.display)


def country(alpha_2: str) -> Term:
    """Return the ISO 3166-1 alpha-3 code for an alpha-2 code."""
    (row,) = looked_up(table("usdm_country"), alpha_2) or ()
    return Term(row.code, row.system, derived(_ISO_3166, row.code), row.display)
