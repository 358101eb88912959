"""References of a FHIR document: what they point to must be there, and of a type that their element allows.

A document whose references all stay within it is recognised by its text; only for others the whole tree is walked,
with the places.
"""

from __future__ import annotations

import orjson

from trialconv.formats import FhirVersion
from trialconv.issues import Issue
from trialconv.validators.reference_links import Resource
from trialconv.validators.reference_walk import reference_issues


def check_references(document: Resource, version: FhirVersion, text: bytes | None = None) -> list[Issue]:
    """Return the Issues about the references, full URLs and contained ids of a resource.

    `text` is the document as JSON without spaces, if somebody has it. Paths are as those of `check_schema`.
    References out of a document are not followed; of an absolute one that shows its type the type is checked. The
    type in a relative one is the schema's business.
    """
    try:
        in_order = _all_in_bundle(document, orjson.dumps(document) if text is None else text)
    except (AttributeError, KeyError, TypeError, ValueError):
        in_order = False  # no proper resource: only the long walk takes nothing for granted
    return [] if in_order else reference_issues(document, version)


def _all_in_bundle(document: Resource, text: bytes) -> bool:
    """Say whether every reference is a relative one to a resource of the bundle; False for any doubt.

    The schema sees to the type in a relative reference, so that only its target has to be looked for. The
    references are read off the text: quotation marks within values are escaped there.
    """
    pieces = text.split(b'"reference":"')
    if document["resourceType"] != "Bundle":
        return len(pieces) == 1 and "contained" not in document and document["resourceType"] != "Parameters"
    entries, instances, canonicals, plans = document.get("entry", ()), set(), set(), []
    base = None
    for entry in entries:
        resource = entry["resource"]
        kind = resource["resourceType"]
        instance = f"{kind}/{resource['id']}"
        if base is None:
            base = entry["fullUrl"].removesuffix(instance)
        if entry["fullUrl"] != base + instance or kind == "Bundle" or "contained" in resource:
            return False
        instances.add(instance)
        if kind == "PlanDefinition":
            plans.append(resource)
        elif kind == "ActivityDefinition":
            canonicals.add(resource.get("url"))
    if len(instances) != len(entries):
        return False
    pointers = [piece[: piece.index(b'"')].decode() for piece in pieces[1:]]
    return instances.issuperset(pointers) and _definitions_are_in(canonicals, plans)


def _definitions_are_in(canonicals: set[str], nodes: list[Resource]) -> bool:
    for node in nodes:
        if "definitionCanonical" in node and node["definitionCanonical"] not in canonicals:
            return False
        if "action" in node:
            nodes += node["action"]
    return True
