"""The registry's ages and time spans ("18 Years"): their numbers and units, and as ISO 8601 durations."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trialconv.lineage import parsed

_SPAN = re.compile(r"([0-9]{1,9}) (Year|Month|Week|Day|Hour|Minute)s?")

#: ISO 8601-1:2019, 5.5.2: designators of the units; those of the clock stand after a T.
_FORMS: Final = {
    "Year": "P{}Y",
    "Month": "P{}M",
    "Week": "P{}W",
    "Day": "P{}D",
    "Hour": "PT{}H",
    "Minute": "PT{}M",
}

#: Minutes of a unit, with the mean year of the Gregorian calendar (365.2425 days), to compare durations.
_MINUTES: Final = {
    "Year": 525949.2,
    "Month": 43829.1,
    "Week": 10080.0,
    "Day": 1440.0,
    "Hour": 60.0,
    "Minute": 1.0,
}


class Span(NamedTuple):
    """A time span as the registry writes it: a number, and the unit in the singular."""

    number: int
    unit: str

    @property
    def minutes(self) -> float:
        """The length in minutes."""
        return self.number * _MINUTES[self.unit]


class Duration(NamedTuple):
    """An ISO 8601 duration and its length in minutes."""

    iso: str
    minutes: float


def span(words: str) -> Span | None:
    """Return the number and the unit of the registry's words, or None for other words."""
    match = _SPAN.fullmatch(words)
    return None if match is None else parsed(Span(int(match[1]), match[2]), words)


def duration(words: str) -> Duration | None:
    """Return the duration of a number and a unit, or None for other words."""
    match = _SPAN.fullmatch(words)
    if match is None:
        return None
    return parsed(Duration(_FORMS[match[2]].format(match[1]), int(match[1]) * _MINUTES[match[2]]), words)
