"""What is asked of a bulk conversion, and the accounts that it keeps: one for each shard, one for the whole."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from trialconv import __version__
from trialconv.catalog import TARGETS, Target, fhir_in_lines
from trialconv.context import Options
from trialconv.issues import UsageError
from trialconv.parallel import Reading
from trialconv.pipeline import Converted
from trialconv.sinks.files import numbered_names
from trialconv.sinks.shards import DocumentFolder, LineFile, ResourceFiles, Shard, ZipFolder


class Layout(NamedTuple):
    """A way to lay out what studies become: what a shard of it is, and which targets it is for."""

    title: str
    shard: Callable[[Path, str, str], Shard]
    fits: Callable[[Target], bool]


#: The layouts by their names. The first that fits a target is the default.
LAYOUTS: Final[dict[str, Layout]] = {
    "resources": Layout(
        "FHIR bulk data: a file per resource type, a resource a line",
        ResourceFiles,
        lambda target: target.name.startswith("fhir-"),
    ),
    "folders": Layout("a file per study, in folders", DocumentFolder, lambda _: True),
    "lines": Layout("a JSON document a line", LineFile, lambda target: target.suffix == ".json"),
    "zip": Layout("a file per study, in ZIPs", ZipFolder, lambda _: True),
}
#: On Spark the documents are rows, as text (resources, lines) or in Parquet, which holds any bytes.
PARQUET: Final = "parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A bulk conversion: where from, where to, and how. It is given to every worker.

    `layouts` has the name of a layout for each target. `size` is the number of records of a shard; `part` is
    (i, n) for the i-th of n machines, counted from 1. Bundles of more than `max_entries` are cut into several.
    """

    sources: tuple[str, ...]
    folder: Path
    layouts: dict[str, str]
    options: Options
    reading: Reading
    check: bool = True
    keep_invalid: bool = False
    issues: bool = False
    size: int
    part: tuple[int, int] = (1, 1)
    max_entries: int | None = None

    def __post_init__(self) -> None:
        if self.part != (1, 1) and "-" in self.sources:
            raise UsageError("standard input cannot be shared by several machines")
        if not self.layouts:
            raise UsageError("no target is named")
        for name, layout in self.layouts.items():
            if name not in TARGETS:
                raise UsageError(f"no target is called {name!r}; there are {', '.join(TARGETS)}")
            if layout == PARQUET:
                continue
            if layout not in LAYOUTS or not LAYOUTS[layout].fits(TARGETS[name]):
                fitting = ", ".join(key for key, one in LAYOUTS.items() if one.fits(TARGETS[name]))
                raise UsageError(f"{name} cannot be laid out as {layout!r}; there are {fitting}")
        if self.options.study_id is not None:
            raise UsageError("a STUDYID is of one study, and these are many")
        self._check_bundles()

    def _check_bundles(self) -> None:
        """Raise UsageError for options of bundles where there are none, or that do not go together."""
        plain = self.options.bundle == "transaction" and self.options.request == "put" and not self.max_entries
        if plain:
            return
        for name, layout in self.layouts.items():
            if name.startswith("fhir-") and layout in ("resources", PARQUET):
                raise UsageError(
                    f"{name} is written as resources and not as bundles: leave out the options of bundles "
                    "(bundle, request, max-entries), or lay it out as lines, folders or zip"
                )
        if not any(name.startswith("fhir-") for name in self.layouts):
            raise UsageError("the options of bundles (bundle, request, max-entries) are for FHIR")
        if self.max_entries and self.options.bundle == "collection":
            raise UsageError("max-entries does not go with a collection, which is no list of requests to send")

    def parts(self, target: str, made: Converted) -> list[tuple[str, Any, bytes]]:
        """Return the documents that are written of a study: the name of each, what it is, and its bytes."""
        name, kind = made.record.nct_id, self.target(target)
        if self.max_entries is None or kind.split is None:
            return [(name, made.document, made.data)]
        documents = kind.split(made.document, self.max_entries)
        if len(documents) == 1:
            return [(name, made.document, made.data)]
        names = numbered_names(name, len(documents))
        return [(one, document, kind.write(document)) for one, document in zip(names, documents, strict=True)]

    def target(self, name: str) -> Target:
        """Return a target as its layout needs it: resources are written without the Bundle around them."""
        target = TARGETS[name]
        lines = self.layouts[name] in ("resources", PARQUET) and LAYOUTS["resources"].fits(target)
        return fhir_in_lines(target) if lines else target

    def has_shard(self, number: int) -> bool:
        """Tell whether this machine makes a shard."""
        part, parts = self.part
        return number % parts == part % parts

    def open_shard(self, target: str, part: str) -> Shard:
        """Return a new shard of a target. Raises SinkError."""
        return LAYOUTS[self.layouts[target]].shard(self.folder / target, part, TARGETS[target].suffix)

    def identity(self) -> dict[str, Any]:
        """Return everything that the output depends on, beside the inputs."""
        options = dataclasses.asdict(self.options)
        options["SOURCE_DATE_EPOCH"] = os.environ.get("SOURCE_DATE_EPOCH")
        return {
            "trialconv": __version__,
            "layouts": self.layouts,
            "options": options,
            "reader": self.reading.reader,
            "maxRecordSize": self.reading.limit,
            "validate": self.check,
            "keepInvalid": self.keep_invalid,
            "issues": self.issues,
            "shardSize": self.size,
            "maxEntries": self.max_entries,
        }


