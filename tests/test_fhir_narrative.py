"""Narratives: people can read them, they say what the resource says, and nothing in them is markup of others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from made_up import FHIR_TARGETS, bundle, converted, record, resources, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo

_XHTML = "{http://www.w3.org/1999/xhtml}"
NARRATED = ("ResearchStudy", "PlanDefinition", "Group")
ALLOWED = {_XHTML + name for name in ("div", "h2", "h3", "p", "br", "b", "ul", "li", "table", "tr", "th", "td")}

TREE = study(
    identificationModule={"officialTitle": "A Long Made-up Title"},
    statusModule={"overallStatus": "TERMINATED", "whyStopped": "Nobody came"},
    descriptionModule={"briefSummary": "It is *made up*: 1 \\< 2.\n\nAnd short."},
    designModule={"phases": ["PHASE2"], "designInfo": {"primaryPurpose": "TREATMENT"}},
    conditionsModule={"conditions": ["Imaginary Fever", "Cough & <sneeze>"]},
    armsInterventionsModule={
        "armGroups": [
            {
                "label": "High",
                "type": "EXPERIMENTAL",
                "description": "10 mg",
                "interventionNames": ["Drug: Inventol"],
            },
            {"label": "None", "type": "NO_INTERVENTION"},
        ],
        "interventions": [{"type": "DRUG", "name": "Inventol", "armGroupLabels": ["High"]}],
    },
    eligibilityModule={
        "eligibilityCriteria": "Inclusion Criteria:\n\n* Fever \\> 38\n* Consent\n\nExclusion Criteria:\n\n* Cold",
        "minimumAge": "18 Years",
        "healthyVolunteers": False,
    },
    contactsLocationsModule={
        "locations": [
            {"city": "Oslo", "country": "Norway"},
            {"city": "Bergen", "country": "Norway"},
            {"city": "X"},
        ],
        "centralContacts": [{"name": "A. Person", "email": "a.person@example.org"}],
    },
)


def text(element: Any) -> str:
    """Return the text of an element, with blanks between its parts."""
    return " ".join(part.strip() for part in element.itertext() if part.strip())


def narratives(target: str, **options: Any) -> dict[str, Any]:
    """Return the narratives of the made-up study by type, as XML elements."""
    made = bundle(TREE, target, narrative=True, **options)
    found = [entry["resource"] for entry in made["entry"] if "text" in entry["resource"]]
    assert all(one["text"]["status"] == "generated" for one in found)
    return {one["resourceType"]: etree.fromstring(one["text"]["div"]) for one in found}


def rows(element: Any) -> list[list[str]]:
    """Return the cells of all tables."""
    return [[text(cell) for cell in row] for row in element.iter(_XHTML + "tr")]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_study(target: str) -> None:
    """The study's narrative has its title, numbers, status, phase, conditions, arms, and sites by country."""
    found = narratives(target)
    assert set(found) == set(NARRATED)
    study_ = found["ResearchStudy"]
    assert text(study_[0]) == "A Made-up Study of Imaginary Fever"
    assert [text(one) for one in study_.iter(_XHTML + "p")] == ["It is *made up*: 1 < 2.", "And short."]
    assert rows(study_) == [
        ["Identifiers", "NCT99999901"],
        ["Status", "Terminated"],
        ["Stopped because", "Nobody came"],
        ["Phase", "Phase 2"],
        ["Primary purpose", "Treatment"],
        ["Conditions", "Imaginary Fever, Cough & <sneeze>"],
        ["Arm", "Type", "Description"],
        ["High", "Experimental", "10 mg"],
        ["None", "No Intervention", ""],
        ["Country", "Sites"],
        ["Country not stated", "1"],
        ["Norway", "2"],
    ]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_plan_and_group(target: str) -> None:
    """The plan's narrative lists the arms with their interventions, the Group's the traits and the criteria."""
    found = narratives(target)
    assert text(found["PlanDefinition"]) == "A Long Made-up Title Arms High 10 mg Inventol None"
    group = text(found["Group"])
    assert "Minimum age : >= 18 Years" in group
    assert "Accepts healthy volunteers : no" in group
    assert re.search(r"Inclusion criterion Fever > 38 Consent\b.*Exclusion criterion : Cold$", group)


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_criteria_that_are_one_text(target: str) -> None:
    """Criteria that were not split stand in the narrative as they are."""
    tree = study(eligibilityModule={"eligibilityCriteria": "Anyone who likes.\n\nReally."})
    made = bundle(tree, target, narrative=True)
    div = etree.fromstring(resources(made, "Group")[0]["text"]["div"])
    assert text(div) == "NCT99999901 eligible population Criteria Anyone who likes. Really."


def test_there_is_none_by_default() -> None:
    """Without the option no resource has a narrative; with it nothing else changes."""
    plain, told = bundle(TREE), bundle(TREE, narrative=True)
    assert not any("text" in entry["resource"] for entry in plain["entry"])
    for entry in told["entry"]:
        entry["resource"].pop("text", None)
    assert told == plain


def test_contacts_stay_out() -> None:
    """A narrative holds no names and addresses of contacts."""
    for target in FHIR_TARGETS:
        assert not any(
            "a.person" in text(one).lower() or "A. Person" in text(one) for one in narratives(target).values()
        )


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_real_studies(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """The narratives of real studies are well-formed XHTML of the allowed elements, and not empty."""
    for name, data in smoke_studies:
        made = transform(read_study(data, SourceInfo(name)), TARGETS[target], Options(narrative=True))
        assert made.findings == [], name
        for kind in NARRATED:
            (one,) = resources(made.document, kind)
            div = etree.fromstring(one["text"]["div"])
            assert div.tag == _XHTML + "div"
            assert text(div)
            assert {element.tag for element in div.iter()} <= ALLOWED, name
            assert not any(element.attrib for element in div.iter())


@settings(max_examples=200, deadline=None)
@given(
    words=st.one_of(
        st.text(min_size=1, max_size=40),
        st.sampled_from(
            ["<script>alert(1)</script>", "&lt;b&gt;", "]]>", '"><img src=x onerror=y>', "a\r\nb\n\nc", "<!--"]
        ),
    )
)
def test_nothing_of_the_record_is_markup(words: str) -> None:
    """Whatever stands in a record, the elements of the narrative are the same, and it says those words."""
    tree = study(
        identificationModule={"briefTitle": words},
        conditionsModule={"conditions": [words]},
        armsInterventionsModule={"armGroups": [{"label": words, "description": words}]},
        eligibilityModule={"eligibilityCriteria": words},
    )
    made = converted(tree, narrative=True)
    for kind in NARRATED:
        div = etree.fromstring(resources(made.document, kind)[0]["text"]["div"])
        tags = {element.tag for element in div.iter()}
        assert tags <= ALLOWED
        assert text(div)
    assert transform(record(tree), TARGETS["fhir-r4"], Options(narrative=True)).data == made.data
