"""The USDM validator: every rule has a document that keeps it and one that breaks it."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import trialconv
from command_runner import run
from made_up import Tree, defects
from trialconv import validate
from trialconv.issues import CATALOGUE
from trialconv.validators.usdm import validate_usdm
from trialconv.validators.usdm_design import WITHIN, within_findings
from trialconv.validators.usdm_scope import Scope, facts
from trialconv.validators.usdm_terms import term_findings
from usdm_defects import OF_DESIGNS, OF_STUDIES, OF_TERMS, Defect, code
from usdm_made_up import TYPES, build, full_study_of, objects

VALIDATORS = Path(trialconv.__file__).parent / "validators"
DEFECTS = [*OF_STUDIES, *OF_TERMS, *OF_DESIGNS]
BOUND = [(kind, key) for kind, attributes in facts().codes.items() for key in attributes]


@cache
def _built(kind: str) -> Tree:
    tree = full_study_of(kind)
    criteria = "Inclusion Criteria:\n\n* Made-up one\n* Made-up two\n\nExclusion Criteria:\n\n* Made-up three"
    tree["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] = criteria
    return build(tree)


def document(kind: str = "INTERVENTIONAL") -> Tree:
    """Return a valid document, the caller's own."""
    return copy.deepcopy(_built(kind))


def version_of(made: Tree) -> Tree:
    """Return the study version of a document."""
    version: Tree = made["study"]["versions"][0]
    return version


def broken(defect: Defect) -> Tree:
    """Return a document with a defect."""
    made = document()
    version = version_of(made)
    defect.change(version, version["studyDesigns"][0])
    return made


@pytest.mark.parametrize("kind", TYPES)
def test_documents_of_every_type_have_no_defect(kind: str) -> None:
    """The document of a made-up study that has every field has no error and no warning."""
    assert defects(validate_usdm(document(kind))) == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.rule}-{defect.severity}")
def test_defect_is_found(defect: Defect) -> None:
    """A document that breaks a rule has a finding of this rule, of the right kind, at one of its objects."""
    found = [each for each in validate_usdm(broken(defect)) if each.rule == defect.rule]
    assert found, [str(each) for each in validate_usdm(broken(defect))]
    assert {(each.code, each.severity) for each in found} == {(defect.code, defect.severity)}
    assert all(each.target_path.startswith("study.versions[0](StudyVersion_1)") for each in found), found
    assert all(each.code in CATALOGUE for each in found)


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.rule}-{defect.severity}")
def test_rule_is_kept_without_the_defect(defect: Defect) -> None:
    """A document without the defect has no finding of its rule."""
    assert [str(each) for each in validate_usdm(document()) if each.rule == defect.rule] == []


# the schema


def changed(*steps: Any, value: Any) -> Tree:
    """Return the document with one value set."""
    made = document()
    place: Any = version_of(made)
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return made


@pytest.mark.parametrize(
    ("made", "rule", "path"),
    [
        (changed("more", value=1), "DDF00125", "study.versions[0]"),
        (changed("titles", value=None), "DDF00082", "study.versions[0].titles"),
        (changed("titles", value=[]), "DDF00126", "study.versions[0].titles"),
        (changed("titles", 0, "text", value=7), "DDF00082", "study.versions[0].titles[0].text"),
        (
            changed("titles", 0, "instanceType", value="Title"),
            "DDF00081",
            "study.versions[0].titles[0].instanceType",
        ),
        (changed("titles", 0, value={}), "DDF00125", "study.versions[0].titles[0]"),
        (
            changed("studyDesigns", 0, "instanceType", value="StudyDesign"),
            "DDF00081",
            "study.versions[0].studyDesigns[0].instanceType",
        ),
        (changed("studyDesigns", 0, "arms", value=[]), "DDF00126", "study.versions[0].studyDesigns[0].arms"),
        (
            changed("dateValues", 0, "dateValue", value="2021-02-30"),
            "DDF00082",
            "study.versions[0].dateValues[0].dateValue",
        ),
        (changed("organizations", 0, "name", value=""), "DDF00125", "study.versions[0].organizations[0].name"),
    ],
)
def test_schema_defects_name_their_rule_and_place(made: Tree, rule: str, path: str) -> None:
    """What breaks the schema is found at its path, under the rule that demands the schema there."""
    found = validate_usdm(made)
    assert {(each.code, each.severity) for each in found} == {("schema", "error")}
    assert (rule, path) in {(each.rule, each.target_path) for each in found}


