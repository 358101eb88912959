"""References of a FHIR document: what they point to must be there, and of a type that their element allows.

A correct document is recognised by a short walk along the elements that are references by definition; only when
that does not account for every reference, or finds one wrong, the whole tree is walked, with the places.
"""

from __future__ import annotations

import orjson

from trialconv.formats import FhirVersion
from trialconv.issues import Issue
from trialconv.validators.reference_links import Index, Links, Resource, near_links
from trialconv.validators.reference_walk import reference_issues


def check_references(document: Resource, version: FhirVersion, text: bytes | None = None) -> list[Issue]:
    """Return the Issues about the references, full URLs and contained ids of a resource.

    `text` is the document as JSON without spaces, if somebody has it. Paths are as those of `check_schema`.
    References out of a document are not followed; of an absolute one that shows its type the type is checked. The
    type in a relative one is the schema's business.
    """
    try:
        in_order = _short_walk(document, version, orjson.dumps(document) if text is None else text)
    except (AttributeError, KeyError, TypeError):
        in_order = False  # no proper resource: only the long walk takes nothing for granted
    return [] if in_order else reference_issues(document, version)


def _short_walk(document: Resource, version: FhirVersion, text: bytes) -> bool:
    """Say whether all references are accounted for and well; False for any doubt.

    As many `"reference":"` as in the text must be met on the way: quotation marks within values are escaped.
    """
    total = text.count(b'"reference":"')
    if document["resourceType"] != "Bundle":
        return total == 0 and "contained" not in document and document["resourceType"] != "Parameters"
    index = Index(document)
    return index.is_plain and _met(index, version) == total and _canonicals_resolve(index)


def _met(index: Index, version: FhirVersion) -> int:
    """Return how many references were met that point into the bundle as they should; -1 after another one."""
    instances, full_urls = index.instances, index.full_urls
    count = 0
    for resource in index.resources:
        waiting: list[tuple[Resource, Links]] = [(resource, near_links(version, resource["resourceType"]))]
        for node, (references, inner) in waiting:
            for key, targets in references:
                if key not in node:
                    continue
                value = node[key]
                for one in value if type(value) is list else (value,):
                    if "reference" not in one:
                        continue
                    pointer = one["reference"]
                    if pointer not in instances and full_urls.get(pointer) not in targets:
                        return -1
                    count += 1
            for key, links in inner:
                if key in node:
                    value = node[key]
                    waiting += [(one, links) for one in (value if type(value) is list else (value,))]
    return count


def _canonicals_resolve(index: Index) -> bool:
    waiting = [resource for resource in index.resources if resource["resourceType"] == "PlanDefinition"]
    for node in waiting:
        if "definitionCanonical" in node and node["definitionCanonical"] not in index.urls:
            return False
        waiting += node.get("action", ())
    return True
