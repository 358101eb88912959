"""Contained resources that nothing speaks of (dom-3): https://hl7.org/fhir/R5/references.html#contained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, issue
from trialconv.validators.invariant_messages import PLAIN
from trialconv.validators.reference_links import all_links
from trialconv.validators.schema import definitions, label
from trialconv.validators.schema_messages import shortened

Resource = Mapping[str, Any]


def unused_contained(resource: Resource, type_name: str, path: str, version: FhirVersion) -> Iterator[Issue]:
    """Yield an Issue for each contained resource that is not referred to and does not refer to its container."""
    inside = resource.get("contained")
    if not isinstance(inside, list):
        return
    held = [one for one in inside if isinstance(one, dict)]
    pointers = set(_pointers(resource, type_name, version)).union(*(_pointers_in(one, version) for one in held))
    for position, one in enumerate(inside):
        if not isinstance(one, dict) or not isinstance(one.get("resourceType"), str):
            continue
        if f"#{one.get('id')}" not in pointers and "#" not in _pointers_in(one, version):
            place = f"{path}.contained[{position}]{label(one)}"
            message = f"{shortened(one.get('id') or 'no id')}: {PLAIN['dom-3']}"
            yield issue("invariant", message, target_path=place, rule="dom-3")


def _pointers_in(resource: Resource, version: FhirVersion) -> set[str]:
    type_name = resource.get("resourceType")
    known = isinstance(type_name, str) and type_name in definitions(version).resource_types
    return set(_pointers(resource, str(type_name), version)) if known else set()


#: The primitive types whose values may point to a contained resource; references have elements of that name.
_POINTING = frozenset({"canonical", "uri", "url"})


def _pointers(resource: Resource, type_name: str, version: FhirVersion) -> Iterator[str]:
    """Yield every `#...` in a resource that may point to a contained one, without those in contained ones."""
    waiting: list[tuple[Any, str]] = [(resource, type_name)]
    for node, definition in waiting:
        links = all_links(version, definition)
        for key, value in node.items():
            child = links.get(key, "")
            for one in value if isinstance(value, list) else (value,):
                if isinstance(one, str):
                    if one.startswith("#") and (child in _POINTING or key == "reference"):
                        yield one
                elif isinstance(one, dict) and child and child != "ResourceList":
                    waiting.append((one, child))
