"""Records of any inputs, worked on by several processes: in order, in flat memory, and whatever dies.

The inputs are cut into units (`trialconv.readers.units`). A worker reads a unit by itself, so that neither records
nor documents travel between processes; only what the work returns does. A process that dies takes one record
with it: the unit is done again, and a record on which a worker dies twice is left out of it, with an Issue.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

from trialconv.issues import SourceError, issue
from trialconv.pipeline import collect_less, isolated, parse, raw_records
from trialconv.readers.planner import Planner
from trialconv.readers.sources import MAX_RECORD_SIZE, RawRecord
from trialconv.readers.units import Spool, Unit
from trialconv.record import Record

_T = TypeVar("_T")
_K = TypeVar("_K")

#: How many units wait for each worker beside the one that it works on.
_WAITING: Final = 1
#: How often a unit is tried when workers die on it, each time on another record.
_TRIES: Final = 10
#: How often somebody hears of the progress, in seconds.
_TICK: Final = 0.5
#: After how many records somebody hears of it where there are no other processes.
_OFTEN: Final = 50
#: Of a unit for `map_records`, whose results are held.
_UNIT_SIZE: Final = 256


class Reading(NamedTuple):
    """How to read: the name of a reader, or None to tell by the content, and the largest record in bytes."""

    reader: str | None = None
    limit: int = MAX_RECORD_SIZE

    def raw_records(self, unit: Unit) -> Iterator[RawRecord | SourceError]:
        """Yield the bytes of every record of a unit, or the reason why they cannot be had."""
        if isinstance(unit, Spool):
            return unit.records()
        return raw_records(unit.documents(), self.reader, self.limit)

    def units(self, sources: Sequence[str], size: int, spool: Path | None) -> Iterator[Unit]:
        """Cut inputs into units of at most `size` records; see `Planner`."""
        planner = Planner(size, self.limit, lambda found: raw_records([found], self.reader, self.limit), spool)
        return planner.units(sources)


#: What is done with the records of a unit, in a worker: it gets the unit's key and the records. It can be pickled,
#: and so can the keys and what it returns.
Work = Callable[[_K, Iterator[RawRecord | SourceError]], _T]


class Done(NamedTuple, Generic[_K, _T]):
    """What the work on a unit returned, or the reason why there is nothing: workers died on it again and again."""

    key: _K
    result: _T | SourceError


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def map_records(
    function: Callable[[Record], _T],
    sources: Sequence[str],
    *,
    workers: int | None = None,
    reading: Reading = Reading(),  # noqa: B008 - it cannot be changed
) -> Iterator[_T | SourceError]:
    """Apply a function to every record of some inputs, in worker processes, and yield the results in order.

    A record that cannot be read, or on which the function fails, gives the reason. The function and its results
    are pickled: the function is one of a module, or a `functools.partial` of one.
    """
    with tempfile.TemporaryDirectory(prefix="trialconv-") as folder:
        units = enumerate(reading.units(sources, _UNIT_SIZE, Path(folder)))
        for done in map_units(partial(_apply, function), units, workers=workers, reading=reading):
            if isinstance(done.result, SourceError):
                yield done.result
            else:
                yield from done.result


def _apply(
    function: Callable[[Record], _T], _: int, raws: Iterator[RawRecord | SourceError]
) -> list[_T | SourceError]:
    return [_applied(function, raw) for raw in raws]


def _applied(function: Callable[[Record], _T], raw: RawRecord | SourceError) -> _T | SourceError:
    record = raw if isinstance(raw, SourceError) else parse(raw)
    if isinstance(record, SourceError):
        return record
    return isolated(record, lambda: function(record))


def map_units(
    work: Work[_K, _T],
    units: Iterable[tuple[_K, Unit]],
    *,
    workers: int | None = None,
    reading: Reading = Reading(),  # noqa: B008 - it cannot be changed
    ordered: bool = True,
    progress: Callable[[int], None] | None = None,
    keep_spools: bool = False,
) -> Iterator[Done[_K, _T]]:
    """Do some work on each unit, in worker processes, and yield what it returns.

    Units come with a key each; `work` gets the key and the records of the unit. An exception that it raises is
    raised here, and ends the work on all other units. Units are taken from `units` only as workers need them.
    `workers` is the number of processes (default: one for each processor); 0 works in this process. The results
    come in the order of the units unless `ordered` is False. `progress` is called, now and then, with the number
    of records that were worked on so far.
    Files that were written to hand records to workers are removed unless `keep_spools` is True.
    """
    if workers == 0:
        counter = _Counter(progress)
        for key, unit in units:
            yield Done(key, work(key, counter.counted(reading.raw_records(unit))))
            if not keep_spools:
                clear(unit)
        return
    with _Pool(work, reading, workers or available_cores()) as pool:
        remaining = iter(units)
        tasks: deque[_Task] = deque()
        while True:
            while len(tasks) < pool.places and (following := next(remaining, None)) is not None:
                tasks.append(pool.submit(*following))
            if not tasks:
                return
            pool.wait([tasks[0]] if ordered else tasks, tasks, progress)
            done = [task for task in tasks if task.is_done and not task.is_broken]
            for task in [tasks[0]] if ordered else done:
                tasks.remove(task)
                yield Done(task.key, pool.result(task))
                if not keep_spools:
                    clear(task.unit)


class _Counter:
    """Counts records on their way and tells now and then."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress = progress
        self._count = 0

    def counted(self, raws: Iterator[RawRecord | SourceError]) -> Iterator[RawRecord | SourceError]:
        for raw in raws:
            yield raw
            self._count += 1
            if self._progress is not None and not self._count % _OFTEN:
                self._progress(self._count)


