"""The generated part of docs/warehouse-schema.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from trialconv_mappings.warehouse_tables import SCHEMA_VERSION, Column, Table, tables

_Table = Callable[[Iterable[str], Iterable[Iterable[str]]], str]


def warehouse_schema(markdown_table: _Table, _: Path) -> str:
    """Return every table with its columns."""
    names = ", ".join(f"[{name}](#{name})" for name in tables())
    parts = [f"Version {SCHEMA_VERSION} of the schema: {names}."]
    parts += [_section(table, markdown_table) for table in tables().values()]
    return "\n\n".join(parts)


def _section(table: Table, markdown_table: _Table) -> str:
    rows = markdown_table(("column", "type", "meaning", "unit", "source"), map(_row, table.columns))
    return f"## {table.name}\n\n{table.meaning}. A row is a {table.row}.\n\n{rows}"


def _row(column: Column) -> tuple[str, ...]:
    key = f" ({column.key})" if column.key else ""
    type_ = column.type if column.nullable else f"{column.type} not null"
    return (
        f"`{column.name}`{key}",
        type_,
        column.meaning,
        column.unit,
        ", ".join(f"`{source.removeprefix('protocolSection.')}`" for source in column.sources),
    )
