"""FHIR resources as bulk data: one file per resource type, one resource a line.

The layout is that of the files of https://hl7.org/fhir/uv/bulkdata/export.html.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from trialconv.issues import OutputError, SinkError

_NAME: Final = re.compile(r"[A-Z][A-Za-z]+\.ndjson")
_BUFFER: Final = 1 << 18
_PAGE: Final = 1 << 16


class BulkFiles:
    """Files of one folder in the making. They get their names with `commit`, when they are complete.

    Memory does not grow with the studies: of each only a bit of its number is kept, and of what several studies
    share its id.
    """

    def __init__(self, folder: Path, *, force: bool) -> None:
        """Raise OutputError when the folder has bulk files already and `force` does not allow to replace them."""
        self._folder = folder
        self._files: dict[str, tuple[Path, BinaryIO]] = {}
        self._numbers: dict[int, bytearray] = {}
        self._shared: set[tuple[str, str]] = set()
        self._failure = ""
        there = (
            sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []
        )
        if there and not force:
            raise OutputError(f"{folder / there[0]} exists; --force overwrites what is in {folder}")

    def add(self, study: str, resources: Iterable[Mapping[str, Any]]) -> None:
        """Add the resources of a study, each a line of the file of its type.

        A resource whose id is not the study's may be there already from another study, and is not written again.
        Raises OutputError for a study that was added already, and SinkError when a file cannot be written: after
        that nothing more is, and there will be no files.
        """
        if self._failure:
            raise SinkError(self._failure)
        if self._is_known(study):
            raise OutputError("the study was written by this call already: the input has it twice")
        for resource in resources:
            kind, id_ = resource["resourceType"], resource["id"]
            if not id_.startswith(study):
                if (kind, id_) in self._shared:
                    continue
                self._shared.add((kind, id_))
            try:
                self._file(kind).write(orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
            except OSError as error:
                raise self._failed(self._folder / f"{kind}.ndjson", error) from error

    def commit(self) -> None:
        """Give the complete files their names. Raises SinkError, and leaves none, when writing has failed."""
        try:
            if self._failure:
                raise SinkError(self._failure)
            # All are closed, and so complete, before the first one gets its name.
            for kind, (_, stream) in self._files.items():
                try:
                    stream.close()
                except OSError as error:
                    raise self._failed(self._folder / f"{kind}.ndjson", error) from error
            for kind, (temporary, _) in self._files.items():
                try:
                    temporary.replace(self._folder / f"{kind}.ndjson")
                except OSError as error:
                    raise self._failed(self._folder / f"{kind}.ndjson", error) from error
        finally:
            self.discard()

    def discard(self) -> None:
        """Remove what is not complete."""
        for temporary, stream in self._files.values():
            with suppress(OSError):
                stream.close()
            temporary.unlink(missing_ok=True)

    def _file(self, kind: str) -> BinaryIO:
        found = self._files.get(kind)
        if found is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            temporary = self._folder / f".{kind}.ndjson.{os.getpid()}.tmp"
            found = self._files[kind] = temporary, temporary.open("wb", buffering=_BUFFER)
        return found[1]

    def _failed(self, path: Path, error: OSError) -> SinkError:
        self._failure = f"{path} cannot be written: {error.strerror or error}"
        return SinkError(self._failure)

    def _is_known(self, study: str) -> bool:
        """Tell whether a study was added before, and remember it: a bit for each number, in pages."""
        page, bit = divmod(int(study.removeprefix("NCT")), _PAGE)
        bits = self._numbers.get(page)
        if bits is None:
            bits = self._numbers[page] = bytearray(_PAGE // 8)
        known = bool(bits[bit >> 3] & 1 << (bit & 7))
        bits[bit >> 3] |= 1 << (bit & 7)
        return known
