"""One record, many records: read, map, list the losses, write, judge."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, TypeVar

from trialconv.catalog import READERS, TARGETS, Target
from trialconv.context import Context, Options
from trialconv.issues import Issue, SourceError, TrialconvError, UsageError, issue
from trialconv.losses import losses
from trialconv.placement import Coverage, Tally
from trialconv.readers.detect import detect
from trialconv.readers.sources import MAX_RECORD_SIZE, Document, RawRecord, documents, unpacked
from trialconv.record import Record, SourceInfo
from trialconv.record.leaves import Values, leaf_values
from trialconv.scrub import scrubbed

if TYPE_CHECKING:
    from pathlib import Path

    from trialconv.tracing.model import Lineage
    from trialconv.tracing.run import Cut

_T = TypeVar("_T")


class Converted(NamedTuple):
    """What became of a record: the document, its bytes, and the Issues of reading, mapping and judging.

    `findings` are those of the validator alone; a document is valid when none of them is an error. Of a target
    that gives several files `files` has the bytes of each, and `data` all of them in one. `uncoded` has each
    value that has no code, with the code table that was asked.
    """

    record: Record
    document: Any
    data: bytes
    issues: list[Issue]
    findings: list[Issue]
    files: dict[str, bytes] = {}
    uncoded: tuple[tuple[str, str], ...] = ()

    @property
    def valid(self) -> bool:
        """Tell whether the validator found no error."""
        return not any(found.severity == "error" for found in self.findings)


def read(
    source: str | Path,
    *,
    reader: str | None = None,
    max_record_size: int = MAX_RECORD_SIZE,
    on_error: Callable[[SourceError], None] | None = None,
) -> Iterator[Record]:
    """Yield every record of a file, a directory, a ZIP or standard input (`-`), in the order of the input.

    An NCT number that is no file is fetched from the registry. `reader` is a name of `trialconv.catalog.READERS`;
    by default the content chooses. A record, or a file, that cannot be read raises SourceError, or is given to
    `on_error` and the reading goes on.
    """
    for outcome in read_outcomes(str(source), reader, max_record_size):
        if isinstance(outcome, Record):
            yield outcome
        elif on_error is None:
            raise outcome
        else:
            on_error(outcome)


def read_outcomes(source: str, reader: str | None, limit: int) -> Iterator[Record | SourceError]:
    """Yield every record of an input, or the reason why one cannot be had."""
    yield from read_documents(documents(source), reader, limit)


def outcomes_of_stream(
    stream: BinaryIO, name: str, reader: str | None, limit: int
) -> Iterator[Record | SourceError]:
    """Yield every record of an open stream, packed or not, or the reason why one cannot be had."""
    yield from read_documents(unpacked(stream, SourceInfo(name)), reader, limit)


def read_documents(
    sources: Iterable[Document | SourceError], reader: str | None, limit: int
) -> Iterator[Record | SourceError]:
    """Yield every record of some documents, or the reason why one cannot be had."""
    for raw in raw_records(sources, reader, limit):
        yield raw if isinstance(raw, SourceError) else parse(raw)


def raw_records(
    found: Iterable[Document | SourceError], reader: str | None, limit: int
) -> Iterator[RawRecord | SourceError]:
    """Yield the bytes of every record of some documents, or the reason why they cannot be had."""
    if reader is not None and reader not in READERS:
        raise UsageError(f"no reader is called {reader!r}; there are {', '.join(READERS)}")
    for document in found:
        if isinstance(document, SourceError):
            yield document
            continue
        try:
            yield from READERS[reader or detect(document)].split(document, limit)
        except SourceError as error:
            yield error


def parse(raw: RawRecord) -> Record | SourceError:
    """Return the record of some bytes, or the reason why they are none."""
    try:
        return READERS[raw.source.reader].parse(raw)
    except SourceError as error:
        return error


def collect_less() -> None:
    """Have the garbage collector look less often, for a process that does nothing but convert.

    Records and documents are trees, which reference counting frees at once.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def target_named(name: str) -> Target:
    """Return the target with this name. Raises UsageError when there is none."""
    if name not in TARGETS:
        raise UsageError(f"no target is called {name!r}; there are {', '.join(TARGETS)}")
    return TARGETS[name]


