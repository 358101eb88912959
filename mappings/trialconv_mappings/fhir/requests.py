"""Bundles for servers that give resources their own ids: conditional create and conditional update.

https://hl7.org/fhir/R4/http.html#ccreate, #cond-update and #trules; R4B and R5 say the same. A resource is known
by an identifier instead of an id, so that sending it again finds it. Within a bundle a reference is the fullUrl of
its target, a urn:uuid, which the server replaces by the address of what it found or made.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from trialconv.context import Context
from trialconv.lineage import derived
from trialconv_mappings.fhir.links import relinked
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.terms import NCT_SYSTEM

#: Below the base: the system of the identifiers that stand for the ids of a study's parts.
PART_SYSTEM: Final = "/NamingSystem/part-id"

#: The types that have no identifier in R4, R4B and R5, so that no search finds what was sent before.
_WITHOUT_IDENTIFIER: Final = frozenset({"Provenance"})
#: What stands before the identifier in the definitions of the types that a study becomes.
_BEFORE_IDENTIFIER: Final = ("resourceType", "meta", "text", "contained", "extension", "url")


def conditional_entries(ctx: Context, resources: list[Element]) -> list[Element]:
    """Return entries that create or update each resource by its identifier, as the `request` option says.

    The id becomes an identifier of the system `<base>/NamingSystem/part-id`; the study has its NCT number. The
    fullUrl is the UUID of the URL that the resource would have with its id: equal input gives equal UUIDs. A type
    without identifiers is created anew each time.
    """
    base, creates = ctx.options.base, ctx.options.request == "conditional-create"
    paths = [resource["resourceType"] + "/" + resource["id"] for resource in resources]
    urns = {path: derived(uuid5(NAMESPACE_URL, f"{base}/{path}").urn, path) for path in paths}
    entries = []
    for path, resource in zip(paths, resources, strict=True):
        kind = resource["resourceType"]
        made = {key: value for key, value in relinked(resource, urns).items() if key != "id"}
        request = {"method": "POST", "url": kind}
        if kind not in _WITHOUT_IDENTIFIER:
            system, value = NCT_SYSTEM, ctx.record.nct_id
            if kind != "ResearchStudy":
                system, value = base + PART_SYSTEM, resource["id"]
                made = _identified(made, {"system": system, "value": value})
            search = _search(system, value)
            if creates:
                request["ifNoneExist"] = search
            else:
                request = {"method": "PUT", "url": kind + "?" + search}
        entries.append({"fullUrl": urns[path], "resource": made, "request": request})
    return entries


def _identified(resource: Element, identifier: Element) -> Element:
    """Return a resource with one more identifier, in its usual place."""
    made: Element = {key: resource[key] for key in _BEFORE_IDENTIFIER if key in resource}
    made["identifier"] = [*resource.get("identifier", ()), identifier]
    made.update((key, value) for key, value in resource.items() if key != "identifier")
    return made


def _search(system: str, value: str) -> str:
    """Return the query for an identifier.

    What separates values in a query is escaped first (https://hl7.org/fhir/R4/search.html#escaping), and then
    what a URL cannot hold.
    """
    for separator in "\\|,$":
        system = system.replace(separator, "\\" + separator)
    return "identifier=" + quote(system, safe=":/") + "%7C" + derived(quote(value), value)
