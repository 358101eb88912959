"""Retired or not: what FHIR calls the end of a publication, which says nothing about the trial.

PlanDefinition, ActivityDefinition and EvidenceVariable have a publication status in every version, ResearchStudy
has one in R5. R4's `ResearchStudy.status` is the status of the trial: there the publication status stands in the
extension http://hl7.org/fhir/StructureDefinition/artifact-status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trialconv.formats import FhirVersion

#: https://hl7.org/fhir/extensions/StructureDefinition-artifact-status.html. HL7 gives it to the types that have no
#: publication status of their own; the ballot of the package's version 5.3.0 no longer lists R4's ResearchStudy.
ARTIFACT_STATUS: Final = "http://hl7.org/fhir/StructureDefinition/artifact-status"
_PUBLISHED: Final = frozenset({"PlanDefinition", "ActivityDefinition", "EvidenceVariable"})
_RETIRED: Final = "retired"


def can_retire(resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource is a publication; parties, sites and groups are not."""
    return resource["resourceType"] in _PUBLISHED or resource["resourceType"] == "ResearchStudy"


def is_retired(resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource is retired, in either way. No trial has a status of that name."""
    if not can_retire(resource):
        return False
    return resource.get("status") == _RETIRED or any(
        each.get("url") == ARTIFACT_STATUS and each.get("valueCode") == _RETIRED
        for each in resource.get("extension", ())
    )


def retired(resource: Mapping[str, Any], version: FhirVersion) -> dict[str, Any]:
    """Return a resource as a retired one, with everything else as it was."""
    if resource["resourceType"] in _PUBLISHED or version == "R5":
        return {**resource, "status": _RETIRED}
    others = [each for each in resource.get("extension", ()) if each.get("url") != ARTIFACT_STATUS]
    return {**resource, "extension": [*others, {"url": ARTIFACT_STATUS, "valueCode": _RETIRED}]}
