"""The table of fields says what the FHIR mapping does: every claim is tried out on a made-up study."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import pytest

from made_up import FHIR_TARGETS, Field, Tree, changed, fields, full_study, leaves, put, record, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.losses import losses
from trialconv.pipeline import transform
from trialconv.record import Study
from trialconv.record.decode import leaf_paths
from trialconv_mappings.fields import field_rows

Places = Counter[tuple[str, str]]
OTHER_SIDE = {
    "protocolSection.armsInterventionsModule.armGroups[].interventionNames[]": ("interventions", "armGroupLabels"),
    "protocolSection.armsInterventionsModule.interventions[].armGroupLabels[]": ("armGroups", "interventionNames"),
}
LISTED = re.compile(r"not in this document \((.*?)\): ")


def places(tree: Tree, target: str) -> Places:
    """Return every value of a study's bundle with the type of its resource and its path there."""
    made = transform(record(tree), TARGETS[target], Options(), check=False)
    found: Places = Counter(
        (f"Bundle.meta.{path}", str(value)) for path, value in leaves(made.document.get("meta", {}))
    )
    for entry in made.document["entry"]:
        resource = entry["resource"]
        for path, value in leaves(resource):
            found[f"{resource['resourceType']}.{path}", str(value)] += 1
    return found


@cache
def full_places(target: str) -> Places:
    """Return the places of the study that has every field."""
    return places(full_study(), target)


def homes(target: str) -> dict[str, str]:
    """Return the home of every field in a target by the field's path; empty where there is none."""
    return {row.path: row.home for row in field_rows(target)}


def touched(field: Field, target: str) -> set[str]:
    """Return the places of the bundle that change with a field."""
    tree, before = full_study(), full_places(target)
    if field.path in OTHER_SIDE:
        # Arms and interventions state their links twice; one of them has to say it alone.
        where, what = OTHER_SIDE[field.path]
        del tree["protocolSection"]["armsInterventionsModule"][where][0][what]
        before = places(tree, target)
    after = places(changed(tree, field), target)
    return {place for place, _ in (before - after) + (after - before)}


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_table_has_a_row_for_every_field(target: str) -> None:
    """The table lists each field of the record once, in the order of the record, and nothing else."""
    assert [row.path for row in field_rows(target)] == leaf_paths(Study)


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_every_missing_home_has_a_reason(target: str) -> None:
    """A row has a home, or the reason why there is none."""
    for row in field_rows(target):
        assert bool(row.home) != bool(row.reason), row.path


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_every_home_changes_with_its_field(target: str) -> None:
    """Changing a field that has a home changes the element that the table names for it."""
    home = homes(target)
    for field in fields():
        if home[field.path]:
            first = home[field.path].partition(".extension(")[0].partition(";")[0]
            found = {place.replace("[]", "") for place in touched(field, target)}
            assert any(place == first or place.startswith(first + ".") for place in found), (field.path, found)


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_extension_homes_are_there(target: str) -> None:
    """A home that is an extension is one that the bundle has, with the url that the table gives in short."""
    urls = {value for (place, value) in full_places(target) if place.endswith("extension[].url")}
    for path, home in homes(target).items():
        for part in home.split("extension(")[1:]:
            name = part.partition(")")[0].removeprefix("5.0 ")
            assert any(url.rpartition("/")[2].removeprefix("extension-").startswith(name) for url in urls), (
                path,
                name,
            )


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_texts_stand_in_the_bundle(target: str) -> None:
    """The text of every free-text field with a home stands in the bundle, whole."""
    values = "\n".join(value for _, value in full_places(target))
    missing = [
        field.path
        for field in fields()
        if homes(target)[field.path] and field.is_free_text and str(field.values[0]) not in values
    ]
    assert missing == []


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_field_without_home_changes_nothing(target: str) -> None:
    """A field without a home in the table leaves no trace in the bundle."""
    for field in fields():
        if not homes(target)[field.path]:
            assert touched(field, target) == set(), field.path


def told(tree: Tree, target: str) -> set[str]:
    """Return the paths of the fields that the Issues of a study name as lost."""
    found: set[str] = set()
    for each in losses(record(tree), target):
        assert each.code == "field-not-mapped"
        listed = LISTED.match(each.message)
        names = listed[1].split(", ") if listed else []
        found |= {f"{each.source_path}.{name}" for name in names} or {each.source_path}
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_field_without_home_is_told(target: str) -> None:
    """Each filled field without a home is named by an Issue, alone or with the others of its object."""
    lost = {row.path for row in field_rows(target) if not row.home}
    assert lost
    for field in fields():
        tree = study()
        put(tree, field.path, field.values[0])
        assert (field.path in told(tree, target)) == (field.path in lost), field.path


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_no_loss_is_told_for_what_is_not_there(target: str) -> None:
    """A study names losses only for objects that it has: the small one has none, an empty object is none."""
    assert told(study(), target) == set()
    tree = study(referencesModule={"references": [], "seeAlsoLinks": []})
    tree["derivedSection"], tree["resultsSection"] = {"miscInfoModule": {}}, {}
    assert told(tree, target) == set()


@pytest.mark.parametrize("target", TARGETS)
def test_losses_of_the_full_study(target: str) -> None:
    """The study that has every field names every field without a home, and no field that has one."""
    tree = full_study()
    tree["resultsSection"] = {"participantFlowModule": {"recruitmentDetails": "Made up"}}
    assert told(tree, target) == {row.path for row in field_rows(target) if not row.home}
