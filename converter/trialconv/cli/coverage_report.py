"""What `trialconv coverage` prints: a table for each target, or one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.placement import Coverage, FieldCoverage, Totals
from trialconv.record import Record

_HEAD: Final = ("values", "native", "extension", "not placed", "coded")
_NAMED: Final = 3


def as_json(coverages: list[Coverage]) -> bytes:
    """Return the coverage of each target with its sums. Every field of the OpenAPI is listed, in its order."""
    made = {"targets": [_tree(coverage) for coverage in coverages]}
    return msgspec.json.format(msgspec.json.encode(made), indent=2)


def as_html(coverages: list[Coverage], record: Record | None, options: Options) -> bytes:
    """Return a page of the coverage; of a single record it shows the record beside its documents, too."""
    from trialconv.ledger.build import ledger_of
    from trialconv.ledger.page import ledger_page

    ledger = None
    title = f"trialconv: coverage of {coverages[0].records:,} records"
    if record is not None:
        ledger = ledger_of(record, [TARGETS[coverage.target] for coverage in coverages], options)
        title = f"{ledger.record}: {ledger.title}" if ledger.title else ledger.record
    return ledger_page(ledger, [_tree(coverage) for coverage in coverages], title)


def _tree(coverage: Coverage) -> dict[str, Any]:
    return {
        "target": coverage.target,
        "title": TARGETS[coverage.target].title,
        "records": coverage.records,
        "failed": coverage.failed,
        "total": _with_shares(coverage.totals()),
        "sections": [{"path": path, **_with_shares(coverage.totals(path))} for path in coverage.groups(1)],
        "modules": [{"path": path, **_with_shares(coverage.totals(path))} for path in coverage.groups(2)],
        "fields": coverage.fields,
        "unread": coverage.unread,
    }


def _with_shares(totals: Totals) -> dict[str, Any]:
    shares = {"nativeShare": totals.native_share, "placedShare": totals.placed_share}
    rounded = {key: None if share is None else round(share, 6) for key, share in shares.items()}
    return {**msgspec.to_builtins(totals), **rounded}


def as_text(coverages: list[Coverage], *, everything: bool = False) -> str:
    """Return a table for each target, and below them what did not come from the sources into the records.

    Fields that occur in no record, and the fields of a module of which nothing is placed, are listed only if
    `everything` is asked for.
    """
    parts = [_target(coverage, everything=everything) for coverage in coverages]
    if coverages and coverages[0].unread:
        rows = [(each.path, f"{each.count:,}", f"{each.reason} ({each.code})") for each in coverages[0].unread]
        parts.append("not read from the source:\n" + "\n".join(_aligned(rows, "<><")))
    return "\n\n".join(parts)


def _target(coverage: Coverage, *, everything: bool) -> str:
    count = f"{coverage.records:,} record{'' if coverage.records == 1 else 's'}"
    failed = f", {coverage.failed:,} failed" if coverage.failed else ""
    lines = [f"{coverage.target}: {TARGETS[coverage.target].title}; {count}{failed}", ""]
    sums = [(path, coverage.totals(path)) for path in coverage.groups(1)] + [("all", coverage.totals())]
    rows: list[tuple[str, ...]] = [("section", *_HEAD, "native", "placed")]
    rows += [
        (path, *_numbers(totals), _percent(totals.native_share), _percent(totals.placed_share))
        for path, totals in sums
        if totals.values or everything or path == "all"
    ]
    lines += _aligned(rows, "<>>>>>>>")
    if fields := list(_field_rows(coverage, everything=everything)):
        lines += ["", *_aligned([("field", *_HEAD), *fields], "<>>>>>")]
    if reasons := _reasons(coverage):
        lines += ["", "not placed:", *_aligned(reasons, "><")]
    return "\n".join(lines)


def _field_rows(coverage: Coverage, *, everything: bool) -> Iterator[tuple[str, ...]]:
    for path, fields in coverage.groups(2).items():
        totals = coverage.totals(path)
        if not totals.values and not everything:
            continue
        yield (path, *_numbers(totals))
        if fields[0].field == path or (totals.not_placed == totals.values and not everything):
            continue
        for each in fields:
            if each.values or everything:
                yield ("  " + each.field.removeprefix(path + "."), *_numbers(each))


def _numbers(totals: Totals) -> tuple[str, ...]:
    numbers = (totals.values, totals.native, totals.extension, totals.not_placed, totals.coded)
    return tuple(f"{number:,}" if number else "-" for number in numbers)


def _percent(share: float | None) -> str:
    """Return a share in percent, rounded down, so that 100.0 % means all."""
    return "-" if share is None else f"{int(share * 1000) / 10:.1f} %"


def _reasons(coverage: Coverage) -> list[tuple[str, str]]:
    """Return each reason with the number of its values and the fields that it concerns, the first ones by name."""
    found: dict[str, tuple[int, list[FieldCoverage]]] = {}
    for field in coverage.fields:
        for reason in field.reasons:
            text = f"{reason.reason} ({reason.code})"
            count, fields = found.setdefault(text, (0, []))
            found[text] = (count + reason.count, [*fields, field])
        if field.unaccounted:
            text = "neither a home nor a reason in the table of fields"
            count, fields = found.setdefault(text, (0, []))
            found[text] = (count + field.unaccounted, [*fields, field])
    rows = []
    for text, (count, fields) in found.items():
        names = ", ".join(field.field for field in fields[:_NAMED])
        more = f" and {len(fields) - _NAMED} more" if len(fields) > _NAMED else ""
        rows += [(f"{count:,}", text), ("", f"  {names}{more}")]
    return rows


def _aligned(rows: Sequence[tuple[str, ...]], sides: str) -> list[str]:
    """Return the rows as lines with aligned columns; `sides` has `<` or `>` for each column."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(sides))]
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True)).rstrip()
        for row in rows
    ]
