"""Which values of a field carry a code in a target, by what the target's field table says of codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter
from typing import Any, Final

from trialconv.lineage import joined
from trialconv.record import Study
from trialconv.record.decode import attribute_names
from trialconv_mappings.cdisc.durations import span
from trialconv_mappings.fields import FieldRow
from trialconv_mappings.mesh import condition_headings, intervention_headings, is_mesh_id
from trialconv_mappings.tables import CodeTable, table, table_names

#: Counts those of a study's values of one field that carry a code.
Coder = Callable[[Study, list[Any]], int]

_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


def coder_of(row: FieldRow) -> Coder | None:
    """Return a function that counts those of a field's values that carry a code; None where none can.

    Raises ValueError for a field that is coded in more than one way, and KeyError for a way that is none.
    """
    uses = row.code_uses
    if not uses:
        return None
    way = uses[0].way
    if any(use.way != way for use in uses):
        raise ValueError(f"{row.path} is coded in more than one way: {row.codes}")
    if not any(use.study_types for use in uses):
        return _WAYS[way](row.path, [use.name for use in uses])

    @lru_cache(maxsize=16)
    def coder_for(study_type: str | None) -> Coder:
        names = [use.name for use in uses if not use.study_types or study_type in use.study_types]
        return _WAYS[way](row.path, names) if names else _uncoded

    return lambda study, items: coder_for(study.protocol_section.design_module.study_type)(study, items)


def _uncoded(_: Study, __: list[Any]) -> int:
    return 0


def _tables(names: list[str]) -> list[CodeTable]:
    """Return the tables that there are: a table for one version stands in the rows of all versions."""
    return [table(name) for name in names if name in _table_names()]


@cache
def _table_names() -> frozenset[str]:
    return frozenset(table_names())


def _by_word(_: str, names: list[str]) -> Coder:
    tables = _tables(names)

    def count(_: Study, items: list[Any]) -> int:
        return sum(any(each.get(_word(item)) for each in tables) for item in items)

    return count


def _word(value: Any) -> str:
    """Return a value as a code table has it."""
    return value if isinstance(value, str) else {True: "true", False: "false"}.get(value, str(value))


def _by_joined(_: str, names: list[str]) -> Coder:
    tables = _tables(names)

    def count(_: Study, items: list[Any]) -> int:
        key = joined(items)
        return len(items) if any(each.get(key) for each in tables) else 0

    return count


def _by_unit(_: str, names: list[str]) -> Coder:
    tables = _tables(names)

    def count(_: Study, items: list[Any]) -> int:
        quantities = (item.partition(" ") for item in items)
        return sum(
            _NUMBER.fullmatch(number) is not None and any(each.get(unit) for each in tables)
            for number, _, unit in quantities
        )

    return count


def _by_span(_: str, names: list[str]) -> Coder:
    tables = _tables(names)

    def count(_: Study, items: list[Any]) -> int:
        spans = filter(None, map(span, items))
        return sum(any(each.get(found.unit) for each in tables) for found in spans)

    return count


def _by_mesh(path: str, names: list[str]) -> Coder:
    (name,) = names
    if name == "heading":
        above, _, own = path.rpartition(".")
        meshes = attrgetter(".".join(attribute_names(Study, above)))
        return lambda study, _: sum(is_mesh_id(mesh.id) for mesh in meshes(study) if getattr(mesh, own))
    headings = {"condition": condition_headings, "intervention": intervention_headings}[name]

    def count(study: Study, items: list[Any]) -> int:
        known = headings(study)
        return sum(item.casefold() in known for item in items) if known else 0

    return count


_WAYS: Final[dict[str, Callable[[str, list[str]], Coder]]] = {
    "word": _by_word,
    "joined": _by_joined,
    "unit": _by_unit,
    "span": _by_span,
    "mesh": _by_mesh,
}
