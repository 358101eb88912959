"""References of a FHIR document: what they point to must be there, and of a type that their element allows.

A document whose references all stay within it is recognised by its text; only for others the whole tree is walked,
with the places.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

import orjson

from trialconv.formats import FhirVersion
from trialconv.issues import Issue
from trialconv.validators.reference_links import Resource
from trialconv.validators.reference_walk import reference_issues
from trialconv.validators.schema import surely_valid

_REFERENCE = b'"reference":"'
_POINTER = re.compile(rb'"reference":"([^"]*)')


def check_references(
    document: Resource, version: FhirVersion, text: bytes | None = None, *, known: Collection[str] = ()
) -> list[Issue]:
    """Return the Issues about the references, full URLs and contained ids of a resource.

    `text` is the document as JSON without spaces, if somebody has it; `known` are references (`Group/abc`) that
    may point out of it, as those of a split transaction to the resources of an earlier part. Paths are as those of
    `check_schema`. Other references out of a document are not followed; of an absolute one that shows its type the
    type is checked. The type in a relative one is the schema's business.
    """
    text = orjson.dumps(document) if text is None else text
    followed = followed_references(document, text, known)
    if followed is document or (followed is not None and surely_valid(followed, version, text)):
        return []
    return reference_issues(document, version, known)


def followed_references(document: Resource, text: bytes, known: Collection[str] = ()) -> Resource | None:
    """Return the document with `Type/...` in its references for `urn:...`, if all lead somewhere; None in doubt.

    The schema sees to the type in a relative reference, so that only its target has to be looked for here, and to
    the others when they are written so. The references are read off the text: quotation marks within values are
    escaped there.
    """
    try:
        return _followed(document, text, known)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None  # no proper resource: only the long walk takes nothing for granted


def _followed(document: Resource, text: bytes, known: Collection[str]) -> Resource | None:
    if document["resourceType"] != "Bundle":
        alone = _REFERENCE not in text and "contained" not in document and document["resourceType"] != "Parameters"
        return document if alone else None
    entries = document.get("entry", ())
    held = _held(entries)
    if held is None or not _definitions_are_in(entries):
        return None
    instances, urns = held
    unknown = {pointer.decode() for pointer in _POINTER.findall(text)} - instances
    if not unknown:
        return document
    if document["type"] == "transaction":
        # A search on a type, such as Organization?identifier=x, is followed by the server.
        unknown = {pointer for pointer in unknown if "?" not in pointer or not pointer.partition("?")[0].isalpha()}
    unknown.difference_update(known)
    if not unknown <= urns.keys():
        return None
    return _with_types(text.split(_REFERENCE), urns) if unknown else document


def _held(entries: list[dict[str, Any]]) -> tuple[set[str], dict[str, str]] | None:
    """Return the relative references to the resources of a bundle, and such a one for each urn that is a fullUrl.

    None in doubt: where a fullUrl is neither a urn nor that of its resource below one base, or stands twice.
    """
    instances, urls = set(), set()
    urns: dict[str, str] = {}
    base = None
    for entry in entries:
        resource, url = entry["resource"], entry["fullUrl"]
        kind = resource["resourceType"]
        if kind == "Bundle" or "contained" in resource:
            return None
        instance = f"{kind}/{resource['id']}" if "id" in resource else ""
        if url[:4] == "urn:":
            urns[url] = f"{kind}/x"
        else:
            if base is None:
                base = url.removesuffix(instance)
            if not instance or url != base + instance:
                return None
        urls.add(url)
        instances.add(instance)
    return (instances, urns) if len(urls) == len(entries) else None


def _with_types(pieces: list[bytes], urns: dict[str, str]) -> Resource:
    """Return the document of a text with each reference to a urn written as one to its type."""
    made = [pieces[0]]
    for piece in pieces[1:]:
        pointer, _, rest = piece.partition(b'"')
        type_reference = urns.get(pointer.decode())
        made.append(piece if type_reference is None else type_reference.encode() + b'"' + rest)
    found: Resource = orjson.loads(_REFERENCE.join(made))
    return found


def _has_no_canonical(variable: dict[str, Any]) -> bool:
    """Say whether no characteristic of an EvidenceVariable, at any depth, is defined elsewhere."""
    waiting = list(variable.get("characteristic", ()))
    for one in waiting:
        if "definitionCanonical" in one:
            return False
        if "definitionByCombination" in one:
            waiting += one["definitionByCombination"]["characteristic"]
    return True


def _definitions_are_in(entries: list[dict[str, Any]]) -> bool:
    """Say whether each action's definition is an activity of the bundle, and no variable is defined by others."""
    canonicals, nodes = set(), []
    for entry in entries:
        resource = entry["resource"]
        kind = resource["resourceType"]
        if kind == "ActivityDefinition":
            canonicals.add(resource.get("url"))
        elif kind == "PlanDefinition":
            nodes.append(resource)
        elif kind == "EvidenceVariable" and not _has_no_canonical(resource):
            return False
    for node in nodes:
        if "definitionCanonical" in node and node["definitionCanonical"] not in canonicals:
            return False
        if "action" in node:
            nodes += node["action"]
    return True
