"""The accounts of all shards, read one by one: sums, what is done, and which studies there are more than once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from trialconv.bulk.job import Job, ShardReport
from trialconv.bulk.shard import SHARDS, report_path, write_account
from trialconv.sinks.known import KnownStudies


class Accounts:
    """The accounts in the folder of a run. Of each only what is asked for is held, and never all at once.

    `done` are the numbers of the shards that are complete, and `records_before` how many records those have that
    were so before this run.
    """

    def __init__(self, job: Job) -> None:
        self._folder = job.folder
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

    def replace(self, report: ShardReport) -> None:
        """Write the account of a shard of which a file has changed. Raises SinkError."""
        write_account(report, self._folder)

    def superseded(self) -> dict[int, frozenset[int]]:
        """Return, of each shard that has to be made again, the places of the records that it has to leave out."""
        repeated = self._repeated()
        versions = (
            Version(*split_line(line), number, place)
            for number in (sorted(self.done) if repeated else ())
            for place, line in enumerate(self._report(number).studies, start=1)
            if line.partition(" ")[0] in repeated
        )
        wanted = older_versions(versions)
        return {
            number: wanted.get(number, frozenset())
            for number in sorted(self.done)
            if wanted.get(number, frozenset()) != set(self._report(number).superseded)
        }

    def _repeated(self) -> set[str]:
        """Return the studies that there are more than once."""
        known = KnownStudies()
        return {
            study
            for number in sorted(self.done)
            for line in self._report(number).studies
            if (study := line.partition(" ")[0]) and known.add(study)
        }

    def reports(self) -> Iterator[ShardReport]:
        """Yield the accounts of all shards that are done."""
        return map(self._report, sorted(self.done))

    def _numbers(self) -> Iterator[int]:
        folder = self._folder / SHARDS
        if folder.is_dir():
            yield from sorted(int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal())

    def _report(self, number: int) -> ShardReport:
        return msgspec.json.decode(report_path(self._folder, number).read_bytes(), type=ShardReport)


class Version(NamedTuple):
    """A version of a study: when it was updated, the day of the registry's data, and where it is."""

    study: str
    update: str
    data_day: str
    shard: int
    place: int


def split_line(line: str) -> tuple[str, str, str]:
    """Return what `study_line` put together: the study, the day of its update and that of the data."""
    study, _, days = line.partition(" ")
    update, _, data_day = days.partition(" ")
    return study, update, data_day


def older_versions(versions: Iterable[Version]) -> dict[int, frozenset[int]]:
    """Return the places to leave out, by shard, when of each study one version is to stay.

    It is the one with the latest update; of those with the same update the one with the latest data, and then the
    last in the input.
    """
    found: dict[str, list[Version]] = defaultdict(list)
    for version in versions:
        found[version.study].append(version)
    places: dict[int, set[int]] = defaultdict(set)
    for several in found.values():
        for older in sorted(several)[:-1]:
            places[older.shard].add(older.place)
    return {shard: frozenset(some) for shard, some in places.items()}
