"""Functions that the tests have done in worker processes, which import them from here."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from trialconv.issues import SourceError
from trialconv.readers.sources import RawRecord
from trialconv.record import Record


def outcome(found: Record | SourceError) -> str:
    """Return what tells one record, or one refusal, from another."""
    return str(found) if isinstance(found, SourceError) else f"{found.nct_id} {found.source}"


def outcome_of_record(record: Record) -> str:
    """Return what `outcome` does; a worker can import this."""
    return outcome(record)


def failing(record: Record) -> str:
    """Fail on one record."""
    if record.nct_id == "NCT99000300":
        raise ValueError("of all things")
    return record.nct_id


def dying(fatal: tuple[str, ...], record: Record) -> str:
    """Die on some records, as when the memory is used up."""
    if record.nct_id in fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return record.nct_id


def dying_always(key: int, raws: Iterator[RawRecord | SourceError]) -> int:
    """Die on one unit, each time on another record."""
    for number, _ in enumerate(raws):
        if key == 1 and number == os.getpid() % 7:
            os.kill(os.getpid(), signal.SIGKILL)
    return key


def dying_once(mark: Path, record: Record) -> str:
    """Die on a record, but not again."""
    if record.nct_id == "NCT99000300" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return record.nct_id


def refusing(key: int, raws: Iterator[RawRecord | SourceError]) -> int:
    """Fail as a full disk does."""
    raise OSError(28, "No space left on device")


def counting(key: int, raws: Iterator[RawRecord | SourceError]) -> int:
    """Return how many records a unit has."""
    return sum(1 for _ in raws)
