"""The table of fields says what the USDM mapping does: every claim is tried out on made-up studies."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest

from made_up import Tree
from odm_made_up import changed, leaf_paths
from trialconv_mappings.fields import field_rows
from trialconv_mappings.usdm.carried import DESIGN_HOMES, HOMES
from usdm_made_up import TYPES, build, full_study_of, places

ARMS = "protocolSection.armsInterventionsModule."
PLANNED = "protocolSection.designModule.enrollmentInfo.type"
STUDY_TYPE = "protocolSection.designModule.studyType"
ROWS = {row.path: row for row in field_rows("usdm-4.0")}


@cache
def full_places(kind: str) -> Counter[tuple[str, str]]:
    """Return the places of the full study of a type."""
    return places(build(full_study_of(kind)))


def arm_link(kind: str, field: str) -> tuple[Tree, Tree]:
    """Return a study of a type without the link between its arm and its intervention, and one with it."""
    without, linked = full_study_of(kind), full_study_of(kind)
    for tree in (without, linked):
        tree["protocolSection"]["armsInterventionsModule"]["armGroups"][0]["interventionNames"] = []
    module = linked["protocolSection"]["armsInterventionsModule"]
    if field.endswith("armGroupLabels[]"):
        module["interventions"][0]["armGroupLabels"] = [module["armGroups"][0]["label"]]
    else:
        module["armGroups"][0]["interventionNames"] = [f"Drug: {module['interventions'][0]['name']}"]
    return without, linked


def touched(field: str, kind: str) -> set[str]:
    """Return the places of the document of a type of study that change with a field."""
    before = full_places(kind)
    if field in (ARMS + "armGroups[].interventionNames[]", ARMS + "interventions[].armGroupLabels[]"):
        without, linked = arm_link(kind, field)
        before, after = places(build(without)), places(build(linked))
    elif field == STUDY_TYPE:
        after = full_places(TYPES[TYPES.index(kind) - 1])
    elif field == PLANNED:
        tree = full_study_of(kind)
        tree["protocolSection"]["designModule"]["enrollmentInfo"]["type"] = "ACTUAL"
        after = places(build(tree))
    else:
        after = places(build(changed(full_study_of(kind), field)))
    return {place for place, _ in (before - after) + (after - before)}


def test_table_has_a_row_for_every_field() -> None:
    """The table lists each field of the registry once, the results as one, and nothing else."""
    assert list(ROWS) == [*leaf_paths(), "resultsSection"]


@pytest.mark.parametrize("field", [path for path, row in ROWS.items() if row.home])
def test_every_home_changes_with_its_field(field: str) -> None:
    """Changing a field changes the document of some type of study at each place that the table names for it."""
    found = set().union(*(touched(field, kind) for kind in TYPES))
    for home in ROWS[field].home.split("; "):
        assert any(place == home or place.startswith(home + ".") for place in found), (home, found)


def test_field_without_home_changes_nothing() -> None:
    """A field without a home in the table leaves no trace in any document, and the table says why."""
    without = [path for path, row in ROWS.items() if not row.home and path != "resultsSection"]
    assert len(without) > 20
    for field in without:
        assert ROWS[field].reason, field
        for kind in TYPES:
            assert touched(field, kind) == set(), field


@pytest.mark.parametrize("kind", TYPES)
def test_whole_values_stand_in_the_document(kind: str) -> None:
    """The unique text of every field with a home stands in the document of each type of study."""
    tree = full_study_of(kind)
    values = "\n".join(value for _, value in full_places(kind))
    missing = [
        text
        for path, text in made_up_texts(tree, "")
        if ROWS[path].home and text not in values and not is_told_otherwise(path)
    ]
    assert missing == []


def is_told_otherwise(path: str) -> bool:
    """Tell whether a text of the made-up study stands in the document in another form."""
    return path.endswith(("eligibilityCriteria", "interventionNames[]"))


def made_up_texts(tree: Any, path: str) -> list[tuple[str, str]]:
    """Return every made-up text of a tree with its path."""
    if isinstance(tree, dict):
        return [
            found
            for key, value in tree.items()
            for found in made_up_texts(value, f"{path}.{key}" if path else key)
        ]
    if isinstance(tree, list):
        return [found for value in tree for found in made_up_texts(value, path + "[]")]
    return [(path, tree)] if isinstance(tree, str) and tree.startswith("Made-up") else []


def test_homes_are_fields() -> None:
    """Every field that is not carried as an extension attribute is a field of the registry, or holds some."""
    for home in (*HOMES, *DESIGN_HOMES):
        assert any(path.startswith(home) for path in leaf_paths()), home
