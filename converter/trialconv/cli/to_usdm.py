"""`trialconv to-usdm`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.catalog import TARGETS
from trialconv.cli.conversion import conversion_options, run_command


@click.command("to-usdm")
@conversion_options
def command(**values: Any) -> None:
    """Convert records to CDISC USDM 4.0 study definitions (JSON).

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one document on
    standard output, several give one per line (NDJSON), or a file each with --out.

    USDM demands values that a registry does not have. They are marked in the document, and -v or --issues
    lists them.

    \b
    Examples:
      trialconv to-usdm examples/NCT06108596.txt
      trialconv to-usdm ctg-studies.json.zip --out usdm/
    """
    sys.exit(run_command(TARGETS["usdm-4.0"], values))
