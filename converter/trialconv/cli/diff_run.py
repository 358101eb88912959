"""How `trialconv diff` works through two inputs: records in pairs, or two documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, NamedTuple, cast

import click
import msgspec

from trialconv.catalog import TARGETS
from trialconv.cli.diff_report import as_json, as_text
from trialconv.cli.progress import Progress
from trialconv.context import Options
from trialconv.differences.compare import diff
from trialconv.differences.documents import DocumentKind, bundle_of, diff_bundles, diff_odm, odm_tree_of
from trialconv.differences.fhir_patch import fhir_patch
from trialconv.differences.json_patch import json_patch
from trialconv.differences.kinds import document_kind
from trialconv.differences.model import Difference
from trialconv.differences.pairs import Only, Same, compare_inputs
from trialconv.formats import FhirVersion
from trialconv.issues import SourceError, UsageError
from trialconv.pipeline import convert, read_documents
from trialconv.readers.sources import Document, documents, read_whole
from trialconv.record import Record

_Opened = Iterator[Document | SourceError]


class Run(NamedTuple):
    """The options of the command."""

    format_: str
    results: str
    exit_code: bool
    patch: str
    target: str
    base: str
    contacts: bool
    reader: str | None
    max_record_size: int


class _Patch(NamedTuple):
    """The patch for the bundle of one study. An empty one changes nothing."""

    nct_id: str
    patch: Any
    differ: bool


def run_diff(before: str, after: str, run: Run) -> int:
    """Compare two inputs, print what changed, and return the exit code."""
    opened = {name: _Input(name) for name in (before, after)}
    kinds = [opened[name].kind if run.reader is None else None for name in (before, after)]
    if kinds[0] != kinds[1] and any(kinds):
        names = {"fhir": "a FHIR document", "odm": "an ODM document", None: "a registry record"}
        raise UsageError(
            f"{before} is {names[kinds[0]]} and {after} is {names[kinds[1]]}; diff compares two of a kind"
        )
    report = _Report(run)
    if kinds[0] is not None:
        report.outcome(_documents(opened[before], opened[after], kinds[0], run))
    else:
        found = compare_inputs(
            before,
            after,
            lambda name: read_documents(opened[name].open(), run.reader, run.max_record_size),
            report.pair,
        )
        for outcome in found:
            report.outcome(outcome)
    return report.finish()


class _Input:
    """An input, and a look at its first document. It can be opened again where it is a file or a folder."""

    def __init__(self, name: str) -> None:
        self.name = name
        rest = documents(name)
        first = next(rest, None)
        self._first: _Opened | None = rest if first is None else chain([first], rest)
        self.kind: DocumentKind | None = document_kind(first.head) if isinstance(first, Document) else None

    def open(self) -> _Opened:
        """Return the documents of the input."""
        opened, self._first = self._first, None
        return opened if opened is not None else documents(self.name)

    def only(self, limit: int) -> tuple[str, bytes]:
        """Return the name and the bytes of the one document. Raises SourceError, or UsageError for several."""
        opened = self.open()
        document = next(opened)
        if isinstance(document, SourceError):
            raise document
        data = read_whole(document, limit)
        if next(opened, None) is not None:
            raise UsageError(
                f"{self.name} holds several documents; documents that are no records are compared one by one"
            )
        return str(document.source), data


def _documents(before: _Input, after: _Input, kind: DocumentKind, run: Run) -> Difference | _Patch:
    """Compare two documents that are no records."""
    (old_name, old), (new_name, new) = (each.only(run.max_record_size) for each in (before, after))
    sources = (old_name, new_name)
    if kind == "odm":
        if run.format_ == "fhir-patch":
            raise UsageError("--format fhir-patch is for records and FHIR bundles, not for ODM documents")
        return diff_odm(odm_tree_of(old, old_name), odm_tree_of(new, new_name), sources)
    bundles = bundle_of(old, old_name), bundle_of(new, new_name)
    found = diff_bundles(*bundles, sources)
    if run.format_ != "fhir-patch":
        return found
    return _Patch(found.nct_id, _patch(*bundles, run) if found.differ else _nothing(run), found.differ)


def _patch(before: dict[str, Any], after: dict[str, Any], run: Run) -> Any:
    if run.patch == "json-patch":
        return json_patch(before, after)
    version = TARGETS[run.target].versions["fhir_version"]
    return fhir_patch(before, after, cast("FhirVersion", version))


def _nothing(run: Run) -> Any:
    return _patch({}, {}, run)


#: Issues that tell of something in a record which was not read, and so cannot be compared.
_UNREAD: Final = frozenset({"unknown-field", "wrong-type", "unread-element", "unread-page-text", "invalid-date"})


class _Report:
    """What was found so far, and how it is said."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._progress = Progress()
        self._counts: Counter[str] = Counter()
        # What is said of a study that turns out to be the only one.
        self._alone: str | bytes | None = None
        self._printed = 0

    def pair(self, before: Record, after: Record) -> Difference | _Patch:
        """Compare two versions of a record. What could not be read of them is said."""
        found = diff(before, after)
        unread = [each for each in (*before.issues, *after.issues) if each.code in _UNREAD]
        for line in dict.fromkeys(map(str, unread)):
            self._progress.say(f"not compared: {line}")
        if self._run.format_ != "fhir-patch":
            return found
        if not found.differ:
            return _Patch(found.nct_id, _nothing(self._run), differ=False)
        options = Options(base=self._run.base, contacts=self._run.contacts)
        old, new = (convert(each, self._run.target, options) for each in (before, after))
        return _Patch(found.nct_id, _patch(old, new, self._run), differ=True)

    def outcome(self, found: Difference | _Patch | Only | Same | SourceError) -> None:
        """Count an outcome, and print it if there is something to say."""
        if isinstance(found, SourceError):
            self._counts["failed"] += 1
            self._progress.say(str(found.issue))
        elif isinstance(found, Only):
            self._counts[f"only in {_LETTERS[found.where]}"] += 1
            self._only(found)
        elif isinstance(found, Same) or not found.differ:
            self._counts["the same"] += 1
            self._alone = self._nothing_changed(found)
        else:
            self._counts["changed"] += 1
            self._changed(found)
        self._progress.tick(self._counts.total())

    def _only(self, found: Only) -> None:
        if self._run.format_ == "json":
            self._print(msgspec.json.encode({"nctId": found.nct_id, "status": f"only-{found.where}"}))
        elif self._run.format_ == "text":
            self._print(f"{found.nct_id}: only in {_LETTERS[found.where]}")
        else:
            self._progress.say(
                f"{found.nct_id} is only in {_LETTERS[found.where]}, so that there is nothing to patch"
            )

    def _nothing_changed(self, found: Difference | _Patch | Same) -> str | bytes:
        if self._run.format_ == "fhir-patch":
            return msgspec.json.encode(_nothing(self._run))
        made = Difference(found.nct_id, found.side, found.side) if isinstance(found, Same) else found
        return self._said(cast("Difference", made))

    def _said(self, found: Difference) -> str | bytes:
        full = self._run.results == "full"
        return (as_json if self._run.format_ == "json" else as_text)(found, full_results=full)

    def _changed(self, found: Difference | _Patch) -> None:
        if isinstance(found, Difference):
            self._print(self._said(found))
            return
        # The patch of the only study stands alone; those of several say whose they are.
        line = msgspec.json.encode({"nctId": found.nct_id, "patch": found.patch})
        if self._counts["changed"] == 1:
            self._alone, self._first_patch = msgspec.json.encode(found.patch), line
            return
        if self._counts["changed"] == 2:
            self._print(self._first_patch)
        self._alone = None
        self._print(line)

    def _print(self, text: str | bytes) -> None:
        if self._printed and isinstance(text, str):
            click.echo()
        click.echo(text)
        self._printed += 1

    def finish(self) -> int:
        """Say how many there were, and return the exit code."""
        self._progress.done()
        studies = self._counts.total() - self._counts["failed"]
        if studies == 1 and self._alone is not None:
            self._print(self._alone)
        elif self._run.format_ == "fhir-patch" and self._counts["changed"] == 1:
            self._print(self._first_patch)
        if studies > 1:
            counts = ", ".join(f"{count:,} {name}" for name, count in self._counts.items())
            self._progress.say(f"{studies:,} studies: {counts}")
        differ = studies - self._counts["the same"]
        return 4 if self._counts["failed"] else 3 if self._run.exit_code and differ else 0


_LETTERS: Final = {"before": "A", "after": "B"}
