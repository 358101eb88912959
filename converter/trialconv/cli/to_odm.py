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
    help="The ODM version.",
)
def command(odm_version: str, **values: Any) -> None:
    """Convert records to CDISC ODM study definitions (XML).

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one document on
    standard output, several need --out with a folder.

    \b
    Examples:
      trialconv to-odm examples/NCT06108596.txt
      trialconv to-odm --odm-version 1.3.2 ctg-studies.json.zip --out odm/
    """
    sys.exit(run_command(TARGETS[f"odm-{odm_version}"], values))
