"""Arms, interventions, sites and parties in FHIR: who belongs to whom, and ids that stay."""

from __future__ import annotations

import json

import pytest

from made_up import FHIR_TARGETS, Tree, bundle, converted, full_study, noted, put, resources, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo

_P = "protocolSection."

#: The words before the names by which an arm calls its interventions.
KINDS = {
    "BEHAVIORAL": "Behavioral",
    "BIOLOGICAL": "Biological",
    "COMBINATION_PRODUCT": "Combination Product",
    "DEVICE": "Device",
    "DIAGNOSTIC_TEST": "Diagnostic Test",
    "DIETARY_SUPPLEMENT": "Dietary Supplement",
    "DRUG": "Drug",
    "GENETIC": "Genetic",
    "OTHER": "Other",
    "PROCEDURE": "Procedure",
    "RADIATION": "Radiation",
}
Link = tuple[str | None, str]


def stated_links(module: Tree) -> set[Link]:
    """Return which arm (None: none) has which intervention, by label and by kind and name."""
    labels = {arm.get("label") for arm in module.get("armGroups", [])}
    names = {f"{KINDS[each['type']]}: {each['name']}" for each in module.get("interventions", [])}
    found: set[Link] = set()
    for each in module.get("interventions", []):
        name = f"{KINDS[each['type']]}: {each['name']}"
        found |= {(label, name) for label in each.get("armGroupLabels", []) if label in labels}
    for arm in module.get("armGroups", []):
        found |= {(arm["label"], name) for name in arm.get("interventionNames", []) if name in names}
    return found | {(None, name) for name in names if name not in {linked for _, linked in found}}


def mapped_links(document: Tree) -> set[Link]:
    """Return the same of a bundle, by the actions of its plan and the activities that they refer to."""
    names = {
        activity["url"]: f"{KINDS[activity['topic'][0]['text']]}: {activity['title']}"
        for activity in resources(document, "ActivityDefinition")
    }
    (plan,) = resources(document, "PlanDefinition")
    found: set[Link] = set()
    for top in plan.get("action", []):
        arms = top["action"] if top["title"] == "Arms" else [{"action": top["action"]}]
        for arm in arms:
            found |= {(arm.get("title"), names[each["definitionCanonical"]]) for each in arm.get("action", [])}
    return found


def test_links_of_real_studies(development_studies: list[tuple[str, bytes]]) -> None:
    """In every real study each arm has the interventions that the registry links to it, and no other."""
    linked = 0
    for name, data in development_studies:
        module = json.loads(data)["protocolSection"].get("armsInterventionsModule", {})
        made = transform(read_study(data, SourceInfo(name)), TARGETS["fhir-r5"], Options(), check=False)
        expected = stated_links(module)
        assert mapped_links(made.document) == expected, name
        linked += len(expected)
    assert linked > 4000


def test_links_that_only_one_side_states() -> None:
    """An intervention belongs to an arm when either of them says so."""
    module = {
        "armGroups": [{"label": "A", "interventionNames": ["Drug: One"]}, {"label": "B"}],
        "interventions": [
            {"type": "DRUG", "name": "One", "armGroupLabels": ["B"]},
            {"type": "DIETARY_SUPPLEMENT", "name": "Two"},
        ],
    }
    document = bundle(study(armsInterventionsModule=module))
    assert mapped_links(document) == {("A", "Drug: One"), ("B", "Drug: One"), (None, "Dietary Supplement: Two")}


