"""Made-up FHIR resources that are valid in their version."""

from __future__ import annotations

from typing import Any

from trialconv.formats import FhirVersion

Resource = dict[str, Any]

STUDY = "NCT99999901"
BASE = "https://w3id.org/trialconv"


def extension(**content: Any) -> Resource:
    """Return an extension with the given value or extensions."""
    return {"url": f"{BASE}/StructureDefinition/made-up", **content}


def _patient() -> Resource:
    return {
        "resourceType": "Patient",
        "id": "made-up-1",
        "meta": {"lastUpdated": "2024-02-29T12:00:00.5+01:00", "versionId": "1"},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Made up</div>'},
        "contained": [{"resourceType": "Organization", "id": "inner", "name": "Made-up Clinic"}],
        "extension": [extension(valueCode="made-up"), extension(extension=[extension(valueBoolean=True)])],
        "identifier": [{"system": f"{BASE}/person", "value": "1"}],
        "active": True,
        "name": [
            {
                "family": "Nobody\u00a0the\u3000First",
                "given": ["Ada", None],
                "_given": [None, {"extension": [extension(valueString="not told")]}],
            }
        ],
        "telecom": [{"system": "email", "value": "nobody@example.org"}],
        "gender": "other",
        "birthDate": "2000-02-29",
        "deceasedBoolean": False,
        "multipleBirthInteger": 2,
        "contact": [{"name": {"text": "Somebody"}}],
        "communication": [{"language": {"text": "Utopian"}, "preferred": True}],
        "generalPractitioner": [{"reference": "Practitioner/made-up-2"}],
        "managingOrganization": {"reference": "#inner"},
    }


def _observation() -> Resource:
    return {
        "resourceType": "Observation",
        "id": "made-up-3",
        "status": "final",
        "code": {"coding": [{"system": f"{BASE}/made-up", "code": "two words"}], "text": "Made-up score"},
        "subject": {"reference": "Patient/made-up-1", "type": "Patient"},
        "effectiveDateTime": "2023-01-02T03:04:05Z",
        "issued": "2023-01-02T03:04:05.678Z",
        "valueQuantity": {"value": 1.5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"},
        "referenceRange": [{"low": {"value": 1}, "text": "1 and more"}],
    }


def _group(version: FhirVersion) -> Resource:
    kind = {"membership": "definitional"} if version == "R5" else {"actual": False}
    return {
        "resourceType": "Group",
        "id": f"{STUDY}-eligibility",
        "type": "person",
        **kind,
        "quantity": 40,
        "characteristic": [
            {"code": {"text": "Criterion"}, "valueCodeableConcept": {"text": "Over 18"}, "exclude": False}
        ],
    }


def _location(version: FhirVersion) -> Resource:
    phone = {"system": "phone", "value": "+1 555 0100", "use": "work", "rank": 1}
    how = {"contact": [{"telecom": [phone]}]} if version == "R5" else {"telecom": [phone]}
    return {
        "resourceType": "Location",
        "id": f"{STUDY}-site-0",
        "status": "active",
        "name": "Made-up Hospital",
        "mode": "instance",
        **how,
        "address": {"line": ["1 Made-up Road"], "city": "Nowhere", "country": "Atlantis"},
        "position": {"longitude": 7.25, "latitude": 50},
        "managingOrganization": {"reference": f"Organization/{STUDY}-sponsor"},
    }


def _activity() -> Resource:
    return {
        "resourceType": "ActivityDefinition",
        "id": f"{STUDY}-intervention-0",
        "url": f"{BASE}/ActivityDefinition/{STUDY}-intervention-0",
        "status": "active",
        "timingTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon"]}},
        "library": [f"{BASE}/Library/made-up|1.0"],
    }


def _plan() -> Resource:
    activity = f"{BASE}/ActivityDefinition/{STUDY}-intervention-0"
    return {
        "resourceType": "PlanDefinition",
        "id": f"{STUDY}-plan",
        "url": f"{BASE}/PlanDefinition/{STUDY}-plan",
        "status": "active",
        "action": [{"title": "Arm", "action": [{"title": "Step", "definitionCanonical": activity}]}],
    }


def organization() -> Resource:
    """Return a sponsor."""
    return {"resourceType": "Organization", "id": f"{STUDY}-sponsor", "name": "Made-up Sponsor"}


def _study(version: FhirVersion) -> Resource:
    common = {
        "resourceType": "ResearchStudy",
        "id": STUDY,
        "identifier": [{"system": "https://clinicaltrials.gov", "value": STUDY}],
        "title": "A Made-up Study",
        "status": "active",
        "protocol": [{"reference": f"PlanDefinition/{STUDY}-plan"}],
        "period": {"start": "2023-01", "end": "2025-12-31"},
        "site": [{"reference": f"Location/{STUDY}-site-0"}],
    }
    sponsor = {"reference": f"Organization/{STUDY}-sponsor"}
    if version == "R5":
        return {
            **common,
            "label": [{"value": "A Made-up Study"}],
            "associatedParty": [{"role": {"text": "sponsor"}, "party": sponsor}],
            "recruitment": {"targetNumber": 40, "eligibility": {"reference": f"Group/{STUDY}-eligibility"}},
            "comparisonGroup": [{"name": "Arm"}],
        }
    return {
        **common,
        "sponsor": sponsor,
        "enrollment": [{"reference": f"Group/{STUDY}-eligibility"}],
        "arm": [{"name": "Arm", "type": {"coding": [{"code": "made-up", "system": f"{BASE}/made-up"}]}}],
    }


