"""`trialconv from-odm`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.cli.conversion import run_way_back, way_back_options


@click.command("from-odm")
@way_back_options
def command(**values: Any) -> None:
    """Make registry records (API v2 JSON) of CDISC ODM study definitions.

    Documents that trialconv wrote give the record back. Others are read as far as their standard elements go; what
    was not understood is listed. ODM 2.0 is read as XML or JSON, ODM 1.3.2 as XML with or without SDM-XML.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one document on
    standard output, several give NDJSON, or files with --out and a folder.

    \b
    Examples:
      trialconv from-odm study.xml > study.json
      trialconv to-odm study.json | trialconv from-odm -
      trialconv from-odm odm/ --out studies/ --issues issues.ndjson
    """
    sys.exit(run_way_back("odm", values))
