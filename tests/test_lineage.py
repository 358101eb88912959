"""Lineage: every value of a document says where it comes from, and what it says is put to the test."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import trialconv
from lineage_truth import changes, lies, traced_document
from made_up import FHIR_TARGETS, full_study, record, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.lineage import counted, derived, distinct, filled, join, parsed, plain, substituted
from trialconv.lineage.records import tracing
from trialconv.lineage.values import WHOLE_RECORD, Origin, Text, text_of, traced
from trialconv.odm_tree import Node
from trialconv.pipeline import transform
from trialconv.record import Record
from trialconv.tracing.model import Leaf, Lineage, path_matcher
from trialconv.tracing.walk import TraceError, document_leaves

_P = "protocolSection."
#: R4B has the elements of R4, and the JSON of ODM 2.0 the tree of its XML.
DIFFERENT = tuple(target for target in TARGETS if target not in ("fhir-r4b", "odm-2.0-json"))
#: Of how many changes to the full study one is tried: longer documents take longer.
STRIDES = {
    "fhir-r4": 1,
    "fhir-r5": 2,
    "odm-2.0": 3,
    "odm-1.3.2": 5,
    "odm-1.3.2-plain": 3,
    "usdm-4.0": 1,
    "sdtm": 7,
    "warehouse": 1,
    "rpe": 1,
}


def leaf_at(lineage: Lineage, place: str) -> Leaf:
    """Return the leaf at a place."""
    (found,) = [leaf for leaf in lineage.leaves if leaf.place == place]
    return found


def single_values(document: Any) -> Iterator[Any]:
    """Yield every value of a document of any target, in its order."""
    if isinstance(document, Node):
        yield from (value for name, value in document.attributes.items() if not name.startswith("xmlns"))
        for child in document.children:
            yield from single_values(child)
    elif isinstance(document, dict):
        for item in document.values():
            yield from single_values(item)
    elif isinstance(document, list):
        for item in document:
            yield from single_values(item)
    elif document is not None:
        yield document


@pytest.mark.parametrize("target", DIFFERENT)
def test_full_study_tells_the_truth(target: str) -> None:
    """What changes with any value of the full study names that value."""
    tree = full_study()
    base = traced_document(tree, target)
    chosen = list(changes(tree))[:: STRIDES[target]]
    assert [str(lie) for change in chosen for lie in lies(base, change, target)] == []


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("fhir-r4", {"narrative": True, "provenance": True, "shared_organizations": True}),
        ("fhir-r5", {"request": "conditional-update", "narrative": True, "contacts": False}),
        ("fhir-r4", {"bundle": "batch", "unknown_status": "last-known"}),
        ("sdtm", {"sdtm_minimal": True}),
        ("sdtm", {"sdtm_format": "xport"}),
        ("rpe", {"soap_to": "https://ehr.example.org/rpe"}),
    ],
    ids=str,
)
def test_ways_of_delivery_tell_the_truth(target: str, options: dict[str, Any]) -> None:
    """The ways of delivery hand on origins, too."""
    tree = full_study()
    base = traced_document(tree, target, **options)
    chosen = list(changes(tree))[:: 14 if options.get("sdtm_format") else 5]
    assert [str(lie) for change in chosen for lie in lies(base, change, target, **options)] == []


@pytest.mark.parametrize("target", DIFFERENT)
def test_real_studies_tell_the_truth(target: str, smoke_studies: list[tuple[str, bytes]]) -> None:
    """The lineage of real studies tells the truth."""
    for _, raw in smoke_studies[5:50:15]:
        tree = msgspec.json.decode(raw)
        base = traced_document(tree, target)
        chosen = list(changes(tree))
        for change in chosen[3 :: max(1, len(chosen) // 6)]:
            assert [str(lie) for lie in lies(base, change, target)] == []


def test_lies_are_found() -> None:
    """A value that the mapping would hide is found out."""
    tree = full_study()
    base = traced_document(tree, "fhir-r4")
    hidden = tuple(msgspec.structs.replace(leaf, sources=(), how="constant") for leaf in base.lineage.leaves)
    blind = base._replace(lineage=msgspec.structs.replace(base.lineage, leaves=hidden))
    change = next(each for each in changes(tree) if each.path.endswith("briefTitle"))
    assert any("ResearchStudy.title" in str(lie) for lie in lies(blind, change, "fhir-r4"))


@pytest.mark.parametrize("target", TARGETS)
def test_leaves_are_those_of_the_document(target: str) -> None:
    """There is a leaf for every value, in the order of the document."""
    made = record(full_study())
    document = transform(made, TARGETS[target], Options(), check=False).document
    lineage = trialconv.trace(made, target)
    assert [leaf.value for leaf in lineage.leaves] == list(single_values(document))


@pytest.mark.parametrize("target", TARGETS)
def test_paths_are_exact(target: str) -> None:
    """No two leaves have the same path."""
    lineage = trialconv.trace(record(full_study()), target)
    assert len({(leaf.file, leaf.path) for leaf in lineage.leaves}) == len(lineage.leaves)


@pytest.mark.parametrize("target", TARGETS)
def test_every_leaf_has_an_origin(target: str) -> None:
    """A leaf is a constant, filled in, or names values of the record; a coded one has its row."""
    known = {source.path for source in trialconv.trace(record(full_study()), target).sources}
    for leaf in trialconv.trace(record(full_study()), target).leaves:
        assert {*leaf.sources} <= known | {WHOLE_RECORD}
        assert (leaf.how == "coded") == (leaf.row is not None) == bool(leaf.table)
        if leaf.how in ("copied", "parsed", "derived"):
            assert leaf.sources
        if leaf.how == "constant":
            assert not leaf.sources


@pytest.mark.parametrize("target", TARGETS)
def test_copied_is_what_the_record_says(target: str) -> None:
    """A copied value is the first of its sources."""
    made = trialconv.trace(record(full_study()), target)
    values = {source.path: source.value for source in made.sources}
    for leaf in made.leaves:
        if leaf.how == "copied":
            said = values[leaf.sources[0]]
            assert leaf.value == said or str(leaf.value).lower() == str(said).lower()


@pytest.mark.parametrize("target", TARGETS)
def test_every_value_of_the_record_is_accounted_for(target: str) -> None:
    """Each value of the record went somewhere, or there is a reason."""
    lineage = trialconv.trace(record(full_study()), target)
    assert len(lineage.sources) > 200
    for source in lineage.sources:
        assert bool(source.elements) != bool(source.reason)
        # TS takes durations, codes and registries, and not all words of the full study are such.
        assert target == "sdtm" or not source.reason.startswith("nothing in this document")
        assert {leaf.element for leaf in lineage.of_source(source.path)} == {*source.elements}


@pytest.mark.parametrize("target", TARGETS)
def test_is_deterministic(target: str) -> None:
    """Two traces of a record are equal."""
    made = record(full_study())
    assert trialconv.trace(made, target) == trialconv.trace(made, target)


@pytest.mark.parametrize("target", TARGETS)
def test_leaves_nothing_behind(target: str) -> None:
    """A document after a trace is made of plain values, and the one that it was before."""
    made = record(full_study())
    before = transform(made, TARGETS[target], Options(), check=False)
    trialconv.trace(made, target)
    after = transform(record(full_study()), TARGETS[target], Options(), check=False)
    assert after.data == before.data
    assert {type(value) for value in single_values(after.document)} <= {str, int, float, bool}


def test_real_records_to_all_targets(smoke_studies: list[tuple[str, bytes]]) -> None:
    """The traced conversion makes the same document of every kind of record; all of each is accounted for."""
    for name, raw in smoke_studies[::4]:
        made = record(msgspec.json.decode(raw))
        for target in DIFFERENT:
            lineage = trialconv.trace(made, target)
            assert all(source.elements or source.reason for source in lineage.sources), (name, target)


@pytest.mark.parametrize("name", ["NCT99990201", "page"])
def test_other_formats(name: str, example_page: Path) -> None:
    """What a source says beside the registry's fields has a path below `extras`."""
    case = Path(__file__).parent / "cases" / "ctgov_page" / "two-arms" / "input.txt"
    source = example_page if name == "page" else case
    (made,) = trialconv.read(source)
    lineage = trialconv.trace(made, "odm-2.0")
    assert all(each.elements or each.reason for each in lineage.sources)
    assert {each.path.split(".")[0] for each in lineage.sources} >= {"protocolSection", "extras"}


