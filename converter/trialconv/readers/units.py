"""Units of work: parts of inputs, each of which can be read by another process, on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

import msgspec

from trialconv.issues import Issue, SinkError, SourceError
from trialconv.readers.common import refusal
from trialconv.readers.sources import (
    READ_ERRORS,
    Document,
    RawRecord,
    documents,
    entries_of_zip,
)
from trialconv.readers.zip_parts import ZipPart, open_part
from trialconv.record import SourceInfo

_CHUNK: Final = 1 << 20


class Archive(NamedTuple):
    """Some entries of a ZIP."""

    path: str
    part: ZipPart

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.path} ({self.part.entries} entries, listed from byte {self.part.begin} on)"

    @property
    def bytes(self) -> int:
        """How much of the input this is."""
        return self.part.packed

    def documents(self) -> Iterator[Document | SourceError]:
        """Yield the documents of the entries."""
        source = SourceInfo(self.path)
        try:
            with closing(open_part(self.path, self.part)) as stream:
                for document in entries_of_zip(stream, source):
                    if not self._is_empty(document):
                        yield document
        except READ_ERRORS as error:
            yield refusal("unreadable-source", source, f"cannot be read: {error}")

    def _is_empty(self, document: Document | SourceError) -> bool:
        """Tell whether this says that no entry is a record, which means nothing where other parts have others."""
        is_part = self.part.entries < self.part.directory.entries
        return is_part and isinstance(document, SourceError) and document.issue.code == "empty-source"


class Lines(NamedTuple):
    """A stretch of a file with a study a line, from the beginning of a line to the end of one."""

    path: str
    begin: int
    end: int
    first_line: int

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.path} (from line {self.first_line} on)"

    @property
    def bytes(self) -> int:
        """How much of the input this is."""
        return self.end - self.begin

    def documents(self) -> Iterator[Document | SourceError]:
        """Yield the stretch as a document."""
        source = SourceInfo(self.path)
        try:
            with Path(self.path).open("rb") as stream:
                stream.seek(self.begin)
                part = cast("BinaryIO", _Stretch(stream, self.bytes))
                yield Document(source, part, b"", self.first_line)
        except OSError as error:
            yield refusal("unreadable-source", source, error.strerror or str(error))


class Files(NamedTuple):
    """Some files, each read as a whole."""

    paths: tuple[str, ...]
    bytes: int

    @property
    def name(self) -> str:
        """What messages call it."""
        return f"{self.paths[0]} and {len(self.paths) - 1} more files" if self.paths[1:] else self.paths[0]

    def documents(self) -> Iterator[Document | SourceError]:
        """Yield the documents of the files."""
        for path in self.paths:
            yield from documents(path)


class Spool(NamedTuple):
    """Records of an input that only one process can read: it wrote them into a file for another one."""

    name: str
    path: str
    bytes: int

    def records(self) -> Iterator[RawRecord | SourceError]:
        """Yield the records, and the reasons why others could not be had."""
        with Path(self.path).open("rb") as stream:
            while head := stream.read(_LENGTH):
                frame = _FRAME.decode(stream.read(int.from_bytes(head)))
                if frame.issue is not None:
                    yield SourceError(frame.issue)
                else:
                    yield RawRecord(frame.source, frame.data)

    def done(self) -> None:
        """Remove the file, when nobody needs it any more."""
        Path(self.path).unlink(missing_ok=True)


class Failed(NamedTuple):
    """An input, or the rest of one, that could not even be cut."""

    issue: Issue
    bytes: int = 0

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.issue.record

    def documents(self) -> Iterator[Document | SourceError]:
        """Yield the reason."""
        yield SourceError(self.issue)


Unit = Archive | Lines | Files | Spool | Failed


class _Stretch:
    """So many bytes of a stream, to be read by lines."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._left = size

    def readline(self, size: int) -> bytes:
        line = self._stream.readline(min(size, self._left))
        self._left -= len(line)
        return line


class _Frame(msgspec.Struct, array_like=True):
    """What stands in a spool: a record, or an Issue."""

    source: SourceInfo = SourceInfo("")
    data: bytes = b""
    issue: Issue | None = None


_FRAME: Final = msgspec.msgpack.Decoder(_Frame)
_LENGTH: Final = 5


class SpoolWriter:
    """A spool in the making."""

    def __init__(self, source: str, path: Path) -> None:
        self._source = source
        self._path = path
        with self._sink():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = path.open("wb", buffering=_CHUNK)
        self.count = 0
        self.size = 0

    @contextmanager
    def _sink(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {error.strerror or error}") from error

    def add(self, raw: RawRecord | SourceError) -> None:
        """Write a record, or the reason why there is none. Raises SinkError."""
        frame = _Frame(issue=raw.issue) if isinstance(raw, SourceError) else _Frame(raw.source, raw.data)
        data = msgspec.msgpack.encode(frame)
        with self._sink():
            self._stream.write(len(data).to_bytes(_LENGTH))
            self._stream.write(data)
        self.count += 1
        self.size += len(data)

    def close(self) -> Spool:
        """Return what was written. Raises SinkError."""
        with self._sink():
            self._stream.close()
        return Spool(self._source, str(self._path), self.size)
