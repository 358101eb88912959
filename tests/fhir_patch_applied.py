"""FHIR Patch applied to the resources of a bundle, as http://hl7.org/fhir/fhirpatch.html says.

Written for the tests from the specification alone. It works as FHIR's own model does, in which every element is a
list of values and JSON's `_name` is a part of the value, so that it needs to know no cardinality.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

Tree = dict[str, Any]

#: The choices in bundles of studies. Other types have plain elements of some of these names.
_CHOICES = frozenset({"definition", "definitionBy", "product", "subject", "value"})
_STEP = re.compile(r"(\w+)(?:\[(\d+)\])?")


def resources(bundle: Tree) -> dict[str, Any]:
    """Return the resources of a bundle by type and id, each as its elements."""
    found = [entry["resource"] for entry in bundle.get("entry", [])]
    return {f"{each['resourceType']}/{each['id']}": elements(each) for each in found}


def applied(bundle: Tree, transaction: Tree) -> dict[str, Any]:
    """Return the resources of a bundle after the requests of a transaction."""
    made = resources(bundle)
    for entry in transaction.get("entry", []):
        method, url = entry["request"]["method"], entry["request"]["url"]
        if method == "DELETE":
            del made[url]
        elif method == "PUT":
            made[url] = elements(entry["resource"])
        else:
            assert method == "PATCH"
            for parameter in entry["resource"]["parameter"]:
                assert parameter["name"] == "operation"
                _operate(made[url], {part["name"]: part for part in parameter["part"]})
    return made


def elements(value: Any) -> Any:
    """Return an object as its elements: a list of values for each name, a primitive with what stands beside it."""
    if not isinstance(value, dict):
        return ("primitive", value, None)
    made: Tree = {}
    for key in dict.fromkeys(name.removeprefix("_") for name in value):
        if key == "resourceType":
            made[key] = value[key]
            continue
        plain, beside = (
            each if isinstance(each, list) else [each] for each in (value.get(key, []), value.get(f"_{key}", []))
        )
        made[key] = [
            elements(one) if isinstance(one, dict) else ("primitive", one, other)
            for one, other in zip_longest(plain, beside)
        ]
    return made


def _is_choice(holder: Tree, name: str) -> bool:
    """Tell whether an element is a choice. `value` is one of extensions and characteristics, not of quantities."""
    if name == "value" and not {"url", "code"} & holder.keys():
        return False
    return name in _CHOICES and name not in holder and not {"unit", "system"} & holder.keys()


def _operate(resource: Any, parts: Tree) -> None:
    kind = parts["type"]["valueCode"]
    root, *steps = parts["path"]["valueString"].split(".")
    assert root == resource["resourceType"]
    if kind == "add":
        holder = _walk(resource, steps)
        _append(holder, parts["name"]["valueString"], parts["value"])
        return
    holder = _walk(resource, steps[:-1])
    match = _STEP.fullmatch(steps[-1])
    assert match
    key = _key(holder, match[1])
    values = holder[key]
    if kind == "insert":
        position = parts["index"]["valueInteger"]
        assert match[2] is None
        assert 0 <= position <= len(values)
        values.insert(position, _value(parts["value"])[0])
    elif kind == "move":
        taken = values.pop(parts["source"]["valueInteger"])
        values.insert(parts["destination"]["valueInteger"], taken)
    else:
        position = int(match[2] or 0)
        assert match[2] is not None or len(values) == 1, "the path must be of a single element"
        if kind == "replace":
            values[position] = _value(parts["value"])[0]
            assert key in (match[1], match[1] + _value(parts["value"])[1])
        else:
            assert kind == "delete"
            del values[position]
            if not values:
                del holder[key]


def _walk(resource: Any, steps: list[str]) -> Any:
    for step in steps:
        match = _STEP.fullmatch(step)
        assert match
        values = resource[_key(resource, match[1])]
        assert match[2] is not None or len(values) == 1, "the path must be of a single element"
        resource = values[int(match[2] or 0)]
    return resource


def _key(holder: Tree, name: str) -> str:
    """Return the key of an element in JSON; a choice has its type behind its name."""
    if name in holder:
        return name
    (key,) = (key for key in holder if re.match(rf"{name}[A-Z]", key))
    return key


def _append(holder: Tree, name: str, parameter: Tree) -> None:
    value, type_name = _value(parameter)
    key = name + type_name if _is_choice(holder, name) and type_name else name
    holder.setdefault(key, []).append(value)


def _value(parameter: Tree) -> tuple[Any, str]:
    """Return the value of a parameter as its elements, and the name of its type where it is one of `value[x]`."""
    if "part" in parameter:
        made: Tree = {}
        for part in parameter["part"]:
            _append(made, part["name"], part)
        return made, ""
    if "resource" in parameter:
        return elements(parameter["resource"]), ""
    (key,) = {name.removeprefix("_") for name in parameter if name != "name"}
    (value,) = elements({key: parameter[key]} if f"_{key}" not in parameter else parameter)[key]
    return value, key.removeprefix("value")
