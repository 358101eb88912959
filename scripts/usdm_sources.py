"""The official files of USDM v4, read: the model's classes, and the list of conformance rules."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree import ElementTree

_SHEET: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
#: The columns of the sheet of rules that are wanted: text, entities, attributes, whether it is one of 4.0, its id.
_COLUMNS: Final = {"A": "text", "C": "entities", "D": "attributes", "F": "4.0", "G": "id"}


class Attribute(NamedTuple):
    """An attribute of a class: the classes or types it may have, how many, and whether it refers to another."""

    types: list[str]
    cardinality: str
    is_reference: bool


class Model(dict[str, dict[str, Attribute]]):
    """The classes of the model with their attributes, and each class's superclasses."""

    def __init__(self) -> None:
        super().__init__()
        self.parents: dict[str, list[str]] = {}


def model(path: Path) -> Model:
    """Return the classes of `dataStructure.yml`.

    The file is written by a program in one form: a line per key, classes at the margin, their attributes four and
    what is said of these six characters in. That form is read here, so that no parser of YAML is needed.
    """
    found = Model()
    name = attribute = section = ""
    said: dict[str, str] = {}
    types: list[str] = []

    def finish() -> None:
        if attribute:
            is_reference = said.get("Relationship Type") == "Ref"
            found[name][attribute] = Attribute(types, said.get("Cardinality", "").strip("'"), is_reference)

    for line in path.read_text(encoding="utf-8").splitlines():
        indent = len(line) - len(line.lstrip())
        key, _, value = line.strip().partition(":")
        if line.lstrip().startswith("- $ref:"):
            kind = re.sub(r"\W", "", value)
            if section == "Type":
                types.append(kind)
            elif section == "Super Classes":
                found.parents[name].append(kind)
        elif indent == 0 and line.endswith(":"):
            finish()
            name, attribute, section = key, "", ""
            found[name], found.parents[name] = {}, []
        elif indent == 2:
            section = key
        elif indent == 4 and line.endswith(":") and re.fullmatch(r"\w+", key):
            finish()
            attribute, section, said, types = key, "", {}, []
        elif indent == 6:
            section = key
            said[key] = value.strip()
    finish()
    return found


def core_rules(path: Path) -> list[dict[str, str]]:
    """Return the rules of version 4.0 in `USDM_CORE_Rules.xlsx`: id, text, entities and attributes."""
    with zipfile.ZipFile(path) as book:
        strings = [
            "".join(text.text or "" for text in item.iter(f"{_SHEET}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml")).iter(f"{_SHEET}si")  # noqa: S314
        ]
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - an official file
    rows = []
    for row in sheet.iter(f"{_SHEET}row"):
        made = dict.fromkeys(_COLUMNS.values(), "")
        for cell in row.iter(f"{_SHEET}c"):
            column = re.sub(r"\d", "", cell.get("r", ""))
            value = cell.find(f"{_SHEET}v")
            if column in _COLUMNS and value is not None and value.text:
                made[_COLUMNS[column]] = strings[int(value.text)] if cell.get("t") == "s" else value.text
        rows.append(made)
    return [row for row in rows if row["4.0"] == "Y"]
