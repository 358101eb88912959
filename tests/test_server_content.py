"""What counts as a difference between what we say and what a server has."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_up import bundle, full_study, record
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.fhir_server.content import (
    HASH_SYSTEM,
    content_hash,
    differences,
    hashes_in,
    marked,
    normal_form,
    not_kept,
)
from trialconv.fhir_server.entries import entries_of
from trialconv.fhir_server.holdings import identifiers_asked_for
from trialconv.pipeline import transform

BASE = "https://fhir.example.org/r4"
leaves = st.text(max_size=5) | st.integers(-9, 9) | st.booleans()
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)
objects = st.dictionaries(st.sampled_from("abcd"), trees, min_size=1, max_size=4)


@given(objects)
def test_the_normal_form_is_its_own(tree: dict[str, Any]) -> None:
    """The normal form of a normal form is itself, has the same hash, and differs nowhere."""
    made = normal_form(tree)
    assert normal_form(made) == made
    assert content_hash(normal_form(json.loads(json.dumps(tree, sort_keys=True)))) == content_hash(made)
    assert list(differences(made, made)) == []
    assert not_kept(made, made) == []


@given(objects, st.data())
def test_what_is_not_kept_is_named(tree: dict[str, Any], data: st.DataObject) -> None:
    """Where a server drops an element, that is named; where it has one more, it is no matter of keeping."""
    made = normal_form(tree)
    less = copy.deepcopy(made)
    gone = data.draw(st.sampled_from(sorted(made))) if made else None
    if gone is not None:
        del less[gone]
        assert not_kept(made, less) == [f".{gone}"]
        assert list(differences(made, less)) == [f".{gone}"]
        assert content_hash(made) != content_hash(less)
    assert not_kept(made, {**made, "e": 1}) is None


@given(objects, objects)
def test_equal_hashes_are_equal_content(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Two contents have one hash just when they differ nowhere."""
    first, second = normal_form(one), normal_form(other)
    assert (content_hash(first) == content_hash(second)) is (not list(differences(first, second)))


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ({"id": "1", "meta": {"versionId": "2"}, "a": 1}, {"id": "9", "a": 1}, True),
        ({"a": 1.0}, {"a": 1}, True),
        ({"a": 1}, {"a": True}, False),
        ({"a": "1"}, {"a": 1}, False),
        ({"size": "1"}, {"size": 1}, True),
        ({"a": "2025-01-01T00:00:00Z"}, {"a": "2025-01-01T01:00:00.000+01:00"}, True),
        ({"a": "2025-01-01"}, {"a": "2025-01-01T00:00:00Z"}, False),
        ({"a": {"reference": "Group/1"}}, {"a": {"reference": f"{BASE}/Group/1"}}, True),
        ({"a": {"reference": "Group/1"}}, {"a": {"reference": "Group/1/_history/3"}}, True),
        ({"a": {"reference": "Group/1"}}, {"a": {"reference": "https://other.example.org/Group/1"}}, False),
        ({"a": {"reference": "Group/1"}}, {"a": {"reference": "Group/2"}}, False),
        ({"a": 1}, {"a": 1, "text": {"status": "generated", "div": "<div>x</div>"}}, True),
        ({"a": 1}, {"a": 1, "text": {"status": "additional", "div": "<div>x</div>"}}, False),
        ({"text": {"div": "<p>a\n b</p>"}}, {"text": {"div": "<p>a b</p> "}}, True),
        ({"extension": [{"url": "a"}, {"url": "b"}]}, {"extension": [{"url": "b"}, {"url": "a"}]}, True),
        ({"name": ["a", "b"]}, {"name": ["b", "a"]}, False),
        ({"a": 1}, {"a": 1, "b": None, "c": [], "d": {}}, True),
    ],
)  # fmt: skip
def test_what_counts(ours: dict[str, Any], theirs: dict[str, Any], same: bool) -> None:
    """What a server may rewrite does not count, and everything else does."""
    said, has = normal_form(ours), normal_form(theirs, base=BASE)
    assert (content_hash(said) == content_hash(has)) is same
    assert (list(differences(said, has)) == []) is same


def test_lists_that_lost_an_item() -> None:
    """An item that a server dropped from a list is named by its position; a moved or a changed one is no loss."""
    ours = {"a": [{"x": 1}, {"x": 2}, {"x": 3}]}
    assert not_kept(ours, {"a": [{"x": 1}, {"x": 3}]}) == [".a[1]"]
    assert not_kept(ours, {"a": [{"x": 3}, {"x": 1}]}) is None
    assert not_kept(ours, {"a": [{"x": 1}, {"x": 4}]}) is None


def test_the_hash_does_not_depend_on_who_gives_the_ids() -> None:
    """Two conversions of one study have the same hashes, those of put and those of conditional requests each."""
    for request in ("put", "conditional-update"):
        first, second = (
            [
                content_hash(normal_form(entry.resource))
                for entry in entries_of(bundle(full_study(), request=request))
            ]
            for _ in range(2)
        )
        assert first == second
        assert len(set(first)) == len(first)


def test_tags_of_others_stay() -> None:
    """A marked resource has one hash, and the tags, labels and profiles that the server's had."""
    foreign = {"system": "http://example.org", "code": "x"}
    there = {"meta": {"tag": [foreign, {"system": HASH_SYSTEM, "code": "old"}], "security": [foreign]}}
    made = marked({"resourceType": "Group", "id": "1", "meta": {"source": "s"}, "type": "person"}, "new", there)
    assert hashes_in(made) == {"new"}
    assert made["meta"]["security"] == [foreign]
    assert foreign in made["meta"]["tag"]
    assert made["meta"]["source"] == "s"
    assert list(made) == ["resourceType", "id", "meta", "type"]


@pytest.mark.parametrize("base", ["https://w3id.org/trialconv", "https://example.org/a,b$c|d+e"])
def test_searches_are_understood_as_they_are_written(base: str) -> None:
    """What a bundle asks a server for is an identifier of its resource, whatever the base holds."""
    options = Options(request="conditional-update", base=base)
    made = transform(record(full_study()), TARGETS["fhir-r4"], options, check=False)
    for entry in entries_of(made.document):
        ((system, value),) = identifiers_asked_for(entry.search)
        known = [(each["system"], each["value"]) for each in entry.resource["identifier"] if "system" in each]
        assert (system, value) in known
