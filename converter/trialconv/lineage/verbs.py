"""The verbs by which a value passes from a record into a document.

A mapping copies a value as it stands, or passes it through one of these. They are the places where the engine
can watch what becomes of a value; a mapping itself reports nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from trialconv.context import Context
from trialconv.lineage.values import (
    TRACING,
    WHOLE_RECORD,
    CodedBy,
    Origin,
    Truth,
    bare,
    combined,
    marked,
    origin_from,
    origin_of,
    origins_in,
    sources_of,
    text_of,
    traced,
)
from trialconv_mappings.tables import CodeTable, Row

_T = TypeVar("_T")
_V = TypeVar("_V")

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"(?<!\\)&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NOT_IN_LINKS = re.compile(r"[\x00-\x20\x7f\s]")
_DATE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?")

#: What a truth value of a record is, for `isinstance`.
TRUTH: Final = (bool, Truth)


def plain(markup: str) -> str:
    r"""Undo the backslash escapes of a markup field of the registry, for an element that holds plain text.

    The registry's markup fields are markdown, in which a backslash before ASCII punctuation stands for that
    character and an entity for what it names (https://spec.commonmark.org/0.31.2/#backslash-escapes and
    #entity-and-numeric-character-references): `\>= 18` and `&gt;= 18` are `>= 18`.
    """
    text = markup
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "\\" in text:
        text = _ESCAPED.sub(r"\1", text)
    return derived(text, markup) if text is not markup and TRACING.on else text


def code(ctx: Context, table: CodeTable, value: str, source_path: str, target_path: str) -> tuple[Row, ...]:
    """Look a value up in a code table.

    Returns the rows that carry a code, in the table's order. A value without a row gives none and an Issue; a
    value whose row says that there is no code gives none and no Issue, since that was decided by a reviewer.
    """
    rows = table.get(value)
    if not rows:
        ctx.uncoded.append((table.name, value))
    if rows is None:
        ctx.note("no-code", f"{value!r} has no row in the table {table.name!r}", source_path, target_path)
        return ()
    return _coded(table, rows, value) if TRACING.on else rows


def looked_up(table: CodeTable, value: str | None) -> tuple[Row, ...] | None:
    """Look a value up in a code table, as `CodeTable.get`, where another look-up tells of values without a row."""
    rows = table.get(value) if value is not None else None
    return _coded(table, rows, value) if rows and TRACING.on else rows


def _coded(table: CodeTable, rows: tuple[Row, ...], value: Any) -> tuple[Row, ...]:
    """Return the rows of a table with what they say as coded from a value."""
    sources = sources_of(origins_in(value))
    made = []
    for row in rows:
        origin = origin_from(("coded", sources, table.name, _coded_by(row)))
        system, code_, display = (text_of(part, origin) for part in (row.system, row.code, row.display))
        made.append(Row(row.source, system, code_, display, row.relation, row.note))
    return tuple(made)


@lru_cache(maxsize=4096)
def _coded_by(row: Row) -> CodedBy:
    return CodedBy(*row)


def joined(words: Sequence[str]) -> str:
    """Return several words as one key of a code table (`PHASE1/PHASE2`).

    A word that holds the separator itself is no word of the registry, and makes a key that no table has.
    """
    filled = [word for word in words if word]
    if any("/" in word for word in filled):
        return derived("".join(f"[{word}]" for word in filled), filled)
    return join("/", filled)


def checked_date(ctx: Context, value: str, source_path: str, target_path: str) -> str | None:
    """Return a partial date as it stands, or None and an Issue when it is none."""
    if _is_date(bare(value) if TRACING.on else value):
        return value
    ctx.note("invalid-date", f"{value!r} is not a date", source_path, target_path)
    return None


def checked_link(ctx: Context, value: str, source_path: str, target_path: str) -> str | None:
    """Return a web address without space around it, or None and an Issue when no address can look like that.

    FHIR's `uri` and `url` hold neither space nor control characters
    (https://hl7.org/fhir/R4/datatypes.html#uri).
    """
    address = value.strip()
    if address and not _NOT_IN_LINKS.search(address):
        return address
    ctx.note("invalid-link", f"{value[:80]!r} is not a web address", source_path, target_path)
    return None


def is_date(value: str) -> bool:
    """Tell whether a text is a partial date: yyyy, yyyy-MM or yyyy-MM-dd, and a day of the calendar."""
    return _is_date(bare(value) if TRACING.on else value)


@lru_cache(maxsize=16_384)
def _is_date(value: str) -> bool:
    match = _DATE.fullmatch(value)
    if match is None or match[3] is None:
        return match is not None
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


# Texts made of others.


def join(separator: str, parts: Iterable[str]) -> str:
    """Return texts joined, as `separator.join(parts)`."""
    if not TRACING.on:
        return separator.join(parts)
    held = list(parts)
    if len(held) == 1:
        return held[0]
    text, origins = separator.join(held), origins_in(held)
    return text_of(text, combined("derived", origins)) if origins else text


def substituted(pattern: re.Pattern[str], by: str | Callable[[re.Match[str]], str], text: str) -> str:
    """Return a text with what a pattern finds replaced, as `pattern.sub(by, text)`."""
    made = pattern.sub(by, text)
    return derived(made, text) if TRACING.on and made != text else made


def as_json(value: float) -> str:
    """Return a truth value or a number as the registry's JSON writes it."""
    if isinstance(value, TRUTH):
        word = "true" if value else "false"
        origin = origin_of(value)
        return word if origin is None else text_of(word, origin)
    return repr(value)


# What is neither copied nor coded.


def derived(value: _T, *of: Any) -> _T:
    """Return a value that was made of others, or that others decided on: a hash, one constant of several.

    Everything inside the value is marked, everything inside the others is where it comes from.
    """
    if not TRACING.on:
        return value
    sources = sources_of(origins_in(of))
    return cast("_T", marked(value, "derived", sources)) if sources else value


def derived_each(values: list[_T], of: Iterable[Any]) -> list[_T]:
    """Return several values, each of which was made of, or decided on by, one of the others."""
    return [derived(value, one) for value, one in zip(values, of, strict=True)]


def parsed(value: _T, text: str | None) -> _T:
    """Return what was taken out of a text: the group of a match, a number in it."""
    if not TRACING.on:
        return value
    origin = origin_of(text)
    return value if origin is None else cast("_T", marked(value, "parsed", origin.sources))


def filled(value: _T, *of: Any) -> _T:
    """Return a value that the target demands and the record does not give; `of` is what the rule for it took."""
    if not TRACING.on:
        return value
    return cast("_T", marked(value, "filled-in", sources_of(origins_in((of, value)))))


def counted(value: _T) -> _T:
    """Return what depends on all of the record: how many there are of something, or which of them it is."""
    return cast("_T", traced(value, Origin("derived", (WHOLE_RECORD,)))) if TRACING.on else value


def numbered(items: Iterable[_T]) -> Iterable[tuple[int, _T]]:
    """Yield items with their places, from 1: which place one has depends on all before it."""
    places = enumerate(items, 1)
    return [(counted(place), item) for place, item in places] if TRACING.on else places


def taken_apart(read: Callable[[str], _V], text: str) -> _V:
    """Return what a function reads out of a text. It is given the bare text, and all that it returns is parsed."""
    return parsed(read(bare(text)), text) if TRACING.on else read(text)


def distinct(items: Iterable[_T]) -> list[_T]:
    """Return each of several values once, in the order of their first appearance."""
    if not TRACING.on:
        return list(dict.fromkeys(items))
    kept: dict[Any, list[Any]] = {}
    for item in items:
        kept.setdefault(item, []).append(item)
    return [
        same[0] if len(same) == 1 else marked(same[0], "derived", sources_of(origins_in(same)))
        for same in kept.values()
    ]
