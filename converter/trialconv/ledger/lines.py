"""Documents as lines for people: a line for each element, indented below the one that holds it.

The values of a document stand in its lines in the order of its lineage (`trialconv.tracing.walk`), so that the
number of a value tells its origin.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from trialconv.odm_tree import Node
from trialconv.tracing.walk import are_rows

#: The number of a line that holds no value.
NO_LEAF = -1


class Line(NamedTuple):
    """A line: its depth, what it is called, what it holds (or how much), and the number of its value."""

    depth: int
    label: str
    text: str
    leaf: int


def document_lines(document: Any) -> list[Line]:
    """Return the lines of a document of any target."""
    walk = _Walk()
    if isinstance(document, Node):
        walk.node(document, 0)
    elif isinstance(document, dict) and "datasetJSONVersion" in document:
        walk.dataset(document, 0)
    elif isinstance(document, dict) and document and all(_is_file(each) for each in document.values()):
        for name, each in document.items():
            walk.lines.append(Line(0, name, "", NO_LEAF))
            if isinstance(each, Node):
                walk.node(each, 1)
            else:
                walk.dataset(each, 1)
    elif are_rows(document):
        walk.tables(document)
    else:
        walk.json("", document, 0)
    return walk.lines


def _is_file(part: Any) -> bool:
    return isinstance(part, Node) or (isinstance(part, dict) and "datasetJSONVersion" in part)


class _Walk:
    """A walk through one document."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._leaves = 0

    def leaf(self, label: str, value: Any, depth: int) -> None:
        """Add the line of a value."""
        text = value if isinstance(value, str) else _spelled(value)
        self.lines.append(Line(depth, label, text, self._leaves))
        self._leaves += 1

    def json(self, label: str, value: Any, depth: int) -> None:
        """Add the lines of a JSON value."""
        if isinstance(value, dict):
            if label:
                self.lines.append(Line(depth, label, _name(value), NO_LEAF))
            for key, item in value.items():
                self.json(key, item, depth + bool(label))
        elif isinstance(value, list):
            self.lines.append(Line(depth, label, f"{len(value)}", NO_LEAF))
            for number, item in enumerate(value):
                self.json(f"[{number}]", item, depth + 1)
        else:
            self.leaf(label, value, depth)

    def tables(self, tables: dict[str, Any]) -> None:
        """Add the lines of the rows of tables; a column without a value in a row has none."""
        for table, rows in tables.items():
            self.lines.append(Line(0, table, f"{len(rows)}", NO_LEAF))
            for number, row in enumerate(rows):
                self.lines.append(Line(1, f"[{number}]", "", NO_LEAF))
                for column, cell in row.items():
                    if cell is not None:
                        self.json(column, cell, 2)

    def node(self, node: Node, depth: int) -> None:
        """Add the lines of an element of XML: its attributes, then what it holds."""
        self.lines.append(Line(depth, f"<{node.name}>", node.attributes.get("OID", ""), NO_LEAF))
        for name, value in node.attributes.items():
            if not name.startswith("xmlns"):
                self.leaf(f"@{name}", value, depth + 1)
        for child in node.children:
            if isinstance(child, str):
                self.leaf("text", child, depth + 1)
            else:
                self.node(child, depth + 1)

    def dataset(self, dataset: dict[str, Any], depth: int) -> None:
        """Add the lines of a dataset: its rows by the names of their variables."""
        variables = [column["name"] for column in dataset["columns"]]
        for key, item in dataset.items():
            if key != "rows":
                self.json(key, item, depth)
        rows = dataset["rows"]
        self.lines.append(Line(depth, "rows", f"{len(rows)}", NO_LEAF))
        for number, row in enumerate(rows):
            self.lines.append(Line(depth + 1, f"[{number}]", "", NO_LEAF))
            for variable, cell in zip(variables, row, strict=True):
                if cell is not None:
                    self.leaf(variable, cell, depth + 2)


def _name(value: dict[str, Any]) -> str:
    """Return by what a person knows an object: its type, or what it says of itself first."""
    for key in ("resourceType", "instanceType", "url"):
        if isinstance(found := value.get(key), str):
            return found.rpartition("/")[2]
    resource = value.get("resource")
    return _name(resource) if isinstance(resource, dict) else ""


def _spelled(value: Any) -> str:
    """Return a value that is no text as JSON spells it."""
    return orjson.dumps(value).decode()
