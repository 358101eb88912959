"""What the inputs of a run are: whether they are the same as last time, and how many records to expect."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from trialconv.issues import SourceError
from trialconv.readers.sources import GZIP_MAGIC, READ_ERRORS, ZIP_MAGIC, files_below
from trialconv.readers.zip_parts import find_directory

#: The mean of the registry, in bytes, and about how many times less it takes packed.
_STUDY: Final = 28_000
_PACKED: Final = 5
_LARGE: Final = 1 << 20


class Inputs:
    """The inputs of a run. `identity` says which they are; `expected` is about how many records they hold."""

    def __init__(self, sources: Sequence[str]) -> None:
        self.expected = 0
        self.identity = [self._look(source) for source in sources]

    def _look(self, source: str) -> dict[str, Any]:
        path = Path(source)
        if source == "-":
            return {"name": source}
        try:
            if path.is_dir():
                return self._look_into(path)
            found = path.stat()
        except OSError:
            return {"name": source, "missing": True}
        if not stat.S_ISREG(found.st_mode):
            return {"name": source}
        self.expected += _records(source, found.st_size)
        return {"name": source, "bytes": found.st_size, "modified": found.st_mtime_ns}

    def _look_into(self, folder: Path) -> dict[str, Any]:
        files = size = 0
        names = hashlib.sha256()
        for path, found in _files(folder):
            files += 1
            size += found.st_size
            names.update(f"{path}\0{found.st_size}\0{found.st_mtime_ns}\0".encode("utf-8", "surrogateescape"))
            self.expected += _records(path, found.st_size) if found.st_size >= _LARGE else 1
        return {"name": str(folder), "files": files, "bytes": size, "listing": names.hexdigest()}


def _files(folder: Path) -> Iterator[tuple[str, Any]]:
    for path in files_below(folder):
        if not isinstance(path, SourceError):
            try:
                yield path, Path(path).stat()
            except OSError:
                continue


def _records(path: str, size: int) -> int:
    """Return about how many records a file holds."""
    try:
        with Path(path).open("rb") as stream:
            head = stream.read(4)
            if head in ZIP_MAGIC:
                return find_directory(stream).entries
    except READ_ERRORS:
        return 0
    return max(1, size * (_PACKED if head.startswith(GZIP_MAGIC) else 1) // _STUDY)
