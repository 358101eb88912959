"""Shards: what some thousand studies become, in one place, complete or not there at all."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol

from trialconv.issues import SinkError
from trialconv.sinks.bulk import BulkFiles
from trialconv.sinks.files import GrowingFile, Written, cannot_write, temporary_name

# The instant that a ZIP begins to count at: equal documents give equal archives.
_NO_DATE: Final = (1980, 1, 1, 0, 0, 0)
_FAST: Final = 1


class Shard(Protocol):
    """A shard in the making: documents are added, then it is closed, then it gets its name."""

    def add(self, study: str, document: Any, data: bytes, files: Mapping[str, bytes]) -> None:
        """Add what a study became: the document, its bytes, and the bytes of its files if it has several.

        Raises SinkError.
        """

    def close(self, *, sync: bool = False) -> None:
        """Write everything out, with `sync` down to the disk. Raises SinkError."""

    def publish(self) -> list[Written]:
        """Give the closed shard its name, in the place of one that has it. Raises SinkError."""

    def discard(self) -> None:
        """Remove the shard, unless it has its name."""


class ResourceFiles(BulkFiles):
    """A shard of FHIR bulk data: a file per resource type."""

    def __init__(self, folder: Path, part: str, _: str) -> None:
        super().__init__(folder, force=True, part=part)

    def add(self, study: str, document: Any, data: bytes, files: Mapping[str, bytes] | None = None) -> None:
        """Add the resources of a bundle, which `data` has a line each."""
        super().add(study, document, data)


class LineFile:
    """A shard of JSON documents, one a line."""

    def __init__(self, folder: Path, part: str, _: str) -> None:
        self._file = GrowingFile(folder / f"{part}.ndjson")

    def add(self, study: str, document: Any, data: bytes, files: Mapping[str, bytes]) -> None:
        """Add a document as a line."""
        self._file.write(data)
        self._file.write(b"\n")
        self._file.records += 1

    def close(self, *, sync: bool = False) -> None:
        """Write everything out."""
        self._file.close(sync=sync)

    def publish(self) -> list[Written]:
        """Give the file its name."""
        return [self._file.publish()]

    def discard(self) -> None:
        """Remove the file."""
        self._file.discard()


class ZipFolder:
    """A shard of documents in a ZIP, a file per study, or a folder where a study has several."""

    def __init__(self, folder: Path, part: str, suffix: str) -> None:
        self._suffix = suffix
        self._file = GrowingFile(folder / f"{part}.zip")
        self._archive = zipfile.ZipFile(self._file, "w")

    def add(self, study: str, document: Any, data: bytes, files: Mapping[str, bytes]) -> None:
        """Add the files of a study."""
        for name, content in file_names(study, self._suffix, data, files).items():
            entry = zipfile.ZipInfo(name, _NO_DATE)
            self._archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _FAST)
        self._file.records += 1

    def close(self, *, sync: bool = False) -> None:
        """Write everything out."""
        self._archive.close()
        self._file.close(sync=sync)

    def publish(self) -> list[Written]:
        """Give the archive its name."""
        return [self._file.publish()]

    def discard(self) -> None:
        """Remove the archive."""
        with suppress(SinkError, ValueError):
            self._archive.close()
        self._file.discard()


class DocumentFolder:
    """A shard of documents in a folder, a file per study, or a folder where a study has several.

    Its files are not written down to the disk one by one, which would take longer than converting; who goes on
    after the machine has failed has to look whether they are whole.
    """

    def __init__(self, folder: Path, part: str, suffix: str) -> None:
        self._folder = folder / part
        self._temporary = temporary_name(self._folder)
        self._suffix = suffix
        self._records = 0
        self._bytes = 0
        self._hash = hashlib.sha256()
        try:
            self._temporary.mkdir(parents=True)
        except OSError as error:
            raise cannot_write(self._folder, error) from error

    def add(self, study: str, document: Any, data: bytes, files: Mapping[str, bytes]) -> None:
        """Write the files of a study."""
        for name, content in file_names(study, self._suffix, data, files).items():
            try:
                path = self._temporary / name
                if files:
                    path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            except OSError as error:
                raise cannot_write(self._folder / name, error) from error
            self._hash.update(name.encode())
            self._hash.update(content)
            self._bytes += len(content)
        self._records += 1

    def close(self, *, sync: bool = False) -> None:
        """Do nothing: every file is closed."""

    def publish(self) -> list[Written]:
        """Give the folder its name."""
        try:
            if self._folder.exists():
                shutil.rmtree(self._folder)
            self._temporary.replace(self._folder)
        except OSError as error:
            raise cannot_write(self._folder, error) from error
        return [Written(f"{self._folder.name}/", self._records, self._bytes, self._hash.hexdigest())]

    def discard(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._temporary, ignore_errors=True)


def file_names(study: str, suffix: str, data: bytes, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a study by their names in a shard."""
    if not files:
        return {f"{study}{suffix}": data}
    return {f"{study}/{name}": content for name, content in files.items()}
