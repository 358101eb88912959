"""Validation of FHIR documents: schema, references, the guess of the version, the second opinion."""

from __future__ import annotations

import copy
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_defects import DEFECTS, Defect
from fhir_valid import BASE, STUDY, Resource, entry, extension, organization, valid_resources
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import CATALOGUE, Issue, UsageError
from trialconv.validators.fhir import infer_version, validate_fhir
from trialconv.validators.reference_walk import reference_issues
from trialconv.validators.references import check_references
from trialconv.validators.schema import check_schema, definitions, schema_issues
from trialconv.validators.second_opinion import fhir_models, validate_with_fhir_resources

VALID = [(version, name) for version in FHIR_VERSIONS for name in valid_resources(version)]
CASES = [pytest.param(version, one, id=f"{version} {one.name}") for one in DEFECTS for version in one.versions]
PATIENT: Resource = {"resourceType": "Patient"}
URN = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301"


def findings(document: Any, version: FhirVersion = "R4") -> list[tuple[str, str, str]]:
    """Return code, rule and path of the Issues of a document."""
    return [(one.code, one.rule, one.target_path) for one in validate_fhir(document, version)]


def bundle_of(kind: str, *resources: Resource, **urls: str) -> Resource:
    """Return a bundle of a kind; `urls` are full URLs by the id of the resource."""
    entries: list[Resource] = []
    for resource in resources:
        made = entry(resource)
        made["fullUrl"] = urls.get(resource["id"], made["fullUrl"])
        if kind not in ("batch", "transaction", "history"):
            del made["request"]
        entries.append(made)
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


def site(reference: str) -> Resource:
    """Return a Location that an organization with the given reference manages."""
    return {"resourceType": "Location", "id": "site", "managingOrganization": {"reference": reference}}


# valid and invalid


@pytest.mark.parametrize(("version", "name"), VALID)
def test_a_valid_resource_has_no_issues(version: FhirVersion, name: str) -> None:
    """Resources made by the definitions of their version are valid."""
    assert validate_fhir(valid_resources(version)[name], version) == []


@pytest.mark.parametrize(("version", "defect"), CASES)
def test_a_defect_is_found_where_it_is(version: FhirVersion, defect: Defect) -> None:
    """One defect gives one Issue, with the broken rule and the place."""
    found = findings(defect.document(version), version)
    assert found == [(defect.code, defect.rule, defect.path)]


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_each_version_has_its_defects(version: FhirVersion) -> None:
    """At least 45 single defects are tried in each version, under different names."""
    names = [one.name for one in DEFECTS if version in one.versions]
    assert len(names) == len(set(names)) >= 45


@pytest.mark.parametrize(("version", "defect"), CASES)
def test_an_issue_is_short_and_from_the_catalogue(version: FhirVersion, defect: Defect) -> None:
    """A message says something, never echoes long content and is one line."""
    for one in validate_fhir(defect.document(version), version):
        assert one.severity == CATALOGUE[one.code].severity
        assert 10 < len(one.message) < 500
        assert "\n" not in one.message


def test_long_content_is_not_echoed() -> None:
    """A code of 10,000 characters is told by its first 80 at most."""
    (found,) = validate_fhir({**PATIENT, "gender": "x" * 10_000}, "R4")
    assert found.message.count("x") <= 80
    assert "administrative-gender: female, male, other, unknown" in found.message


def test_several_defects_are_all_told() -> None:
    """Three defects of a resource give three Issues."""
    document = {**PATIENT, "id": "a b", "gender": "x", "colour": "red"}
    rules = {rule for _, rule, _ in findings(document)}
    assert rules == {"id-format", "required-binding:administrative-gender", "unknown-element"}


@pytest.mark.parametrize(
    "text", ["a\u00a0b", "\uff41\uff42\uff43", "日本語", "🧪", "tab\tand\r\nlines", " ", "\u2028", "\x7f"]
)
def test_text_of_any_script_is_valid(text: str) -> None:
    """Only control characters are forbidden in text, and not tab, CR and LF."""
    assert validate_fhir({**PATIENT, "name": [{"text": text}]}, "R4") == []


@pytest.mark.parametrize("text", ["\\b", "\\\\b", "\\u0001", "C:\\folder\\bin", "\\f\\\\", '\\"\\u0000'])
def test_a_backslash_is_no_control_character(text: str) -> None:
    """Text that looks like an escape of JSON is plain text."""
    assert validate_fhir({**PATIENT, "name": [{"text": text}]}, "R4") == []


