"""Records to every target of a job, with an account of what became of each: the part that all engines share."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Container
from typing import Any, Final, Protocol

import msgspec

from trialconv.bulk.job import IssueCount, Job, OutputFile, ShardReport, TargetCount
from trialconv.issues import Issue, SourceError, issue
from trialconv.pipeline import Converted, parse, transform_isolated
from trialconv.readers.sources import RawRecord
from trialconv.record import Record
from trialconv.sinks.known import KnownStudies

#: The kinds of lines beside the documents: what could not be converted, and every Issue.
REJECTED: Final = "rejected"
ISSUES: Final = "issues"


class Output(Protocol):
    """Where a conversion puts what it makes."""

    def add(self, target: str, made: Converted) -> None:
        """Take a document."""

    def line(self, kind: str, content: dict[str, Any]) -> None:
        """Take a line of REJECTED or ISSUES."""


class Conversion:
    """The conversion of some records, which belong together, in their order.

    `superseded` are the places (from 1) of those that are left out since there is a newer version.
    """

    def __init__(self, job: Job, superseded: Container[int], output: Output) -> None:
        self._job = job
        self._superseded = superseded
        self._output = output
        self._known = KnownStudies()
        self._studies: list[str] = []
        self._unread = 0
        self._left_out: list[int] = []
        self._counts = {name: TargetCount() for name in job.layouts}
        self._targets = {name: job.target(name) for name in job.layouts}
        self._issues: Counter[tuple[str, str, str]] = Counter()

    @property
    def records(self) -> int:
        """How many records were taken."""
        return len(self._studies)

    def take(self, raw: RawRecord | SourceError) -> None:
        """Convert a record, or account for why it cannot be. Raises what the output raises."""
        record = raw if isinstance(raw, SourceError) else parse(raw)
        self._studies.append(study_line(record))
        if isinstance(record, SourceError):
            self._unread += 1
            self._reject(record.issue.record, raw, "", [record.issue])
        elif len(self._studies) in self._superseded:
            self._left_out.append(len(self._studies))
            self._reject(record.nct_id, raw, "", [_superseded(record)])
        elif not self._known.add(record.nct_id):
            # The same study again makes the run leave one of them out, and convert these records once more.
            self._convert(record, raw)

    def _convert(self, record: Record, raw: RawRecord | SourceError) -> None:
        for name, count in self._counts.items():
            made = transform_isolated(record, self._targets[name], self._job.options, check=self._job.check)
            if isinstance(made, SourceError):
                count.failed += 1
                self._reject(record.nct_id, raw, name, [made.issue])
                continue
            self._note(name, made.issues)
            findings = [msgspec.structs.replace(found, record=record.nct_id) for found in made.findings]
            count.invalid += not made.valid
            if made.valid or self._job.keep_invalid:
                self._note(name, findings)
                self._output.add(name, made)
                count.converted += made.valid
            else:
                self._reject(record.nct_id, raw, name, findings)

    def _note(self, target: str, issues: list[Issue]) -> None:
        self._issues.update((target, found.code, found.severity) for found in issues)
        if self._job.issues:
            for found in issues:
                self._output.line(ISSUES, {"target": target, **msgspec.to_builtins(found)})

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
        self._output.line(REJECTED, line)

    def report(self, number: int, source: str, files: list[OutputFile]) -> ShardReport:
        """Return the account of the records so far."""
        return ShardReport(
            shard=number,
            source=source,
            records=len(self._studies),
            unread=self._unread,
            superseded=self._left_out,
            targets=self._counts,
            issues=issue_counts(self._issues),
            files=files,
            studies=self._studies,
        )


def issue_counts(counts: Counter[tuple[str, str, str]]) -> list[IssueCount]:
    """Return the counts of Issues by target, code and severity in a stable order."""
    return [
        IssueCount(target=target, code=code, severity=severity, count=count)
        for (target, code, severity), count in sorted(counts.items())
    ]


def study_line(record: Record | SourceError) -> str:
    """Return what tells which of two versions of a study is the newer one; nothing for what is no record."""
    if isinstance(record, SourceError):
        return ""
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
