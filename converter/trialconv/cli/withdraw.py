"""`trialconv withdraw`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from trialconv.cli.server_options import connection, server_options
from trialconv.context import Options
from trialconv.readers.sources import MAX_RECORD_SIZE

if TYPE_CHECKING:
    from trialconv.issues import SourceError

_NUMBER: Final = re.compile(r"NCT\d{8}", re.ASCII | re.IGNORECASE)
_MISSPELT: Final = re.compile(r"NCT\d*", re.ASCII | re.IGNORECASE)


@click.command("withdraw")
@click.argument("studies", nargs=-1, required=True, metavar="STUDY|SOURCE|BUNDLE...")
@server_options
@click.option(
    "--delete", is_flag=True, help="Delete everything that is the study's own, in the place of retiring."
)
@click.option(
    "--max-entries", type=click.IntRange(min=1), metavar="N", help="Send transactions of at most N entries."
)
def command(studies: tuple[str, ...], **values: Any) -> None:
    """Take back studies that were pushed to a FHIR server.

    STUDY is an NCT number; SOURCE and BUNDLE are what was pushed. Publications are retired: PlanDefinition,
    ActivityDefinition, EvidenceVariable and in R5 ResearchStudy. An R4 ResearchStudy keeps its status, which is
    the trial's, and gets the extension artifact-status. Parties and sites stay as they are. Pushing the study
    again publishes it again.

    \b
    Examples:
      trialconv withdraw NCT01234567 --server https://fhir.example.org/r4
      trialconv withdraw NCT01234567 --server https://fhir.example.org/r4 --delete --dry-run
    """
    sys.exit(_run(studies, values))


def _run(studies: tuple[str, ...], values: dict[str, Any]) -> int:
    from trialconv.cli.server_report import FateReport
    from trialconv.fhir_server.connect import connected
    from trialconv.fhir_server.fates import StoppedError
    from trialconv.fhir_server.withdraw import Withdrawal, withdraw
    from trialconv.issues import SourceError

    how = connection(values)
    delete, dry_run, max_entries = (values.pop(name) for name in ("delete", "dry_run", "max_entries"))
    what = Withdrawal(delete, dry_run, max_entries, how.retry)
    with ExitStack() as stack:
        report = FateReport(values["report_file"], verbose=values["verbose"], force=values["force"], dry=dry_run)
        server, capabilities = stack.enter_context(connected(how, report.progress.say))
        stack.enter_context(report)
        for study in _numbers(studies, Options(fhir_version=capabilities.version)):
            if isinstance(study, SourceError):
                report.input_refused(study.issue)
                continue
            try:
                report.fate(withdraw(server, capabilities, study, what))
            except StoppedError as error:
                report.fate(error.fate)
                raise
        return report.exit_code()


def _numbers(studies: tuple[str, ...], options: Options) -> Iterator[str | SourceError]:
    from trialconv.cli.push_input import Inputs
    from trialconv.issues import SourceError, issue

    for given in studies:
        if _NUMBER.fullmatch(given):
            yield given.upper()
        elif _MISSPELT.fullmatch(given) and not Path(given).exists():
            message = "this is no file and no number of a study, which is NCT and eight digits"
            yield SourceError(issue("unreadable-source", message, record=given))
        else:
            yield from Inputs((given,), options, None, MAX_RECORD_SIZE, check=False).studies()
