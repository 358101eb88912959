"""What the converting commands share: their options, their output rules, their report and exit codes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from trialconv.catalog import REGISTRY_JSON, Target
from trialconv.cli.options import (
    base_option,
    contacts_option,
    issues_option,
    reader_option,
    record_size_option,
    validate_option,
    verbose_option,
    with_options,
)
from trialconv.context import Options
from trialconv.issues import Severity, SourceError, UsageError

if TYPE_CHECKING:
    from trialconv.cli.lineage_output import LineageOutput
    from trialconv.cli.output import BulkOutput, Output
    from trialconv.cli.package_output import PackageOutput

_F = TypeVar("_F", bound=Callable[..., Any])


class Run(NamedTuple):
    """The options of a converting command that do not concern the mapping.

    Only some commands have those with a default: `bulk` writes a file per resource type, and `max_entries` cuts
    bundles.
    """

    sources: tuple[str, ...]
    out: Path | None
    reader: str | None
    force: bool
    pretty: bool
    keep_invalid: bool
    check: bool
    fail_on: Severity | None
    issues_file: Path | None
    max_record_size: int
    verbose: bool
    lineage: Path | None = None
    bulk: bool = False
    max_entries: int | None = None


_SOURCES: Final = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
_VALIDATION: Final = (
    click.option("--keep-invalid", is_flag=True, help="Write documents that fail validation, too."),
    validate_option,
)
_MINTING: Final = (
    base_option,
    click.option("--created", metavar="INSTANT", help="The instant for formats that demand one (ISO 8601)."),
)

#: The arguments and options of every command that writes a document for each record.
_COMMON: Final = (
    _SOURCES,
    click.option(
        "--out",
        "-o",
        type=click.Path(path_type=Path),
        help="Folder for one file per study, or a file (one study). Default: standard output.",
    ),
    click.option("--force", is_flag=True, help="Overwrite files that exist."),
    click.option("--pretty", is_flag=True, help="Indent the documents."),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning"]),
        help="Exit with 3 when an Issue is this grave or graver. Default: a document that fails validation.",
    ),
    issues_option,
    contacts_option,
    record_size_option,
    verbose_option,
)
#: Those of the commands that convert records to the documents of a standard.
_OF_STANDARDS: Final = (
    reader_option,
    *_VALIDATION,
    click.option(
        "--lineage",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write where each value of the documents comes from: as CSV to a .csv, else as JSON lines.",
    ),
    *_MINTING,
)
#: Those of FHIR bundles.
_OF_FHIR: Final = (
    click.option(
        "--bundle",
        type=click.Choice(["transaction", "batch", "collection"]),
        default="transaction",
        show_default=True,
        help="FHIR: the type of the Bundle. A collection has no requests.",
    ),
    click.option(
        "--request",
        type=click.Choice(["put", "conditional-create", "conditional-update"]),
        default="put",
        show_default=True,
        help="FHIR: how a transaction stores resources: under our ids, or the server's, found by an identifier.",
    ),
    click.option(
        "--max-entries",
        type=click.IntRange(min=1),
        metavar="N",
        help="FHIR: cut larger Bundles into several of at most N entries, to be sent in their order.",
    ),
    click.option(
        "--shared-organizations",
        is_flag=True,
        help="FHIR: let studies share Organizations of which they say the same. Default: each has its own.",
    ),
    click.option(
        "--narrative", is_flag=True, help="FHIR: add texts for people to the study, its plan and its Group."
    ),
    click.option(
        "--provenance", is_flag=True, help="FHIR: add a Provenance: the record's page, its hash, and trialconv."
    ),
    click.option(
        "--unknown-status",
        type=click.Choice(["absent", "last-known"]),
        default="absent",
        show_default=True,
        help="FHIR R4: status of a study whose status is UNKNOWN: marked as absent, or the last known one.",
    ),
)
#: The address of those whom messages are for.
_SOAP: Final = click.option(
    "--soap",
    "soap_to",
    metavar="URL",
    help="RPE: put the message into a SOAP 1.2 envelope for the receiver at this address.",
)


def conversion_options(function: _F) -> _F:
    """Add the arguments and options that every command has which converts to the documents of a standard."""
    return with_options(function, (*_COMMON, *_OF_STANDARDS))


def fhir_options(function: _F) -> _F:
    """Add the options that say how FHIR is written."""
    return with_options(function, _OF_FHIR)


def rpe_options(function: _F) -> _F:
    """Add the options that say how RPE messages are written."""
    return with_options(function, (_SOAP,))


def many_records_options(function: _F) -> _F:
    """Add the sources, and the options that say how records are read, judged and named, whatever they become."""
    return with_options(
        function, (_SOURCES, reader_option, record_size_option, *_VALIDATION, contacts_option, *_MINTING)
    )


def way_back_options(function: _F) -> _F:
    """Add the arguments and options of the commands that read the documents of a standard."""
    return with_options(function, _COMMON)


def _output(target: Target, run: Run) -> BulkOutput | PackageOutput | Output:
    """Return where a run's documents go: to files per resource type or per study, or one by one."""
    from trialconv.cli.output import BulkOutput, Output
    from trialconv.cli.package_output import PackageOutput

    if run.bulk and run.out:
        return BulkOutput(run.out, force=run.force)
    if target.write_files and run.out:
        return PackageOutput(run.out, force=run.force, pretty=run.pretty)
    return Output(target, run.out, force=run.force, pretty=run.pretty, max_entries=run.max_entries)


def _lineage(target: Target, options: Options, run: Run) -> AbstractContextManager[LineageOutput | None]:
    """Return where the lineage of a run's documents goes, if anywhere."""
    if run.lineage is None:
        return nullcontext()
    from trialconv.cli.lineage_output import LineageOutput

    return LineageOutput(run.lineage, target, options, run)


def run_conversion(target: Target, options: Options, run: Run) -> int:
    """Convert every record of every source, write the documents, report, and return the exit code."""
    from trialconv.cli.report import Report
    from trialconv.pipeline import collect_less, read_outcomes, transform_isolated

    collect_less()
    studies = 0
    with (
        Report(run.issues_file, verbose=run.verbose, force=run.force) as report,
        _output(target, run) as output,
        _lineage(target, options, run) as lineage,
    ):
        for source in run.sources:
            for record in read_outcomes(source, run.reader, run.max_record_size):
                outcome = (
                    record
                    if isinstance(record, SourceError)
                    else transform_isolated(record, target, options, check=run.check)
                )
                if isinstance(outcome, SourceError):
                    report.refused(outcome.issue)
                    continue
                studies += 1
                if studies > 1 and options.study_id:
                    raise UsageError("--study-id is of one study, and there are several")
                wanted = outcome.valid or run.keep_invalid
                written = wanted and report.output(output.write, outcome)
                report.converted(outcome, written=written)
                if written and lineage is not None and (error := lineage.write(outcome)) is not None:
                    report.refused(error.issue)
    return report.exit_code(run.fail_on)


def run_command(target: Target, values: dict[str, Any]) -> int:
    """Sort the parsed options of a command into those of the mapping and those of the run, and run."""
    run = Run(**{name: values.pop(name) for name in Run._fields if name in values})
    return run_conversion(target, Options(**values), run)


def run_way_back(reader: str, values: dict[str, Any]) -> int:
    """Read documents of a standard with a reader, and write their records as the registry's JSON."""
    return run_command(REGISTRY_JSON, {**values, "reader": reader, "keep_invalid": False, "check": True})
