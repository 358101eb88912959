"""What a document says that nothing of the way back asked for: named by the kind of element, not one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trialconv_mappings.fhir.back.bundles import Resources
from trialconv_mappings.fhir.back.element import Asked, Part

#: Keys that say nothing of a study: what a resource is, its name on a server, its words for people.
_SILENT: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "language", "text", "fullUrl"})
#: Elements that say again what others say, or how our resources hang together, by the resource that has them.
_DERIVED: Final = {
    "ResearchStudy": frozenset({"url", "name", "version", "region", "protocol", "enrollment", "contained"}),
    "Group": frozenset({"identifier", "type", "actual", "membership", "name", "active"}),
    "PlanDefinition": frozenset({"identifier", "url", "name", "title", "type", "status", "subjectReference"}),
    "ActivityDefinition": frozenset({"identifier", "url", "name", "status", "kind"}),
    "Organization": frozenset({"identifier", "active", "type"}),
    "Practitioner": frozenset({"identifier", "active"}),
    "PractitionerRole": frozenset({"identifier", "active"}),
    "Location": frozenset({"identifier", "status", "mode"}),
}
#: Types of resources that say again what the others say.
_REPEATING: Final = frozenset({"EvidenceVariable", "Provenance"})
_STUDY: Final = "ResearchStudy"
_MOST: Final = 60
_SHOWN: Final = 80


def leftovers(study: Part, resources: Resources | None, asked: Asked) -> Iterator[tuple[str, str]]:
    """Yield the path of each kind of element that was not read, with what one of them says.

    `study` is the ResearchStudy as it was read; the others of `resources` are looked at, too, if there are some.
    """
    found: dict[str, str] = {}
    _walk(study.raw, _STUDY, asked, found)
    for name, resource in resources.of_types() if resources is not None else ():
        if name in _DERIVED and name != _STUDY:
            _walk(resource.raw, name, asked, found)
        elif name not in _DERIVED and name not in _REPEATING:
            found.setdefault(name, "the resource as a whole")
    yield from list(found.items())[:_MOST]


def _walk(top: dict[str, Any], name: str, asked: Asked, found: dict[str, str]) -> None:
    """Go through a resource without recursion: a document may be nested deeply."""
    waiting: list[tuple[str, dict[str, Any]]] = [(name, top)]
    derived = _DERIVED[name]
    while waiting:
        path, element = waiting.pop()
        for key, value in element.items():
            bare = key.removeprefix("_")
            if path == name and (bare in _SILENT or bare in derived):
                continue
            place = f"{path}.{bare}"
            if key == "extension":
                waiting += _extensions(value, path, asked, found)
            elif bare == "id" or _says_nothing(value) or ("_" + key in element and isinstance(value, dict)):
                # XML does not tell a primitive value that is absent from an object; it is taken for both.
                continue
            elif (id(element), key) not in asked:
                if key == bare or any(_is_open(each) for each in _objects(value)):
                    found.setdefault(place, _shown(value))
            else:
                waiting += [(place, each) for each in _objects(value)]


def _extensions(
    value: Any, path: str, asked: Asked, found: dict[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for extension in _objects(value):
        url = extension.get("url")
        place = f"{path}.extension({url})"
        if (id(extension), "url") in asked:
            yield place, extension
        elif isinstance(url, str):
            found.setdefault(place, _shown({key: item for key, item in extension.items() if key != "url"}))


def _objects(value: Any) -> list[dict[str, Any]]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _is_open(beside: dict[str, Any]) -> bool:
    """Tell whether what stands beside a value is more than the mark of its absence."""
    urls = [str(each.get("url")) for each in _objects(beside.get("extension"))]
    return any(not url.endswith(("data-absent-reason", "exact-text", "filled-from")) for url in urls)


def _says_nothing(value: Any) -> bool:
    return value is None or value in ([], {}, "")


def _shown(value: Any) -> str:
    """Return the beginning of a value, without a look at what is deep inside."""
    while isinstance(value, list) and value:
        value = value[0]
    text = "an object with " + ", ".join(value) if isinstance(value, dict) else str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
