"""Who is at work in an output folder: one run, or several shares that have no shard in common."""

from __future__ import annotations

import re
from contextlib import ExitStack
from math import gcd
from pathlib import Path
from types import TracebackType
from typing import Final

from trialconv.issues import OutputError
from trialconv.sinks.locks import FileLock

_LOCK: Final = re.compile(r"\.lock-(\d+)-of-(\d+)")

_Part = tuple[int, int]


def is_lock(path: Path) -> bool:
    """Tell whether this is the lock of a run, which may have ended."""
    return _LOCK.fullmatch(path.name) is not None


def overlap(one: _Part, other: _Part) -> bool:
    """Tell whether two shares i/n have a shard in common, however many there are."""
    return (one[0] - other[0]) % gcd(one[1], other[1]) == 0


class FolderLock:
    """The right to make the shards of a share, 1/1 being all of them. Use it in a `with`.

    Each share has a lock of its own. It is taken first, and then it is looked whether a share that overlaps has
    its own, too: of two that begin at the same moment at least one sees the other.
    """

    def __init__(self, folder: Path, part: _Part) -> None:
        self._folder = folder
        self._part = part
        self._own = FileLock(folder / ".lock-{}-of-{}".format(*part))

    @property
    def works(self) -> bool:
        """Whether the file system has locks at all."""
        return self._own.works

    def __enter__(self) -> FolderLock:
        """Raise OutputError when another process makes some of the shards, or the folder cannot be written to."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not self._own.take():
                raise self._refused(self._part)
            with ExitStack() as failing:
                failing.callback(self._own.release)
                self._look_for_others()
                failing.pop_all()
        except OSError as error:
            raise OutputError(f"{self._folder} cannot be written to: {error.strerror or error}") from error
        return self

    def _look_for_others(self) -> None:
        for path in sorted(self._folder.iterdir()):
            found = _LOCK.fullmatch(path.name)
            part = (int(found[1]), int(found[2])) if found else self._part
            if part == self._part or not overlap(part, self._part):
                continue
            other = FileLock(path)
            if not other.take():
                raise self._refused(part)
            # Of a process that was killed.
            other.release()

    def _refused(self, part: _Part) -> OutputError:
        who = "another run" if part == (1, 1) else "a run with --shard {}/{}".format(*part)
        return OutputError(f"{who} is at work in {self._folder}; wait until it has ended, or give another folder")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._own.release()
