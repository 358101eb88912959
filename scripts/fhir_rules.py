"""Rules of FHIR that a JSON Schema can state but no single keyword of it does.

Each is an `allOf` member that carries its name in `$comment`: `choice:value[x]`, `required:status`, `null:given`,
or the key of an invariant.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]
#: The JSON names under which a value may stand: the name and, for a primitive, its `_` sibling.
Variant = tuple[str, ...]


def _present(variant: Variant) -> Schema:
    if len(variant) == 1:
        return {"required": [variant[0]]}
    return {"anyOf": [{"required": [name]} for name in variant]}


def required_rule(name: str) -> Schema:
    """Demand a primitive, be it only as an extension that says why it is not there."""
    return {"$comment": f"required:{name}", **_present((name, "_" + name))}


def choice_rule(element: str, variants: list[Variant], *, needed: bool) -> Schema:
    """Allow at most one of the types of a choice, and demand one if it is needed."""
    rule = f"choice:{element}"
    one_of = [_present(variant) for variant in variants]
    if needed:
        return {"$comment": rule, "oneOf": one_of}
    if len(variants) == 2 and all(len(variant) == 1 for variant in variants):
        return {"$comment": rule, "not": {"required": [variants[0][0], variants[1][0]]}}
    names = [name for variant in variants for name in variant]
    absent = {"not": {"anyOf": [{"required": [name]} for name in names]}}
    return {"$comment": rule, "oneOf": [absent, *one_of]}


def null_rule(name: str) -> Schema:
    """Allow null in a list of primitives only where its `_` sibling may speak instead."""
    anything_else = ["array", "boolean", "number", "object", "string"]
    return {
        "$comment": f"null:{name}",
        "anyOf": [
            {"properties": {name: {"items": {"type": anything_else}}}},
            {"required": ["_" + name]},
        ],
    }


def _ext_1(variants: list[Variant]) -> Schema:
    """Demand that an extension has a value of one type or extensions, and not both.

    With its url and one thing more it cannot be wrong; only then the 50 types of a value are counted.
    """
    return {
        "$comment": "ext-1",
        "if": {"maxProperties": 2, "not": {"required": ["id"]}},
        "then": {"minProperties": 2},
        "else": {"oneOf": [{"required": ["extension"]}, *(_present(variant) for variant in variants)]},
    }


SPECIAL_RULES: dict[str, Callable[[list[Variant]], Schema]] = {"ext-1": _ext_1}


def _of_types(types: list[str]) -> Schema:
    return {"properties": {"type": {"enum": types}}, "required": ["type"]}


def _all_entries(entry: Schema) -> Schema:
    return {"properties": {"entry": {"items": entry}}}


def _without(*names: str) -> Schema:
    return {"properties": dict.fromkeys(names, False)}


def _only_in(types: list[str], name: str, key: str) -> list[Schema]:
    """Demand, for R4 and R4B, an element in every entry of a bundle of some types, and forbid it in the others."""
    return [
        {
            "$comment": key,
            "if": _of_types(types),
            "then": _all_entries({"required": [name]}),
            "else": _all_entries(_without(name)),
        }
    ]


_CHANGES: Schema = {"properties": {"request": {"properties": {"method": {"enum": ["PATCH", "POST", "PUT"]}}}}}
#: In R5 a POST, PUT or PATCH comes with a resource, and only these do.
_RESOURCE_FITS: Schema = {"if": _CHANGES, "then": {"required": ["resource"]}, "else": _without("resource")}


def _if_of(types: list[str], key: str, entry: Schema) -> list[Schema]:
    return [{"$comment": key, "if": _of_types(types), "then": _all_entries(entry)}]


def _unless_of(types: list[str], key: str, entry: Schema) -> list[Schema]:
    return [{"$comment": key, "if": _of_types(types), "else": _all_entries(entry)}]


_POSTED: Schema = {
    "required": ["request"],
    "properties": {"request": {"required": ["method"], "properties": {"method": {"const": "POST"}}}},
}
_WITH_REQUEST = ["batch", "history", "transaction"]
_WITH_RESPONSE = ["batch-response", "history", "transaction-response"]
_WITH_RESOURCE = ["collection", "document", "message", "searchset"]

#: Invariants written by hand, by version and key: compiled, they would not tell which entry of a bundle is wrong.
HAND_MADE: dict[tuple[str, str], list[Schema]] = {
    **{
        (release, "bdl-2"): _unless_of(["searchset"], "bdl-2", _without("search"))
        for release in ("R4", "R4B", "R5")
    },
    **{(release, "bdl-3"): _only_in(_WITH_REQUEST, "request", "bdl-3") for release in ("R4", "R4B")},
    **{(release, "bdl-4"): _only_in(_WITH_RESPONSE, "response", "bdl-4") for release in ("R4", "R4B")},
    ("R5", "bdl-3a"): _if_of(
        _WITH_RESOURCE, "bdl-3a", {"required": ["resource"], **_without("request", "response")}
    ),
    ("R5", "bdl-3b"): _if_of(["history"], "bdl-3b", {"required": ["request", "response"], **_RESOURCE_FITS}),
    ("R5", "bdl-3c"): _if_of(
        ["batch", "transaction"],
        "bdl-3c",
        {
            "required": ["request"],
            "properties": {"request": {"required": ["method"]}},
            "allOf": [_RESOURCE_FITS],
        },
    ),
    ("R5", "bdl-15"): _unless_of(
        ["batch", "batch-response", "transaction", "transaction-response"],
        "bdl-15",
        {"anyOf": [{"required": ["fullUrl"]}, {"required": ["_fullUrl"]}, _POSTED]},
    ),
    ("R5", "bdl-3d"): _if_of(["batch-response", "transaction-response"], "bdl-3d", {"required": ["response"]}),
}


def add_rules(definitions: dict[str, Schema], name: str, rules: list[Schema]) -> None:
    """Add rules to a definition and to those that narrow it: `Reference` and `Reference(Group)`.

    What speaks of one property only is added to that, so that it costs nothing where the property is not there.
    """
    for one, found in list(definitions.items()):
        narrowed = one.partition("(")[0] == name or (name, one) == ("Quantity", "SimpleQuantity")
        if not narrowed or "properties" not in found:
            continue
        properties, kept = dict(found["properties"]), list(found.get("allOf", ()))
        for rule in rules:
            if rule.keys() == {"$comment", "properties"} and len(rule["properties"]) == 1:
                ((key, inner),) = rule["properties"].items()
                held = properties[key]
                inner = {"$comment": rule["$comment"], **inner}
                properties[key] = {**held, "allOf": [*held.get("allOf", ()), inner]}
            else:
                kept.append(rule)
        definitions[one] = {**found, "properties": properties, **({"allOf": kept} if kept else {})}
