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


def _qty_3() -> Schema:
    return {
        "$comment": "qty-3",
        "anyOf": [{"not": {"required": ["code"]}}, {"required": ["system"]}, {"required": ["_system"]}],
    }


def _grp_1() -> Schema:
    actual = {"properties": {"actual": {"const": True}}, "required": ["actual"]}
    return {"$comment": "grp-1", "anyOf": [{"not": {"required": ["member"]}}, actual]}


def _of_types(types: list[str]) -> Schema:
    return {"properties": {"type": {"enum": types}}, "required": ["type"]}


def _all_entries(entry: Schema) -> Schema:
    return {"properties": {"entry": {"items": entry}}}


def _without(*names: str) -> Schema:
    return {"properties": dict.fromkeys(names, False)}


def _bdl_3() -> list[Schema]:
    """Demand, for R4 and R4B, a request in every entry of a batch, transaction or history and nowhere else."""
    return [
        {
            "$comment": "bdl-3",
            "if": _of_types(["batch", "history", "transaction"]),
            "then": _all_entries({"required": ["request"]}),
            "else": _all_entries(_without("request")),
        }
    ]


def _bdl_3_split() -> list[Schema]:
    """Demand what R5 does: a POST, PUT or PATCH comes with a resource, and only these do."""
    changes = {"properties": {"request": {"properties": {"method": {"enum": ["PATCH", "POST", "PUT"]}}}}}
    resource_fits = {"if": changes, "then": {"required": ["resource"]}, "else": _without("resource")}
    with_method = {"properties": {"request": {"required": ["method"]}}}
    return [
        {
            "$comment": "bdl-3a",
            "if": _of_types(["collection", "document", "message", "searchset"]),
            "then": _all_entries({"required": ["resource"], **_without("request", "response")}),
        },
        {
            "$comment": "bdl-3b",
            "if": _of_types(["history"]),
            "then": _all_entries({"required": ["request", "response"], **resource_fits}),
        },
        {
            "$comment": "bdl-3c",
            "if": _of_types(["batch", "transaction"]),
            "then": _all_entries({"required": ["request"], **with_method, "allOf": [resource_fits]}),
        },
        {
            "$comment": "bdl-3d",
            "if": _of_types(["batch-response", "transaction-response"]),
            "then": _all_entries({"required": ["response"]}),
        },
    ]


def add_invariants(definitions: dict[str, Schema], release: str) -> None:
    """Add to the definitions of a FHIR version the invariants that a schema can state."""
    for name in ("Age", "Count", "Distance", "Duration", "Quantity", "SimpleQuantity"):
        if name in definitions:
            _add(definitions, name, _qty_3())
    if release == "R5":
        _add(definitions, "Bundle", *_bdl_3_split())
        return
    _add(definitions, "Bundle", *_bdl_3())
    _add(definitions, "Group", _grp_1())


def _add(definitions: dict[str, Schema], name: str, *rules: Schema) -> None:
    found = definitions[name]
    definitions[name] = {**found, "allOf": [*found.get("allOf", ()), *rules]}
