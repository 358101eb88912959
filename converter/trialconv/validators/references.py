"""References of a FHIR document: what they point to must be there, and of a type that their element allows.

A document whose references all stay within it is recognised by its text; only for others the whole tree is walked,
with the places.
"""

from __future__ import annotations

import orjson

from trialconv.formats import FhirVersion
from trialconv.issues import Issue
from trialconv.validators.reference_links import Index, Resource
from trialconv.validators.reference_walk import reference_issues


def check_references(document: Resource, version: FhirVersion, text: bytes | None = None) -> list[Issue]:
    """Return the Issues about the references, full URLs and contained ids of a resource.

    `text` is the document as JSON without spaces, if somebody has it. Paths are as those of `check_schema`.
    References out of a document are not followed; of an absolute one that shows its type the type is checked. The
    type in a relative one is the schema's business.
    """
    try:
        in_order = _all_in_bundle(document, orjson.dumps(document) if text is None else text)
    except (AttributeError, KeyError, TypeError):
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
    index = Index(document)
    if not index.is_plain:
        return False
    instances = {instance.encode() for instance in index.instances}
    return instances.issuperset([piece.split(b'"', 1)[0] for piece in pieces[1:]]) and _canonicals_resolve(index)


def _canonicals_resolve(index: Index) -> bool:
    waiting = [resource for resource in index.resources if resource["resourceType"] == "PlanDefinition"]
    for node in waiting:
        if "definitionCanonical" in node and node["definitionCanonical"] not in index.urls:
            return False
        waiting += node.get("action", ())
    return True
