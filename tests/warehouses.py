"""Warehouses for the tests: places of each kind, what stands in them, and made-up studies for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from made_up import Tree, encoded, study
from postgres_server import Server
from trialconv_mappings.warehouse_tables import Table, tables

KINDS = ("duckdb", "postgresql", "parquet")
Rows = dict[str, list[dict[str, Any]]]
#: Makes the address of an empty warehouse of a kind.
Places = Callable[[str], str]


def new_database(server: Server) -> str:
    """Make an empty database and return its address."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM pg_database").fetchall()
        name = f"made_up_{count}"
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.url(name)


def query(address: str, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query on a warehouse; of Parquet through DuckDB, with a view for each table."""
    if address.startswith("postgresql"):
        with psycopg.connect(address) as connection:
            return connection.execute(statement.encode()).fetchall()
    if address.startswith("duckdb:"):
        with duckdb.connect(address.removeprefix("duckdb:"), read_only=True) as database:
            return database.execute(statement).fetchall()
    with duckdb.connect() as database:
        for name in tables():
            files = Path(address.removeprefix("parquet:")) / "current" / name / "**" / "*.parquet"
            database.read_parquet(str(files), hive_partitioning=False).create_view(name)
        return database.execute(statement).fetchall()


def rows_of(address: str) -> Rows:
    """Return all rows of a warehouse by table, in the order of their keys, as plain values."""
    return {table.name: _rows(address, table) for table in tables().values()}


def _rows(address: str, table: Table) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    found = query(address, f"SELECT {columns} FROM {table.name}")  # noqa: S608 - names of our own
    types = [column.type for column in table.columns]
    made = [dict(zip(names, map(_plain, row, types), strict=True)) for row in found]
    # Databases order texts by rules of their own.
    return sorted(made, key=lambda row: [(isinstance(row[name], str), row[name]) for name in table.key])


def _plain(value: Any, type_: str) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return json.loads(value) if type_ == "JSON" and isinstance(value, str) else value


def numbered(number: int, *, day: str = "2021-03-02", title: str = "A Made-up Study", **modules: Tree) -> Tree:
    """Return a made-up study with a number, an update day and a title."""
    modules.setdefault("conditionsModule", {"conditions": ["Imaginary Fever", f"Fever {number}"]})
    tree = study(f"NCT{99000000 + number}", **modules)
    tree["protocolSection"]["identificationModule"]["briefTitle"] = title
    tree["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]["date"] = day
    return tree


def lines(path: Path, *trees: Tree) -> Path:
    """Write studies into a file, one a line."""
    path.write_bytes(b"".join(encoded(tree) + b"\n" for tree in trees))
    return path
