"""Errors of a JSON Schema in words for people: what is wrong, what was found, what is expected.

The names of the generated definitions and the `$comment`s in them say which rule of FHIR a keyword stands for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

import jsonschema_rs
import orjson

from trialconv.issues import Issue, issue
from trialconv.validators.invariant_messages import PLAIN

Schema = dict[str, Any]

_SHOWN: Final = 80
_CODES_SHOWN: Final = 20


class _Definitions(Protocol):
    def __getitem__(self, name: str) -> Schema: ...

    def demand(self, key: str, place: str) -> str: ...


#: What a value of a primitive type looks like.
_FORMATS: Final[dict[str, str]] = {
    "base64Binary": "base64 text",
    "canonical": "a URL without spaces, not ending in |",
    "code": "text without outer spaces and with single inner spaces only",
    "date": "a day of the calendar as yyyy, yyyy-MM or yyyy-MM-dd",
    "dateTime": "yyyy, yyyy-MM, yyyy-MM-dd or yyyy-MM-ddThh:mm:ss with a time zone, in the calendar",
    "id": "1 to 64 of A-Z, a-z, 0-9, - and .",
    "instant": "yyyy-MM-ddThh:mm:ss with a time zone, in the calendar",
    "integer": "a whole number of 32 bits",
    "integer64": "text of a whole number of 64 bits",
    "markdown": "text that is not empty and has no control characters",
    "oid": "urn:oid: and an OID",
    "positiveInt": "a whole number from 1 to 2147483647",
    "string": "text that is not empty and has no control characters",
    "time": "hh:mm:ss",
    "unsignedInt": "a whole number from 0 to 2147483647",
    "uri": "a URI without spaces, not empty",
    "url": "a URL without spaces, not empty",
    "uuid": "urn:uuid: and a UUID",
    "xhtml": "text that is not empty and has no control characters",
}

#: How the types of JSON Schema are called in messages.
TYPE_NAMES: Final[dict[str, str]] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "text",
}

_REFERENCE_SHAPE = re.compile(r"[A-Z][A-Za-z]+(?:/[A-Za-z0-9.\-]+(?:/_history/[A-Za-z0-9.\-]+)?(?:#\S*)?|\?\S+)")


def shortened(value: object) -> str:
    """Return a value as JSON would show it, never longer than 80 characters."""
    if isinstance(value, Mapping):
        return f"an object of {len(value)} elements"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        text = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        return text.encode("utf-8", "replace").decode()
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**_SHOWN:
        return f"a number of more than {_SHOWN} digits"
    return str(value) if isinstance(value, int | float) else f"a {type(value).__name__}"


def _quoted(value: object) -> str:
    """Return a value shortened, and text in quotation marks with its control characters written out."""
    if not isinstance(value, str):
        return shortened(value)
    return orjson.dumps(shortened(value[:_SHOWN])).decode()[:_SHOWN]


def explain(
    errors: Iterable[jsonschema_rs.ValidationError], definitions: _Definitions, path: str
) -> Iterator[Issue]:
    """Yield the Issues that the errors of one resource amount to, one for each defect.

    `path` is the path of the resource. The instance of the errors is an object that holds, under the type's name,
    a list of that one resource.
    """
    seen = set()
    for error in errors:
        for found in _issues(error, definitions, path):
            if found not in seen:
                seen.add(found)
                yield found


def _issues(error: jsonschema_rs.ValidationError, definitions: _Definitions, root: str) -> Iterator[Issue]:
    _, name, *steps = error.schema_path
    definition, path = str(name), root + _steps(error.instance_path[2:])
    rule = _rule(definitions[definition], steps)
    if _is_told_elsewhere(error, definition, rule):
        return
    if rule:
        yield _of_rule(rule, error, path, definition, definitions)
    elif error.kind.name == "additionalProperties":
        yield from _unknown_elements(error, path)
    elif error.kind.name == "required":
        yield _missing(error, path)
    else:
        yield _of_value(error, definition.removesuffix(".or-null"), path)


def _is_told_elsewhere(error: jsonschema_rs.ValidationError, definition: str, rule: str) -> bool:
    """Say whether another error, or the validator of a resource inside, tells of the same defect."""
    instance, keyword = error.instance, error.kind.name
    if definition == "ResourceList":
        return isinstance(instance, dict) or error.instance_path[-1] == "resourceType"
    if instance == {}:
        return bool(rule) or keyword != "minProperties"
    if rule and not isinstance(instance, dict) and keyword in ("anyOf", "oneOf", "not"):
        # Rules about elements, or about text: what is none of these has a wrong type, and that is told.
        return keyword != "not" or not isinstance(instance, str)
    return rule == "ext-1" and keyword == "minProperties" and isinstance(instance, dict) and "url" not in instance


def _steps(steps: list[str | int]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{shortened(step)}" for step in steps)


def _rule(schema: Any, steps: list[str | int]) -> str:
    """Return the innermost `$comment` on the way through a schema."""
    rule = ""
    for step in steps:
        if isinstance(schema, dict):
            rule = schema.get("$comment", rule)
            schema = schema.get(str(step))
        elif isinstance(schema, list) and isinstance(step, int):
            schema = schema[step]
    return rule


def _schema(message: str, path: str, rule: str) -> Issue:
    return issue("schema", message, target_path=path, rule=rule)


def _of_rule(
    rule: str, error: jsonschema_rs.ValidationError, path: str, name: str, definitions: _Definitions
) -> Issue:
    kind, _, element = rule.partition(":")
    if kind == "required":
        return _schema("the element is missing; it is required", f"{path}.{element}", "cardinality")
    if kind == "choice":
        return _of_choice(element, error.instance, path, definitions[name])
    if kind == "null":
        expected = f"null may stand in the list only where _{element} says something"
        return _schema(f"null without an extension; {expected}", f"{path}.{element}", "null")
    if kind == "required-binding":
        return _unbound(error, element, path, rule)
    if rule == "ext-1" and isinstance(error.instance, dict):
        there = [shortened(key) for key in error.instance if key not in ("id", "url")]
        return _invariant(f"{' and '.join(there[:3]) or 'no content'}; {PLAIN[rule]}", path, rule)
    return _invariant(PLAIN.get(rule) or PLAIN.get(f"{rule} {name}") or definitions.demand(rule, name), path, rule)


def _invariant(message: str, path: str, key: str) -> Issue:
    return issue("invariant", message, target_path=path, rule=key)


def _of_choice(element: str, instance: Any, path: str, definition: Schema) -> Issue:
    stem = element.removesuffix("[x]")
    names = [name for name in definition["properties"] if re.fullmatch(f"{stem}[A-Z].*", name)]
    there = [name for name in names if name in instance or "_" + name in instance]
    if there:
        return _schema(f"{' and '.join(there)} are there; only one of them may be", f"{path}.{element}", "choice")
    expected = f"one of {', '.join(names)}" if len(names) <= _CODES_SHOWN else f"one of {len(names)} types"
    return _schema(f"the element is missing; expected {expected}", f"{path}.{element}", "cardinality")


def _unbound(error: jsonschema_rs.ValidationError, value_set: str, path: str, rule: str) -> Issue:
    found = error.instance
    codings: Any = found
    if isinstance(found, dict):  # a CodeableConcept without a coding, or a Coding
        codings = found.get("coding", [found])
    codes = [_quoted(one.get("code")) for one in codings if isinstance(one, dict) and "code" in one]
    shown = f"the codes {', '.join(codes[:3])}" if codes else "no code"
    message = f"{shown}; expected a coding from the value set {value_set}"
    return issue("binding", message, target_path=path.removesuffix(".coding"), rule=rule)


def _unknown_elements(error: jsonschema_rs.ValidationError, path: str) -> Iterator[Issue]:
    unexpected: list[str] = error.kind.as_dict()["unexpected"]
    for name in unexpected[:_CODES_SHOWN]:
        message = "the element is not one that may stand here"
        yield _schema(message, f"{path}.{shortened(name)}", "unknown-element")


def _missing(error: jsonschema_rs.ValidationError, path: str) -> Issue:
    name = error.kind.as_dict()["property"]
    return _schema("the element is missing; it is required", f"{path}.{name}", "cardinality")


def _of_value(error: jsonschema_rs.ValidationError, definition: str, path: str) -> Issue:
    keyword, details = error.kind.name, error.kind.as_dict()
    found: Any = error.instance
    if keyword == "enum" and definition.startswith("code("):
        return _not_in_set(found, details["options"], definition[5:-1], path)
    if definition.startswith("Reference") and keyword in ("pattern", "enum"):
        return _bad_reference(found, definition, path)
    if keyword == "type":
        expected = " or ".join(TYPE_NAMES[name] for name in details["types"] if name != "null")
        return _schema(f"{_kind(found)}; expected {expected}", path, "type")
    if definition in _FORMATS:
        ending = "range" if keyword in ("minimum", "maximum") else "format"
        message = f"{_quoted(found)} is no {definition}; expected {_FORMATS[definition]}"
        return _schema(message, path, f"{definition}-{ending}")
    if keyword == "minItems":
        return _schema("an empty list; expected at least one item, or no list", path, "empty")
    if keyword == "minProperties":
        return _schema("an empty object; expected at least one element, or no object", path, "empty")
    if keyword == "maxItems":
        return _schema(f"{len(found)} items; expected at most {details['limit']}", path, "cardinality")
    if keyword == "falseSchema" and definition == "SimpleQuantity":
        return _invariant(PLAIN["sqty-1"], path, "sqty-1")
    return _schema(f"{_quoted(found)} breaks the rule {keyword} of {definition}", path, keyword)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return f"the text {_quoted(value)}"
    if isinstance(value, dict):
        return "an object"
    return shortened(value)


def _not_in_set(found: Any, codes: list[str], value_set: str, path: str) -> Issue:
    allowed = [code for code in codes if code is not None]
    listed = f": {', '.join(allowed)}" if len(allowed) <= _CODES_SHOWN else f" ({len(allowed)} codes)"
    message = f"{_quoted(found)}; expected a code of the value set {value_set}{listed}"
    return issue("binding", message, target_path=path, rule=f"required-binding:{value_set}")


def _bad_reference(found: Any, definition: str, path: str) -> Issue:
    targets = definition.partition("(")[2].rstrip(")").replace(",", ", ")
    if path.endswith(".type") or (isinstance(found, str) and _REFERENCE_SHAPE.fullmatch(found)):
        message = f"{_quoted(found)} is no reference to an allowed type; expected {targets}"
        return issue("reference-type", message, target_path=path, rule="reference-target")
    expected = "Type/id, an absolute URL, urn:uuid: or #id"
    return _schema(f"{_quoted(found)} is no reference; expected {expected}", path, "reference-format")
