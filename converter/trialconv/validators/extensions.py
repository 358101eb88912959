"""Extensions of a FHIR document against the table of extensions: where they stand, what they hold, how often.

The rules are those of https://hl7.org/fhir/R4/extensibility.html and of the definitions of the extensions. An
extension that the table does not have is named and not judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, issue
from trialconv.validators.reference_links import all_links
from trialconv.validators.schema import definitions, label, resources_in
from trialconv.validators.schema_messages import shortened
from trialconv_mappings.extensions import BASE, Extension, Part, extensions

_LISTS: Final = ("extension", "modifierExtension")
#: What an element is called in the contexts of extensions: its paths from the types around it, and its type.
Names = frozenset[str]
_IN_EXTENSION: Final[Names] = frozenset(("Extension",))


def check_extensions(document: Mapping[str, Any], version: FhirVersion, base: str = BASE) -> list[Issue]:
    """Return the Issues about the extensions of a resource and of all resources in it.

    `extension-misused` for a wrong place, value, part or number of an extension of the table, with paths as
    those of `check_schema`; `extension-unknown`, once for each url, for others. `base` is that of trialconv's own
    urls. Never raises for what the document holds, if it is nested no deeper than orjson can write.
    """
    check = _Check(version, extensions(version, base))
    check.resource(document, shortened(_type_of(document)))
    return check.found


def _type_of(resource: Mapping[str, Any]) -> str:
    found = resource.get("resourceType")
    return found if isinstance(found, str) else ""


@cache
def _children(version: FhirVersion, definition: str) -> dict[str, str]:
    return all_links(version, definition) if definition in definitions(version) else {}


@cache
def _names(version: FhirVersion, definition: str, key: str, around: Names) -> Names:
    """Return the names of the element `key`, of which `definition` is the definition, in an element with names."""
    name = key.removeprefix("_")
    own = _children(version, definition).get(name, "") if name != key else ""
    own_type = own.partition("(")[0]
    found = {f"{outer}.{name}" for outer in around}
    return frozenset(found | {own_type}) if own_type else frozenset(found)


class _Check:
    """One walk through a document."""

    def __init__(self, version: FhirVersion, known: Mapping[str, Extension]) -> None:
        self._version = version
        self._known = known
        self._unknown: set[str] = set()
        self.found: list[Issue] = []

    def resource(self, top: Mapping[str, Any], path: str) -> None:
        """Note what is wrong in a resource, then in those inside it."""
        waiting = [(path, top)]
        for at, resource in waiting:
            name = _type_of(resource)
            self._element(resource, name, frozenset((name,)), at)
            waiting += [(f"{at}.{place}{label(inner)}", inner) for place, inner in resources_in(resource)]

    def _element(self, element: Mapping[str, Any], definition: str, names: Names, path: str) -> None:
        children = _children(self._version, definition)
        for key, value in element.items():
            if not isinstance(value, dict | list):
                continue
            if key in _LISTS:
                self._listed(value, names, "", f"{path}.{key}")
                continue
            child = children.get(key, "ResourceList")
            if child == "ResourceList":
                continue
            inner_names = self._names_of(definition, child, key, names)
            if isinstance(value, dict):
                self._element(value, child, inner_names, f"{path}.{key}")
                continue
            for position, one in enumerate(value):
                if isinstance(one, dict):
                    self._element(one, child, inner_names, f"{path}.{key}[{position}]")

    def _names_of(self, definition: str, child: str, key: str, names: Names) -> Names:
        found = _names(self._version, definition, key, names)
        return found if key.startswith("_") else found | {child.partition("(")[0]}

    def _listed(self, value: Any, names: Names, holder: str, path: str) -> None:
        """Note what is wrong with the extensions of an element, or with those of the extension `holder`."""
        if not isinstance(value, list):
            return
        numbers: Counter[str] = Counter()
        for position, one in enumerate(value):
            url = one.get("url") if isinstance(one, dict) else None
            if isinstance(url, str):
                numbers[url] += 1
                self._extension(one, url, names, holder, f"{path}[{position}]")
        self._numbers(numbers, path)

    def _numbers(self, numbers: Mapping[str, int], path: str) -> None:
        """Note extensions that stand more often in one place than they may."""
        for url, number in numbers.items():
            row = self._known.get(url)
            if row and row.form.maximum is not None and number > row.form.maximum:
                message = f"{shortened(url)} stands {number} times; {row.form.maximum} allowed"
                self._misused(message, path, "number")

    def _extension(self, one: Mapping[str, Any], url: str, names: Names, holder: str, path: str) -> None:
        row = self._known.get(url)
        if row is None:
            if url not in self._unknown:
                self._unknown.add(url)
                message = f"{shortened(url)} is not in the table of extensions and was not judged"
                self.found.append(issue("extension-unknown", message, target_path=path))
            self._value(one, path)
            return
        if not _is_at_home(row, names, holder):
            places = ", ".join((*row.elements, *row.extensions))
            self._misused(f"{shortened(url)} does not belong here; expected in {places}", path, "context")
        self._form(one, row.form, path)

    def _form(self, one: Mapping[str, Any], form: Part, path: str) -> None:
        """Note what is wrong with an extension, or a part of one, that has found its place."""
        values = dict.fromkeys(key.removeprefix("_") for key in one if key.startswith(("value", "_value")))
        if form.parts:
            if values:
                self._misused(f"{shortened(form.url)} has a value; expected parts", path, "value")
            self._parts(one.get("extension"), form, f"{path}.extension")
            return
        allowed = {f"value{kind.code[0].upper()}{kind.code[1:]}": kind.targets for kind in form.types}
        if not values:
            self._misused(f"{shortened(form.url)} has no value; expected {' or '.join(allowed)}", path, "value")
        for key in values:
            if key not in allowed:
                message = f"{shortened(form.url)} has {shortened(key)}; expected {' or '.join(allowed)}"
                self._misused(message, path, "value")
            elif form.only_value and one.get(key) != form.only_value:
                self._misused(f"{shortened(form.url)} must be {form.only_value!r}", path, "value")
            elif allowed[key]:
                self._reference(one.get(key), allowed[key], f"{path}.{key}")
        self._value(one, path)

    def _parts(self, value: Any, form: Part, path: str) -> None:
        parts = {part.url: part for part in form.parts}
        numbers: Counter[str] = Counter()
        for position, one in enumerate(value if isinstance(value, list) else ()):
            url = one.get("url") if isinstance(one, dict) else None
            if not isinstance(url, str):
                continue
            numbers[url] += 1
            part, at = parts.get(url), f"{path}[{position}]"
            if part and not part.elsewhere:
                self._form(one, part, at)
            elif part or ":" in url:
                self._extension(one, url, frozenset(), form.url, at)
            else:
                message = f"{shortened(form.url)} has no part {shortened(url)}; expected {', '.join(parts)}"
                self._misused(message, at, "part")
        for url, part in parts.items():
            number = numbers.pop(url, 0)
            if number < part.minimum or (part.maximum is not None and number > part.maximum):
                most = "*" if part.maximum is None else part.maximum
                self._misused(f"{number} of {shortened(url)}; expected {part.minimum}..{most}", path, "number")
        self._numbers(numbers, path)

    def _value(self, one: Mapping[str, Any], path: str) -> None:
        """Note what is wrong with the extensions inside the value of an extension."""
        if _holds_more(one):
            self._element(one, "Extension", _IN_EXTENSION, path)

    def _reference(self, value: Any, targets: tuple[str, ...], path: str) -> None:
        pointer = value.get("reference") if isinstance(value, dict) else None
        kind, found, _ = pointer.partition("/") if isinstance(pointer, str) else ("", "", "")
        if found and kind.isalpha() and "Resource" not in targets and kind not in targets:
            message = f"{shortened(pointer)} is a reference to {kind}; expected {', '.join(targets)}"
            self._misused(message, path, "reference")

    def _misused(self, message: str, path: str, rule: str) -> None:
        self.found.append(issue("extension-misused", message, target_path=path, rule=rule))


def _holds_more(one: Mapping[str, Any]) -> bool:
    return any(isinstance(value, dict) for value in one.values()) or "extension" in one


def _is_at_home(row: Extension, names: Names, holder: str) -> bool:
    if "Element" in row.elements or holder in row.extensions:
        return True
    return not names.isdisjoint(row.elements)
