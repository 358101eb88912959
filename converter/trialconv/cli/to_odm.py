"""`trialconv to-odm`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.catalog import TARGETS
from trialconv.cli.conversion import conversion_options, run_command
from trialconv.formats import ODM_VERSIONS


@click.command("to-odm")
@conversion_options
@click.option(
    "--odm-version",
    type=click.Choice(ODM_VERSIONS),
    default="2.0",
    show_default=True,
    help="The ODM version. 1.3.2 has the study design as SDM-XML 1.0.",
)
@click.option(
    "--plain", is_flag=True, help="ODM 1.3.2 without SDM-XML: names, texts, criteria, persons and sites."
)
@click.option(
    "--format",
    "document_format",
    type=click.Choice(["xml", "json"]),
    default="xml",
    show_default=True,
    help="XML, or the JSON of ODM 2.0.",
)
def command(odm_version: str, plain: bool, document_format: str, **values: Any) -> None:
    """Convert records to CDISC ODM study definitions.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one document on
    standard output, several need --out with a folder.

    \b
    Examples:
      trialconv to-odm examples/NCT06108596.txt
      trialconv to-odm --odm-version 1.3.2 ctg-studies.json.zip --out odm/
      trialconv to-odm --format json study.json --out study-odm.json
    """
    if plain and odm_version != "1.3.2":
        raise click.UsageError("--plain is for --odm-version 1.3.2")
    if document_format == "json" and odm_version != "2.0":
        raise click.UsageError("--format json is for --odm-version 2.0; ODM 1.3.2 is XML only")
    ending = "-plain" if plain else "-json" if document_format == "json" else ""
    sys.exit(run_command(TARGETS[f"odm-{odm_version}{ending}"], values))
