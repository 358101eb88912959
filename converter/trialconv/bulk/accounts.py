"""The accounts of all shards, read one by one: sums, what is done, and which studies there are more than once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from trialconv.bulk.job import Job, OutputFile, ShardReport, ShardSummary, TargetCount
from trialconv.bulk.shard import SHARDS, issue_counts, report_path
from trialconv.sinks.bulk import StudyNumbers


class Accounts:
    """The accounts in the folder of a run. Of each only what is asked for is held, and never all at once.

    `done` are the numbers of the shards that are complete, and `records_before` how many records those have that
    were so before this run.
    """

    def __init__(self, job: Job) -> None:
        self._folder = job.folder
        self._targets = list(job.layouts)
        self._is_mine = job.has_shard
        self.done: set[int] = set()
        self.records_before = 0

    def read(self, is_there: Callable[[str, int], bool]) -> None:
        """Find out which shards are complete; `is_there` tells whether a file of so many bytes is."""
        for number in filter(self._is_mine, self._numbers()):
            report = self._report(number)
            if all(is_there(file.name, file.bytes) for file in report.files):
                self.done.add(number)
                self.records_before += report.records
            else:
                report_path(self._folder, number).unlink()

    def lose(self, number: int) -> None:
        """Take note of a shard that could not be made."""
        self.done.discard(number)
        report_path(self._folder, number).unlink(missing_ok=True)

    def superseded(self) -> dict[int, frozenset[int]]:
        """Return, of each shard that has to be made again, the places of the records that it has to leave out.

        Of several versions of a study the one with the latest update is kept; of those with the same update the
        one with the latest data, and then the last.
        """
        repeated = self._repeated()
        found: dict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
        for number in sorted(self.done):
            for place, line in enumerate(self._report(number).studies, start=1) if repeated else ():
                study, _, version = line.partition(" ")
                if study in repeated:
                    update, _, data_day = version.partition(" ")
                    found[study].append((update, data_day, number, place))
        wanted: dict[int, set[int]] = defaultdict(set)
        for versions in found.values():
            for *_, number, place in sorted(versions)[:-1]:
                wanted[number].add(place)
        return {
            number: frozenset(wanted.get(number, ()))
            for number in sorted(self.done)
            if wanted.get(number, set()) != set(self._report(number).superseded)
        }

    def _repeated(self) -> set[str]:
        """Return the studies that there are more than once."""
        known = StudyNumbers()
        return {
            study
            for number in sorted(self.done)
            for line in self._report(number).studies
            if (study := line.partition(" ")[0]) and known.has(study)
        }

    def total(self) -> dict[str, Any]:
        """Return the sums that the report of a run has."""
        records = unread = superseded = 0
        targets = {name: TargetCount() for name in self._targets}
        issues: Counter[tuple[str, str, str]] = Counter()
        shards = []
        for number in sorted(self.done):
            report = self._report(number)
            records += report.records
            unread += report.unread
            superseded += len(report.superseded)
            for name, count in report.targets.items():
                targets[name].converted += count.converted
                targets[name].invalid += count.invalid
                targets[name].failed += count.failed
            issues.update({(one.target, one.code, one.severity): one.count for one in report.issues})
            shards.append(_summary(report))
        return {
            "records": records,
            "unread": unread,
            "superseded": superseded,
            "targets": targets,
            "issues": issue_counts(issues),
            "shards": shards,
        }

    def _numbers(self) -> Iterator[int]:
        folder = self._folder / SHARDS
        if folder.is_dir():
            yield from sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())

    def _report(self, number: int) -> ShardReport:
        return msgspec.json.decode(report_path(self._folder, number).read_bytes(), type=ShardReport)


def _summary(report: ShardReport) -> ShardSummary:
    files: list[OutputFile] = report.files
    return ShardSummary(shard=report.shard, records=report.records, files=files)
