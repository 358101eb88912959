"""Records in the making: an NDJSON file that grows page by page and survives a kill, until it is complete.

Beside what will be `studies.ndjson` stand `.studies.ndjson.part`, the lines so far, and `.studies.ndjson.state`,
which says how many bytes of it count and how to go on; in a folder it is `.fetch.part` and `.fetch.state`. Lines
behind those are of a page that was not finished and are cut off. Only the complete file gets its name, or becomes
a ZIP or the files of a folder.
"""

from __future__ import annotations

import contextlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

import msgspec

from trialconv.issues import OutputError, SinkError
from trialconv.sinks.files import write_file
from trialconv.sinks.locks import lock_open_file

#: Endings of --out that mean a file; everything else is a folder.
FILES: Final = frozenset({".ndjson", ".jsonl", ".json", ".zip"})
# Equal records give equal archives: https://docs.python.org/3/library/zipfile.html#zipfile.ZipInfo
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


class _State(msgspec.Struct):
    """What counts of the part file: of which task it is, its bytes, and how the task goes on."""

    key: str
    bytes: int
    progress: msgspec.Raw


class CollectedRecords:
    """The records of one task on their way to `out`. A context manager; leaving it keeps what is not complete.

    `key` names the task: what another one has left behind is not gone on with. `name_of` tells the name of a
    record by its line. `progress` is what `add` was given last, and None at a beginning. `written` and `unchanged`
    count, after `commit`, what became of the records.
    """

    def __init__(self, out: Path, key: str, name_of: Callable[[bytes], str], *, force: bool) -> None:
        """Raise OutputError when `out` exists and `force` is not given, or when another task has begun there."""
        self._out = out
        self._key = key
        self._force = force
        self.is_folder = out.is_dir() or out.suffix.lower() not in FILES
        self._is_new_folder = self.is_folder and not out.exists()
        beside = out / "fetch" if self.is_folder else out
        self._part = beside.with_name(f".{beside.name}.part")
        self._state = beside.with_name(f".{beside.name}.state")
        self.progress: bytes | None = None
        self._lines: dict[str, tuple[int, int]] = {}
        self.written = self.unchanged = 0
        if out.exists() and not self.is_folder and not force:
            raise OutputError(f"{out} exists; --force overwrites it")
        state = self._left_behind()
        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._part.open("r+b" if state else "w+b")
        except OSError as error:
            raise OutputError(f"{self._part} cannot be written: {error.strerror or error}") from error
        with contextlib.ExitStack() as failing:
            failing.callback(self._stream.close)
            if not lock_open_file(self._stream.fileno()):
                raise OutputError(f"another process is collecting for {out}")
            if state:
                self._stream.truncate(state.bytes)
                self.progress = bytes(state.progress)
                self._read_lines(name_of)
            self._end = self._stream.seek(0, os.SEEK_END)
            failing.pop_all()

    def __enter__(self) -> CollectedRecords:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
        if self.progress is None:
            self._part.unlink(missing_ok=True)
        if self._is_new_folder:
            with contextlib.suppress(OSError):
                self._out.rmdir()  # unless there is something in it

    def __len__(self) -> int:
        """Return the number of records so far."""
        return len(self._lines)

    def __contains__(self, name: str) -> bool:
        """Tell whether a record of that name is there."""
        return name in self._lines

    def add(self, records: Iterable[tuple[str, bytes]], progress: bytes) -> int:
        """Add the records of a page, each with its name and on one line, and how to go on after them (JSON).

        A record that is there already is passed over; a newer one takes its place. Returns the number of those
        that are new or newer. Raises SinkError when the disk does not take them.
        """
        taken = 0
        lines: list[bytes] = []
        end = self._end
        for name, data in records:
            mark = hash(data)
            before = self._lines.get(name)
            if before is not None and before[1] == mark:
                continue
            self._lines[name] = end, mark
            lines.append(data + b"\n")
            end += len(data) + 1
            taken += 1
        try:
            self._stream.writelines(lines)
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._keep_state(end, progress)
        except OSError as error:
            raise SinkError(f"{self._part} cannot be written: {error.strerror or error}") from error
        self._end, self.progress = end, progress
        return taken

    def commit(self) -> list[OutputError]:
        """Make the output of what was collected. Returns an error for each file of a folder that was left alone.

        Raises SinkError when it cannot be written; then everything is kept, and the next call tries again.
        """
        refused: list[OutputError] = []
        if self.is_folder:
            refused = self._to_folder()
        else:
            try:
                self._to_file()
            except OSError as error:
                raise SinkError(f"{self._out} cannot be written: {error.strerror or error}") from error
            self.written = len(self)
        if not refused:
            self._state.unlink(missing_ok=True)
            self._part.unlink(missing_ok=True)
        return refused

    def _to_file(self) -> None:
        if len(self) != 1 and self._out.suffix.lower() == ".json":
            raise SinkError(f"{len(self)} records do not fit into {self._out}; give .ndjson, .zip or a folder")
        temporary = self._out.with_name(f".{self._out.name}.tmp")
        if self._out.suffix.lower() == ".zip":
            with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, data in self._records():
                    entry = zipfile.ZipInfo(f"{name}.json", _NO_TIME)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    archive.writestr(entry, data)
        else:
            with temporary.open("wb") as stream:
                stream.writelines(line for _, line in self._records())
        temporary.replace(self._out)

    def _to_folder(self) -> list[OutputError]:
        refused = []
        for name, data in self._records():
            path = self._out / f"{name}.json"
            if path.exists():
                if path.read_bytes() == data:
                    self.unchanged += 1
                    continue
                if not self._force:
                    refused.append(OutputError(f"{path} exists and differs; --force overwrites it"))
                    continue
            try:
                write_file(path, data)
            except OutputError as error:
                raise SinkError(str(error)) from error
            self.written += 1
        return refused

    def _records(self) -> Iterator[tuple[str, bytes]]:
        """Yield the newest line of each record, in the order in which they came."""
        for name, (offset, _) in sorted(self._lines.items(), key=lambda item: item[1][0]):
            self._stream.seek(offset)
            yield name, self._stream.readline()

    def _left_behind(self) -> _State | None:
        """Return the state of this task if it was begun before."""
        try:
            state = msgspec.json.decode(self._state.read_bytes(), type=_State)
            size = self._part.stat().st_size
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            if self._force:
                return None
            raise OutputError(f"{self._state} cannot be read; remove it, or --force begins anew") from None
        if state.key != self._key or size < state.bytes:
            if self._force:
                self._state.unlink()
                return None
            raise OutputError(
                f"{self._part} holds the beginning of another task for {self._out}; finish that one, remove the "
                "file, or --force begins anew"
            )
        return state

    def _keep_state(self, end: int, progress: bytes) -> None:
        temporary = self._state.with_name(f"{self._state.name}.tmp")
        with temporary.open("wb") as stream:
            stream.write(msgspec.json.encode(_State(self._key, end, msgspec.Raw(progress))))
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self._state)

    def _read_lines(self, name_of: Callable[[bytes], str]) -> None:
        offset = 0
        for line in self._stream:
            data = line.rstrip(b"\n")
            self._lines[name_of(data)] = offset, hash(data)
            offset += len(line)