def test_coded() -> None:
    """A status is coded by a row of a table, which the leaf holds."""
    lineage = trialconv.trace(record(study()), "fhir-r4")
    leaf = leaf_at(lineage, "ResearchStudy/NCT99999901.status")
    assert (leaf.value, leaf.how, leaf.table) == ("completed", "coded", "fhir_r4_status")
    assert leaf.sources == (f"{_P}statusModule.overallStatus",)
    assert leaf.row is not None
    assert (leaf.row.source, leaf.row.code) == ("COMPLETED", "completed")
    assert leaf.path == "Bundle.entry[0].resource.status"
    assert leaf.element == "ResearchStudy.status"


def test_two_phases_are_one_code() -> None:
    """The code of two phases names both."""
    tree = study(designModule={"studyType": "INTERVENTIONAL", "phases": ["PHASE1", "PHASE2"]})
    (code,) = [leaf for leaf in trialconv.trace(record(tree)).leaves if leaf.element.endswith("phase.coding.code")]
    assert code.sources == (f"{_P}designModule.phases[0]", f"{_P}designModule.phases[1]")


def test_criteria_are_parsed() -> None:
    """Criteria are taken out of the text."""
    text = "Inclusion Criteria:\n\n* Adults\n* Fever\n\nExclusion Criteria:\n\n* None at all"
    tree = study(eligibilityModule={"eligibilityCriteria": text})
    lineage = trialconv.trace(record(tree), "sdtm")
    for place in ("TI[INCL001].IETEST", "TI[EXCL001].IETEST"):
        assert leaf_at(lineage, place).how == "parsed"
        assert leaf_at(lineage, place).sources == (f"{_P}eligibilityModule.eligibilityCriteria",)


