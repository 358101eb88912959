"""The verbs by which a value passes from a record into a document.

A mapping copies a value as it stands, or passes it through one of these. They are the places where the engine
can watch what becomes of a value; a mapping itself reports nothing.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from trialconv.context import Context
from trialconv_mappings.tables import CodeTable, Row

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_ENTITY = re.compile(r"(?<!\\)&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NOT_IN_LINKS = re.compile(r"[\x00-\x20\x7f\s]")
_DATE = re.compile(r"([0-9]{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01]))?)?")


def plain(markup: str) -> str:
    r"""Undo the backslash escapes of a markup field of the registry, for an element that holds plain text.

    The registry's markup fields are markdown, in which a backslash before ASCII punctuation stands for that
    character and an entity for what it names (https://spec.commonmark.org/0.31.2/#backslash-escapes and
    #entity-and-numeric-character-references): `\>= 18` and `&gt;= 18` are `>= 18`.
    """
    if "&" in markup:
        markup = _ENTITY.sub(lambda match: html.unescape(match[0]), markup)
    return _ESCAPED.sub(r"\1", markup) if "\\" in markup else markup


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
    return rows


def joined(words: Sequence[str]) -> str:
    """Return several words as one key of a code table (`PHASE1/PHASE2`).

    A word that holds the separator itself is no word of the registry, and makes a key that no table has.
    """
    filled = [word for word in words if word]
    if any("/" in word for word in filled):
        return "".join(f"[{word}]" for word in filled)
    return "/".join(filled)


def checked_date(ctx: Context, value: str, source_path: str, target_path: str) -> str | None:
    """Return a partial date as it stands, or None and an Issue when it is none."""
    if is_date(value):
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


@lru_cache(maxsize=16_384)
def is_date(value: str) -> bool:
    """Tell whether a text is a partial date: yyyy, yyyy-MM or yyyy-MM-dd, and a day of the calendar."""
    match = _DATE.fullmatch(value)
    if match is None or match[3] is None:
        return match is not None
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
