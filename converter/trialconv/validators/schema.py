"""FHIR resources against the strict JSON Schemas of `_generated`.

The schemas are made by scripts/generate_fhir_schemas.py. Of each only the definitions that a resource type needs
are parsed and compiled, when the type is first seen. A resource inside another (in a Bundle's entry, in
`contained`, in Parameters) is judged by the validator of its own type, so that no validator holds all types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs
import orjson

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, issue
from trialconv.validators.narrative import narrative_problem
from trialconv.validators.quick_schema import quick_definitions
from trialconv.validators.schema_messages import explain, shortened

Schema = dict[str, Any]

#: The resource types of a converted study. They share most of their definitions, and compiling them together
#: takes little longer than compiling one.
STUDY_TYPES: Final = frozenset(
    {
        "ActivityDefinition",
        "Basic",
        "Bundle",
        "DocumentReference",
        "EvidenceVariable",
        "Group",
        "Location",
        "OperationOutcome",
        "Organization",
        "PlanDefinition",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "ResearchStudy",
    }
)

#: Any resource, as far as the resource around it is concerned.
_SOME_RESOURCE: Final[Schema] = {
    "type": "object",
    "properties": {"resourceType": {"type": "string"}},
    "required": ["resourceType"],
}

_REFERENCED = re.compile(rb'"\$ref":"#/\$defs/([^"]+)"')


class Definitions:
    """The definitions of one FHIR version, parsed when asked for. The file has one on each line."""

    def __init__(self, text: bytes, version: FhirVersion) -> None:
        self.version = version
        self._lines: dict[str, bytes] = {}
        _, _, body = text.partition(b'"$defs":{\n')
        for line in body.split(b"\n"):
            name, found, rest = line.partition(b'":{')
            if found:
                self._lines[name[1:].decode()] = b"{" + rest.rstrip(b",")
        self._parsed: dict[str, tuple[Schema, tuple[str, ...]]] = {}
        everything = orjson.loads(self._lines["ResourceList"])["oneOf"]
        self.resource_types = frozenset(one["$ref"].rpartition("/")[2] for one in everything)

    def __contains__(self, name: str) -> bool:
        return name in self._lines

    def __getitem__(self, name: str) -> Schema:
        return self._entry(name)[0]

    def _entry(self, name: str) -> tuple[Schema, tuple[str, ...]]:
        if name not in self._parsed:
            line = self._lines[name]
            names = tuple(sorted({found.decode() for found in _REFERENCED.findall(line)}))
            self._parsed[name] = orjson.loads(line), names
        return self._parsed[name]

    def demand(self, key: str, place: str) -> str:
        """Return what an invariant demands, in its definition's words; `place` tells which, of one key."""
        known = [one for one in _invariants()[self.version] if one["key"] == key]
        here = [one for one in known if any(f"{on}.".startswith(f"{place}.") for on in one["on"])]
        return str((here or known or [{"human": "an invariant of the type is broken"}])[0]["human"])

    def reachable(self, names: Iterable[str]) -> dict[str, Schema]:
        """Return the named definitions and all that they need, without going into resources inside resources."""
        found: dict[str, Schema] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            if name == "ResourceList":
                found[name] = _SOME_RESOURCE
                continue
            found[name], needed = self._entry(name)
            waiting.extend(needed)
        return found


@cache
def definitions(version: FhirVersion) -> Definitions:
    """Return the definitions of a FHIR version."""
    return Definitions(_generated(f"fhir-{version.lower()}.schema.json"), version)


@cache
def _invariants() -> dict[str, list[dict[str, Any]]]:
    """Return all invariants by FHIR version, as scripts/fhir_invariants.py lists them."""
    found: dict[str, list[dict[str, Any]]] = orjson.loads(_generated("invariants.json"))
    return found


def _generated(name: str) -> bytes:
    return files("trialconv.validators").joinpath("_generated", name).read_bytes()


# Control characters other than tab, CR and LF, as JSON writes them. The second pattern looks whether the backslash
# is none that another one escapes.
_ESCAPE = re.compile(rb"\\(?:u00|b|f)")
_CONTROL_CHARACTER = re.compile(rb"(?<!\\)(?:\\\\)*\\(?:u00|b|f)")


@cache
def compiled(version: FhirVersion, types: frozenset[str], *, quick: bool = False) -> jsonschema_rs.Validator:
    """Return a validator of objects that hold, under the name of each type, a list of such resources.

    A quick one is right about what it accepts: see `quick_definitions`.
    """
    needed = definitions(version).reachable(types)
    if quick:
        needed = quick_definitions(needed)
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {name: {"items": {"$ref": f"#/$defs/{name}"}} for name in sorted(types)},
        "$defs": needed,
    }
    return jsonschema_rs.Draft202012Validator(schema, pattern_options=jsonschema_rs.RegexOptions())


def _compiled_for(version: FhirVersion, type_name: str, *, quick: bool = False) -> jsonschema_rs.Validator:
    types = STUDY_TYPES if type_name in STUDY_TYPES else frozenset((type_name,))
    return compiled(version, types, quick=quick)


def check_schema(document: Mapping[str, Any], version: FhirVersion, text: bytes | None = None) -> list[Issue]:
    """Return the Issues of a resource, and of all resources in it, against the schema of the FHIR version.

    `text` is the document as JSON, if somebody has it. `target_path` is the element path with positions from 0,
    such as `Bundle.entry[3].resource(Location/abc).position.latitude`; the types and ids of resources inside
    others stand in brackets. Raises TypeError for something that cannot be written as JSON.
    """
    if surely_valid(document, version, orjson.dumps(document) if text is None else text):
        return []
    return schema_issues(document, version)


