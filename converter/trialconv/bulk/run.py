"""A run: the inputs in shards over all cores, what is missing from the last time, and an account of everything.

Everything on the disk that has its name is complete. A shard is done when its account is there, which is written
last; what else is there of a shard is written once more. So a run can be killed at any moment, and the next one
goes on; and since a shard depends on nothing but its records, the end is the same as if it had not been killed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from trialconv.bulk.accounts import Accounts
from trialconv.bulk.inputs import Inputs
from trialconv.bulk.job import Job, RunReport
from trialconv.bulk.locking import FolderLock, is_lock
from trialconv.bulk.report import Reporter, write_report
from trialconv.bulk.shard import ShardKey, convert_shard
from trialconv.bulk.sharing import keep_shared_once
from trialconv.issues import OutputError, Severity, SinkError, SourceError, UsageError
from trialconv.parallel import available_cores, clear, map_units
from trialconv.readers.units import Unit
from trialconv.sinks.files import is_temporary, write_file

#: What a run leaves in its folder, beside a folder for each target.
RUN: Final = "run.json"
_SPOOL: Final = ".spool"

Progress = Callable[[int, int], None]


def run(
    job: Job,
    inputs: Inputs,
    *,
    workers: int | None = None,
    resume: bool = False,
    fail_on: Severity | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Convert all inputs, or with `resume` what is missing from a run in the same folder, and return the report.

    `progress` is called with the number of records that were done, and of those to expect. The report is in the
    output folder, too. With `fail_on` an Issue as grave as that makes the exit code 3. Raises OutputError for a
    folder that has other things in it, or in which another run is at work on the same shards, UsageError when a
    run with other options or inputs is to be resumed. What stops the writing is told by the report.
    """
    return _Run(job, inputs, workers, resume, progress).run(fail_on)


def _ending(job: Job) -> str:
    """Return what stands in the names of files of which each of several machines has its own."""
    part, parts = job.part
    return "" if parts == 1 else f"-{part}-of-{parts}"


