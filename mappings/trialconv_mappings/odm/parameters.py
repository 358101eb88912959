"""The parameters of a study, as either version writes them: the official ones of CDISC, and the registry's own.

ODM 2.0 has `StudyParameter` with codes; SDM-XML 1.0 has `sdm:Parameter` with a text, and no place for a code.
Terms and short names are those of CDISC TSPARM and TSPARMCD; see
https://wiki.cdisc.org/display/PUB/StudyParameter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from trialconv.context import Context
from trialconv.lineage import at_once, checked_date, derived, filled, remembered
from trialconv.odm_tree import Fixed, Node
from trialconv.record.protocol import PartialDateStruct
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.cdisc.trial_summary import TrialSummary
from trialconv_mappings.odm.codelists import coding
from trialconv_mappings.tables import Row, table

_STATUS: Final = "protocolSection.statusModule."

#: Beside a text whose escapes were undone: the registry's own string.
ESCAPED: Final = ".markup"
#: Beside a text with characters that XML cannot hold: the registry's own string, UTF-8 in base64.
ENCODED: Final = ".base64"


class Parameters(TrialSummary):
    """The parameters so far, in `nodes`."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.nodes: list[Node] = []
        self._is_v2 = ctx.options.odm_version == "2.0"
        self._official = at_once(_official)

    def registry(self, short_name: str, term: str, value: str, codings: tuple[Node, ...] = ()) -> None:
        """Add a parameter of the registry; `codings` belong to its value, which XML must be able to hold."""
        attributes = _own_attributes(short_name, term)
        if self._is_v2:
            parameter = Node("StudyParameter", attributes, (Node("ParameterValue", {"Value": value}, codings),))
        else:
            parameter = Node("sdm:Parameter", attributes, (Node("sdm:Value", {}, (value,)),))
        self.nodes.append(parameter)

    def carry(self, short_name: str, term: str, value: str) -> None:
        """Add a parameter of the registry with the words of a field, as far as XML can hold them."""
        self.registry(short_name, term, clean(self.ctx, value, term, f"StudyParameter[@OID='PAR.{short_name}']"))

    def name(self, value: str | None, otherwise: str, source: str, short_name: str, target: str) -> str:
        """Return a name that ODM requires; where the registry has none, another, listed as filled in.

        A name of the registry that looks as if it were filled in is carried as well, to tell the two apart.
        """
        if value == otherwise:
            self.carry(short_name, source, value)
        if value:
            return clean(self.ctx, value, source, target)
        self.ctx.note("filled-in", f"the name {otherwise!r}, since the registry has none", source, target)
        return filled(otherwise)

    def add(self, name: str, value: str | None, source: str, position: int = 0) -> None:
        """Add an official parameter; `position` counts the repeats of a parameter that may repeat."""
        if value:
            self._add(name, value, source, position, ())

    def add_row(self, name: str, table_name: str, row: Row, source: str, position: int = 0) -> None:
        """Add an official parameter with the submission value of a term, and in ODM 2.0 its code."""
        self._add(name, row.display, source, position, (coding(table_name, row, label=False),))

    def add_date(self, name: str, date: PartialDateStruct, source: str) -> None:
        """Add a date with the precision it has; what is no date stays as the registry's words."""
        if not date.date:
            return
        checked = checked_date(self.ctx, date.date, source, self.place(name))
        if checked is not None:
            self.add(name, checked, source)
        else:
            self.carry("CTG." + source.removeprefix(_STATUS), source, date.date)

    def place(self, name: str) -> str:
        """Return where the parameter stands, for Issues."""
        return f"StudyParameter[@ShortName='{name}']"

    def _add(self, name: str, value: str, source: str, position: int, codings: tuple[Node, ...]) -> None:
        oid = "PAR." + name + "." + str(position) if position else "PAR." + name
        attributes, own_coding = self._official(oid, name)
        if not value.isprintable():
            value = clean(self.ctx, value, source, f"StudyParameter[@OID='{oid}']")
        if self._is_v2:
            held = Node("ParameterValue", {"Value": value}, codings)
            self.nodes.append(Node("StudyParameter", attributes, (held, own_coding)))
        else:
            self.nodes.append(Node("sdm:Parameter", attributes, (Node("sdm:Value", {}, (value,)),)))


@remembered(8192)
def _official(oid: str, name: str) -> tuple[Fixed, Node]:
    """Return the attributes and the coding of an official parameter; most of them stand in many studies."""
    rows = table("cdisc_parameter").get(name)
    if not rows:
        raise KeyError(name)
    term, own_coding = derived((rows[0].display, coding("cdisc_parameter", rows[0], label=False)), name)
    return Fixed({"OID": oid, "Term": term, "ShortName": name}), own_coding


@lru_cache(maxsize=8192)
def _own_attributes(short_name: str, term: str) -> Fixed:
    """Return the attributes of a parameter of the registry, which names it once."""
    return Fixed({"OID": "PAR." + short_name, "Term": term, "ShortName": short_name})
