"""Where `--lineage` writes: a file that is complete or not there, or standard output."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

from trialconv.catalog import Target
from trialconv.cli.conversion import Run
from trialconv.context import Options
from trialconv.issues import OutputError, SourceError, UsageError
from trialconv.pipeline import Converted, trace_isolated
from trialconv.sinks.files import numbered_names
from trialconv.tracing.lines import writer_for
from trialconv.tracing.run import Cut

_STDOUT: Final = "-"


class LineageOutput:
    """The lineage of every document that one call writes, record by record."""

    def __init__(self, path: Path, target: Target, options: Options, run: Run) -> None:
        _check(path, run)
        self._path = path
        self._target, self._options, self._cut = target, options, cut_by(target, run)
        self._header, self._encode = writer_for(path.name)
        self._temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        self._file: BinaryIO = sys.stdout.buffer

    def __enter__(self) -> LineageOutput:
        if str(self._path) != _STDOUT:
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self._temporary.open("wb")
            except OSError as error:
                raise self._refusal(error) from error
        self._file.write(self._header)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is sys.stdout.buffer:
            self._file.flush()
            return
        try:
            self._file.close()
            if kind is None:
                self._temporary.replace(self._path)
        except OSError as problem:
            raise self._refusal(problem) from problem
        finally:
            self._temporary.unlink(missing_ok=True)

    def write(self, converted: Converted) -> SourceError | None:
        """Write the lineage of a document that was written, or return why there is none. Raises OutputError."""
        lineage = trace_isolated(converted, self._target, self._options, self._cut)
        if isinstance(lineage, SourceError):
            return lineage
        try:
            self._file.write(self._encode(lineage))
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._refusal(error) from error
        return None

    def _refusal(self, error: OSError) -> OutputError:
        return OutputError(f"{self._path} cannot be written: {error.strerror or error}")


def _check(path: Path, run: Run) -> None:
    """Raise UsageError or OutputError where a lineage cannot go."""
    if str(path) == _STDOUT:
        if run.out is None:
            raise UsageError(
                "--lineage - is standard output, where the documents go; give these a place with --out"
            )
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder; --lineage takes a file, or -")
    if path in (run.out, run.issues_file):
        raise UsageError(f"{path} is the file of another option, too; --lineage takes one of its own")
    if path.exists() and not run.force:
        raise OutputError(f"{path} exists; --force overwrites it")


def cut_by(target: Target, run: Run) -> Cut | None:
    """Return how a call cuts the documents of a study, or None where each is written as it is."""
    if run.bulk:
        return _bulk_lines
    if run.max_entries is None or target.split is None:
        return None
    split, largest = target.split, run.max_entries

    def cut(record: str, document: Any) -> list[tuple[str, Any]]:
        parts = split(document, largest)
        # A bundle that stays one needs no name to tell it from others.
        names = [f"{name}{target.suffix}" for name in numbered_names(record, len(parts))]
        names = names if len(parts) > 1 else [""]
        return list(zip(names, parts, strict=True))

    return cut


def _bulk_lines(_: str, document: Any) -> list[tuple[str, Any]]:
    """Return the resources of a study, each with the name of the file that it goes to."""
    resources = [entry["resource"] for entry in document["entry"]]
    return [(f"{resource['resourceType']}.ndjson", resource) for resource in resources]
