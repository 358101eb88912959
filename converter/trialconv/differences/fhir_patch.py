"""FHIR Patch: a Bundle of requests that make the resources of one Bundle those of another on a server.

A changed resource has a PATCH with Parameters (http://hl7.org/fhir/fhirpatch.html), a new one a PUT, one that is
gone a DELETE. A change that Parameters cannot say, such as one of a narrative, makes a PUT of the whole resource.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from trialconv.differences.json_patch import Path, Step, apply_step, steps, value_at
from trialconv.formats import FhirVersion
from trialconv.issues import UsageError
from trialconv.validators.schema import definitions

_Tree = dict[str, Any]


class _Primitive(NamedTuple):
    """A primitive value with what JSON keeps beside it under `_name`: an id, extensions."""

    value: Any
    beside: _Tree | None


class _CannotSayError(Exception):
    """Parameters have no way to say this change."""


def fhir_patch(before: _Tree, after: _Tree, version: FhirVersion) -> _Tree:
    """Return the transaction that makes the resources of one Bundle those of another.

    Raises UsageError for a resource without an id, since a server could not tell which one is meant.
    """
    old, new = _resources(before), _resources(after)
    entries: list[_Tree] = []
    for name, resource in new.items():
        if name not in old:
            entries.append(_put(name, resource))
        elif resource != old[name]:
            try:
                parameters = {
                    "resourceType": "Parameters",
                    "parameter": list(_Operations(version, old[name]).to(resource)),
                }
            except _CannotSayError:
                entries.append(_put(name, resource))
            else:
                entries.append({"resource": parameters, "request": {"method": "PATCH", "url": name}})
    entries += [{"request": {"method": "DELETE", "url": name}} for name in old if name not in new]
    made: _Tree = {"resourceType": "Bundle", "type": "transaction"}
    return {**made, "entry": entries} if entries else made


def _resources(bundle: _Tree) -> dict[str, _Tree]:
    found = {}
    for entry in bundle.get("entry", []):
        resource = entry.get("resource")
        if resource is None:
            continue
        if not resource.get("id"):
            raise UsageError(
                f"a {resource['resourceType']} has no id, so that a server cannot be told which one to patch; "
                "use --patch json-patch, or Bundles whose resources have ids"
            )
        found[f"{resource['resourceType']}/{resource['id']}"] = resource
    return found


def _put(name: str, resource: _Tree) -> _Tree:
    return {"resource": resource, "request": {"method": "PUT", "url": name}}


class _Operations:
    """The operations on one resource. `_work` is the resource as it is after those so far."""

    def __init__(self, version: FhirVersion, before: _Tree) -> None:
        self._types = definitions(version)
        self._before = _model(before)
        self._work = copy.deepcopy(self._before)

    def to(self, after: _Tree) -> Iterator[_Tree]:
        """Yield the operations that make the resource another version of itself."""
        for step in steps(self._before, _model(after)):
            yield from self._of_step(step)
            apply_step(self._work, step)

    def _of_step(self, step: Step) -> Iterator[_Tree]:
        *above, last = step.path
        if step.op == "move":
            yield _operation("move", self._path(tuple(above)), source=step.source[-1], destination=last)
        elif step.op == "replace":
            yield _operation("replace", self._path(step.path), value=self._value(step.path, step.value))
        elif step.op == "remove":
            held = value_at(self._work, step.path)
            places: list[Path] = [step.path]
            if isinstance(held, list):
                places = [(*step.path, position) for position in reversed(range(len(held)))]
            yield from (_operation("delete", self._path(place)) for place in places)
        else:
            yield from self._added(tuple(above), last, step.value)

    def _added(self, above: Path, last: str | int, value: Any) -> Iterator[_Tree]:
        if isinstance(last, int):
            if last < len(value_at(self._work, above)):
                made = self._value((*above, last), value)
                yield _operation("insert", self._path(above), index=last, value=made)
                return
            *above_list, name = above
            above, last, value = tuple(above_list), str(name), [value]
        element = self._element(above, last)
        for item in value if isinstance(value, list) else [value]:
            made = self._parameter("value", element.type_name, item)
            yield _operation("add", self._path(above), name=element.name, value=made)

    def _value(self, path: Path, value: Any) -> _Tree:
        names = [part for part in path if isinstance(part, str)]
        above = path[: len(path) - 1 - (isinstance(path[-1], int))]
        return self._parameter("value", self._element(above, names[-1]).type_name, value)

    def _path(self, path: Path) -> str:
        """Return a path as the FHIRPath of one element, in which a choice has its name without the type."""
        text = str(self._before["resourceType"])
        for number, part in enumerate(path):
            text += f"[{part}]" if isinstance(part, int) else f".{self._element(path[:number], part).name}"
        return text

    def _element(self, above: Path, name: str) -> _Element:
        return _element(self._types[self._type_at(above)], name)

    def _type_at(self, path: Path) -> str:
        """Return the name of the type of the object at a path."""
        held: Any = self._work
        type_name = str(held["resourceType"])
        for part in path:
            held = held[part]
            if isinstance(part, str):
                type_name = _element(self._types[type_name], part).type_name
            if isinstance(held, dict) and "resourceType" in held:
                type_name = held["resourceType"]
        return type_name

    def _parameter(self, name: str, type_name: str, value: Any) -> _Tree:
        """Return a value as a parameter: as its type, or in parts where Parameters do not take the type."""
        if isinstance(value, dict) and "resourceType" in value:
            return {"name": name, "resource": _json(value)}
        key = f"value{type_name[0].upper()}{type_name[1:]}"
        if key in self._types["Parameters.parameter"]["properties"]:
            if not isinstance(value, _Primitive):
                return {"name": name, key: _json(value)}
            beside = {} if value.beside is None else {f"_{key}": value.beside}
            return {"name": name, **({} if value.value is None else {key: value.value}), **beside}
        if not isinstance(value, dict) or type_name not in self._types or type_name == "Narrative":
            raise _CannotSayError
        parts = []
        for field, held in value.items():
            element = _element(self._types[type_name], field)
            items = held if isinstance(held, list) else [held]
            parts += [self._parameter(element.name, element.type_name, item) for item in items]
        return {"name": name, "part": parts}


class _Element(NamedTuple):
    """An element of a type: its name in FHIRPath, and the name of its type."""

    name: str
    type_name: str


def _element(definition: _Tree, key: str) -> _Element:
    """Return the element with a key in JSON. A choice has several keys, one for each type."""
    keys: _Tree = definition.get("properties", {})
    if key not in keys:
        raise _CannotSayError
    type_name = _type_name(keys[key])
    base = _choice_base(key, keys)
    if base is not None and sum(_choice_base(other, keys) == base for other in keys) > 1:
        return _Element(base, type_name)
    return _Element(key, type_name)


def _choice_base(key: str, keys: _Tree) -> str | None:
    """Return a key without the type at its end; None when it has none there. A choice is never a list."""
    if keys[key].get("type") == "array":
        return None
    name = _type_name(keys[key])
    base = key.removesuffix(name[:1].upper() + name[1:])
    return base if base not in ("", key) else None


def _type_name(schema: _Tree) -> str:
    """Return the type of a property: `Reference` for `#/$defs/Reference(Group)`.

    The one without a type of its own is `Reference.reference`, a string in a form that depends on the element.
    """
    name = str(schema.get("items", schema).get("$ref", "string")).removeprefix("#/$defs/")
    return name.removesuffix(".or-null").partition("(")[0]


def _operation(kind: str, path: str, **values: Any) -> _Tree:
    parts: list[_Tree] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in values.items():
        if isinstance(value, dict):
            parts.append(value)
        else:
            parts.append({"name": name, "valueInteger" if isinstance(value, int) else "valueString": value})
    return {"name": "operation", "part": parts}


#: The elements of Extension and the like whose JSON is an attribute of XML: plain texts, never with a `_name`.
_PLAIN: Final = frozenset({"resourceType", "id"})


def _model(value: Any) -> Any:
    """Return a resource with each primitive and what stands beside it as one."""
    if isinstance(value, list):
        return [_model(item) for item in value]
    if not isinstance(value, dict):
        return value
    made: _Tree = {}
    for key, item in value.items():
        name = key.removeprefix("_")
        if name in made:
            continue
        plain, beside = value.get(name), value.get("_" + name)
        if isinstance(plain, dict) or (isinstance(plain, list) and any(isinstance(each, dict) for each in plain)):
            made[name] = _model(item)
        elif isinstance(plain, list) or isinstance(beside, list):
            made[name] = [_Primitive(*each) for each in zip_longest(plain or [], beside or [])]
        else:
            made[name] = plain if name in _PLAIN else _Primitive(plain, beside)
    return made


def _json(value: Any) -> Any:
    """Return a value of the model as JSON."""
    if isinstance(value, list):
        return [_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    made: _Tree = {}
    for key, item in value.items():
        held = item if isinstance(item, list) else [item]
        if not held or not isinstance(held[0], _Primitive):
            made[key] = _json(item)
            continue
        values, beside = [each.value for each in held], [each.beside for each in held]
        if any(each is not None for each in values):
            made[key] = values if isinstance(item, list) else values[0]
        if any(each is not None for each in beside):
            made["_" + key] = beside if isinstance(item, list) else beside[0]
    return made
