"""Rules ODM-001 to ODM-006: what references mean, what has to be unique, and what is counted.

A scope is a metadata version for what it defines, a study for its measurement units, and the document for
studies and administrative data. What a document takes over from another file cannot be judged: references in
a metadata version with an `Include`, and in data of a study that is not in the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from trialconv.odm_tree import Node
from trialconv.validators.odm_oids import (
    BY_ID,
    DATA,
    DOCUMENT_KINDS,
    FOREIGN,
    PAIRED,
    PASSED_OVER,
    REFERENCES,
    SIBLINGS,
)
from trialconv.validators.odm_places import local
from trialconv.validators.odm_rules import Findings

_Names = dict[str, set[str]]
_SUMMARIES: Final = frozenset({"StudySummary", "sdm:Summary"})
_NUMBERED: Final = frozenset(SIBLINGS)


class _Scope(NamedTuple):
    """The names of each kind that may be referred to, and whether there may be more in another file."""

    names: _Names
    is_open: bool


def check_references(root: Node, findings: Findings, *, has_comments: bool = True) -> None:
    """Note the breaches of the rules in an ODM document of either version.

    `has_comments` False says that no coding of a parameter refers to a comment; nothing else in one refers to
    anything.
    """
    check = _Check(findings, has_comments)
    parts: dict[str, list[Node]] = {}
    for part in root.elements:
        parts.setdefault(part.name, []).append(part)
    studies = parts.get("Study", [])
    admin = [part for each in parts.get("AdminData", ()) for part in _below(each)]
    check.define(studies, check.document)
    check.define(admin, check.document)
    for study in studies:
        check.study(study)
    check.admin_data([*parts.get("AdminData", ()), *admin])
    for kind in DATA:
        for data in parts.get(kind, ()):
            check.data(data)


def _below(node: Node) -> list[Node]:
    """Return the elements below one that a rule may speak of, in document order.

    Texts and values, the bulk of a document, are passed over. A summary stands for its parameters.
    """
    found: list[Node] = []
    open_nodes = [node]
    while open_nodes:
        current = open_nodes.pop()
        if current is not node:
            found.append(current)
        if current.children and current.name not in _SUMMARIES:
            open_nodes += [
                child
                for child in reversed(current.children)
                if not isinstance(child, str) and child.name not in PASSED_OVER
            ]
    return found


class _Check:
    """One walk through a document: what it defines, and what was found."""

    def __init__(self, findings: Findings, has_comments: bool) -> None:
        self._add = findings.add
        self._has_comments = has_comments
        self.document: _Names = {}
        self._versions: dict[tuple[str | None, str | None], _Scope] = {}

    def define(self, nodes: Iterable[Node], names: _Names) -> None:
        """Add the names that the elements define, and note those that are there already."""
        for node in nodes:
            if node.name in _SUMMARIES:
                self._define_parameters(node, names)
                continue
            kind = node.name if node.name[:4] != "sdm:" else node.name[4:]
            attribute = "ID" if kind in BY_ID else "OID"
            name = node.attributes.get(attribute)
            if name is None:
                continue
            known = names.setdefault(kind, set())
            if name in known:
                self._add("ODM-002", f"Another {kind} has the {attribute} {name!r}.", node)
            known.add(name)

    def _define_parameters(self, summary: Node, names: _Names) -> None:
        parameters = summary.elements
        oids = {parameter.attributes.get("OID") for parameter in parameters}
        if len(oids) < len(parameters) or None in oids:
            self.define(parameters, names)

    def study(self, study: Node) -> None:
        """Check a study with all that its metadata versions define."""
        own: _Names = {}
        versions = [part for part in study.elements if part.name == "MetaDataVersion"]
        self.define(versions, own)
        for part in study.elements:
            if part.name != "MetaDataVersion":
                self.define(_below(part), own)
        for version in versions:
            nodes = _below(version)
            names = dict(own)
            self.define(nodes, names)
            scope = _Scope(names, any(part.name == "Include" for part in version.elements))
            self._versions[study.attributes.get("OID"), version.attributes.get("OID")] = scope
            self._references([version, *nodes], scope)

    def admin_data(self, nodes: list[Node]) -> None:
        """Check the administrative data."""
        self._references(nodes, _Scope({}, is_open=False))
        for node in nodes:
            study = node.attributes.get("StudyOID")
            if study is None or not self.document.get("Study"):
                continue
            if study not in self.document["Study"]:
                self._unresolved(node, "StudyOID", study)
            elif node.name == "MetaDataVersionRef":
                self._version_of(node)

    def data(self, data: Node) -> None:
        """Check clinical or reference data, or an association, of a study that is in the document."""
        if data.attributes.get("StudyOID") not in self.document.get("Study", ()):
            return
        scope = self._version_of(data)
        if scope is not None:
            nodes = _below(data)
            names = dict(scope.names)
            self.define(nodes, names)
            self._references(nodes, _Scope(names, scope.is_open))

    def _version_of(self, node: Node) -> _Scope | None:
        """Return the scope of the metadata version that an element names, or None and a finding."""
        name = node.attributes.get("MetaDataVersionOID")
        scope = self._versions.get((node.attributes.get("StudyOID"), name))
        if scope is None and name is not None:
            self._unresolved(node, "MetaDataVersionOID", name)
        return scope

    def _references(self, nodes: list[Node], scope: _Scope) -> None:
        """Check the references of the elements, and what has to be unique among the children of each."""
        for node in nodes:
            name = node.name
            if name in _SUMMARIES:
                if self._has_comments:
                    self._references(list(node.find_all("Coding")), scope)
                continue
            if name in FOREIGN:
                continue
            for attribute, value in node.attributes.items():
                kinds = REFERENCES.get(attribute)
                if kinds is not None and not self._is_defined(value, kinds, scope):
                    self._unresolved(node, attribute, value)
            if len(node.children) > 1:
                self._siblings(node)

    def _is_defined(self, name: str, kinds: tuple[str, ...], scope: _Scope) -> bool:
        for kind in kinds:
            if kind in DOCUMENT_KINDS:
                # Without any AdminData, those whom the document refers to are described in another file.
                return name in self.document.get(kind, ()) or not any(
                    self.document.get(each) for each in DOCUMENT_KINDS
                )
            if name in scope.names.get(kind, ()):
                return True
        return scope.is_open or ("Study" in kinds and name in self.document.get("Study", ()))

    def _siblings(self, parent: Node) -> None:
        """Check the contexts, order numbers and sequence numbers of an element's children."""
        values: dict[tuple[str, str], list[tuple[Node, str]]] = {}
        for child in parent.children:
            if isinstance(child, str):
                continue
            if _NUMBERED.isdisjoint(child.attributes):
                continue
            for attribute in SIBLINGS:
                if attribute in child.attributes and (attribute != "Context" or child.name == "Alias"):
                    values.setdefault((child.name, attribute), []).append((child, child.attributes[attribute]))
        for (name, attribute), found in values.items():
            known: set[str] = set()
            for node, value in found:
                if value in known:
                    message = f"Another {local(name)} beside this one has the {attribute} {value!r}."
                    self._add(SIBLINGS[attribute], message, node)
                known.add(value)
            if attribute != "Context":
                self._run(parent, name, attribute, found)

    def _run(self, parent: Node, name: str, attribute: str, found: list[tuple[Node, str]]) -> None:
        if attribute == "OrderNumber":
            numbered = {id(node) for node, _ in found}
            for child in parent.elements:
                if child.name == name and id(child) not in numbered:
                    self._add(
                        "ODM-005", f"Other elements {local(name)} beside this one have an OrderNumber.", child
                    )
        elif sorted(value for _, value in found) != sorted(str(number) for number in range(1, len(found) + 1)):
            last = found[-1][0]
            self._add("ODM-006", f"The {len(found)} sequence numbers do not run from 1 to {len(found)}.", last)

    def _unresolved(self, node: Node, attribute: str, value: str) -> None:
        kinds = " or ".join(REFERENCES.get(attribute) or PAIRED[attribute])
        message = f"{attribute} {value!r} names no {kinds} of this document."
        self._add("ODM-001", message, node, attribute)
