"""The record: it is the registry's own data structure, whole, and what does not fit into it is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec import inspect

from made_up import Tree, encoded, fields, full_study, leaves, put, record, study
from trialconv.record import Record, SourceInfo, Study, decode_results, decode_study, enums
from trialconv.record.decode import attribute_names, leaf_paths
from trialconv.record.results import ResultsSection

_P = "protocolSection."

#: The types of the OpenAPI and those of the structs. Dates are texts in both.
PLAIN = {
    "string": inspect.StrType,
    "integer": inspect.IntType,
    "number": inspect.FloatType,
    "boolean": inspect.BoolType,
}


@pytest.fixture(scope="session")
def schemas(shared: Path) -> Tree:
    """Return the schemas of the registry's OpenAPI by name."""
    text = (shared / "corpus" / "schemas" / "ctg-oas-v2.0.5.json").read_text(encoding="utf-8")
    found: Tree = json.loads(text)["components"]["schemas"]
    return found


def openapi_leaves(schemas: Tree, schema: Tree, path: str = "") -> Iterator[tuple[str, Tree]]:
    """Yield the path and the schema of every leaf field below a schema."""
    while "$ref" in schema or "allOf" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema["allOf"][0]
    if "properties" in schema:
        for key, below in schema["properties"].items():
            yield from openapi_leaves(schemas, below, f"{path}.{key}" if path else key)
    elif schema.get("type") == "array":
        yield from openapi_leaves(schemas, schema["items"], path + "[]")
    else:
        yield path, schema


