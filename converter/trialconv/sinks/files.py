"""Files as a sink: each is there complete, or not at all."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from trialconv.issues import OutputError, SinkError

_BUFFER: Final = 1 << 18
_PROCESS: Final = os.urandom(4).hex()


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that it is there complete or not at all. Raises OutputError."""
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def temporary_name(path: Path) -> Path:
    """Return the name that something has while this process makes it.

    In containers, which may share a folder, many a process has the same number.
    """
    return path.with_name(f".{path.name}.{os.getpid()}-{_PROCESS}.tmp")


def is_temporary(path: Path) -> bool:
    """Tell whether this is something that was not made to its end."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def numbered_names(name: str, count: int) -> list[str]:
    """Return a name for each of the documents that one was cut into; sorted by name they are in their order."""
    if count == 1:
        return [name]
    width = len(str(count))
    return [f"{name}-{number:0{width}}-of-{count}" for number in range(1, count + 1)]


class Written(NamedTuple):
    """What was written: its name in the output folder, how many records and bytes, and the hash of the bytes.

    Of a folder the hash is that of the names and bytes of its files, in their order.
    """

    name: str
    records: int
    bytes: int
    sha256: str


class GrowingFile:
    """A file in the making. It gets its name when it is complete, and other files are, too."""

    def __init__(self, path: Path) -> None:
        """Raise SinkError when the file cannot be made."""
        self.path = path
        self.records = 0
        self._temporary = temporary_name(path)
        self._bytes = 0
        self._hash = hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: BinaryIO = self._temporary.open("wb", buffering=_BUFFER)
        except OSError as error:
            raise cannot_write(path, error) from error

    def write(self, data: bytes) -> int:
        """Write some bytes. Raises SinkError."""
        try:
            self._stream.write(data)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        self._hash.update(data)
        self._bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: `close` does it."""

    def close(self, *, sync: bool = False) -> None:
        """Write everything out, with `sync` down to the disk. Raises SinkError."""
        try:
            if sync:
                self._stream.flush()
                os.fsync(self._stream.fileno())
            self._stream.close()
        except OSError as error:
            raise cannot_write(self.path, error) from error

    def publish(self) -> Written:
        """Give the closed file its name. Raises SinkError."""
        try:
            self._temporary.replace(self.path)
        except OSError as error:
            raise cannot_write(self.path, error) from error
        return Written(self.path.name, self.records, self._bytes, self._hash.hexdigest())

    def discard(self) -> None:
        """Remove the file, unless it has its name."""
        with suppress(OSError):
            self._stream.close()
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> SinkError:
    """Return the exception that says so."""
    return SinkError(f"{path} cannot be written: {error.strerror or error}")
