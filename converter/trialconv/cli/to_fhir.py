"""`trialconv to-fhir`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.catalog import TARGETS, fhir_in_lines, fhir_in_xml
from trialconv.cli.conversion import conversion_options, fhir_options, run_command
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import UsageError


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
    "--format",
    "format_",
    type=click.Choice(["json", "xml", "ndjson"]),
    default="json",
    show_default=True,
    help="Bundles as JSON or XML; ndjson: bulk data, a file per resource type in the folder of --out.",
)
@fhir_options
def command(fhir_version: FhirVersion, format_: str, **values: Any) -> None:
    """Convert records to FHIR bundles.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one Bundle on
    standard output, several give NDJSON there or a file each with --out. XML needs --out for several.

    \b
    Examples:
      trialconv to-fhir examples/NCT06108596.txt
      trialconv to-fhir --fhir-version R5 ctg-studies.json.zip --out bundles/
      trialconv to-fhir --request conditional-update --max-entries 500 NCT01234567.json --out bundles/
      trialconv to-fhir --format ndjson ctg-studies.json.zip --out bulk/
      cat NCT01234567.json | trialconv to-fhir - > bundle.json
    """
    target = TARGETS[f"fhir-{fhir_version.lower()}"]
    if format_ == "ndjson":
        _check_bulk(values)
        target = fhir_in_lines(target)
    elif format_ == "xml":
        target = fhir_in_xml(target, fhir_version)
    if values["max_entries"] and values["bundle"] == "collection":
        raise UsageError("--max-entries does not go with a collection, which is no list of requests to send")
    sys.exit(run_command(target, {**values, "bulk": format_ == "ndjson"}))


def _check_bulk(values: dict[str, Any]) -> None:
    """Raise UsageError for what does not go together with bulk data."""
    if values["out"] is None or values["out"].suffix == ".ndjson":
        raise UsageError("--format ndjson writes a file per resource type; give a folder for them with --out")
    if values["bundle"] != "transaction" or values["request"] != "put" or values["max_entries"]:
        raise UsageError(
            "--format ndjson writes resources and no Bundles; leave out --bundle, --request and --max-entries"
        )
    if values["pretty"]:
        raise UsageError("--format ndjson writes a resource on a line; --pretty does not go with it")
