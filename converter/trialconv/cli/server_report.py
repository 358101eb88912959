"""What is told of a run against a FHIR server: a line for each study's fate, Issues, and a summary."""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

import msgspec

from trialconv.cli.progress import Progress
from trialconv.fhir_server.fates import Fate
from trialconv.issues import Issue, OutputError

_SHOWN: Final = 50
_STDOUT: Final = Path("-")
#: Deeds in the order in which the summary has them.
_DEEDS: Final = ("created", "updated", "retired", "deleted", "unchanged", "kept", "unknown", "not sent")

#: Deeds that may have changed the server.
_WRITING: Final = ("created", "updated", "retired", "deleted", "unknown")


class FateReport:
    """The account of a run. A context manager; the summary comes at its end, whatever that was.

    `dry` says that nothing was written, only planned.
    """

    def __init__(self, file: Path | None, *, verbose: bool, force: bool, dry: bool) -> None:
        """Open the file. Raises OutputError for one that exists, without force, or that cannot be written."""
        self.progress = Progress()
        self._verbose = verbose
        self._dry = dry
        self._ends: Counter[str] = Counter()
        self._deeds: Counter[str] = Counter()
        self._refused_inputs = self._lines = self._hidden = 0
        self._stack = ExitStack()
        self._file = _opened(file, self._stack, force=force)

    def __enter__(self) -> FateReport:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if self._ends or self._refused_inputs or kind is None:
            self._summary()

    def input_refused(self, found: Issue) -> None:
        """Account for an input that could not be read or converted."""
        self._refused_inputs += 1
        self._show(found, always=True)

    def fate(self, fate: Fate) -> None:
        """Account for a study."""
        self._ends[fate.end] += 1
        self._deeds.update(part.deed for part in fate.parts)
        if self._file is not None:
            self._file.write(msgspec.json.encode(fate) + b"\n")
            self._file.flush()
        for found in fate.issues:
            self._show(found)
        if self._verbose or not (fate.good or fate.end == "not tried"):
            self.progress.say(f"{fate.study}: {self._told(fate)}")
        self.progress.tick(self._ends.total())

    def exit_code(self, invalid: int = 0) -> int:
        """Return the exit code: 5 when the server took none, 4 when some failed, 3 when some were not valid."""
        bad = self._ends["failed"] + self._ends["partial"] + self._ends["absent"] - invalid
        if bad and bad + invalid == self._ends.total():
            return 5
        if bad or self._refused_inputs:
            return 4
        return 3 if invalid else 0

    def _told(self, fate: Fate) -> str:
        deeds = _listed(Counter(part.deed for part in fate.parts))
        return f"{_ENDS.get(fate.end, fate.end)}{f' ({deeds})' if deeds else ''}"

    def _show(self, found: Issue, *, always: bool = False) -> None:
        if found.severity == "information" and not self._verbose:
            return
        if always or self._verbose or self._lines < _SHOWN:
            self.progress.say(str(found))
            self._lines += 1
        else:
            self._hidden += 1

    def _summary(self) -> None:
        self.progress.done()
        if self._hidden:
            self.progress.say(
                f"{self._hidden:,} more issues are not shown; --report FILE writes all, -v shows them"
            )
        ends = dict(self._ends)
        if absent := ends.pop("absent", 0):
            ends["not on the server"] = absent
        if self._refused_inputs:
            ends["not readable"] = self._refused_inputs
        counts = ", ".join(f"{number:,} {end}" for end, number in ends.items()) or "no study"
        self.progress.say(f"studies: {counts}; resources: {_listed(self._deeds) or 'none'}")
        if self._dry:
            self.progress.say("a dry run: nothing was written")
        elif self._ends and not any(self._deeds[deed] for deed in _WRITING):
            self.progress.say("nothing was written")


_ENDS: Final = {"absent": "not on the server", "partial": "written in part only", "planned": "would be written"}


def _listed(deeds: Counter[str]) -> str:
    return ", ".join(f"{deeds[deed]:,} {deed}" for deed in _DEEDS if deeds[deed])


def _opened(file: Path | None, stack: ExitStack, *, force: bool) -> BinaryIO | None:
    if file is None:
        return None
    if file == _STDOUT:
        return sys.stdout.buffer
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return stack.enter_context(file.open("wb" if force else "xb"))
    except FileExistsError:
        raise OutputError(f"{file} exists; --force overwrites it") from None
    except OSError as error:
        raise OutputError(f"{file} cannot be written: {error.strerror or error}") from error
