"""What the definitions say of references, and what a bundle has for them to point to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from trialconv.formats import FhirVersion
from trialconv.validators.schema import Definitions, definitions

Targets = frozenset[str]
Resource = Mapping[str, Any]

#: The canonical URL of a definition, and what stands before its id.
DEFINITION_URL = re.compile(r"(.*/(?:ActivityDefinition|EvidenceVariable|PlanDefinition)/)[^|#]*")


def _children(known: Definitions, name: str) -> dict[str, str]:
    """Return the elements of a definition, each with the name of its own definition or its items' definition."""
    definition = known[name]
    if "properties" not in definition:
        narrowed = [part["$ref"] for part in definition.get("allOf", ()) if "$ref" in part]
        return _children(known, _name(narrowed[0])) if narrowed else {}
    found = {}
    for key, schema in definition["properties"].items():
        if isinstance(schema, dict):
            child = schema.get("items", schema).get("$ref", "")
            if child:
                plain = _name(child).removesuffix(".or-null")
                found[key] = plain if plain in known else _name(child)
    return found


def _name(reference: str) -> str:
    return reference.removeprefix("#/$defs/")


def allowed_targets(known: Definitions, name: str) -> Targets:
    """Return the types that a `Reference(...)` may point to; all types for a plain `Reference`."""
    _, narrowed, targets = name.rstrip(")").partition("(")
    return frozenset(targets.split(",")) if narrowed else known.resource_types


@cache
def all_links(version: FhirVersion, name: str) -> dict[str, str]:
    """Return the elements of a definition with the names of their definitions."""
    return _children(definitions(version), name)


class Index:
    """What a bundle holds: its resources, and where references to them point.

    `instances` are the relative references (`Group/abc`); `full_urls` has the type of each full URL.
    """

    def __init__(self, bundle: Resource) -> None:
        self.type = str(bundle.get("type"))
        self.resources: list[Resource] = []
        self.instances: set[str] = set()
        self.full_urls: dict[str, str] = {}
        entries = bundle.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            resource = entry.get("resource") if isinstance(entry, dict) else None
            if not isinstance(resource, dict):
                continue
            type_name, url = resource.get("resourceType"), entry.get("fullUrl")
            self.resources.append(resource)
            if "id" in resource:
                self.instances.add(f"{type_name}/{resource['id']}")
            if isinstance(url, str) and isinstance(type_name, str):
                self.full_urls[url] = type_name

    @cached_property
    def urls(self) -> set[str]:
        """The canonical urls of the resources."""
        return {url for one in self.resources if isinstance(url := one.get("url"), str)}

    @cached_property
    def url_prefixes(self) -> set[str]:
        """What stands before the ids in the urls of definitions."""
        return {match[1] for url in self.urls if (match := DEFINITION_URL.fullmatch(url))}
