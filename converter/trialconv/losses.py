"""Which fields of a record have no place in a target: found by the engine from the target's field table."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import msgspec

from trialconv.issues import Issue, issue
from trialconv.record import Record, Study
from trialconv.record.decode import attribute_names
from trialconv_mappings.fields import CARRIED_EXTRAS, FieldRow, field_rows

_Found = Callable[[Any], bool]


def losses(record: Record, target: str) -> list[Issue]:
    """Return an Issue for each object, list or value of the record that the target has no place for.

    Fields of one object that the target leaves out are named together.
    """
    nct_id, study = record.nct_id, record.study
    found = []
    for section, module, empty, checks in _checks(target):
        below = getattr(study, section)
        if module:
            below = getattr(below, module)
        # Most modules that a target leaves out are empty in most records.
        if below != empty:
            found += [
                Issue(lost.code, lost.severity, lost.message, nct_id, lost.source_path)
                for is_there, lost in checks
                if is_there(below)
            ]
    if record.extras and (carried := CARRIED_EXTRAS[target]) is not None:
        message = "not in this document: the source says it beside the registry's own fields"
        found += [
            issue("field-not-mapped", message, record=nct_id, source_path=f"extras.{key}")
            for key in record.extras
            if key not in carried
        ]
    return found


class _Module(NamedTuple):
    """A module of the study with places that have no home: its attributes, an empty one, and the checks."""

    section: str
    module: str
    empty: Any
    checks: list[tuple[_Found, Issue]]


@cache
def _checks(target: str) -> list[_Module]:
    """Return a check for each place without a home, and the Issue to raise (but for the record's id)."""
    rows = field_rows(target)
    modules: dict[tuple[str, str], _Module] = {}
    for parent, lost in _by_parent([row for row in rows if not row.home]).items():
        everything = sum(1 for row in rows if _parent(row.path) == parent) == len(lost)
        if everything and parent and len(lost) > 1:
            fields = ", ".join(row.path.rpartition(".")[2] for row in lost)
            _add(modules, parent, f"not in this document ({fields}): {lost[0].reason}")
            continue
        for row in lost:
            _add(modules, row.path, f"not in this document: {row.reason}")
    return list(modules.values())


def _add(modules: dict[tuple[str, str], _Module], path: str, message: str) -> None:
    names = attribute_names(Study, path)
    lists = [step.endswith("[]") for step in path.split(".")]
    section, module = names[0], names[1] if len(names) > 1 else ""
    found = modules.get((section, module))
    if found is None:
        empty = getattr(Study(), section)
        empty = getattr(empty, module) if module else empty
        found = modules[section, module] = _Module(section, module, empty, [])
    steps = 2 if module else 1
    found.checks.append(
        (_below(names[steps:], lists[steps:]), issue("field-not-mapped", message, source_path=path))
    )


def _by_parent(rows: list[FieldRow]) -> dict[str, list[FieldRow]]:
    grouped: dict[str, list[FieldRow]] = {}
    for row in rows:
        grouped.setdefault(_parent(row.path), []).append(row)
    return grouped


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _below(names: list[str], lists: list[bool]) -> _Found:
    if not names:
        return _is_filled
    name, is_list = names[0], lists[0]
    if is_list and len(names) == 1:
        return lambda struct: bool(getattr(struct, name))
    below = _below(names[1:], lists[1:])
    if is_list:
        return lambda struct: any(below(item) for item in getattr(struct, name))
    return lambda struct: below(getattr(struct, name))


@cache
def _empty(kind: type[msgspec.Struct]) -> msgspec.Struct:
    return kind()


def _is_filled(value: Any) -> bool:
    if isinstance(value, msgspec.Raw):
        return bytes(value) != b"{}"
    if isinstance(value, msgspec.Struct):
        return value != _empty(type(value))
    return value is not None
