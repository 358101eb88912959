"""FHIRPath to JSON Schema: invariants that speak of what is there and of plain values.

FHIRPath has three answers: true, false and none (http://hl7.org/fhirpath/N1/#boolean-logic). `Compiler.true` makes
a schema of the objects for which an expression is true, `Compiler.untrue` one of all others, `Compiler.false` one
of those for which it is false.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, Protocol

from fhirpath_parser import THIS, Node

Schema = dict[str, Any]

_UCUM = "http://unitsofmeasure.org"
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}
_BOUND = {"<": "exclusiveMaximum", "<=": "maximum", ">": "exclusiveMinimum", ">=": "minimum"}


class NotCompilable(ValueError):  # noqa: N818 - it tells of an expression, not of a failure
    """An expression that no JSON Schema can state, or that this compiler does not know."""


class Child(NamedTuple):
    """An element of an object: its JSON names, whether it repeats, and where its own elements are told.

    `names` has the names of values, `siblings` those of their extensions. `place` is a path of a structure
    definition, or empty for a primitive.
    """

    names: tuple[str, ...]
    siblings: tuple[str, ...]
    listed: bool
    place: str


class Shapes(Protocol):
    """What the structure definitions say of the elements of an object."""

    def child(self, place: str, name: str) -> Child | None:
        """Return an element of a place by its name; None for one that is not there."""
        ...


class _Leaf(NamedTuple):
    """A demand on a value and its opposite."""

    yes: Schema
    no: Schema


class _Step(NamedTuple):
    child: Child
    first: bool


def _any(*schemas: Schema) -> Schema:
    """Return a schema that demands one of others; several constants of one element become an enumeration."""
    flat = [inner for schema in schemas for inner in (schema["anyOf"] if schema.keys() == {"anyOf"} else [schema])]
    made: list[Schema] = []
    for one in flat:
        name, values = _chosen(one)
        earlier = next((other for other in made if name and _chosen(other)[0] == name), None)
        if earlier is None:
            made.append(one)
        else:
            made[made.index(earlier)] = {
                "required": [name],
                "properties": {name: {"enum": [*_chosen(earlier)[1], *values]}},
            }
    return made[0] if len(made) == 1 else {"anyOf": made}


def _chosen(schema: Schema) -> tuple[str, list[Any]]:
    """Return the element and the values of a schema that demands one of some values of an element."""
    if schema.keys() == {"required", "properties"} and len(schema["required"]) == len(schema["properties"]) == 1:
        ((name, value),) = schema["properties"].items()
        values = value.get("enum") or ([value["const"]] if "const" in value else [])
        if schema["required"] == [name] and len(value) == 1 and values:
            return name, values
    return "", []


def _all(*schemas: Schema) -> Schema:
    """Return a schema that demands all of others; what they say of the same one element stands together."""
    flat = [inner for schema in schemas for inner in (schema["allOf"] if schema.keys() == {"allOf"} else [schema])]
    names = {tuple(one["properties"]) for one in flat if one.keys() == {"properties"}}
    if len(names) == 1 and all(one.keys() == {"properties"} and len(one["properties"]) == 1 for one in flat):
        ((name,),) = names
        return {"properties": {name: {"allOf": [one["properties"][name] for one in flat]}}}
    return {"allOf": flat}


def _not(schema: Schema) -> Schema:
    return {"not": schema}


class Compiler:
    """Compiles expressions about the objects at one place of the structure definitions."""

    def __init__(self, shapes: Shapes, place: str) -> None:
        self._shapes = shapes
        self._place = place

    def true(self, node: Node) -> Schema:
        """Return a schema of the objects for which the expression is true; raises NotCompilable."""
        if node.kind == "operator":
            left, right = node.parts
            if node.value == "and":
                return _all(self.true(left), self.true(right))
            if node.value == "or":
                return _any(self.true(left), self.true(right))
            if node.value == "implies":
                return {"if": self.true(left), "then": self.true(right)}
            if node.value == "xor":
                return self._xor(left, right)
            if node.value in ("=", "!=") and self._is_two_valued(left) and self._is_two_valued(right):
                made = self._xor(left, right)
                return _not(made) if node.value == "=" else made
        if node.kind == "call" and node.value == "not":
            return self.false(node.parts[0])
        return self._atom(node, present=True)

    def untrue(self, node: Node) -> Schema:
        """Return a schema of the objects for which the expression is false or has no answer."""
        if node.kind == "operator" and node.value == "and":
            return _any(self.untrue(node.parts[0]), self.untrue(node.parts[1]))
        if node.kind == "operator" and node.value == "or":
            return _all(self.untrue(node.parts[0]), self.untrue(node.parts[1]))
        return _negated(self.true(node))

    def false(self, node: Node) -> Schema:
        """Return a schema of the objects for which the expression is false."""
        if node.kind == "operator":
            left, right = node.parts
            if node.value == "and":
                return _any(self.false(left), self.false(right))
            if node.value == "or":
                return _all(self.false(left), self.false(right))
            if node.value == "implies":
                return _all(self.true(left), self.false(right))
        if self._is_two_valued(node):
            return _negated(self.true(node))
        if node.kind == "call" and node.value == "not":
            return self.true(node.parts[0])
        return self._atom(node, present=False)

    def _xor(self, left: Node, right: Node) -> Schema:
        if not (self._is_two_valued(left) and self._is_two_valued(right)):
            raise NotCompilable("xor of what may have no answer")
        return {"oneOf": [self.true(left), self.true(right)]}

    def _is_two_valued(self, node: Node) -> bool:
        if node.kind == "operator" and node.value in ("and", "or", "implies", "xor"):
            return all(self._is_two_valued(part) for part in node.parts)
        if node.kind == "call" and node.value == "not":
            return self._is_two_valued(node.parts[0])
        return node.kind == "call" and node.value in ("exists", "empty", "hasValue", "all")

    # atoms

    def _atom(self, node: Node, *, present: bool) -> Schema:
        if node.kind == "operator":
            return self._comparison(node, present)
        if node.kind == "call":
            return self._call(node, present)
        if node.kind == "member":
            return self._value(node, _constant(present))
        raise NotCompilable(f"{node.kind} {node.value}")

    def _call(self, node: Node, present: bool) -> Schema:
        base, *arguments = node.parts
        name = node.value
        if name in ("exists", "empty", "hasValue"):
            steps, leaf = self._filtered(base, arguments)
            if name == "hasValue":
                steps = [step._replace(child=step.child._replace(siblings=())) for step in steps]
            return _has(steps, leaf) if (name != "empty") is present else _lacks(steps, leaf)
        if name == "all" and present:
            steps, inner = self._steps(base), self._at(base)
            return _lacks(steps, _Leaf(inner.untrue(arguments[0]), inner.true(arguments[0])))
        if name in ("startsWith", "contains", "is", "matches"):
            leaf = _text_leaf(name, arguments[0])
            return self._value(base, leaf if present else _Leaf(leaf.no, leaf.yes), of_object=name == "is")
        raise NotCompilable(f"the function {name}")

    def _filtered(self, base: Node, arguments: list[Node]) -> tuple[list[_Step], _Leaf | None]:
        """Return the path of a collection, and what its `where` or the argument of `exists` demands."""
        criterion = arguments[0] if arguments else None
        if base.kind == "call" and base.value == "where":
            if criterion is not None:
                raise NotCompilable("two criteria")
            base, criterion = base.parts
        if criterion is None:
            return self._steps(base), None
        inner = self._at(base)
        return self._steps(base), _Leaf(inner.true(criterion), inner.untrue(criterion))

    def _comparison(self, node: Node, present: bool) -> Schema:
        left, right = node.parts
        operator = node.value if present else _OPPOSITE.get(node.value, node.value)
        if node.value == "in":
            leaf = _Leaf({"enum": _choices(right)}, _not({"enum": _choices(right)}))
            return self._value(left, leaf if present else _Leaf(leaf.no, leaf.yes))
        if node.value not in _OPPOSITE:
            raise NotCompilable(f"the operator {node.value}")
        wanted = _literal(right)
        if _counts(left):
            return self._counted(left, operator, wanted)
        if operator in ("=", "!="):
            leaf = _constant(wanted)
            return self._value(left, leaf if operator == "=" else _Leaf(leaf.no, leaf.yes))
        if not isinstance(wanted, int | float) or isinstance(wanted, bool):
            raise NotCompilable(f"{operator} of {wanted!r}")
        return self._value(left, _Leaf({_BOUND[operator]: wanted}, {_BOUND[_OPPOSITE[operator]]: wanted}))

    def _value(self, node: Node, leaf: _Leaf, *, of_object: bool = False) -> Schema:
        """Return a schema of the objects that have one value at a path, with what is demanded of it."""
        steps = self._steps(node)
        if any(step.child.listed and not step.first for step in steps):
            raise NotCompilable("a comparison of several values")
        if steps and steps[-1].child.place and not of_object:
            raise NotCompilable("a comparison of objects")
        return _has(steps, leaf)

    def _counted(self, node: Node, operator: str, bound: Any) -> Schema:
        """Return a schema of the objects with so many elements: of one name, or of several names together."""
        paths = [self._steps(one.parts[0]) for one in _counts(node)]
        if (operator, bound) == (">", 0):
            return _any(*(_has(path, None) for path in paths))
        if len(paths) == 1 and len(paths[0]) == 1 and paths[0][0].child.listed:
            return _listed_count(paths[0][0].child.names[0], operator, bound)
        if any(step.child.listed for path in paths for step in path):
            raise NotCompilable("a count of several lists")
        exactly = [_has(path, None) for path in paths]
        if (operator, bound) == ("=", 1):
            return {"oneOf": exactly}
        if (operator, bound) in (("<", 2), ("<=", 1)):
            return {"oneOf": [*exactly, _not(_any(*exactly))]}
        raise NotCompilable(f"a count {operator} {bound}")

    # paths

    def _at(self, base: Node) -> Compiler:
        steps = self._steps(base)
        return Compiler(self._shapes, steps[-1].child.place if steps else self._place)

    def _steps(self, node: Node) -> list[_Step]:
        if node == THIS:
            return []
        base = node.parts[0] if node.parts else THIS
        if node.kind == "call" and node.value == "first" and len(node.parts) == 1:
            *before, last = self._steps(base)
            return [*before, last._replace(first=True)]
        if node.kind != "member":
            raise NotCompilable(f"a path with {node.kind} {node.value}")
        before = self._steps(base)
        if not before and node.value == self._place:
            return []
        child = self._shapes.child(before[-1].child.place if before else self._place, node.value)
        if child is None:
            raise NotCompilable(f"no element {node.value}")
        return [*before, _Step(child, first=False)]


def _negated(schema: Schema) -> Schema:
    return schema["not"] if schema.keys() == {"not"} else _not(schema)


def _constant(value: Any) -> _Leaf:
    return _Leaf({"const": value}, _not({"const": value}))


def _text_leaf(function: str, argument: Node) -> _Leaf:
    if function == "is":
        if argument.kind != "member" or argument.parts != (THIS,):
            raise NotCompilable("a type that is no name")
        leaf = {"properties": {"resourceType": {"const": argument.value}}}
    elif function == "matches":
        leaf = {"pattern": _literal(argument)}
        if re.search(r"\\|\(\?|^(?!\^)|(?<!\$)$", leaf["pattern"]):
            raise NotCompilable("a pattern that engines may read in different ways")
    else:
        pattern = re.sub(r"([\\.*+?()\[\]{}|^$])", r"\\\1", str(_literal(argument)))
        leaf = {"pattern": f"^{pattern}" if function == "startsWith" else pattern}
    return _Leaf(leaf, _not(leaf))


def _literal(node: Node) -> Any:
    if node.kind == "literal":
        return node.value
    if node == Node("constant", "%ucum"):
        return _UCUM
    raise NotCompilable(f"a comparison with {node.kind} {node.value}")


def _choices(node: Node) -> list[Any]:
    if node.kind == "operator" and node.value == "|":
        return [*_choices(node.parts[0]), *_choices(node.parts[1])]
    return [_literal(node)]


def _counts(node: Node) -> list[Node]:
    """Return the counts that an expression adds up; none if it is no sum of counts."""
    if node.kind == "operator" and node.value == "+":
        parts = [_counts(part) for part in node.parts]
        return [*parts[0], *parts[1]] if all(parts) else []
    return [node] if node.kind == "call" and node.value == "count" else []


def _listed_count(name: str, operator: str, bound: int) -> Schema:
    least = {"=": bound, ">=": bound, ">": bound + 1}.get(operator)
    most = {"=": bound, "<=": bound, "<": bound - 1}.get(operator)
    if operator == "!=":
        raise NotCompilable("a count that is not")
    limits = {key: value for key, value in (("minItems", least), ("maxItems", most)) if value is not None}
    made: Schema = {"properties": {name: limits}}
    return {"required": [name], **made} if least else made


def _has(steps: list[_Step], leaf: _Leaf | None) -> Schema:
    """Return a schema of the objects with at least one such element."""
    if not steps:
        if leaf is None:
            raise NotCompilable("the existence of the object itself")
        return leaf.yes
    step, *rest = steps
    child = step.child
    if not rest and leaf is None:
        names = [*child.names, *child.siblings]
        return _any(*({"required": [name]} for name in names)) if len(names) > 1 else {"required": names}
    inner = _has(rest, leaf)
    return _each(child.names, step, inner, "contains", needed=True)


def _lacks(steps: list[_Step], leaf: _Leaf | None) -> Schema:
    """Return a schema of the objects with no such element."""
    if not steps:
        if leaf is None:
            raise NotCompilable("the absence of the object itself")
        return leaf.no
    step, *rest = steps
    if not rest and leaf is None:
        return _negated(_has(steps, None))
    return _each(step.child.names, step, _lacks(rest, leaf), "items", needed=False)


def _each(names: tuple[str, ...], step: _Step, inner: Schema, keyword: str, *, needed: bool) -> Schema:
    if step.first:
        inner = {"prefixItems": [inner]}
    elif step.child.listed:
        inner = {keyword: inner}
    if not needed:
        return {"properties": dict.fromkeys(names, inner)}
    made = [{"required": [name], "properties": {name: inner}} for name in names]
    return made[0] if len(made) == 1 else _any(*made)
