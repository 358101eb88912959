"""The row of `studies`, made column by column as the table of columns says."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import derived, plain
from trialconv.record import Study
from trialconv.record.decode import attribute_names
from trialconv_mappings.cdisc.durations import span
from trialconv_mappings.markup import MARKUP
from trialconv_mappings.warehouse.values import day, period, whole_number
from trialconv_mappings.warehouse_tables import STUDIES, Column, tables

_Make = Callable[[Context, Any, str, str], Any]

#: The mean year of the Gregorian calendar in minutes.
_YEAR: Final = 525949.2


class _Maker(NamedTuple):
    """How a column is made: of which field, and by what; None copies the value."""

    column: str
    source: str
    get: Callable[[Study], Any]
    make: _Make | None


def study_row(ctx: Context) -> dict[str, Any]:
    """Return the row of a study in `studies`, without the columns that the warehouse fills in."""
    study, row = ctx.record.study, {}
    for column, source, get, make in _makers():
        value = get(study)
        if value is not None and make is not None:
            value = make(ctx, value, source, column)
        row[column] = value
    row["extras"] = _extras(ctx)
    return row


@cache
def _makers() -> tuple[_Maker, ...]:
    return tuple(
        _Maker(column.name, source, attrgetter(".".join(attribute_names(Study, source))), _make(column, source))
        for column in tables()[STUDIES].columns
        if column.rule not in ("sink", "extras")
        for source in column.sources
    )


def _make(column: Column, source: str) -> _Make | None:
    if column.rule:
        return _RULES[column.rule]
    if source in MARKUP:
        return _plain
    return _TYPES.get(column.type)


def _plain(_: Context, value: str, source: str, column: str) -> str:
    return plain(value)


def _words(_: Context, value: list[str], source: str, column: str) -> list[str] | None:
    return list(value) or None


def _day(ctx: Context, value: str, source: str, column: str) -> str | None:
    return day(ctx, value, source, f"{STUDIES}.{column}")


def _number(ctx: Context, value: int, source: str, column: str) -> int | None:
    return whole_number(ctx, value, source, f"{STUDIES}.{column}")


def _first_day(ctx: Context, value: str, source: str, column: str) -> str | None:
    found = period(value)
    if found is None:
        ctx.note("invalid-date", f"{value[:40]!r} is not a date", source, f"{STUDIES}.{column}")
        return None
    return found[0]


def _last_day(_: Context, value: str, source: str, column: str) -> str | None:
    found = period(value)
    return found[1] if found else None


def _span_number(ctx: Context, value: str, source: str, column: str) -> int | None:
    found = span(value)
    if found is None and "Age" in source:
        message = f"{value[:40]!r} is not a number and a unit"
        ctx.note("age-not-understood", message, source, f"{STUDIES}.{column}")
    return found.number if found else None


def _span_unit(_: Context, value: str, source: str, column: str) -> str | None:
    found = span(value)
    return found.unit if found else None


def _span_years(_: Context, value: str, source: str, column: str) -> float | None:
    found = span(value)
    if found is None:
        return None
    # Years are not taken through minutes, so that 18 Years are 18 exactly.
    years = float(found.number) if found.unit == "Year" else found.minutes / _YEAR
    return derived(years, found)


def _extras(ctx: Context) -> dict[str, Any] | None:
    extras = dict(ctx.record.extras)
    if "unread" in extras and not ctx.options.contacts:
        # Nobody can tell whether a text that was not understood holds contacts.
        del extras["unread"]
        ctx.note("withheld-contact", "texts not understood were left out", "extras.unread", f"{STUDIES}.extras")
    return extras or None


_RULES: Final[dict[str, _Make]] = {
    "first-day": _first_day,
    "last-day": _last_day,
    "number": _span_number,
    "unit": _span_unit,
    "years": _span_years,
}
_TYPES: Final[dict[str, _Make]] = {"TEXT[]": _words, "DATE": _day, "BIGINT": _number}
