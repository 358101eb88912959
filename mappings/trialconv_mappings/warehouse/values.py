"""Values of columns: dates of whatever precision, spans, and numbers that a column can hold."""

from __future__ import annotations

import calendar
from datetime import date
from functools import lru_cache
from typing import Final

from trialconv.context import Context
from trialconv.lineage import plain, taken_apart

_LARGEST: Final = 2**63 - 1


def period(text: str) -> tuple[str, str] | None:
    """Return the first and the last day of what `yyyy`, `yyyy-MM` or `yyyy-MM-dd` names; None for other words."""
    return taken_apart(_period, text)


@lru_cache(maxsize=16_384)
def _period(text: str) -> tuple[str, str] | None:
    parts = text.split("-")
    if [len(part) for part in parts] not in ([4], [4, 2], [4, 2, 2]):
        return None
    if not (text.isascii() and all(part.isdigit() for part in parts)):
        return None
    year, month, day = (int(part) for part in [*parts, "0", "0"][:3])
    try:
        first = date(year, month if len(parts) > 1 else 1, day if len(parts) > 2 else 1)
    except ValueError:
        return None
    last = {
        1: f"{text}-12-31",
        2: f"{text}-{calendar.monthrange(year, first.month)[1]:02}",
        3: text,
    }[len(parts)]
    return first.isoformat(), last


def day(ctx: Context, text: str | None, source: str, place: str) -> str | None:
    """Return a day as it stands, or None and an Issue for words that name none."""
    if text is None:
        return None
    found = period(text)
    if found is not None and found[0] == found[1]:
        return text
    ctx.note("invalid-date", f"{text[:40]!r} is not a day", source, place)
    return None


def whole_number(ctx: Context, number: int | None, source: str, place: str) -> int | None:
    """Return a number that 64 bits can hold, or None and an Issue."""
    if number is None or -_LARGEST <= number <= _LARGEST:
        return number
    ctx.note("number-out-of-range", f"{str(number)[:40]} does not fit into a column", source, place)
    return None


def plain_or_none(text: str | None) -> str | None:
    """Return the plain text of a markup field, None where there is none."""
    return None if text is None else plain(text)
