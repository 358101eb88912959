"""`trialconv diff`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.cli.options import reader_option, record_size_option
from trialconv.context import BASE
from trialconv.formats import FHIR_VERSIONS
from trialconv.issues import UsageError


@click.command("diff")
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "fhir-patch"]),
    default="text",
    show_default=True,
    help="Text for people, a JSON object for each study on a line, or a patch for the FHIR bundle.",
)
@click.option(
    "--results",
    type=click.Choice(["summary", "full"]),
    default="summary",
    show_default=True,
    help="Posted results: a line for each outcome measure, or every change.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 3 when anything differs.")
@click.option(
    "--patch",
    type=click.Choice(["json-patch", "fhir-parameters"]),
    default="json-patch",
    show_default=True,
    help="The form of a fhir-patch: JSON Patch of the bundle, or a transaction with FHIR Patch for each resource.",
)
@click.option(
    "--target",
    type=click.Choice([f"fhir-{version.lower()}" for version in FHIR_VERSIONS]),
    default="fhir-r4",
    show_default=True,
    help="The FHIR version of a fhir-patch.",
)
@click.option("--base", default=BASE, show_default=True, help="For a fhir-patch: what stands before our urls.")
@click.option(
    "--no-contacts",
    "contacts",
    flag_value=False,
    default=True,
    help="For a fhir-patch: of bundles without names, addresses and numbers of contacts.",
)
@reader_option
@record_size_option
def command(before: str, after: str, **values: Any) -> None:
    """Tell what changed between two versions of a record, or of many.

    A (the older) and B are files, folders, ZIPs, gzip of any, or - for standard input, in any format that
    trialconv reads, also in different ones; or two FHIR bundles, or two ODM documents. Records are paired by NCT
    number. The day of the download is no change.

    \b
    Exit codes: 0 also when they differ, unless --exit-code asks for 3; 2 different trials; 4 some records failed.

    \b
    Examples:
      trialconv diff yesterday/NCT01234567.json NCT01234567.json
      trialconv diff --format json --exit-code old.zip new.zip > changes.ndjson
      trialconv diff --format fhir-patch --target fhir-r5 old.json new.json
    """
    if before == after == "-":
        raise UsageError("only one of A and B can be standard input")
    from trialconv.cli.diff_run import Run, run_diff

    sys.exit(run_diff(before, after, Run(**values)))