def test_study_id_is_a_uuid() -> None:
    """The id of a study is a UUID or null."""
    made = document()
    made["study"]["id"] = "NCT99999901"
    assert [each.rule for each in validate_usdm(made)] == ["DDF00082"]
    made["study"]["id"] = None
    assert defects(validate_usdm(made)) == []


# codes


def findings(kind: str, key: str, *codes: Tree) -> list[tuple[str, str]]:
    """Return rule and severity of what is found of codes in an attribute of an otherwise empty object."""
    element = {"id": "X_1", "instanceType": kind, key: list(codes)}
    return [(each.rule, each.severity) for each in term_findings(Scope(element, []))]


@pytest.mark.parametrize(("kind", "key"), BOUND)
def test_codes_of_every_codelist(kind: str, key: str) -> None:
    """A code of an attribute has its preferred term, a term its code, and a closed codelist has no other codes."""
    codelist, rule = facts().codes[kind][key]
    known = facts().codelists[codelist]
    own, term = next(iter(known.terms.items()))
    assert findings(kind, key, code(own, term)) == []
    assert findings(kind, key, code(own, "Another term")) == [(rule, "error")]
    assert findings(kind, key, code("C0", term)) == [(rule, "error")]
    assert findings(kind, key, code("C0", "A new term")) == ([] if known.extensible else [(rule, "error")])
    assert findings(kind, key, {**code("A1", "A new term"), "codeSystem": "https://example.org"}) == (
        [] if known.extensible else [(rule, "error")]
    )


@pytest.mark.parametrize(("kind", "key"), [("StudyIntervention", "type"), ("Endpoint", "level")])
def test_unknown_in_a_closed_codelist_is_an_information(kind: str, key: str) -> None:
    """Unknown and Other, where a closed codelist has no term that is true, are told and no defect."""
    _, rule = facts().codes[kind][key]
    assert findings(kind, key, code("C17998", "Unknown")) == [(rule, "information")]
    assert findings(kind, key, code("C17649", "Other")) == [(rule, "information")]


def test_other_versions_of_terminology_are_warnings() -> None:
    """A term of another version than the one at hand may be right there: what differs is a warning."""
    other = code("C207616", "Official Title", "2024-09-27")
    assert findings("StudyTitle", "type", other) == [("DDF00146", "warning")]


# more than one design or version


def test_references_stay_in_their_design() -> None:
    """A cell does not take an arm of another design."""
    made = document()
    version = version_of(made)
    other = json.loads(json.dumps(version["studyDesigns"][0]).replace('_1"', '_1b"').replace('_2"', '_2b"'))
    other["name"] = "DESIGN2"
    other["studyCells"][0]["armId"] = "StudyArm_1"
    version["studyDesigns"].append(other)
    assert "DDF00071" in {each.rule for each in validate_usdm(made)}


@pytest.mark.parametrize(("kind", "key", "rule"), WITHIN)
def test_each_reference_within_a_design(kind: str, key: str, rule: str) -> None:
    """Each reference that has to stay within a design may name an object of its own design, and of no other."""

    def design(name: str, target: str) -> Tree:
        inside = [
            {"id": f"{name}_from", "instanceType": kind, key: target},
            {"id": f"{name}_to", "instanceType": "Made-up"},
        ]
        return {"id": name, "instanceType": "InterventionalStudyDesign", "inside": inside}

    def found(target: str) -> list[str]:
        designs = [design("One", target), design("Two", "Two_to")]
        version = {"id": "V", "instanceType": "StudyVersion", "studyDesigns": designs}
        scope = Scope(version, [])
        return [each.rule for one in scope.designs for each in within_findings(one, scope)]

    assert found("One_to") == []
    assert found("Two_to") == [rule]


