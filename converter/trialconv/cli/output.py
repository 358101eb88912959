"""Where a converting command writes: one document to standard output, NDJSON, a file, or a file per study.

Files are written under a temporary name and renamed when they are complete. None is written over without force.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

from trialconv.catalog import Target
from trialconv.issues import OutputError, UsageError
from trialconv.pipeline import Converted
from trialconv.sinks.files import write_file
from trialconv.writers.json import indented


class Output:
    """The output of one call: it decides by what comes, so that one study and a million go the same way."""

    def __init__(self, target: Target, out: Path | None, *, force: bool, pretty: bool) -> None:
        self._target = target
        self._force = force
        self._pretty = pretty and target.suffix == ".json"
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
        """Write one document.

        Raises UsageError for a second one where only one fits, OutputError for a file that exists already or
        cannot be written.
        """
        data = converted.data
        if self._pretty and (self._folder or self._file or not self._several):
            data = indented(data) + b"\n"
        if self._file is not None:
            self._to_file(self._file, data)
        elif self._folder is not None:
            self._to_file(self._folder / f"{converted.record.nct_id}{self._target.suffix}", data)
        else:
            self._to_stdout(data, converted.data)

    def _to_stdout(self, data: bytes, line: bytes) -> None:
        """Hold the first document back until it is known whether it stays alone."""
        if self._first is None:
            self._first, self._first_line = data, line
            return
        if self._target.suffix != ".json":
            raise UsageError("several studies give several documents; give a folder for them with --out")
        if not self._several:
            self._several = True
            sys.stdout.buffer.write(self._first_line + b"\n")
        sys.stdout.buffer.write(line + b"\n")

    def _to_file(self, path: Path, data: bytes) -> None:
        if path in self._written:
            if path == self._file:
                raise UsageError(f"several studies do not fit into the file {path}; give a folder with --out")
            raise OutputError(f"{path} was written by this call already: the input has the study twice")
        if path.exists() and not self._force:
            raise OutputError(f"{path} exists; --force overwrites it")
        write_file(path, data)
        self._written.add(path)


def _place(out: Path | None, target: Target) -> tuple[Path | None, Path | None]:
    """Return the folder or the file that --out means: a path with the target's suffix is a file."""
    if out is None:
        return None, None
    if not out.is_dir() and out.suffix == target.suffix:
        return None, out
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out takes a folder, or a file name that ends in {target.suffix}")
    return out, None
