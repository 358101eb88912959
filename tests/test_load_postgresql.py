"""PostgreSQL as a warehouse: rows in binary, and keys that are complete when a load is."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import postgres_server
from test_load import load, summary
from trialconv.sinks.warehouse import LoadStart, MergeRules, merge, open_warehouse
from trialconv.sinks.warehouse.arrow import batch_of
from trialconv.sinks.warehouse.copy_binary import HEADER, TRAILER, copy_binary
from trialconv.sinks.warehouse.ddl import column_type
from trialconv.sinks.warehouse.model import StudyVersion
from trialconv_mappings.warehouse_tables import Column, Type
from warehouses import lines, new_database, numbered, query

# PostgreSQL has no NUL in texts; trialconv has none in rows.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
VALUES: dict[Type, st.SearchStrategy[Any]] = {
    "TEXT": TEXTS,
    "TEXT[]": st.lists(TEXTS | st.none()),
    "INTEGER": st.integers(-(2**31), 2**31 - 1),
    "BIGINT": st.integers(-(2**63), 2**63 - 1),
    "DOUBLE": st.floats(allow_nan=False),
    "BOOLEAN": st.booleans(),
    "DATE": st.dates(),
    "JSON": st.dictionaries(TEXTS, TEXTS | st.integers() | st.none() | st.booleans()),
}
ARROW = {
    "TEXT": pa.string(),
    "TEXT[]": pa.list_(pa.string()),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "JSON": pa.string(),
}


@pytest.fixture(scope="module")
def connection(postgres: postgres_server.Server) -> Any:
    """Return a connection with a table that has a column of each type."""
    columns = [
        f'"{type_}" {column_type(Column("t", type_, type_, True, 0, "", "", (), "", 1), "postgresql")}'
        for type_ in VALUES
    ]
    with psycopg.connect(new_database(postgres), autocommit=True) as connected:
        connected.execute(f"CREATE TABLE odd ({', '.join(columns)})".encode())
        yield connected


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    rows=st.lists(st.tuples(*(each | st.none() for each in VALUES.values())), min_size=1), skipped=st.integers(0)
)
def test_every_value_arrives(connection: psycopg.Connection, rows: list[tuple[Any, ...]], skipped: int) -> None:
    """Whatever a column may hold is in the table as it was, also of a part of the rows."""
    kept = [[json.dumps(each) if isinstance(each, dict) else each for each in row] for row in rows]
    columns = [
        pa.array(values, ARROW[type_]) for type_, values in zip(VALUES, zip(*kept, strict=True), strict=True)
    ]
    begin = skipped % len(rows)
    batch = pa.record_batch(columns, names=list(VALUES)).slice(begin)
    connection.execute("TRUNCATE odd")
    with connection.cursor().copy("COPY odd FROM STDIN (FORMAT binary)") as copy:
        copy.write(HEADER)
        copy.write(copy_binary(batch, list(VALUES)))
        copy.write(TRAILER)
    assert connection.execute("SELECT * FROM odd").fetchall() == rows[begin:]


def keys(address: str) -> list[tuple[str, bool]]:
    """Return the tables that have a foreign key to the studies, and whether it was checked."""
    found = query(
        address,
        "SELECT conrelid::regclass::text, convalidated FROM pg_constraint WHERE contype = 'f' "
        "AND confrelid = 'studies'::regclass AND confdeltype = 'c' ORDER BY 1",
    )
    return [(name, checked) for name, checked in found]


def test_a_load_that_ends_has_all_foreign_keys(postgres: postgres_server.Server, tmp_path: Path) -> None:
    """Each table refers to the studies after the first load; later loads replace and delete under the keys."""
    address = new_database(postgres)
    assert summary(load(address, lines(tmp_path / "x.ndjson", numbered(1), numbered(2)))) == "2 new"
    there = keys(address)
    assert [name for name, _ in there] == sorted(
        name
        for (name,) in query(
            address, "SELECT table_name::text FROM information_schema.columns WHERE column_name = 'nct_id'"
        )
        if name not in ("studies", "study_versions")
    )
    assert all(checked for _, checked in there)
    with psycopg.connect(address) as other, pytest.raises(psycopg.errors.ForeignKeyViolation):
        other.execute("INSERT INTO keywords VALUES ('NCT99000009', 1, 'of no study')")
    changed = numbered(2, day="2022-01-01", title="Changed")
    assert summary(load(address, lines(tmp_path / "y.ndjson", numbered(1), changed))) == "1 unchanged, 1 changed"
    assert keys(address) == there


def test_an_interrupted_first_load_gets_its_keys_from_the_next(
    postgres: postgres_server.Server, tmp_path: Path
) -> None:
    """A load that does not end leaves studies without foreign keys; the next one replaces them and adds keys."""
    address = new_database(postgres)
    day = date(2021, 3, 2) - timedelta(days=1)
    row = {"nct_id": "NCT99000001", "content_hash": "0", "registry_state": "present", "schema_version": 1}
    rows = {"studies": [row], "keywords": [{"nct_id": "NCT99000001", "position": 1, "keyword": "Old"}]}
    for table in rows:
        rows[table] = [_filled(table, each) for each in rows[table]]
    with open_warehouse(address) as warehouse:
        warehouse.begin(LoadStart("2021-03-01T00:00:00Z", "made up", None))
        batch = batch_of([StudyVersion("NCT99000001", day.isoformat(), "0")], rows)
        assert merge(warehouse, batch, MergeRules()) == {"NCT99000001": "new"}
    assert keys(address) == []
    source = lines(tmp_path / "x.ndjson", numbered(1, conditionsModule={"keywords": ["New"]}), numbered(2))
    assert summary(load(address, source)) == "1 changed, 1 new"
    assert query(address, "SELECT keyword FROM keywords") == [("New",)]
    assert keys(address) != []


def _filled(table: str, row: dict[str, Any]) -> dict[str, Any]:
    from trialconv_mappings.warehouse_tables import tables

    return dict.fromkeys((column.name for column in tables()[table].columns), None) | row
