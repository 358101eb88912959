"""Rows for a warehouse, judged by the table of columns: types, what may be empty, keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, Final

import jsonschema_rs

from trialconv.issues import Issue, issue
from trialconv_mappings.warehouse_tables import STUDIES, Column, Type, tables

_TYPES: Final[dict[Type, dict[str, Any]]] = {
    "TEXT": {"type": "string"},
    "TEXT[]": {"type": "array", "items": {"type": "string"}},
    "INTEGER": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "BIGINT": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "DOUBLE": {"type": "number"},
    "BOOLEAN": {"type": "boolean"},
    "DATE": {"type": "string", "format": "date"},
    "JSON": {"type": ["string", "object", "array"]},
}


def is_rows(document: Any) -> bool:
    """Tell whether a JSON document looks like the rows of a study."""
    return isinstance(document, dict) and isinstance(document.get(STUDIES), list)


def validate_rows(document: Mapping[str, Any]) -> list[Issue]:
    """Return what keeps rows out of their tables: `schema` for values, `duplicate-id` for keys."""
    schema = _schema()
    if schema.is_valid(document):
        return list(_repeated_keys(document))
    return [
        issue("schema", error.message[:200], target_path=_path(list(error.instance_path)))
        for error in schema.iter_errors(document)
    ]


@cache
def _schema() -> jsonschema_rs.Validator:
    """Return the schema of the rows of a study as the mapping makes them."""
    made = {
        name: {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {column.name: _column_schema(column) for column in table.columns},
                "required": [each.name for each in table.columns if not each.nullable and each.rule != "sink"],
                "additionalProperties": False,
            },
        }
        for name, table in tables().items()
    }
    whole = {"type": "object", "properties": made, "additionalProperties": False, "required": [STUDIES]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def _column_schema(column: Column) -> dict[str, Any]:
    made = _TYPES[column.type]
    if not column.nullable:
        return made
    types = made["type"] if isinstance(made["type"], list) else [made["type"]]
    return {**made, "type": [*types, "null"]}


def _repeated_keys(document: Mapping[str, Any]) -> Iterator[Issue]:
    for name, rows in document.items():
        if len(rows) < 2:
            continue
        keys = list(map(_key_of(name), rows))
        if len(set(keys)) < len(keys):
            first = next(place for place, key in enumerate(keys) if key in keys[:place])
            yield issue("duplicate-id", f"two rows have the key {keys[first]}", target_path=f"{name}[{first}]")


@cache
def _key_of(table: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return what gets the key of a row; the number of the study is the same in all."""
    return itemgetter(*tables()[table].key)


def _path(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).removeprefix(".")
