"""A study version of a USDM document with all that is in it, sorted by class: what the rules look at.

The walk also checks what every object has: its id, its references, and its name among its siblings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import orjson

from trialconv.issues import Severity

#: A USDM object.
Element = Mapping[str, Any]

_DESIGNS: Final = "studyDesigns"


class Finding(NamedTuple):
    """What is wrong: the rule, the object and its attribute, in words; and the code and severity of the Issue.

    Without an object it is said of all of a class, and the attribute has the name of the class before it.
    """

    rule: str
    element: Element | None
    attribute: str
    message: str
    code: str = "conformance"
    severity: Severity = "error"


class CodelistFacts(NamedTuple):
    """A codelist: its version, whether other codes may stand in its place, and its preferred terms by code."""

    version: str
    extensible: bool
    terms: dict[str, str]


class Facts(NamedTuple):
    """What the official files say beside the schema.

    By class and attribute: the classes that a reference may refer to, and the codelist of a code with the rule
    that demands it. By code: the codelists.
    """

    references: dict[str, tuple[tuple[str, frozenset[str]], ...]]
    codes: dict[str, dict[str, tuple[str, str]]]
    codelists: dict[str, CodelistFacts]


@cache
def facts() -> Facts:
    """Return the facts that scripts/generate_usdm_schema.py made."""
    read = orjson.loads(files("trialconv.validators").joinpath("_generated", "usdm-4.0.rules.json").read_bytes())
    references = {
        name: tuple((key, frozenset(kinds)) for key, kinds in attributes.items())
        for name, attributes in read["references"].items()
    }
    codes = {
        name: {key: (codelist, rule) for key, (codelist, rule) in attributes.items()}
        for name, attributes in read["codes"].items()
    }
    return Facts(references, codes, {code: CodelistFacts(**known) for code, known in read["codelists"].items()})


class Group:
    """The objects in a part of a document, by class, in the order of the document's levels."""

    def __init__(self, *roots: Element, without: str = "") -> None:
        self.roots = roots
        self.by_class: dict[str, list[Element]] = {}
        #: Lists of several objects that have names, with the object and the attribute that hold them.
        self.siblings: list[tuple[Element, str, list[Element]]] = []
        waiting = list(roots)
        by_class, append = self.by_class, waiting.append
        for element in waiting:
            kind = element["instanceType"]
            if kind in by_class:
                by_class[kind].append(element)
            else:
                by_class[kind] = [element]
            for key, value in element.items():
                if type(value) is dict:
                    append(value)
                elif type(value) is list and value and key != without and type(value[0]) is dict:
                    waiting += value
                    if len(value) > 1 and "name" in value[0]:
                        self.siblings.append((element, key, value))

    def of(self, *kinds: str) -> Iterator[Element]:
        """Yield the objects of some classes."""
        for kind in kinds:
            yield from self.by_class.get(kind, ())


class Scope(Group):
    """A study version with its designs, each of which is a group of its own, and the study's documents."""

    def __init__(self, version: Element, documents: list[Element]) -> None:
        super().__init__(version, without=_DESIGNS)
        self.version = version
        self.designs = [Group(design) for design in version.get(_DESIGNS) or ()]
        self.findings: list[Finding] = []
        self.ids: dict[str, Element] = {}
        self._everything: dict[str, list[Element]] = {kind: [*found] for kind, found in self.by_class.items()}
        for group in self.designs:
            for kind, elements in group.by_class.items():
                self._everything[kind] = self._everything.get(kind, []) + elements
        groups = [self, *self.designs, Group(*documents)]
        for group in groups:
            for elements in group.by_class.values():
                self._take_ids(elements)
        for group in groups:
            for kind, elements in group.by_class.items():
                self._check_references(kind, elements)

    def everything(self, *kinds: str) -> list[Element]:
        """Return the objects of some classes, in the version and in its designs."""
        return [element for kind in kinds for element in self._everything.get(kind, ())]

    def _take_ids(self, elements: list[Element]) -> None:
        ids = self.ids
        for element in elements:
            own = element["id"]
            if own in ids:
                kind = ids[own]["instanceType"]
                message = f"the id {own} is that of another object, too, a {kind}"
                self.findings.append(Finding("DDF00083", element, "id", message, "duplicate-id"))
            else:
                ids[own] = element
            if " " in own:
                message = f"the id {own!r} holds a space"
                self.findings.append(Finding("DDF00260", element, "id", message, severity="warning"))

    def _check_references(self, kind: str, elements: list[Element]) -> None:
        for key, kinds in facts().references.get(kind, ()):
            for element in elements:
                value = element.get(key)
                if value:
                    for target in value if type(value) is list else (value,):
                        self._check_reference(element, key, target, kinds)

    def _check_reference(self, element: Element, key: str, target: str, kinds: frozenset[str]) -> None:
        found = self.ids.get(target)
        if found is None:
            message = f"no object has the id {target}"
            self.findings.append(Finding("usdm-reference", element, key, message, "reference-unresolved"))
        elif found["instanceType"] not in kinds:
            message = f"{target} is a {found['instanceType']}; expected {' or '.join(sorted(kinds))}"
            self.findings.append(Finding("usdm-reference", element, key, message, "reference-type"))


def paths(document: Element, wanted: set[int]) -> dict[int, str]:
    """Return the paths of some objects of a document, all by their identity."""
    found: dict[int, str] = {}
    # Of each object: the place of the one around it in this list, and the step from there.
    waiting: list[tuple[Any, int, str, int]] = [(document["study"], -1, "study", -1)]
    for own, (element, _, _, _) in enumerate(waiting):
        if id(element) in wanted:
            found[id(element)] = _path(waiting, own)
            if len(found) == len(wanted):
                break
        for key, value in element.items():
            if type(value) is dict:
                waiting.append((value, own, key, -1))
            elif type(value) is list and value and type(value[0]) is dict:
                waiting += [(item, own, key, position) for position, item in enumerate(value)]
    return found


def _path(walked: list[tuple[Any, int, str, int]], place: int) -> str:
    steps = []
    while place >= 0:
        element, above, key, position = walked[place]
        step = f"{key}[{position}]" if position >= 0 else key
        steps.append(step if above < 0 else f"{step}({element['id']})")
        place = above
    return ".".join(reversed(steps))


def listed(element: Element, key: str) -> list[Any]:
    """Return a list of an object; an empty one where it is missing or null."""
    return element.get(key) or []


def code_of(element: Element, key: str) -> str | None:
    """Return the code of an attribute that is a Code or an AliasCode."""
    value = element.get(key)
    if not value:
        return None
    code: str = (value.get("standardCode") or value)["code"]
    return code
