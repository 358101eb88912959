"""A record whose values know where they come from, and the context in which a mapping gets it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, Final

import msgspec

from trialconv.context import Context, Options
from trialconv.lineage.values import TRACING, WHOLE_RECORD, Origin, text_of, traced
from trialconv.lineage.verbs import filled
from trialconv.record import Record, Study
from trialconv.record.model import Version

_LOCK: Final = Lock()
_LAST_UPDATE: Final = "protocolSection.statusModule.lastUpdatePostDateStruct.date"


@contextmanager
def tracing() -> Iterator[None]:
    """Let the verbs hand on origins. Conversions without a trace, in other threads, are slower meanwhile, and equal."""
    with _LOCK:
        TRACING.on += 1
    try:
        yield
    finally:
        with _LOCK:
            TRACING.on -= 1


class TracedRecord(Record):
    """A record with the origin of each of its values; what is made of all of it comes from the whole record."""

    def __init__(self, record: Record) -> None:
        study = _struct(record.study, "")
        super().__init__(study, record.source, list(record.issues), _tree(record.extras, "extras"))
        self.has_unusual_characters = record.has_unusual_characters
        self._version = record.version

    @property
    def version(self) -> Version:  # type: ignore[override]
        """The version of the record."""
        content_hash = text_of(self._version.content_hash, Origin("derived", (WHOLE_RECORD,)))
        return Version(self.last_update, content_hash)


class TracedContext(Context):
    """The context of a traced conversion."""

    def __init__(self, record: Record, options: Options) -> None:
        super().__init__(TracedRecord(record), options)

    def created(self, target_path: str) -> str:
        """Return the instant that a format demands, as filled in."""
        return filled(super().created(target_path))


def _struct(value: Any, path: str) -> Any:
    """Return a struct with traced values; what is empty stays as it is."""
    made = copy.copy(value)
    above = path + "." if path else ""
    for attribute, key in _names(value.__class__):
        held = getattr(value, attribute)
        if held is None or held == []:
            continue
        place = above + key
        if isinstance(held, msgspec.Struct):
            setattr(made, attribute, _struct(held, place))
        elif isinstance(held, list):
            setattr(made, attribute, [_item(item, f"{place}[{number}]") for number, item in enumerate(held)])
        else:
            setattr(made, attribute, traced(held, Origin("copied", (place,))))
    return made


def _item(value: Any, path: str) -> Any:
    return _struct(value, path) if isinstance(value, msgspec.Struct) else traced(value, Origin("copied", (path,)))


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """Return the names of the fields of a struct, in Python and in the registry."""
    return tuple(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


def _tree(value: Any, path: str) -> Any:
    """Return a JSON value with traced values."""
    if isinstance(value, dict):
        return {key: _tree(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_tree(item, f"{path}[{number}]") for number, item in enumerate(value)]
    return traced(value, Origin("copied", (path,)))


def source_leaves(record: TracedRecord) -> Iterator[tuple[str, Any]]:
    """Yield the path and the value of each leaf of a traced record, in the registry's order.

    The results section is one leaf: it is not read for this.
    """
    yield from _leaves(record.study)
    yield from _leaves(record.extras)


def _leaves(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _leaves(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif (origin := getattr(value, "origin", None)) is not None:
        yield origin.sources[0], value


def has_results(study: Study) -> bool:
    """Tell whether a study has a results section."""
    return bytes(study.results_section) != b"{}"
