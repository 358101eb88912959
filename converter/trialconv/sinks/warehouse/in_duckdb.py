"""DuckDB: a database in a file, written through Arrow, a transaction for each batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from trialconv.issues import SinkError
from trialconv.sinks.warehouse import ddl, schema
from trialconv.sinks.warehouse.in_sql import SqlWarehouse
from trialconv.sinks.warehouse.model import StoredVersion

#: A table of a batch, while it is read by a statement.
_INCOMING: Final = "trialconv_incoming"
_STORED: Final = (
    "SELECT nct_id, CAST(version_date AS VARCHAR), content_hash, registry_state, schema_version FROM studies"
)
_PAGE: Final = 10_000
#: DuckDB would take most of the machine's memory for what it has read and written.
_MEMORY: Final = "1GB"
#: What waits in the log until it is moved into the tables. Moving much at once is less work than often a little.
_WAITING: Final = "128MB"


class DuckDbWarehouse(SqlWarehouse):
    """A warehouse in a DuckDB file."""

    _AMONG = "nct_id = ANY(?)"
    _VERSIONS_OF = f"{_STORED} WHERE {_AMONG}"
    _MARK = (
        "UPDATE studies SET registry_state = ?, registry_state_date = CAST(? AS DATE) "
        f"WHERE {_AMONG} AND registry_state <> ? RETURNING nct_id"
    )

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._name = f"duckdb:{path}"
        super().__init__()
        if not create and not path.exists():
            raise SinkError(f"{self._name} is not there")
        if not path.parent.is_dir():
            raise SinkError(f"{self._name} cannot be opened: there is no folder {path.parent}")
        try:
            self._connection = duckdb.connect(
                str(path), config={"memory_limit": _MEMORY, "checkpoint_threshold": _WAITING}
            )
        except duckdb.IOException as error:
            if "Could not set lock" in str(error):
                raise SinkError(
                    f"{self._name} is open in another process; try again when that has ended"
                ) from None
            raise SinkError(f"{self._name} cannot be opened for writing: {_first_line(error)}") from error
        except duckdb.Error as error:
            raise SinkError(f"{self._name} cannot be opened for writing: {_first_line(error)}") from error
        with ExitStack() as failed:
            failed.callback(self._connection.close)
            with self._transaction():
                schema.prepare(self._name, "duckdb", self._execute, create=create)
            failed.pop_all()

    def stored_versions(self) -> Iterator[StoredVersion]:
        """Yield every study that is there, in the order of the NCT numbers."""
        with self._reported():
            cursor = self._connection.cursor()
            cursor.execute(f"{_STORED} ORDER BY nct_id")
            while rows := cursor.fetchmany(_PAGE):
                yield from map(StoredVersion._make, rows)

    def _insert(self, table: str, rows: pa.RecordBatch) -> None:
        columns = ", ".join(map(ddl.quoted, rows.schema.names))
        self._connection.register(_INCOMING, rows)
        try:
            self._execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {_INCOMING}")
        finally:
            self._connection.unregister(_INCOMING)

    def _complete(self) -> None:
        """Do nothing: DuckDB would keep foreign keys by indexes, in memory."""

    def close(self) -> None:
        """Write what DuckDB still holds back, and let go of the file."""
        with self._reported():
            self._connection.close()

    def _execute(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._reported(), ExitStack() as failed:
            self._connection.begin()
            failed.callback(self._undo)
            with self._log.transaction(), self._state.transaction():
                yield
                self._connection.commit()
            failed.pop_all()

    def _undo(self) -> None:
        # A commit that failed has undone everything already, and what broke the database is told by the error.
        with suppress(duckdb.Error):
            self._connection.rollback()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise SinkError(f"{self._name} cannot be written: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