def transform(record: Record, target: Target, options: Options, *, check: bool = True) -> Converted:
    """Convert a record, list what is lost, and judge the document (unless `check` is False)."""
    _check_number(record, target)
    ctx = Context(record, target.options(options))
    document = scrubbed(ctx, target.build(ctx), for_xml=target.suffix == ".xml")
    if target.write_files is None:
        files: dict[str, bytes] = {}
        data = target.write(document)
    else:
        files = target.write_files(document)
        data = b"".join(files.values())
    findings = target.check(document, files or data) if check else []
    issues = record.issues + ctx.issues + losses(record, target.name)
    return Converted(record, document, data, issues, findings, files, tuple(ctx.uncoded))


def _check_number(record: Record, target: Target) -> None:
    """Raise SourceError for a study without a number of the registry, from which the ids in documents are made."""
    if target.needs_number and not record.nct_id:
        message = f"without an NCT number there is no document of the target {target.name}"
        source = str(record.source)
        raise SourceError(
            issue("no-registry-number", message, record=record.name, source_path=source, severity="error")
        )


def transform_isolated(
    record: Record, target: Target, options: Options, *, check: bool = True
) -> Converted | SourceError:
    """Convert a record as `transform` does; a failure on this record is returned, so that others go on."""
    return isolated(record, lambda: transform(record, target, options, check=check), f"; target {target.name}")


def isolated(record: Record, work: Callable[[], _T], note: str = "") -> _T | SourceError:
    """Return what some work on a record gives; a failure is returned as an Issue of the record, with the note."""
    try:
        return work()
    except SourceError as refused:
        return refused
    except TrialconvError:
        raise
    except Exception as error:  # one broken record must not end the run of a million
        where = f"{record.source}: {type(error).__name__}: {error}"
        return SourceError(issue("internal-error", f"{where}{note}", record=record.nct_id))


def coverage(
    records: Iterable[Record],
    target: str = "fhir-r4",
    options: Options | None = None,
    *,
    on_error: Callable[[SourceError], None] | None = None,
) -> Coverage:
    """Return where the values of records stand in a target: how many in which field, and why others do not.

    `target` is a name of `trialconv.catalog.TARGETS`. A record that cannot be converted raises SourceError, or is
    given to `on_error` and counted as failed. Records may be any number; none of them is held.
    """
    tally = Tally(target_named(target).name)
    for record in records:
        for error in tally_record(record, [tally], options or Options()):
            if on_error is None:
                raise error
            on_error(error)
    return tally.coverage()


def tally_record(record: Record, tallies: Sequence[Tally], options: Options) -> list[SourceError]:
    """Count the values of a record in each of several targets. Returns why it could not be converted to some."""
    errors = []
    values: Values | None = None
    for tally in tallies:
        target = TARGETS[tally.target]

        def count(tally: Tally = tally, target: Target = target) -> None:
            nonlocal values
            _check_number(record, target)
            values = leaf_values(record) if values is None else values
            ctx = Context(record, target.options(options))
            tally.add(record, values, ctx.issues, target.build(ctx))

        if (error := isolated(record, count, f"; target {target.name}")) is not None:
            tally.fail()
            errors.append(error)
    return errors


def trace(record: Record, target: str = "fhir-r4", options: Options | None = None) -> Lineage:
    """Return where each value of a record's document comes from, and where each value of the record went.

    `target` is a name of `trialconv.catalog.TARGETS`. The record is converted for this twice, once with values
    that carry their origins.
    """
    from trialconv.tracing.run import traced

    chosen, given = target_named(target), options or Options()
    made = transform(record, chosen, given, check=False)
    return traced(record, chosen, given, made.document, made.issues)


def trace_isolated(
    converted: Converted, target: Target, options: Options, cut: Cut | None = None
) -> Lineage | SourceError:
    """Return the lineage of a document; a failure on its record is returned, so that others go on.

    `cut` is for a document that is not written as one.
    """
    from trialconv.tracing.run import traced

    record, document, issues = converted.record, converted.document, converted.issues
    return isolated(
        record, lambda: traced(record, target, options, document, issues, cut), f"; target {target.name}"
    )


def convert(record: Record, target: str = "fhir-r4", options: Options | None = None) -> Any:
    """Return a record as a document: a dict for FHIR and USDM, bytes for ODM and RPE.

    For SDTM it is a dict with the bytes of each file by its name. `target` is a name of
    `trialconv.catalog.TARGETS`. The document is the caller's own: changing it changes nothing else. Use
    `trialconv.validate` to judge it.
    """
    made = transform(record, target_named(target), options or Options(), check=False)
    if made.files:
        return made.files
    # Equal parts of a document are one object until it is written; the caller's are all objects of their own.
    return made.data if target.startswith(("odm", "rpe")) else json.loads(made.data)