class _Run:
    def __init__(
        self, job: Job, inputs: Inputs, workers: int | None, resume: bool, progress: Progress | None
    ) -> None:
        self._job = job
        self._inputs = inputs
        self._workers = available_cores() if workers is None else workers
        self._resume = resume
        self._progress = progress
        self._accounts = Accounts(job)
        self._piped = "-" in job.sources
        self._spool = job.folder / f"{_SPOOL}{_ending(job)}"
        self._units: dict[int, Unit] = {}
        self._lost: dict[int, SourceError] = {}
        # How many records each shard has that this run has made, be it more than once.
        self._made: dict[int, int] = {}

    def run(self, fail_on: Severity | None) -> RunReport:
        reporter = Reporter(self._job, self._inputs, self._workers, fail_on)
        if self._resume and self._piped:
            raise UsageError("a run that reads standard input cannot be resumed: the input is gone")
        self._check_ours()
        with FolderLock(self._job.folder, self._job.part) as lock:
            self._prepare()
            reason = self._make_all()
            lost = [error.issue.message for error in self._lost.values()]
            reports = self._accounts.reports()
            report = reporter.report(
                reports, sum(self._made.values()), resumed=self._resume, lost=lost, reason=reason
            )
            report.locked = lock.works
            write_report(report, self._job.folder, _ending(self._job))
        return report

    def _make_all(self) -> str:
        """Make every shard that is missing. Returns what has stopped the writing, if something has."""
        try:
            self._convert(self._shards())
            # Only who sees all shards can tell what there is more than once.
            if self._job.part[1] == 1:
                while again := self._accounts.superseded():
                    self._convert(self._again(again))
                if not self._lost:
                    keep_shared_once(self._job, self._accounts)
        except SinkError as error:
            return str(error)
        finally:
            shutil.rmtree(self._spool, ignore_errors=True)
        return ""

    def _check_ours(self) -> None:
        """Raise OutputError when there is something else in the folder, before anything in it is touched."""
        folder = self._job.folder
        if (folder / RUN).exists() or not folder.exists():
            return
        if not folder.is_dir() or not all(is_temporary(path) or is_lock(path) for path in folder.iterdir()):
            raise OutputError(f"{folder} is no empty folder; give a new one")

    def _prepare(self) -> None:
        """Begin the run, or see that the one in the folder is the same, and remove what is incomplete."""
        folder = self._job.folder
        identity = {**self._job.identity(), "inputs": self._inputs.identity}
        text = msgspec.json.format(msgspec.json.encode(identity, order="sorted")) + b"\n"
        path = folder / RUN
        if not path.exists():
            self._sweep()
            write_file(path, text)
            return
        if not self._resume and self._job.part[1] == 1:
            raise OutputError(f"{folder} has a run in it already; --resume goes on with it")
        _check_same(msgspec.json.decode(path.read_bytes()), msgspec.json.decode(text), path)
        self._sweep()
        self._accounts.read(self._remaining_files)

    def _sweep(self) -> None:
        """Remove what an interrupted run did not make to its end, unless other machines are at work, too."""
        if self._job.part[1] > 1 or not self._job.folder.exists():
            return
        for inner in (self._job.folder, *(path for path in self._job.folder.iterdir() if path.is_dir())):
            for path in inner.iterdir():
                if is_temporary(path):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                elif path.name.startswith(_SPOOL):
                    shutil.rmtree(path, ignore_errors=True)

    def _remaining_files(self, name: str, size: int) -> bool:
        """Tell whether a file that an account lists is there, as large as it should be."""
        path = self._job.folder / name
        try:
            if name.endswith("/"):
                return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) == size
            return path.stat().st_size == size
        except OSError:
            return False

    def _shards(self) -> Iterator[tuple[ShardKey, Unit]]:
        """Yield the shards that are not done."""
        for number, unit in self._numbered():
            if number in self._accounts.done:
                clear(unit)
                continue
            if self._piped:
                self._units[number] = unit
            yield ShardKey(number, unit.name), unit

    def _again(self, superseded: Mapping[int, frozenset[int]]) -> Iterator[tuple[ShardKey, Unit]]:
        """Yield shards once more, without some of their records."""
        for number, unit in self._units.items() if self._piped else self._numbered():
            if number in superseded:
                yield ShardKey(number, unit.name, superseded[number]), unit
            elif not self._piped:
                clear(unit)

    def _numbered(self) -> Iterator[tuple[int, Unit]]:
        """Yield the units of this machine with the numbers of their shards."""
        units = self._job.reading.units(self._job.sources, self._job.size, self._spool)
        for number, unit in enumerate(units, start=1):
            if self._job.has_shard(number):
                yield number, unit
            else:
                clear(unit)

    def _convert(self, shards: Iterator[tuple[ShardKey, Unit]]) -> None:
        done = map_units(
            partial(convert_shard, self._job),
            shards,
            workers=self._workers,
            reading=self._job.reading,
            ordered=False,
            progress=self._tell,
            keep_spools=self._piped,
        )
        for one in done:
            if isinstance(one.result, SourceError):
                self._lost[one.key.number] = one.result
                self._accounts.lose(one.key.number)
            else:
                self._made[one.key.number] = one.result
                self._accounts.done.add(one.key.number)

    def _tell(self, records: int) -> None:
        if self._progress is not None:
            self._progress(self._accounts.records_before + records, self._inputs.expected // self._job.part[1])


def _check_same(before: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Raise UsageError when a run is to be resumed with something else."""
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            was, is_now = _difference(before.get(key), now.get(key))
            raise UsageError(
                f"the run in {path.parent} was begun with {key} {was}, and now it is {is_now}; "
                "resume it with the same inputs and options, or give another folder"
            )


def _input(found: dict[str, Any]) -> str:
    """Return an input as people know it: its name, its size, and when it was changed."""
    words = [str(found["name"])]
    if found.get("missing"):
        words.append("which was not there")
    if "files" in found:
        words.append(f"with {found['files']:,} files")
    if "bytes" in found:
        words.append(f"of {found['bytes']:,} bytes")
    if "modified" in found:
        changed = datetime.fromtimestamp(found["modified"] / 1e9, UTC)
        words.append(f"changed at {changed.isoformat(sep=' ', timespec='milliseconds')}")
    return " ".join(words)


def _difference(before: Any, now: Any) -> tuple[str, str]:
    """Return the smallest parts in which two values differ, as texts."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted({*before, *now}):
            if before.get(key) != now.get(key):
                was, is_now = _difference(before.get(key), now.get(key))
                return f"{key} {was}", f"{key} {is_now}"
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for one, other in zip(before, now, strict=True):
            if one != other:
                return _input(one), _input(other)
    return msgspec.json.encode(before).decode(), msgspec.json.encode(now).decode()
