"""The schema as SQL, for DuckDB and PostgreSQL, and the way from an older version of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Literal

from trialconv_mappings.warehouse_tables import LOADS, STUDIES, VERSIONS, Column, Table, tables

Dialect = Literal["duckdb", "postgresql"]

#: Holds the version of the schema in its only row; a database without it is none of ours.
SCHEMA_TABLE: Final = "trialconv_schema"

_TYPES: Final[dict[Dialect, dict[str, str]]] = {
    "duckdb": {"TEXT": "VARCHAR", "TEXT[]": "VARCHAR[]"},
    "postgresql": {"DOUBLE": "DOUBLE PRECISION", "JSON": "JSONB"},
}
#: Tables whose key DuckDB keeps. Its indexes stay in memory, and those of all rows would grow with the studies.
_KEYED_IN_DUCKDB: Final = (STUDIES, VERSIONS, LOADS)


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def column_type(column: Column, dialect: Dialect) -> str:
    """Return the type of a column in a dialect."""
    return _TYPES[dialect].get(column.type, column.type)


def create(dialect: Dialect, version: int) -> Iterator[str]:
    """Yield the statements that make the schema of a version, with its comments and its own table."""
    yield f"CREATE TABLE {SCHEMA_TABLE} (version INTEGER NOT NULL)"
    yield f"COMMENT ON TABLE {SCHEMA_TABLE} IS 'Version of the schema of these tables, which trialconv keeps'"
    yield f"INSERT INTO {SCHEMA_TABLE} VALUES ({version})"
    for table in tables().values():
        if table.since <= version:
            yield from _create_table(table, dialect, version)


def migrate(dialect: Dialect, since: int, version: int) -> Iterator[str]:
    """Yield the statements that lead from one version of the schema to a later one.

    A version adds tables and columns. What was there stays; a study gets its new values when it is loaded again,
    which `merge` does with each study whose rows are of an older version.
    """
    for table in tables().values():
        if since < table.since <= version:
            yield from _create_table(table, dialect, version)
            continue
        for column in table.columns:
            if since < column.since <= version:
                name, type_ = quoted(column.name), column_type(column, dialect)
                yield f"ALTER TABLE {table.name} ADD COLUMN {name} {type_}"
                yield _comment(column)
    yield f"UPDATE {SCHEMA_TABLE} SET version = {version}"


def references(without: Collection[str]) -> Iterator[str]:
    """Yield the statements that give the tables of studies their foreign key, but those that have one.

    It is none of `create`: checking all rows at once, when they are there, costs a tenth of checking each.
    """
    for table in tables():
        if table not in (*_KEYED_IN_DUCKDB, *without):
            yield f"ALTER TABLE {table} ADD FOREIGN KEY (nct_id) REFERENCES {STUDIES} ON DELETE CASCADE"


def _create_table(table: Table, dialect: Dialect, version: int) -> Iterator[str]:
    columns = [column for column in table.columns if column.since <= version]
    parts = [
        f"{quoted(each.name)} {column_type(each, dialect)}{'' if each.nullable else ' NOT NULL'}"
        for each in columns
    ]
    if dialect == "postgresql" or table.name in _KEYED_IN_DUCKDB:
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, table.key))})")
    yield f"CREATE TABLE {table.name} ({', '.join(parts)})"
    yield f"COMMENT ON TABLE {table.name} IS {literal(table.comment)}"
    for column in columns:
        yield _comment(column)


def _comment(column: Column) -> str:
    return f"COMMENT ON COLUMN {column.table}.{quoted(column.name)} IS {literal(column.comment)}"
