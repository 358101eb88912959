"""How long validating a FHIR Bundle takes: compiling, the schema, the references.

    python benchmarks/bench_fhir_validation.py [--rounds N]

The bundle is made up: an R4 transaction of 42 entries and about 45 kB, shaped like the conversion of a study with
30 sites.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import orjson

Resource = dict[str, Any]

_BASE = "https://w3id.org/trialconv"
_STUDY = "NCT99999901"


def _entry(resource: Resource) -> Resource:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": f"{_BASE}/{url}", "resource": resource, "request": {"method": "PUT", "url": url}}


def _meta() -> Resource:
    return {"lastUpdated": "2024-02-29T00:00:00Z", "source": f"https://clinicaltrials.gov/study/{_STUDY}"}


def _site(number: int) -> Resource:
    return {
        "resourceType": "Location",
        "id": f"{_STUDY}-site-{number}",
        "meta": _meta(),
        "extension": [{"url": f"{_BASE}/StructureDefinition/recruitment-status", "valueCode": "recruiting"}],
        "identifier": [{"system": f"{_BASE}/site", "value": f"{_STUDY}-{number}"}],
        "name": f"Made-up University Hospital of the {number}th District, Department of Invented Medicine",
        "mode": "instance",
        "telecom": [{"system": "phone", "value": f"+1 555 0100 {number:02}", "use": "work"}],
        "address": {"city": "Nowhere", "state": "Utopia", "postalCode": f"{number:05}", "country": "Atlantis"},
        "position": {"longitude": 7.25 + number, "latitude": 50.5},
        "managingOrganization": {"reference": f"Organization/{_STUDY}-sponsor", "display": "Made-up Sponsor"},
    }


def _organization(number: int) -> Resource:
    return {
        "resourceType": "Organization",
        "id": f"{_STUDY}-sponsor" if number == 0 else f"{_STUDY}-collaborator-{number}",
        "meta": _meta(),
        "type": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/organization-type",
                        "code": "bus",
                        "display": "Non-Healthcare Business or Corporation",
                    }
                ],
                "text": "INDUSTRY",
            }
        ],
        "name": f"Made-up Organization {number}",
    }


def _study() -> Resource:
    text = "This made-up study asks whether an invented treatment helps against an invented illness. "
    return {
        "resourceType": "ResearchStudy",
        "id": _STUDY,
        "meta": _meta(),
        "identifier": [{"system": "https://clinicaltrials.gov", "value": _STUDY, "use": "official"}],
        "title": "A Made-up Study of an Invented Treatment",
        "protocol": [{"reference": f"PlanDefinition/{_STUDY}-plan"}],
        "status": "active",
        "primaryPurposeType": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/research-study-prim-purp-type",
                    "code": "treatment",
                }
            ]
        },
        "condition": [{"text": f"Invented illness {number}"} for number in range(3)],
        "keyword": [{"text": f"keyword {number}"} for number in range(5)],
        "description": text * 40,
        "enrollment": [{"reference": f"Group/{_STUDY}-eligibility"}],
        "period": {"start": "2023-01", "end": "2025-12-31"},
        "sponsor": {"reference": f"Organization/{_STUDY}-sponsor", "display": "Made-up Sponsor"},
        "principalInvestigator": {"reference": f"Practitioner/{_STUDY}-investigator"},
        "site": [{"reference": f"Location/{_STUDY}-site-{number}"} for number in range(30)],
        "arm": [{"name": f"Arm {number}", "description": text} for number in range(3)],
        "objective": [{"name": text, "type": {"text": "primary"}} for _ in range(4)],
    }


def _plan() -> Resource:
    activity = f"{_BASE}/ActivityDefinition/{_STUDY}-intervention"
    return {
        "resourceType": "PlanDefinition",
        "id": f"{_STUDY}-plan",
        "url": f"{_BASE}/PlanDefinition/{_STUDY}-plan",
        "status": "active",
        "action": [
            {
                "title": f"Arm {arm}",
                "action": [
                    {"title": f"Intervention {number}", "definitionCanonical": f"{activity}-{number}"}
                    for number in range(2)
                ],
            }
            for arm in range(3)
        ],
    }


def _activity(number: int) -> Resource:
    return {
        "resourceType": "ActivityDefinition",
        "id": f"{_STUDY}-intervention-{number}",
        "url": f"{_BASE}/ActivityDefinition/{_STUDY}-intervention-{number}",
        "status": "active",
        "title": f"Invented drug {number}",
        "description": "A made-up drug that is given once a day for as long as the study lasts. " * 6,
        "productCodeableConcept": {"text": f"Invented drug {number}"},
    }


def _group() -> Resource:
    return {
        "resourceType": "Group",
        "id": f"{_STUDY}-eligibility",
        "type": "person",
        "actual": False,
        "characteristic": [
            {
                "code": {"text": f"Criterion {number}"},
                "valueCodeableConcept": {"text": "The participant has the invented illness in its usual form."},
                "exclude": number % 2 == 1,
            }
            for number in range(16)
        ],
    }


def make_bundle() -> Resource:
    """Return the made-up transaction."""
    resources = [
        _study(),
        _plan(),
        _group(),
        *(_organization(number) for number in range(5)),
        *(_site(number) for number in range(30)),
        {"resourceType": "Practitioner", "id": f"{_STUDY}-investigator", "name": [{"text": "A Made-up Person"}]},
        *(_activity(number) for number in range(2)),
        {
            "resourceType": "EvidenceVariable",
            "id": f"{_STUDY}-outcome",
            "status": "active",
            "title": "Made-up outcome",
            "characteristic": [{"definitionCodeableConcept": {"text": "Change of the invented score"}}],
        },
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(one) for one in resources]}


def _timed(work: Callable[[], object], rounds: int) -> str:
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return f"best {min(seconds) * 1e3:8.3f} ms, median {statistics.median(seconds) * 1e3:8.3f} ms"


_COMPILE = """
import time, sys
start = time.perf_counter()
from trialconv.validators import fhir, schema
imported = time.perf_counter()
schema.compiled("R4", frozenset(sys.argv[1].split(",")), quick=True)
print(f"import {(imported - start) * 1e3:.1f} ms, compile {(time.perf_counter() - imported) * 1e3:.1f} ms")
"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=300, help="how often each is timed")
    rounds = parser.parse_args().rounds

    from trialconv.validators.fhir import validate_fhir
    from trialconv.validators.references import check_references
    from trialconv.validators.schema import check_schema

    bundle = make_bundle()
    types = ",".join(sorted({entry["resource"]["resourceType"] for entry in bundle["entry"]} | {"Bundle"}))
    text = orjson.dumps(bundle)
    print(f"bundle: {len(bundle['entry'])} entries, {len(text):,} bytes")  # noqa: T201
    for _ in range(3):
        fresh = subprocess.run([sys.executable, "-c", _COMPILE, types], check=True, capture_output=True, text=True)  # noqa: S603
        print(f"a new process: {fresh.stdout.strip()}")  # noqa: T201
    found = validate_fhir(bundle, "R4")
    print(f"issues: {len(found)}")  # noqa: T201
    for name, work in (
        ("as JSON", lambda: orjson.dumps(bundle)),
        ("schema", lambda: check_schema(bundle, "R4", text)),
        ("references", lambda: check_references(bundle, "R4", text)),
        ("validate_fhir", lambda: validate_fhir(bundle, "R4")),
    ):
        print(f"{name:14} {_timed(work, rounds)}")  # noqa: T201


if __name__ == "__main__":
    main()
