"""DuckDB: a database in a file, written through Arrow, a transaction for each batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from trialconv.issues import SinkError
from trialconv.sinks.warehouse import ddl, schema
from trialconv.sinks.warehouse.arrow import with_value
from trialconv.sinks.warehouse.log import LoadLog
from trialconv.sinks.warehouse.model import Batch, LoadStart, RegistryState, StoredVersion, Verdict
from trialconv.sinks.warehouse.state import KeptState
from trialconv_mappings.warehouse_tables import STUDIES, VERSIONS

#: A table of a batch, while it is read by a statement.
_INCOMING: Final = "trialconv_incoming"
_STORED: Final = (
    "SELECT nct_id, CAST(version_date AS VARCHAR), content_hash, registry_state, schema_version FROM studies"
)
_PAGE: Final = 10_000
#: DuckDB would take most of the machine's memory for what it has read and written.
_MEMORY: Final = "1GB"
#: Tables that name the load.
_WITH_LOAD: Final = (STUDIES, VERSIONS)


class DuckDbWarehouse:
    """A warehouse in a DuckDB file."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._name = f"duckdb:{path}"
        self._log = LoadLog(self._execute)
        self._state = KeptState(self._execute)
        if not create and not path.exists():
            raise SinkError(f"{self._name} is not there")
        if not path.parent.is_dir():
            raise SinkError(f"{self._name} cannot be opened: there is no folder {path.parent}")
        try:
            self._connection = duckdb.connect(str(path), config={"memory_limit": _MEMORY})
        except duckdb.Error as error:
            raise SinkError(f"{self._name} cannot be opened for writing: {_first_line(error)}") from error
        with ExitStack() as failed:
            failed.callback(self._connection.close)
            with self._transaction():
                schema.prepare(self._name, "duckdb", self._execute, create=create)
            failed.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stored_versions(self) -> Iterator[StoredVersion]:
        """Yield every study that is there, in the order of the NCT numbers."""
        with self._reported():
            cursor = self._connection.cursor()
            cursor.execute(f"{_STORED} ORDER BY nct_id")
            while rows := cursor.fetchmany(_PAGE):
                yield from map(StoredVersion._make, rows)

    def versions_of(self, nct_ids: Collection[str]) -> dict[str, StoredVersion]:
        """Return those of some studies that are there."""
        with self._reported():
            found = self._execute(f"{_STORED} WHERE nct_id = ANY(?)", [list(nct_ids)])
        return {row[0]: StoredVersion._make(row) for row in found}

    def state(self) -> dict[str, str]:
        """Return the values that were kept."""
        with self._reported():
            return self._state.values()

    def keep(self, state: Mapping[str, str]) -> None:
        """Keep values with what is written next, or with the end of the load."""
        self._state.keep(state)

    def begin(self, load: LoadStart) -> None:
        """Say which load the next rows are of."""
        self._log.begin(load)

    def replace(self, batch: Batch, verdicts: Mapping[str, Verdict]) -> None:
        """Write the studies of a batch in the place of what is there of them, in one transaction."""
        if not batch.versions:
            self._log.count(verdicts)
            return
        with self._transaction():
            load_id = self._log.write(verdicts)
            self._state.write()
            changed = [each.nct_id for each in batch.versions if verdicts[each.nct_id] == "changed"]
            if changed:
                for table in schema.of_studies():
                    self._execute(f"DELETE FROM {table} WHERE nct_id = ANY(?)", [changed])
            for table, rows in batch.tables.items():
                self._insert(table, with_value(rows, "load_id", load_id) if table in _WITH_LOAD else rows)

    def _insert(self, table: str, rows: pa.RecordBatch) -> None:
        columns = ", ".join(map(ddl.quoted, rows.schema.names))
        self._connection.register(_INCOMING, rows)
        try:
            self._execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {_INCOMING}")
        finally:
            self._connection.unregister(_INCOMING)

    def mark(self, nct_ids: Collection[str], state: RegistryState, day: str | None) -> int:
        """Set the state of studies that are there. Returns how many were not in that state before."""
        with self._transaction():
            self._state.write()
            changed = self._execute(
                "UPDATE studies SET registry_state = ?, registry_state_date = CAST(? AS DATE) "
                "WHERE nct_id = ANY(?) AND registry_state <> ? RETURNING nct_id",
                [state, day, list(nct_ids), state],
            )
        return len(changed)

    def finish(self, failed: int) -> int | None:
        """End the load. Returns its number, None when it wrote nothing."""
        with self._transaction():
            self._state.write()
            return self._log.finish(failed)

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