def test_every_rule_has_a_test() -> None:
    """Every rule that the validator names is one that a test here breaks."""
    broken_ones = {defect.rule for defect in DEFECTS} | {rule for _, _, rule in WITHIN}
    broken_ones |= {rule for attributes in facts().codes.values() for _, rule in attributes.values()}
    broken_ones |= {"DDF00081", "DDF00082", "DDF00125", "DDF00126"}
    texts = (path.read_text(encoding="utf-8") for path in VALIDATORS.glob("usdm*.py"))
    named = {rule for text in texts for rule in re.findall(r"DDF\d{5}", text)}
    assert len(named) > 80
    assert named - broken_ones == set()


def test_versions_may_share_ids() -> None:
    """Ids are unique within a study version; another version may have the same."""
    made = document()
    made["study"]["versions"].append(copy.deepcopy(version_of(made)))
    assert defects(validate_usdm(made)) == []


# through the public ways


def test_validate_recognises_usdm(tmp_path: Path) -> None:
    """The command tells USDM by its content, names the file in each finding, and exits with 3 for an error."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(document()), encoding="utf-8")
    bad.write_text(json.dumps(changed("titles", value=[])), encoding="utf-8")
    ran = run("validate", good)
    assert (ran.code, ran.err) == (0, f"{good}: no errors\n")
    ran = run("validate", bad, "--format", "json")
    assert ran.code == 3
    assert [(each["record"], each["rule"]) for each in ran.documents] == [(str(bad), "DDF00126")]


@pytest.mark.parametrize(
    "text",
    [
        '{"study": null, "usdmVersion": "4.0.0"}',
        '{"study": {}, "usdmVersion": 4}',
        '{"study": {"name": "x", "instanceType": "Study", "versions": [null]}, "usdmVersion": "4.0.0"}',
        '{"study": [], "usdmVersion": {}, "resourceType": "Bundle"}',
        '{"study": {"name": "x", "instanceType": "Study", "versions": {"id": 1}}, "usdmVersion": "4.0.0"}',
        '{"study": ' + '{"study": ' * 300 + "1" + "}" * 301,
        '{"study": ' + '{"study": ' * 300 + "1" + "}" * 300 + ', "usdmVersion": "4.0.0"}',
    ],
)
def test_bad_input_gives_findings(text: str) -> None:
    """Whatever claims to be USDM and is not gives errors and no exception."""
    found = validate(text)
    assert found
    assert {each.severity for each in found} == {"error"}


def test_empty_study_is_valid() -> None:
    """A study without versions is what the schema allows, and has no rule to break."""
    assert validate({"study": {"name": "x", "instanceType": "Study"}, "usdmVersion": "4.0.0"}) == []


def test_many_findings_are_counted() -> None:
    """Of very many findings the gravest are listed and the others counted."""
    made = document()
    version = version_of(made)
    item = version["eligibilityCriterionItems"][0]
    version["eligibilityCriterionItems"] += [
        {**item, "id": f"Item_{number}", "name": f"I{number}"} for number in range(300)
    ]
    version["titles"].pop(0)
    found = validate_usdm(made)
    assert (len(found), found[0].rule) == (201, "DDF00115")
    assert "more findings are not listed" in found[-1].message


def test_finding_names_the_object() -> None:
    """The path of a finding has positions, and the ids of the objects on the way."""
    made = document()
    design = version_of(made)["studyDesigns"][0]
    design["studyCells"][0]["armId"] = "StudyArm_9"
    place = (
        "study.versions[0](StudyVersion_1).studyDesigns[0](InterventionalStudyDesign_1).studyCells[0](StudyCell_1)"
    )
    found = next(each for each in validate_usdm(made) if each.code == "reference-unresolved")
    assert (found.target_path, found.message) == (f"{place}.armId", "no object has the id StudyArm_9")


def test_dates_and_scopes_of_the_document_are_objects() -> None:
    """The made-up document has an object for each rule to look at."""
    made = document()
    for kind in (
        "GovernanceDate",
        "Duration",
        "BiospecimenRetention",
        "Masking",
        "Address",
        "PersonName",
        "Range",
    ):
        assert objects(made, kind), kind
