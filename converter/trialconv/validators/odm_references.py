"""The rules of ODM that its schemas do not say: what references mean and what has to be unique.

- `odm-oid-ref`: a reference attribute names a definition of the right kind in the same scope.
- `odm-oid-unique`: definitions of one kind have different OIDs within their scope.
- `odm-alias-context`: the aliases of one element have different contexts.
- `odm-order-number`: siblings of one kind have different order numbers or sequence numbers.

A scope is a metadata version for what it defines, a study for its measurement units, and the document for
studies and administrative data. What a document takes over from another file cannot be judged: references in
a metadata version with an `Include`, and in data of a study that is not in the document.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, cast

from lxml import etree

from trialconv.issues import Issue, issue
from trialconv.validators.odm_oids import (
    BY_ID,
    DATA,
    DOCUMENT_KINDS,
    ELEMENTS,
    FOREIGN,
    PAIRED,
    PARAMETER,
    REFERENCES,
    SIBLINGS,
)
from trialconv.validators.xml_places import element_path, line_of

#: How many errors of one sort are listed. The place of each takes time to find, and nobody reads more.
MOST: Final = 100

_Element = etree._Element
_Names = dict[str, set[str]]
_Versions = dict[tuple[str | None, str | None], "_Scope"]


class _Scope(NamedTuple):
    """The names of each kind that may be referred to, and whether there may be more in another file."""

    names: _Names
    is_open: bool


def check_references(root: _Element) -> list[Issue]:
    """Return the breaches of the rules in an ODM document of either version."""
    check = _Check(root)
    studies = check.parts("Study")
    admin = [element for part in check.parts("AdminData") for element in check.below(part)]
    check.define(((study, "Study") for study in studies), check.document)
    check.define(admin, check.document)
    for study in studies:
        check.study(study)
    check.admin_data(admin)
    for kind in DATA:
        for data in check.parts(kind):
            check.data(data)
    return check.result()


class _Check:
    """One walk through a document: what it defines, and what was found."""

    def __init__(self, root: _Element) -> None:
        self._found: list[Issue] = []
        self._unlisted = 0
        self.document: _Names = {}
        self._root = root
        self._prefix = str(root.tag)[: -len("ODM")]
        self._tags = [self._prefix + name for name in ELEMENTS]
        self._versions: _Versions = {}

    def result(self) -> list[Issue]:
        """Return what was found; of many breaches the first, and the number of the others."""
        if not self._unlisted:
            return self._found
        message = f"{self._unlisted} more references or duplicates are not listed."
        return [*self._found, issue("reference-unresolved", message)]

    def parts(self, kind: str) -> list[_Element]:
        """Return the parts of one kind directly below the root."""
        return self._root.findall(self._prefix + kind)

    def below(self, element: _Element) -> list[tuple[_Element, str]]:
        """Return the elements below an element that a rule may speak of, with their kinds."""
        start = len(self._prefix)
        return [(each, str(each.tag)[start:]) for each in element.iterdescendants(*self._tags)]

    def define(self, elements: Iterable[tuple[_Element, str]], names: _Names) -> None:
        """Add the names that the elements define, and note those that are there already."""
        for element, kind in elements:
            attribute = "ID" if kind in BY_ID else "OID"
            name = element.get(attribute)
            if name is None:
                continue
            known = names.setdefault(kind, set())
            if name in known:
                message = f"Another {kind} has the {attribute} {name!r}."
                self._breach("duplicate-id", message, element, "odm-oid-unique")
            known.add(name)

    def study(self, study: _Element) -> None:
        """Check a study with all that its metadata versions define."""
        own: _Names = {}
        versions = study.findall(self._prefix + "MetaDataVersion")
        self.define(((version, "MetaDataVersion") for version in versions), own)
        for part in study:
            if part not in versions:
                self.define(self.below(part), own)
        for version in versions:
            elements = self.below(version)
            names = dict(own)
            self.define(elements, names)
            scope = _Scope(names, version.find(self._prefix + "Include") is not None)
            self._versions[study.get("OID"), version.get("OID")] = scope
            self._references([(version, "MetaDataVersion"), *elements], scope)

    def admin_data(self, elements: list[tuple[_Element, str]]) -> None:
        """Check the administrative data."""
        self._references(elements, _Scope({}, is_open=False))
        parts = ((part, "AdminData") for part in self.parts("AdminData"))
        for element, kind in (*parts, *elements):
            study = element.get("StudyOID")
            if study is None or not self.document.get("Study"):
                continue
            if study not in self.document["Study"]:
                self._unresolved(element, "StudyOID", study)
            elif kind == "MetaDataVersionRef":
                self._version_of(element)

    def data(self, data: _Element) -> None:
        """Check clinical or reference data, or an association, of a study that is in the document."""
        if data.get("StudyOID") not in self.document.get("Study", ()):
            return
        scope = self._version_of(data)
        if scope is not None:
            elements = self.below(data)
            names = dict(scope.names)
            self.define(elements, names)
            self._references(elements, _Scope(names, scope.is_open))

    def _version_of(self, element: _Element) -> _Scope | None:
        """Return the scope of the metadata version that an element names, or None and an Issue."""
        name = element.get("MetaDataVersionOID")
        scope = self._versions.get((element.get("StudyOID"), name))
        if scope is None and name is not None:
            self._unresolved(element, "MetaDataVersionOID", name)
        return scope

    def _references(self, elements: list[tuple[_Element, str]], scope: _Scope) -> None:
        """Check the references of the elements, and what has to be unique among siblings."""
        siblings: dict[tuple[_Element, str, str], set[str]] = {}
        for element, kind in elements:
            if kind == PARAMETER or kind in FOREIGN:
                continue
            for attribute, value in cast("list[tuple[str, str]]", element.items()):
                kinds = REFERENCES.get(attribute)
                if kinds is not None:
                    if not self._is_defined(value, kinds, scope):
                        self._unresolved(element, attribute, value)
                elif attribute in SIBLINGS and (kind == "Alias" or attribute != "Context"):
                    self._sibling(element, kind, attribute, value, siblings)

    def _is_defined(self, name: str, kinds: tuple[str, ...], scope: _Scope) -> bool:
        for kind in kinds:
            if kind in DOCUMENT_KINDS:
                # Without any AdminData, those whom the document refers to are described in another file.
                return name in self.document.get(kind, ()) or not any(
                    self.document.get(each) for each in DOCUMENT_KINDS
                )
            if name in scope.names.get(kind, ()):
                return True
        return scope.is_open

    def _sibling(
        self,
        element: _Element,
        kind: str,
        attribute: str,
        value: str,
        siblings: dict[tuple[_Element, str, str], set[str]],
    ) -> None:
        parent = element.getparent()
        if parent is None:
            return
        known = siblings.setdefault((parent, kind, attribute), set())
        if value in known:
            message = f"Another {kind} beside this one has the {attribute} {value!r}."
            self._breach("duplicate-id", message, element, SIBLINGS[attribute])
        known.add(value)

    def _unresolved(self, element: _Element, attribute: str, value: str) -> None:
        kinds = " or ".join(REFERENCES.get(attribute) or PAIRED[attribute])
        message = f"{attribute} {value!r} names no {kinds} of this document."
        self._breach("reference-unresolved", message, element, "odm-oid-ref", f"/@{attribute}")

    def _breach(self, code: str, message: str, element: _Element, rule: str, attribute: str = "") -> None:
        if len(self._found) >= MOST:
            self._unlisted += 1
            return
        target = element_path(element) + attribute
        self._found.append(issue(code, message, source_path=line_of(element), target_path=target, rule=rule))