def default_layout(target: str) -> str:
    """Return the name of the layout that a target has unless another one is asked for."""
    return next(name for name, layout in LAYOUTS.items() if layout.fits(TARGETS[target]))


class _Account(msgspec.Struct, rename="camel", kw_only=True):
    """Base of what is written as JSON."""


class TargetCount(_Account):
    """What became of records in a target: documents written, invalid ones, and records that failed."""

    converted: int = 0
    invalid: int = 0
    failed: int = 0


class IssueCount(_Account):
    """How often an Issue came up; without a target it is one of reading."""

    target: str
    code: str
    severity: str
    count: int


class OutputFile(_Account):
    """A file of the output, or a folder of documents: its path in the output folder and what it holds."""

    name: str
    records: int
    bytes: int
    sha256: str


class ShardReport(_Account):
    """The account of a shard. That it is there says that the shard is complete.

    `records` are those of the input, `unread` those that could not be read, `superseded` the places (from 1) of
    those of which there is a newer version. `studies` has a line for each record: its number, the day of its last
    update and that of the registry's data, or nothing.
    """

    shard: int
    source: str
    records: int
    unread: int
    superseded: list[int]
    targets: dict[str, TargetCount]
    issues: list[IssueCount]
    files: list[OutputFile]
    studies: list[str]


class ShardSummary(_Account):
    """What the report of a run says of a shard."""

    shard: int
    records: int
    files: list[OutputFile]


class RunReport(_Account):
    """The account of a run.

    `state` is `complete`; `stopped` where `reason` says what stopped it; or `incomplete` where there are `lost`
    shards, which could not be made since worker processes died on them. Both can be resumed. Every record of the
    input is one of `unread`, `superseded`, or in each target one of converted, invalid and failed. `locked` is
    False where the file system has no locks, so that nothing kept another run out of the folder.
    """

    state: str
    reason: str
    exit_code: int
    trialconv: str
    started: str
    seconds: float
    resumed: bool
    records_this_run: int
    records_per_second: float
    workers: int
    part: str
    inputs: list[dict[str, Any]]
    conversion: dict[str, Any]
    records: int
    unread: int
    superseded: int
    lost: list[str]
    targets: dict[str, TargetCount]
    issues: list[IssueCount]
    shards: list[ShardSummary]
    locked: bool = True
