"""`trialconv to-sdtm`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.catalog import TARGETS, sdtm_dataset
from trialconv.cli.conversion import conversion_options, run_command
from trialconv.formats import SDTM_FORMATS
from trialconv.issues import UsageError


@click.command("to-sdtm")
@conversion_options
@click.option(
    "--format",
    "sdtm_format",
    type=click.Choice(SDTM_FORMATS),
    help="The format of the datasets: Dataset-JSON 1.1, SAS transport files, or both.  [default: dataset-json]",
)
@click.option(
    "--dataset",
    type=click.Choice(["TS", "TI"]),
    help="This dataset alone, as Dataset-JSON, on standard output or in a file per study.",
)
@click.option(
    "--minimal",
    "sdtm_minimal",
    is_flag=True,
    help="Only a ts.xpt with the start of the study, for a study without data in SDTM.",
)
@click.option("--study-id", metavar="ID", help="STUDYID. Default: the sponsor's own study number.")
def command(sdtm_format: str | None, dataset: str | None, sdtm_minimal: bool, **values: Any) -> None:
    """Convert records to the SDTM datasets TS and TI, with their Define-XML.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. A study gives several files: --out
    names their folder, in which several studies get a folder each. TI is left out where the criteria cannot be
    listed.

    \b
    Examples:
      trialconv to-sdtm NCT01234567.json --out sdtm/
      trialconv to-sdtm NCT01234567.json --format both --out sdtm/
      trialconv to-sdtm NCT01234567.json --dataset TS > ts.json
    """
    if sdtm_minimal and (dataset or sdtm_format):
        raise UsageError("--minimal is one ts.xpt; it goes with neither --dataset nor --format")
    if dataset and sdtm_format not in (None, "dataset-json"):
        raise UsageError(f"--dataset is Dataset-JSON; leave out --format {sdtm_format}")
    if not dataset and values["out"] is None:
        raise UsageError("a study gives several files; give a folder for them with --out, or --dataset TS or TI")
    values |= {"sdtm_format": sdtm_format or "dataset-json", "sdtm_minimal": sdtm_minimal}
    sys.exit(run_command(sdtm_dataset(dataset) if dataset else TARGETS["sdtm"], values))
