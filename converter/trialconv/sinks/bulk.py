"""FHIR resources as bulk data: one file per resource type, one resource a line.

The layout is that of the files of https://hl7.org/fhir/uv/bulkdata/export.html.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from trialconv.issues import OutputError, SinkError
from trialconv.sinks.files import GrowingFile, Written
from trialconv.sinks.known import KnownStudies

_NAME: Final = re.compile(r"[A-Z][A-Za-z]+\.ndjson")


class BulkFiles:
    """Files of one folder in the making. They get their names with `commit`, when they are complete.

    `part` stands in the names of the files where others hold other studies. Memory does not grow with the studies:
    of each only a bit of its number is kept, and of what several studies share its id.
    """

    def __init__(self, folder: Path, *, force: bool, part: str = "") -> None:
        """Raise OutputError when the folder has bulk files already and `force` does not allow to replace them."""
        there = (
            sorted(path.name for path in folder.iterdir() if _NAME.fullmatch(path.name)) if folder.is_dir() else []
        )
        if there and not force:
            raise OutputError(f"{folder / there[0]} exists; --force overwrites what is in {folder}")
        self._folder = folder
        self._ending = f".{part}.ndjson" if part else ".ndjson"
        self._files: dict[str, GrowingFile] = {}
        self._known = KnownStudies()
        self._shared: set[tuple[str, str]] = set()
        self._failure = ""

    def add(self, study: str, bundle: Mapping[str, Any], data: bytes) -> None:
        """Add the resources of a study's bundle, each a line of the file of its type; `data` are these lines.

        A resource whose id is not the study's may be there already from another study, and is not written again.
        Raises OutputError for a study that was added already, and SinkError when a file cannot be written: after
        that nothing more is, and there will be no files.
        """
        if self._failure:
            raise SinkError(self._failure)
        if self._known.add(study):
            raise OutputError("the study was written by this call already: the input has it twice")
        lines: dict[str, list[bytes]] = {}
        for entry, line in zip(bundle["entry"], data.split(b"\n"), strict=True):
            resource = entry["resource"]
            kind, id_ = resource["resourceType"], resource["id"]
            if not id_.startswith(study):
                if (kind, id_) in self._shared:
                    continue
                self._shared.add((kind, id_))
            lines.setdefault(kind, []).append(line)
        try:
            for kind, some in lines.items():
                file = self._file(kind)
                file.write(b"\n".join([*some, b""]))
                file.records += len(some)
        except SinkError as error:
            self._failure = str(error)
            raise

    def commit(self) -> None:
        """Give the complete files their names. Raises SinkError, and leaves none, when writing has failed."""
        try:
            if self._failure:
                raise SinkError(self._failure)
            self.close()
            self.publish()
        finally:
            self.discard()

    def close(self, *, sync: bool = False) -> None:
        """Write everything out, with `sync` down to the disk. Raises SinkError."""
        # All at once: the disk takes hardly longer for a dozen files than for one.
        with ThreadPoolExecutor(max(1, len(self._files))) as together:
            list(together.map(partial(GrowingFile.close, sync=sync), self._files.values()))

    def publish(self) -> list[Written]:
        """Give the closed files their names. Raises SinkError."""
        return [file.publish() for file in self._files.values()]

    def discard(self) -> None:
        """Remove what is not complete."""
        for file in self._files.values():
            file.discard()

    def _file(self, kind: str) -> GrowingFile:
        found = self._files.get(kind)
        if found is None:
            found = self._files[kind] = GrowingFile(self._folder / f"{kind}{self._ending}")
        return found
