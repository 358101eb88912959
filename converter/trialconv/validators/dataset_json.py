"""Dataset-JSON 1.1: the structure of a dataset, and the rules for TS and TI.

The structure is that of the official schema (https://github.com/cdisc-org/DataExchange-DatasetJson) and what it
cannot say: that rows are as long as there are columns, that values have the type of their column, that the number
of records is right, and that names are not given twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from trialconv.issues import Issue, issue
from trialconv.validators.sdtm_rules import check_rules

_REQUIRED: Final[dict[str, type]] = {
    "datasetJSONCreationDateTime": str,
    "datasetJSONVersion": str,
    "itemGroupOID": str,
    "records": int,
    "name": str,
    "label": str,
    "columns": list,
}
_OPTIONAL: Final[dict[str, type]] = {
    "fileOID": str,
    "dbLastModifiedDateTime": str,
    "originator": str,
    "sourceSystem": dict,
    "studyOID": str,
    "metaDataVersionOID": str,
    "metaDataRef": str,
    "rows": list,
}
_FIELDS: Final = {**_REQUIRED, **_OPTIONAL}
_COLUMN_REQUIRED: Final[dict[str, type]] = {"itemOID": str, "name": str, "label": str, "dataType": str}
_COLUMN_FIELDS: Final = {
    **_COLUMN_REQUIRED,
    "targetDataType": str,
    "length": int,
    "displayFormat": str,
    "keySequence": int,
}
_SYSTEM_FIELDS: Final[dict[str, type]] = {"name": str, "version": str}
_TYPES: Final = {
    **dict.fromkeys(("string", "decimal", "datetime", "date", "time", "URI"), (str,)),
    "integer": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}
_TARGET_TYPES: Final = ("integer", "decimal")
_VERSION = re.compile(r"1\.1(\.(0|[1-9][0-9]*))?")
_INSTANT = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?"
    r"([+-]([01][0-9]|2[0-3]):[0-5][0-9]|Z)?"
)
_MOST: Final = 100
_WORDS: Final = {str: "a text", int: "a whole number", list: "a list", dict: "an object"}


def validate_dataset_json(document: dict[str, Any]) -> list[Issue]:
    """Return what is wrong with a Dataset-JSON document; of many errors the first and the number of the others.

    The rules for the contents of TS and TI are asked only where the structure is right.
    """
    found = list(_structure(document)) or list(_rows(document))
    if len(found) > _MOST:
        more = len(found) - _MOST
        found = [*found[:_MOST], issue("schema", f"{more} more errors of the structure are not listed.")]
    return found or check_rules(document)


def _finding(message: str, place: str, rule: str) -> Issue:
    return issue("schema", message, target_path=place, rule=f"dataset-json:{rule}")


def _structure(document: dict[str, Any]) -> Iterator[Issue]:
    yield from _members(document, "", _FIELDS, _REQUIRED)
    version = document.get("datasetJSONVersion")
    if isinstance(version, str) and not _VERSION.fullmatch(version):
        yield _finding(f"{version!r} is no version 1.1", "datasetJSONVersion", "version")
    for name in ("datasetJSONCreationDateTime", "dbLastModifiedDateTime"):
        instant = document.get(name)
        if isinstance(instant, str) and not _INSTANT.fullmatch(instant):
            yield _finding(f"{instant!r} is no instant of ISO 8601", name, "instant")
    system = document.get("sourceSystem")
    if isinstance(system, dict):
        yield from _members(system, "sourceSystem.", _SYSTEM_FIELDS, _SYSTEM_FIELDS)
    columns = document.get("columns")
    names: set[str] = set()
    for number, column in enumerate(columns if isinstance(columns, list) else ()):
        place = f"columns[{number}]"
        if not isinstance(column, dict):
            yield _finding("expected an object", place, "type")
            continue
        yield from _members(column, f"{place}.", _COLUMN_FIELDS, _COLUMN_REQUIRED)
        yield from _column(column, place, names)


def _members(
    found: dict[str, Any], place: str, fields: dict[str, type], required: dict[str, type]
) -> Iterator[Issue]:
    for name in required:
        if name not in found:
            yield _finding("is missing", place + name, "required")
    for name, value in found.items():
        kind = fields.get(name)
        if kind is None:
            yield _finding("is no member that the format knows", place + str(name), "unknown")
        elif not isinstance(value, kind) or isinstance(value, bool):
            yield _finding(f"{str(value)[:60]!r} is not {_WORDS[kind]}", place + name, "type")


def _column(column: dict[str, Any], place: str, names: set[str]) -> Iterator[Issue]:
    kind, target, name = column.get("dataType"), column.get("targetDataType"), column.get("name")
    if isinstance(kind, str) and kind not in _TYPES:
        yield _finding(f"{kind!r} is none of {', '.join(_TYPES)}", f"{place}.dataType", "enumeration")
    if isinstance(target, str) and target not in _TARGET_TYPES:
        yield _finding(
            f"{target!r} is none of {', '.join(_TARGET_TYPES)}", f"{place}.targetDataType", "enumeration"
        )
    for field in ("length", "keySequence"):
        value = column.get(field)
        if isinstance(value, int) and value < 1:
            yield _finding(f"{value} is less than 1", f"{place}.{field}", "minimum")
    if isinstance(name, str) and name in names:
        yield _finding(f"{name!r} stands twice", f"{place}.name", "unique")
    names.add(str(name))


def _rows(document: dict[str, Any]) -> Iterator[Issue]:
    """Yield what is wrong with the rows of a document whose columns are right."""
    rows, columns = document.get("rows"), document["columns"]
    if rows is None:
        return
    if document["records"] != len(rows):
        yield _finding(f"says {document['records']}, and there are {len(rows)} rows", "records", "count")
    kinds = [_TYPES[column["dataType"]] for column in columns]
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != len(columns):
            size = len(row) if isinstance(row, list) else "no"
            yield _finding(f"has {size} values for {len(columns)} columns", f"rows[{number}]", "row-length")
            continue
        for position, (value, allowed) in enumerate(zip(row, kinds, strict=True)):
            # The type itself, since a truth value is an int of Python.
            if value is not None and type(value) not in allowed:
                name, kind = columns[position]["name"], columns[position]["dataType"]
                yield _finding(f"{value!r} is no {kind}", f"rows[{number}].{name}", "type")
