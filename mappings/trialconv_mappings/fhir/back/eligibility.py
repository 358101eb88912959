"""Who may take part, read back from the Group of the study's population."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.fhir.back.bundles import Resources, exact, first, put
from trialconv_mappings.fhir.parts import Element

_M = "protocolSection.eligibilityModule."
#: The fields by the text of the characteristic's code.
_FIELDS: Final = {
    "Minimum age": "minimumAge",
    "Maximum age": "maximumAge",
    "Sex": "sex",
    "Accepts healthy volunteers": "healthyVolunteers",
    "Eligibility is based on gender": "genderBased",
    "Gender eligibility": "genderDescription",
    "Study population": "studyPopulation",
}


def read_eligibility(resources: Resources, tree: dict[str, Any]) -> None:
    """Put the criteria text and the traits of the population into the tree."""
    for group in resources.all("Group"):
        put(tree, _M + "eligibilityCriteria", exact(group, "description") or first(group, "artifact-description"))
        for trait in group.get("characteristic", ()):
            field = _FIELDS.get(exact(trait.get("code", {}), "text"))
            if field is not None:
                put(tree, _M + field, _value(trait))


def _value(trait: Element) -> Any:
    if "valueBoolean" in trait:
        return trait["valueBoolean"]
    if "valueQuantity" in trait:
        quantity = trait["valueQuantity"]
        return f"{quantity.get('value')} {quantity.get('unit')}"
    return exact(trait.get("valueCodeableConcept", {}), "text")
