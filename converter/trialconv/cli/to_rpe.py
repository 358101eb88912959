"""`trialconv to-rpe`."""

from __future__ import annotations

import sys
from typing import Any

import click

from trialconv.catalog import TARGETS
from trialconv.cli.conversion import conversion_options, rpe_options, run_command


@click.command("to-rpe")
@conversion_options
@rpe_options
def command(**values: Any) -> None:
    """Convert records to IHE RPE messages, from which EHRs such as Epic import studies.

    The message is RetrieveProtocolDefResponse of IHE's profile Retrieve Process for Execution, with the study's
    number, titles, summary, criteria and arms. It has no visits and no procedures, which a registry does not know.
    UNPROVEN: no EHR has accepted such a message of trialconv yet.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. One study gives one message on
    standard output, several give a file each with --out.

    \b
    Examples:
      trialconv to-rpe examples/NCT06108596.txt
      trialconv to-rpe --soap https://ehr.example.org/rpe examples/NCT06108596.txt --out message.xml
    """
    sys.exit(run_command(TARGETS["rpe"], values))
