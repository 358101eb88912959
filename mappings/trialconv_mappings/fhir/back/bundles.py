"""A Bundle as it is read back: its studies, its resources, and what refers to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trialconv_mappings.back import Notes
from trialconv_mappings.fhir.back.element import Asked, Part

_STUDY: Final = "ResearchStudy"


class Resources:
    """The resources of a Bundle, by type in their order and by what references call them.

    `notes` is what there is to say of the study that is read.
    """

    def __init__(self, bundle: Any) -> None:
        self.asked: Asked = set()
        self.notes = Notes()
        self.bundle = Part(bundle, self.asked)
        self._by_type: dict[str, list[Part]] = {}
        self._by_reference: dict[str, Part] = {}
        self._contained: dict[int, dict[str, Part]] = {}
        if self.bundle.text("resourceType") == "Bundle":
            for entry in self.bundle.parts("entry"):
                entry.ask("request", "response", "search", "link")
                self._add(entry.part("resource"), entry.text("fullUrl"))
        else:
            self._add(self.bundle, None)

    def _add(self, resource: Part, url: str | None) -> None:
        kind = resource.text("resourceType")
        if kind is None:
            return
        self._by_type.setdefault(kind, []).append(resource)
        own_id = resource.text("id")
        if own_id:
            self._by_reference.setdefault(f"{kind}/{own_id}", resource)
        if url:
            self._by_reference.setdefault(url, resource)
        inside = {each.text("id") or "": each for each in resource.parts("contained")}
        self._contained[id(resource.raw)] = inside
        for each in inside.values():
            if name := each.text("resourceType"):
                self._by_type.setdefault(name, []).append(each)

    @property
    def studies(self) -> list[Part]:
        """The studies of the Bundle."""
        return self.all(_STUDY)

    def all(self, type_name: str) -> list[Part]:
        """Return the resources of a type, in the order of the Bundle; those inside of others among them."""
        return self._by_type.get(type_name, [])

    def at(self, reference: Part, holder: Part, place: str) -> Part:
        """Return the resource that a Reference in a resource points to; an empty one when it is not here.

        A reference to nothing here becomes an Issue about the place, unless it says by itself what it means.
        """
        url = reference.text("reference")
        reference.ask("type", "identifier")
        if url is None:
            return Part(None, self.asked)
        if url.startswith("#"):
            found = self._contained.get(id(holder.raw), {}).get(url[1:]) or self._inside(url[1:])
        else:
            # A reference may name a version, and a server's address before the type.
            plain_url = url.partition("/_history/")[0]
            found = self._by_reference.get(plain_url) or self._by_reference.get(
                "/".join(plain_url.split("/")[-2:])
            )
        if found is not None:
            return found
        if "display" not in reference:
            self.notes.note("reference-unresolved", f"{url[:100]!r} is not in the document", place)
        return Part(None, self.asked)

    def _inside(self, own_id: str) -> Part | None:
        found = [inside[own_id] for inside in self._contained.values() if own_id in inside]
        return found[0] if len(found) == 1 else None

    def linked(self, type_name: str, references: list[Part], study: Part, place: str) -> list[Part]:
        """Return the resources of a type that a study refers to.

        Where it refers to none, those of a Bundle that has no other study are meant.
        """
        found = [self.at(reference, study, place) for reference in references]
        found = [each for each in found if each.text("resourceType") == type_name]
        if not found and len(self.studies) == 1:
            return self.all(type_name)
        return found

    def of_types(self) -> Iterator[tuple[str, Part]]:
        """Yield every resource with its type."""
        for name, resources in self._by_type.items():
            for resource in resources:
                yield name, resource
