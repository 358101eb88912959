"""Write made-up studies, one a line, to try queries on: python examples/made_up_studies.py 500 > studies.ndjson.

Nothing in them is true: neither the drugs, nor the fevers, nor the places. The same number gives the same studies.
"""

import json
import random
import sys
from typing import Any

CONDITIONS = ("Imaginary Fever", "Invented Ague", "Pretended Cough", "Fictional Gout")
MESH = {"Imaginary Fever": ("D990001", "Imaginary Fever"), "Invented Ague": ("D990002", "Invented Ague")}
PHASES: tuple[list[str], ...] = (["PHASE1"], ["PHASE2"], ["PHASE1", "PHASE2"], ["PHASE3"], ["NA"], [])
TYPES = ("DRUG", "DEVICE", "BEHAVIORAL", "BIOLOGICAL")
CLASSES = ("INDUSTRY", "OTHER", "NIH", "OTHER_GOV")
STATUSES = ("RECRUITING", "COMPLETED", "TERMINATED", "NOT_YET_RECRUITING")
CITIES = (
    ("Ampelhausen", "Norway", 60.0, 10.0),
    ("Bogendorf", "Norway", 60.4, 10.8),
    ("Cedarville", "Sweden", 59.3, 18.1),
    ("Dunfield", "Chile", -33.4, -70.6),
)
CRITERIA = (
    "Age of 18 years or older",
    "Pregnant or breastfeeding",
    "Known allergy to Inventol",
    "Fever of 38 degrees",
)


def made_up_study(number: int) -> dict[str, Any]:
    """Return a study of the registry's form, which depends on nothing but its number."""
    dice = random.Random(number)  # noqa: S311 - no secret
    conditions = dice.sample(CONDITIONS, dice.randint(1, 2))
    protocol = {
        "identificationModule": {"nctId": f"NCT99{number:06}", "briefTitle": f"Made-up Study {number}"},
        "statusModule": made_up_status(dice),
        "sponsorCollaboratorsModule": {
            "leadSponsor": {"name": f"Made-up Sponsor {dice.randint(1, 9)}", "class": dice.choice(CLASSES)},
            "collaborators": [{"name": "University of Nowhere", "class": "OTHER"}] if dice.random() < 0.3 else [],
        },
        "conditionsModule": {"conditions": conditions, "keywords": ["made up"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": dice.choice(PHASES),
            "enrollmentInfo": {"count": dice.randint(10, 500), "type": "ESTIMATED"},
        },
        "armsInterventionsModule": made_up_arms(dice),
        "outcomesModule": {
            "primaryOutcomes": [
                {"measure": f"Outcome {place}", "timeFrame": "12 weeks"} for place in range(dice.randint(1, 3))
            ]
        },
        "eligibilityModule": made_up_eligibility(dice),
        "contactsLocationsModule": {"locations": made_up_sites(dice)},
    }
    headings = [{"id": MESH[name][0], "term": MESH[name][1]} for name in conditions if name in MESH]
    derived = {"conditionBrowseModule": {"meshes": headings, "ancestors": [{"id": "D990000", "term": "Fevers"}]}}
    return {"protocolSection": protocol, "derivedSection": derived, "hasResults": dice.random() < 0.4}


def made_up_status(dice: random.Random) -> dict[str, Any]:
    """Return a status, with a date of whatever precision."""
    started = f"{dice.randint(2019, 2025)}-{dice.randint(1, 12):02}"
    return {
        "overallStatus": dice.choice(STATUSES),
        "startDateStruct": {"date": dice.choice((started, f"{started}-15", started[:4])), "type": "ACTUAL"},
        "completionDateStruct": {"date": f"{int(started[:4]) + 2}-06", "type": "ESTIMATED"},
        "lastUpdatePostDateStruct": {"date": f"2025-{dice.randint(1, 12):02}-03", "type": "ACTUAL"},
    }


def made_up_arms(dice: random.Random) -> dict[str, Any]:
    """Return arms, and interventions of some of them."""
    arms = [{"label": f"Arm {place}", "type": "EXPERIMENTAL"} for place in range(1, dice.randint(1, 4))]
    interventions = [
        {
            "type": dice.choice(TYPES),
            "name": f"Inventol {place}",
            "armGroupLabels": [arm["label"] for arm in arms if dice.random() < 0.7],
        }
        for place in range(1, dice.randint(2, 4))
    ]
    return {"armGroups": arms, "interventions": interventions}


def made_up_eligibility(dice: random.Random) -> dict[str, Any]:
    """Return who may take part."""
    one, two, three = dice.sample(CRITERIA, 3)
    return {
        "eligibilityCriteria": f"Inclusion Criteria:\n\n* {one}\n\nExclusion Criteria:\n\n* {two}\n* {three}",
        "minimumAge": dice.choice(("6 Months", "12 Years", "18 Years")),
        "sex": dice.choice(("ALL", "FEMALE", "MALE")),
    }


def made_up_sites(dice: random.Random) -> list[dict[str, Any]]:
    """Return sites in cities that are not there."""
    return [
        {
            "facility": f"Clinic {place}",
            "city": city,
            "country": country,
            "status": dice.choice(STATUSES),
            "geoPoint": {"lat": lat, "lon": lon},
        }
        for place, (city, country, lat, lon) in enumerate(dice.sample(CITIES, dice.randint(1, 3)))
    ]


if __name__ == "__main__":
    for study_number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 120):
        sys.stdout.write(json.dumps(made_up_study(study_number)) + "\n")
