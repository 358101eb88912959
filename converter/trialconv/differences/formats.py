"""What the formats of the registry can hold, so that two versions in different formats are compared fairly.

What the format of one version cannot hold is no change; it is listed as not compared. What it holds in another
form is compared by what it says. The table is `formats.csv` of the registry's words, which tests hold against the
readers.
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
        self._by_path: dict[str, FormatLimit] = {}
        self._skipped: dict[str, NotCompared] = {}
        if before == after:
            return
        for reader in (before, after):
            for limit in format_limits().get(reader, ()):
                held = self._by_path.get(limit.path)
                if held is None or held.form != "absent":
                    self._by_path[limit.path] = limit

    def absent(self, path: str, old: Any, new: Any) -> bool:
        """Tell whether one of the formats cannot hold a field, and note it where a version has a value."""
        limit = self._limit(path)
        if limit is None or limit.form != "absent":
            return False
        if old is not None or new is not None:
            self._skipped.setdefault(path, NotCompared(path, label_of(path), limit.reason))
        return True

    def same(self, path: str, old: Any, new: Any) -> bool:
        """Tell whether two values say the same to a format that holds them in another form."""
        limit = self._limit(path)
        if limit is None or old is None or new is None:
            return False
        return bool(_essence(old) == _essence(new))

    def order_is_lost(self, path: str) -> bool:
        """Tell whether one of the formats does not keep the order of a list."""
        return self._limit(path) is not None

    def skipped(self) -> list[NotCompared]:
        """Return the fields that were not compared, in the order of the comparison."""
        return list(self._skipped.values())

    def _limit(self, path: str) -> FormatLimit | None:
        """Return the limit of a path, or of what it is in."""
        for place in _upwards(path) if self._by_path else ():
            if place in self._by_path:
                return self._by_path[place]
        return None


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition(".")[0]


def _essence(value: Any) -> Any:
    return _LAYOUT.sub("", plain(value)).lower() if isinstance(value, str) else value
