"""Related artifacts of a study: articles, links, shared data, documents, and the record that it was made of."""

from __future__ import annotations

from typing import Any

import pytest

from made_up import FHIR_TARGETS, Tree, converted, extensions, noted, research_study, resources, study

_R4 = [target for target in FHIR_TARGETS if target != "fhir-r5"]
_CLASSIFIER = "/extension-RelatedArtifact.classifier"


def artifacts(tree: Tree, target: str, type_: str = "documentation") -> list[Tree]:
    """Return the related artifacts of one type."""
    found = research_study(tree, target)["relatedArtifact"]
    return [each for each in found if each["type"] == type_]


def kinds(artifact: Tree, target: str) -> list[str]:
    """Return the texts that classify an artifact, wherever the version has them."""
    if target == "fhir-r5":
        return [each["text"] for each in artifact["classifier"]]
    return [each["valueCodeableConcept"]["text"] for each in extensions(artifact, _CLASSIFIER)]


def address(artifact: Tree, target: str) -> str:
    """Return the address of an artifact, wherever the version has it."""
    found: str = artifact["document"]["url"] if target == "fhir-r5" else artifact["url"]
    return found


def exact(holder: Tree, key: str) -> Any:
    """Return the exact string that stands beside an element."""
    (found,) = extensions(holder["_" + key], "/exact-text")
    return found["valueString"]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_source_comes_first(target: str) -> None:
    """The first artifact is the registry's own record, from which the study is derived."""
    first = research_study(study(), target)["relatedArtifact"][0]
    assert first["type"] == "derived-from"
    assert address(first, target) == "https://clinicaltrials.gov/study/NCT99999901"


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_references(target: str) -> None:
    """An article keeps its citation, its number as an address, why it is cited, and its retractions."""
    reference = {
        "pmid": "12345678",
        "type": "RESULT",
        "citation": "Author A. A made-up article.",
        "retractions": [{"pmid": "87654321", "source": "Made-up J. 2020"}],
    }
    tree = study(referencesModule={"references": [reference, {"citation": "No number."}, {"pmid": "none yet"}]})
    numbered, plain, odd = artifacts(tree, target, "citation")
    assert address(numbered, target) == "https://pubmed.ncbi.nlm.nih.gov/12345678"
    assert numbered["citation"] == "Author A. A made-up article."
    assert kinds(numbered, target) == ["RESULT"]
    (retraction,) = extensions(numbered, "/retraction")
    assert [(each["url"], each["valueString"]) for each in retraction["extension"]] == [
        ("pmid", "87654321"),
        ("source", "Made-up J. 2020"),
    ]
    assert plain == {"type": "citation", "citation": "No number."}
    assert odd == {"type": "citation", "label": "none yet"}


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_links_and_data(target: str) -> None:
    """Web pages and shared data say what they are; a label with escapes is plain, with the exact one beside it."""
    tree = study(
        referencesModule={
            "seeAlsoLinks": [{"label": "Trials \\& more", "url": "https://example.org/a"}],
            "availIpds": [
                {
                    "id": "D-1",
                    "type": "Clinical Study Report",
                    "url": " https://example.org/b",
                    "comment": "on request",
                }
            ],
        },
        ipdSharingStatementModule={"url": "https://example.org/c"},
    )
    page, data, sharing = artifacts(tree, target)
    assert kinds(page, target) == ["See also"]
    assert page["label"] == "Trials & more"
    assert exact(page, "label") == "Trials \\& more"
    assert kinds(data, target) == ["Available data or document", "Clinical Study Report"]
    assert (data["label"], data["display"]) == ("D-1", "on request")
    assert address(data, target) == "https://example.org/b"
    assert exact(data["document"] if target == "fhir-r5" else data, "url") == " https://example.org/b"
    assert kinds(sharing, target) == ["IPD sharing"]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_expanded_access_record(target: str) -> None:
    """The record of the expanded access is an artifact with its status; only an NCT number makes an address."""
    for number in ("NCT99999902", "see letter"):
        access = {"hasExpandedAccess": True, "nctId": number, "statusForNctId": "AVAILABLE"}
        (made,) = artifacts(study(statusModule={"expandedAccessInfo": access}), target)
        assert kinds(made, target) == ["Expanded access record", "AVAILABLE"]
        assert made["label"] == number
        assert ("url" in made or "document" in made) == number.startswith("NCT")


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_documents(target: str) -> None:
    """A document has its address at the registry, its contents, its size and its two dates."""
    document = {
        "typeAbbrev": "Prot_SAP",
        "hasProtocol": True,
        "hasSap": True,
        "hasIcf": False,
        "label": "Study Protocol and Statistical Analysis Plan",
        "date": "2019-02-03",
        "uploadDate": "2020-04-05T06:07",
        "filename": "Prot_SAP_000.pdf",
        "size": 1234,
    }
    tree = study()
    tree["documentSection"] = {"largeDocumentModule": {"noSap": False, "largeDocs": [document]}}
    (made,) = artifacts(tree, target)
    assert kinds(made, target) == [
        "Study document",
        "Prot_SAP",
        "Has protocol: true",
        "Has statistical analysis plan: true",
        "Has informed consent form: false",
    ]
    assert made["document"] == {
        "contentType": "application/pdf",
        "url": "https://cdn.clinicaltrials.gov/large-docs/01/NCT99999901/Prot_SAP_000.pdf",
        "size": "1234" if target == "fhir-r5" else 1234,
        "title": "Study Protocol and Statistical Analysis Plan",
        "creation": "2019-02-03",
    }
    if target == "fhir-r5":
        holder, key = made, "publicationDate"
    else:
        (holder,) = extensions(made, "/extension-RelatedArtifact.publicationDate")
        key = "valueDate"
    assert holder[key] == "2020-04-05"
    assert exact(holder, key) == "2020-04-05T06:07"


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_documents_that_fhir_cannot_hold(target: str) -> None:
    """A file name that is no part of an address and a size beyond all bounds are told, not guessed."""
    tree = study()
    documents = [{"filename": "final version.docx", "size": -1, "uploadDate": "yesterday"}]
    tree["documentSection"] = {"largeDocumentModule": {"largeDocs": documents}}
    made = converted(tree, target)
    assert len(noted(made, "number-out-of-range")) == len(noted(made, "invalid-date")) == 1
    (resource,) = resources(made.document, "ResearchStudy")
    attachment = resource["relatedArtifact"][1]["document"]
    assert exact(attachment, "url") == "final version.docx"
    assert set(attachment) == {"_url"}
    assert made.valid


@pytest.mark.parametrize("target", _R4)
def test_ipd_statement(target: str) -> None:
    """The sponsor's words on sharing data are notes; the answer and the kinds of data are classifiers."""
    statement = {
        "ipdSharing": "YES",
        "description": "Upon \\*request\\*.",
        "infoTypes": ["STUDY_PROTOCOL", "SAP"],
        "timeFrame": "Soon",
        "accessCriteria": "Anybody <at all>",
    }
    made = converted(study(ipdSharingStatementModule=statement), target)
    (resource,) = resources(made.document, "ResearchStudy")
    described, time_frame, access = resource["note"]
    assert described == {"text": "IPD sharing description: Upon \\*request\\*."}
    assert time_frame == {"text": "IPD sharing time frame: Soon"}
    assert access["text"] == "IPD sharing access criteria: Anybody \\<at all>"
    assert exact(access, "text") == "Anybody <at all>"
    assert noted(made, "html-like-text") == ["protocolSection.ipdSharingStatementModule.accessCriteria"]
    told = [each["valueCodeableConcept"]["text"] for each in extensions(resource, "ResearchStudy.classifier")]
    assert {"IPD sharing: YES", "IPD sharing information type: SAP"} <= set(told)
