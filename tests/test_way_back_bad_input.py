"""Damaged and hostile documents: each gives records or one clear refusal, and never fails."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from made_up import encoded, full_study, record
from round_trip import FORMS, outcomes, written
from strategies import damaged
from test_standard_wins import document
from trialconv.catalog import REGISTRY_JSON
from trialconv.context import Options
from trialconv.issues import SourceError
from trialconv.odm_parsed import tree_of
from trialconv.odm_tree import NAMESPACES, SDM_NAMESPACE, Node
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.readers.xml_input import parsed_xml
from trialconv.record import Record, SourceInfo
from trialconv.writers.odm_xml import write_odm_xml


def judged(found: Record | SourceError) -> bool:
    """Make sure that an outcome is a record that can be written, or a refusal with a code; tell which."""
    if isinstance(found, SourceError):
        assert found.issue.message
        return False
    made = transform(found, REGISTRY_JSON, Options())
    again = read_study(made.data, SourceInfo("again")) if found.nct_id else None
    assert again is None or again.to_json() == made.data
    return True


@pytest.mark.parametrize("form", ["fhir-r4", "fhir-r5"])
def test_damaged_bundles(form: str) -> None:
    """A bundle with random damage anywhere becomes a record, or is refused."""
    tree = document(full_study(), form)
    read = sum(judged(each) for seed in range(60) for each in outcomes(json.dumps(damaged(tree, seed)).encode()))
    assert read > 36


@pytest.mark.parametrize("form", ["fhir-r4", "fhir-r5"])
@pytest.mark.parametrize("wrong", [0, "x", None, [[]], [{"extension": 1}]])
def test_values_of_another_type(form: str, wrong: Any) -> None:
    """Each element of the study in turn, and of what is inside of it, may be anything."""
    bundle = document(full_study(), form)
    resource = bundle["entry"][0]["resource"]
    for key in list(resource):
        kept = resource[key]
        resource[key] = wrong
        for each in outcomes(json.dumps(bundle).encode()):
            judged(each)
        if isinstance(kept, list) and isinstance(kept[0], dict):
            for inner in kept[0]:
                resource[key] = [{**kept[0], inner: wrong}]
                for each in outcomes(json.dumps(bundle).encode()):
                    judged(each)
        resource[key] = kept


def test_references_in_circles() -> None:
    """References may lead back to where they come from."""
    circle = {"reference": "ResearchStudy/a"}
    resource = {
        "resourceType": "ResearchStudy",
        "id": "a",
        "identifier": [{"value": "NCT99999901"}],
        **dict.fromkeys(("sponsor", "principalInvestigator"), circle),
        **{key: [circle] for key in ("site", "protocol", "enrollment", "partOf")},
        "associatedParty": [{"party": circle, "role": {"text": "STUDY_CHAIR"}}],
        "contained": [
            {"resourceType": "PractitionerRole", "id": "b", "practitioner": {"reference": "#b"}},
            {"resourceType": "ResearchStudy", "id": "a", "site": [{"reference": "#a"}]},
        ],
    }
    found = outcomes(json.dumps(resource).encode())
    assert [judged(each) for each in found] == [True, True]


def test_deep_nesting() -> None:
    """Nesting beyond all reason is refused, and nesting below that is read."""
    for depth in (50, 200, 400, 600, 800, 900, 990, 1100, 100_000):
        deep = '{"extension":[' * depth + "]}" * depth
        text = '{"resourceType":"ResearchStudy","identifier":[{"value":"NCT99999901"}],"extension":[' + deep + "]}"
        for each in outcomes(text.encode()):
            judged(each)
        text = '{"fileOID":"a","study":[{"OID":"ST.NCT99999901","a":' + '{"a":' * depth + "1" + "}" * depth + "}]}"
        for each in outcomes(text.encode()):
            judged(each)
        xml = f'<ResearchStudy xmlns="http://hl7.org/fhir">{"<extension>" * depth}{"</extension>" * depth}'
        for each in outcomes(f"{xml}</ResearchStudy>".encode()):
            judged(each)
        odm = f'<ODM xmlns="{NAMESPACES["2.0"]}"><Study>{"<Arm>" * depth}{"</Arm>" * depth}</Study></ODM>'
        for each in outcomes(odm.encode()):
            judged(each)


@pytest.mark.parametrize("form", ["odm-2.0", "odm-1.3.2"])
def test_damaged_odm(form: str) -> None:
    """An ODM document with attributes, texts and elements taken out, doubled or exchanged becomes a record."""
    root = tree_of(parsed_xml(written(record(full_study()), form), SourceInfo("made up")))
    version = "2.0" if form == "odm-2.0" else "1.3.2"
    read = 0
    for seed in range(40):
        made = copy.deepcopy(root)
        chance = random.Random(seed)  # noqa: S311 - the same damage on every run
        for _ in range(chance.randint(1, 30)):
            _damage(made, chance)
        made.attributes |= {"xmlns": NAMESPACES[version], "xmlns:sdm": SDM_NAMESPACE}
        read += sum(judged(each) for each in outcomes(write_odm_xml(made)))
    assert read > 30


def _damage(root: Node, chance: random.Random) -> None:
    nodes = list(_all_nodes(root))
    node, other = chance.choice(nodes), chance.choice(nodes)
    match chance.randrange(5):
        case 0 if node.attributes:
            del node.attributes[chance.choice(list(node.attributes))]
        case 1 if node.attributes:
            words = ["", "x", "999999999", "-1", "EP.PRI.99999999999999999999", "CTG.a.1.b", "resultsSection"]
            node.attributes[chance.choice(list(node.attributes))] = chance.choice(words)
        case 2:
            node.children = ()
        case 3 if node.children:
            node.children = [*node.children, copy.deepcopy(chance.choice(list(node.children)))]
        case _:
            node.children, other.children = copy.deepcopy(other.children), copy.deepcopy(node.children)


def _all_nodes(root: Node) -> list[Node]:
    found = [root]
    for node in found:
        found += node.elements
    return found


def test_damaged_odm_json() -> None:
    """The JSON of ODM with random damage becomes a record, or is refused."""
    tree = json.loads(written(record(full_study()), "odm-2.0-json"))
    read = sum(judged(each) for seed in range(60) for each in outcomes(json.dumps(damaged(tree, seed)).encode()))
    assert read > 36


def test_positions_of_no_list() -> None:
    """A position that no list can have takes no memory."""
    tree = json.loads(written(record(full_study()), "odm-2.0-json"))
    text = json.dumps(tree).replace("PAR.INDIC.1", "PAR.INDIC.999999999")
    (found,) = outcomes(text.encode())
    assert isinstance(found, Record)
    # The indication beside the parameter is the first of the list.
    assert len(found.study.protocol_section.conditions_module.conditions) == 2


@pytest.mark.parametrize(
    ("data", "reader", "code", "words"),
    [
        (encoded(full_study()), "fhir", "not-a-study", "without a resourceType"),
        (encoded(full_study()), "odm", "not-a-study", "without a fileOID"),
        (b'{"resourceType": "Patient"}', None, "not-a-study", "Patient"),
        (b'{"resourceType": "Bundle", "entry": 1}', None, "not-a-study", "Bundle"),
        (b"{", "fhir", "malformed-source", "not well-formed JSON"),
        (b"<Bundle", "fhir", "malformed-source", "not well-formed XML"),
        (b'<!DOCTYPE a><Bundle xmlns="http://hl7.org/fhir"/>', None, "malformed-source", "DOCTYPE"),
        (b"not ODM", "odm", "malformed-source", "neither XML nor"),
        (f'<ODM xmlns="{NAMESPACES["2.0"]}"/>'.encode(), None, "not-a-study", "no Study"),
        (b"<a/>", "odm", "not-a-study", "the root element is <a>"),
    ],
)
def test_what_is_no_document_of_a_study(data: bytes, reader: str | None, code: str, words: str) -> None:
    """What is none is refused, and told for what it is."""
    (found,) = outcomes(data, reader)
    assert isinstance(found, SourceError)
    assert found.issue.code == code
    assert words in found.issue.message


def test_forms_are_told_by_their_content() -> None:
    """Every form is recognised without being told what it is."""
    made = record(full_study())
    for form in FORMS:
        (found,) = outcomes(written(made, form))
        assert isinstance(found, Record)
        assert found.source.reader == form.partition("-")[0]
