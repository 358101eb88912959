"""The invariants of the structure definitions: which there are, and those that the schemas can state.

An invariant is a `constraint` of an element whose severity is `error`. It holds for the type that states it and
for all that are derived from that (https://hl7.org/fhir/R5/conformance-rules.html#constraints).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from fhir_primitives import is_primitive
from fhir_rules import HAND_MADE, add_rules
from fhirpath_parser import NotParsed, parse
from fhirpath_schema import Child, Compiler, NotCompilable

Schema = dict[str, Any]
Element = dict[str, Any]

#: What the schemas say in other ways: an element without value and children, an extension, a simple quantity.
_SAID_OTHERWISE = {
    "ele-1": "no empty objects, lists and texts",
    "ext-1": "the rule ext-1 of Extension",
    "sqty-1": "SimpleQuantity has no comparator",
}

#: What the validator has functions for, with the module.
_IN_CODE = {
    "bdl-7": "reference_walk",
    "cnt-3": "invariants",
    "dom-3": "contained",
    "per-1": "invariants",
    "prov-1": "provenance",
    "prov-2": "provenance",
    "prov-3": "provenance",
    "ratrng-2": "invariants",
    "ref-1": "reference_walk",
    "rng-2": "invariants",
    "txt-1": "narrative",
    "txt-2": "narrative",
}
#: The key of a rule that R5 calls ratrng-2, by its element: R4B has another inv-2.
_IN_CODE_BY_PLACE = {("inv-2", "RatioRange"): "invariants"}

_OFFSET = "offset.empty() or (when.exists() and when.where($this in ('C' | 'CM' | 'CD' | 'CV')).empty())"

#: Expressions that do not say what the rule's own words say, and what is checked instead.
MENDED: dict[tuple[str, str], tuple[str, str]] = {
    ("R4", "bdl-8"): (
        "fullUrl.exists() implies fullUrl.contains('/_history/').not()",
        "without a fullUrl the expression has no answer; R4B and R5 mended it so",
    ),
    ("R4", "tim-9"): (_OFFSET, "`in` takes one value, and there may be several; R5 mended it so"),
    ("R4B", "tim-9"): (_OFFSET, "`in` takes one value, and there may be several; R5 mended it so"),
    ("R5", "tim-9"): (_OFFSET, "the same in other words"),
    ("R5", "bdl-14"): (
        "type = 'history' implies entry.request.where(method = 'PATCH').empty()",
        "the expression compares all methods at once with one",
    ),
    ("R5", "bdl-16"): (
        "issues.exists() implies issues.issue.where(severity != 'information' and severity != 'warning').empty()",
        "the expression compares all severities at once with one",
    ),
    ("R5", "exp-2"): (
        "name.hasValue() implies name.matches('^[A-Za-z][A-Za-z0-9_]{0,63}$')",
        "the whole name has to be the name of a variable",
    ),
}


class Stated(NamedTuple):
    """An invariant at one element: the type that states it, the element's path, and the constraint."""

    type_name: str
    path: str
    constraint: Element


class StructureShapes:
    """The elements of all places in the structure definitions of a FHIR version."""

    def __init__(self, structures: dict[str, Element]) -> None:
        self._children: dict[str, dict[str, Element]] = {}
        for name, structure in structures.items():
            if structure.get("derivation") == "constraint":
                continue
            for element in structure["snapshot"]["element"]:
                parent, _, own = element["path"].rpartition(".")
                if parent:
                    self._children.setdefault(parent, {})[own.removesuffix("[x]")] = element
                else:
                    self._children.setdefault(name, {})

    def child(self, place: str, name: str) -> Child | None:
        """Return an element of a place by its name; None for one that is not there."""
        places = (place, "DomainResource") if place == "Resource" else (place,)
        element = next((found for one in places if (found := self._children.get(one, {}).get(name))), None)
        if element is None:
            return None
        types = [one["code"] for one in element.get("type", ())]
        listed = element["max"] not in ("0", "1")
        if "contentReference" in element:
            return Child((name,), (), listed, element["contentReference"].rpartition("#")[2])
        if element["path"].endswith("[x]"):
            names = tuple(name + code[0].upper() + code[1:] for code in types)
            siblings = tuple("_" + one for one, code in zip(names, types, strict=True) if is_primitive(code))
            return Child(names, siblings, listed, "*")
        if element["path"] in self._children:
            return Child((name,), (), listed, element["path"])
        plain = types[0].startswith("http://hl7.org/fhirpath/")
        if is_primitive(types[0]) or plain:
            has_sibling = not plain and types[0] != "xhtml"
            return Child((name,), ("_" + name,) if has_sibling else (), listed, "")
        profiles = [profile.rpartition("/")[2] for profile in element["type"][0].get("profile", ())]
        return Child((name,), (), listed, profiles[0] if types == ["Resource"] and profiles else types[0])


