"""StudySummary of ODM 2.0: the official trial summary parameters, then the registry's own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import checked_date, code
from trialconv.odm_tree import Node
from trialconv.record.protocol import PartialDateStruct
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.cdisc.trial_summary import TrialSummary
from trialconv_mappings.odm.carried import Carrier, parameter
from trialconv_mappings.odm.codelists import coding
from trialconv_mappings.tables import Row, table

_PROTOCOL: Final = "protocolSection."
_DESIGN: Final = "protocolSection.designModule."
_STATUS: Final = "protocolSection.statusModule."


def study_summary(ctx: Context) -> Node:
    """Return the `StudySummary` of a record."""
    summary = _Summary(ctx)
    summary.collect()
    Carrier(ctx, summary.parameters, _word_codings(ctx)).carry(ctx.record.study)
    _extras(summary, ctx.record.extras)
    return Node("StudySummary", {}, summary.parameters)


class _Summary(TrialSummary):
    """The parameters so far, each as a `StudyParameter`."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.parameters: list[Node] = []

    def add(self, name: str, value: str | None, source: str, position: int = 0) -> None:
        if value:
            self._add(name, value, source, position, ())

    def add_row(self, name: str, table_name: str, row: Row, source: str, position: int = 0) -> None:
        self._add(name, row.display, source, position, (coding(table_name, row, label=False),))

    def place(self, name: str) -> str:
        return f"StudyParameter[@ShortName='{name}']"

    def add_date(self, name: str, date: PartialDateStruct, source: str) -> None:
        """Add a date with the precision it has; what is no date stays as the registry's words."""
        if date.date is None:
            return
        checked = checked_date(self.ctx, date.date, source, self.place(name))
        if checked is not None:
            self.add(name, checked, source)
        else:
            short_name = "CTG." + source.removeprefix(_STATUS)
            value = clean(self.ctx, date.date, source, f"StudyParameter[@ShortName='{short_name}']")
            self.parameters.append(parameter(short_name, source, value))

    def _add(self, name: str, value: str, source: str, position: int, codings: tuple[Node, ...]) -> None:
        term, own_coding = _official(name)
        oid = f"PAR.{name}.{position}" if position else f"PAR.{name}"
        if not value.isprintable():
            value = clean(self.ctx, value, source, f"StudyParameter[@OID='{oid}']")
        parameter_value = Node("ParameterValue", {"Value": value}, codings)
        attributes = {"OID": oid, "Term": term, "ShortName": name}
        self.parameters.append(Node("StudyParameter", attributes, (parameter_value, own_coding)))


@cache
def _official(name: str) -> tuple[str, Node]:
    """Return the term and the coding of an official parameter."""
    rows = table("cdisc_parameter").get(name)
    if not rows:
        raise KeyError(name)
    return rows[0].display, coding("cdisc_parameter", rows[0], label=False)


def _word_codings(ctx: Context) -> dict[str, Callable[[str], tuple[Node, ...]]]:
    """Return how to code the registry's words that have a CDISC term but no official parameter."""
    tables = {
        _PROTOCOL + "armsInterventionsModule.armGroups[].type": "cdisc_arm_type",
        _DESIGN + "designInfo.maskingInfo.whoMasked[]": "cdisc_who_masked",
    }
    return {path: partial(_codings, ctx, name, path) for path, name in tables.items()}


def _codings(ctx: Context, table_name: str, path: str, word: str) -> tuple[Node, ...]:
    rows = code(ctx, table(table_name), word, path, "StudyParameter/ParameterValue/Coding")
    return tuple(coding(table_name, row) for row in rows)


def _extras(summary: _Summary, extras: Any, path: str = "extras", short_name: str = "CTG.extras") -> None:
    """Carry the texts of a source that the registry's data structure has no field for."""
    if isinstance(extras, dict):
        for key, value in extras.items():
            if key == "unread" and not summary.ctx.options.contacts:
                # Nobody can tell whether a text that was not understood holds contacts.
                summary.ctx.note("withheld-contact", "texts not understood were left out", "extras.unread")
                continue
            name = clean(summary.ctx, str(key), path, "StudyParameter/@ShortName")
            _extras(summary, value, f"{path}.{name}", f"{short_name}.{name}")
    elif isinstance(extras, list):
        for position, value in enumerate(extras, 1):
            _extras(summary, value, path + "[]", f"{short_name}.{position}")
    elif isinstance(extras, str):
        value = clean(summary.ctx, extras, path, f"StudyParameter[@OID='PAR.{short_name}']")
        summary.parameters.append(parameter(short_name, path, value))
