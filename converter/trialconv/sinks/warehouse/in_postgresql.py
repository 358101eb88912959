"""PostgreSQL: rows go through binary COPY into the schema, a transaction for each batch.

The tables are those of the first schema of the search path, so that an address may choose one:
`postgresql://host/database?options=-csearch_path%3Dtrials`. What libpq knows, an address and the environment may
say (https://www.postgresql.org/docs/current/libpq-envars.html): PGPASSWORD, a password file, a service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import psycopg
import pyarrow as pa

from trialconv.issues import SinkError
from trialconv.sinks.warehouse import ddl, schema
from trialconv.sinks.warehouse.address import redacted
from trialconv.sinks.warehouse.copy_binary import HEADER, TRAILER, copy_binary
from trialconv.sinks.warehouse.in_sql import SqlWarehouse
from trialconv.sinks.warehouse.model import StoredVersion
from trialconv_mappings.warehouse_tables import STUDIES, tables

_STORED: Final = "SELECT nct_id, version_date::text, content_hash, registry_state, schema_version FROM studies"
_PAGE: Final = 10_000
#: The lock that a load holds, so that two loads of one schema do not write at once.
_LOCK: Final = "SELECT pg_advisory_lock(hashtext('trialconv'), hashtext(current_schema()))"
#: The tables with a foreign key to another.
_REFERRING: Final = (
    "SELECT relname FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid "
    "WHERE contype = 'f' AND confrelid = %s::regclass"
)
#: How long a load waits for another one to end.
_PATIENCE: Final = "5s"
#: Nothing happens on a server of a version, or of a build, without it.
_FAST_COMPRESSION: Final = (
    "SELECT set_config(name, 'lz4', FALSE) FROM pg_settings "
    "WHERE name = 'default_toast_compression' AND 'lz4' = ANY(enumvals)"
)


class PostgresWarehouse(SqlWarehouse):
    """A warehouse in a schema of a PostgreSQL database."""

    _AMONG = "nct_id = ANY(%s)"
    _VERSIONS_OF = f"{_STORED} WHERE {_AMONG}"
    _MARK = (
        "UPDATE studies SET registry_state = %s, registry_state_date = %s::date "
        f"WHERE {_AMONG} AND registry_state <> %s RETURNING nct_id"
    )

    def __init__(self, address: str, *, create: bool = True) -> None:
        self._name = redacted(address)
        super().__init__()
        try:
            self._connection = psycopg.connect(
                address, autocommit=True, application_name="trialconv", client_encoding="UTF8"
            )
        except psycopg.Error as error:
            raise SinkError(f"{self._name} cannot be reached: {self._told(error)}") from None
        with ExitStack() as failed:
            failed.callback(self._connection.close)
            self._lock()
            with self._transaction():
                schema.prepare(self._name, "postgresql", self._execute, create=create)
            with self._reported():
                self._execute(_FAST_COMPRESSION)
            failed.pop_all()

    def __repr__(self) -> str:
        return f"PostgresWarehouse({self._name!r})"

    def _lock(self) -> None:
        with self._reported():
            # A server takes a moment to see that a load has ended.
            self._execute(f"SET lock_timeout = '{_PATIENCE}'")
            try:
                self._execute(_LOCK)
            except psycopg.errors.LockNotAvailable:
                raise SinkError(
                    f"{self._name} is being loaded by another process; try again when that has ended"
                ) from None
            self._execute("RESET lock_timeout")

    def stored_versions(self) -> Iterator[StoredVersion]:
        """Yield every study that is there, in the order of the NCT numbers."""
        with (
            self._reported(),
            self._connection.transaction(),
            self._connection.cursor(name="trialconv_stored") as cursor,
        ):
            cursor.itersize = _PAGE
            cursor.execute(f"{_STORED} ORDER BY nct_id")
            for row in cursor:
                yield StoredVersion._make(row)

    def _complete(self) -> None:
        found = self._execute(_REFERRING, [STUDIES])
        schema.run(self._execute, ddl.references([name for (name,) in found]))

    def _insert(self, table: str, rows: pa.RecordBatch) -> None:
        columns = ", ".join(map(ddl.quoted, rows.schema.names))
        types = {column.name: column.type for column in tables()[table].columns}
        with self._connection.cursor().copy(f"COPY {table} ({columns}) FROM STDIN (FORMAT binary)") as copy:
            copy.write(HEADER)
            copy.write(copy_binary(rows, [types[name] for name in rows.schema.names]))
            copy.write(TRAILER)

    def close(self) -> None:
        """End the connection; the lock goes with it."""
        self._connection.close()

    def _execute(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with (
            self._reported(),
            self._log.transaction(),
            self._state.transaction(),
            self._connection.transaction(),
        ):
            yield

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise SinkError(f"{self._name} cannot be written: {self._told(error)}") from None

    def _told(self, error: psycopg.Error) -> str:
        """Return what the database says, on one line, with the class of the error where it gives one."""
        told = " ".join((error.diag.message_primary or str(error)).split())
        return f"{told} (SQLSTATE {error.sqlstate})" if error.sqlstate else told
