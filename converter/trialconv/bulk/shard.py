"""A shard made in a worker: records in, files of every target out, and at the end the account of it all."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from trialconv.bulk.job import IssueCount, Job, OutputFile, ShardReport, TargetCount
from trialconv.catalog import TARGETS
from trialconv.issues import Issue, SourceError, issue
from trialconv.pipeline import Converted, parse, transform_isolated
from trialconv.readers.sources import RawRecord
from trialconv.record import Record
from trialconv.sinks.bulk import StudyNumbers
from trialconv.sinks.files import GrowingFile

#: Where the accounts of the shards are, what could not be converted, and every Issue.
SHARDS: Final = "shards"
REJECTED: Final = "rejected"
ISSUES: Final = "issues"


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
        making = _Making(job, key, cleaning)
        for raw in raws:
            making.take(raw)
        return making.publish()


class _Making:
    """A shard in the making."""

    def __init__(self, job: Job, key: ShardKey, cleaning: ExitStack) -> None:
        self._job = job
        self._key = key
        self._cleaning = cleaning
        self._shards = {name: job.open_shard(name, key.part) for name in job.layouts}
        for shard in self._shards.values():
            cleaning.callback(shard.discard)
        self._lines: dict[str, GrowingFile] = {}
        self._known = StudyNumbers()
        self._studies: list[str] = []
        self._unread = 0
        self._counts = {name: TargetCount() for name in job.layouts}
        self._issues: Counter[tuple[str, str, str]] = Counter()

    def take(self, raw: RawRecord | SourceError) -> None:
        """Convert a record, or account for why it cannot be."""
        record = raw if isinstance(raw, SourceError) else parse(raw)
        self._studies.append("" if isinstance(record, SourceError) else _study_line(record))
        if isinstance(record, SourceError):
            self._unread += 1
            self._reject(record.issue.record, raw, "", [record.issue])
        elif len(self._studies) in self._key.superseded:
            self._reject(record.nct_id, raw, "", [_superseded(record)])
        elif not self._known.has(record.nct_id):
            # The same study again makes the run leave one of them out, and do this shard once more.
            self._convert(record, raw)

    def _convert(self, record: Record, raw: RawRecord | SourceError) -> None:
        for name in self._shards:
            made = transform_isolated(record, TARGETS[name], self._job.options, check=self._job.check)
            count = self._counts[name]
            if isinstance(made, SourceError):
                count.failed += 1
                self._reject(record.nct_id, raw, name, [made.issue])
                continue
            self._note(name, made.issues)
            findings = [msgspec.structs.replace(found, record=record.nct_id) for found in made.findings]
            if not made.valid:
                count.invalid += 1
            if made.valid or self._job.keep_invalid:
                self._note(name, findings)
                self._add(name, made)
                count.converted += made.valid
            else:
                self._reject(record.nct_id, raw, name, findings)

    def _add(self, name: str, made: Converted) -> None:
        self._shards[name].add(made.record.nct_id, made.document, made.data, made.files)

    def _note(self, target: str, issues: list[Issue]) -> None:
        self._issues.update((target, found.code, found.severity) for found in issues)
        if self._job.issues:
            for found in issues:
                self._line(ISSUES, {"target": target, **msgspec.to_builtins(found)})

    def _reject(self, record: str, raw: RawRecord | SourceError, target: str, issues: list[Issue]) -> None:
        """Keep a record that is not in the output, with the reasons."""
        self._note(target, issues)
        line: dict[str, Any] = {"record": record}
        if target:
            line["target"] = target
        if isinstance(raw, RawRecord):
            line |= {"source": raw.source.name, "place": raw.source.place, "reader": raw.source.reader}
        line["issues"] = msgspec.to_builtins(issues)
        if isinstance(raw, RawRecord):
            line |= _as_json(raw.data)
        self._line(REJECTED, line)

    def _line(self, kind: str, content: dict[str, Any]) -> None:
        file = self._lines.get(kind)
        if file is None:
            file = self._lines[kind] = GrowingFile(self._job.folder / kind / f"{self._key.part}.ndjson")
            self._cleaning.callback(file.discard)
        file.write(msgspec.json.encode(content) + b"\n")
        file.records += 1

    def publish(self) -> int:
        """Give all files their names, and then write the account. Returns the number of records."""
        for shard in self._shards.values():
            shard.close(sync=True)
        for line_file in self._lines.values():
            line_file.close(sync=True)
        report = report_path(self._job.folder, self._key.number)
        before = _unpublished(report, self._job.folder)
        files = [
            OutputFile(name=f"{folder}/{one.name}", records=one.records, bytes=one.bytes, sha256=one.sha256)
            for folder, written in (
                *((name, shard.publish()) for name, shard in self._shards.items()),
                *((kind, [file.publish()]) for kind, file in self._lines.items()),
            )
            for one in written
        ]
        files.sort(key=lambda file: file.name)
        for name in before - {file.name for file in files}:
            (self._job.folder / name).unlink(missing_ok=True)
        account = ShardReport(
            shard=self._key.number,
            source=self._key.source,
            records=len(self._studies),
            unread=self._unread,
            superseded=sorted(self._key.superseded),
            targets=self._counts,
            issues=issue_counts(self._issues),
            files=files,
            studies=self._studies,
        )
        file = GrowingFile(report)
        self._cleaning.callback(file.discard)
        file.write(msgspec.json.encode(account) + b"\n")
        file.close(sync=True)
        file.publish()
        return account.records


def issue_counts(counts: Counter[tuple[str, str, str]]) -> list[IssueCount]:
    """Return the counts of Issues by target, code and severity in a stable order."""
    return [
        IssueCount(target=target, code=code, severity=severity, count=count)
        for (target, code, severity), count in sorted(counts.items())
    ]


def _unpublished(report: Path, folder: Path) -> set[str]:
    """Take back that a shard is complete, if it was, and return the names of the single files that it had."""
    if not report.exists():
        return set()
    names = {file.name for file in msgspec.json.decode(report.read_bytes(), type=ShardReport).files}
    report.unlink()
    return {name for name in names if (folder / name).is_file()}


def _study_line(record: Record) -> str:
    """Return what tells which of two versions of a study is the newer one."""
    data_day = record.study.derived_section.misc_info_module.version_holder
    return f"{record.nct_id} {record.last_update or ''} {data_day or ''}"


def _superseded(record: Record) -> Issue:
    message = "the input has a newer version of this study, or the same once more"
    return issue("superseded-record", f"{record.source}: {message}", record=record.nct_id)


def _as_json(data: bytes) -> dict[str, str]:
    """Return the bytes of a record as something that JSON can hold."""
    try:
        return {"raw": data.decode()}
    except UnicodeDecodeError:
        return {"rawBase64": base64.b64encode(data).decode()}