def entry(resource: Resource) -> Resource:
    """Return the entry of a transaction that stores a resource."""
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": f"{BASE}/{url}", "resource": resource, "request": {"method": "PUT", "url": url}}


def _bundle(version: FhirVersion) -> Resource:
    group = {**_group(version), "extension": [extension(valueReference={"reference": f"ResearchStudy/{STUDY}"})]}
    resources = [_study(version), group, _location(version), organization(), _plan(), _activity()]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry(one) for one in resources]}


def _basic() -> Resource:
    return {
        "resourceType": "Basic",
        "id": "made-up-4",
        "code": {"text": "Made-up thing"},
        "extension": [extension(valuePeriod={"start": "2023-01-01", "end": "2023-01"})],
    }


def _collection(kind: str, *resources: Resource) -> Resource:
    """Return a bundle of a kind whose entries have no request."""
    held = [{"fullUrl": f"{BASE}/{one['resourceType']}/{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": kind, "entry": held}


def _searchset() -> Resource:
    found = _collection("searchset", organization())
    found["entry"][0]["search"] = {"mode": "match"}
    return {**found, "total": 1, "link": [{"relation": "self", "url": f"{BASE}/Organization"}]}


def _document() -> Resource:
    author = {"reference": f"Organization/{STUDY}-sponsor"}
    composition = {
        "resourceType": "Composition",
        "id": "made-up-5",
        "status": "final",
        "type": {"text": "Made-up document"},
        "date": "2023-01-02",
        "author": [author],
        "title": "Made up",
    }
    made = _collection("document", composition, organization())
    identifier = {"system": f"{BASE}/document", "value": "1"}
    return {**made, "identifier": identifier, "timestamp": "2023-01-02T03:04:05Z"}


def _message(version: FhirVersion) -> Resource:
    header = {
        "resourceType": "MessageHeader",
        "id": "made-up-6",
        **({"eventCanonical": f"{BASE}/event"} if version == "R5" else {"eventUri": f"{BASE}/event"}),
        "source": {"name": "Made up", "endpointUrl" if version == "R5" else "endpoint": f"{BASE}/endpoint"},
    }
    return _collection("message", header)


def _history() -> Resource:
    made = {**entry(organization()), "response": {"status": "201", "lastModified": "2023-01-02T03:04:05Z"}}
    return {"resourceType": "Bundle", "type": "history", "total": 1, "entry": [made]}


def _answer() -> Resource:
    """Return the response to a transaction."""
    answered = {"response": {"status": "201 Created", "location": f"Organization/{STUDY}-sponsor/_history/1"}}
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": [answered]}


def _notification() -> Resource:
    status = {"resourceType": "SubscriptionStatus", "id": "made-up-7", "type": "heartbeat"}
    return _collection("subscription-notification", {**status, "subscription": {"display": "Made up"}})


def _parameters() -> Resource:
    return {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "made up"}]}


def _variable(version: FhirVersion) -> Resource:
    r4 = {"type": "continuous"} if version == "R4" else {}
    return {
        "resourceType": "EvidenceVariable",
        "id": f"{STUDY}-outcome",
        "status": "active",
        "characteristic": [{"definitionCodeableConcept": {"text": "Made-up score"}}],
        **r4,
    }


def _provenance() -> Resource:
    """Return a bundle with a Provenance, and somebody who acts on behalf of an organization."""
    role = {
        "resourceType": "PractitionerRole",
        "id": "role",
        "practitioner": {"reference": "Practitioner/person"},
        "organization": {"reference": f"Organization/{STUDY}-sponsor"},
    }
    provenance = {
        "resourceType": "Provenance",
        "id": "made-up-8",
        "target": [{"reference": f"Organization/{STUDY}-sponsor"}],
        "recorded": "2023-01-02T03:04:05Z",
        "agent": [
            {
                "who": {"reference": "PractitionerRole/role"},
                "onBehalfOf": {"reference": f"Organization/{STUDY}-sponsor"},
            }
        ],
    }
    person = {"resourceType": "Practitioner", "id": "person"}
    return _collection("collection", provenance, role, person, organization())


def valid_resources(version: FhirVersion) -> dict[str, Resource]:
    """Return the valid resources of a FHIR version by the names that the defects use."""
    only_r5 = {"notification": _notification()} if version == "R5" else {}
    return {
        "patient": _patient(),
        "observation": _observation(),
        "group": _group(version),
        "location": _location(version),
        "activity": _activity(),
        "plan": _plan(),
        "organization": organization(),
        "study": _study(version),
        "bundle": _bundle(version),
        "basic": _basic(),
        "searchset": _searchset(),
        "document": _document(),
        "message": _message(version),
        "history": _history(),
        "answer": _answer(),
        "parameters": _parameters(),
        "variable": _variable(version),
        "provenance": _provenance(),
        **only_r5,
    }
