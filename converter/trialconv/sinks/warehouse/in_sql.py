"""What the databases have in common: the log of the loads, kept values, and a batch in one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Final, Self

import pyarrow as pa

from trialconv.sinks.warehouse.arrow import with_value
from trialconv.sinks.warehouse.ddl import literal
from trialconv.sinks.warehouse.log import LoadLog
from trialconv.sinks.warehouse.model import Batch, LoadStart, RegistryState, StoredVersion, Verdict
from trialconv.sinks.warehouse.schema import of_studies
from trialconv.sinks.warehouse.state import KeptState
from trialconv_mappings.warehouse_tables import STUDIES, VERSIONS, tables

#: Tables that name the load.
_WITH_LOAD: Final = (STUDIES, VERSIONS)


class SqlWarehouse(ABC):
    """A warehouse in a database. `_VERSIONS_OF` and `_MARK` are statements in the database's own dialect.

    `_AMONG` is the condition that a row is of one of some studies.
    """

    _AMONG: ClassVar[str]
    _VERSIONS_OF: ClassVar[str]
    _MARK: ClassVar[str]

    def __init__(self) -> None:
        self._log = LoadLog(self._execute)
        self._state = KeptState(self._execute)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def versions_of(self, nct_ids: Collection[str]) -> dict[str, StoredVersion]:
        """Return those of some studies that are there."""
        with self._reported():
            found = self._execute(self._VERSIONS_OF, [list(nct_ids)])
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
            for table in of_studies() if changed else ():
                self._execute(f"DELETE FROM {table} WHERE {self._AMONG}", [changed])
            if changed:
                # A version that this load has written already, before another one of the same study.
                hashes = ", ".join(literal(each.content_hash) for each in batch.versions)
                self._execute(
                    f"DELETE FROM {VERSIONS} WHERE {self._AMONG} AND load_id = {load_id} "
                    f"AND content_hash IN ({hashes})",
                    [changed],
                )
            for table in tables():
                if table in batch.tables:
                    rows = batch.tables[table]
                    self._insert(table, with_value(rows, "load_id", load_id) if table in _WITH_LOAD else rows)

    def mark(self, nct_ids: Collection[str], state: RegistryState, day: str | None) -> int:
        """Set the state of studies that are there. Returns how many were not in that state before."""
        with self._transaction():
            self._state.write()
            changed = self._execute(self._MARK, [state, day, list(nct_ids), state])
        return len(changed)

    def finish(self, failed: int) -> int | None:
        """End the load. Returns its number, None when it wrote nothing."""
        with self._transaction():
            self._state.write()
            self._complete()
            return self._log.finish(failed)

    @abstractmethod
    def _complete(self) -> None:
        """Add to the schema what is better added when the rows are there."""

    @abstractmethod
    def close(self) -> None:
        """End the connection."""

    @abstractmethod
    def _execute(self, statement: str, values: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """Run a statement, and return the rows that it gives."""

    @abstractmethod
    def _insert(self, table: str, rows: pa.RecordBatch) -> None:
        """Add rows to a table."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[None]:
        """Do all that follows, or nothing of it, and report as `_reported` does."""

    @abstractmethod
    def _reported(self) -> AbstractContextManager[None]:
        """Make a SinkError of what the database refuses."""
