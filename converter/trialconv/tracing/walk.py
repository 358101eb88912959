"""A document and its traced twin, walked together: the leaves of the one with the origins of the other."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from trialconv.lineage.values import Origin
from trialconv.odm_tree import Node
from trialconv.tracing.model import Leaf, Subject

_CONSTANT = Origin("constant")


class TraceError(Exception):
    """A traced conversion gave another document than the one without a trace: a defect of trialconv."""


def document_leaves(subject: Subject, document: Any, twin: Any, name: str = "") -> Iterator[Leaf]:
    """Yield the leaves of a document of any target, of that name. `twin` is what the traced conversion made."""
    for file, each, other in _files(document, twin, name):
        walk = _walk_of(each)(subject, file)
        walk.document(each, other)
        yield from walk.found


def _files(document: Any, twin: Any, name: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield the documents of a study with their names; one alone has none."""
    if isinstance(document, Node) or are_rows(document) or any(key in document for key in _KEYS):
        yield name, document, twin
    else:
        yield from ((file, each, twin[file]) for file, each in document.items())


#: What tells documents of JSON apart.
_KEYS: Final = ("resourceType", "usdmVersion", "datasetJSONVersion")


def are_rows(document: Any) -> bool:
    """Tell whether a document is the rows of tables, by their names."""
    return all(isinstance(each, list) for each in document.values())


def _walk_of(document: Any) -> type[_Walk]:
    if isinstance(document, Node):
        return _XmlWalk
    if "datasetJSONVersion" in document:
        return _DatasetWalk
    if are_rows(document):
        return _RowsWalk
    return _UsdmWalk if "usdmVersion" in document else _FhirWalk


class _Anchor(NamedTuple):
    """A part of a document that has a name of its own: its exact path, and its name (`Group/NCT99999901-e`)."""

    path: str
    name: str


class _Walk:
    """A walk through one document; the leaves so far are in `found`."""

    def __init__(self, subject: Subject, file: str) -> None:
        self.found: list[Leaf] = []
        self._record, self._target = subject
        self._file = file
        self._anchor = _Anchor("", "")

    def document(self, value: Any, twin: Any) -> None:
        """Add the leaves of the document."""
        self.object(value, twin, "", "")

    def leaf(self, value: Any, twin: Any, within: str, element: str) -> None:
        """Add a leaf."""
        if value != twin:
            raise self._differs(value, twin, within)
        # What is of the same kind carries no origin.
        origin = _CONSTANT if type(twin) is type(value) else getattr(twin, "origin", _CONSTANT)
        how, sources, table, row = origin
        path, name = self._anchor
        path, name = path + within, name + within
        record, target, file = self._record, self._target, self._file
        self.found.append(Leaf(record, target, path, name, element, value, how, sources, table, row, file))

    def _differs(self, value: Any, twin: Any, within: str) -> TraceError:
        return TraceError(f"{self._anchor.path}{within}: {value!r} is {twin!r} in the traced document")

    def members(self, value: dict[str, Any], twin: dict[str, Any], within: str, element: str) -> None:
        """Add the leaves of the members of an object."""
        if len(value) != len(twin):
            raise TraceError(f"{self._anchor.path}{within}: the keys are {list(value)} and {list(twin)}")
        record, target, file, (path, part) = self._record, self._target, self._file, self._anchor
        add = self.found.append
        for key, item in value.items():
            other = twin.get(key)
            place, name = within + "." + key, element + "." + key
            kind = type(item)
            if kind is dict:
                self.object(item, other or {}, place, name)
            elif kind is list:
                self.items(item, other or [], place, name)
            elif item != other:
                raise self._differs(item, other, place)
            else:
                # As `leaf` does, without a call for each.
                origin = _CONSTANT if type(other) is kind else getattr(other, "origin", _CONSTANT)
                how, sources, table, row = origin
                add(Leaf(record, target, path + place, part + place, name, item, how, sources, table, row, file))

    def items(self, value: list[Any], twin: list[Any], within: str, element: str) -> None:
        """Add the leaves of the items of a list."""
        if len(value) != len(twin):
            raise TraceError(f"{self._anchor.path}{within}: {len(value)} items are {len(twin)}")
        for number, item in enumerate(value):
            place = f"{within}[{number}]"
            if type(item) is dict:
                self.object(item, twin[number], place, element)
            else:
                self.leaf(item, twin[number], place, element)

    def object(self, value: dict[str, Any], twin: dict[str, Any], within: str, element: str) -> None:
        """Add the leaves of an object."""
        self.members(value, twin, within, element)

    def part(self, value: dict[str, Any], twin: dict[str, Any], anchor: _Anchor, element: str) -> None:
        """Add the leaves of an object that has a name of its own."""
        outer, self._anchor = self._anchor, anchor
        self.members(value, twin, "", element)
        self._anchor = outer


class _FhirWalk(_Walk):
    """A walk through a FHIR Bundle: resources have names, extensions have theirs in the element's path."""

    def object(self, value: dict[str, Any], twin: dict[str, Any], within: str, element: str) -> None:
        if "resourceType" in value:
            kind = value["resourceType"]
            name = f"{kind}/{value['id']}" if "id" in value else kind
            # A resource alone, as in bulk data, has no other path than its name.
            path = self._anchor.path + within if within else kind if kind == "Bundle" else name
            self.part(value, twin, _Anchor(path, name), kind)
            return
        if "url" in value and element.endswith("xtension"):
            element = f"{element}({extension_name(value['url'])})"
        self.members(value, twin, within, element)


