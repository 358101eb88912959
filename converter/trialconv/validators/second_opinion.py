"""A second opinion on FHIR documents: the models of the library fhir.resources.

The library knows R4B and R5. It does not judge codes of required bindings, references or invariants, and it takes
"true" for true; it is slower by far. Its value is that it was written by others. The library is imported when it
is asked for, since that takes a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, UsageError, issue
from trialconv.validators.schema_messages import shortened

if TYPE_CHECKING:
    from fhir_core.fhirabstractmodel import FHIRAbstractModel


def fhir_models(document: Mapping[str, Any], version: FhirVersion) -> FHIRAbstractModel:
    """Return a document, such as a Bundle, as an object of fhir.resources.

    What stands beside the value of an extension (`_valueDate`) is left out: the library's Extension has no place
    for it. Raises UsageError for R4, which the library does not have, and for a type that it does not know, and
    pydantic.ValidationError (a ValueError) for a document that it takes for invalid.
    """
    model = _model_class(document.get("resourceType"), version)
    try:
        return model.model_validate(_held(document))
    except KeyError as problem:  # a type unknown to it, in a resource inside
        raise UsageError(f"fhir.resources has no type {shortened(problem.args[0])} in {version}") from problem


def _held(value: Any) -> Any:
    """Return the document without what stands beside the values of extensions."""
    if isinstance(value, Mapping):
        return {key: _held(item) for key, item in value.items() if key == "_value" or not key.startswith("_value")}
    return [_held(item) for item in value] if isinstance(value, list) else value


def validate_with_fhir_resources(document: Mapping[str, Any], version: FhirVersion) -> list[Issue]:
    """Return what fhir.resources has against a document, as Issues `schema` with rules `fhir.resources:...`.

    Raises UsageError for R4, of which R4B is the nearest version that the library has.
    """
    _check_version(version)
    from pydantic import ValidationError

    type_name = shortened(document.get("resourceType"))
    try:
        fhir_models(document, version)
    except ValidationError as problem:
        return [
            issue(
                "schema",
                f"{shortened(error['msg'])}: {shortened(error['input'])}",
                target_path=type_name + _path(error["loc"]),
                rule=f"fhir.resources:{error['type']}",
            )
            for error in problem.errors(include_url=False, include_context=False)
        ]
    except UsageError as problem:
        return [issue("schema", str(problem), target_path=type_name, rule="fhir.resources:resource-type")]
    return []


def _check_version(version: FhirVersion) -> None:
    if version == "R4":
        raise UsageError("fhir.resources has no R4; the nearest version that it has is R4B")


def _model_class(type_name: object, version: FhirVersion) -> type[FHIRAbstractModel]:
    _check_version(version)
    if version == "R5":
        from fhir.resources import get_fhir_model_class
    else:
        from fhir.resources.R4B import get_fhir_model_class
    try:
        return get_fhir_model_class(str(type_name))
    except (KeyError, ValueError) as problem:
        raise UsageError(f"fhir.resources has no type {shortened(type_name)} in {version}") from problem


def _path(steps: tuple[int | str, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{shortened(step)}" for step in steps)
