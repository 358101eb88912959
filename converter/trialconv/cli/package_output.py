"""Where a converting command writes the files of a target that gives several for a study.

One study's files go to the folder itself, several studies get a folder each. Each file is complete or not there,
and none is written over without force.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from trialconv.issues import OutputError, UsageError
from trialconv.pipeline import Converted
from trialconv.sinks.files import write_file
from trialconv.writers.json import write_json

_Files = dict[str, bytes]


class PackageOutput:
    """The output of one call. The first study is held back until it is known whether it stays alone."""

    def __init__(self, folder: Path, *, force: bool, pretty: bool) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file; a study gives several files, which need a folder")
        self._folder = folder
        self._force = force
        self._pretty = pretty
        self._first: tuple[str, _Files] | None = None
        self._is_held = False
        self._written: set[Path] = set()

    def __enter__(self) -> PackageOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._first is not None and self._is_held and kind is None:
            self._write_files(self._folder, self._first[1])

    def write(self, converted: Converted) -> None:
        """Write the files of one study.

        Raises OutputError for files that exist already or cannot be written, those of the study that was held
        back included; the others are written in any case.
        """
        name, files = converted.record.nct_id, self._contents(converted)
        if self._first is None:
            self._first, self._is_held = (name, files), True
            return
        late = self._release()
        self._write_files(self._folder / name, files)
        if late is not None:
            raise late

    def _release(self) -> OutputError | None:
        """Write the first study now that there is a second one; return why it could not be written."""
        if self._first is None or not self._is_held:
            return None
        self._is_held = False
        try:
            self._write_files(self._folder / self._first[0], self._first[1])
        except OutputError as error:
            return error
        return None

    def _contents(self, converted: Converted) -> _Files:
        if not self._pretty:
            return converted.files
        return {
            name: write_json(converted.document[name], pretty=True) + b"\n" if name.endswith(".json") else data
            for name, data in converted.files.items()
        }

    def _write_files(self, folder: Path, files: _Files) -> None:
        paths = {folder / name: data for name, data in files.items()}
        for path in paths:
            if path in self._written:
                raise OutputError(f"{path} was written by this call already: the input has the study twice")
            if path.exists() and not self._force:
                raise OutputError(f"{path} exists; --force overwrites it")
        for path, data in paths.items():
            write_file(path, data)
            self._written.add(path)
