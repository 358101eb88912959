"""The report of a run: the sums over all shards, what the run was, and the exit code that it stands for."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from trialconv import __version__
from trialconv.bulk.conversion import issue_counts
from trialconv.bulk.inputs import Inputs
from trialconv.bulk.job import Job, RunReport, ShardReport, ShardSummary, TargetCount
from trialconv.issues import SEVERITIES, OutputError, Severity
from trialconv.sinks.files import write_file

#: The name of the report in the output folder.
REPORT: Final = "report.json"


class Reporter:
    """Makes the report of a run that begins when this does."""

    def __init__(self, job: Job, inputs: Inputs, workers: int, fail_on: Severity | None) -> None:
        self._job = job
        self._inputs = inputs
        self._workers = workers
        self._fail_on = fail_on
        self._begun = time.monotonic()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")

    def report(
        self,
        reports: Iterable[ShardReport],
        records: int | None = None,
        *,
        resumed: bool = False,
        lost: Sequence[str] = (),
        reason: str = "",
    ) -> RunReport:
        """Return the report; `records` is how many this run has converted, by default all."""
        sums = _sums(reports, self._job.layouts)
        done = sums["records"] if records is None else records
        seconds = time.monotonic() - self._begun
        report = RunReport(
            state="stopped" if reason else "incomplete" if lost else "complete",
            reason=reason,
            exit_code=0,
            trialconv=__version__,
            started=self._started,
            seconds=round(seconds, 3),
            resumed=resumed,
            records_this_run=done,
            records_per_second=round(done / max(seconds, 1e-3), 1),
            workers=self._workers,
            part="{}/{}".format(*self._job.part),
            inputs=self._inputs.identity,
            conversion=self._job.identity(),
            lost=list(lost),
            **sums,
        )
        report.exit_code = _exit_code(report, self._fail_on)
        return report


def write_report(report: RunReport, folder: Path, ending: str = "") -> None:
    """Write a report into the output folder, unless nothing can be written there: its reader has it, too."""
    with suppress(OutputError):
        write_file(folder / REPORT.replace(".", f"{ending}."), report_json(report))


def report_json(report: RunReport) -> bytes:
    """Return a report as JSON."""
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"


def _exit_code(report: RunReport, fail_on: Severity | None) -> int:
    """Return the exit code: 5 stopped, 4 records failed, 3 invalid documents or Issues too grave, else 0."""
    if report.state == "stopped":
        return 5
    if report.unread or report.superseded or report.lost or any(one.failed for one in report.targets.values()):
        return 4
    bar = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on else ()
    grave = any(one.severity in bar for one in report.issues)
    return 3 if grave or any(one.invalid for one in report.targets.values()) else 0


def _sums(reports: Iterable[ShardReport], targets: Iterable[str]) -> dict[str, Any]:
    """Return the sums that the report of a run has."""
    records = unread = superseded = 0
    counts = {name: TargetCount() for name in targets}
    issues: Counter[tuple[str, str, str]] = Counter()
    shards = []
    for report in reports:
        records += report.records
        unread += report.unread
        superseded += len(report.superseded)
        for name, count in report.targets.items():
            counts[name].converted += count.converted
            counts[name].invalid += count.invalid
            counts[name].failed += count.failed
        issues.update({(one.target, one.code, one.severity): one.count for one in report.issues})
        shards.append(ShardSummary(shard=report.shard, records=report.records, files=report.files))
    return {
        "records": records,
        "unread": unread,
        "superseded": superseded,
        "targets": counts,
        "issues": issue_counts(issues),
        "shards": shards,
    }
