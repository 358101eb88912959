"""The schema that recognises valid documents: it costs less, and what it accepts needs no other look.

It refuses some valid documents; those are judged by the schema proper and by the functions for the invariants.
"""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

# Control characters are looked for in the text of the document before.
_ANY_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_TEXTS: Final = ("markdown", "string", "xhtml")
# This one pattern the engine knows without a regular expression. It refuses more than URIs with ASCII spaces.
_NO_SPACES: Final[Schema] = {"type": "string", "minLength": 1, "pattern": r"^\S*$"}

#: What the invariants without a schema are about: elements that the quick schema does without.
_DONE_WITHOUT: Final = {"Provenance.agent": "onBehalfOf", "Range": "high", "RatioRange": "highNumerator"}


def quick_definitions(definitions: dict[str, Schema]) -> dict[str, Any]:
    """Return definitions that accept only what those given do, and no broken invariant but per-1, txt-1 and txt-2.

    Narratives stay only where a resource has its own, in `text`.
    """
    names = frozenset(definitions)
    made: dict[str, Any] = {name: _quick(name, one, names) for name, one in definitions.items()}
    made |= {name: _ANY_TEXT for name in _TEXTS if name in made}
    made |= {name: _NO_SPACES for name in ("uri", "url") if name in made}
    if "Count" in made:
        made["Count"] = False
    return made


def _quick(name: str, definition: Schema, names: frozenset[str]) -> Schema:
    if "properties" not in definition:
        return definition
    properties = dict(definition["properties"])
    without_null = set()
    is_resource = "resourceType" in properties
    for key, held in definition["properties"].items():
        elsewhere = _refers_to(held, "Narrative") and (key, is_resource) != ("text", True)
        if elsewhere or (is_resource and key == "contained"):
            properties[key] = False
        elif isinstance(held, dict) and _refers_to(held.get("items"), ".or-null"):
            items = held["items"]["$ref"].removesuffix(".or-null")
            # Lists of extensions of primitives have nulls where there is none.
            if items.removeprefix("#/$defs/") in names - {"Element"}:
                properties[key] = {**held, "items": {"$ref": items}}
                without_null.add(f"null:{key}")
    if name in _DONE_WITHOUT:
        properties[_DONE_WITHOUT[name]] = False
    made = {**definition, "properties": properties}
    rules = [rule for rule in made.get("allOf", ()) if rule.get("$comment") not in without_null]
    made.pop("allOf", None)
    made = {**made, "allOf": rules} if rules else made
    return _quick_extension(made) if name == "Extension" else made


def _quick_extension(definition: Schema) -> Schema:
    """Return the definition of extensions with its rule ext-1 put so that most need no look at their elements.

    Without an id, an extension of two elements has its url and one other: a value, or extensions.
    """
    properties = {**definition["properties"], "id": False}
    rules = definition["allOf"]
    return {
        **{key: value for key, value in definition.items() if key != "allOf"},
        "properties": properties,
        "minProperties": 2,
        "anyOf": [{"maxProperties": 2}, {"allOf": rules}],
    }


def _refers_to(schema: Any, ending: str) -> bool:
    return isinstance(schema, dict) and str(schema.get("$ref", "")).endswith(ending)