def test_filled_in() -> None:
    """A placeholder has no source; an instant has the day that it was made of."""
    lineage = trialconv.trace(record(study()), "usdm-4.0")
    leaf = leaf_at(lineage, "StudyVersion_1.rationale")
    assert (leaf.how, leaf.sources) == ("filled-in", ())
    created = leaf_at(trialconv.trace(record(study()), "odm-2.0"), "ODM/@CreationDateTime")
    assert (created.how, created.sources) == (
        "filled-in",
        (f"{_P}statusModule.lastUpdatePostDateStruct.date",),
    )


def test_of_equal_values_each_is_named() -> None:
    """Sites of one country make one country of the study, which comes from all of them."""
    sites = [{"facility": "A", "country": "Norway"}, {"facility": "B", "country": "Norway"}]
    lineage = trialconv.trace(record(study(contactsLocationsModule={"locations": sites})), "fhir-r5")
    (text,) = [leaf for leaf in lineage.leaves if leaf.element == "ResearchStudy.region.text"]
    paths = [f"{_P}contactsLocationsModule.locations[{number}].country" for number in (0, 1)]
    assert list(text.sources) == paths


def test_rows_name_what_they_were_found_by() -> None:
    """In rows of tables a heading names the words that are the same, and a link of an arm both of its labels."""
    tree = study(
        conditionsModule={"conditions": ["Cough", "Fever"]},
        armsInterventionsModule={
            "armGroups": [{"label": "A"}, {"label": "B"}],
            "interventions": [{"type": "DRUG", "name": "Sand", "armGroupLabels": ["B"]}],
        },
    )
    tree["derivedSection"] = {"conditionBrowseModule": {"meshes": [{"id": "D005334", "term": "Fever"}]}}
    base = traced_document(tree, "warehouse")
    assert [str(lie) for change in changes(tree) for lie in lies(base, change, "warehouse")] == []
    mesh, browse = leaf_at(base.lineage, "conditions[1].mesh_id"), "derivedSection.conditionBrowseModule.meshes[0]"
    assert mesh.how == "copied"
    assert mesh.sources == (f"{browse}.id", f"{browse}.term", f"{_P}conditionsModule.conditions[1]")
    for column, value in (("arm_position", 2), ("intervention_position", 1)):
        leaf = leaf_at(base.lineage, f"arm_interventions[0].{column}")
        assert (leaf.value, leaf.how) == (value, "derived")
        module = f"{_P}armsInterventionsModule"
        assert leaf.sources == (f"{module}.interventions[0].armGroupLabels[0]", f"{module}.armGroups[1].label")


