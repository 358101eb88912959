"""A large bundle as several smaller ones, which load one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trialconv.issues import UsageError
from trialconv_mappings.fhir.links import pointers, relinked
from trialconv_mappings.fhir.parts import Element


def split_bundle(bundle: dict[str, Any], largest: int) -> list[dict[str, Any]]:
    """Return the bundles of at most `largest` entries that a transaction or batch is cut into.

    What an entry refers to is in the same bundle or in an earlier one, so that they have to be sent in their
    order. (Entries that refer to one another in a circle stay together, whatever `largest` says.) A reference to
    an entry of an earlier bundle stays where it has an id; otherwise it becomes a conditional reference, a search
    for the identifier (https://hl7.org/fhir/R4/http.html#trules). Raises UsageError for another kind of bundle,
    and for `largest` below 1.
    """
    if bundle["type"] not in ("transaction", "batch"):
        raise UsageError(
            f"a bundle of type {bundle['type']} is not split: only requests are sent one after another"
        )
    if largest < 1:
        raise UsageError(f"a bundle holds at least one entry, not {largest}")
    if len(bundle["entry"]) <= largest:
        return [bundle]
    parts: list[list[Element]] = [[]]
    for group in dependency_groups(bundle["entry"]):
        if parts[-1] and len(parts[-1]) + len(group) > largest:
            parts.append([])
        parts[-1] += group
    searches: dict[str, str] = {}
    bundles = []
    for part in parts:
        made = part
        if searches:
            made = [{**entry, "resource": relinked(entry["resource"], searches)} for entry in part]
        bundles.append({**bundle, "entry": made})
        searches.update((entry["fullUrl"], search) for entry in part if (search := _conditional_reference(entry)))
    return bundles


def in_dependency_order(entries: list[Element]) -> list[Element]:
    """Return the entries in an order in which each comes after those that it refers to."""
    return [entry for group in dependency_groups(entries) for entry in group]


def dependency_groups(entries: list[Element]) -> list[list[Element]]:
    """Return the entries in groups: those of a circle of references in one, each other alone.

    Each group comes after those that it refers to. This is Tarjan's algorithm for strongly connected components.
    """
    return [[entries[position] for position in sorted(group)] for group in _Components(_needed(entries))]


def _needed(entries: list[Element]) -> list[list[int]]:
    """Return for each entry the positions of those that it refers to."""
    by_name = {name: position for position, entry in enumerate(entries) for name in _names(entry)}
    return [
        [by_name[pointer] for pointer in pointers(entry["resource"]) if pointer in by_name] for entry in entries
    ]


def _names(entry: Element) -> list[str]:
    """Return by what others may refer to an entry: its fullUrl, its address on a server, its canonical URL."""
    resource = entry["resource"]
    names = [entry["fullUrl"]]
    if "id" in resource:
        names.append(f"{resource['resourceType']}/{resource['id']}")
    if resource["resourceType"] == "ActivityDefinition" and "url" in resource:
        names.append(resource["url"])
    return names


class _Components:
    """The strongly connected components of a graph, those first that others lead to."""

    def __init__(self, needed: list[list[int]]) -> None:
        self._needed = needed
        self._lowest: dict[int, int] = {}
        self._path: list[int] = []
        self._found: list[list[int]] = []
        self._done: set[int] = set()

    def __iter__(self) -> Iterator[list[int]]:
        for position in range(len(self._needed)):
            if position not in self._lowest:
                self._visit(position)
        return iter(self._found)

    def _visit(self, position: int) -> None:
        number = self._lowest[position] = len(self._lowest)
        self._path.append(position)
        for other in self._needed[position]:
            if other not in self._lowest:
                self._visit(other)
            if other not in self._done:
                self._lowest[position] = min(self._lowest[position], self._lowest[other])
        if self._lowest[position] == number:
            start = self._path.index(position)
            self._found.append(self._path[start:])
            self._done.update(self._path[start:])
            del self._path[start:]


def _conditional_reference(entry: Element) -> str | None:
    """Return the search that finds what an entry makes; None for one with an id, which needs no search."""
    request = entry["request"]
    if "ifNoneExist" in request:
        return str(request["url"] + "?" + request["ifNoneExist"])
    return request["url"] if "?" in request["url"] else None
