"""`trialconv to-fhir`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.catalog import TARGETS
from trialconv.cli.conversion import conversion_options, run_command
from trialconv.formats import FHIR_VERSIONS


@click.command("to-fhir")
@conversion_options
@click.option(
    "--fhir-version",
    type=click.Choice(FHIR_VERSIONS, case_sensitive=False),
    default="R4",
    show_default=True,
    help="The FHIR version.",
)
@click.option(
    "--bundle",
    type=click.Choice(["transaction", "collection"]),
    default="transaction",
    show_default=True,
    help="The type of the Bundle. A collection has no requests.",
)
@click.option(
    "--unknown-status",
    type=click.Choice(["absent", "last-known"]),
    default="absent",
    show_default=True,
    help="R4 status of a study whose status is UNKNOWN: marked as absent, or the last known one.",
)
def command(fhir_version: str, **values: Any) -> None:
    """Convert records to FHIR bundles.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one Bundle on
    standard output, several give NDJSON there or a file each with --out.

    \b
    Examples:
      trialconv to-fhir examples/NCT06108596.txt
      trialconv to-fhir --fhir-version R5 ctg-studies.json.zip --out bundles/
      cat NCT01234567.json | trialconv to-fhir - > bundle.json
    """
    sys.exit(run_command(TARGETS[f"fhir-{fhir_version.lower()}"], values))
