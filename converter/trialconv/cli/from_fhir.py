"""`trialconv from-fhir`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.cli.conversion import run_way_back, way_back_options


@click.command("from-fhir")
@way_back_options
def command(**values: Any) -> None:
    """Make registry records (API v2 JSON) of FHIR bundles.

    Bundles that trialconv wrote give the record back. Others are read as far as their standard elements go; what
    was not understood is listed. R4, R4B and R5 are read, as JSON, NDJSON or XML.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one document on
    standard output, several give NDJSON, or files with --out and a folder.

    \b
    Examples:
      trialconv from-fhir bundle.json > study.json
      trialconv to-fhir study.json | trialconv from-fhir -
      trialconv from-fhir bundles/ --out studies/ --issues issues.ndjson
    """
    sys.exit(run_way_back("fhir", values))
