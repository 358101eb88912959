"""Patches: applied to the older bundle they give the newer one, by other people's code and by the standard."""

from __future__ import annotations

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trialconv
from fhir_patch_applied import applied, resources
from made_up import FHIR_TARGETS, Field, Tree, changed, fields, full_study, record, study
from strategies import damaged, studies
from trialconv.context import Options
from trialconv.differences.fhir_patch import fhir_patch
from trialconv.differences.json_patch import json_patch
from trialconv.formats import FhirVersion
from trialconv.issues import SourceError, UsageError

VERSIONS: dict[str, FhirVersion] = {"fhir-r4": "R4", "fhir-r4b": "R4B", "fhir-r5": "R5"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "b", "~/"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "url", "a", "b/~"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def check(before: Tree, after: Tree, version: FhirVersion) -> Tree:
    """Apply both patches between two bundles, and return the one of FHIR, which is a valid Bundle."""
    patched = jsonpatch.apply_patch(before, json_patch(before, after))
    assert patched == after
    assert trialconv.validate(patched, fhir_version=version) == trialconv.validate(after, fhir_version=version)
    transaction = fhir_patch(before, after, version)
    assert applied(before, transaction) == resources(after)
    # What a patch refers to may be on the server only.
    found = trialconv.validate(transaction, fhir_version=version)
    assert [each for each in found if each.severity != "information" and each.code != "reference-unresolved"] == []
    return transaction


@settings(max_examples=200, deadline=None)
@given(JSON, JSON)
def test_any_json_is_patched_to_any_other(before: Any, after: Any) -> None:
    """The JSON Patch between two JSON documents gives the second one, values of equal but other type included."""
    made = jsonpatch.apply_patch(copy.deepcopy(before), json_patch(before, after))
    assert made == after
    assert str(made) == str(after) or isinstance(after, dict | list)


@pytest.mark.parametrize("field", fields()[1::7], ids=lambda each: each.path)
@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_another_value_in_a_field(field: Field, target: str) -> None:
    """A changed field of the record is patched into the bundle of each FHIR version."""
    old, new = (trialconv.convert(record(tree), target) for tree in (full_study(), changed(full_study(), field)))
    check(old, new, VERSIONS[target])


@settings(max_examples=25, deadline=None)
@given(studies(), st.integers(0, 10**6), st.sampled_from(["fhir-r4", "fhir-r5"]))
def test_bundles_of_damaged_studies(tree: Tree, seed: int, target: str) -> None:
    """Between the bundles of any study and of one with damage both patches lead, in either direction."""
    try:
        old, new = (trialconv.convert(record(each), target) for each in (tree, damaged(tree, seed)))
    except (SourceError, IndexError):  # refused, or too small a study for so much damage
        return
    for before, after in ((old, new), (new, old)):
        assert jsonpatch.apply_patch(before, json_patch(before, after)) == after
        if resources(before).keys() & resources(after).keys():
            assert applied(before, fhir_patch(before, after, VERSIONS[target])) == resources(after)


def test_an_entry_in_front_is_one_step() -> None:
    """A site more is few steps, however many resources the bundle has."""
    sites = [{"facility": f"Site {number}", "city": "Oslo", "country": "Norway"} for number in range(40)]
    before, after = (
        trialconv.convert(record(study(contactsLocationsModule={"locations": each})))
        for each in (sites[1:], sites)
    )
    assert [step["op"] for step in json_patch(before, after)].count("add") <= 3
    assert len(json_patch(before, after)) <= 4


def test_requests_are_those_of_the_changes() -> None:
    """What changed is patched, what is new is put, what is gone deleted, and the rest is not touched."""
    one, other = {"facility": "A", "city": "Oslo", "country": "Norway"}, {"facility": "B", "city": "Oslo"}
    before = study(contactsLocationsModule={"locations": [one]})
    after = study(contactsLocationsModule={"locations": [other]})
    transaction = check(*(trialconv.convert(record(each)) for each in (before, after)), "R4")
    done = sorted(
        (entry["request"]["method"], entry["request"]["url"].partition("/")[0]) for entry in transaction["entry"]
    )
    assert done == [("DELETE", "Location"), ("PATCH", "ResearchStudy"), ("PUT", "Location")]
    assert fhir_patch(trialconv.convert(record(before)), trialconv.convert(record(before)), "R4") == {
        "resourceType": "Bundle",
        "type": "transaction",
    }


def test_a_changed_narrative_is_put_whole() -> None:
    """FHIR Patch has no type for XHTML, so that a resource with another narrative is put as a whole."""
    options = Options(narrative=True)
    old, new = (
        trialconv.convert(record(study(identificationModule={"briefTitle": title})), "fhir-r4", options)
        for title in ("One title", "Another title")
    )
    transaction = check(old, new, "R4")
    assert ("PUT", "ResearchStudy") in [
        (entry["request"]["method"], entry["request"]["url"].partition("/")[0]) for entry in transaction["entry"]
    ]


def test_resources_without_ids_cannot_be_patched() -> None:
    """A transaction for a server that chooses the ids has none to name; that is said."""
    old, new = (
        trialconv.convert(
            record(study(identificationModule={"briefTitle": title})),
            "fhir-r4",
            Options(request="conditional-update"),
        )
        for title in ("One title", "Another title")
    )
    assert jsonpatch.apply_patch(old, json_patch(old, new)) == new
    with pytest.raises(UsageError, match="has no id"):
        fhir_patch(old, new, "R4")
