"""`trialconv load`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from trialconv.cli.options import reader_option
from trialconv.cli.warehouse_options import load_start, preparation, warehouse_options
from trialconv.issues import Severity, SinkError

if TYPE_CHECKING:
    from trialconv.cli.report import Report
    from trialconv.loading import Loaded, Preparation
    from trialconv.parallel import Reading
    from trialconv.sinks.warehouse import LoadStart, MergeRules


class Call(NamedTuple):
    """What to load, from where, and how."""

    sources: tuple[str, ...]
    address: str
    start: LoadStart
    how: Preparation
    rules: MergeRules
    reading: Reading
    workers: int | None


@click.command("load")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@reader_option
@click.option("--allow-older", is_flag=True, help="Let an older version of a study take the place of a newer one.")
@click.option("--reload", is_flag=True, help="Write studies again that are there in the same version.")
@warehouse_options
def command(
    sources: tuple[str, ...],
    address: str,
    reader: str | None,
    allow_older: bool,
    reload: bool,
    issues_file: Path | None,
    force: bool,
    verbose: bool,
    fail_on: Severity | None,
    workers: int | None,
    max_record_size: int,
    **values: Any,
) -> None:
    """Load records into a data warehouse: typed tables, a study in one version.

    A study is written when it is not there yet or has changed; the version is the day of its last posted update
    and a hash of what it says. A second load of the same records converts and writes nothing. docs/warehouse.md
    explains the tables.

    \b
    Examples:
      trialconv load ctg-studies.json.zip --to duckdb:trials.duckdb
      trialconv load ctg-studies.json.zip --to parquet:trials/
      trialconv load ctg-studies.json.zip --to postgresql://localhost/trials
    """
    from trialconv.cli.report import Report
    from trialconv.parallel import Reading
    from trialconv.sinks.warehouse import MergeRules

    call = Call(
        sources,
        address,
        load_start(values),
        preparation(values),
        MergeRules(allow_older, reload),
        Reading(reader, max_record_size),
        workers,
    )
    with Report(issues_file, verbose=verbose, force=force) as report:
        _load(call, report)
    sys.exit(report.exit_code(fail_on))


def _load(call: Call, report: Report) -> None:
    from trialconv.loading import load
    from trialconv.pipeline import collect_less
    from trialconv.sinks.warehouse import open_warehouse

    collect_less()

    failed = 0

    def tell(loaded: Loaded) -> None:
        nonlocal failed
        outcome, fate = loaded
        if outcome.refusal is not None:
            failed += 1
            report.refused(outcome.refusal)
        elif fate is not None:
            failed += fate == "invalid"
            report.loaded(outcome.nct_id, fate, outcome.issues + outcome.findings)

    with open_warehouse(call.address) as warehouse:
        warehouse.begin(call.start)
        try:
            load(
                warehouse,
                call.sources,
                call.how,
                rules=call.rules,
                reading=call.reading,
                workers=call.workers,
                tell=tell,
            )
            warehouse.finish(failed)
        except SinkError as error:
            report.stopped(error)
