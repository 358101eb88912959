"""`trialconv coverage`."""

from __future__ import annotations

import sys

import click

from trialconv.catalog import TARGETS
from trialconv.cli.options import reader_option, record_size_option
from trialconv.context import Options
from trialconv.issues import SourceError
from trialconv.record import Record


@click.command("coverage")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--target",
    "targets",
    type=click.Choice(list(TARGETS)),
    multiple=True,
    help="A target; may be given several times. Default: all targets.",
)
@click.option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="Text for people, one JSON document, or a page that shows a record beside its documents.",
)
@click.option("--all", "everything", is_flag=True, help="Text: list each field, also those that no record has.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 3 when a value has neither a home nor a reason, or a record has an unknown field.",
)
@reader_option
@click.option(
    "--no-contacts",
    "contacts",
    flag_value=False,
    default=True,
    help="Count for documents without names, addresses and numbers of contacts.",
)
@record_size_option
def command(
    sources: tuple[str, ...],
    targets: tuple[str, ...],
    report_format: str,
    everything: bool,
    strict: bool,
    reader: str | None,
    contacts: bool,
    max_record_size: int,
) -> None:
    """Tell which values of records stand where in a target.

    A value stands in an element of the standard (native), in an extension of it, or not in the document, for a
    reason that is told; some carry a code. Each record is converted to each target; nothing is written. The page
    of the format html shows one record beside its documents, value by value, or the sums of several records.
    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input.

    \b
    Examples:
      trialconv coverage NCT01234567.json --target fhir-r5
      trialconv coverage NCT01234567.json --target fhir-r4 --target odm-2.0 --format html > ledger.html
      trialconv coverage ctg-studies.json.zip --format json > coverage.json
    """
    from trialconv.cli.coverage_report import as_html, as_json, as_text
    from trialconv.cli.progress import Progress
    from trialconv.pipeline import collect_less, read_outcomes, tally_record
    from trialconv.placement import Tally

    collect_less()
    options = Options(contacts=contacts)
    tallies = [Tally(name) for name in dict.fromkeys(targets or TARGETS)]
    progress = Progress()
    first: Record | None = None
    done = failed = 0
    for source in sources:
        for record in read_outcomes(source, reader, max_record_size):
            if isinstance(record, SourceError):
                errors = [record]
                for tally in tallies:
                    tally.fail()
            else:
                first = first or record
                errors = tally_record(record, tallies, options)
            for error in errors:
                progress.say(str(error.issue))
            failed += bool(errors)
            done += 1
            progress.tick(done)
    progress.done()
    made = [tally.coverage() for tally in tallies]
    if report_format == "html":
        click.echo(as_html(made, first if done == 1 else None, options))
    else:
        click.echo(as_json(made) if report_format == "json" else as_text(made, everything=everything))
    accounted = all(each.accounted for each in made)
    sys.exit(4 if failed else 3 if strict and not accounted else 0)