def test_links_to_nothing() -> None:
    """A link to an arm or an intervention that is not there is an Issue with its place, and no link."""
    module = {
        "armGroups": [{"label": "A", "interventionNames": ["Drug: One", "Drug: Gone"]}],
        "interventions": [{"type": "DRUG", "name": "One", "armGroupLabels": ["A", "Gone"]}],
    }
    made = converted(study(armsInterventionsModule=module))
    assert mapped_links(made.document) == {("A", "Drug: One")}
    assert noted(made, "unknown-arm") == [f"{_P}armsInterventionsModule.interventions[0].armGroupLabels"]
    assert noted(made, "unknown-intervention") == [f"{_P}armsInterventionsModule.armGroups[0].interventionNames"]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_arms_and_interventions_that_say_the_same(target: str) -> None:
    """Equal arms, interventions, sites and parties stay as many as they are, each with an id of its own."""
    arm, drug = {"label": "A", "type": "OTHER"}, {"type": "DRUG", "name": "One", "armGroupLabels": ["A"]}
    site = {"facility": "Nowhere Clinic", "city": "Nowhere"}
    tree = study(
        armsInterventionsModule={"armGroups": [arm, arm], "interventions": [drug, drug, drug]},
        contactsLocationsModule={"locations": [site, site], "overallOfficials": [{"name": "X"}, {"name": "X"}]},
        sponsorCollaboratorsModule={"leadSponsor": {"name": "S"}, "collaborators": [{"name": "S"}, {"name": "S"}]},
    )
    document = bundle(tree, target)
    assert len(resources(document, "ActivityDefinition")) == 3
    assert len(resources(document, "Location")) == 2
    assert len(resources(document, "Organization")) == 1
    urls = [entry["fullUrl"] for entry in document["entry"]]
    assert len(set(urls)) == len(urls)
    (resource,) = resources(document, "ResearchStudy")
    arms = resource.get("arm") or resource["comparisonGroup"]
    assert [each["name"] for each in arms] == ["A", "A"]


# Ids


def ids_by_content(document: Tree) -> dict[str, str]:
    """Return the id of every resource by its type and what it says of itself."""
    found = {}
    for entry in document["entry"]:
        resource = entry["resource"]
        told = {
            key: value for key, value in resource.items() if key in ("name", "title", "address", "description")
        }
        if resource["resourceType"] == "PractitionerRole":
            told = {"code": resource.get("code")}
        found[f"{resource['resourceType']} {told}"] = resource["id"]
    return found


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_ids_stay_when_others_come_and_go(target: str) -> None:
    """A part keeps its id when other parts are added and when the order of the parts changes."""
    sites = [{"facility": f"Clinic {name}", "city": "Nowhere", "country": "Norway"} for name in "ABC"]
    officials = [
        {"name": f"Doctor {name}", "affiliation": f"House {name}", "role": role}
        for name, role in zip("AB", ("PRINCIPAL_INVESTIGATOR", "STUDY_CHAIR"), strict=True)
    ]
    drugs = [{"type": "DRUG", "name": f"Pill {name}", "armGroupLabels": [f"Arm {name}"]} for name in "AB"]
    arms = [{"label": f"Arm {name}", "type": "EXPERIMENTAL"} for name in "AB"]
    houses = [{"name": f"House {name}", "class": "OTHER"} for name in "CD"]

    def made(step: int) -> Tree:
        return bundle(
            study(
                contactsLocationsModule={"locations": sites[::step], "overallOfficials": officials[::step]},
                armsInterventionsModule={"armGroups": arms[::step], "interventions": drugs[::step]},
                sponsorCollaboratorsModule={"leadSponsor": {"name": "S"}, "collaborators": houses[::step]},
            ),
            target,
        )

    before, reversed_, half = ids_by_content(made(1)), ids_by_content(made(-1)), ids_by_content(made(2))
    assert before == reversed_
    assert len(half) < len(before)
    assert {key: before[key] for key in half} == half


def test_ids_belong_to_the_study() -> None:
    """Two studies never share an id, whatever they have in common."""
    one, two = full_study(), full_study()
    put(two, f"{_P}identificationModule.nctId", "NCT99999902")
    first, second = ({entry["fullUrl"] for entry in bundle(tree)["entry"]} for tree in (one, two))
    assert not first & second