def test_hash_is_of_the_whole_record() -> None:
    """What is made of a hash of the record names the record."""
    lineage = trialconv.trace(record(study()), "odm-2.0")
    assert WHOLE_RECORD in leaf_at(lineage, "ODM/@FileOID").sources


def test_why_not() -> None:
    """What went nowhere says why: for the Issue about this value, or as the field table has it."""
    sites = [{"facility": "A", "country": "Norway", "contacts": [{"name": "Made-up Person"}]}]
    tree = study(contactsLocationsModule={"locations": sites}, oversightModule={"isUsExport": True})
    tree["resultsSection"] = {"moreInfoModule": {}}
    options = Options(contacts=False)
    reasons = {each.path: each.reason for each in trialconv.trace(record(tree), "sdtm", options).sources}
    assert "no place for" in reasons["resultsSection"] or reasons["resultsSection"]
    assert reasons[f"{_P}oversightModule.isUsExport"]
    made = trialconv.trace(record(tree), "fhir-r4", options)
    left_out = {each.path: each.reason for each in made.sources}
    assert left_out[f"{_P}contactsLocationsModule.locations[0].contacts[0].name"] == "contacts were left out"


@pytest.mark.parametrize(
    ("wanted", "path", "expected"),
    [
        ("a.b[2].c", "a.b[2].c", True),
        ("a.b[].c", "a.b[2].c", True),
        ("a.b.c", "a.b[2].c", True),
        ("a.b", "a.b[2].c", True),
        ("a.b[1]", "a.b[2].c", False),
        ("a.b", "a.bc", False),
        ("a.b[1]", "a.b[12].c", False),
    ],
)
def test_paths_match(wanted: str, path: str, expected: bool) -> None:
    """A path without a position means all, and what is below it."""
    assert path_matcher(wanted)(path) is expected


def test_of_source() -> None:
    """The leaves of a field, of any position."""
    lineage = trialconv.trace(record(full_study()))
    found = lineage.of_source(f"{_P}armsInterventionsModule.interventions.name")
    assert {leaf.element for leaf in found} >= {
        "ActivityDefinition.title",
        "PlanDefinition.action.action.action.title",
    }
    assert lineage.of_source(f"{_P}armsInterventionsModule.interventions[7]") == []


def test_counts_of_ways() -> None:
    """Each leaf is counted once."""
    lineage = trialconv.trace(record(full_study()))
    assert sum(lineage.counts().values()) == len(lineage.leaves)


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_characters_that_cannot_stay(target: str) -> None:
    """A text with replaced characters, and the exact one beside it, come from the field."""
    tree = study(identificationModule={"nctId": "NCT99999901", "briefTitle": "Made\x01up"})
    lineage = trialconv.trace(record(tree), target)
    for place in ("title", "_title.extension[0].valueBase64Binary"):
        leaf = leaf_at(lineage, f"ResearchStudy/NCT99999901.{place}")
        assert leaf.sources == (f"{_P}identificationModule.briefTitle",)


def test_another_document_is_an_error() -> None:
    """The traced document is compared with the one that is written."""
    document = {"resourceType": "Bundle", "type": "batch", "entry": []}
    for other in ({**document, "type": "x"}, {**document, "entry": [{}]}, {"resourceType": "Bundle"}):
        with pytest.raises(TraceError):
            list(document_leaves(("NCT99999901", "fhir-r4"), document, other))  # type: ignore[arg-type]


