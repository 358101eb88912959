"""`trialconv fetch`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

import click

from trialconv.cli.options import issues_option, verbose_option
from trialconv.cli.registry_options import parameters_of, registry_options
from trialconv.cli.report import Report
from trialconv.issues import OutputError, SourceError, UsageError, issue
from trialconv.registry.client import Registry, as_listed, not_in_registry
from trialconv.registry.fetching import Outcome, fetch_ids, fetch_query, ids_key, query_key
from trialconv.registry.ids import listed_ids, nct_number
from trialconv.registry.listing import Query, checked_query
from trialconv.registry.memory import Memory
from trialconv.sinks.collected import CollectedRecords
from trialconv.sinks.files import write_file

_NOTHING_ASKED: Final = "say what to fetch: ids, a file of ids, --query, --param, --since, or --all for everything"


class _Task(NamedTuple):
    """What to fetch: ids, or a query."""

    ids: list[str]
    query: Query | None
    size: int


@click.command("fetch")
@click.argument("ids", nargs=-1, metavar="[NCT...]")
@click.option("--query", metavar="TERM", help="Records that a search finds (query.term of the API).")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A query. or filter. of the API.")
@click.option("--since", metavar="DATE", help="Records whose last update was posted on this day or later.")
@click.option("--all", "everything", is_flag=True, help="All records of the registry: about 600,000.")
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help="A .ndjson, .json (one record) or .zip file, or a folder for a file each. Default: standard output.",
)
@click.option("--force", is_flag=True, help="Overwrite files that exist; begin anew what was interrupted.")
@issues_option
@verbose_option
@registry_options
def command(
    ids: tuple[str, ...],
    query: str | None,
    params: tuple[str, ...],
    since: str | None,
    everything: bool,
    out: Path | None,
    force: bool,
    issues_file: Path | None,
    verbose: bool,
    registry_url: str,
    insecure_http: bool,
    per_minute: float,
    page_size: int,
) -> None:
    """Fetch records from ClinicalTrials.gov, as the registry gives them.

    NCT is an NCT number, a file with a list of them, or - for such a list on standard input. Records are JSON,
    one a line. The output appears when it is complete; a fetch with --out that was interrupted goes on where it
    stopped when the same command is given again.

    \b
    Examples:
      trialconv fetch NCT06108596 > NCT06108596.json
      trialconv fetch ids.txt --out studies.ndjson
      trialconv fetch --query "heart failure" --since 2026-01-01 --out studies.zip
      trialconv fetch --param query.cond=asthma --param filter.overallStatus=RECRUITING --out studies/
    """
    parameters = parameters_of(params, query)
    by_query = bool(parameters or since or everything)
    if by_query == bool(ids):
        raise UsageError("ids do not go with --query, --param, --since and --all" if ids else _NOTHING_ASKED)
    with ExitStack() as stack:
        report = stack.enter_context(Report(issues_file, verbose=verbose, force=force))
        numbers = _numbers(ids, report)
        task = _Task(numbers, checked_query(parameters, since) if by_query else None, page_size)
        if out is not None and out.suffix.lower() == ".json" and len(numbers) != 1 and not out.is_dir():
            raise UsageError(f"{out} holds one record; give a name that ends in .ndjson or .zip, or a folder")
        registry = stack.enter_context(
            Registry(registry_url, insecure_http=insecure_http, per_minute=per_minute, told=report.say)
        )
        if by_query or numbers:
            _run(registry, task, out, report, force=force)
    sys.exit(report.exit_code(None))


def _numbers(words: Iterable[str], report: Report) -> list[str]:
    """Return the NCT numbers that are asked for, each once; account for what a list has instead of one."""
    found: dict[str, None] = {}
    for word in words:
        number = nct_number(word)
        if number is not None and not Path(word).is_file():
            found[number] = None
            continue
        for line, listed in listed_ids(_lines(word)):
            number = nct_number(listed)
            if number is None:
                message = f"{listed[:40]!r} is no NCT number"
                report.refused(issue("invalid-id", message, record=word, source_path=f"line {line}"))
            else:
                found[number] = None
    return list(found)


def _lines(name: str) -> list[str]:
    if name == "-":
        return sys.stdin.read().splitlines()
    path = Path(name)
    if not path.is_file():
        raise UsageError(f"{name!r} is neither an NCT number (NCT and eight digits) nor a file of them")
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise UsageError(f"{name} is no list of ids: it is not UTF-8 text") from None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error


def _run(registry: Registry, task: _Task, out: Path | None, report: Report, *, force: bool) -> None:
    if out is None:
        _collect(registry, task, _Stream(), None, report)
        return
    key = query_key(registry, task.query) if task.query else ids_key(registry, task.ids)
    with CollectedRecords(out, key, _name_of, force=force) as collected:
        if collected.progress is not None:
            report.say(f"going on with {out} after {len(collected):,} records")
            report.count("fetched", len(collected))
        memory = Memory(out) if collected.is_folder and task.ids else None
        if not _collect(registry, task, collected, memory, report):
            report.say(f"what was fetched is kept beside {out}; the same command goes on from there")
            return
        for error in collected.commit():
            report.not_written(error)
        if memory and (known := memory.data()):
            write_file(*known)
        if collected.unchanged:
            report.say(f"{collected.unchanged:,} of the files were the same already")


def _collect(
    registry: Registry, task: _Task, store: CollectedRecords | _Stream, memory: Memory | None, report: Report
) -> bool:
    """Fetch into a store; account for it, and return whether the fetch came to its end."""

    def on_page(new: int, total: int | None) -> None:
        report.count("fetched", new, total)

    try:
        if task.query:
            outcome = fetch_query(
                registry, task.query, store, size=task.size, on_issue=report.refused, on_page=on_page
            )
        else:
            outcome = fetch_ids(registry, task.ids, store, memory=memory, on_issue=report.note, on_page=on_page)
    except SourceError as error:
        report.refused(error.issue)
        return False
    _account(outcome, report)
    return True


def _account(outcome: Outcome, report: Report) -> None:
    report.count("unchanged", outcome.unchanged)
    for nct_id in outcome.missing:
        report.refused(not_in_registry(nct_id).issue)


def _name_of(line: bytes) -> str:
    listed = as_listed(line)
    if listed is None:
        raise OutputError("the part that was fetched before is damaged; --force begins anew")
    return listed.nct_id


class _Stream:
    """Standard output as a store: a record a line, each as soon as it is there."""

    def __init__(self) -> None:
        self.progress: bytes | None = None
        self._seen: dict[str, int] = {}

    def add(self, records: Iterable[tuple[str, bytes]], progress: bytes) -> int:
        """Write the records that were not written before, or were different."""
        new = 0
        for name, data in records:
            if self._seen.get(name) != hash(data):
                self._seen[name] = hash(data)
                sys.stdout.buffer.write(data + b"\n")
                new += 1
        sys.stdout.buffer.flush()
        return new
