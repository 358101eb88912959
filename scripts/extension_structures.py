"""One extension to its StructureDefinition: differential and snapshot, from FHIR's definition of Extension."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any, Final

from trialconv_mappings.extensions import BASE, Extension, Part, ValueType

Element = dict[str, Any]

_BASE_URL: Final = "http://hl7.org/fhir/StructureDefinition/"
#: What a snapshot may leave out: mappings belong to other models, comments speak of extensions in general.
_NOT_TAKEN: Final = ("alias", "comment", "extension", "mapping")
_SLICING: Final = {"discriminator": [{"type": "value", "path": "url"}], "ordered": False, "rules": "open"}
_RESTATED: Final = (
    "Restates the official definition ({source}) for validators that do not have it. "
    "Where the official package is loaded, it takes precedence."
)


class Structures:
    """Makes the definitions of one FHIR version."""

    def __init__(self, base: Element, full_version: str, own_version: str) -> None:
        """Take FHIR's definition of Extension, the version it belongs to, and the version to give the results."""
        self._elements = {element["id"]: _taken(element) for element in base["snapshot"]["element"]}
        self._full_version = full_version
        self._own_version = own_version

    def definition(self, extension: Extension) -> Element:
        """Return the StructureDefinition of an extension."""
        form = extension.form
        made: Element = {
            "resourceType": "StructureDefinition",
            "id": definition_id(extension),
            "url": extension.url,
            "version": self._own_version,
            "name": _name(extension),
            "title": form.title,
            "status": "active",
            "experimental": False,
            "publisher": "trialconv",
            "description": form.description,
        }
        if not extension.url.startswith(BASE):
            made["purpose"] = _RESTATED.format(source=extension.source)
        return {
            **made,
            "fhirVersion": self._full_version,
            "kind": "complex-type",
            "abstract": False,
            "context": [
                *({"type": "element", "expression": one} for one in extension.elements),
                *({"type": "extension", "expression": one} for one in extension.extensions),
            ],
            "type": "Extension",
            "baseDefinition": _BASE_URL + "Extension",
            "derivation": "constraint",
            "snapshot": {"element": list(self._snapshot(form))},
            "differential": {"element": list(_differential(form))},
        }

    def _snapshot(self, form: Part) -> Iterator[Element]:
        """Yield the elements of the base, each with what the differential says of it, and those of the slices."""
        for change in _whole(form):
            base_id = re.sub(r"^Extension(\.extension:[^.]+)+", "Extension", change["id"])
            is_slice = "sliceName" in change
            element = copy.deepcopy(self._elements["Extension.extension" if is_slice else base_id])
            if is_slice:
                element.pop("slicing", None)
            yield {**element, **change}


def definition_id(extension: Extension) -> str:
    """Return the id, which is also the end of the file's name."""
    return extension.url.rpartition("/")[2]


def _name(extension: Extension) -> str:
    """Return a name of letters and digits alone, as the invariant on names of canonical resources demands."""
    words = re.split(r"[^A-Za-z0-9]+", definition_id(extension))
    return "".join(word[:1].upper() + word[1:] for word in words)


def _taken(element: Element) -> Element:
    return {key: value for key, value in element.items() if key not in _NOT_TAKEN}


def _differential(form: Part) -> Iterator[Element]:
    return (change for change in _whole(form) if len(change) > 2)


def _whole(form: Part) -> Iterator[Element]:
    """Yield for every element of the snapshot its id, its path, and what differs from the base."""
    yield {
        **_at("Extension"),
        "short": form.title,
        "definition": form.description,
        "min": form.minimum,
        "max": _maximum(form),
    }
    yield from _content(form, "Extension")


def _content(part: Part, parent: str) -> Iterator[Element]:
    yield _at(f"{parent}.id")
    if part.parts:
        needed = sum(inner.minimum for inner in part.parts)
        yield {**_at(f"{parent}.extension"), "slicing": _SLICING, "min": needed, "max": "*"}
        for inner in part.parts:
            yield from _slice(inner, parent)
    else:
        yield {**_at(f"{parent}.extension"), "max": "0"}
    yield {**_at(f"{parent}.url"), "fixedUri": part.url}
    if part.parts:
        yield {**_at(f"{parent}.value[x]"), "max": "0"}
        return
    value = {**_at(f"{parent}.value[x]"), "min": 1, "type": [_type(one) for one in part.types]}
    if part.only_value:
        code = part.types[0].code
        value[f"fixed{code[0].upper()}{code[1:]}"] = part.only_value
    if part.strength:
        value["binding"] = {"strength": part.strength, "valueSet": part.value_set}
    yield value


def _slice(part: Part, parent: str) -> Iterator[Element]:
    name = part.url.rpartition("/")[2]
    at = f"{parent}.extension:{name}"
    made = {
        **_at(at),
        "sliceName": name,
        "short": part.title,
        "definition": part.description,
        "min": part.minimum,
        "max": _maximum(part),
    }
    if part.elsewhere:
        yield {**made, "type": [{"code": "Extension", "profile": [part.url]}]}
        return
    yield made
    yield from _content(part, at)


def _at(element_id: str) -> Element:
    return {"id": element_id, "path": re.sub(r":[^.]+", "", element_id)}


def _maximum(part: Part) -> str:
    return "*" if part.maximum is None else str(part.maximum)


def _type(one: ValueType) -> Element:
    if one.targets:
        return {"code": one.code, "targetProfile": [_BASE_URL + target for target in one.targets]}
    return {"code": one.code}
