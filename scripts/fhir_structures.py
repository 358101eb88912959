"""Structure definitions to JSON Schema definitions.

Names of definitions are chosen so that a reader of the schema, or of an error, can tell what they mean:

    Patient, Patient.contact, HumanName   a resource type, one of its inner structures, a data type
    string, string.or-null                a primitive type, and the same as an item of a list with a sibling
    code(publication-status)              the codes of a value set that a required binding names
    Reference(Group,Patient)              a reference with the types that it may point to
    CodeableConcept(condition-clinical)   a concept of which one coding must be from a value set
    ResourceList                          any resource

A rule that is no plain keyword stands in `allOf` with its name in `$comment`.
"""

from __future__ import annotations

import re
from typing import Any

from fhir_primitives import Schema, is_primitive, or_null, primitive
from fhir_rules import SPECIAL_RULES, choice_rule, null_rule, required_rule
from fhir_valuesets import NotExpandable, Terminology

Element = dict[str, Any]

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"
_FHIR_TYPE = _CORE + "structuredefinition-fhir-type"


def ref(name: str) -> Schema:
    """Return a `$ref` to a definition."""
    return {"$ref": f"#/$defs/{name}"}


class Builder:
    """Makes the definitions of one FHIR version. `definitions` and `not_expanded` are the result."""

    def __init__(self, structures: dict[str, Element], terminology: Terminology) -> None:
        self._structures = structures
        self._terminology = terminology
        self._value_set_names: dict[str, str] = {}
        self.resource_types = sorted(
            name
            for name, one in structures.items()
            if one["kind"] == "resource" and not one["abstract"] and one.get("derivation") == "specialization"
        )
        self.definitions: dict[str, Schema] = {}
        self.not_expanded: dict[str, str] = {}

    def build(self) -> None:
        """Make the definitions of all concrete resource types and data types."""
        for name, one in self._structures.items():
            concrete = one["kind"] in ("resource", "complex-type") and not one["abstract"]
            if concrete and one.get("derivation") == "specialization":
                self._structure(name)
        self._structure("Element")
        self.definitions["ResourceList"] = {"oneOf": [ref(name) for name in self.resource_types]}
        self._drop_unused()

    def _drop_unused(self) -> None:
        """Drop the helping definitions that nothing needs, such as codes that occur in lists only."""
        used = set(re.findall(r"#/\$defs/([^']+)'", repr(self.definitions)))
        for name in set(self.definitions) - used:
            if "(" in name or name[0].islower():
                del self.definitions[name]

    def _structure(self, name: str) -> None:
        elements = self._structures[name]["snapshot"]["element"]
        parents = {path.rpartition(".")[0] for path in (element["path"] for element in elements)}
        for element in elements:
            path = element["path"]
            if path in parents:
                children = [one for one in elements if one["path"].rpartition(".")[0] == path]
                self._object(path, children, parents)

    def _object(self, path: str, children: list[Element], parents: set[str]) -> None:
        made = _Object(path)
        if path in self.resource_types:
            made.properties["resourceType"] = {"const": path}
            made.required.append("resourceType")
        for element in children:
            self._element(made, element, path, parents)
        if path == "Reference":
            made.properties["reference"] = {"type": "string", "pattern": _reference_pattern("[A-Z][A-Za-z]+")}
        self.definitions[path] = made.schema()

    def _element(self, made: _Object, element: Element, owner: str, parents: set[str]) -> None:
        variants: list[tuple[str, ...]] = []
        for name, type_name, one in variants_of(element):
            item, sibling = self._item(element, type_name, one, owner, parents)
            repeats = element["max"] != "1"
            made.properties[name] = self._listed(item, element, sibling) if repeats else item
            if sibling:
                extensions = ref("Element")
                made.properties["_" + name] = self._listed(extensions, element, True) if repeats else extensions
            if sibling and repeats:
                made.rules.append(null_rule(name))
            variants.append((name, "_" + name) if sibling else (name,))
        made.add_cardinality(element, variants)

    def _listed(self, item: Schema, element: Element, nullable: bool) -> Schema:
        made: Schema = {"type": "array", "minItems": 1}
        made["items"] = self._or_null(item) if nullable else item
        if element["max"] != "*":
            made["maxItems"] = int(element["max"])
        return made

    def _or_null(self, item: Schema) -> Schema:
        name = item["$ref"].removeprefix("#/$defs/")
        if name == "Element":
            self.definitions["Element.or-null"] = {"anyOf": [{"type": "null"}, ref("Element")]}
        else:
            self.definitions[f"{name}.or-null"] = or_null(self.definitions[name])
        return ref(f"{name}.or-null")

    def _item(
        self, element: Element, type_name: str, one: Element, owner: str, parents: set[str]
    ) -> tuple[Schema, bool]:
        """Return the schema of one value of an element, and whether it has a sibling for extensions."""
        if "contentReference" in element:
            return ref(element["contentReference"].rpartition("#")[2]), False
        if type_name == _SYSTEM_STRING:
            return self._primitive(_plain_type(element, one, owner in self.resource_types)), False
        if element["path"] in parents:
            return ref(element["path"]), False
        if type_name == "code":
            return self._code(element), True
        if is_primitive(type_name):
            return self._primitive(type_name), type_name != "xhtml"
        return self._complex(element, type_name, one), False

    def _primitive(self, name: str) -> Schema:
        self.definitions[name] = primitive(name)
        return ref(name)

    def _complex(self, element: Element, type_name: str, one: Element) -> Schema:
        profiles = [profile.rpartition("/")[2] for profile in one.get("profile", ())]
        if type_name == "Resource":
            narrowed = len(profiles) == 1 and profiles[0] in self.resource_types
            return ref(profiles[0] if narrowed else "ResourceList")
        if type_name in ("Reference", "CodeableReference"):
            return self._reference(type_name, one)
        if type_name == "Quantity" and profiles == ["SimpleQuantity"]:
            return self._simple_quantity()
        if type_name in ("CodeableConcept", "Coding"):
            return self._concept(element, type_name)
        return ref(type_name)

    # required bindings

    def _bound_codes(self, element: Element) -> tuple[str, dict[str, list[str]]] | None:
        """Return the short name and the codes by system of a required binding; None without one."""
        binding = element.get("binding", {})
        if binding.get("strength") != "required" or "valueSet" not in binding:
            return None
        url = binding["valueSet"].split("|", 1)[0]
        try:
            codes = self._terminology.expand(url)
        except NotExpandable as reason:
            self.not_expanded[url] = str(reason)
            return None
        by_system: dict[str, list[str]] = {}
        for system, code in sorted(codes):
            by_system.setdefault(system, []).append(code)
        return self._value_set_name(url), by_system

    def _value_set_name(self, url: str) -> str:
        name = url.rstrip("/").rpartition("/")[2]
        if self._value_set_names.setdefault(name, url) != url:
            raise ValueError(f"two value sets are called {name}: {url} and {self._value_set_names[name]}")
        return name

    def _code(self, element: Element) -> Schema:
        bound = self._bound_codes(element)
        if bound is None:
            return self._primitive("code")
        name = f"code({bound[0]})"
        self.definitions[name] = {"enum": sorted({code for codes in bound[1].values() for code in codes})}
        return ref(name)

    def _concept(self, element: Element, type_name: str) -> Schema:
        bound = self._bound_codes(element)
        if bound is None:
            return ref(type_name)
        name, by_system = bound
        coding: Schema = {
            "anyOf": [
                {
                    "required": ["code", "system"],
                    "properties": {"code": {"enum": codes}, "system": {"const": system}},
                }
                for system, codes in by_system.items()
            ]
        }
        rule = f"required-binding:{name}"
        if type_name == "CodeableConcept":
            coding = {"properties": {"coding": {"contains": coding}}, "required": ["coding"]}
        full_name = f"{type_name}({name})"
        self.definitions[full_name] = {"allOf": [ref(type_name), {"$comment": rule, **coding}]}
        return ref(full_name)

    # data types that a profile or a list of targets narrows

    def _simple_quantity(self) -> Schema:
        if "SimpleQuantity" not in self.definitions:
            self._structure("Quantity")
            quantity = self.definitions["Quantity"]
            properties = {**quantity["properties"], "comparator": False, "_comparator": False}
            self.definitions["SimpleQuantity"] = {**quantity, "properties": properties}
        return ref("SimpleQuantity")

    def _reference(self, type_name: str, one: Element) -> Schema:
        targets = self._targets(one)
        if type_name == "CodeableReference":
            return self._codeable_reference(targets)
        if "Reference" not in self.definitions:
            self._structure("Reference")
        if not targets:
            return ref("Reference")
        name = f"Reference({','.join(targets)})"
        plain = self.definitions["Reference"]
        narrowed = {
            "reference": {"type": "string", "pattern": _reference_pattern("(?:" + "|".join(targets) + ")")},
            "type": {"enum": [*targets, *(_CORE + target for target in targets)]},
        }
        self.definitions[name] = {**plain, "properties": {**plain["properties"], **narrowed}}
        return ref(name)

    def _codeable_reference(self, targets: list[str]) -> Schema:
        if not targets:
            return ref("CodeableReference")
        self._structure("CodeableReference")
        plain = self.definitions["CodeableReference"]
        inner = self._reference("Reference", {"targetProfile": [_CORE + target for target in targets]})
        name = f"CodeableReference({','.join(targets)})"
        self.definitions[name] = {**plain, "properties": {**plain["properties"], "reference": inner}}
        return ref(name)

    def _targets(self, one: Element) -> list[str]:
        """Return the resource types that a reference may point to; an empty list stands for all."""
        targets = set()
        for profile in one.get("targetProfile", ()):
            name = profile.rpartition("/")[2]
            target = self._structures[name]["type"] if name in self._structures else name
            if target not in self.resource_types:
                return []
            targets.add(target)
        return sorted(targets)