def test_conversions_in_other_threads() -> None:
    """While somebody traces, other conversions make what they make otherwise."""
    made = record(full_study())
    expected = trialconv.convert(made, "fhir-r4")
    found: list[Any] = []
    with tracing():
        thread = threading.Thread(target=lambda: found.append(trialconv.convert(record(full_study()), "fhir-r4")))
        thread.start()
        thread.join()
    assert found == [expected]


_ORIGIN = Origin("copied", ("a.b",))
_OTHER = Origin("copied", ("c",))
_TEXTS = st.text(alphabet="ab \\&;.é\n", max_size=12)


@given(_TEXTS, _TEXTS)
def test_traced_texts(text: str, other: str) -> None:
    """What is done with a traced text gives what it gives with the text."""
    value = text_of(text, _ORIGIN)
    pairs = [
        (value + other, text + other),
        (other + value, other + text),
        (value.strip(), text.strip()),
        (value.lower(), text.lower()),
        (value.replace("a", other), text.replace("a", other)),
        (value[1:], text[1:]),
        (value.partition("a"), text.partition("a")),
        (value.split("a"), text.split("a")),
        (value.split(), text.split()),
        (plain(value), plain(text)),
        (f"{value}", text),
        (str(value), text),
    ]
    assert [made for made, _ in pairs] == [expected for _, expected in pairs]
    with tracing():
        assert join(other, [value, "b"]) == other.join([text, "b"])
        assert plain(value) == plain(text)


@given(_TEXTS.filter(bool), _TEXTS.filter(bool))
def test_texts_keep_their_origin(text: str, other: str) -> None:
    """Pieces of a text, and texts made with it, come from where it comes from."""
    value = text_of(text, _ORIGIN)
    with tracing():
        for made in (value + other, other + value, value.upper(), value[:1], join("-", [value, other])):
            assert made == "" or made.origin.sources == ("a.b",)  # type: ignore[attr-defined]
        both = value + text_of(other, _OTHER)
        assert both.origin == Origin("derived", ("a.b", "c"))  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", ["a", 7, 2.5, True, False])
def test_values_are_equal(value: Any) -> None:
    """A traced value is equal to the value that it stands for."""
    made = traced(value, _ORIGIN)
    assert made == value
    assert hash(made) == hash(value)
    assert bool(made) == bool(value)
    assert str(made) == str(value)
    assert made.origin == _ORIGIN


def test_verbs_do_nothing_without_a_trace() -> None:
    """Verbs return what they are given."""
    held = {"a": ["b"]}
    value = text_of("x", _ORIGIN)
    for verb in (derived, filled, parsed):
        assert verb(held, value) is held  # type: ignore[operator]
    assert counted(held) is held
    assert type(join("", ["a", "b"])) is str


def test_verbs_of_a_trace() -> None:
    """Verbs mark what they return, and everything inside."""
    value = text_of("x", _ORIGIN)
    with tracing():
        made = derived({"a": ["b", None, 3, True]}, value)
        assert made == {"a": ["b", None, 3, True]}
        assert [each.origin.how for each in made["a"] if each is not None] == ["derived"] * 3
        assert filled("y", value).origin == Origin("filled-in", ("a.b",))  # type: ignore[attr-defined]
        assert parsed("y", value).origin.how == "parsed"  # type: ignore[attr-defined]
        assert derived("y", "z") == "y"
        assert not isinstance(derived("y", "z"), Text)
        assert counted(3).origin.sources == (WHOLE_RECORD,)  # type: ignore[attr-defined]
        merged = distinct([value, text_of("x", _OTHER), "z"])
        assert merged == ["x", "z"]
        assert merged[0].origin.sources == ("a.b", "c")  # type: ignore[attr-defined]
        assert substituted(re.compile("x"), "y", value).origin.sources == ("a.b",)  # type: ignore[attr-defined]


def test_a_record_is_traced_as_a_copy() -> None:
    """The record itself keeps its plain values."""
    made: Record = record(full_study())
    trialconv.trace(made, "fhir-r4")
    assert type(made.nct_id) is str
