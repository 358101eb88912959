"""Inputs cut into units of work, in their order.

The cuts depend on the inputs and the size that is asked for, and on nothing else: the same inputs give the same
units, on every machine and for any number of workers.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from trialconv.issues import SourceError
from trialconv.readers.common import refusal
from trialconv.readers.ctgov_json import has_a_study_a_line
from trialconv.readers.sources import (
    GZIP_MAGIC,
    READ_ERRORS,
    ZIP_MAGIC,
    Document,
    RawRecord,
    documents,
    files_below,
    id_to_fetch,
    unpacked,
)
from trialconv.readers.units import Archive, Failed, Files, Lines, SpoolWriter, Unit
from trialconv.readers.zip_parts import find_directory, zip_parts
from trialconv.record import SourceInfo

#: A unit ends at so many bytes for each record that it may have, even when it has fewer records.
BYTES_EACH: Final = 64 * 1024

#: A file in a folder is looked into before it is given to a worker when it is as large as this.
_LARGE: Final = 1 << 20
_CHUNK: Final = 1 << 20

Split = Callable[[Document], Iterator[RawRecord | SourceError]]


class Planner:
    """Cuts inputs into units of at most `size` records, and fewer where they are large.

    `split` cuts a document into records and `limit` is the largest record. What only one process can read is
    written into files of the folder `spool`; without one it is a unit as a whole.
    """

    def __init__(self, size: int, limit: int, split: Split, spool: Path | None) -> None:
        self._size = size
        self._limit = limit
        self._most_bytes = size * BYTES_EACH
        self._split = split
        self._spool = spool
        self._spooled = 0
        self._files: list[str] = []
        self._file_bytes = 0

    def units(self, sources: Sequence[str]) -> Iterator[Unit]:
        """Yield the units of all sources, in their order."""
        for source in sources:
            path = Path(source)
            if source == "-" or id_to_fetch(source) is not None:
                yield from self._taken()
                yield from self._spools(source)
            elif path.is_dir():
                for found in files_below(path):
                    yield from self._failed(found) if isinstance(found, SourceError) else self._of_file(found)
            else:
                yield from self._of_file(source, look=True)
        yield from self._taken()

    def _failed(self, error: SourceError) -> Iterator[Unit]:
        yield from self._taken()
        yield Failed(error.issue)

    def _taken(self) -> Iterator[Unit]:
        """Yield the files that wait, as a unit."""
        if self._files:
            yield Files(tuple(self._files), self._file_bytes)
        self._files, self._file_bytes = [], 0

    def _of_file(self, path: str, *, look: bool = False) -> Iterator[Unit]:
        try:
            found = Path(path).stat()
            is_plain = stat.S_ISREG(found.st_mode)
            if look or not is_plain or found.st_size >= _LARGE or path.lower().endswith(".zip"):
                cut = self._cut(path, found.st_size) if is_plain else self._spools(path)
                if cut is not None:
                    yield from self._taken()
                    yield from cut
                    return
        except READ_ERRORS as error:
            reason = getattr(error, "strerror", None) or str(error)
            yield from self._failed(refusal("unreadable-source", SourceInfo(path), reason))
            return
        if self._files and (len(self._files) == self._size or self._file_bytes + found.st_size > self._most_bytes):
            yield from self._taken()
        self._files.append(path)
        self._file_bytes += found.st_size

    def _cut(self, path: str, size: int) -> Iterator[Unit] | None:
        """Return the units of a file that is cut, or None for one that a worker reads as a whole."""
        with Path(path).open("rb") as stream:
            head = stream.read(4)
            if head in ZIP_MAGIC:
                return self._of_zip(path)
            if size < _LARGE:
                return None
            if head.startswith(GZIP_MAGIC):
                return self._spools(path)
            stream.seek(0)
            for document in unpacked(stream, SourceInfo(path)):
                if isinstance(document, Document) and self._is_lines(document):
                    return self._of_lines(path)
            return self._spools(path)

    def _is_lines(self, document: Document) -> bool:
        return document.head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and has_a_study_a_line(
            document, self._limit
        )

    def _of_zip(self, path: str) -> Iterator[Unit]:
        try:
            with Path(path).open("rb") as stream:
                if not find_directory(stream).entries:
                    yield Failed(refusal("empty-source", SourceInfo(path), "the archive has no entries").issue)
                for part in zip_parts(stream, self._size, self._most_bytes):
                    yield Archive(path, part)
        except READ_ERRORS as error:
            yield Failed(refusal("unreadable-source", SourceInfo(path), f"cannot be read: {error}").issue)

    def _of_lines(self, path: str) -> Iterator[Unit]:
        """Cut at ends of lines; to count the lines the file is read through."""
        begin = at = 0
        first = line = 1
        with Path(path).open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                position = -1
                while (position := chunk.find(b"\n", position + 1)) >= 0:
                    line += 1
                    end = at + position + 1
                    if line - first == self._size or end - begin >= self._most_bytes:
                        yield Lines(path, begin, end, first)
                        begin, first = end, line
                at += len(chunk)
        if at > begin:
            yield Lines(path, begin, at, first)

    def _spools(self, source: str) -> Iterator[Unit]:
        """Read an input here, and write its records into files, one after the other."""
        if self._spool is None:
            yield Files((source,), Path(source).stat().st_size)
            return
        writer: SpoolWriter | None = None
        for raw in self._records(source):
            if writer is None:
                self._spooled += 1
                writer = SpoolWriter(source, self._spool / f"{self._spooled:05}.{os.getpid()}.records")
            writer.add(raw)
            if writer.count == self._size or writer.size >= self._most_bytes:
                yield writer.close()
                writer = None
        if writer is not None:
            yield writer.close()

    def _records(self, source: str) -> Iterator[RawRecord | SourceError]:
        for document in documents(source):
            if isinstance(document, SourceError):
                yield document
            else:
                yield from self._split(document)
