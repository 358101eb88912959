"""The table of fields says what the SDTM mapping does: every claim is tried out on made-up studies."""

from __future__ import annotations

import copy
import re
from collections import Counter
from functools import cache
from typing import Any

import pytest

import odm_made_up
from made_up import put
from odm_made_up import context, leaf_paths, values_of
from trialconv.odm_tree import Node
from trialconv_mappings.fields import FieldRow, field_rows
from trialconv_mappings.sdtm.package import build_sdtm

Places = Counter[tuple[str, str]]
_P = "protocolSection."
_ARMS = f"{_P}armsInterventionsModule."

#: Values that arms and interventions need to belong together, and others that decide where something goes.
SPECIAL: dict[str, tuple[Any, Any]] = {
    f"{_P}identificationModule.secondaryIdInfos[].type": ("REGISTRY", "NIH"),
    f"{_P}statusModule.overallStatus": ("RECRUITING", "COMPLETED"),
    f"{_ARMS}armGroups[].type": ("EXPERIMENTAL", "ACTIVE_COMPARATOR"),
    f"{_ARMS}armGroups[].label": ("Made-up arm", "Made-up arm"),
    f"{_ARMS}armGroups[].interventionNames[]": ("Drug: Made-up pill", "Drug: Unknown pill"),
    f"{_ARMS}interventions[].name": ("Made-up pill", "Another pill"),
    f"{_ARMS}interventions[].armGroupLabels[]": ("Made-up arm", "Unknown arm"),
}
#: Arms and interventions state their links twice; without the other side each says it alone.
OTHER_SIDE = {
    f"{_ARMS}armGroups[].interventionNames[]": ("interventions", "armGroupLabels"),
    f"{_ARMS}interventions[].armGroupLabels[]": ("armGroups", "interventionNames"),
    f"{_ARMS}interventions[].name": ("armGroups", "interventionNames"),
}


def full_study(kind: str) -> dict[str, Any]:
    """Return a study with a value in every field: one whose treatments are tried, or one for comparison."""
    tree = odm_made_up.full_study()
    for path, values in SPECIAL.items():
        put(tree, path, values[0])
    if kind == "compared":
        put(tree, f"{_ARMS}armGroups[].type", "ACTIVE_COMPARATOR")
        put(tree, f"{_P}designModule.enrollmentInfo.type", "ESTIMATED")
    return tree


def places(tree: dict[str, Any]) -> Places:
    """Return every value of a study's files with its place, without the hash of the whole record."""
    ctx = context(tree, created="2001-01-01T00:00:00Z")
    content_hash = ctx.record.version.content_hash[:12]
    found: Places = Counter()
    for name, document in build_sdtm(ctx).items():
        if isinstance(document, Node):
            found += Counter((name, text.replace(content_hash, "")) for _, text in values_of(document))
            continue
        variables = [column["name"] for column in document["columns"]]
        for row in document["rows"]:
            record = dict(zip(variables, row, strict=True))
            for variable, value in record.items():
                found[f"{record['DOMAIN']}.{variable}", str(value)] += 1
            if record["DOMAIN"] == "TS":
                found[f"TS[{record['TSPARMCD']}]", str(row[6:])] += 1
    return found


@cache
def full_places(kind: str) -> Places:
    """Return the places of a full study."""
    return places(full_study(kind))


def changed(tree: dict[str, Any], path: str, kind: str) -> dict[str, Any]:
    """Return a copy of a full study in which a field has its other value."""
    if path not in SPECIAL:
        return odm_made_up.changed(tree, path)
    first, second = SPECIAL[path]
    is_compared = kind == "compared" and path.endswith("armGroups[].type")
    made = copy.deepcopy(tree)
    put(made, path, first if is_compared else second)
    return made


def touched(path: str) -> set[str]:
    """Return the places that change with a field, in either of the full studies."""
    found: set[str] = set()
    for kind in ("tried", "compared"):
        tree, before = full_study(kind), full_places(kind)
        if path in OTHER_SIDE:
            where, what = OTHER_SIDE[path]
            del tree["protocolSection"]["armsInterventionsModule"][where][0][what]
            before = places(tree)
        after = places(changed(tree, path, kind))
        found |= {place for place, _ in (before - after) + (after - before)}
    return found


def test_table_has_a_row_for_every_field() -> None:
    """The table lists each field of the registry once, the results as one, with a home or a reason."""
    rows = field_rows("sdtm")
    assert [row.path for row in rows] == [*leaf_paths(), "resultsSection"]
    assert [row.path for row in rows if bool(row.home) == bool(row.reason)] == []


@pytest.mark.parametrize("row", [row for row in field_rows("sdtm") if row.home], ids=lambda row: row.path)
def test_every_home_changes_with_its_field(row: FieldRow) -> None:
    """Changing a field changes the files at each place that the table names for it."""
    missing = set(row.home.split("; ")) - touched(row.path)
    assert missing == set()


def test_field_without_home_changes_nothing() -> None:
    """A field without a home in the table leaves no trace in the datasets and the Define-XML."""
    for row in field_rows("sdtm"):
        if not row.home and row.path != "resultsSection" and row.path not in SPECIAL:
            assert touched(row.path) == set(), row.path


def test_homes_are_variables_parameters_or_the_define_xml() -> None:
    """A home is a variable of a dataset, a parameter of TS or the Define-XML."""
    for row in field_rows("sdtm"):
        for home in filter(None, row.home.split("; ")):
            assert re.fullmatch(r"TS\[[A-Z]{1,8}\]|T[SI]\.[A-Z]{1,8}|define\.xml", home), row
