"""What a database holds: nothing, our schema in some version, or something else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from trialconv.issues import SinkError
from trialconv.sinks.warehouse import ddl
from trialconv_mappings.warehouse_tables import LOADS, SCHEMA_VERSION, VERSIONS, tables

Execute = Callable[[str], list[tuple[Any, ...]]]


def of_studies() -> Iterator[str]:
    """Yield the tables whose rows are replaced with their study, that of the studies last."""
    yield from (name for name in reversed(tables()) if name not in (LOADS, VERSIONS))


def prepare(place: str, dialect: ddl.Dialect, execute: Execute, *, create: bool) -> None:
    """Make our schema where there is none, or bring an older one up to date. Call it in a transaction.

    Raises SinkError for a newer schema, and for tables of our names that are not ours; nothing is changed then.
    """
    there = {
        name
        for (name,) in execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
        )
    }
    if ddl.SCHEMA_TABLE not in there:
        if foreign := sorted(there & set(tables())):
            raise SinkError(
                f"{place} has tables that are not trialconv's: {', '.join(foreign)}; give another place"
            )
        if not create:
            raise SinkError(f"{place} holds no studies of trialconv")
        run(execute, ddl.create(dialect, SCHEMA_VERSION))
        return
    version = stated(place, [row[0] for row in execute(f"SELECT version FROM {ddl.SCHEMA_TABLE}")])
    if version < SCHEMA_VERSION:
        run(execute, ddl.migrate(dialect, version, SCHEMA_VERSION))


def stated(place: str, versions: list[Any]) -> int:
    """Return the version that a place states. Raises SinkError unless it is one number, of a version we know."""
    if len(versions) != 1 or not isinstance(versions[0], int) or versions[0] < 1:
        raise SinkError(f"{place} does not say which version of the schema it has; it is not trialconv's")
    if versions[0] > SCHEMA_VERSION:
        raise SinkError(
            f"{place} has version {versions[0]} of the schema, and this trialconv knows {SCHEMA_VERSION}; "
            "use a newer trialconv"
        )
    return versions[0]


def run(execute: Execute, statements: Iterator[str]) -> None:
    """Execute statements one by one."""
    for statement in statements:
        execute(statement)