def clear(unit: Unit) -> None:
    """Remove what was written for a unit, when nobody needs it any more."""
    if isinstance(unit, Spool):
        unit.done()


class _Task:
    """A unit on its way: what is worked out of it, and where the worker writes how far it is.

    `at` is the record on which a worker died, counted from 1; `without` are those to leave out.
    """

    def __init__(self, key: Any, unit: Unit, place: int) -> None:
        self.key = key
        self.unit = unit
        self.place = place
        self.future: Future[tuple[Any, int]] | None = None
        self.lost: SourceError | None = None
        self.at = 0
        self.without: frozenset[int] = frozenset()

    @property
    def is_done(self) -> bool:
        return self.lost is not None or (self.future is not None and self.future.done())

    @property
    def is_broken(self) -> bool:
        """Whether there is no result, and none to come, because a worker died."""
        if self.lost is not None or self.future is None or not self.future.done():
            return False
        return isinstance(self.future.exception(), BrokenProcessPool)


class _Pool:
    """The worker processes, renewed when one of them dies.

    They do not share the memory of this process: it may have threads, which a fork would break.
    """

    def __init__(self, work: Work[Any, Any], reading: Reading, workers: int) -> None:
        methods = multiprocessing.get_all_start_methods()
        self._context: Any = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
        self._workers = workers
        self.places = workers * (1 + _WAITING)
        # For each place the number of the record in work; behind them, whether to stop.
        self._marks = self._context.RawArray("q", self.places + 1)
        self._free = set(range(self.places))
        self._done_records = 0
        self._starts_without_work = 0
        self._arguments = (work, reading, self._marks)
        self._executor = self._started()

    def _started(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(self._workers, self._context, _begin, self._arguments)

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._marks[self.places] = 1
        self._executor.shutdown(cancel_futures=True)

    def submit(self, key: Any, unit: Unit) -> _Task:
        """Give a unit to the workers."""
        task = _Task(key, unit, self._free.pop())
        self._submit(task)
        return task

    def _submit(self, task: _Task) -> None:
        self._marks[task.place] = 0
        try:
            task.future = self._executor.submit(_work_on, task.key, task.unit, task.place, task.without)
        except BrokenProcessPool as error:
            task.future = Future()
            task.future.set_exception(error)

    def wait(
        self, wanted: Iterable[_Task], tasks: Iterable[_Task], progress: Callable[[int], None] | None
    ) -> None:
        """Return when one of some tasks is done. Tasks are done again where a worker died."""
        while True:
            wait([task.future for task in wanted if task.future], _TICK, FIRST_COMPLETED)
            if any(task.is_broken for task in tasks):
                self._recover([task for task in tasks if task.lost is None])
            if progress is not None:
                progress(self._done_records + sum(max(0, mark - 1) for mark in self._marks[: self.places]))
            if any(task.is_done and not task.is_broken for task in wanted):
                return

    def result(self, task: _Task) -> Any:
        """Return what the work on a unit gave, or the reason why it gave nothing, and free its place."""
        self._free.add(task.place)
        if task.lost is not None or task.future is None:
            return task.lost
        result, count = task.future.result()
        self._marks[task.place] = 0
        self._done_records += count
        return result

    def _recover(self, tasks: list[_Task]) -> None:
        """Start new workers, and do again what the old ones did not end: what they had begun one by one.

        Which of several workers died cannot be told, since the others are ended with it.
        """
        for task in tasks:
            if task.future is not None:
                wait([task.future])
        broken = [task for task in tasks if task.is_broken]
        begun = [task for task in broken if self._marks[task.place]]
        if not begun:
            self._starts_without_work += 1
            if self._starts_without_work == _TRIES:
                raise RuntimeError("worker processes end before they begin to work")
        self._renew()
        for task in begun:
            task.at = self._marks[task.place]
            self._alone(task)
        for task in broken:
            if task not in begun:
                self._submit(task)

    def _renew(self) -> None:
        self._executor.shutdown()
        self._executor = self._started()

    def _alone(self, task: _Task) -> None:
        """Do a unit again with nothing beside it, until it is done or there is no hope."""
        for _ in range(_TRIES):
            self._submit(task)
            if task.future is not None:
                wait([task.future])
            if not task.is_broken:
                return
            self._renew()
            if self._marks[task.place] == task.at:
                task.without |= {task.at}
            task.at = self._marks[task.place]
        message = f"worker processes died on this part of the input, {_TRIES} times"
        task.lost = SourceError(issue("worker-died", message, record=task.unit.name))


# in a worker


class _Stopped(Exception):  # noqa: N818 - no error
    """The work on all units was given up."""


_state: tuple[Work[Any, Any], Reading, Any] | None = None


def _begin(work: Work[Any, Any], reading: Reading, marks: Any) -> None:
    """Make a process ready to work."""
    global _state
    _state = work, reading, marks
    # The process that started this one decides what an interrupt means, and tells.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collect_less()


def _end_with_parent() -> None:
    """End when the process that started this one has died: nobody wants the work, and another one may do it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def _work_on(key: Any, unit: Unit, place: int, without: frozenset[int]) -> tuple[Any, int]:
    """Return what the work on a unit gives, and the number of its records."""
    if _state is None:
        raise RuntimeError("a worker process was not made ready")
    work, reading, marks = _state
    marked = _Marked(reading.raw_records(unit), marks, place, without)
    return work(key, marked), marked.count


class _Marked:
    """The records of a unit; the number of the one in work is written where it outlives this process."""

    def __init__(
        self, raws: Iterator[RawRecord | SourceError], marks: Any, place: int, without: frozenset[int]
    ) -> None:
        self._raws = raws
        self._marks = marks
        self._place = place
        self._without = without
        self.count = 0

    def __iter__(self) -> _Marked:
        return self

    def __next__(self) -> RawRecord | SourceError:
        if self._marks[-1]:
            raise _Stopped
        number = self.count + 1
        self._marks[self._place] = number
        raw = next(self._raws)
        self.count = number
        if number in self._without and not isinstance(raw, SourceError):
            message = "the process that worked on this record died, twice"
            return SourceError(issue("worker-died", message, record=raw.source.name, source_path=raw.source.place))
        return raw
