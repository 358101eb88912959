"""Whatever a record holds, it becomes a valid document or one clear refusal, and the same every time."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from command_runner import run
from made_up import FHIR_TARGETS, Tree, defects, encoded, leaves
from strategies import damaged, studies
from test_odm_rebuild import rebuilt, registered
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.issues import CATALOGUE, Issue, SourceError
from trialconv.odm_parsed import tree_of
from trialconv.pipeline import Converted, coverage, transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo
from trialconv.record.leaves import leaf_values

STEADY = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def record(tree: Tree) -> Record:
    """Return the record of a study."""
    return read_study(encoded(tree), SourceInfo("generated"))


def made_of(tree: Tree, target: str) -> Converted:
    """Convert a study, and make sure of what holds for every document."""
    made = transform(record(tree), TARGETS[target], Options())
    assert defects(made.findings) == []
    for found in made.issues:
        assert found.code in CATALOGUE
        assert found.message
        assert found.record == "NCT99999901"
    return made


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_any_study_becomes_a_valid_bundle(target: str) -> None:
    """Any part of the registry's fields with any text in them gives a valid bundle, without empty values."""

    @STEADY
    @given(studies())
    def check(tree: Tree) -> None:
        made = made_of(tree, target)
        assert orjson.loads(made.data) == made.document
        for path, value in leaves(made.document):
            assert value not in ({}, [], "", None), path

    check()


@pytest.mark.parametrize("target", ["odm-2.0", "odm-2.0-json", "odm-1.3.2", "odm-1.3.2-plain"])
def test_any_study_becomes_valid_odm(target: str) -> None:
    """The same studies give valid ODM documents, from which they can be had back unless the document is plain."""

    @STEADY
    @given(studies())
    def check(tree: Tree) -> None:
        made = made_of(tree, target)
        if target.endswith("-json"):
            return
        parsed = etree.fromstring(made.data)
        assert parsed.tag.endswith("}ODM")
        if not target.endswith("-plain"):
            assert rebuilt(tree_of(parsed)) == registered(made.record.study)

    check()


@STEADY
@given(studies())
def test_any_study_becomes_valid_usdm(tree: Tree) -> None:
    """The same studies give USDM documents without errors; a warning tells of a record that contradicts itself."""
    made = transform(record(tree), TARGETS["usdm-4.0"], Options())
    assert {str(found) for found in made.findings if found.severity == "error"} == set()
    assert {found.rule for found in made.findings if found.severity == "warning"} <= {"DDF00191"}
    assert any(found.code == "filled-in" for found in made.issues)


@settings(STEADY, max_examples=60)
@given(studies(), st.sampled_from(list(TARGETS)))
def test_any_study_gives_the_same_bytes_again(tree: Tree, target: str) -> None:
    """A second conversion, of a record read anew with its keys in another order, gives the same bytes."""
    first = transform(record(tree), TARGETS[target], Options(), check=False)
    again = transform(record(turned(tree)), TARGETS[target], Options(), check=False)
    assert again.data == first.data
    assert sorted(map(str, again.issues)) == sorted(map(str, first.issues))


def turned(value: Any) -> Any:
    """Return a tree with the keys of every object in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(item) for item in value] if isinstance(value, list) else value


@settings(STEADY, max_examples=100)
@given(studies())
def test_any_study_encodes_back(tree: Tree) -> None:
    """A record gives back what it was made of, but for empty objects and lists."""
    made = record(tree)
    assert json.loads(made.to_json()) == filled(tree)
    assert {found.code for found in made.issues} <= {"unknown-enum-value", "broken-character"}


def filled(value: Any) -> Any:
    """Return a tree without empty objects and lists; an empty object in a list says that there is one."""
    if isinstance(value, dict):
        pairs = ((key, filled(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item not in ({}, [])}
    return [filled(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("target", TARGETS)
def test_damaged_studies(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """A real study with random damage is refused with one Issue, or becomes a document; it never fails."""
    refused = converted = 0
    for number, (name, data) in enumerate(smoke_studies * 4):
        tree = damaged(json.loads(data), seed=number)
        outcome = read_or_refusal(
            orjson.dumps(tree, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=str)
            if False
            else json.dumps(tree).encode(),
            name,
        )
        if isinstance(outcome, Issue):
            assert outcome.code in ("not-a-study", "malformed-source")
            refused += 1
            continue
        made = transform(outcome, TARGETS[target], Options())
        assert made.data
        assert defects(made.findings) == [], (name, number)
        converted += 1
    assert converted > 100
    assert refused > 0


def read_or_refusal(data: bytes, name: str) -> Record | Issue:
    """Return the record of some bytes, or the Issue that refuses them; its results are decoded, too."""
    try:
        made = read_study(data, SourceInfo(name))
    except SourceError as error:
        return error.issue
    assert made.results is not None
    made.to_json()
    return made


@settings(STEADY, max_examples=60)
@given(st.data())
def test_cut_and_patched_bytes(data: st.DataObject) -> None:
    """Any piece of a study with any bytes in it is converted or refused by the command, without a traceback."""
    whole = bytearray(encoded(data.draw(studies())))
    for _ in range(data.draw(st.integers(1, 3))):
        begin = data.draw(st.integers(0, len(whole)))
        end = data.draw(st.integers(begin, min(len(whole), begin + 20)))
        whole[begin:end] = data.draw(st.binary(max_size=4))
    ran = run("to-fhir", "-", "--no-validate", stdin=bytes(whole))
    assert ran.code in (0, 4)
    assert "Traceback" not in ran.err
    assert "internal-error" not in ran.err
    assert (ran.code == 4) == (len(ran.errors) == 1)


@pytest.mark.parametrize("target", TARGETS)
def test_any_study_is_counted_whole(target: str) -> None:
    """Whatever a study holds, each of its values is counted once, as native, in an extension or not placed."""

    @settings(STEADY, max_examples=60)
    @given(studies(), st.integers(0, 1000), st.booleans())
    def check(tree: Tree, seed: int, contacts: bool) -> None:
        try:
            read = record(damaged(tree, seed))
        except SourceError:
            return
        made = coverage([read], target, Options(contacts=contacts))
        values = leaf_values(read)
        for each in made.fields:
            assert each.values == len(values.get(each.field, ())), each.field
            assert each.values == each.native + each.extension + each.not_placed, each
            assert each.not_placed == sum(reason.count for reason in each.reasons), each
            assert 0 <= each.coded <= each.native + each.extension, each

    check()
