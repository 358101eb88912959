"""A Bundle as it is read back: its resources, what refers to what, and what stands beside an element."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from trialconv.lineage import plain
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.terms import EXACT_TEXT, FILLED_FROM


class Resources:
    """The resources of a Bundle, by type in their order and by what references call them."""

    def __init__(self, bundle: Element) -> None:
        self.by_type: dict[str, list[Element]] = {}
        self._by_reference: dict[str, Element] = {}
        for entry in bundle.get("entry", ()):
            resource = entry.get("resource")
            if not isinstance(resource, dict) or "resourceType" not in resource:
                continue
            self.by_type.setdefault(resource["resourceType"], []).append(resource)
            if "id" in resource:
                self._by_reference[f"{resource['resourceType']}/{resource['id']}"] = resource
            if "fullUrl" in entry:
                self._by_reference[entry["fullUrl"]] = resource

    def at(self, reference: Element | None) -> Element:
        """Return the resource that a Reference points to; an empty one when it is not in the Bundle."""
        return self._by_reference.get((reference or {}).get("reference", ""), {})

    def all(self, type_name: str) -> list[Element]:
        """Return the resources of a type, in the order of the Bundle."""
        return self.by_type.get(type_name, [])


def named(element: Element, name: str) -> list[Element]:
    """Return the extensions of an element whose url is a name or ends in it after a slash."""
    return [
        found
        for found in element.get("extension", ())
        if (url := found.get("url", "")) == name or url.endswith("/" + name.lstrip("/"))
    ]


def value_of(extension: Element) -> Any:
    """Return the value of an extension, the exact one where that stands beside it; None when it has none."""
    for key in extension:
        if key.startswith("value"):
            return exact(extension, key)
        if key.startswith("_value"):
            return exact(extension, key[1:])
    return None


def first(element: Element, name: str) -> Any:
    """Return the value of the first extension of that name."""
    found = named(element, name)
    return value_of(found[0]) if found else None


def exact(holder: Element, key: str, prefix: str = "") -> Any:
    """Return the registry's string of an element of text, without the name before it.

    The exact string that stands beside the element is used as long as it still says what the element says.
    """
    shown = holder.get(key)
    if isinstance(shown, str) and prefix:
        shown = shown.removeprefix(prefix)
    for found in named(holder.get("_" + key, {}), EXACT_TEXT):
        encoded = found.get("valueBase64Binary")
        text = b64decode(encoded).decode() if encoded else value_of(found)
        if shown is None or encoded or plain(text) == shown or text == plain(shown) or _same_words(text, shown):
            return text.removeprefix(prefix) if prefix and encoded else text
    return shown


def _same_words(text: str, shown: str) -> bool:
    """Tell whether a text differs from what is shown by outer white space, a time of the day or escapes only."""
    return (
        text.strip() == shown
        or text.partition("T")[0] == shown
        or text.replace("\\", "") == shown.replace("\\", "")
    )


def is_filled_in(holder: Element, key: str) -> bool:
    """Tell whether an element says that it was filled in from another field."""
    return bool(named(holder.get("_" + key, {}), FILLED_FROM))


def texts(concepts: list[Element]) -> Iterator[str]:
    """Yield the texts of CodeableConcepts."""
    for concept in concepts:
        text = exact(concept, "text")
        if text:
            yield text


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set a value of a tree at a path of keys, or add it to the list there where the path ends in `[]`.

    Does nothing where there is nothing to set.
    """
    if value is None or value == [] or value == {}:
        return
    *steps, last = path.split(".")
    for step in steps:
        tree = tree.setdefault(step, {})
    if last.endswith("[]"):
        tree.setdefault(last[:-2], []).append(value)
    else:
        tree[last] = value


def without_none(**values: Any) -> dict[str, Any]:
    """Return the values that are there."""
    return {key: value for key, value in values.items() if value is not None and value != []}
