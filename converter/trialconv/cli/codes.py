"""`trialconv codes`."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import click
import msgspec

from trialconv.catalog import TARGETS
from trialconv.cli.options import reader_option
from trialconv.issues import Issue, SourceError, UsageError
from trialconv.readers.sources import MAX_RECORD_SIZE
from trialconv_mappings.tables import CodeTable, table, table_names

_FORMAT = click.option(
    "--format",
    "report_format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Text for people, or one JSON object per line.",
)


@click.group("codes", invoke_without_command=False)
def command() -> None:
    """Look at the code tables, and find what they have no code for.

    \b
    Examples:
      trialconv codes list
      trialconv codes list cdisc_trial_phase
      trialconv codes missing ctg-studies.json.zip --target odm-2.0
    """


@command.command("list")
@click.argument("name", required=False, metavar="[TABLE]")
@_FORMAT
def list_tables(name: str | None, report_format: str) -> None:
    """List the code tables, or the rows of one.

    Tables with CDISC terms have the codelist they are from and its version.
    """
    if name is not None and name not in table_names():
        raise UsageError(f"no code table is called {name!r}; `trialconv codes list` names them")
    if name is not None:
        rows = [row._asdict() for row in table(name)]
        _print(rows, [(row["source"], row["code"], row["display"], row["note"]) for row in rows], report_format)
        return
    tables = [_about(table(each)) for each in table_names()]
    columns = [
        (each["table"], str(each["rows"]), str(each["without_code"]), each["codelist"], each["version"])
        for each in tables
    ]
    head = ("table", "rows", "without code", "codelist", "version")
    _print(tables, [head, *columns], report_format)


def _about(codes: CodeTable) -> dict[str, Any]:
    from trialconv_mappings.cdisc.codelists import CODELISTS

    codelist = CODELISTS.get(codes.name)
    return {
        "table": codes.name,
        "rows": len(codes.rows),
        "without_code": sum(1 for row in codes if not row.code),
        "codelist": f"{codelist.code} {codelist.short_name}" if codelist else "",
        "version": codelist.effective if codelist else "",
    }


@command.command("missing")
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option(
    "--target",
    type=click.Choice(list(TARGETS)),
    default="fhir-r4",
    show_default=True,
    help="The target whose code tables are asked.",
)
@reader_option
@_FORMAT
def list_missing(sources: tuple[str, ...], target: str, reader: str | None, report_format: str) -> None:
    """List the values of records that have no code, the commonest first.

    A value without a row is one that nobody has decided about; the others have a row that says why there is no
    code. The numbers are those of records. Exits with 4 when a record cannot be read or converted.
    """
    counts: Counter[tuple[str, str]] = Counter()
    refused = []
    for source in sources:
        for outcome in _uncoded(source, target, reader):
            if isinstance(outcome, SourceError):
                refused.append(outcome.issue)
            else:
                counts.update(outcome)
    found = [_missing(name, value, count) for (name, value), count in sorted(counts.items(), key=_by_frequency)]
    lines = [(str(each["records"]), each["table"], each["value"], each["reason"]) for each in found]
    _print(found, [("records", "table", "value", "why"), *lines] if lines else [], report_format)
    _report(refused)
    sys.exit(4 if refused else 0)


def _uncoded(source: str, target: str, reader: str | None) -> Any:
    """Yield for each record of a source the values without a code, or why it could not be read or converted."""
    from trialconv.context import Options
    from trialconv.pipeline import read_outcomes, transform_isolated

    for record in read_outcomes(source, reader, MAX_RECORD_SIZE):
        if isinstance(record, SourceError):
            yield record
            continue
        outcome = transform_isolated(record, TARGETS[target], Options(), check=False)
        yield outcome if isinstance(outcome, SourceError) else set(outcome.uncoded)


def _by_frequency(entry: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -entry[1], entry[0]


def _missing(name: str, value: str, count: int) -> dict[str, Any]:
    rows = [row for row in table(name) if row.source == value]
    reason = rows[0].note if rows else "no row in the table"
    return {"records": count, "table": name, "value": value, "decided": bool(rows), "reason": reason}


def _report(refused: list[Issue]) -> None:
    for found in refused:
        click.echo(str(found), err=True)


def _print(objects: list[dict[str, Any]], lines: list[tuple[str, ...]], report_format: str) -> None:
    """Print objects as JSON lines, or the lines in columns."""
    if report_format == "json":
        for each in objects:
            click.echo(msgspec.json.encode(each))
        return
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