def stated(structures: dict[str, Element]) -> Iterator[Stated]:
    """Yield every invariant with every place that states it, inherited ones at the type that states them first."""
    for name, structure in sorted(structures.items()):
        if structure.get("derivation") == "constraint" and name != "SimpleQuantity":
            continue
        for element in structure["snapshot"]["element"]:
            for constraint in element.get("constraint", ()):
                if constraint["severity"] == "error" and _is_own(constraint, element, structure, structures):
                    yield Stated(name, element["path"], constraint)


def _is_own(constraint: Element, element: Element, structure: Element, structures: dict[str, Element]) -> bool:
    """Say whether an element states a constraint itself: not its type, and not what the structure derives from."""
    above = []
    if element["path"] == structure["type"]:
        above = _ancestors(structure, structures)
    else:
        codes = [one["code"] for one in element.get("type", ())]
        above = [structures[code] for code in codes if code in structures]
        above += [more for one in above for more in _ancestors(one, structures)]
    return all(
        constraint["key"] != other["key"] or constraint.get("expression") != other.get("expression")
        for one in above
        for other in one["snapshot"]["element"][0].get("constraint", ())
    )


def _ancestors(structure: Element, structures: dict[str, Element]) -> list[Element]:
    found = []
    while (name := structure.get("baseDefinition", "").rpartition("/")[2]) in structures:
        structure = structures[name]
        found.append(structure)
    return found


def heirs(name: str, structures: dict[str, Element], among: Container[str]) -> list[str]:
    """Return those types of some that are a type or derive from it."""
    return sorted(
        one
        for one, structure in structures.items()
        if one in among
        and structure.get("derivation") != "constraint"
        and (one == name or structures[name] in _ancestors(structure, structures))
    )


def add_invariants(
    definitions: dict[str, Schema], structures: dict[str, Element], release: str
) -> list[dict[str, Any]]:
    """Add to the definitions all invariants that a schema can state.

    Returns all invariants of the version, each with who enforces it: `schema`, `code`, or `none` with a reason.
    """
    shapes = StructureShapes(structures)
    listed = {}
    for one in stated(structures):
        key, expression = one.constraint["key"], one.constraint.get("expression", "")
        by, note = _enforce(one, definitions, structures, shapes, release)
        # One rule is often stated in many places, in the same words.
        entry = listed.setdefault(
            (key, expression, by, note),
            {"key": key, "expression": expression, "human": one.constraint["human"], "on": [], "by": by},
        )
        entry["on"].append(one.path)
        if note:
            entry["note"] = note
    return [listed[place] for place in sorted(listed)]


def _enforce(
    one: Stated,
    definitions: dict[str, Schema],
    structures: dict[str, Element],
    shapes: StructureShapes,
    release: str,
) -> tuple[str, str]:
    key = one.constraint["key"]
    module = _IN_CODE.get(key) or _IN_CODE_BY_PLACE.get((key, one.path))
    if key in _SAID_OTHERWISE:
        return "schema", _SAID_OTHERWISE[key]
    if module:
        return "code", module
    if (release, key) in HAND_MADE:
        add_rules(definitions, one.path, HAND_MADE[release, key])
        return "schema", "written by hand"
    expression, note = MENDED.get((release, key), (one.constraint.get("expression", ""), ""))
    try:
        tree = parse(expression)
        owners = heirs(one.path, structures, definitions) if one.path in structures else [one.path]
        for owner in owners:
            _add(definitions, owner, key, tree, shapes)
    except (NotCompilable, NotParsed) as reason:
        return "none", f"not in the schema: {reason}"
    return ("schema", note) if owners else ("none", "no resource or data type has it")


def _add(
    definitions: dict[str, Schema],
    path: str,
    key: str,
    tree: Any,
    shapes: StructureShapes,
) -> None:
    """Add a rule to the definition at a path, or to the definition that has the path's element."""
    if path in definitions:
        add_rules(definitions, path, [{"$comment": key, **Compiler(shapes, path).true(tree)}])
        return
    parent, _, name = path.rpartition(".")
    child = shapes.child(parent, name.removesuffix("[x]"))
    if child is None or parent not in definitions or len(child.names) > 1:
        raise NotCompilable(f"no definition of {path}")
    rule = Compiler(shapes, child.place).true(tree)
    held = {"items": rule} if child.listed else rule
    add_rules(definitions, parent, [{"$comment": key, "properties": {name: held}}])
