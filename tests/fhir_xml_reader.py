"""Reads FHIR XML back into what JSON has, by what the validator's schemas say of lists and of types.

It shares nothing with the writer: neither code nor tables.
"""

from __future__ import annotations

import json
from typing import Any

from lxml import etree

from made_up import Tree
from trialconv.formats import FhirVersion
from trialconv.validators.schema import definitions

_FHIR = "{http://hl7.org/fhir}"
_XHTML = "{http://www.w3.org/1999/xhtml}"


def read_fhir_xml(data: bytes, version: FhirVersion) -> Tree:
    """Return a resource as a dict. A narrative is in canonical XML, see `with_canonical_narratives`."""
    return _resource(etree.fromstring(data, etree.XMLParser(resolve_entities=False)), version)


def with_canonical_narratives(value: Any) -> Any:
    """Return a resource with its narratives as canonical XML, to compare them."""
    if isinstance(value, list):
        return [with_canonical_narratives(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: etree.tostring(etree.fromstring(item), method="c14n", exclusive=True).decode()
        if key == "div" and isinstance(item, str)
        else with_canonical_narratives(item)
        for key, item in value.items()
    }


def _resource(element: Any, version: FhirVersion) -> Tree:
    name = element.tag.removeprefix(_FHIR)
    return {"resourceType": name, **_object(element, name, version)}


def _object(element: Any, definition: str, version: FhirVersion) -> Tree:
    made: Tree = dict(element.attrib)
    made.pop("value", None)
    properties = _properties(definition, version)
    for child in element:
        if child.tag == _XHTML + "div":
            made["div"] = etree.tostring(child, method="c14n", exclusive=True, with_tail=False).decode()
            continue
        name = child.tag.removeprefix(_FHIR)
        schema = properties[name]
        kind = schema.get("items", schema).get("$ref", "string").rpartition("/")[2].removesuffix(".or-null")
        if kind == "ResourceList":
            pairs = {name: _resource(child[0], version)}
        elif kind[0].islower():
            pairs = _primitive(child, name, kind, version)
        else:
            pairs = {name: _object(child, kind, version)}
        if "items" in schema:
            for key in (name, "_" + name) if kind[0].islower() else (name,):
                made.setdefault(key, []).append(pairs.get(key))
        else:
            made |= pairs
    # A list of primitives has a list beside it only where one of them has something beside it, and the reverse.
    return {
        key: value
        for key, value in made.items()
        if not isinstance(value, list) or any(item is not None for item in value)
    }


def _primitive(child: Any, name: str, kind: str, version: FhirVersion) -> Tree:
    made: Tree = {}
    if (value := child.get("value")) is not None:
        numbers = ("boolean", "integer", "decimal", "positiveInt", "unsignedInt")
        made[name] = json.loads(value) if kind in numbers else value
    if beside := _object(child, "Element", version):
        made["_" + name] = beside
    return made


def _properties(definition: str, version: FhirVersion) -> Any:
    return definitions(version)[definition.partition("(")[0]]["properties"]
