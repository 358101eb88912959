"""Changes that each make a valid FHIR resource invalid in one way, and the Issue that each must give."""

from __future__ import annotations

import copy
from typing import Any, Final, NamedTuple

from fhir_valid import BASE, STUDY, Resource, entry, extension, organization, valid_resources
from trialconv.formats import FHIR_VERSIONS, FhirVersion

REMOVED: Final = object()
ALL: Final = FHIR_VERSIONS
BEFORE_R5: Final[tuple[FhirVersion, ...]] = ("R4", "R4B")
ONLY_R5: Final[tuple[FhirVersion, ...]] = ("R5",)


class Defect(NamedTuple):
    """A change that makes a resource invalid, and the one Issue that is due: its code, rule and path.

    `changes` has the new values, or REMOVED, by the places in the resource (`name.0.family`).
    """

    name: str
    base: str
    changes: dict[str, Any]
    rule: str
    path: str
    code: str = "schema"
    versions: tuple[FhirVersion, ...] = ALL

    def document(self, version: FhirVersion) -> Resource:
        """Return the invalid resource."""
        made = copy.deepcopy(valid_resources(version)[self.base])
        for place, value in self.changes.items():
            _change(made, place.split("."), value)
        return made


def _change(holder: Any, steps: list[str], value: Any) -> None:
    for step in steps[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    key: Any = int(steps[-1]) if isinstance(holder, list) else steps[-1]
    if value is REMOVED:
        del holder[key]
    else:
        holder[key] = value


_ORG = f"Bundle.entry[3].resource(Organization/{STUDY}-sponsor)"
_QUANTITY = "Observation.valueQuantity"
_LONG_ID = "a" * 65
_TOO_MANY_DAYS = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "days"}}
_BOTH = extension(valueCode="x", extension=[extension(valueCode="y")])