@pytest.mark.parametrize("text", [f"a{chr(code)}b" for code in range(32) if chr(code) not in "\t\r\n"])
def test_every_control_character_is_found(text: str) -> None:
    """Each of the 29 forbidden characters is found, also behind backslashes."""
    for shown in (text, "\\" + text[1:], "\\\\" + text[1:]):
        assert findings({**PATIENT, "name": [{"text": shown}]}) == [
            ("schema", "string-format", "Patient.name[0].text")
        ]


def test_r4_and_r5_differ() -> None:
    """An element of one version is unknown in the other."""
    old, new = valid_resources("R4")["study"], valid_resources("R5")["study"]
    unknown = {path for _, rule, path in findings(old, "R5") if rule == "unknown-element"}
    assert unknown == {"ResearchStudy.sponsor", "ResearchStudy.enrollment", "ResearchStudy.arm"}
    unknown = {path for _, rule, path in findings(new, "R4") if rule == "unknown-element"}
    assert "ResearchStudy.associatedParty" in unknown


def test_r4_and_r4b_differ() -> None:
    """EvidenceVariable.type is an element of R4, and R4B knows resources that R4 does not."""
    variable = {
        "resourceType": "EvidenceVariable",
        "status": "active",
        "type": "continuous",
        "characteristic": [{"definitionCodeableConcept": {"text": "x"}}],
    }
    assert validate_fhir(variable, "R4") == []
    assert findings(variable, "R4B") == [("schema", "unknown-element", "EvidenceVariable.type")]
    assert "Ingredient" in definitions("R4B").resource_types - definitions("R4").resource_types


def test_a_concept_needs_a_coding_of_a_required_value_set() -> None:
    """A required binding of a CodeableConcept wants one coding from the set; others may stand beside it."""
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    coding = [{"system": f"{BASE}/own", "code": "x"}, {"system": system, "code": "active"}]
    document = {
        "resourceType": "Condition",
        "subject": {"reference": "Patient/x"},
        "clinicalStatus": {"coding": coding},
    }
    assert validate_fhir(document, "R4") == []
    for wrong in ({"coding": coding[:1]}, {"text": "active"}, {"coding": [{"system": system, "code": "x"}]}):
        rule = "required-binding:condition-clinical"
        assert findings({**document, "clinicalStatus": wrong}) == [("binding", rule, "Condition.clinicalStatus")]


def test_an_extension_may_stand_for_a_required_primitive() -> None:
    """A status that is only an extension, such as an absent reason, is there."""
    document = {**valid_resources("R4")["study"], "_status": {"extension": [extension(valueCode="unknown")]}}
    del document["status"]
    assert validate_fhir(document, "R4") == []


def test_resources_in_parameters_are_judged() -> None:
    """A resource in a part of Parameters is judged by its own type, and its `#` finds what it contains."""
    inside = {
        **organization(),
        "contained": [{"resourceType": "Endpoint", "id": "e"}],
        "endpoint": [{"reference": "#e"}],
    }
    document = {
        "resourceType": "Parameters",
        "parameter": [{"name": "a", "part": [{"name": "b", "resource": inside}]}],
    }
    place = f"Parameters.parameter[0].part[0].resource(Organization/{STUDY}-sponsor).contained[0](Endpoint/e)"
    found = findings(document)
    assert {path.rpartition(".")[0] for _, _, path in found} == {place}
    assert {rule for _, rule, _ in found} == {"cardinality"}


# references


def test_urn_full_urls_are_followed() -> None:
    """A reference to a urn:uuid full URL resolves, and its type is checked."""
    assert (
        validate_fhir(bundle_of("transaction", organization(), site(URN), **{f"{STUDY}-sponsor": URN}), "R4") == []
    )
    person = {"resourceType": "Patient", "id": "p"}
    (found,) = validate_fhir(bundle_of("collection", person, site(URN), p=URN), "R4")
    assert (found.code, found.rule) == ("reference-type", "reference-target")
    assert "reference to Patient; expected Organization" in found.message


def test_a_relative_reference_follows_the_full_url_of_its_entry() -> None:
    """Organization/x of https://example.org/fhir/Location/site is https://example.org/fhir/Organization/x."""
    server = "https://example.org/fhir"
    sponsor = {**organization(), "id": "other"}
    resources = (sponsor, site("Organization/x"))
    there = bundle_of("collection", *resources, other=f"{server}/Organization/x", site=f"{server}/Location/site")
    assert validate_fhir(there, "R4") == []
    elsewhere = bundle_of("collection", *resources, other=f"{server}/Organization/x", site=URN)
    assert [code for code, _, _ in findings(elsewhere)] == ["reference-unresolved"]


