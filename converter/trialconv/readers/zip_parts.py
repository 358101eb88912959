"""Parts of a ZIP: some of its entries each, found and opened without a list of all entries.

The directory of an archive of the whole registry takes more memory than all the rest of a conversion. It is walked
here as bytes, once, and cut; a part names its stretch of the directory. Whoever opens the part gives the standard
library an archive of those entries alone: the real entries, that stretch, and an end made for it.

The layout is that of https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, 4.3.12 to 4.3.16.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64: Final = struct.Struct("<4sLQL")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_END_MAGIC: Final = b"PK\x05\x06"
_END64_MAGIC: Final = b"PK\x06\x06"
_LOCATOR64_MAGIC: Final = b"PK\x06\x07"
_ENTRY_MAGIC: Final = b"PK\x01\x02"
_LONGEST_COMMENT: Final = (1 << 16) - 1
_CHUNK: Final = 1 << 20
_IN_MANY: Final = 0xFFFF
_BEYOND: Final = 0xFFFFFFFF


class ZipDirectory(NamedTuple):
    """Where the list of entries stands in an archive, how many there are, and what stands before the archive."""

    begin: int
    end: int
    entries: int
    prefix: int


class ZipPart(NamedTuple):
    """Some entries of an archive: the stretch of its directory that lists them, and their size once unpacked."""

    directory: ZipDirectory
    begin: int
    end: int
    entries: int
    packed: int


def find_directory(stream: BinaryIO) -> ZipDirectory:
    """Return where an archive has its directory. Raises zipfile.BadZipFile for what is no whole archive."""
    size = stream.seek(0, os.SEEK_END)
    tail_at = max(0, size - _END.size - _LONGEST_COMMENT)
    stream.seek(tail_at)
    tail = stream.read()
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise zipfile.BadZipFile("no end of the list of entries")
    _, _, _, _, entries, length, offset, _ = _END.unpack_from(tail, at)
    end = tail_at + at
    locator_at = at - _LOCATOR64.size
    if locator_at >= 0 and tail[locator_at : locator_at + 4] == _LOCATOR64_MAGIC:
        end -= _LOCATOR64.size + _END64.size
        stream.seek(max(0, end))
        found = stream.read(_END64.size)
        if len(found) < _END64.size or found[:4] != _END64_MAGIC:
            raise zipfile.BadZipFile("no end of the list of entries where it should be")
        *_, entries, length, offset = _END64.unpack(found)
    if length > end or offset > end - length:
        raise zipfile.BadZipFile("the list of entries is said to stand outside of the file")
    return ZipDirectory(end - length, end, entries, end - length - offset)


def zip_parts(stream: BinaryIO, most: int, most_bytes: int) -> Iterator[ZipPart]:
    """Cut an archive into parts of at most so many entries and so many bytes (once unpacked), in its order.

    Raises zipfile.BadZipFile for a list of entries that is none; the parts before it are good.
    """
    directory = find_directory(stream)
    begin, entries, unpacked, packed = directory.begin, 0, 0, 0
    at = begin
    for length, packed_size, size in _entries(stream, directory):
        if entries and (entries == most or unpacked + size > most_bytes):
            yield ZipPart(directory, begin, at, entries, packed)
            begin, entries, unpacked, packed = at, 0, 0, 0
        entries, unpacked, packed = entries + 1, unpacked + size, packed + packed_size
        at += length
    if entries:
        yield ZipPart(directory, begin, at, entries, packed)


def _entries(stream: BinaryIO, directory: ZipDirectory) -> Iterator[tuple[int, int, int]]:
    """Yield of each entry how long its line in the directory is, and its sizes, packed and not."""
    buffer, at, position = b"", 0, directory.begin
    unpack, size = _ENTRY.unpack_from, _ENTRY.size
    while position < directory.end:
        if len(buffer) - at < size + 3 * _IN_MANY and position + len(buffer) - at < directory.end:
            stream.seek(position + len(buffer) - at)
            wanted = min(_CHUNK, directory.end - position - len(buffer) + at)
            buffer, at = buffer[at:] + stream.read(wanted), 0
        if len(buffer) - at < size:
            raise zipfile.BadZipFile("the list of entries breaks off")
        magic, *_, packed, unpacked, name, extra, comment, _, _, _, _ = unpack(buffer, at)
        if magic != _ENTRY_MAGIC:
            raise zipfile.BadZipFile("the list of entries is broken")
        length = size + name + extra + comment
        yield length, 0 if packed == _BEYOND else packed, unpacked
        at += length
        position += length


def open_part(path: str, part: ZipPart) -> BinaryIO:
    """Return a file that reads as an archive of the entries of a part. Raises OSError."""
    with ExitStack() as held:
        stream = held.enter_context(Path(path).open("rb", buffering=0))
        stream.seek(part.begin)
        lines = stream.read(part.end - part.begin)
        held.pop_all()  # open it stays, until the caller closes what it stands in
    at, prefix = part.directory.begin, part.directory.prefix
    end64 = _END64.pack(_END64_MAGIC, _END64.size - 12, 45, 45, 0, 0, *[part.entries] * 2, len(lines), at - prefix)
    locator = _LOCATOR64.pack(_LOCATOR64_MAGIC, 0, at - prefix + len(lines), 1)
    end = _END.pack(_END_MAGIC, 0, 0, *[_IN_MANY] * 2, *[_BEYOND] * 2, 0)
    return cast("BinaryIO", _Spliced(stream, at, lines + end64 + locator + end))


class _Spliced:
    """The beginning of a file, and then other bytes: as much of a file as `zipfile` needs."""

    def __init__(self, stream: io.FileIO, cut: int, rest: bytes) -> None:
        self._stream = stream
        self._cut = cut
        self._rest = rest
        self._position = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = (0, self._position, self._cut + len(self._rest))[whence]
        self._position = max(0, start + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes; never some of both."""
        if self._position >= self._cut:
            at = self._position - self._cut
            data = self._rest[at : at + size if size >= 0 else None]
        else:
            left = self._cut - self._position
            self._stream.seek(self._position)
            data = self._stream.read(left if size < 0 else min(size, left))
        self._position += len(data)
        return data

    def close(self) -> None:
        self._stream.close()
