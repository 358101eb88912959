"""Validation of FHIR documents, and the guess of a document's FHIR version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, Final

import orjson

from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import Issue, issue
from trialconv.validators.invariants import invariant_issues, periods_are_in_order
from trialconv.validators.reference_walk import reference_issues
from trialconv.validators.references import followed_references
from trialconv.validators.schema import definitions, resources_in, schema_issues, surely_valid
from trialconv.validators.schema_messages import shortened

#: Deeper nesting is taken for garbage: no definition of FHIR calls for more than some twenty levels.
_DEEPEST: Final = 200


def validate_fhir(
    document: Mapping[str, Any], version: FhirVersion, text: bytes | None = None, *, known: Collection[str] = ()
) -> list[Issue]:
    """Judge a FHIR resource, such as a Bundle, by the official definitions of a FHIR version.

    `text` is the document as JSON without spaces, if somebody has it, or of a Bundle its resources, a line each;
    it saves writing the document once more.
    `known` are references such as `Group/abc` that may point to something outside of the document.

    Returns no Issues for a valid document, and otherwise one for each defect: `schema` and `binding` from the
    generated schemas, `invariant` for the rules of the definitions, by their keys, `reference-type`,
    `reference-unresolved` and `duplicate-id` from the references. Never raises for what the document holds.
    `target_path` is explained at `check_schema`.
    """
    if not isinstance(document, Mapping):
        return [_not_fhir(f"{shortened(document)}; expected an object")]
    if text is None:
        try:
            text = orjson.dumps(document)
        except TypeError as problem:
            return _issues_of_no_json(document, version, problem)
    followed = followed_references(document, text, known)
    if surely_valid(document if followed is None else followed, version, text) and periods_are_in_order(text):
        return [] if followed is not None else reference_issues(document, version, known)
    return (
        schema_issues(document, version)
        + reference_issues(document, version, known)
        + invariant_issues(document, version)
    )


def _not_fhir(message: str) -> Issue:
    return issue("schema", message, rule="json")


def _issues_of_no_json(document: Mapping[str, Any], version: FhirVersion, problem: TypeError) -> list[Issue]:
    """Return the Issues of a document that cannot be written as JSON; at least one."""
    if _is_deeper(document, _DEEPEST):
        return [_not_fhir(f"objects and lists are nested deeper than {_DEEPEST} levels")]
    try:
        found = schema_issues(document, version)
    except ValueError:
        found = []
    found += reference_issues(document, version) + invariant_issues(document, version)
    return found or [_not_fhir(f"the document cannot be written as JSON: {shortened(str(problem))}")]


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterator[Any]:
    held = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return (one for one in held if isinstance(one, Mapping | list))


# which version?


@cache
def _elements(version: FhirVersion, type_name: str) -> frozenset[str]:
    return frozenset(definitions(version)[type_name]["properties"])


def fitting_versions(document: Mapping[str, Any]) -> list[FhirVersion]:
    """Return the versions that know most of the elements of a resource: several where nothing tells them apart."""
    unknown = {version: found.total() for version, found in _unknown_elements(document).items()}
    return [version for version in FHIR_VERSIONS if unknown[version] == min(unknown.values())]


def infer_version(document: Mapping[str, Any]) -> tuple[FhirVersion, str]:
    """Guess the FHIR version of a resource from the elements of all resources in it, and say why.

    The version that knows most of the elements is taken, and of several such the first of R4, R4B and R5.
    """
    unknown = _unknown_elements(document)
    best = min(FHIR_VERSIONS, key=lambda version: unknown[version].total())
    worse = [version for version in FHIR_VERSIONS if unknown[version].total() > unknown[best].total()]
    if not worse:
        return "R4", "no element tells the versions apart"
    telling = sorted(name for name in unknown[worse[0]] if name not in unknown[best])
    lacking = " or ".join(version for version in FHIR_VERSIONS if telling[0] in unknown[version])
    return best, f"{shortened(telling[0])} is an element of {best} and not of {lacking}"


def _unknown_elements(document: Mapping[str, Any]) -> dict[FhirVersion, Counter[str]]:
    """Return for each version the elements that it does not know, with how often each stands in the document."""
    unknown: dict[FhirVersion, Counter[str]] = {version: Counter() for version in FHIR_VERSIONS}
    for resource in _resources(document):
        type_name = resource.get("resourceType")
        if not isinstance(type_name, str):
            continue
        for version, found in unknown.items():
            known = type_name in definitions(version).resource_types
            names = _elements(version, type_name) if known else frozenset()
            found.update(f"{type_name}.{key}" for key in resource if key not in names)
    return unknown


def _resources(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    waiting = [document]
    for resource in waiting:
        yield resource
        waiting.extend(inner for _, inner in resources_in(resource))
