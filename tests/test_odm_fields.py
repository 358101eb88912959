"""The table of fields says what the ODM mapping does: every claim is tried out on a made-up study."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from odm_made_up import changed, context, full_study, leaf_paths, values_of
from trialconv.catalog import TARGETS
from trialconv_mappings.markup import MARKUP
from trialconv_mappings.odm.document import build_odm
from trialconv_mappings.odm.homes import HOMES

TARGET_NAMES = ("odm-2.0", "odm-1.3.2", "odm-1.3.2-plain")


@cache
def rows() -> dict[str, dict[str, str]]:
    """Return the table of fields by field."""
    text = files("trialconv_mappings.odm").joinpath("fields.csv").read_text(encoding="utf-8")
    return {row["field"]: row for row in csv.DictReader(text.splitlines())}


def places(tree: dict[str, Any], target: str) -> Counter[tuple[str, str]]:
    """Return every value of the document with its place, without the hash of the whole record."""
    ctx = context(tree, **TARGETS[target].versions, created="2001-01-01T00:00:00Z")
    content_hash = ctx.record.version.content_hash[:12]
    found: Counter[tuple[str, str]] = Counter()
    for place, value in values_of(build_odm(ctx)):
        found[place.removeprefix("ODM/"), value.replace(content_hash, "")] += 1
    return found


@cache
def full_places(target: str) -> Counter[tuple[str, str]]:
    """Return the places of the full study."""
    return places(full_study(), target)


def test_table_has_a_row_for_every_field() -> None:
    """The table lists each field of the registry once, the results as one, and nothing else."""
    assert list(rows()) == [*leaf_paths(), "resultsSection"]


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_every_home_changes_with_its_field(target: str) -> None:
    """Changing a field changes the document at each place that the table names for it."""
    before = full_places(target)
    for field, row in rows().items():
        if field == "resultsSection":
            continue
        homes = [home for home in row[target].split("; ") if home]
        after = places(changed(full_study(), field), target)
        touched = {place for place, _ in (before - after) + (after - before)}
        for home in homes:
            assert any(place == home or place.startswith(home + "/") for place in touched), (field, home)


@pytest.mark.parametrize("target", TARGET_NAMES)
def test_field_without_home_changes_nothing(target: str) -> None:
    """A field without a home in the table leaves no trace in the document, and the table says why."""
    before = full_places(target)
    for field, row in rows().items():
        if row[target] or field == "resultsSection":
            continue
        assert row["reason"], field
        assert places(changed(full_study(), field), target) == before, field


@pytest.mark.parametrize("target", ["odm-2.0", "odm-1.3.2"])
def test_every_field_has_a_home_but_in_plain_documents(target: str) -> None:
    """ODM 2.0, and ODM 1.3.2 with SDM-XML, have a home for every field of the registry beside the results."""
    assert [field for field, row in rows().items() if not row[target]] == ["resultsSection"]


def test_homes_are_fields() -> None:
    """Every field that the mapping does not carry as a parameter is a field of the registry."""
    assert set(leaf_paths()) >= HOMES["2.0"] > HOMES["1.3.2"]
    assert set(leaf_paths()) >= MARKUP


@pytest.mark.parametrize("target", ["odm-2.0", "odm-1.3.2"])
def test_whole_values_stand_in_the_document(target: str) -> None:
    """The unique text of every field of the full study stands in the document."""
    ctx = context(full_study(), **TARGETS[target].versions)
    values = "\n".join(value for _, value in values_of(build_odm(ctx)))
    missing = [text for text in made_up_texts(full_study()) if text not in values]
    assert missing == []


def made_up_texts(tree: Any) -> list[str]:
    """Return every text of a tree."""
    if isinstance(tree, dict):
        return [text for value in tree.values() for text in made_up_texts(value)]
    if isinstance(tree, list):
        return [text for value in tree for text in made_up_texts(value)]
    return [tree] if isinstance(tree, str) else []
