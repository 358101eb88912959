"""What the registry adds to a record of its own: annotations, tracking, removed countries, MeSH headings."""

from __future__ import annotations

from typing import Any

import pytest

from made_up import FHIR_TARGETS, Tree, converted, extensions, noted, research_study, resources, study

_MESH = "https://www.nlm.nih.gov/mesh"


def parts(holder: Tree) -> list[tuple[str, Any]]:
    """Return the names and values of an extension's parts."""
    return [
        (part["url"], next((value for key, value in part.items() if key != "url"), None))
        for part in holder["extension"]
    ]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_annotations(target: str) -> None:
    """Results that were not posted, and violations, are extensions whose parts bear the registry's names."""
    tree = study()
    tree["annotationSection"] = {
        "annotationModule": {
            "unpostedAnnotation": {
                "unpostedResponsibleParty": "Made-up sponsor",
                "unpostedEvents": [
                    {"type": "RELEASE", "date": "2020-01-02"},
                    {"type": "UNRELEASE", "dateUnknown": True},
                ],
            },
            "violationAnnotation": {
                "violationEvents": [{"type": "VIOLATION_IDENTIFIED", "postedDate": "2021-02-03"}]
            },
        }
    }
    resource = research_study(tree, target)
    (unposted,) = extensions(resource, "/unposted-results")
    assert parts(unposted)[0] == ("responsibleParty", "Made-up sponsor")
    released, taken_back = (part for part in unposted["extension"] if part["url"] == "event")
    assert parts(released) == [("type", "RELEASE"), ("date", "2020-01-02")]
    assert parts(taken_back) == [("type", "UNRELEASE"), ("dateUnknown", True)]
    (violation,) = extensions(resource, "/fdaaa-violation-event")
    assert parts(violation) == [("type", "VIOLATION_IDENTIFIED"), ("postedDate", "2021-02-03")]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_an_event_that_says_nothing(target: str) -> None:
    """An event without a type or a date makes no extension."""
    tree = study()
    tree["annotationSection"] = {
        "annotationModule": {"unpostedAnnotation": {"unpostedEvents": [{}, {"type": ""}]}}
    }
    assert extensions(research_study(tree, target), "/unposted-results") == []


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_a_description_that_looks_like_html(target: str) -> None:
    """The description of a violation is Markdown, in which FHIR forbids HTML: the exact words stand beside it."""
    tree = study()
    events = [{"type": "VIOLATION_IDENTIFIED", "description": "No <b>results</b> were posted"}]
    tree["annotationSection"] = {"annotationModule": {"violationAnnotation": {"violationEvents": events}}}
    (violation,) = extensions(research_study(tree, target), "/fdaaa-violation-event")
    (description,) = (part for part in violation["extension"] if part["url"] == "description")
    assert description["valueMarkdown"] == r"No \<b>results\</b> were posted"
    assert extensions(description["_valueMarkdown"], "/exact-text")[0]["valueString"] == events[0]["description"]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_removed_countries_and_tracking(target: str) -> None:
    """Removed countries are coded; submissions of results keep their dates, and a huge count is told."""
    tree = study()
    submissions = [{"releaseDate": "2020-01-02", "mcpReleaseN": 2}, {"mcpReleaseN": 2**40}]
    tree["derivedSection"] = {
        "miscInfoModule": {
            "removedCountries": ["Norway", "Atlantis"],
            "submissionTracking": {
                "estimatedResultsFirstSubmitDate": "2020-05-06",
                "submissionInfos": submissions,
            },
        }
    }
    made = converted(tree, target)
    (resource,) = resources(made.document, "ResearchStudy")
    norway, atlantis = (each["valueCodeableConcept"] for each in extensions(resource, "/removed-country"))
    assert norway["coding"][0]["code"] == "NO"
    assert atlantis == {"text": "Atlantis"}
    assert len(noted(made, "country-without-code")) == 1
    (tracking,) = extensions(resource, "/submission-tracking")
    assert parts(tracking)[0] == ("estimatedResultsFirstSubmitDate", "2020-05-06")
    assert parts(tracking["extension"][1]) == [("releaseDate", "2020-01-02"), ("mcpReleaseN", 2)]
    assert noted(made, "number-out-of-range") == [
        "derivedSection.miscInfoModule.submissionTracking.submissionInfos[1].mcpReleaseN"
    ]


def with_headings(meshes: list[Tree], ancestors: list[Tree], **modules: Tree) -> Tree:
    """Return a study with MeSH headings derived from its interventions."""
    tree = study(**modules)
    tree["derivedSection"] = {"interventionBrowseModule": {"meshes": meshes, "ancestors": ancestors}}
    return tree


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_headings(target: str) -> None:
    """Derived headings are keywords that say so; those above them are extensions; none is a condition."""
    tree = with_headings([{"id": "D000001", "term": "Pilltab"}], [{"id": "D000002", "term": "Pills"}])
    resource = research_study(tree, target)
    assert "Pilltab" not in str(resource.get("condition"))
    (keyword,) = (each for each in resource["keyword"] if "extension" in each)
    assert keyword["coding"] == [{"system": _MESH, "code": "D000001", "display": "Pilltab"}]
    assert keyword["extension"][0]["valueCode"] == "interventions"
    (ancestor,) = extensions(resource, "/intervention-mesh-ancestor")
    assert ancestor["valueCoding"] == {"system": _MESH, "code": "D000002", "display": "Pills"}


@pytest.mark.parametrize("name", ["pilltab", "Pilltab 10 mg"])
@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_interventions_are_coded_by_the_same_term_only(target: str, name: str) -> None:
    """An intervention has the heading's code where it is the same term, and keeps its own words."""
    arms = {"interventions": [{"type": "DRUG", "name": name}]}
    tree = with_headings([{"id": "D000001", "term": "Pilltab"}], [], armsInterventionsModule=arms)
    (activity,) = resources(converted(tree, target).document, "ActivityDefinition")
    product = activity["productCodeableConcept"]
    assert product["text"] == name
    assert ("coding" in product) == (name == "pilltab")


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_odd_heading(target: str) -> None:
    """What has not the form of a MeSH identifier is no code of MeSH."""
    made = converted(with_headings([{"id": "no id", "term": "Odd"}], []), target)
    (keyword,) = (each for each in resources(made.document, "ResearchStudy")[0]["keyword"] if "extension" in each)
    (coding,) = keyword["coding"]
    assert "system" not in coding
    assert extensions(coding["_code"], "/exact-text")[0]["valueString"] == "no id"
    assert made.valid
