"""Rows for a warehouse, judged by the table of columns: types, what may be empty, keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from trialconv.issues import Issue, issue
from trialconv_mappings.warehouse_tables import STUDIES, Table, Type, tables

_DAY: Final = re.compile(r"(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_LARGEST: Final = {"INTEGER": 2**31 - 1, "BIGINT": 2**63 - 1}


def is_rows(document: Any) -> bool:
    """Tell whether a JSON document looks like the rows of a study."""
    return (
        isinstance(document, dict) and isinstance(document.get(STUDIES), list) and document.keys() <= set(tables())
    )


def validate_rows(document: Mapping[str, Any]) -> list[Issue]:
    """Return what keeps rows out of their tables: `schema` for values, `duplicate-id` for keys."""
    return [found for name, rows in document.items() for found in _judge_table(tables().get(name), name, rows)]


def _judge_table(table: Table | None, name: str, rows: Any) -> Iterator[Issue]:
    if table is None or not isinstance(rows, list):
        yield issue("schema", "there is no such table, or its rows are no list", target_path=name)
        return
    columns = {column.name: column for column in table.columns}
    keys = set()
    for place, row in enumerate(rows):
        where = f"{name}[{place}]"
        if not isinstance(row, dict):
            yield issue("schema", "a row is an object", target_path=where)
            continue
        for column in columns.values():
            value = row.get(column.name)
            if value is None:
                if not column.nullable and column.rule != "sink":
                    yield issue("schema", "it may not be empty", target_path=f"{where}.{column.name}")
            elif not _HOLDS[column.type](value):
                yield issue("schema", f"it is not of type {column.type}", target_path=f"{where}.{column.name}")
        for unknown in row.keys() - columns.keys():
            yield issue("schema", "there is no such column", target_path=f"{where}.{unknown}")
        key = tuple(str(row.get(column)) for column in table.key)
        if key in keys:
            yield issue("duplicate-id", f"two rows have the key {', '.join(key)}", target_path=where)
        keys.add(key)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\x00" not in value


def _is_whole(largest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and abs(value) <= largest


_HOLDS: Final[dict[Type, Callable[[Any], bool]]] = {
    "TEXT": _is_text,
    "TEXT[]": lambda value: isinstance(value, list) and all(map(_is_text, value)),
    "INTEGER": _is_whole(_LARGEST["INTEGER"]),
    "BIGINT": _is_whole(_LARGEST["BIGINT"]),
    "DOUBLE": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "DATE": lambda value: isinstance(value, str) and _DAY.fullmatch(value) is not None,
    "JSON": lambda value: isinstance(value, str | dict | list),
}
