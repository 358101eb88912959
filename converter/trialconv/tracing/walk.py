"""A document and its traced twin, walked together: the leaves of the one with the origins of the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from trialconv.lineage.values import Origin
from trialconv.odm_tree import Node
from trialconv.tracing.model import Anchor, Leaf

_CONSTANT = Origin("constant")


class TraceError(Exception):
    """A traced conversion gave another document than the one without a trace: a defect of trialconv."""


def document_leaves(document: Any, twin: Any) -> Iterator[Leaf]:
    """Yield the leaves of a document of any target. `twin` is what the traced conversion made."""
    if isinstance(document, Node):
        walk: _Walk = _XmlWalk("")
        walk.root(document, twin)
    elif "resourceType" in document:
        walk = _FhirWalk("")
        walk.value(document, twin, "", document["resourceType"])
    elif "usdmVersion" in document:
        walk = _UsdmWalk("")
        walk.value(document, twin, "", "Wrapper")
    elif "datasetJSONVersion" in document:
        walk = _DatasetWalk("")
        walk.dataset(document, twin)
    else:
        for name, each in document.items():
            file = _XmlWalk(name) if isinstance(each, Node) else _DatasetWalk(name)
            (file.root if isinstance(file, _XmlWalk) else file.dataset)(each, twin[name])
            yield from file.found
        return
    yield from walk.found


class _Walk:
    """A walk through one document; the leaves so far are in `found`."""

    def __init__(self, file: str) -> None:
        self.found: list[Leaf] = []
        self._file = file
        self._anchor = Anchor("", "")

    def leaf(self, value: Any, twin: Any, within: str, element: str) -> None:
        """Add a leaf."""
        if value != twin:
            raise TraceError(f"{self._anchor.path}{within}: {value!r} is {twin!r} in the traced document")
        how, sources, table, row = getattr(twin, "origin", _CONSTANT)
        self.found.append(Leaf(self._file, self._anchor, within, element, value, how, sources, table, row))

    def value(self, value: Any, twin: Any, within: str, element: str) -> None:
        """Add the leaves of a JSON value."""
        if isinstance(value, dict):
            self.object(value, twin, within, element)
        elif isinstance(value, list):
            if len(value) != len(twin):
                raise TraceError(f"{self._anchor.path}{within}: {len(value)} items are {len(twin)}")
            for number, (item, other) in enumerate(zip(value, twin, strict=True)):
                self.value(item, other, f"{within}[{number}]", element)
        else:
            self.leaf(value, twin, within, element)

    def object(self, value: dict[str, Any], twin: dict[str, Any], within: str, element: str) -> None:
        """Add the leaves of an object."""
        if value.keys() != twin.keys():
            raise TraceError(f"{self._anchor.path}{within}: the keys are {list(value)} and {list(twin)}")
        for key, item in value.items():
            self.value(item, twin[key], f"{within}.{key}", f"{element}.{key}")

    def named(self, within: str, name: str, go_on: Callable[[], None]) -> None:
        """Walk through a part that has a name of its own."""
        outer = self._anchor
        self._anchor = Anchor((outer.path + within).removeprefix("."), name)
        go_on()
        self._anchor = outer


class _FhirWalk(_Walk):
    """A walk through a FHIR Bundle: resources have names, extensions have theirs in the element's path."""

    def object(self, value: dict[str, Any], twin: dict[str, Any], within: str, element: str) -> None:
        kind = value.get("resourceType")
        if kind is not None:
            name = f"{kind}/{value['id']}" if "id" in value else kind
            start = "" if within else kind
            self.named(within or start, name, lambda: super(_FhirWalk, self).object(value, twin, "", kind))
            return
        url = value.get("url")
        if url is not None and element.endswith("xtension"):
            element = f"{element}({extension_name(url)})"
        super().object(value, twin, within, element)


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
            super().object(value, twin, within, element)
            return
        id_ = str(value["id"])
        name = id_ if id_.startswith(kind) else kind
        self.named(within, name, lambda: super(_UsdmWalk, self).object(value, twin, "", kind))


class _DatasetWalk(_Walk):
    """A walk through a dataset: its attributes, its columns, and its rows by the names of the variables."""

    def dataset(self, value: dict[str, Any], twin: dict[str, Any]) -> None:
        """Add the leaves of a dataset."""
        name = value["name"]
        variables = [column["name"] for column in value["columns"]]
        self._anchor = Anchor(name, name)
        self.object(
            {key: item for key, item in value.items() if key != "rows"},
            {key: item for key, item in twin.items() if key != "rows"},
            "",
            name,
        )
        if len(value["rows"]) != len(twin["rows"]):
            raise TraceError(f"{name}: {len(value['rows'])} rows are {len(twin['rows'])}")
        for number, (row, other) in enumerate(zip(value["rows"], twin["rows"], strict=True)):
            self._anchor = Anchor(
                f"{name}.rows[{number}]", _row_name(name, dict(zip(variables, row, strict=True)))
            )
            for variable, cell, traced in zip(variables, row, other, strict=True):
                if cell is not None or traced is not None:
                    self.leaf(cell, traced, "." + variable, f"{name}.{variable}")


def _row_name(dataset: str, row: dict[str, Any]) -> str:
    """Return the name of a row: `TS[TITLE]`, `TS[INDIC.2]`, `TI[INCL001]`."""
    key = row.get("TSPARMCD") or row.get("IETESTCD")
    number = row.get("TSSEQ", 1)
    return f"{dataset}[{key}.{number}]" if number != 1 else f"{dataset}[{key}]"


class _XmlWalk(_Walk):
    """A walk through a tree of ODM: elements with an OID have names; paths are XPath's."""

    def root(self, node: Node, twin: Node) -> None:
        """Add the leaves of a tree."""
        self._anchor = Anchor(f"/{node.name}", node.name)
        self._node(node, twin, "", node.name)

    def _node(self, node: Node, twin: Node, within: str, element: str) -> None:
        if node.name != twin.name or len(node.children) != len(twin.children):
            raise TraceError(f"{self._anchor.path}{within}: <{node.name}> has other children")
        oid = node.attributes.get("OID")
        if oid is not None:
            outer = self._anchor
            self._anchor = Anchor(outer.path + within, f"{node.name}[@OID='{oid}']")
            self._content(node, twin, "", node.name)
            self._anchor = outer
        else:
            self._content(node, twin, within, element)

    def _content(self, node: Node, twin: Node, within: str, element: str) -> None:
        others = twin.attributes
        for name, value in node.attributes.items():
            if not name.startswith("xmlns"):
                self.leaf(value, others.get(name), f"{within}/@{name}", f"{element}/@{name}")
        several = _repeated(node)
        counts: dict[str, int] = {}
        for child, other in zip(node.children, twin.children, strict=True):
            if isinstance(child, str):
                self.leaf(child, other, f"{within}/text()", f"{element}/text()")
                continue
            name = child.name
            step = f"{within}/{name}"
            if name in several:
                counts[name] = number = counts.get(name, 0) + 1
                step = f"{step}[{number}]"
            self._node(child, other, step, f"{element}/{name}")  # type: ignore[arg-type]


def _repeated(node: Node) -> set[str]:
    """Return the names that several of an element's children have."""
    if len(node.children) < 2:  # noqa: PLR2004
        return set()
    names = [child.name for child in node.children if not isinstance(child, str)]
    return {name for name in names if names.count(name) > 1} if len(names) < 8 else _counted(names)  # noqa: PLR2004


def _counted(names: list[str]) -> set[str]:
    seen: set[str] = set()
    return {name for name in names if name in seen or seen.add(name)}  # type: ignore[func-returns-value]