def test_a_version_or_fragment_of_a_reference_is_no_part_of_the_target() -> None:
    """Type/id/_history/1 is the resource Type/id."""
    document = bundle_of("collection", organization(), site(f"Organization/{STUDY}-sponsor/_history/2"))
    assert validate_fhir(document, "R4") == []


def test_a_search_is_a_reference_in_a_transaction_only() -> None:
    """A conditional reference is followed by the server that takes the transaction."""
    search = site("Organization?identifier=a|b")
    assert validate_fhir(bundle_of("transaction", search), "R4") == []
    assert [code for code, _, _ in findings(bundle_of("collection", search))] == ["reference-unresolved"]


def test_a_search_result_may_refer_to_what_the_server_has() -> None:
    """Relative references out of a searchset are fine."""
    assert validate_fhir(bundle_of("searchset", site("Organization/x")), "R4") == []


def test_an_absolute_reference_out_of_the_bundle_is_fine() -> None:
    """What lies elsewhere on the web is not followed, whatever its URL looks like."""
    for url in ("https://example.org/fhir/Organization/x", "https://example.org/study/NCT99999901"):
        assert validate_fhir(bundle_of("transaction", site(url)), "R4") == []


def test_references_of_an_inner_bundle_stay_in_it() -> None:
    """A bundle in a bundle is a world of its own."""
    inner = {**bundle_of("collection", organization(), site(f"Organization/{STUDY}-sponsor")), "id": "inner"}
    assert validate_fhir(bundle_of("collection", inner), "R4") == []
    inner = {**bundle_of("collection", site(f"Organization/{STUDY}-sponsor")), "id": "inner"}
    found = findings(bundle_of("collection", organization(), inner))
    assert [path for _, _, path in found] == [
        "Bundle.entry[1].resource(Bundle/inner).entry[0].resource(Location/site).managingOrganization.reference"
    ]


def test_two_versions_may_share_a_full_url() -> None:
    """bdl-7 joins full URL and versionId, and does not hold for a history."""
    one, two = ({**organization(), "meta": {"versionId": version}} for version in "12")
    assert validate_fhir(bundle_of("collection", one, two), "R4") == []
    assert [code for code, _, _ in findings(bundle_of("collection", one, one))] == ["duplicate-id"]
    history = bundle_of("history", one, one)
    assert "bdl-7" not in {rule for _, rule, _ in findings(history)}


def test_a_contained_resource_may_refer_to_its_container_and_neighbours() -> None:
    """`#` is the resource around, `#id` one beside."""
    document = {
        **PATIENT,
        "contained": [
            {"resourceType": "Practitioner", "id": "a"},
            {
                "resourceType": "Observation",
                "id": "b",
                "status": "final",
                "code": {"text": "x"},
                "subject": {"reference": "#"},
                "performer": [{"reference": "#a"}],
            },
        ],
        "generalPractitioner": [{"reference": "#a"}],
    }
    assert validate_fhir(document, "R4") == []
    assert [
        rule for _, rule, _ in findings({**PATIENT, "link": [{"type": "refer", "other": {"reference": "#"}}]})
    ] == ["ref-1"]


# the short ways


@pytest.mark.parametrize(("version", "defect"), CASES)
def test_the_short_way_agrees_with_the_long_one(version: FhirVersion, defect: Defect) -> None:
    """Recognising a valid document quickly gives the same answer as looking at everything."""
    document = defect.document(version)
    assert check_schema(document, version) == schema_issues(document, version)
    assert check_references(document, version) == reference_issues(document, version)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), version=st.sampled_from(FHIR_VERSIONS))
def test_garbage_in_a_valid_bundle_never_raises(data: st.DataObject, version: FhirVersion) -> None:
    """Any value anywhere gives Issues or none, no exception, and the same by the short way and the long one."""
    document = copy.deepcopy(valid_resources(version)["bundle"])
    holder: Any = document
    while isinstance(holder, dict | list) and holder:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], dict | list) or data.draw(st.integers(0, 3)) == 0:
            holder[key] = data.draw(JSON)
            break
        holder = holder[key]
    found = validate_fhir(document, version)
    assert all(isinstance(one, Issue) for one in found)
    references = reference_issues(document, version)
    assert [one for one in found if one.code in ("duplicate-id", "reference-unresolved")] == [
        one for one in references if one.code in ("duplicate-id", "reference-unresolved")
    ]


