"""`trialconv explain`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from trialconv.catalog import TARGETS
from trialconv.cli.options import reader_option, record_size_option
from trialconv.context import Options
from trialconv.issues import SourceError, UsageError

if TYPE_CHECKING:
    from trialconv.record import Record
    from trialconv.tracing.model import Leaf, Lineage, SourceLeaf

_DEFAULT: Final = "fhir-r4"
#: In this order targets are asked for a path that the first one does not know; the others say the same.
_ASKED: Final = (_DEFAULT, "fhir-r5", "odm-2.0", "odm-1.3.2", "odm-1.3.2-plain", "usdm-4.0", "sdtm")


@click.command("explain")
@click.argument("source", metavar="SOURCE")
@click.argument("path", metavar="PATH")
@click.option(
    "--target",
    type=click.Choice(list(TARGETS)),
    help="The target. Default: fhir-r4, or the first one that knows the path.",
)
@click.option("--record", "wanted", metavar="ID", help="The record, where SOURCE has several.")
@click.option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or JSON lines as those of --lineage.",
)
@click.option("--all", "everything", is_flag=True, help="Text: name every leaf, and not only the first ones.")
@reader_option
@record_size_option
def command(
    source: str,
    path: str,
    target: str | None,
    wanted: str | None,
    report_format: str,
    everything: bool,
    reader: str | None,
    max_record_size: int,
) -> None:
    """Tell where a value of a document comes from, or where a value of a record went.

    PATH is of the record (protocolSection.statusModule.overallStatus, or its end: overallStatus) or of a document
    (ResearchStudy.status, Group/NCT01234567-eligibility.name, StudyParameter[@OID='PAR.TITLE'], TS[TITLE].TSVAL).
    Positions may be left out, and then mean all. SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard
    input.

    \b
    Examples:
      trialconv explain NCT01234567.json ResearchStudy.status
      trialconv explain NCT01234567.json overallStatus --target odm-2.0
      trialconv explain NCT01234567.json StudyArm.label --format json
    """
    from trialconv.cli.explain_report import as_text
    from trialconv.tracing.lines import json_lines

    record = _record(source, wanted, reader, max_record_size)
    sources, leaves = _meant(record, path, (target,) if target else _ASKED)
    if report_format == "json":
        sys.stdout.buffer.write(json_lines([*sources, *leaves]))
    else:
        for line in as_text(sources, leaves, everything=everything):
            click.echo(line)


def _record(source: str, wanted: str | None, reader: str | None, limit: int) -> Record:
    """Return the one record of an input, or the one that is wanted. Raises SourceError or UsageError."""
    from trialconv.pipeline import read_outcomes

    if source != "-" and not Path(source).exists():
        raise UsageError(f"{source} does not exist")
    found: Record | None = None
    for outcome in read_outcomes(source, reader, limit):
        if isinstance(outcome, SourceError):
            if wanted is None:
                raise outcome
        elif outcome.nct_id == wanted:
            return outcome
        elif wanted is None and found is not None:
            raise UsageError(f"{source} has several records; choose one with --record")
        else:
            found = outcome
    if found is None or wanted is not None:
        raise UsageError(f"{source} has no record {wanted}" if wanted else f"{source} has no record")
    return found


def _meant(record: Record, path: str, targets: tuple[str, ...]) -> tuple[list[SourceLeaf], list[Leaf]]:
    """Return what a path means: values of the record with the leaves that they went to, or leaves.

    Raises UsageError for a path that means nothing.
    """
    from trialconv.tracing.finding import empty_field, find_leaves, find_sources, nothing_found

    asked: list[Lineage] = []
    for lineage in _lineages(record, targets):
        asked.append(lineage)
        if leaves := find_leaves(lineage, path):
            return [], leaves
        if sources := find_sources(lineage, path):
            paths = {source.path for source in sources}
            return sources, [leaf for leaf in lineage.leaves if not paths.isdisjoint(leaf.sources)]
    if (field := empty_field(path)) is not None:
        raise UsageError(f"the record says nothing in {field}")
    raise nothing_found(asked, path)


def _lineages(record: Record, targets: tuple[str, ...]) -> Iterator[Lineage]:
    from trialconv.pipeline import trace

    for target in targets:
        yield trace(record, target, Options())
