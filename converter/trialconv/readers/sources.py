"""Inputs: a file, a directory, a ZIP, gzip of any, or standard input, as a stream of named documents.

Nothing is ever extracted to disk, and no document is read further than its reader asks for.
"""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, NamedTuple, cast

from trialconv.issues import SourceError
from trialconv.readers.common import refusal
from trialconv.record import SourceInfo

#: The largest single record, in bytes, unless the caller says otherwise.
MAX_RECORD_SIZE: Final = 50 * 1024 * 1024

#: The suffixes of files that are taken from a directory or an archive.
SUFFIXES: Final = frozenset({".json", ".ndjson", ".jsonl", ".xml", ".txt", ".gz", ".zip"})

_HEAD = 64 * 1024
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP_MAGIC = b"\x1f\x8b"
_DEEPEST: Final = 3

#: What goes wrong while bytes are fetched, whatever they hold.
READ_ERRORS: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Document(NamedTuple):
    """A named stream of bytes, from its beginning, and a look at that beginning."""

    source: SourceInfo
    stream: BinaryIO
    head: bytes


def documents(name: str) -> Iterator[Document | SourceError]:
    """Yield every document of an input, in a stable order, or the reason why one cannot be had.

    `name` is a path, or `-` for standard input. A stream is closed when the next document is asked for.
    """
    if name == "-":
        yield from unpacked(sys.stdin.buffer, SourceInfo("<stdin>"))
        return
    path = Path(name)
    if path.is_dir():
        yield from _of_directory(path)
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        yield refusal("unreadable-source", SourceInfo(name), error.strerror or str(error))
        return
    with closing(stream):
        yield from unpacked(stream, SourceInfo(name))


def _of_directory(folder: Path) -> Iterator[Document | SourceError]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _looks_like_a_record(path))
    if not paths:
        wanted = ", ".join(sorted(SUFFIXES))
        yield refusal("empty-source", SourceInfo(str(folder)), f"no file here ends in one of {wanted}")
    for path in paths:
        yield from documents(str(path))


def _looks_like_a_record(path: Path | PurePosixPath) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "._"))


def unpacked(stream: BinaryIO, source: SourceInfo, depth: int = 0) -> Iterator[Document | SourceError]:
    """Yield every document of an open stream; its first bytes tell whether it is packed.

    `depth` counts how often it was packed already.
    """
    try:
        document = _document(stream, source)
        if not document.head.startswith((*_ZIP_MAGIC, _GZIP_MAGIC)):
            yield document
        elif depth == _DEEPEST:
            yield refusal("unreadable-source", source, f"packed more than {_DEEPEST} times; unpack it first")
        elif document.head.startswith(_GZIP_MAGIC):
            yield from unpacked(_unzipped(stream, document), source, depth + 1)
        elif stream.seekable():
            yield from _of_zip(stream, source, depth)
        elif depth:
            yield refusal(
                "unreadable-source", source, "a ZIP inside gzip cannot be read from a pipe; unpack it first"
            )
        else:
            # The directory of an archive stands at its end, so a pipe has to be held as a whole.
            yield from _of_zip(io.BytesIO(document.stream.read()), source, depth)
    except READ_ERRORS as error:
        yield refusal("unreadable-source", source, f"cannot be read: {error}")


def _unzipped(stream: BinaryIO, document: Document) -> BinaryIO:
    """Return the content of a gzip stream, seekable where the stream is."""
    if stream.seekable():
        stream.seek(0)
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream, mode="rb"))
    content = cast("BinaryIO", gzip.GzipFile(fileobj=document.stream, mode="rb"))
    return cast("BinaryIO", _Prefixed(b"", content))


def _document(stream: BinaryIO, source: SourceInfo) -> Document:
    head = stream.read(_HEAD)
    if len(head) < _HEAD:
        return Document(source, io.BytesIO(head), head)
    return Document(source, cast("BinaryIO", io.BufferedReader(_Prefixed(head, stream), _HEAD)), head)


class _Prefixed(io.RawIOBase):
    """A stream of some bytes in hand and then the rest of the stream that they came from."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = memoryview(head)
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        chunk = self._head[:size] if self._head else self._rest.read(size)
        self._head = self._head[size:]
        buffer[: len(chunk)] = chunk
        return len(chunk)


def _of_zip(stream: BinaryIO, source: SourceInfo, depth: int) -> Iterator[Document | SourceError]:
    with zipfile.ZipFile(stream) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        wanted = [entry for entry in entries if _looks_like_a_record(_path(entry))]
        if not wanted:
            yield refusal("empty-source", source, f"the archive holds no record among its {len(entries)} entries")
        for entry in wanted:
            place = SourceInfo(f"{source.name}!{entry.filename}")
            if refused := _unsafe(entry, place):
                yield refused
            else:
                yield from _of_entry(archive, entry, place, depth)


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    # The standard asks for slashes; some programs write the backslashes of their system.
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _unsafe(entry: zipfile.ZipInfo, source: SourceInfo) -> SourceError | None:
    path = _path(entry)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return refusal("unsafe-archive-entry", source, "the entry's name points outside the archive")
    return None


def _of_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: SourceInfo, depth: int
) -> Iterator[Document | SourceError]:
    try:
        stream = archive.open(entry)
    except READ_ERRORS as error:
        yield refusal("unreadable-source", source, f"the archive entry cannot be read: {error}")
        return
    with stream:
        yield from unpacked(cast("BinaryIO", stream), source, depth + 1)


def read_whole(document: Document, limit: int) -> bytes:
    """Return all bytes of a document that holds one record.

    Raises SourceError when it is larger than `limit` bytes or the stream breaks off.
    """
    try:
        data = document.stream.read(limit + 1)
    except READ_ERRORS as error:
        raise refusal("unreadable-source", document.source, f"cannot be read: {error}") from error
    if len(data) > limit:
        raise refusal("record-too-large", document.source, f"larger than the limit of {limit} bytes")
    return data
