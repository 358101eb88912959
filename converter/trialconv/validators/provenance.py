"""Who acts on behalf of whom (prov-1 to prov-3, R5): https://hl7.org/fhir/R5/provenance.html#invs.

Only what the document itself holds can be followed; two agents elsewhere may be the same, or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trialconv.issues import Issue, issue
from trialconv.validators.invariant_messages import PLAIN

Resource = Mapping[str, Any]


def provenance_issues(document: Resource, places: Iterable[tuple[Resource, str]]) -> Iterator[Issue]:
    """Yield the Issues of the agents of every Provenance; `places` are all resources of a document, with paths."""
    everything = _everything(document)
    for resource, path in places:
        agents = resource.get("agent")
        if resource.get("resourceType") != "Provenance" or not isinstance(agents, list):
            continue
        for position, agent in enumerate(agents):
            if isinstance(agent, dict) and (key := _broken(agent, everything, resource)):
                yield issue("invariant", PLAIN[key], target_path=f"{path}.agent[{position}]", rule=key)


def _broken(agent: Resource, everything: dict[str, Resource], around: Resource) -> str:
    who = _target(agent.get("who"), everything, around)
    other = _target(agent.get("onBehalfOf"), everything, around)
    if who is None or other is None:
        return ""
    if who is other:
        return "prov-1"
    if who.get("resourceType") == "PractitionerRole" and other.get("resourceType") == "Practitioner":
        return "prov-2" if _target(who.get("practitioner"), everything, around) is other else ""
    if who.get("resourceType") == "Organization" and other.get("resourceType") == "PractitionerRole":
        return "prov-3" if _target(other.get("organization"), everything, around) is who else ""
    return ""


def _everything(document: Resource) -> dict[str, Resource]:
    """Return the resources of a bundle by what refers to them."""
    found: dict[str, Resource] = {}
    entries = document.get("entry") if document.get("resourceType") == "Bundle" else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            found.setdefault(f"{resource.get('resourceType')}/{resource.get('id')}", resource)
            if isinstance(entry.get("fullUrl"), str):
                found[entry["fullUrl"]] = resource
    return found


def _target(reference: Any, everything: dict[str, Resource], around: Resource) -> Resource | None:
    pointer = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(pointer, str):
        return None
    if pointer.startswith("#"):
        inside = around.get("contained")
        held = [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []
        return next((one for one in held if one.get("id") == pointer[1:]), None)
    return everything.get(pointer.partition("/_history/")[0])