def surely_valid(document: Mapping[str, Any], version: FhirVersion, text: bytes) -> bool:
    """Say whether a resource, and all in it, is valid and breaks no invariant but per-1; False in doubt.

    `text` is the document as JSON. False for what is no resource.
    """
    if b"\\" in text and _ESCAPE.search(text) and _CONTROL_CHARACTER.search(text):
        return False
    try:
        by_type = _by_type(document)
        if "Bundle" in by_type:
            by_type["Bundle"] = [_with_one_of_each_form(bundle) for bundle in by_type["Bundle"]]
        if by_type.keys() <= STUDY_TYPES:
            valid = compiled(version, STUDY_TYPES, quick=True).is_valid(by_type)
        else:
            valid = by_type.keys() <= definitions(version).resource_types and all(
                _compiled_for(version, name, quick=True).is_valid({name: found}) for name, found in by_type.items()
            )
        return valid and all(
            narrative_problem(resource["text"]["div"]) is None
            for resources in by_type.values()
            for resource in resources
            if "text" in resource
        )
    except (AttributeError, KeyError, TypeError):
        return False


def _with_one_of_each_form(bundle: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a bundle with its first entry alone, if every entry stores its resource under its own id.

    Such entries differ in the type and the id only, which the resource's own schema judges.
    """
    entries = bundle.get("entry", ())
    base = None
    try:
        for entry in entries:
            resource, request = entry["resource"], entry["request"]
            path = f"{resource['resourceType']}/{resource['id']}"
            if base is None:
                base = entry["fullUrl"].removesuffix(path)
            if entry["fullUrl"] != base + path or request != {"method": "PUT", "url": path} or len(entry) != 3:
                return bundle
    except (AttributeError, KeyError, TypeError):
        return bundle
    return {**bundle, "entry": entries[:1]} if len(entries) > 1 else bundle


def _by_type(document: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    waiting = [document]
    for resource in waiting:
        type_name: str = resource["resourceType"]
        if type_name in by_type:
            by_type[type_name].append(resource)
        else:
            by_type[type_name] = [resource]
        if type_name == "Bundle":
            for entry in resource.get("entry", ()):
                if "resource" in entry:
                    waiting.append(entry["resource"])
                if "response" in entry and "outcome" in entry["response"]:
                    waiting.append(entry["response"]["outcome"])
        elif "contained" in resource or type_name == "Parameters":
            waiting.extend(inner for _, inner in resources_in(resource))
    return by_type


# resources inside resources


def resources_in(resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the resources directly inside a resource, with their paths in it; skip what is no object."""
    for position, inner in enumerate(_listed(resource.get("contained"))):
        if isinstance(inner, dict):
            yield f"contained[{position}]", inner
    type_name = resource.get("resourceType")
    if type_name == "Bundle":
        yield from _in_bundle(resource)
    elif type_name == "Parameters":
        yield from _in_parameters(resource, "parameter", "")


def _in_bundle(bundle: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for position, entry in enumerate(_listed(bundle.get("entry"))):
        if not isinstance(entry, dict):
            continue
        inner = entry.get("resource")
        if isinstance(inner, dict):
            yield f"entry[{position}].resource", inner
        response = entry.get("response")
        outcome = response.get("outcome") if isinstance(response, dict) else None
        if isinstance(outcome, dict):
            yield f"entry[{position}].response.outcome", outcome


def _in_parameters(holder: Mapping[str, Any], key: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for position, part in enumerate(_listed(holder.get(key))):
        if not isinstance(part, dict):
            continue
        place = f"{path}{key}[{position}]"
        inner = part.get("resource")
        if isinstance(inner, dict):
            yield f"{place}.resource", inner
        yield from _in_parameters(part, "part", f"{place}.")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def label(resource: Mapping[str, Any]) -> str:
    """Return how a resource inside another is named in a path: its type and id in brackets."""
    type_name, own_id = resource.get("resourceType"), resource.get("id")
    parts = [shortened(part) for part in (type_name, own_id) if isinstance(part, str) and part]
    return f"({'/'.join(parts)})" if parts else ""


# everything that is wrong, with its place


def schema_issues(document: Mapping[str, Any], version: FhirVersion) -> list[Issue]:
    """Return what `check_schema` does, without the short cuts for valid documents.

    Raises ValueError for something that JSON cannot hold.
    """
    found: list[Issue] = []
    type_name = document.get("resourceType")
    waiting = [(shortened(type_name) if isinstance(type_name, str) else "", document)]
    while waiting:
        path, resource = waiting.pop(0)
        found.extend(_issues_of(resource, path, version))
        waiting.extend((f"{path}.{place}{label(inner)}", inner) for place, inner in resources_in(resource))
    return found


def _issues_of(resource: Mapping[str, Any], path: str, version: FhirVersion) -> Iterator[Issue]:
    type_name = resource.get("resourceType")
    known = definitions(version)
    if not isinstance(type_name, str) or type_name not in known.resource_types:
        shown = "no resourceType" if type_name is None else f"the resourceType {shortened(type_name)}"
        message = f"{shown}; expected the name of a resource type of FHIR {version}"
        yield issue("schema", message, target_path=path, rule="resource-type")
        return
    validator = _compiled_for(version, type_name)
    errors = list(validator.iter_errors({type_name: [resource]}))
    yield from explain(errors, known, path)
