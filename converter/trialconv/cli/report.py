"""What a converting command says: Issues as they come, progress, and a summary, all on standard error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final

import msgspec

from trialconv.cli.progress import Progress
from trialconv.issues import SEVERITIES, Issue, OutputError, Severity, SinkError
from trialconv.pipeline import Converted

_SHOWN: Final = 50


class Report:
    """The account of one call: every record converted, refused or not written, and every Issue."""

    def __init__(self, issues_file: Path | None, *, verbose: bool, force: bool) -> None:
        self._verbose = verbose
        self._records: Counter[str] = Counter()
        self._by_severity: Counter[str] = Counter()
        self._not_mapped: Counter[str] = Counter()
        self._lines = 0
        self._hidden = 0
        self._stopped = False
        self._progress = Progress()
        self._file = opened(issues_file, force=force)

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
        if kind is None:
            self._summary()

    def refused(self, found: Issue) -> None:
        """Account for an input or a record that could not be converted."""
        self._records["failed"] += 1
        self._take(found, always=True)

    def note(self, found: Issue) -> None:
        """Account for an Issue that costs no record."""
        self._take(found)

    def count(self, kind: str, number: int, total: int | None = None) -> None:
        """Account for records of which something else became than a document, of a total where that is known."""
        if number:
            self._records[kind] += number
        self._progress.tick(self._records.total(), total)

    def not_written(self, error: OutputError) -> None:
        """Account for an output that was left alone."""
        self._records["not written"] += 1
        self._progress.say(f"error: {error}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._progress.say(text)

    def converted(self, outcome: Converted, *, written: bool) -> None:
        """Account for a converted record, and for whether its document was good enough to be written."""
        if written:
            self._records["converted"] += 1
        elif not outcome.valid:
            self._records["invalid"] += 1
        for found in outcome.issues:
            self._take(found)
        for found in outcome.findings:
            self._take(msgspec.structs.replace(found, record=outcome.record.nct_id))
        if not written and not outcome.valid:
            message = "the document fails validation and was not written; --keep-invalid writes it"
            self._progress.say(f"error: {outcome.record.nct_id}: {message}")
        self._progress.tick(self._records.total())

    def loaded(self, nct_id: str, fate: str, found: list[Issue]) -> None:
        """Account for a record on its way into a warehouse: what became of it, and the Issues of its study."""
        self._records[fate] += 1
        for each in found:
            self._take(each)
        if fate == "invalid":
            self._progress.say(
                f"error: {nct_id}: the rows fail validation and were not written; --keep-invalid writes them"
            )
        self._progress.tick(self._records.total())

    def stopped(self, error: SinkError) -> None:
        """Account for the end of all work: nothing more can be written."""
        self._stopped = True
        self._progress.say(f"error: {error}")

    def output(self, write: Callable[[Converted], None], outcome: Converted) -> bool:
        """Write a document and return whether it was; account for a refusal to write it."""
        try:
            write(outcome)
        except OutputError as error:
            self._records["not written"] += 1
            self._progress.say(f"error: {outcome.record.nct_id}: {error}")
            return False
        return True

    def exit_code(self, fail_on: Severity | None) -> int:
        """Return the exit code of the call."""
        if self._records["not written"] or self._stopped:
            return 5
        if self._records["failed"]:
            return 4
        bar = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on else ()
        return 3 if self._records["invalid"] or any(self._by_severity[level] for level in bar) else 0

    def _take(self, found: Issue, *, always: bool = False) -> None:
        self._by_severity[found.severity] += 1
        if self._file is not None:
            self._file.write(msgspec.json.encode(found) + b"\n")
        if found.code == "field-not-mapped":
            self._not_mapped[found.source_path] += 1
            if not self._verbose:
                return
        if always or self._verbose or found.severity != "information":
            self._show(found)

    def _show(self, found: Issue) -> None:
        if self._lines < _SHOWN or self._verbose:
            self._progress.say(str(found))
            self._lines += 1
        else:
            self._hidden += 1

    def _summary(self) -> None:
        if self._hidden:
            self._progress.say(
                f"{self._hidden:,} more issues are not shown; --issues FILE writes all of them, -v shows them"
            )
        if self._not_mapped:
            places = ", ".join(
                path if self._records.total() == 1 else f"{path} ({count:,})"
                for path, count in self._not_mapped.items()
            )
            self._progress.say(f"not carried into this target: {places}")
        counts = [f"{count:,} {kind}" for kind, count in self._records.items()]
        issues = [f"{self._by_severity[level]:,} {level}" for level in SEVERITIES if self._by_severity[level]]
        self._progress.say(f"{', '.join(counts) or 'no record'}; issues: {', '.join(issues) or 'none'}")


def opened(path: Path | None, *, force: bool) -> BinaryIO | None:
    """Open a file for lines that are written as they come. Raises OutputError when it exists, without force."""
    if path is None:
        return None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb" if force else "xb")
    except FileExistsError:
        raise OutputError(f"{path} exists; --force overwrites it") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
