"""Value sets to codes: what a `compose` means (https://hl7.org/fhir/R5/valueset.html#compositions)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Resource = dict[str, Any]
#: The codes of a value set: pairs of a code system's URL and a code.
Codes = frozenset[tuple[str, str]]


class NotExpandable(Exception):  # noqa: N818 - it tells of a value set, not of a failure
    """A value set whose codes the packages do not hold; the text tells why."""


class Terminology:
    """Value sets and code systems by their URL. Of two with the same URL the first one added counts."""

    def __init__(self) -> None:
        self._value_sets: dict[str, Resource] = {}
        self._code_systems: dict[str, Resource] = {}
        self._expanded: dict[str, Codes | str] = {}

    def add(self, definition: Resource) -> None:
        """Take in a ValueSet or a CodeSystem."""
        kind = self._value_sets if definition["resourceType"] == "ValueSet" else self._code_systems
        if "url" in definition:
            kind.setdefault(definition["url"], definition)

    def expand(self, canonical: str) -> Codes:
        """Return the codes of a value set; raises NotExpandable."""
        url = canonical.split("|", 1)[0]
        if url not in self._expanded:
            self._expanded[url] = "it includes itself"
            try:
                self._expanded[url] = self._expand(url)
            except NotExpandable as reason:
                self._expanded[url] = str(reason)
        found = self._expanded[url]
        if isinstance(found, str):
            raise NotExpandable(found)
        return found

    def _expand(self, url: str) -> Codes:
        if url not in self._value_sets:
            raise NotExpandable(f"no value set {url}")
        value_set = self._value_sets[url]
        compose = value_set.get("compose")
        if compose is None:
            raise NotExpandable(f"{url} has no compose")
        included = _union(self._part(part) for part in compose.get("include", ()))
        excluded = _union(self._part(part) for part in compose.get("exclude", ()))
        if not included - excluded:
            raise NotExpandable(f"{url} has no codes")
        return included - excluded

    def _part(self, part: Resource) -> Codes:
        """Return the codes of one include or exclude: what its system and all its value sets share."""
        sets = [self.expand(canonical) for canonical in part.get("valueSet", ())]
        if "system" in part:
            sets.append(frozenset((part["system"], code) for code in self._from_system(part)))
        if not sets:
            raise NotExpandable("an include names neither a system nor a value set")
        return sets[0].intersection(*sets[1:])

    def _from_system(self, part: Resource) -> set[str]:
        if "concept" in part:
            return {concept["code"] for concept in part["concept"]}
        concepts = self._concepts(part["system"])
        # Groups of concepts are no values (https://hl7.org/fhir/R5/codesystem-concept-properties.html).
        codes = {code for code, concept in concepts.items() if "true" not in _values(concept, "notSelectable")}
        for rule in part.get("filter", ()):
            codes &= _filtered(concepts, rule, part["system"])
        return codes

    def _concepts(self, url: str) -> dict[str, Resource]:
        """Return the concepts of a complete code system, each with its parents under the key `parents`."""
        system = self._code_systems.get(url)
        if system is None:
            raise NotExpandable(f"no code system {url}")
        if system.get("content") != "complete":
            raise NotExpandable(f"the code system {url} is {system.get('content')}")
        found: dict[str, Resource] = {}
        _collect(system.get("concept", ()), None, found)
        return found


def _union(sets: Iterable[Codes]) -> Codes:
    return frozenset().union(*sets)


def _collect(concepts: Iterable[Resource], parent: str | None, found: dict[str, Resource]) -> None:
    for concept in concepts:
        parents = {parent} if parent else set()
        for prop in concept.get("property", ()):
            if prop["code"] in ("subsumedBy", "parent"):
                parents.add(prop.get("valueCode"))
        found[concept["code"]] = {**concept, "parents": parents}
        _collect(concept.get("concept", ()), concept["code"], found)


def _filtered(concepts: dict[str, Resource], rule: Resource, system: str) -> set[str]:
    """Return the codes that one filter lets through; raises NotExpandable for a filter not known here."""
    op, prop, value = rule["op"], rule["property"], rule["value"]
    if op in ("is-a", "descendent-of", "is-not-a") and prop in ("concept", "code"):
        below = _below(concepts, value)
        return {
            "is-a": below | {value},
            "descendent-of": below,
            "is-not-a": set(concepts) - below - {value},
        }[op]
    if op == "=":
        return {code for code, concept in concepts.items() if value in _values(concept, prop)}
    raise NotExpandable(f"the filter {prop} {op} {value} on {system}")


def _below(concepts: dict[str, Resource], top: str) -> set[str]:
    found: set[str] = set()
    grown = True
    while grown:
        more = {code for code, one in concepts.items() if one["parents"] & (found | {top})} - found
        found |= more
        grown = bool(more)
    return found


def _values(concept: Resource, prop: str) -> set[str]:
    made: set[str] = set()
    for held in concept.get("property", ()):
        if held["code"] == prop:
            values = (value for key, value in held.items() if key.startswith("value"))
            made.update(str(value).lower() if isinstance(value, bool) else str(value) for value in values)
    return made
