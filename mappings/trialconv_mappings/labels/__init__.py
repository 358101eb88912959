"""The registry's words: what it calls its fields, and how it shows the words of its enumerations.

`fields.csv` has a row for each field, each list of objects, each module and each section (`path,label`), after the
titles of the study data structure (https://clinicaltrials.gov/data-api/about-api/study-data-structure) and of the
definitions of data elements (https://clinicaltrials.gov/policy/protocol-definitions and
https://clinicaltrials.gov/policy/results-definitions). `words.csv` has a row for each word (`set,word,label`), by
the name of its enumeration, as the pages of the registry show it.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import NamedTuple


@cache
def field_labels() -> dict[str, str]:
    """Return the label of each path. A list ends in `[]`; its label is that of one item."""
    return dict(_rows("fields.csv", ["path", "label"]))


@cache
def word_labels() -> dict[str, dict[str, str]]:
    """Return the labels of the words of each enumeration, by the enumeration's name."""
    found: dict[str, dict[str, str]] = {}
    for name, word, label in _rows("words.csv", ["set", "word", "label"]):
        found.setdefault(name, {})[word] = label
    return found


class FormatLimit(NamedTuple):
    """What a format cannot do for a field, or for all that is below an object.

    `form` is `absent` (it has no place for the value), `part` (it has no place for some values, or for as many),
    `coarse` (some of its words stand for several of the registry's), `other` (it has the value in another form) or
    `order` (it has the items of a list in another order). `words` has the pairs of a coarse word and one of those
    for which it stands.
    """

    path: str
    form: str
    reason: str
    words: frozenset[tuple[str, str]] = frozenset()


@cache
def format_limits() -> dict[str, tuple[FormatLimit, ...]]:
    """Return the limits of each format by the name of its reader."""
    words: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for reader, path, word, other in _rows("coarse.csv", ["reader", "path", "word", "stands for"]):
        words.setdefault((reader, path), set()).add((word, other))
    found: dict[str, list[FormatLimit]] = {}
    for reader, path, form, reason in _rows("formats.csv", ["reader", "path", "form", "reason"]):
        limit = FormatLimit(path, form, reason, frozenset(words.get((reader, path), ())))
        found.setdefault(reader, []).append(limit)
    return {reader: tuple(limits) for reader, limits in found.items()}


def _rows(name: str, columns: list[str]) -> list[list[str]]:
    """Return the rows of a table of this folder. Raises ValueError for one with other columns."""
    lines = csv.reader(files(__name__).joinpath(name).read_text(encoding="utf-8").splitlines())
    if (header := next(lines)) != columns:
        raise ValueError(f"{name}: expected the columns {', '.join(columns)}; found {', '.join(header)}")
    return list(lines)
