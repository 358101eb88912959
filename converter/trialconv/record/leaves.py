"""The values of a record one by one, by the paths of the registry's fields.

A value is a text that is not empty, a number or a truth value. An empty text says nothing and is none.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final, NamedTuple

from trialconv.record.base import RegistryStruct
from trialconv.record.decode import leaf_paths, struct_fields
from trialconv.record.model import Record, Study
from trialconv.record.results import ResultsSection

#: The values of some fields, in the order of the record.
Values = dict[str, list[Any]]

_RESULTS: Final = "resultsSection"
_STEP: Final = re.compile(r"(\w+)(?:\[(\d*)\])?")


@cache
def field_paths() -> tuple[str, ...]:
    """Return the path of every leaf field of the OpenAPI's `Study`, those of its results among them."""
    found: list[str] = []
    for path in leaf_paths(Study):
        found += leaf_paths(ResultsSection, _RESULTS) if path == _RESULTS else [path]
    return tuple(found)


def leaf_values(record: Record) -> Values:
    """Return every value of a record by its field. The results are decoded for this."""
    found: Values = {}
    _collect(record.study, _plan(Study, ""), found)
    if bytes(record.study.results_section) != b"{}":
        _collect(record.results, _plan(ResultsSection, _RESULTS), found)
    return found


def values_at(study: Study, place: str) -> Values:
    """Return the values at a place of the record outside its results, or below it.

    A place is the path of a field or of an object, with or without positions (`a.b[2].c`, `a.b[].c`, `a.b`); a
    list without a position is all of it. A place that a study does not have gives nothing.
    """
    found: Values = {}
    structs: list[Any] = [study]
    kind: type[RegistryStruct] = Study
    above = ""
    steps = place.split(".")
    for number, step in enumerate(steps, 1):
        match = _STEP.fullmatch(step)
        if match is None or match[1] not in struct_fields(kind):
            return {}
        name, position = match[1], match[2]
        field = struct_fields(kind)[name]
        above = f"{above}.{name}" if above else name
        items = [getattr(struct, field.attribute) for struct in structs]
        if field.is_list:
            above += "[]"
            items = [each for item in items for each in (item[int(position) :][:1] if position else item)]
        if field.struct is None:
            kept = [item for item in items if _is_value(item)]
            return {above: kept} if kept and number == len(steps) else {}
        structs, kind = items, field.struct
    for struct in structs:
        _collect(struct, _plan(kind, above), found)
    return found


class _Step(NamedTuple):
    """How to go on from a struct: the attribute, the path to it, and what is below an object (None: a value)."""

    attribute: str
    path: str
    is_list: bool
    below: tuple[_Step, ...] | None


@cache
def _plan(kind: type[RegistryStruct], above: str) -> tuple[_Step, ...]:
    steps = []
    for field in struct_fields(kind).values():
        path = (f"{above}.{field.key}" if above else field.key) + ("[]" if field.is_list else "")
        if not field.is_raw:
            below = None if field.struct is None else _plan(field.struct, path)
            steps.append(_Step(field.attribute, path, field.is_list, below))
    return tuple(steps)


def _collect(struct: Any, plan: tuple[_Step, ...], found: Values) -> None:
    for attribute, path, is_list, below in plan:
        value = getattr(struct, attribute)
        if below is not None:
            for item in value if is_list else (value,):
                _collect(item, below, found)
        elif is_list:
            if kept := [item for item in value if _is_value(item)]:
                found.setdefault(path, []).extend(kept)
        elif value is not None and value != "":
            found.setdefault(path, []).append(value)


def _is_value(value: Any) -> bool:
    return value is not None and value != ""
