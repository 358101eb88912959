"""Studies that a load need not convert: what they say is there already, by rows of the present schema.

The versions are in a file, sorted by number, which worker processes share without each having it in its memory.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from trialconv.issues import SinkError
from trialconv.sinks.known import KnownStudies
from trialconv.sinks.warehouse.model import MergeRules, StoredVersion, StudyVersion, Verdict, verdict

_NUMBER: Final = 4
_HASH: Final = 32
_ENTRY: Final = _NUMBER + _HASH


class SettledStudies:
    """What a load knows of the warehouse from its begin on, and which of it the load has overtaken since."""

    def __init__(self, path: Path, versions: Iterable[StoredVersion], rules: MergeRules) -> None:
        """Write those of some versions, in the order of their numbers, that the rules leave as they are.

        Raises SinkError when the file cannot be written.
        """
        self._changed = KnownStudies()
        self.path: Path | None = path
        count = 0
        try:
            with path.open("wb") as file:
                for each in versions:
                    entry = _entry(each, rules)
                    count += bool(entry)
                    file.write(entry)
        except OSError as error:
            raise SinkError(f"{path} cannot be written: {error.strerror or error}") from error
        if not count:
            self.path = None

    def note(self, verdicts: dict[str, Verdict]) -> None:
        """Remember what the load has replaced."""
        for nct_id, found in verdicts.items():
            if found == "changed":
                self._changed.add(nct_id)

    def are(self, nct_ids: Iterable[str]) -> bool:
        """Tell whether studies that were settled when the load began still are."""
        return not any(nct_id in self._changed for nct_id in nct_ids)


def _entry(stored: StoredVersion, rules: MergeRules) -> bytes:
    """Return the bytes of a version for the file; none when the study may have to be written again."""
    same = StudyVersion(stored.nct_id, stored.date, stored.content_hash)
    number = _number(stored.nct_id)
    if number is None or verdict(stored, same, rules) != "unchanged":
        return b""
    try:
        entry = number + bytes.fromhex(stored.content_hash)
    except ValueError:
        return b""
    return entry if len(entry) == _ENTRY else b""


def _number(nct_id: str) -> bytes | None:
    digits = nct_id.removeprefix("NCT")
    return int(digits).to_bytes(_NUMBER, "big") if digits.isdecimal() and len(digits) == 8 else None


class Settled:
    """The file of `SettledStudies`, for those who ask."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._count = len(self._data) // _ENTRY

    def hash_of(self, nct_id: str) -> str | None:
        """Return the hash of the content of a study that is settled."""
        number = _number(nct_id)
        if number is None:
            return None
        place = bisect_left(range(self._count), number, key=self._number_at)
        if place == self._count or self._number_at(place) != number:
            return None
        return self._data[place * _ENTRY + _NUMBER : (place + 1) * _ENTRY].hex()

    def _number_at(self, place: int) -> bytes:
        return self._data[place * _ENTRY : place * _ENTRY + _NUMBER]


@lru_cache(maxsize=1)
def settled_in(path: Path) -> Settled:
    """Return what is in a file of `SettledStudies`, opened once in a process."""
    return Settled(path)
