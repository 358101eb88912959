"""What comes first: of two FHIR dateTimes, and of two quantities. False where the values do not decide it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from math import isfinite
from typing import Any, Final

_DATE_TIME: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2}(?:\.[0-9]+)?)"
    r"(Z|([+-])([0-9]{2}):([0-9]{2})))?)?)?",
    re.ASCII,
)
#: No time zone is further from UTC than these: a day without one begins up to 14 hours before UTC's day does, and
#: ends up to 12 hours after it.
_EARLIEST: Final = -14 * 3600
_LATEST: Final = 12 * 3600
_DAY: Final = 24 * 3600


def is_after(start: str, end: str) -> bool:
    """Say whether a dateTime is surely after another (per-1); False for text that is no dateTime.

    The year 2024 is not after March 2024, nor March 2024 after 2024. Two dates are compared by the calendar, a
    date and a time as the boundaries of the date allow (lowBoundary in https://hl7.org/fhir/R5/fhirpath.html).
    """
    if "T" not in start and "T" not in end:
        length = min(len(start), len(end))
        return bool(_DATE_TIME.fullmatch(start) and _DATE_TIME.fullmatch(end)) and start[:length] > end[:length]
    first, second = _span(start), _span(end)
    return first is not None and second is not None and first[0] > second[1]


def _span(text: str) -> tuple[Fraction, Fraction] | None:
    """Return the first and the last second, counted in UTC, that a dateTime may mean."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, zone, sign, zone_hour, zone_minute = match.groups()
    try:
        start = date(int(year), int(month or 1), int(day or 1)).toordinal() * _DAY
        if zone is None:
            last = _last_day(int(year), int(month or 12), int(day) if day else None).toordinal() * _DAY + _DAY
            return Fraction(start + _EARLIEST), Fraction(last + _LATEST)
    except ValueError:
        return None
    offset = (int(zone_hour) * 3600 + int(zone_minute) * 60) * (-1 if sign == "-" else 1) if sign else 0
    moment = start + int(hour) * 3600 + int(minute) * 60 + Fraction(second) - offset
    return moment, moment


def _last_day(year: int, month: int, day: int | None) -> date:
    if day is not None:
        return date(year, month, day)
    following = date(year + (month == 12), month % 12 + 1, 1) if (year, month) != (9999, 12) else None
    return date.fromordinal(following.toordinal() - 1) if following else date(9999, 12, 31)


#: Units of UCUM that measure the same, each with its size (https://ucum.org/ucum: table 4 and the prefixes).
_PREFIXES: Final = {"k": Fraction(1000), "": Fraction(1), "d": Fraction(1, 10), "c": Fraction(1, 100)} | {
    prefix: Fraction(1, 10**power) for prefix, power in (("m", 3), ("u", 6), ("n", 9), ("p", 12))
}
_SIZES: Final[dict[str, tuple[str, Fraction]]] = {
    "a": ("time", Fraction("365.25") * _DAY),
    "mo": ("time", Fraction("30.4375") * _DAY),
    "wk": ("time", Fraction(7 * _DAY)),
    "d": ("time", Fraction(_DAY)),
    "h": ("time", Fraction(3600)),
    "min": ("time", Fraction(60)),
    "s": ("time", Fraction(1)),
    "ms": ("time", Fraction(1, 1000)),
    **{f"{prefix}{unit}": (unit, size) for unit in "gmL" for prefix, size in _PREFIXES.items()},
}


def is_above(low: Mapping[str, Any], high: Mapping[str, Any]) -> bool:
    """Say whether a quantity is surely above another (rng-2): both have values, and of units that compare."""
    first, second = low.get("value"), high.get("value")
    if not isinstance(first, int | float) or not isinstance(second, int | float):
        return False
    if any(isinstance(one, float) and not isfinite(one) for one in (first, second)):
        return False
    unit, other = _unit(low), _unit(high)
    if unit == other:
        return bool(first > second)
    size, other_size = (_SIZES.get(one[1]) if one[0] == _UCUM else None for one in (unit, other))
    if size is None or other_size is None or size[0] != other_size[0]:
        return False
    return Fraction(first) * size[1] > Fraction(second) * other_size[1]


_UCUM: Final = "http://unitsofmeasure.org"


def _unit(quantity: Mapping[str, Any]) -> tuple[str, str]:
    """Return the system and code of a unit, or what it is called by people."""
    code = quantity.get("code")
    return (str(quantity.get("system")), str(code)) if code is not None else ("", str(quantity.get("unit", "")))
