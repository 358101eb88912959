"""`trialconv load`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from trialconv import __version__
from trialconv.catalog import READERS
from trialconv.cli.conversion import Size
from trialconv.context import BASE, Options, clock
from trialconv.formats import FHIR_VERSIONS
from trialconv.issues import Severity, SinkError
from trialconv.readers.sources import MAX_RECORD_SIZE

if TYPE_CHECKING:
    from trialconv.cli.report import Report
    from trialconv.loading import Loaded, Preparation
    from trialconv.parallel import Reading
    from trialconv.sinks.warehouse import MergeRules


class Call(NamedTuple):
    """What to load, from where, and how."""

    sources: tuple[str, ...]
    address: str
    how: Preparation
    rules: MergeRules
    reading: Reading
    workers: int | None


@click.command("load")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--to",
    "address",
    required=True,
    metavar="WAREHOUSE",
    help="duckdb:FILE, parquet:DIR or postgresql://[USER@]HOST[:PORT]/DATABASE.",
)
@click.option("--from", "reader", type=click.Choice(list(READERS)), help="Force a reader. Default: by content.")
@click.option(
    "--fhir-version",
    type=click.Choice(FHIR_VERSIONS, case_sensitive=False),
    default="R4",
    show_default=True,
    help="The FHIR version of the table fhir_resources.",
)
@click.option("--no-fhir", "fhir", flag_value=False, default=True, help="Leave fhir_resources empty.")
@click.option("--history", is_flag=True, help="Keep the whole record of every version in study_versions.")
@click.option("--allow-older", is_flag=True, help="Let an older version of a study take the place of a newer one.")
@click.option("--reload", is_flag=True, help="Write studies again that are there in the same version.")
@click.option("--keep-invalid", is_flag=True, help="Load studies that fail validation, too.")
@click.option("--no-validate", "check", flag_value=False, default=True, help="Do not validate.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    help="Exit with 3 when an Issue is this grave or graver. Default: a study that fails validation.",
)
@click.option(
    "--issues",
    "issues_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write every Issue to this file, as JSON lines.",
)
@click.option("--force", is_flag=True, help="Overwrite the file of --issues.")
@click.option(
    "--no-contacts",
    "contacts",
    flag_value=False,
    default=True,
    help="Leave out names, e-mail addresses and telephone numbers of contacts.",
)
@click.option("--base", default=BASE, show_default=True, help="What stands before urls of our own.")
@click.option("--created", metavar="INSTANT", help="When the load started (ISO 8601). Default: now.")
@click.option(
    "--workers", type=click.IntRange(min=0), help="Worker processes; 0: none. Default: one per processor."
)
@click.option(
    "--max-record-size",
    type=Size(),
    default=MAX_RECORD_SIZE,
    show_default="50M",
    help="The largest single record.",
)
@click.option("--verbose", "-v", is_flag=True, help="Print every Issue, not only those from warnings on.")
def command(
    sources: tuple[str, ...],
    address: str,
    reader: str | None,
    fhir_version: str,
    fhir: bool,
    history: bool,
    allow_older: bool,
    reload: bool,
    keep_invalid: bool,
    check: bool,
    fail_on: Severity | None,
    issues_file: Path | None,
    force: bool,
    contacts: bool,
    base: str,
    created: str | None,
    workers: int | None,
    max_record_size: int,
    verbose: bool,
) -> None:
    """Load records into a data warehouse: typed tables, a study in one version.

    A study is written when it is not there yet or has changed; the version is the day of its last posted update
    and a hash of what it says. A second load of the same records writes nothing. docs/warehouse.md explains the
    tables.

    \b
    Examples:
      trialconv load ctg-studies.json.zip --to duckdb:trials.duckdb
      trialconv load ctg-studies.json.zip --to parquet:trials/
      trialconv load ctg-studies.json.zip --to postgresql://localhost/trials
    """
    from trialconv.cli.report import Report
    from trialconv.loading import Preparation
    from trialconv.parallel import Reading
    from trialconv.sinks.warehouse import MergeRules

    options = Options(base=base, contacts=contacts, created=created)
    target = f"fhir-{fhir_version.lower()}" if fhir else None
    call = Call(
        sources,
        address,
        Preparation(options, target, check, keep_invalid, history),
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
    from trialconv.sinks.warehouse import LoadStart, open_warehouse

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

    fhir = call.how.fhir.rpartition("-")[2].upper() if call.how.fhir else None
    start = LoadStart(_started(call.how.options.created), __version__, fhir)
    with open_warehouse(call.address) as warehouse:
        warehouse.begin(start)
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


def _started(created: str | None) -> str:
    """Return when a load starts: as an option says or SOURCE_DATE_EPOCH, else now, in UTC."""
    return clock(created) or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
