"""Inputs: a file, a directory, a ZIP, gzip of any, or standard input, as a stream of named documents.

Nothing is ever extracted to disk, and no document is read further than its reader asks for.
"""

from __future__ import annotations

import gzip
import io
import os
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
from trialconv.registry.ids import nct_number

#: The largest single record, in bytes, unless the caller says otherwise.
MAX_RECORD_SIZE: Final = 50 * 1024 * 1024

#: The suffixes of files that are taken from a directory or an archive.
SUFFIXES: Final = frozenset({".json", ".ndjson", ".jsonl", ".xml", ".txt", ".gz", ".zip"})

_HEAD = 64 * 1024
_SMALL: Final = 1 << 20
#: The first bytes of what is packed.
ZIP_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
GZIP_MAGIC: Final = b"\x1f\x8b"
_DEEPEST: Final = 3

#: What goes wrong while bytes are fetched, whatever they hold.
READ_ERRORS: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


class Document(NamedTuple):
    """A named stream of bytes, from its beginning, and a look at that beginning.

    `first_line` is set where the stream is a part of a file with a study a line: the number of its first line.
    """

    source: SourceInfo
    stream: BinaryIO
    head: bytes
    first_line: int = 0


class RawRecord(NamedTuple):
    """The bytes of one record, cut out of what held it. `source.reader` is the reader that they need."""

    source: SourceInfo
    data: bytes


def documents(name: str) -> Iterator[Document | SourceError]:
    """Yield every document of an input, in a stable order, or the reason why one cannot be had.

    `name` is a path, or `-` for standard input; an NCT number that is no path is fetched from the registry. A
    stream is closed when the next document is asked for.
    """
    if name == "-":
        yield from unpacked(sys.stdin.buffer, SourceInfo("<stdin>"))
        return
    path = Path(name)
    if path.is_dir():
        yield from _of_directory(path)
        return
    if (nct_id := id_to_fetch(name)) is not None:
        yield _of_registry(nct_id)
        return
    try:
        stream = path.open("rb")
    except OSError as error:
        yield refusal("unreadable-source", SourceInfo(name), error.strerror or str(error))
        return
    with closing(stream):
        yield from unpacked(stream, SourceInfo(name))


def id_to_fetch(name: str) -> str | None:
    """Return the NCT number that an input names, where it is no path."""
    nct_id = nct_number(name)
    return None if nct_id is None or Path(name).exists() else nct_id


def _of_registry(nct_id: str) -> Document | SourceError:
    from trialconv.readers.ctgov_api import record_from_registry

    try:
        data = record_from_registry(nct_id)
    except SourceError as error:
        return error
    return Document(SourceInfo(nct_id), io.BytesIO(data), data)


def _of_directory(folder: Path) -> Iterator[Document | SourceError]:
    for path in files_below(folder):
        if isinstance(path, SourceError):
            yield path
        else:
            yield from documents(path)


def files_below(folder: Path) -> Iterator[str | SourceError]:
    """Yield the path of every file of a folder that looks like a record, in the order of their names.

    Of all the folders below only the names in those that are being read are held.
    """
    empty = True
    for found in _walk(str(folder)):
        empty = False
        yield found
    if empty:
        wanted = ", ".join(sorted(SUFFIXES))
        yield refusal("empty-source", SourceInfo(str(folder)), f"no file here ends in one of {wanted}")


def _walk(folder: str) -> Iterator[str | SourceError]:
    try:
        with os.scandir(folder) as entries:
            # Folders that are links are not followed: they may lead around in a circle.
            inside = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError as error:
        yield refusal("unreadable-source", SourceInfo(folder), error.strerror or str(error))
        return
    for name, is_folder in inside:
        path = Path(folder, name)
        if is_folder:
            yield from _walk(str(path))
        elif _looks_like_a_record(path) and path.is_file():
            yield str(path)


def _looks_like_a_record(path: Path | PurePosixPath) -> bool:
    return path.suffix.lower() in SUFFIXES and not path.name.startswith((".", "._"))


def unpacked(stream: BinaryIO, source: SourceInfo, depth: int = 0) -> Iterator[Document | SourceError]:
    """Yield every document of an open stream; its first bytes tell whether it is packed.

    `depth` counts how often it was packed already.
    """
    try:
        document = _document(stream, source)
        if not document.head.startswith((*ZIP_MAGIC, GZIP_MAGIC)):
            yield document
        elif depth == _DEEPEST:
            yield refusal("unreadable-source", source, f"packed more than {_DEEPEST} times; unpack it first")
        elif document.head.startswith(GZIP_MAGIC):
            yield from unpacked(_unzipped(stream, document), source, depth + 1)
        elif stream.seekable():
            yield from entries_of_zip(stream, source, depth)
        elif depth:
            yield refusal(
                "unreadable-source", source, "a ZIP inside gzip cannot be read from a pipe; unpack it first"
            )
        else:
            # The directory of an archive stands at its end, so a pipe has to be held as a whole.
            yield from entries_of_zip(io.BytesIO(document.stream.read()), source, depth)
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
    if isinstance(stream, io.BytesIO):
        stream.seek(0)
        return Document(source, stream, head)
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


def entries_of_zip(stream: BinaryIO, source: SourceInfo, depth: int = 0) -> Iterator[Document | SourceError]:
    """Yield the documents of a ZIP. Raises those of READ_ERRORS when it is none."""
    with zipfile.ZipFile(stream) as archive:
        empty = True
        for entry in archive.infolist():
            path = _path(entry)
            if entry.is_dir() or not _looks_like_a_record(path):
                continue
            empty = False
            place = SourceInfo(f"{source.name}!{entry.filename}")
            if refused := _unsafe(path, place):
                yield refused
            else:
                yield from _of_entry(archive, entry, place, depth)
        if empty:
            files = sum(not entry.is_dir() for entry in archive.infolist())
            yield refusal("empty-source", source, f"the archive holds no record among its {files} entries")


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    # The standard asks for slashes; some programs write the backslashes of their system.
    return PurePosixPath(entry.filename.replace("\\", "/"))


def _unsafe(path: PurePosixPath, source: SourceInfo) -> SourceError | None:
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return refusal("unsafe-archive-entry", source, "the entry's name points outside the archive")
    return None


def _of_entry(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: SourceInfo, depth: int
) -> Iterator[Document | SourceError]:
    try:
        # What is small is unpacked at once, which takes half the time. No more comes out than the entry says.
        small = entry.file_size <= _SMALL
        stream = io.BytesIO(archive.read(entry)) if small else cast("BinaryIO", archive.open(entry))
    except READ_ERRORS as error:
        yield refusal("unreadable-source", source, f"the archive entry cannot be read: {error}")
        return
    with stream:
        yield from unpacked(stream, source, depth + 1)


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


def numbered_lines(document: Document, limit: int, first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line; of one beyond the limit its beginning, one byte beyond it.

    `first` is the number of the first line.
    """
    number = first - 1
    while line := document.stream.readline(limit + 1):
        number += 1
        rest = line
        while len(rest) > limit and not rest.endswith(b"\n"):
            rest = document.stream.readline(limit + 1)
        yield number, line