@settings(max_examples=100, deadline=None)
@given(document=st.dictionaries(st.sampled_from(["resourceType", "entry", "contained", "parameter", "x"]), JSON))
def test_garbage_is_no_resource(document: dict[str, Any]) -> None:
    """An object without a type of FHIR is told to be none."""
    assert "resource-type" in {rule for _, rule, _ in findings(document)}


@pytest.mark.parametrize("document", [None, [], [PATIENT], "Patient", 3])
def test_only_an_object_is_a_resource(document: Any) -> None:
    """Lists and plain values are told to be no objects."""
    assert findings(document) == [("schema", "json", "")]


@pytest.mark.parametrize("key", ["extension", "contained", "x"])
def test_deep_nesting_is_no_harm(key: str) -> None:
    """A hundred thousand levels give one Issue."""
    document: Resource = dict(PATIENT)
    inner = document
    for _ in range(100_000):
        inner[key] = [{}]
        inner = inner[key][0]
    assert findings(document) == [("schema", "json", "")]
    while document.get(key):  # undone level by level, since freeing them at once is as deep
        document = document.pop(key)[0]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"gender": "\ud800"}, "json"),
        ({1: "x"}, "json"),
        ({"active": object()}, "json"),
        ({"active": math.nan}, "type"),
        ({"multipleBirthInteger": 10**30}, "integer-range"),
    ],
)
def test_what_json_cannot_hold_is_told(change: dict[Any, Any], rule: str) -> None:
    """Half characters, keys that are no text and foreign objects give an Issue."""
    assert [found for _, found, _ in findings({**PATIENT, **change})] == [rule]


# the version


@pytest.mark.parametrize(
    ("document", "version", "reason"),
    [
        ({"resourceType": "ResearchStudy", "associatedParty": []}, "R5", "ResearchStudy.associatedParty"),
        ({"resourceType": "Group", "membership": "enumerated"}, "R5", "Group.membership"),
        ({"resourceType": "PlanDefinition", "asNeededBoolean": True}, "R5", "PlanDefinition.asNeededBoolean"),
        ({"resourceType": "Group", "actual": True}, "R4", "Group.actual"),
        ({"resourceType": "ResearchStudy", "arm": []}, "R4", "ResearchStudy.arm"),
        ({"resourceType": "EvidenceVariable", "type": "continuous"}, "R4", "EvidenceVariable.type"),
        ({"resourceType": "Ingredient", "role": {}}, "R4B", "Ingredient"),
        (PATIENT, "R4", "no element"),
        ({}, "R4", "no element"),
        ({"resourceType": 3, "entry": "x"}, "R4", "no element"),
    ],
)
def test_the_version_is_inferred_from_elements(document: Resource, version: str, reason: str) -> None:
    """An element that only some versions have tells the version; without one it is R4."""
    found, why = infer_version(document)
    assert found == version
    assert why.startswith(reason)


@pytest.mark.parametrize("version", ["R4", "R5"])
def test_the_version_of_a_bundle_is_that_of_its_resources(version: FhirVersion) -> None:
    """The elements of all resources count."""
    assert infer_version(valid_resources(version)["bundle"])[0] == version


# the second opinion


@pytest.mark.parametrize("version", ["R4B", "R5"])
@pytest.mark.parametrize("name", sorted(valid_resources("R4")))
def test_fhir_resources_takes_the_valid_resources_for_valid(version: FhirVersion, name: str) -> None:
    """The library agrees about what is valid, and gives its object."""
    document = valid_resources(version)[name]
    assert validate_with_fhir_resources(document, version) == []
    assert type(fhir_models(document, version)).__name__ == document["resourceType"]


def test_fhir_resources_tells_where_a_defect_is() -> None:
    """An unknown element is told with its path."""
    document = bundle_of("collection", {**organization(), "colour": "red"})
    (found,) = validate_with_fhir_resources(document, "R5")
    assert found.target_path == "Bundle.entry[0].resource.colour"
    assert found.rule == "fhir.resources:extra_forbidden"


def test_fhir_resources_does_not_know_every_type() -> None:
    """An unknown type, also inside a bundle, is an Issue and no exception."""
    for document in (
        {"resourceType": "Pathient"},
        bundle_of("collection", {"resourceType": "Pathient", "id": "x"}),
    ):
        (found,) = validate_with_fhir_resources(document, "R4B")
        assert found.rule == "fhir.resources:resource-type"


def test_fhir_resources_has_no_r4() -> None:
    """Asking for R4 is a mistake of use, and R4B is named."""
    with pytest.raises(UsageError, match="R4B"):
        validate_with_fhir_resources(PATIENT, "R4")
    with pytest.raises(UsageError, match="R4B"):
        fhir_models(PATIENT, "R4")
