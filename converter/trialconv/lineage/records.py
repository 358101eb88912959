"""A record whose values know where they come from, and the context in which a mapping gets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, Final

import msgspec

from trialconv.context import Context, Options
from trialconv.lineage.values import TRACING, WHOLE_RECORD, Origin, origin_from, text_of, traced
from trialconv.lineage.verbs import filled
from trialconv.record import Record, Study
from trialconv.record.model import Version

_LOCK: Final = Lock()
_LAST_UPDATE: Final = "protocolSection.statusModule.lastUpdatePostDateStruct.date"


@contextmanager
def tracing() -> Iterator[None]:
    """Let the verbs hand on origins. Conversions in other threads are slower meanwhile, and equal."""
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
        #: The path and the value of each leaf, in the registry's order; the results section is not read for this.
        self.leaves: list[tuple[str, Any]] = []
        study, extras = self._struct(record.study, ""), self._tree(record.extras, "extras")
        super().__init__(study, record.source, list(record.issues), extras)
        self.has_unusual_characters = record.has_unusual_characters
        self._record = record

    @property
    def version(self) -> Version:
        """The version of the record."""
        content_hash = text_of(self._record.version.content_hash, Origin("derived", (WHOLE_RECORD,)))
        return Version(self.last_update, content_hash)

    def _struct(self, value: Any, path: str) -> Any:
        """Return a struct with traced values; what is empty stays as it is."""
        made = value.__copy__()
        for attribute, key in _names(value.__class__):
            held = getattr(value, attribute)
            if held is None or held == []:
                continue
            place = path + key
            if isinstance(held, list):
                items = [self._item(item, f"{place}[{number}]") for number, item in enumerate(held)]
                setattr(made, attribute, items)
            elif isinstance(held, msgspec.Struct):
                if held != _empty(held.__class__):
                    setattr(made, attribute, self._struct(held, place + "."))
            elif not isinstance(held, msgspec.Raw):
                setattr(made, attribute, self._value(held, place))
        return made

    def _item(self, value: Any, path: str) -> Any:
        return self._struct(value, path + ".") if isinstance(value, msgspec.Struct) else self._value(value, path)

    def _value(self, value: Any, path: str) -> Any:
        if value is None:
            return None
        made = traced(value, origin_from(("copied", (path,), "", None)))
        self.leaves.append((path, value))
        return made

    def _tree(self, value: Any, path: str) -> Any:
        """Return a JSON value with traced values."""
        if isinstance(value, dict):
            return {key: self._tree(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list):
            return [self._tree(item, f"{path}[{number}]") for number, item in enumerate(value)]
        return self._value(value, path)


class TracedContext(Context):
    """The context of a traced conversion."""

    def __init__(self, record: TracedRecord, options: Options) -> None:
        super().__init__(record, options)

    def created(self, target_path: str) -> str:
        """Return the instant that a format demands, as filled in."""
        return filled(super().created(target_path))


@cache
def _names(kind: Any) -> tuple[tuple[str, str], ...]:
    """Return the names of the fields of a struct, in Python and in the registry."""
    return tuple(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))


@cache
def _empty(kind: Any) -> msgspec.Struct:
    made: msgspec.Struct = kind()
    return made


def has_results(study: Study) -> bool:
    """Tell whether a study has a results section."""
    return bytes(study.results_section) != b"{}"
