"""ODM 2.0 in JSON: the published schema accepts it, it says what the XML says, and the validator judges it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from lxml import etree

from odm_made_up import context, full_study
from trialconv.context import Context, Options
from trialconv.judging import validate
from trialconv.odm_parsed import tree_of
from trialconv.odm_tree import Node
from trialconv.record import Record, SourceInfo, decode_study
from trialconv.validators.odm_json import tree_from_json, validate_odm_json
from trialconv.writers.odm_json import write_odm_json
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm


@pytest.fixture(scope="module")
def official(shared: Path) -> jsonschema_rs.Validator:
    """Return CDISC's schema of ODM JSON."""
    text = (shared / "schemas" / "odm-2.0-jsonschema" / "ODM.schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.validator_for(json.loads(text))


def content(node: Node) -> Any:
    """Return what an element says, without namespaces and without the name that JSON has no place for."""
    attributes = {key: value for key, value in node.attributes.items() if not key.startswith("xmlns")}
    if node.name == "StudyTargetPopulation":
        attributes.pop("Name")
    children = [child if isinstance(child, str) else content(child) for child in node.children]
    return node.name, attributes, [child for child in children if child != ""]


def both(tree: Node) -> tuple[Any, Any]:
    """Return what the XML and the JSON of a document say."""
    xml = tree_of(etree.fromstring(write_odm_xml(tree)))
    read, found = tree_from_json(json.loads(write_odm_json(tree)))
    assert found == []
    return content(xml), content(read)


def test_json_says_what_the_xml_says() -> None:
    """Read back, the JSON of the full study has the elements, attributes and texts of its XML, in order."""
    xml, read = both(build_odm(context(full_study())))
    assert xml == read


def test_real_studies_say_the_same_and_pass_the_published_schema(
    official: jsonschema_rs.Validator, smoke_studies: list[tuple[str, bytes]]
) -> None:
    """For every study of the small set the JSON is valid by CDISC's schema and says what the XML says."""
    for name, data in smoke_studies:
        tree = build_odm(Context(Record(decode_study(data)[0], SourceInfo(name)), Options()))
        document = json.loads(write_odm_json(tree))
        assert [str(error) for error in official.iter_errors(document)] == [], name
        assert validate_odm_json(document) == [], name
        xml, read = both(tree)
        assert xml == read, name


def test_a_sample_of_all_studies_passes_the_published_schema(
    official: jsonschema_rs.Validator, development_studies: list[tuple[str, bytes]]
) -> None:
    """Every twentieth of all studies at hand gives JSON that CDISC's schema accepts."""
    for name, data in development_studies[::20]:
        tree = build_odm(Context(Record(decode_study(data)[0], SourceInfo(name)), Options()))
        assert official.is_valid(json.loads(write_odm_json(tree))), name


@pytest.fixture
def document() -> dict[str, Any]:
    """Return the ODM JSON of the full study."""
    made: dict[str, Any] = json.loads(write_odm_json(build_odm(context(full_study()))))
    return made


def protocol(document: dict[str, Any]) -> dict[str, Any]:
    """Return the protocol of a document."""
    found: dict[str, Any] = document["study"][0]["metaDataVersion"][0]["protocol"]
    return found


def spoil(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """Return a function that sets a member of the protocol."""

    def change(document: dict[str, Any]) -> None:
        target: Any = protocol(document)
        *steps, last = path.split(".")
        for step in steps:
            target = target[int(step) if step.isdecimal() else step]
        target[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "rule", "path"),
    [
        (spoil("madeUp", "x"), "xsd:cvc-complex-type-3-2-1", "MetaDataVersion/Protocol"),
        (spoil("madeUp", {}), "xsd:element-content", "Protocol/MadeUp"),
        (spoil("made up", "x"), "json-type", "MetaDataVersion/Protocol"),
        (spoil("description", []), "json-type", "Protocol/Description"),
        (spoil("alias.0.name", 5), "json-type", "/@Name"),
        (spoil("alias.0.name", None), "json-type", "/@Name"),
        (spoil("alias.0.name", "\x01"), "json-type", "/@Name"),
        (spoil("alias.1.context", "ClinicalTrials.gov"), "ODM-003", "Protocol/Alias[2]"),
        (spoil("trialPhase.value", "PHASE 9"), "ODM-013", "TrialPhase/@Value"),
        (spoil("studyStructure.arm.0.OID", ""), "xsd:cvc-minlength-valid", "StudyStructure/Arm"),
    ],
)
def test_defect_is_found_with_its_place(
    document: dict[str, Any], change: Callable[[dict[str, Any]], None], rule: str, path: str
) -> None:
    """A defect of names, types, content or rules is found, with the path of the element."""
    assert validate(document) == []
    change(document)
    found = [each for each in validate(json.dumps(document)) if each.rule == rule]
    assert found, validate(document)
    assert path in found[0].target_path
    assert found[0].source_path == ""


def test_dangling_reference_is_found(document: dict[str, Any]) -> None:
    """A criterion whose condition is gone is found in JSON as in XML."""
    broken = copy.deepcopy(document)
    broken["study"][0]["metaDataVersion"][0]["conditionDef"] = []
    assert {each.rule for each in validate(broken)} == {"ODM-001"}


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b'{"fileOID": 1}', b'{"fileOID": "F", "study": 5}', b'{"fileOID": "F", "study": [5]}']
)
def test_other_json_is_refused(data: bytes) -> None:
    """JSON that is no ODM, or nothing like it, gives errors and no exception."""
    found = validate_odm_json(data)
    assert found
    assert {each.severity for each in found} == {"error"}


def test_deep_nesting_is_refused() -> None:
    """JSON that is nested without end is refused and no failure."""
    data = '{"fileOID": "F", "study": ' + '[{"a": ' * 5000 + "1" + "}]" * 5000 + "}"
    assert [each.code for each in validate(data)] == ["invalid-document"]