def struct_leaves(kind: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path and the type of every leaf field below a struct."""
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from struct_leaves(field.type, f"{path}.{field.encode_name}" if path else field.encode_name)
    elif isinstance(kind, inspect.ListType):
        yield from struct_leaves(kind.item_type, path + "[]")
    elif isinstance(kind, inspect.RawType):
        yield from struct_leaves(inspect.type_info(ResultsSection), path)
    else:
        yield path, kind


def test_structs_have_the_fields_of_the_openapi(schemas: Tree) -> None:
    """The structs have every leaf field of the OpenAPI, in its order, and no other: 203, and 141 of results."""
    expected = [path for path, _ in openapi_leaves(schemas, schemas["Study"])]
    found = [path for path, _ in struct_leaves(inspect.type_info(Study))]
    assert found == expected
    assert sum(path.startswith("resultsSection.") for path in found) == 141
    assert len(found) == 344


def test_structs_have_the_types_of_the_openapi(schemas: Tree) -> None:
    """Every leaf field has the OpenAPI's type or, where it lists words, exactly these words."""
    found = dict(struct_leaves(inspect.type_info(Study)))
    for path, schema in openapi_leaves(schemas, schemas["Study"]):
        kind = found[path]
        if "enum" in schema:
            assert isinstance(kind, inspect.LiteralType), path
            assert set(kind.values) == set(schema["enum"]), path
        else:
            assert isinstance(kind, PLAIN[schema["type"]]), path


def test_every_enumeration_is_one_of_the_openapi(schemas: Tree) -> None:
    """The enumerations have the names and the words of the OpenAPI's, for all that a study uses."""
    for name, words in vars(enums).items():
        if get_args(words) and not name.startswith("_"):
            assert list(get_args(words)) == schemas[name]["enum"], name


def test_leaf_paths_agree_with_the_structs() -> None:
    """The helper that other tables are checked with lists each field once, with the results as one."""
    paths = leaf_paths(Study)
    assert len(set(paths)) == len(paths) == 204
    assert [path for path in paths if path != "resultsSection"] == [field.path for field in fields()]


def test_attribute_names_follow_a_path() -> None:
    """A path in the registry's names leads to the attributes that hold its value."""
    assert attribute_names(Study, f"{_P}sponsorCollaboratorsModule.collaborators[].class") == [
        "protocol_section",
        "sponsor_collaborators_module",
        "collaborators",
        "class_",
    ]
    with pytest.raises(KeyError):
        attribute_names(Study, f"{_P}statusModule.noSuchField")


def normal(value: Any) -> Any:
    """Return a JSON value without empty objects and lists, which the registry means nothing by."""
    if isinstance(value, dict):
        pairs = ((key, normal(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item not in ({}, []) and item is not None}
    return [normal(item) for item in value] if isinstance(value, list) else value


def without(value: Any, path: str) -> None:
    """Take the value at the path of an Issue out of a tree."""
    *steps, last = path.replace("[", ".[").split(".")
    for step in steps:
        value = value[int(step[1:-1])] if step.startswith("[") else value[step]
    del value[last]


def test_real_studies_decode_and_encode_back(development_studies: list[tuple[str, bytes]]) -> None:
    """Every real study gives back what it said, but for the fields that the OpenAPI does not list."""
    for name, data in development_studies:
        made = Record(*_decoded(data))
        expected = json.loads(data)
        for found in made.issues:
            assert found.code == "unknown-field", (name, found)
            without(expected, found.source_path)
        assert json.loads(made.to_json()) == normal(expected), name


def _decoded(data: bytes) -> tuple[Study, SourceInfo, list[Any]]:
    decoded, findings = decode_study(data)
    return decoded, SourceInfo("real"), [found.as_issue("") for found in findings]


def test_real_results_decode_and_encode_back(development_studies: list[tuple[str, bytes]]) -> None:
    """The results section of every real study fits into its structs whole, and is no more than them."""
    seen = 0
    for name, data in development_studies:
        section = json.loads(data).get("resultsSection")
        if section is None:
            continue
        results, findings = decode_results(encoded(section))
        for found in findings:
            assert found.code == "unknown-field", (name, found)
            without(section, found.path.removeprefix("resultsSection."))
        assert normal(msgspec.to_builtins(results)) == normal(section), name
        seen += 1
    assert seen > 200


def test_full_study_fits() -> None:
    """A study with a value in every field decodes without a finding and encodes back to the same."""
    made = record(full_study())
    assert made.issues == []
    assert json.loads(made.to_json()) == full_study()


def test_unlisted_field_is_told_with_its_path() -> None:
    """A field that the OpenAPI does not list is an Issue with its path, at any depth, and nothing else is lost."""
    tree = full_study()
    tree["novelSection"] = {"a": 1}
    tree["protocolSection"]["statusModule"]["novel"] = "x"
    tree["protocolSection"]["contactsLocationsModule"]["locations"][0]["contacts"][0]["fax"] = "1"
    made = record(tree)
    assert sorted((found.code, found.source_path) for found in made.issues) == [
        ("unknown-field", "novelSection"),
        ("unknown-field", f"{_P}contactsLocationsModule.locations[0].contacts[0].fax"),
        ("unknown-field", f"{_P}statusModule.novel"),
    ]
    assert json.loads(made.to_json()) == full_study()


def test_unknown_word_stays_in_the_field() -> None:
    """A word that the OpenAPI does not list is an Issue with its path and stays where it was, also in a list."""
    tree = study(
        statusModule={"overallStatus": "PAUSED"},
        designModule={"phases": ["PHASE1", "PHASE9", "PHASE2"], "designInfo": {"maskingInfo": {"masking": "ALL"}}},
        armsInterventionsModule={"armGroups": [{"label": "A"}, {"label": "B", "type": "NOVEL"}]},
    )
    made = record(tree)
    assert [(found.code, found.source_path) for found in made.issues] == [
        ("unknown-enum-value", f"{_P}statusModule.overallStatus"),
        ("unknown-enum-value", f"{_P}designModule.phases[1]"),
        ("unknown-enum-value", f"{_P}designModule.designInfo.maskingInfo.masking"),
        ("unknown-enum-value", f"{_P}armsInterventionsModule.armGroups[1].type"),
    ]
    protocol = made.study.protocol_section
    assert str(protocol.status_module.overall_status) == "PAUSED"
    assert protocol.design_module.phases == ["PHASE1", "PHASE9", "PHASE2"]
    assert json.loads(made.to_json()) == tree


def test_every_enumerated_field_keeps_an_unknown_word() -> None:
    """Each field that has a list of words takes another one as text, with an Issue that names the field."""
    kinds = dict(struct_leaves(inspect.type_info(Study)))
    for field in fields():
        if not isinstance(kinds[field.path], inspect.LiteralType):
            continue
        tree = full_study()
        put(tree, field.path, "NOVEL_WORD")
        made = record(tree)
        assert [found.source_path for found in made.issues] == [_at_first(field.path)]
        assert json.loads(made.to_json()) == tree, field.path


def _at_first(path: str) -> str:
    return path.replace("[]", "[0]")


@pytest.mark.parametrize("wrong", [{"a": 1}, [1], 1.5, True, "text"], ids=repr)
def test_every_field_refuses_a_value_of_another_type(wrong: Any) -> None:
    """A value of another type than the OpenAPI's is an Issue with its path; the rest of the study is kept."""
    fitting = {str: inspect.StrType, bool: inspect.BoolType, float: inspect.FloatType}.get(type(wrong))
    kinds = dict(struct_leaves(inspect.type_info(Study)))
    for field in fields():
        if isinstance(kinds[field.path], fitting or ()):
            continue
        if field.path.endswith("nctId") or (
            wrong == "text" and isinstance(kinds[field.path], inspect.LiteralType)
        ):
            continue
        tree = full_study()
        put(tree, field.path, wrong)
        made = record(tree)
        assert [(found.code, found.source_path) for found in made.issues] == [
            ("wrong-type", _at_first(field.path))
        ], field.path
        expected = dict(leaves(full_study()))
        del expected[field.path]
        assert dict(leaves(json.loads(made.to_json()))) == expected, field.path


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("protocolSection.statusModule", "text"),
        ("protocolSection.conditionsModule.conditions", "text"),
        ("protocolSection.armsInterventionsModule.armGroups", {"label": "A"}),
        ("resultsSection", 5),
        ("derivedSection", []),
    ],
)
def test_object_or_list_of_another_type_is_told(path: str, wrong: Any) -> None:
    """Something else where an object or a list is expected is an Issue with its path."""
    tree = study()
    put(tree, path, wrong)
    made = record(tree)
    assert made.results == ResultsSection()
    assert [(found.code, found.source_path) for found in made.issues] == [("wrong-type", path)]


def test_null_is_absence() -> None:
    """A null says no more than a field that is not there."""
    tree = study(conditionsModule={"keywords": None, "conditions": ["Imaginary Fever"]})
    tree["protocolSection"]["oversightModule"] = None
    tree["resultsSection"] = None
    made = record(tree)
    assert made.results == ResultsSection()
    assert made.issues == []
    assert json.loads(made.to_json()) == normal(tree)


def test_results_are_looked_at_when_they_are_asked_for() -> None:
    """What is odd in the results section is told once, with its path, when the results are asked for."""
    tree = study()
    tree["resultsSection"] = {
        "novelModule": {},
        "outcomeMeasuresModule": {
            "outcomeMeasures": [{"type": "NOVEL", "title": "Made up", "populationDescription": 3}]
        },
    }
    made = record(tree)
    assert made.issues == []
    measure = made.results.outcome_measures_module.outcome_measures[0]
    assert (measure.type, measure.title) == ("NOVEL", "Made up")
    assert [(found.code, found.record, found.source_path) for found in made.issues] == [
        ("unknown-field", "NCT99999901", "resultsSection.novelModule"),
        ("unknown-enum-value", "NCT99999901", "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].type"),
        (
            "wrong-type",
            "NCT99999901",
            "resultsSection.outcomeMeasuresModule.outcomeMeasures[0].populationDescription",
        ),
    ]
    assert made.results is made.results
    assert len(made.issues) == 3


@pytest.mark.parametrize("date", ["2019", "2019-03", "2019-03-04"])
def test_partial_dates_keep_their_precision(date: str) -> None:
    """A date is kept as exactly as it was registered, and no more exactly."""
    tree = study(statusModule={"startDateStruct": {"date": date}})
    assert record(tree).study.protocol_section.status_module.start_date_struct.date == date


def test_version_ignores_the_download() -> None:
    """The day of the download, white space and the order of keys make no other version."""
    tree = full_study()
    other = copy.deepcopy(tree)
    other["derivedSection"]["miscInfoModule"]["versionHolder"] = "2031-01-01"
    other = {key: other[key] for key in sorted(other, reverse=True)}
    other["protocolSection"] = dict(reversed(other["protocolSection"].items()))
    pretty = json.dumps(other, indent=3).encode()
    assert Record(*_decoded(pretty)).version == record(tree).version


def test_version_tells_the_day_of_the_last_update() -> None:
    """A version has the day of the last posted update, and asking for it changes nothing in the record."""
    made = record(full_study())
    before = made.to_json()
    assert made.version.date == made.study.protocol_section.status_module.last_update_post_date_struct.date
    assert made.to_json() == before


def test_version_changes_with_every_field() -> None:
    """Another value in any field but the day of the download is another version."""
    seen = {record(full_study()).version.content_hash}
    for field in fields():
        if not field.path.endswith("versionHolder"):
            tree = full_study()
            put(tree, field.path, field.values[1])
            seen.add(record(tree).version.content_hash)
    assert len(seen) == len(fields())


def test_version_changes_with_results_and_extras() -> None:
    """Other results, and other things that a source says beside the fields, are another version."""
    tree = full_study()
    plain = record(tree).version
    extra = Record(record(tree).study, SourceInfo("made up"), extras={"title": "Another"}).version
    tree["resultsSection"] = {"participantFlowModule": {"recruitmentDetails": "Made up"}}
    assert len({plain.content_hash, extra.content_hash, record(tree).version.content_hash}) == 3


def test_version_of_results_ignores_white_space() -> None:
    """White space and the order of keys inside the results make no other version either."""
    tree = study()
    tree["resultsSection"] = {
        "participantFlowModule": {"recruitmentDetails": "Made up", "preAssignmentDetails": "No"}
    }
    other = study()
    other["resultsSection"] = {
        "participantFlowModule": {"preAssignmentDetails": "No", "recruitmentDetails": "Made up"}
    }
    spaced = json.dumps(other, indent=2).encode()
    assert Record(*_decoded(spaced)).version == record(tree).version
