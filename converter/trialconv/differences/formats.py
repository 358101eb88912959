"""What the formats of the registry can hold, so that two versions in different formats are compared fairly.

What the format of one version cannot hold is no change, and listed as not compared. What it holds in another form
is compared by what it says. The table is `formats.csv` of the registry's words; tests hold it against the readers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from trialconv.differences.model import NotCompared
from trialconv.differences.words import label_of
from trialconv.lineage import plain
from trialconv_mappings.labels import FormatLimit, format_limits

# What layout is made of: white space, marks of list items, and the signs of markup.
_LAYOUT: Final = re.compile(r"[\s*\-•.:;,_`~\\\[\]<>^&|()]+|(?<!\d)\d{1,3}\.(?=\s)")


class Limits:
    """The limits of two formats for one comparison, and the fields that were not compared because of them."""

    def __init__(self, before: str, after: str) -> None:
        named = format_limits() if before != after else {}
        self._sides = tuple({limit.path: limit for limit in named.get(reader, ())} for reader in (before, after))
        self._skipped: dict[str, NotCompared] = {}

    def absent(self, path: str, old: Any, new: Any) -> bool:
        """Tell whether a field cannot be compared: a format has no place for it, or for this value.

        It is noted where a version has a value.
        """
        for limit, own, other in zip(self._limits(path), (old, new), (new, old), strict=True):
            if limit is None or (limit.form == "absent" and own is None and other is None):
                continue
            if limit.form == "absent" or (limit.form == "part" and own is None and other is not None):
                self._skipped.setdefault(path, NotCompared(path, label_of(path), limit.reason))
                return True
        return False

    def same(self, path: str, old: Any, new: Any) -> bool:
        """Tell whether two values say the same to a format that holds them in another form."""
        for limit, own, other in zip(self._limits(path), (old, new), (new, old), strict=True):
            if limit is None or old is None or new is None:
                continue
            if limit.form == "coarse" and (own, other) in limit.words:
                return True
            if limit.form == "other" and _essence(old) == _essence(new):
                return True
        return False

    def order_is_lost(self, path: str) -> bool:
        """Tell whether one of the formats does not keep the order of a list."""
        return any(limit is not None for limit in self._limits(path))

    def skipped(self) -> list[NotCompared]:
        """Return the fields that were not compared, in the order of the comparison."""
        return list(self._skipped.values())

    def _limits(self, path: str) -> list[FormatLimit | None]:
        """Return the limit of each of the two formats for a path, or for what it is in."""
        return [next((side[place] for place in _upwards(path) if place in side), None) for side in self._sides]


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _essence(value: Any) -> Any:
    return _LAYOUT.sub("", plain(value)).lower() if isinstance(value, str) else value
