"""A second opinion on invariants: the official FHIRPath expressions, run by the engine fhirpathpy.

The engine knows neither some functions of FHIR nor the boundaries of values; what it cannot run is named and left
out. It takes the siblings of primitives (`_status`) for values.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import fhirpathpy
from fhirpathpy import parse
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

from trialconv.formats import FhirVersion
from trialconv.validators.reference_links import all_links
from trialconv.validators.schema import resources_in

Resource = dict[str, Any]

#: What the engine cannot run, by the words that show it, with the reason.
NOT_RUN = {
    "htmlChecks": "a function of FHIR that the engine does not have",
    "lowBoundary": "a function that the engine does not have",
    "resolve()": "the engine has no way to follow references",
    "%rootResource": "the engine does not tell the resource from the one around it",
}
#: The supertypes of types whose invariants hold for them, too.
_ABOVE = dict.fromkeys(("Age", "Count", "Distance", "Duration", "SimpleQuantity"), "Quantity")
_NO_DOMAIN_RESOURCES = ("Binary", "Bundle", "Parameters")


class Opinion(NamedTuple):
    """The keys of the invariants that a document breaks, that were run, and that failed to run, with reasons."""

    broken: set[str]
    run: set[str]
    failed: dict[str, str]


@cache
def _rules(version: FhirVersion) -> dict[str, list[tuple[str, str]]]:
    """Return key and expression of every rule that the engine can run, by its place."""
    listed = json.loads(files("trialconv.validators").joinpath("_generated", "invariants.json").read_bytes())
    found: dict[str, list[tuple[str, str]]] = {}
    for one in listed[version]:
        expression = one["expression"]
        # Nothing that this engine is shown has a sibling without a value; the schema sees to empty objects.
        if one["key"] in ("ele-1", "ext-1", "sqty-1") or any(word in expression for word in NOT_RUN):
            continue
        plain = (
            expression.replace(".hasValue()", ".exists()").replace(".as(", ".ofType(").replace("(as(", "(ofType(")
        )
        for place in one["on"]:
            found.setdefault(place, []).append((one["key"], plain))
    return found


@cache
def _parsed(expression: str) -> Any:
    return parse(expression)


def _holds(expression: str, node: Any, place: str, resource: Resource, version: FhirVersion) -> bool:
    root = ResourceNode.create_node(node, None if place == "DomainResource" else place)
    known = {"resource": resource, "context": root}
    model = models["r5" if version == "R5" else "r4"]
    answer = fhirpathpy.apply_parsed_path(root, _parsed(expression), known, model, {"traceFn": _say_nothing})
    return bool(answer == [True])


def _say_nothing(*_: Any) -> None:
    """Take what `trace()` has to say."""


def fhirpath_opinion(document: Resource, version: FhirVersion) -> Opinion:
    """Return which invariants a document breaks by the official expressions, in it and in what it holds."""
    opinion = Opinion(set(), set(), {})
    waiting = [copy.deepcopy(document)]  # the engine writes into what it is given
    for resource in waiting:
        for place, node in _nodes(resource, str(resource["resourceType"]), version):
            for key, expression in _rules(version).get(place, ()):
                try:
                    holds = _holds(expression, node, place, resource, version)
                except Exception as problem:  # the engine raises plain Exceptions for what it cannot do
                    opinion.failed[key] = str(problem)
                    continue
                opinion.run.add(key)
                if not holds:
                    opinion.broken.add(key)
        waiting.extend(inner for _, inner in resources_in(resource))  # type: ignore[arg-type]
    return opinion


def _nodes(resource: Resource, type_name: str, version: FhirVersion) -> Iterator[tuple[str, Any]]:
    """Yield everything in a resource with each place of the definitions that it is at."""
    if type_name not in _NO_DOMAIN_RESOURCES:
        yield "DomainResource", resource
    waiting: list[tuple[Any, str]] = [(resource, type_name)]
    for node, definition in waiting:
        name = definition.partition("(")[0]
        yield name, node
        if name in _ABOVE:
            yield _ABOVE[name], node
        links = all_links(version, definition)
        for key, value in node.items():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and links.get(key, "ResourceList") != "ResourceList":
                    waiting.append((one, links[key]))
                    if "." not in links[key]:
                        yield f"{name}.{key}", one
