"""What holds for every bundle: nothing empty, nothing twice, and no value out of thin air."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from made_up import (
    FHIR_TARGETS,
    Tree,
    bundle,
    converted,
    extensions,
    full_study,
    leaves,
    noted,
    put,
    research_study,
    resources,
    study,
)
from trialconv.catalog import TARGETS
from trialconv.context import BASE, Options
from trialconv.lineage import plain
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv_mappings.criteria.doubts import DOUBTS
from trialconv_mappings.fhir import terms
from trialconv_mappings.mesh import MESH
from trialconv_mappings.tables import table, table_names

#: The words that the mapping adds: types, fixed codes, parts of extensions, and names of what a text is about.
CONSTANTS = """
Bundle | ResearchStudy | PlanDefinition | Group | ActivityDefinition | Organization | Practitioner
PractitionerRole | Location | transaction | PUT | active | person | definitional | official | old | secondary
documentation | logical-group | exactly-one | phone | email | >= | <= | unknown | masked
clinical-protocol | Clinical Protocol | overall-study | Overall study | C98714 | Clinical Trial Registry Identifier
type | value | period | name | role | classifier | party | activity | actual | state | description | purpose
telecom | record-verification | primary-outcome-data-collection | registration-submission
registration-submission-qc | registration-posting | results-submission | results-submission-qc | results-posting
disposition-submission | disposition-submission-qc | disposition-posting | update-submission | update-posting
derived-from | citation | classifier | Registry record | Link of the organization's study id
Link of a secondary id | See also | Available data or document | IPD sharing | Expanded access record
Study document | application/pdf | publicationDate | pmid | source | responsibleParty | event | submissionInfo
conditions | interventions | Primary outcome measure | Secondary outcome measure
Other pre-specified outcome measure | Responsible party | longitude | latitude
releaseDate | unreleaseDate | unreleaseDateUnknown | resetDate | mcpReleaseN | date | dateUnknown
not-stated | estimatedResultsFirstSubmitDate | firstPostDate | firstPostDateType | ExtendedContactDetail
protocolSection.descriptionModule.briefSummary
LEAD_SPONSOR | COLLABORATOR | Registering organization | not stated | Organization's study id
Arms | Interventions (arm not stated) | Inclusion criterion | Exclusion criterion | Study population
C49693 | Planned Minimum Age of Subjects | Minimum age | C49694 | Planned Maximum Age of Subjects | Maximum age
C49696 | Sex of Study Group | Sex | Accepts healthy volunteers | Gender eligibility
C98737 | Healthy Subject Indicator | Eligibility is based on gender | Eligibility criteria | EvidenceVariable
kind | text | joiner | cohort | doubt | criterion | inclusion | exclusion | all-of | any-of
section | heading | note | nothing | whole
"""
#: Texts that name a fact and then say it in the record's own words.
NAMED = re.compile(r"[A-Z][A-Za-z0-9 ]{2,50}: (.*)", re.DOTALL)
#: Ids and what is made of them.
ID = re.compile(
    rf"(?:(?:{re.escape(BASE)}/)?[A-Z][A-Za-z]+/)?NCT\d{{8}}"
    r"(?:-[a-z]+(?:-criteria|-[0-9a-f]{16}(?:-\d+)?)?|_Protocol|_Eligibility| eligible population)?"
)
LINK_ID = re.compile(r"arm-[0-9a-f]{16}(?:-\d+)?")


@cache
def known_words() -> frozenset[str]:
    """Return every system, code and display of the tables, every URI of the mapping, and the constants."""
    rows = [row for name in table_names() for row in table(name)]
    uris = {MESH, *(value for value in vars(terms).values() if isinstance(value, str))}
    constants = set(CONSTANTS.strip().replace("\n", " | ").split(" | "))
    return frozenset({word for row in rows for word in row[1:4]} | uris | constants | set(DOUBTS))


def origin(value: str, told: set[str], whole: str) -> bool:
    """Tell whether a text of a bundle is the record's, a table's, a constant, or an id."""
    if value in told or value in known_words() or ID.fullmatch(value) or LINK_ID.fullmatch(value):
        return True
    if value.startswith((BASE + "/StructureDefinition/", terms.IN_R4, terms.STUDY_PAGE)):
        return True
    # What is made of a part of an address, or of the day of a moment, tells the part.
    if value.startswith((terms.PUBMED, terms.DOCUMENTS)) and value.rpartition("/")[2] in told:
        return True
    if (named := NAMED.fullmatch(value)) and (named[1] in told or named[1] in ("true", "false")):
        return True
    # The parts of the text of the criteria, whose sub-lists lose their indentation; the phases as one text.
    return squeezed(value) in whole or all(part in told for part in value.split("/"))


def squeezed(text: str) -> str:
    """Return a text without white space and the marks of lists."""
    return re.sub(r"[\s*]", "", text)


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_every_value_has_an_origin(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """Every value in the bundle of a real study is in the record, in a table, or a constant listed here."""
    for name, data in smoke_studies:
        tree = json.loads(data)
        made = transform(read_study(data, SourceInfo(name)), TARGETS[target], Options(), check=False)
        values = [value for _, value in leaves(tree)]
        told = {
            text
            for value in values
            if isinstance(value, str)
            for text in (value, plain(value), value.strip(), value.partition("T")[0])
        }
        numbers = {value for value in values if isinstance(value, int | float)}
        told |= {str(value) for value in numbers}
        criteria = tree["protocolSection"].get("eligibilityModule", {}).get("eligibilityCriteria", "")
        ages = {float(found) for text in told for found in re.findall(r"^(\d+(?:\.\d+)?) [A-Z][a-z]+$", text)}
        units = {text.partition(" ")[2] for text in told if re.match(r"\d+ [A-Z]", text)}
        whole = squeezed(plain(criteria))
        for path, value in leaves(made.document):
            if isinstance(value, bool):
                continue
            if isinstance(value, str):
                assert origin(value, told | units, whole), (name, path, value)
            else:
                assert value in numbers | ages, (name, path, value)


def everything(smoke_studies: list[tuple[str, bytes]], target: str) -> Iterator[tuple[str, Tree]]:
    """Yield the bundles of the small set of real studies and of the made-up one with every field."""
    yield "full", bundle(full_study(), target)
    for name, data in smoke_studies:
        yield name, transform(read_study(data, SourceInfo(name)), TARGETS[target], Options(), check=False).document


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_nothing_is_empty(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """No object, list or text in a bundle is empty, and nothing is null."""
    for name, document in everything(smoke_studies, target):
        for path, value in leaves(document):
            assert value not in ({}, [], "", None), (name, path)


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_identities_and_references(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """Every resource has one identity of its own, and every reference leads to a resource of the bundle."""
    for name, document in everything(smoke_studies, target):
        paths = [f"{each['resource']['resourceType']}/{each['resource']['id']}" for each in document["entry"]]
        assert len(set(paths)) == len(paths), name
        assert [each["fullUrl"] for each in document["entry"]] == [f"{BASE}/{path}" for path in paths]
        assert [each["request"]["url"] for each in document["entry"]] == paths
        assert all(re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", each["resource"]["id"]) for each in document["entry"])
        used = set()
        for path, value in leaves(document):
            if path.endswith(".reference"):
                used.add(value)
            elif path.endswith(".definitionCanonical"):
                used.add(value.removeprefix(BASE + "/"))
        assert used <= set(paths), name
        # The study is what all others hang on.
        assert set(paths) - used <= {paths[0]} | {path for path in paths if path.startswith("ActivityDefinition/")}


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_own_words_stand_beside_codes(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """A concept that codes a word of the registry has that word as its text."""
    words = {row.source for name in table_names() if name.startswith("fhir_") for row in table(name)}
    seen = 0
    for _, document in everything(smoke_studies, target):
        for concept in concepts(document):
            if "text" in concept and concept["text"].rpartition(": ")[2] in words:
                seen += 1
                assert set(concept) <= {"coding", "text"}
            for coding in concept.get("coding", []):
                assert {"system", "code"} <= set(coding)
    assert seen > 500


def concepts(value: Any) -> Iterator[Tree]:
    """Yield every CodeableConcept of a document."""
    if isinstance(value, dict):
        if value and set(value) <= {"coding", "text"}:
            yield value
        for item in value.values():
            yield from concepts(item)
    elif isinstance(value, list):
        for item in value:
            yield from concepts(item)


# Odd parts


def test_contact_with_nothing_but_an_extension() -> None:
    """A contact of which only the telephone extension is known has no name in R5."""
    tree = study(contactsLocationsModule={"centralContacts": [{"role": "CONTACT", "phoneExt": "12"}]})
    for target in FHIR_TARGETS:
        assert "12" in [value for _, value in leaves(bundle(tree, target))]
    assert "name" not in research_study(tree, "fhir-r5")["associatedParty"][0]


@pytest.mark.parametrize(("id_", "coded"), [("D000001", True), ("C000001", True), ("no code", False), ("", False)])
def test_mesh_heading_of_a_condition(id_: str, coded: bool) -> None:
    """A condition is coded by the MeSH heading of the same name, if that has an id that MeSH could have given."""
    tree = study(conditionsModule={"conditions": ["Imaginary Fever", "Imaginary Cough"]})
    put(tree, "derivedSection.conditionBrowseModule.meshes", [{"id": id_, "term": "Imaginary fever"}])
    fever, cough = research_study(tree)["condition"]
    assert cough == {"text": "Imaginary Cough"}
    assert fever["text"] == "Imaginary Fever"
    expected = [{"system": "https://www.nlm.nih.gov/mesh", "code": id_, "display": "Imaginary fever"}]
    assert fever.get("coding") == (expected if coded else None)


@pytest.mark.parametrize("target", FHIR_TARGETS)
@pytest.mark.parametrize("link", ["see page 3", " \u0085 ", "http://exa mple.org"])
def test_link_that_is_none(target: str, link: str) -> None:
    """What cannot be a web address is no url: an Issue shows it, and its exact words stand beside the element."""
    made = converted(study(identificationModule={"orgStudyIdInfo": {"id": "A-1", "link": link}}), target)
    assert len(noted(made, "invalid-link")) == 1
    _, artifact = resources(made.document, "ResearchStudy")[0]["relatedArtifact"]
    assert artifact["label"] == "A-1"
    holder = artifact["document"] if target == "fhir-r5" else artifact
    assert "url" not in holder
    (exact,) = extensions(holder["_url"], "/exact-text")
    assert exact["valueString"] == link


@pytest.mark.parametrize("count", [-1, 2**31, 2**63, 10**30])
def test_enrolment_that_fhir_cannot_hold(count: int) -> None:
    """A number of participants beyond FHIR's integers is left out with an Issue."""
    for target in FHIR_TARGETS:
        made = converted(study(designModule={"enrollmentInfo": {"count": count, "type": "ACTUAL"}}), target)
        assert count not in [value for _, value in leaves(made.document)]
        told = {found.code for found in made.issues} & {"number-out-of-range", "wrong-type", "number-not-held"}
        assert told, target


def test_withheld_contacts_are_told_once() -> None:
    """Leaving out contacts is one Issue, and none for a study without contacts."""
    made = converted(full_study(), contacts=False)
    assert noted(made, "withheld-contact") == ["protocolSection.contactsLocationsModule"]
    (resource,) = resources(made.document, "ResearchStudy")
    assert "contact" not in resource
    for site in resources(made.document, "Location"):
        assert extensions(site, "Location.contact") == []
    assert noted(converted(study(), contacts=False), "withheld-contact") == []


@pytest.mark.parametrize("target", ["odm-2.0", "odm-1.3.2"])
def test_last_update_on_no_day_is_no_clock(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A last update on a day that is none does not become the creation instant of a document."""
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    tree = study(statusModule={"lastUpdatePostDateStruct": {"date": "2021-02-30"}})
    assert b'CreationDateTime="1970-01-01T00:00:00Z"' in converted(tree, target).data
