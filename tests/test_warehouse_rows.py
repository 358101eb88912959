"""The rows of a study: the table of columns and the table of fields say what the mapping does."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from made_up import Field, Tree, changed, fields, full_study, record, study
from test_field_tables import OTHER_SIDE
from trialconv.catalog import TARGETS
from trialconv.context import Context, Options
from trialconv.pipeline import transform
from trialconv.record import Study
from trialconv.record.decode import leaf_paths
from trialconv.validators.warehouse import validate_rows
from trialconv_mappings.fields import field_rows
from trialconv_mappings.warehouse.values import day, period
from trialconv_mappings.warehouse_tables import SCHEMA_VERSION, tables

Places = Counter[tuple[str, str]]


def places(tree: Tree) -> Places:
    """Return every value of a study's rows with its table and column."""
    made = transform(record(tree), TARGETS["warehouse"], Options()).document
    return Counter(
        (f"{table}.{column}", str(value))
        for table, rows in made.items()
        for row in rows
        for column, value in row.items()
    )


@cache
def full_places() -> Places:
    """Return the places of the study that has every field."""
    return places(full_study())


def touched(field: Field) -> set[str]:
    """Return the columns that change with a field."""
    tree, before = full_study(), full_places()
    if field.path in OTHER_SIDE:
        where, what = OTHER_SIDE[field.path]
        del tree["protocolSection"]["armsInterventionsModule"][where][0][what]
        before = places(tree)
    after = places(changed(tree, field))
    return {place for place, _ in (before - after) + (after - before)}


def test_the_table_of_fields_is_complete() -> None:
    """It has each field once, with a home or a reason, and its homes are columns whose source is the field."""
    rows = field_rows("warehouse")
    assert [row.path for row in rows] == leaf_paths(Study)
    columns = {f"{table.name}.{column.name}": column for table in tables().values() for column in table.columns}
    for row in rows:
        assert bool(row.home) != bool(row.reason), row.path
        assert all(row.path in columns[home].sources for home in row.homes), row.path


def test_every_home_changes_with_its_field() -> None:
    """Changing a field changes the columns that are its home, and nothing where it has none."""
    columns = {f"{each.table}.{each.name}": each for table in tables().values() for each in table.columns}
    of_text = {name for name, each in columns.items() if each.table == "criteria" and each.name != "text"}
    by_words = {"conditions.mesh_id", "interventions.mesh_id"} | of_text
    by_position = ("arm_interventions.arm_position", "arm_interventions.intervention_position")
    for field in fields():
        (row,) = (each for each in field_rows("warehouse") if each.path == field.path)
        found = touched(field)
        if not row.home:
            assert found == set(), field.path
        elif field.path not in OTHER_SIDE:
            # What is made by a rule, and how a text is taken apart, depends on the value.
            wanted = {home for home in row.homes if not columns[home].rule} - by_words
            assert wanted, field.path
            assert wanted <= found, (field.path, found)
        else:
            assert set(by_position) <= found, field.path


def test_the_tables_are_sound() -> None:
    """Each table begins with its study and has a key; what was added later may be empty; types are known."""
    for table in tables().values():
        assert table.key
        assert table.columns[0].name == table.key[0]
        names = [column.name for column in table.columns]
        assert len(set(names)) == len(names)
        for column in table.columns:
            assert column.meaning
            assert 1 <= column.since <= SCHEMA_VERSION
            assert column.nullable or column.since == table.since
            assert not (column.key and column.nullable)
            assert column.unit or column.type not in ("BIGINT", "DOUBLE", "DATE") or column.name == "load_id"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020", ("2020-01-01", "2020-12-31")),
        ("2020-02", ("2020-02-01", "2020-02-29")),
        ("2021-02", ("2021-02-01", "2021-02-28")),
        ("2020-02-29", ("2020-02-29", "2020-02-29")),
        ("2021-02-29", None),
        ("0000-01", None),
        ("2020-13", None),
        ("20-01-01", None),
        ("2020-1-01", None),
        ("\uff12\uff10\uff12\uff10", None),
        ("soon", None),
        ("", None),
    ],
)
def test_periods(text: str, expected: tuple[str, str] | None) -> None:
    """A date is the days that it may mean, and never more or fewer."""
    assert period(text) == expected


def test_a_month_is_no_day() -> None:
    """Where the registry has days, a month is an Issue and no day."""
    ctx = Context(record(study()), Options())
    assert day(ctx, "2020-02", "a.b", "t.c") is None
    assert [found.code for found in ctx.issues] == ["invalid-date"]


def test_rows_that_do_not_fit_are_found() -> None:
    """Each kind of defect in rows is found where it is; rows of the mapping have none."""
    rows = transform(record(full_study()), TARGETS["warehouse"], Options()).document
    assert validate_rows(rows) == []
    (one,) = rows["studies"]
    for table, bad, where in (
        ("studies", {**one, "enrollment": "many"}, "studies[0].enrollment"),
        ("studies", {**one, "enrollment": 2**63}, "studies[0].enrollment"),
        ("studies", {**one, "start_date_from": "2020-02-30"}, "studies[0].start_date_from"),
        ("studies", {**one, "nct_id": None}, "studies[0].nct_id"),
        ("studies", {**one, "other": 1}, "studies[0]"),
        ("keywords", {"nct_id": "NCT99999901"}, "keywords[0]"),
    ):
        found = validate_rows({**rows, table: [bad]})
        assert [(each.code, each.target_path) for each in found] == [("schema", where)]
    (twice,) = validate_rows({**rows, "keywords": rows["keywords"] * 2})
    assert (twice.code, twice.target_path) == ("duplicate-id", f"keywords[{len(rows['keywords'])}]")
    assert validate_rows({**rows, "nothing": []})