class _Object:
    """An object's definition in the making."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.properties: dict[str, Schema] = {}
        self.required: list[str] = []
        self.rules: list[Schema] = []

    def add_cardinality(self, element: Element, variants: list[tuple[str, ...]]) -> None:
        """Demand an element that must be there, and forbid two types of one choice."""
        needed = element["min"] > 0
        if self.path == "Extension" and element["path"] == "Extension.value[x]":
            self.rules.append(SPECIAL_RULES["ext-1"](variants))
        elif len(variants) > 1:
            self.rules.append(choice_rule(element["path"].rpartition(".")[2], variants, needed=needed))
        elif needed and len(variants[0]) > 1:
            self.rules.append(required_rule(variants[0][0]))
        elif needed:
            self.required.append(variants[0][0])

    def schema(self) -> Schema:
        """Return the definition."""
        made: Schema = {
            "type": "object",
            "properties": self.properties,
            "additionalProperties": False,
            "minProperties": 1,
        }
        if self.required:
            made["required"] = sorted(self.required)
        if self.rules:
            made["allOf"] = self.rules
        return made


def variants_of(element: Element) -> list[tuple[str, str, Element]]:
    """Return the JSON names of an element, each with its type's name and definition."""
    name = element["path"].rpartition(".")[2]
    types = element.get("type", [{"code": ""}])
    if not name.endswith("[x]"):
        return [(name, types[0]["code"], types[0])]
    stem = name.removesuffix("[x]")
    return [(stem + one["code"][0].upper() + one["code"][1:], one["code"], one) for one in types]


def _plain_type(element: Element, one: Element, of_resource: bool) -> str:
    """Return the FHIR type of an element without extensions: ids and the url of an extension.

    R4 types Resource.id as string there, against its own text (https://hl7.org/fhir/R4/resource.html#id).
    """
    if element["path"].endswith(".id"):
        return "id" if of_resource else "string"
    found: list[str] = [more["valueUrl"] for more in one.get("extension", ()) if more["url"] == _FHIR_TYPE]
    return found[0] if found else "string"


def _reference_pattern(types: str) -> str:
    """Return the pattern of Reference.reference (https://hl7.org/fhir/R5/references.html#literal).

    A fragment, an absolute URL, a relative reference to one of the types, or a search on one of them.
    """
    instance = r"/[A-Za-z0-9.\-]+(?:/_history/[A-Za-z0-9.\-]+)?(?:#[^\x00-\x20]*)?"
    absolute = r"[A-Za-z][A-Za-z0-9+.\-]*:[^\x00-\x20]+"
    return rf"^(?:#[^\x00-\x20]*|{absolute}|{types}(?:{instance}|\?[^\x00-\x20]+))$"
