"""`trialconv sync`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click
import msgspec

from trialconv.cli.registry_options import parameters_of, registry_options
from trialconv.cli.warehouse_options import load_start, preparation, warehouse_options
from trialconv.issues import Severity, SinkError, SourceError, UsageError
from trialconv.registry.client import Registry
from trialconv.registry.listing import checked_query

if TYPE_CHECKING:
    from trialconv.cli.report import Report
    from trialconv.sync.run import Outcome, Plan, Told

_COUNTED: Final = ("new", "changed", "unchanged", "older", "vanished", "returned")
_REJECTED: Final = ("invalid", "unreadable", "not written")


@click.command("sync")
@warehouse_options
@click.option("--query", metavar="TERM", help="Follow only what a search finds (query.term of the API).")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A query. or filter. of the API.")
@click.option(
    "--from-bulk",
    metavar="SOURCE",
    help="Take the records of a bulk file instead of asking the registry.",
)
@click.option(
    "--check-vanished",
    "check_vanished",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="When to compare the list of all ids; auto: every so many days, and never with --from-bulk.",
)
@click.option(
    "--check-every",
    "every",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="For auto.",
)
@click.option("--full", is_flag=True, help="Ask for all records again, not only for what has changed.")
@click.option(
    "--report",
    "report_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what became of each record to this file, as JSON lines.",
)
@registry_options
def command(
    address: str,
    query: str | None,
    params: tuple[str, ...],
    from_bulk: str | None,
    report_file: Path | None,
    issues_file: Path | None,
    force: bool,
    verbose: bool,
    fail_on: Severity | None,
    registry_url: str,
    insecure_http: bool,
    per_minute: float,
    **values: Any,
) -> None:
    """Keep a warehouse current with ClinicalTrials.gov.

    The first run takes all records, every later one those that changed since. Studies that the registry has no
    more are marked, and kept. A run that was interrupted is gone on with by the next one. Standard output gets a
    summary as JSON. docs/fetch-and-sync.md tells the rest.

    \b
    Examples:
      trialconv sync --to duckdb:trials.duckdb
      trialconv sync --to parquet:trials/ --query "heart failure" --history
      trialconv sync --to postgresql://db.example.org/trials --from-bulk ctg-studies.json.zip
    """
    from trialconv.cli.report import Report, opened
    from trialconv.sinks.warehouse import open_warehouse
    from trialconv.sync.run import Run

    if from_bulk and (query or params):
        raise UsageError("--from-bulk takes all records of the file; --query and --param do not go with it")
    start = load_start(values)
    plan = _plan(checked_query(parameters_of(params, query), None), values)
    summary = None
    with Report(issues_file, verbose=verbose, force=force) as report:
        account = _Account(report, opened(report_file, force=force))
        registry = Registry(registry_url, insecure_http=insecure_http, per_minute=per_minute, told=report.say)
        try:
            with registry, account, open_warehouse(address) as warehouse:
                run = Run(warehouse, plan, account.tell)
                outcome = run.from_bulk(from_bulk, start) if from_bulk else run.from_registry(registry, start)
            summary = account.summary(outcome)
        except SourceError as error:
            report.refused(error.issue)
        except SinkError as error:
            report.stopped(error)
    if summary is not None:
        click.echo(msgspec.json.encode(summary))
    sys.exit(report.exit_code(fail_on))


def _plan(query: Any, values: dict[str, Any]) -> Plan:
    from trialconv.parallel import Reading
    from trialconv.sync.run import Plan

    return Plan(
        query,
        preparation(values),
        reading=Reading(None, values["max_record_size"]),
        workers=values["workers"],
        page_size=values["page_size"],
        check=values["check_vanished"],
        every=values["every"],
        full=values["full"],
    )


class _Account:
    """What became of each record: counted, told to the report, and written as a line."""

    def __init__(self, report: Report, file: BinaryIO | None) -> None:
        self._report = report
        self._file = file
        self._counts: Counter[str] = Counter()

    def __enter__(self) -> _Account:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def tell(self, told: Told) -> None:
        """Account for a record."""
        self._counts[told.what] += 1
        if told.what == "unreadable":
            self._report.refused(told.issues[0])
        else:
            # What was noticed in a version was told when it came in.
            found = [] if told.what == "unchanged" else list(told.issues)
            self._report.loaded(told.nct_id, told.what, found)
        if self._file is not None:
            line: dict[str, Any] = {"record": told.nct_id, "what": told.what}
            if told.what in _REJECTED:
                line["issues"] = [found for found in told.issues if found.severity == "error"]
            self._file.write(msgspec.json.encode(line) + b"\n")

    def summary(self, outcome: Outcome) -> dict[str, Any]:
        """Say why a run did nothing, or not all; return what it came to."""
        if outcome.skipped:
            self._report.say("nothing to do: the data are those of the last run")
        if outcome.failure is not None:
            self._report.refused(outcome.failure)
        return {
            "since": outcome.since,
            "dataTimestamp": outcome.data,
            "skipped": outcome.skipped,
            "complete": outcome.failure is None,
            "vanishedChecked": outcome.checked,
            "load": outcome.load_id,
            "records": {
                **{what: self._counts[what] for what in _COUNTED},
                "rejected": sum(self._counts[what] for what in _REJECTED),
            },
        }
