"""The CDISC codelist behind each code table, with its version.

`codelists.csv` is made from the CDISC terminology files that NCI EVS publishes
(https://evs.nci.nih.gov/ftp1/CDISC/). A codelist has a version of its own: the day from which the package holds
that last changed it, as far as it is known here. `usdm_fixed` has a row for each code that every document of USDM
uses, each from a codelist of its own: `usdm_fixed/ROW`.
"""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import Final, NamedTuple


class Codelist(NamedTuple):
    """A codelist of CDISC controlled terminology: its NCI code and the day from which this version holds.

    `short_name` is its submission value. A codelist that is not extensible has all the terms there can be.
    `package` is the set in which it is published.
    """

    code: str
    short_name: str
    name: str
    extensible: bool
    package: str
    effective: str


def _read() -> dict[str, Codelist]:
    text = files(__package__).joinpath("codelists.csv").read_text(encoding="utf-8")
    return {
        row["table"]: Codelist(
            row["codelist"],
            row["short name"],
            row["name"],
            row["extensible"] == "yes",
            row["package"],
            row["effective"],
        )
        for row in csv.DictReader(text.splitlines())
    }


_ALL: Final = _read()
_FIXED: Final = "usdm_fixed/"

#: The codelist of each code table with CDISC terms, by the name of the table.
CODELISTS: Final[dict[str, Codelist]] = {name: each for name, each in _ALL.items() if not name.startswith(_FIXED)}

#: The codelists of `usdm_fixed`, by the row.
FIXED: Final[dict[str, Codelist]] = {
    name.removeprefix(_FIXED): each for name, each in _ALL.items() if name.startswith(_FIXED)
}