DEFECTS: Final[tuple[Defect, ...]] = (
    # codes
    Defect(
        "code of another value set",
        "study",
        {"status": "recruiting"},
        "required-binding:research-study-status",
        "ResearchStudy.status",
        "binding",
        BEFORE_R5,
    ),
    Defect(
        "code of an older version",
        "study",
        {"status": "approved"},
        "required-binding:publication-status",
        "ResearchStudy.status",
        "binding",
        ONLY_R5,
    ),
    Defect(
        "code in a resource", "group", {"type": "human"}, "required-binding:group-type", "Group.type", "binding"
    ),
    Defect(
        "code in a data type",
        "patient",
        {"telecom.0.system": "mail"},
        "required-binding:contact-point-system",
        "Patient.telecom[0].system",
        "binding",
    ),
    Defect(
        "code in an inner structure",
        "plan",
        {"action.0.cardinalityBehavior": "many"},
        "required-binding:action-cardinality-behavior",
        "PlanDefinition.action[0].cardinalityBehavior",
        "binding",
    ),
    Defect(
        "unit of time",
        "activity",
        {"timingTiming": _TOO_MANY_DAYS},
        "required-binding:units-of-time",
        "ActivityDefinition.timingTiming.repeat.periodUnit",
        "binding",
    ),
    Defect(
        "code in a list",
        "activity",
        {"timingTiming.repeat.dayOfWeek.0": "Monday"},
        "required-binding:days-of-week",
        "ActivityDefinition.timingTiming.repeat.dayOfWeek[0]",
        "binding",
    ),
    Defect(
        "code in a Bundle's entry",
        "bundle",
        {"entry.1.resource.type": "human"},
        "required-binding:group-type",
        f"Bundle.entry[1].resource(Group/{STUDY}-eligibility).type",
        "binding",
    ),
    Defect(
        "code of a request",
        "bundle",
        {"entry.0.request.method": "put"},
        "required-binding:http-verb",
        "Bundle.entry[0].request.method",
        "binding",
        BEFORE_R5,
    ),
    Defect(
        "number for a code",
        "patient",
        {"gender": 1},
        "required-binding:administrative-gender",
        "Patient.gender",
        "binding",
    ),
    # what must be there
    Defect("primitive missing", "observation", {"status": REMOVED}, "cardinality", "Observation.status"),
    Defect(
        "primitive missing in an inner structure",
        "group",
        {"characteristic.0.exclude": REMOVED},
        "cardinality",
        "Group.characteristic[0].exclude",
    ),
    Defect("complex element missing", "observation", {"code": REMOVED}, "cardinality", "Observation.code"),
    Defect(
        "choice missing",
        "group",
        {"characteristic.0.valueCodeableConcept": REMOVED},
        "cardinality",
        "Group.characteristic[0].value[x]",
    ),
    Defect(
        "url of an extension missing",
        "patient",
        {"extension.0.url": REMOVED},
        "cardinality",
        "Patient.extension[0].url",
    ),
    Defect("empty list", "patient", {"telecom": []}, "empty", "Patient.telecom"),
    Defect("empty object", "patient", {"contact.0": {}}, "empty", "Patient.contact[0]"),
    Defect("empty extension", "patient", {"extension.0": {}}, "empty", "Patient.extension[0]"),
    Defect("empty text", "patient", {"name.0.family": ""}, "string-format", "Patient.name[0].family"),
    Defect("null", "patient", {"birthDate": None}, "type", "Patient.birthDate"),
    Defect("null for an object", "patient", {"contact.0": None}, "type", "Patient.contact[0]"),
    Defect(
        "null in a list without a sibling",
        "location",
        {"address.line": ["a", None]},
        "null",
        "Location.address.line",
    ),
    # what must not be there
    Defect("unknown element", "patient", {"colour": "red"}, "unknown-element", "Patient.colour"),
    Defect(
        "unknown inner element",
        "patient",
        {"contact.0.colour": "red"},
        "unknown-element",
        "Patient.contact[0].colour",
    ),
    Defect("two types of a choice", "patient", {"deceasedDateTime": "2020"}, "choice", "Patient.deceased[x]"),
    Defect(
        "two types of a needed choice",
        "group",
        {"characteristic.0.valueBoolean": True},
        "choice",
        "Group.characteristic[0].value[x]",
    ),
    Defect(
        "type not of the choice",
        "patient",
        {"multipleBirthInteger": REMOVED, "multipleBirthString": "2"},
        "unknown-element",
        "Patient.multipleBirthString",
    ),
    Defect(
        "two types of an extension's value",
        "patient",
        {"extension.0.valueString": "x"},
        "ext-1",
        "Patient.extension[0]",
        "invariant",
    ),
    Defect("list for one", "patient", {"birthDate": ["2000"]}, "type", "Patient.birthDate"),
    Defect("one for a list", "patient", {"name": {"text": "x"}}, "type", "Patient.name"),
    # values
    Defect("date in words", "patient", {"birthDate": "29 Feb 2000"}, "date-format", "Patient.birthDate"),
    Defect("day that is none", "patient", {"birthDate": "2001-02-29"}, "date-format", "Patient.birthDate"),
    Defect("leap day of 1900", "patient", {"birthDate": "1900-02-29"}, "date-format", "Patient.birthDate"),
    Defect(
        "31 April",
        "observation",
        {"effectiveDateTime": "2023-04-31"},
        "dateTime-format",
        "Observation.effectiveDateTime",
    ),
    Defect(
        "time without a zone",
        "observation",
        {"effectiveDateTime": "2023-01-02T03:04:05"},
        "dateTime-format",
        "Observation.effectiveDateTime",
    ),
    Defect(
        "zone that is none",
        "observation",
        {"effectiveDateTime": "2023-01-02T03:04:05+14:30"},
        "dateTime-format",
        "Observation.effectiveDateTime",
    ),
    Defect(
        "time without seconds",
        "observation",
        {"effectiveDateTime": "2023-01-02T03:04Z"},
        "dateTime-format",
        "Observation.effectiveDateTime",
    ),
    Defect(
        "instant without a time", "observation", {"issued": "2023-01-02"}, "instant-format", "Observation.issued"
    ),
    Defect("text for a boolean", "patient", {"active": "true"}, "type", "Patient.active"),
    Defect("number for text", "patient", {"name.0.family": 1}, "type", "Patient.name[0].family"),
    Defect(
        "number in a list of texts", "location", {"address.line": ["a", 1]}, "type", "Location.address.line[1]"
    ),
    Defect("text for a number", "location", {"position.latitude": "50"}, "type", "Location.position.latitude"),
    Defect("boolean for a number", "location", {"position.latitude": True}, "type", "Location.position.latitude"),
    Defect("text for an object", "patient", {"contact.0": "Somebody"}, "type", "Patient.contact[0]"),
    Defect(
        "fraction for a whole number",
        "patient",
        {"multipleBirthInteger": 1.5},
        "type",
        "Patient.multipleBirthInteger",
    ),
    Defect(
        "integer of 33 bits",
        "patient",
        {"multipleBirthInteger": 2**31},
        "integer-range",
        "Patient.multipleBirthInteger",
    ),
    Defect("negative unsignedInt", "group", {"quantity": -1}, "unsignedInt-range", "Group.quantity"),
    Defect("unsignedInt of 32 bits", "group", {"quantity": 2**31}, "unsignedInt-range", "Group.quantity"),
    Defect(
        "zero for a positiveInt",
        "location",
        {"telecom.0.rank": 0},
        "positiveInt-range",
        "Location.telecom[0].rank",
        versions=BEFORE_R5,
    ),
    Defect(
        "integer64 as a number",
        "patient",
        {"extension.0": extension(valueInteger64=1)},
        "type",
        "Patient.extension[0].valueInteger64",
        versions=ONLY_R5,
    ),
    Defect(
        "integer64 of 65 bits",
        "patient",
        {"extension.0": extension(valueInteger64=str(2**63))},
        "integer64-format",
        "Patient.extension[0].valueInteger64",
        versions=ONLY_R5,
    ),
    Defect(
        "integer64 before R5",
        "patient",
        {"extension.0": extension(valueInteger64="1")},
        "unknown-element",
        "Patient.extension[0].valueInteger64",
        versions=BEFORE_R5,
    ),
    Defect("characters of an id", "patient", {"id": "made_up"}, "id-format", "Patient.id"),
    Defect("id of 65 characters", "patient", {"id": _LONG_ID}, "id-format", "Patient.id"),
    Defect(
        "spaces in a URI", "patient", {"identifier.0.system": "a b"}, "uri-format", "Patient.identifier[0].system"
    ),
    Defect(
        "canonical that ends in a bar",
        "activity",
        {"library.0": f"{BASE}/Library/x|"},
        "canonical-format",
        "ActivityDefinition.library[0]",
    ),
    Defect(
        "spaces around a code",
        "observation",
        {"code.coding.0.code": " x "},
        "code-format",
        "Observation.code.coding[0].code",
    ),
    Defect(
        "double space in a code",
        "observation",
        {"code.coding.0.code": "a  b"},
        "code-format",
        "Observation.code.coding[0].code",
    ),
    Defect(
        "control character", "patient", {"name.0.family": "a\u0001b"}, "string-format", "Patient.name[0].family"
    ),
    Defect(
        "escape character in a long text",
        "study",
        {"description": "x" * 5000 + "\u001b"},
        "markdown-format",
        "ResearchStudy.description",
    ),
    Defect("backspace", "patient", {"name.0.family": "\\\b"}, "string-format", "Patient.name[0].family"),
    Defect(
        "base64 that is none",
        "patient",
        {"photo": [{"contentType": "image/png", "data": "a"}]},
        "base64Binary-format",
        "Patient.photo[0].data",
    ),
    Defect(
        "OID that is none",
        "patient",
        {"extension.0": extension(valueOid="urn:oid:3.1")},
        "oid-format",
        "Patient.extension[0].valueOid",
    ),
    Defect(
        "UUID that is none",
        "patient",
        {"extension.0": extension(valueUuid="urn:uuid:1")},
        "uuid-format",
        "Patient.extension[0].valueUuid",
    ),
    Defect(
        "time that is none",
        "patient",
        {"extension.0": extension(valueTime="25:00:00")},
        "time-format",
        "Patient.extension[0].valueTime",
    ),
    # invariants
    Defect(
        "code without a system",
        "observation",
        {"valueQuantity.system": REMOVED},
        "qty-3",
        _QUANTITY,
        "invariant",
    ),
    Defect(
        "comparator of a simple quantity",
        "observation",
        {"referenceRange.0.low.comparator": "<"},
        "sqty-1",
        "Observation.referenceRange[0].low.comparator",
        "invariant",
    ),
    Defect(
        "members of a definition",
        "group",
        {"member": [{"entity": {"reference": "Patient/x"}}]},
        "grp-1",
        "Group",
        "invariant",
        versions=BEFORE_R5,
    ),
    Defect(
        "extension with a value and extensions",
        "patient",
        {"extension.0": _BOTH},
        "ext-1",
        "Patient.extension[0]",
        "invariant",
    ),
    Defect(
        "extension with nothing",
        "patient",
        {"extension.0.valueCode": REMOVED},
        "ext-1",
        "Patient.extension[0]",
        "invariant",
    ),
    Defect(
        "entry without a request",
        "bundle",
        {"entry.2.request": REMOVED},
        "bdl-3",
        "Bundle.entry[2]",
        "invariant",
        versions=BEFORE_R5,
    ),
    Defect(
        "entry without a request in R5",
        "bundle",
        {"entry.2.request": REMOVED},
        "bdl-3c",
        "Bundle.entry[2]",
        "invariant",
        versions=ONLY_R5,
    ),
    Defect(
        "deletion with a resource",
        "bundle",
        {"entry.2.request.method": "DELETE"},
        "bdl-3c",
        "Bundle.entry[2].resource",
        "invariant",
        versions=ONLY_R5,
    ),
    Defect(
        "full URL twice",
        "bundle",
        {"entry.1.fullUrl": f"{BASE}/ResearchStudy/{STUDY}"},
        "bdl-7",
        "Bundle.entry[1].fullUrl",
        "duplicate-id",
    ),
    # resources
    Defect("unknown resource type", "patient", {"resourceType": "Pathient"}, "resource-type", "Pathient"),
    Defect("no resource type", "patient", {"resourceType": REMOVED}, "resource-type", ""),
    Defect(
        "no resource type in an entry",
        "bundle",
        {"entry": [{**entry(organization()), "resource": {"name": "x"}}]},
        "resource-type",
        "Bundle.entry[0].resource",
    ),
    Defect(
        "text for a resource",
        "bundle",
        {"entry": [{**entry(organization()), "resource": "x"}]},
        "type",
        "Bundle.entry[0].resource",
    ),
    Defect(
        "defect in a contained resource",
        "patient",
        {"contained.0.colour": "red"},
        "unknown-element",
        "Patient.contained[0](Organization/inner).colour",
    ),
    Defect(
        "defect in an entry's resource",
        "bundle",
        {"entry.3.resource.colour": "red"},
        "unknown-element",
        f"{_ORG}.colour",
    ),
    # references
    Defect(
        "reference that is none",
        "patient",
        {"generalPractitioner.0.reference": "a practitioner"},
        "reference-format",
        "Patient.generalPractitioner[0].reference",
    ),
    Defect(
        "reference to another type",
        "patient",
        {"generalPractitioner.0.reference": "Patient/x"},
        "reference-target",
        "Patient.generalPractitioner[0].reference",
        "reference-type",
    ),
    Defect(
        "type of a reference",
        "observation",
        {"subject.type": "Encounter"},
        "reference-target",
        "Observation.subject.type",
        "reference-type",
    ),
    Defect(
        "absolute reference to another type",
        "patient",
        {"generalPractitioner.0.reference": "https://example.org/fhir/Patient/x"},
        "reference-target",
        "Patient.generalPractitioner[0].reference",
        "reference-type",
    ),
    Defect(
        "full URL of another type",
        "bundle",
        {"entry.2.resource.managingOrganization.reference": f"{BASE}/ResearchStudy/{STUDY}"},
        "reference-target",
        f"Bundle.entry[2].resource(Location/{STUDY}-site-0).managingOrganization.reference",
        "reference-type",
    ),
    Defect(
        "contained resource of another type",
        "patient",
        {"contained.0.resourceType": "Location"},
        "reference-target",
        "Patient.managingOrganization.reference",
        "reference-type",
    ),
    Defect(
        "contained resource that is not there",
        "patient",
        {"generalPractitioner.0.reference": "#outer"},
        "ref-1",
        "Patient.generalPractitioner[0].reference",
        "reference-unresolved",
    ),
    Defect(
        "contained id twice",
        "patient",
        {"contained": [{"resourceType": "Organization", "id": "inner", "name": name} for name in ("a", "b")]},
        "contained-id",
        "Patient.contained[1].id",
        "duplicate-id",
    ),
    Defect(
        "relative reference to nothing",
        "bundle",
        {"entry.2.resource.managingOrganization.reference": "Organization/x"},
        "reference-resolution",
        f"Bundle.entry[2].resource(Location/{STUDY}-site-0).managingOrganization.reference",
        "reference-unresolved",
    ),
    Defect(
        "urn to nothing",
        "bundle",
        {"entry.2.resource.managingOrganization.reference": "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301"},
        "reference-resolution",
        f"Bundle.entry[2].resource(Location/{STUDY}-site-0).managingOrganization.reference",
        "reference-unresolved",
    ),
    Defect(
        "reference to nothing in an extension",
        "bundle",
        {"entry.1.resource.extension.0.valueReference.reference": "ResearchStudy/x"},
        "reference-resolution",
        f"Bundle.entry[1].resource(Group/{STUDY}-eligibility).extension[0].valueReference.reference",
        "reference-unresolved",
    ),
    Defect(
        "definition that is not there",
        "bundle",
        {"entry.4.resource.action.0.action.0.definitionCanonical": f"{BASE}/ActivityDefinition/x"},
        "canonical",
        f"Bundle.entry[4].resource(PlanDefinition/{STUDY}-plan).action[0].action[0].definitionCanonical",
        "reference-unresolved",
    ),
)
