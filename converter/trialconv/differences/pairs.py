"""Two inputs with many records each: pairs by NCT number, in little memory.

Of each input an index is held: a number and a hash for each study (some 135 bytes; 165 MB for two whole
registries). What differs in the newer input is set aside in a temporary file, compressed, while that input is read
once; then the older input is read again, and each record of it that has a counterpart in the file is compared. An
older input that cannot be read twice, such as standard input, is set aside in the same way.
"""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple, TypeVar

import msgspec

from trialconv.differences.compare import different_trials, side_of
from trialconv.differences.model import Side
from trialconv.issues import Issue, SourceError, issue
from trialconv.record import Record, SourceInfo, decode_study

#: Reads an input: each record, or why one cannot be had.
Read = Callable[[str], Iterator[Record | SourceError]]


_HASH: Final = 16


class Only(NamedTuple):
    """A study that only one of the inputs has."""

    nct_id: str
    where: Literal["before", "after"]


class Same(NamedTuple):
    """A study that says the same in both inputs, with its newer version."""

    nct_id: str
    side: Side


_T = TypeVar("_T")


class _Shelf:
    """Records set aside in a temporary file, compressed."""

    def __init__(self, stack: ExitStack) -> None:
        self._file: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        self._places: dict[str, tuple[int, int]] = {}

    def __contains__(self, nct_id: str) -> bool:
        return nct_id in self._places

    def put(self, record: Record) -> None:
        """Set a record aside."""
        kept = _Kept(record.to_json(), record.source, record.extras, record.issues)
        data = zlib.compress(msgspec.msgpack.encode(kept), 1)
        start = self._file.seek(0, 2)
        self._file.write(data)
        self._places[record.nct_id] = (start, len(data))

    def take(self, nct_id: str) -> Record:
        """Return a record, which is then no longer here."""
        start, size = self._places.pop(nct_id)
        self._file.seek(start)
        kept = msgspec.msgpack.decode(zlib.decompress(self._file.read(size)), type=_Kept)
        study, _ = decode_study(kept.study)
        return Record(study, kept.source, kept.issues, kept.extras)

    def take_all(self) -> Iterator[Record]:
        """Yield every record, in the order in which they were set aside."""
        for nct_id in list(self._places):
            yield self.take(nct_id)


class _Kept(msgspec.Struct):
    """A record as it is set aside. The issues of its study were found when it was read."""

    study: bytes
    source: SourceInfo
    extras: dict[str, Any]
    issues: list[Issue]


class _Seen:
    """What is known of an input after reading it: the hash of each record, and the first one whole."""

    def __init__(self) -> None:
        self.hashes: dict[str, bytes] = {}
        self.first: Record | None = None

    def add(self, record: Record) -> SourceError | None:
        """Note a record. Returns why it cannot count: the input has its study already."""
        if record.nct_id in self.hashes:
            message = f"{record.source}: the input has this study twice; the first one counts"
            return SourceError(issue("duplicate-id", message, record=record.nct_id))
        self.first = self.first or record
        self.hashes[record.nct_id] = bytes.fromhex(record.version.content_hash)[:_HASH]
        return None


def compare_inputs(
    before: str, after: str, read: Read, compare: Callable[[Record, Record], _T]
) -> Iterator[Only | Same | SourceError | _T]:
    """Yield what became of each study of two inputs, or why a record could not be read.

    `compare` makes the outcome of two versions that are not the same. What differs comes last, in the order of the
    older input. Raises UsageError when both inputs have one record each, of different trials.
    """
    with ExitStack() as stack:
        again = None if _can_be_read_again(before) else _Shelf(stack)
        old, new = _Seen(), _Seen()
        for record in read(before):
            refused = record if isinstance(record, SourceError) else old.add(record)
            if refused:
                yield refused
            elif again is not None and isinstance(record, Record):
                again.put(record)
        if not old.hashes:
            return
        changed = _Shelf(stack)
        for record in read(after):
            refused = record if isinstance(record, SourceError) else new.add(record)
            if refused:
                yield refused
            elif isinstance(record, Record) and (known := old.hashes.get(record.nct_id)):
                if known == new.hashes[record.nct_id]:
                    yield Same(record.nct_id, side_of(record))
                else:
                    changed.put(record)
        yield from _only(old, new)
        for record in read(before) if again is None else again.take_all():
            if isinstance(record, Record) and record.nct_id in changed:
                yield compare(record, changed.take(record.nct_id))


def _only(old: _Seen, new: _Seen) -> Iterator[Only]:
    if (
        old.first
        and new.first
        and len(old.hashes) == len(new.hashes) == 1
        and old.hashes.keys() != new.hashes.keys()
    ):
        raise different_trials(old.first, new.first)
    yield from (Only(nct_id, "before") for nct_id in old.hashes if nct_id not in new.hashes)
    yield from (Only(nct_id, "after") for nct_id in new.hashes if nct_id not in old.hashes)


def _can_be_read_again(name: str) -> bool:
    return name != "-" and (Path(name).is_file() or Path(name).is_dir())
