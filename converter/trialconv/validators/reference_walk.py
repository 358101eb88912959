"""The long walk: through everything in a FHIR document, for what is wrong with its references, and where.

The rules are those of https://hl7.org/fhir/R4/bundle.html#references and
https://hl7.org/fhir/R4/references.html#literal, which R4B and R5 share.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, Severity, issue
from trialconv.validators.reference_links import DEFINITION_URL, Index, Resource, all_links, allowed_targets
from trialconv.validators.schema import definitions, label, resources_in
from trialconv.validators.schema_messages import shortened

#: The bundles that must hold what a relative reference points to. Of the others a server may hold the rest.
_SELF_CONTAINED: Final = frozenset({"batch", "collection", "transaction"})

_INSTANCE = re.compile(r"(?:(.*)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.\-]{1,64})(?:/_history/[A-Za-z0-9.\-]+)?(?:#.*)?")
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def reference_issues(document: Resource, version: FhirVersion, known: Collection[str] = ()) -> list[Issue]:
    """Return the Issues about the references, full URLs and contained ids of a resource, and of all in it.

    `known` are the relative references that may point out of the document. Takes nothing for granted about the
    document but that it is an object.
    """
    return list(_LongWalk(document, version, known).issues())


class _Place(NamedTuple):
    """A resource in the document: its path, and where references from it may point to.

    `bundle` is the bundle around it, if there is one, `full_url` that of its entry there; `local` has the types of
    what `#` may point to by id.
    """

    resource: Resource
    path: str
    bundle: Index | None
    full_url: str
    local: dict[str, str]


class _LongWalk:
    """A walk through everything, with the place of whatever is wrong."""

    def __init__(self, document: Resource, version: FhirVersion, known: Collection[str]) -> None:
        self._document = document
        self._known = known
        self._version = version
        self._types = definitions(version).resource_types

    def issues(self) -> Iterator[Issue]:
        """Yield what is wrong, resource by resource, those inside others after these."""
        for place in self._places():
            if place.resource.get("resourceType") == "Bundle":
                yield from _repeated_urls(place)
            yield from _repeated_contained(place)
            type_name = place.resource.get("resourceType")
            if isinstance(type_name, str) and type_name in self._types:
                yield from self._walk(place.resource, type_name, place.path, place)

    def _places(self) -> Iterator[_Place]:
        top = self._document
        waiting = [_Place(top, shortened(top.get("resourceType")), None, "", _contained_types(top))]
        for place in waiting:
            yield place
            is_bundle = place.resource.get("resourceType") == "Bundle"
            index = Index(place.resource) if is_bundle else place.bundle
            for path, inner in resources_in(place.resource):
                local = {**place.local, **_contained_types(inner)}
                if path.startswith("contained"):
                    local[""] = str(place.resource.get("resourceType"))
                full_url = _full_url(place.resource, path) if is_bundle else place.full_url
                waiting.append(_Place(inner, f"{place.path}.{path}{label(inner)}", index, full_url, local))

    def _walk(self, top: Any, name: str, top_path: str, place: _Place) -> Iterator[Issue]:
        waiting = [(top, name, top_path)]
        for node, definition, path in waiting:
            if not isinstance(node, dict):
                continue
            links = all_links(self._version, definition)
            for key, value in node.items():
                if key == "definitionCanonical":
                    yield from self._canonical(value, f"{path}.{key}", place.bundle)
                listed, child = isinstance(value, list), links.get(key, "ResourceList")
                if child == "ResourceList" or not isinstance(value, dict | list):
                    continue
                for position, one in enumerate(value) if listed else ((0, value),):
                    inner_path = f"{path}.{key}[{position}]" if listed else f"{path}.{key}"
                    if child.startswith("Reference") and isinstance(one, dict):
                        yield from self._reference(one.get("reference"), child, f"{inner_path}.reference", place)
                    waiting.append((one, child, inner_path))

    def _canonical(self, value: Any, path: str, bundle: Index | None) -> Iterator[Issue]:
        match = DEFINITION_URL.match(value) if isinstance(value, str) else None
        if bundle and match and match[1] in bundle.url_prefixes and match[0] not in bundle.urls:
            message = f"{shortened(value)} is the url of no resource in the bundle, though others have such urls"
            yield issue("reference-unresolved", message, target_path=path, rule="canonical")

    def _reference(self, pointer: Any, definition: str, path: str, place: _Place) -> Iterator[Issue]:
        if not isinstance(pointer, str):
            return
        found, problem = self._follow(pointer, place)
        if problem:
            if pointer in self._known:
                return
            message = f"{shortened(pointer)} {problem}"
            rule = "ref-1" if pointer.startswith("#") else "reference-resolution"
            yield issue(
                "reference-unresolved", message, target_path=path, rule=rule, severity=_severity(place, pointer)
            )
            return
        targets = allowed_targets(definitions(self._version), definition)
        if found and found not in targets:
            expected = ", ".join(sorted(targets)) if len(targets) < len(self._types) else "a type of this version"
            message = f"{shortened(pointer)} is a reference to {shortened(found)}; expected {expected}"
            yield issue("reference-type", message, target_path=path, rule="reference-target")

    def _follow(self, pointer: str, place: _Place) -> tuple[str, str]:
        """Return the type that a reference points to, where it is known, or else what is wrong with it."""
        if pointer.startswith("#"):
            found = place.local.get(pointer[1:], "")
            return found, "" if found else "is the id of no contained resource"
        if _ABSOLUTE.match(pointer):
            return self._follow_absolute(pointer, place.bundle)
        if place.bundle is None:
            return "", ""
        if "?" in pointer:
            allowed = place.bundle.type == "transaction"
            return "", "" if allowed else "is a search; only a transaction may refer by one"
        return "", _follow_relative(pointer, place.bundle, place.full_url)

    def _follow_absolute(self, pointer: str, bundle: Index | None) -> tuple[str, str]:
        if bundle is not None:
            without = pointer.partition("#")[0].partition("/_history/")[0]
            found = bundle.full_urls.get(pointer) or bundle.full_urls.get(without)
            if found or pointer.startswith("urn:"):
                return found or "", "" if found else "is the fullUrl of no entry"
        match = _INSTANCE.fullmatch(pointer)
        return (match[2] if match and match[2] in self._types else ""), ""


def _severity(place: _Place, pointer: str) -> Severity | None:
    """Return how grave it is that nothing is found; None for an error.

    A collection may be a part of what a server has, and where no full URL tells a base, only the server that takes
    the bundle knows what a relative reference means.
    """
    if place.bundle is None or not _INSTANCE.fullmatch(pointer):
        return None
    base = _INSTANCE.fullmatch(place.full_url)
    return "warning" if place.bundle.type == "collection" or base is None or not base[1] else None


def _follow_relative(pointer: str, bundle: Index, full_url: str) -> str:
    """Return what is wrong with a relative reference, if anything: it follows the base of its own full URL."""
    match = _INSTANCE.fullmatch(pointer)
    if match is None or match[1] or bundle.type not in _SELF_CONTAINED:
        return ""
    instance = f"{match[2]}/{match[3]}"
    base = _INSTANCE.fullmatch(full_url)
    absolute = f"{base[1]}/{instance}" if base and base[1] else ""
    if instance in bundle.instances or absolute in bundle.full_urls:
        return ""
    return "points to nothing in the bundle"


def _full_url(bundle: Resource, path: str) -> str:
    """Return the full URL of the entry that a path in a bundle leads through."""
    url = bundle["entry"][int(path[len("entry[") : path.index("]")])].get("fullUrl")
    return url if isinstance(url, str) else ""


def _repeated_urls(place: _Place) -> Iterator[Issue]:
    """Yield where a full URL stands again for the same version (bdl-7)."""
    seen = set()
    entries = place.resource.get("entry")
    if place.resource.get("type") == "history" or not isinstance(entries, list):
        return
    for position, entry in enumerate(entries):
        url = entry.get("fullUrl") if isinstance(entry, dict) else None
        if not isinstance(url, str):
            continue
        resource = entry.get("resource")
        meta = resource.get("meta") if isinstance(resource, dict) else None
        identity = url, str(meta.get("versionId")) if isinstance(meta, dict) else ""
        if identity in seen:
            message = f"{shortened(url)} is the fullUrl of an entry before, and of the same version"
            path = f"{place.path}.entry[{position}].fullUrl"
            yield issue("duplicate-id", message, target_path=path, rule="bdl-7")
        seen.add(identity)


def _contained_types(resource: Resource) -> dict[str, str]:
    inside = resource.get("contained")
    found = [one for one in inside if isinstance(one, dict)] if isinstance(inside, list) else []
    return {str(one.get("id")): str(one.get("resourceType")) for one in found if one.get("id")}


def _repeated_contained(place: _Place) -> Iterator[Issue]:
    seen = set()
    for path, inner in resources_in(place.resource):
        own_id = inner.get("id")
        if not path.startswith("contained") or not isinstance(own_id, str):
            continue
        if own_id in seen:
            message = f"{shortened(own_id)} is the id of a contained resource before"
            yield issue("duplicate-id", message, target_path=f"{place.path}.{path}.id", rule="contained-id")
        seen.add(own_id)
