"""The CDISC controlled terminology that the rules for ODM know: the codelists behind a study's parameters.

`odm_terms.csv` holds whole codelists, with NCI codes and submission values, as NCI EVS publishes them
(https://evs.nci.nih.gov/ftp1/CDISC/).
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

#: The code system of CDISC controlled terminology in a `Coding`.
CDISC: Final = "https://www.cdisc.org/standards/terminology"

_NO_YES: Final = "C66742"
#: The codelist of each parameter whose values are coded, by TSPARMCD (SDTM Implementation Guide 3.4, appendix C).
PARAMETER_CODELISTS: Final = {
    "BRDNAIND": _NO_YES,
    "BRIND": _NO_YES,
    "DMCIND": _NO_YES,
    "FDADEIND": _NO_YES,
    "FDADRIND": _NO_YES,
    "HLTSUBJI": _NO_YES,
    "INTMODEL": "C99076",
    "INTTYPE": "C99078",
    "OBSMODEL": "C127259",
    "OBSTIMP": "C127261",
    "OBSTSMM": "C127260",
    "RANDOM": _NO_YES,
    "SEXPOP": "C66732",
    "STYPE": "C99077",
    "TBLIND": "C66735",
    "TCNTRL": "C66785",
    "TINDTP": "C66736",
    "TPHASE": "C66737",
    "TTYPE": "C66739",
}
#: Trial phases as the schema of ODM 2.0 still spells them, beside today's terms.
OLD_PHASES: Final = frozenset({"PHASE 0 TRIAL"})
#: The kinds of criteria (IECAT): the element and the code that its criteria may have.
CRITERION_CODES: Final = {"InclusionCriteria": "C25532", "ExclusionCriteria": "C25370"}
_NAMES: Final = "C67152"
_SHORT_NAMES: Final = "C66738"


class Codelist(NamedTuple):
    """A codelist: its terms, NCI code to submission value; whether others may be used; its effective date."""

    code: str
    values: dict[str, str]
    extensible: bool
    effective: str

    @property
    def codes(self) -> dict[str, str]:
        """The NCI codes by submission value."""
        return {value: code for code, value in self.values.items()}


@cache
def codelists() -> dict[str, Codelist]:
    """Return every codelist by its NCI code."""
    found: dict[str, Codelist] = {}
    text = files(__package__).joinpath("odm_terms.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        empty = Codelist(row["codelist"], {}, row["extensible"] == "true", row["effective"])
        found.setdefault(row["codelist"], empty).values[row["code"]] = row["value"]
    return found


@cache
def parameter_terms() -> dict[str, tuple[str, str]]:
    """Return the NCI code and the term (TSPARM) of each parameter by its short name (TSPARMCD)."""
    names = codelists()[_NAMES].values
    return {short: (code, names[code]) for code, short in codelists()[_SHORT_NAMES].values.items()}
