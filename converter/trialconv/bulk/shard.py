"""A shard made in a worker: records in, files of every target out, and at the end the account of it all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from trialconv.bulk.conversion import Conversion
from trialconv.bulk.job import Job, OutputFile, ShardReport
from trialconv.issues import SourceError
from trialconv.pipeline import Converted
from trialconv.readers.sources import RawRecord
from trialconv.sinks.files import GrowingFile, Written

#: Where the accounts of the shards are.
SHARDS: Final = "shards"


class ShardKey(NamedTuple):
    """Which shard: its number, what it is made of, and the places (from 1) of the records to leave out."""

    number: int
    source: str
    superseded: frozenset[int] = frozenset()

    @property
    def part(self) -> str:
        """What stands for the shard in the names of files."""
        return f"{self.number:05}"


def report_path(folder: Path, number: int) -> Path:
    """Return where the account of a shard is."""
    return folder / SHARDS / f"{number:05}.json"


def convert_shard(job: Job, key: ShardKey, raws: Iterator[RawRecord | SourceError]) -> int:
    """Convert some records to every target, write the files of the shard, and then its account.

    Returns the number of records. Raises SinkError when something cannot be written; the shard then has no
    account.
    """
    with ExitStack() as cleaning:
        files = _ShardFiles(job, key, cleaning)
        conversion = Conversion(job, key.superseded, files)
        for raw in raws:
            conversion.take(raw)
        files.close()
        before = _unpublished(report_path(job.folder, key.number), job.folder)
        report = conversion.report(key.number, key.source, files.publish())
        for name in before - {file.name for file in report.files}:
            (job.folder / name).unlink(missing_ok=True)
        write_account(report, job.folder)
        return report.records


class _ShardFiles:
    """The files of a shard in the making: of each target, and the lines of other kinds."""

    def __init__(self, job: Job, key: ShardKey, cleaning: ExitStack) -> None:
        self._job = job
        self._key = key
        self._cleaning = cleaning
        self._shards = {name: job.open_shard(name, key.part) for name in job.layouts}
        for shard in self._shards.values():
            cleaning.callback(shard.discard)
        self._lines: dict[str, GrowingFile] = {}

    def add(self, target: str, made: Converted) -> None:
        """Take a document, cut into several where that is asked for."""
        for name, document, data in self._job.parts(target, made):
            self._shards[target].add(name, document, data, made.files)

    def line(self, kind: str, content: dict[str, Any]) -> None:
        """Take a line of a kind."""
        file = self._lines.get(kind)
        if file is None:
            file = self._lines[kind] = GrowingFile(self._job.folder / kind / f"{self._key.part}.ndjson")
            self._cleaning.callback(file.discard)
        file.write(msgspec.json.encode(content) + b"\n")
        file.records += 1

    def close(self) -> None:
        """Write everything out, down to the disk."""
        for shard in self._shards.values():
            shard.close(sync=True)
        for line_file in self._lines.values():
            line_file.close(sync=True)

    def publish(self) -> list[OutputFile]:
        """Give all files their names, and return them."""
        published = [(name, shard.publish()) for name, shard in self._shards.items()]
        published += [(kind, [file.publish()]) for kind, file in self._lines.items()]
        return sorted(
            (output_file(folder, one) for folder, written in published for one in written),
            key=lambda file: file.name,
        )


def output_file(folder: str, one: Written) -> OutputFile:
    """Return what an account says of a file, or a folder, that was written into a folder of the output."""
    return OutputFile(name=f"{folder}/{one.name}", records=one.records, bytes=one.bytes, sha256=one.sha256)


def write_account(report: ShardReport, folder: Path) -> None:
    """Write the account of a shard, which makes it complete. Raises SinkError."""
    file = GrowingFile(report_path(folder, report.shard))
    try:
        file.write(msgspec.json.encode(report) + b"\n")
        file.close(sync=True)
        file.publish()
    finally:
        file.discard()


def _unpublished(report: Path, folder: Path) -> set[str]:
    """Take back that a shard is complete, if it was, and return the names of the single files that it had."""
    if not report.exists():
        return set()
    names = {file.name for file in msgspec.json.decode(report.read_bytes(), type=ShardReport).files}
    report.unlink()
    return {name for name in names if (folder / name).is_file()}
