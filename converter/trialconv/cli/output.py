"""Where a converting command writes: one document to standard output, NDJSON, a file, or a file per document.

Files are written under a temporary name and renamed when they are complete. None is written over without force.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from trialconv.catalog import Target
from trialconv.issues import OutputError, UsageError
from trialconv.pipeline import Converted
from trialconv.sinks.bulk import BulkFiles
from trialconv.sinks.files import numbered_names, write_file


class Output:
    """The output of one call: it decides by what comes, so that one study and a million go the same way.

    `max_entries` cuts what a study becomes into several documents, for a target that can be cut.
    """

    def __init__(
        self, target: Target, out: Path | None, *, force: bool, pretty: bool, max_entries: int | None = None
    ) -> None:
        self._target = target
        self._force = force
        self._pretty = target.write_pretty if pretty else None
        self._max_entries = max_entries
        self._first: bytes | None = None
        self._several = False
        self._written: set[Path] = set()
        self._folder, self._file = _place(out, target)

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._first is not None and not self._several and kind is None:
            sys.stdout.buffer.write(self._first.rstrip(b"\n") + b"\n")
            sys.stdout.buffer.flush()

    def write(self, converted: Converted) -> None:
        """Write what one study became.

        Raises UsageError for a second document where only one fits, OutputError for a file that exists already or
        cannot be written.
        """
        parts = self._parts(converted)
        if self._folder is not None:
            names = numbered_names(converted.record.name, len(parts))
            self._to_files([self._folder / f"{name}{self._target.suffix}" for name in names], parts)
        elif self._file is not None:
            if len(parts) > 1:
                raise UsageError(
                    f"{len(parts)} bundles do not fit into the file {self._file}; give a folder with --out"
                )
            self._to_files([self._file], parts)
        else:
            for document, line in parts:
                self._to_stdout(document, line)

    def _parts(self, converted: Converted) -> list[tuple[Any, bytes]]:
        """Return the documents of a study, each with its bytes."""
        if self._max_entries is None or self._target.split is None:
            return [(converted.document, converted.data)]
        documents = self._target.split(converted.document, self._max_entries)
        if len(documents) == 1:
            return [(converted.document, converted.data)]
        return [(document, self._target.write(document)) for document in documents]

    def _to_stdout(self, document: Any, line: bytes) -> None:
        """Hold the first document back until it is known whether it stays alone."""
        if self._first is None:
            self._first_line = line
            self._first = self._pretty(document) if self._pretty else line
            return
        if self._target.suffix != ".json":
            raise UsageError("several studies give several documents; give a folder for them with --out")
        if not self._several:
            self._several = True
            sys.stdout.buffer.write(self._first_line + b"\n")
        sys.stdout.buffer.write(line + b"\n")

    def _to_files(self, paths: list[Path], parts: list[tuple[Any, bytes]]) -> None:
        for path in paths:
            self._check_free(path)
        for path, (document, data) in zip(paths, parts, strict=True):
            write_file(path, self._pretty(document) if self._pretty else data)
            self._written.add(path)

    def _check_free(self, path: Path) -> None:
        if path in self._written:
            if path == self._file:
                raise UsageError(f"several studies do not fit into the file {path}; give a folder with --out")
            raise OutputError(f"{path} was written by this call already: the input has the study twice")
        if path.exists() and not self._force:
            raise OutputError(f"{path} exists; --force overwrites it")


def _place(out: Path | None, target: Target) -> tuple[Path | None, Path | None]:
    """Return the folder or the file that --out means: a path with the target's suffix is a file."""
    if out is None:
        return None, None
    if not out.is_dir() and out.suffix == target.suffix:
        return None, out
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out takes a folder, or a file name that ends in {target.suffix}")
    return out, None


class BulkOutput:
    """The output of one call as bulk data: a file per resource type, over all studies.

    The files appear when all studies are through, or not at all when the call ends before.
    """

    def __init__(self, folder: Path, *, force: bool) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file; bulk files go into a folder")
        self._files = BulkFiles(folder, force=force)

    def __enter__(self) -> BulkOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._files.commit()
        else:
            self._files.discard()

    def write(self, converted: Converted) -> None:
        """Write the resources of one study, whose bytes are a line for each.

        Raises OutputError for a study that was written already, SinkError when a file cannot be written.
        """
        self._files.add(converted.record.nct_id, converted.document, converted.data)