@lru_cache(maxsize=1024)
def extension_name(url: str) -> str:
    """Return the name by which people know an extension: `5.0 ResearchStudy.label`, `site-recruitment-status`."""
    before, _, name = url.rpartition("/StructureDefinition/")
    return "5.0 " + name.removeprefix("extension-") if before.endswith("/5.0") else name


class _UsdmWalk(_Walk):
    """A walk through a USDM document: each object has a class and an id."""

    def object(self, value: dict[str, Any], twin: dict[str, Any], within: str, element: str) -> None:
        kind = value.get("instanceType")
        if kind is None:
            self.part(value, twin, _Anchor("", "Wrapper"), "Wrapper")
            return
        id_ = value["id"]
        path = (self._anchor.path + within).removeprefix(".")
        self.part(value, twin, _Anchor(path, id_ if id_.startswith(kind) else kind), kind)


class _RowsWalk(_Walk):
    """A walk through the rows of tables; a column without a value in a row is no leaf."""

    def document(self, value: dict[str, Any], twin: dict[str, Any]) -> None:
        """Add the leaves of all rows."""
        for table, rows in value.items():
            if len(rows) != len(twin[table]):
                raise TraceError(f"{table}: {len(rows)} rows are {len(twin[table])}")
            for number, (row, other) in enumerate(zip(rows, twin[table], strict=True)):
                name = f"{table}[{number}]"
                self._anchor = _Anchor(name, name)
                self.members(_with_values(row), _with_values(other), "", table)


def _with_values(row: dict[str, Any]) -> dict[str, Any]:
    return {column: cell for column, cell in row.items() if cell is not None}


class _DatasetWalk(_Walk):
    """A walk through a dataset: its attributes, its columns, and its rows by the names of the variables."""

    def document(self, value: dict[str, Any], twin: dict[str, Any]) -> None:
        """Add the leaves of a dataset."""
        name = value["name"]
        self._anchor = _Anchor(name, name)
        head, other_head = ({key: item for key, item in each.items() if key != "rows"} for each in (value, twin))
        self.members(head, other_head, "", name)
        if len(value["rows"]) != len(twin["rows"]):
            raise TraceError(f"{name}: {len(value['rows'])} rows are {len(twin['rows'])}")
        variables = [column["name"] for column in value["columns"]]
        elements = [f"{name}.{variable}" for variable in variables]
        within = ["." + variable for variable in variables]
        for number, (row, other) in enumerate(zip(value["rows"], twin["rows"], strict=True)):
            row_name = _row_name(name, dict(zip(variables, row, strict=True)))
            self._anchor = _Anchor(f"{name}.rows[{number}]", row_name)
            for cell, traced, place, element in zip(row, other, within, elements, strict=True):
                if cell is not None or traced is not None:
                    self.leaf(cell, traced, place, element)


def _row_name(dataset: str, row: dict[str, Any]) -> str:
    """Return the name of a row: `TS[TITLE]`, `TS[INDIC.2]`, `TI[INCL001]`."""
    key = row.get("TSPARMCD") or row.get("IETESTCD")
    number = row.get("TSSEQ", 1)
    return f"{dataset}[{key}.{number}]" if number != 1 else f"{dataset}[{key}]"


class _XmlWalk(_Walk):
    """A walk through a tree of ODM: elements with an OID have names; paths are XPath's."""

    def document(self, value: Node, twin: Node) -> None:
        """Add the leaves of a tree."""
        self._anchor = _Anchor(f"/{value.name}", value.name)
        self._node(value, twin, "", value.name)

    def _node(self, node: Node, twin: Node, within: str, element: str) -> None:
        attributes, others = node.attributes, twin.attributes
        if node.name != twin.name or len(node.children) != len(twin.children) or len(attributes) != len(others):
            raise TraceError(f"{self._anchor.path}{within}: <{node.name}> has another content")
        outer = self._anchor
        if "OID" in attributes:
            self._anchor = _Anchor(outer.path + within, f"{node.name}[@OID='{attributes['OID']}']")
            within, element = "", node.name
        leaf = self.leaf
        for name, value in attributes.items():
            if name[:5] != "xmlns":
                leaf(value, others.get(name), within + "/@" + name, element + "/@" + name)
        if node.children:
            self._children(node, twin, within, element)
        self._anchor = outer

    def _children(self, node: Node, twin: Node, within: str, element: str) -> None:
        several = _repeated(node)
        counts: dict[str, int] = {}
        for child, other in zip(node.children, twin.children, strict=True):
            if isinstance(child, Node):
                name = child.name
                step = within + "/" + name
                if name in several:
                    counts[name] = number = counts.get(name, 0) + 1
                    step = f"{step}[{number}]"
                self._node(child, other, step, element + "/" + name)  # type: ignore[arg-type]
            else:
                self.leaf(child, other, within + "/text()", element + "/text()")


def _repeated(node: Node) -> set[str]:
    """Return the names that several of an element's children have."""
    if len(node.children) == 1:
        return set()
    seen: set[str] = set()
    found: set[str] = set()
    for child in node.children:
        if isinstance(child, Node):
            (found if child.name in seen else seen).add(child.name)
    return found
