"""The row of a load in `loads`, which a database gets with the first study that the load writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trialconv.sinks.warehouse.ddl import literal
from trialconv.sinks.warehouse.model import Counts, LoadStart, Verdict, counts_of
from trialconv_mappings.warehouse_tables import SCHEMA_VERSION


class LoadLog:
    """Keeps the row of the present load. `write` and `finish` belong into the caller's transaction."""

    def __init__(self, execute: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self._execute = execute
        self._load: LoadStart | None = None
        self._load_id: int | None = None
        self._counts = Counts()

    def begin(self, load: LoadStart) -> None:
        """Begin a load; nothing is written yet."""
        self._load, self._load_id, self._counts = load, None, Counts()

    def count(self, verdicts: Mapping[str, Verdict]) -> None:
        """Count studies of which none is written."""
        self._counts += counts_of(verdicts)

    def write(self, verdicts: Mapping[str, Verdict]) -> int:
        """Count studies in the row of the load, made if need be. Returns the number of the load."""
        self.count(verdicts)
        if self._load_id is None:
            self._load_id = self._insert()
        else:
            self._update("finished = FALSE")
        return self._load_id

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Forget what is counted here when it fails, since the database undoes it, too."""
        before, done = (self._load_id, self._counts), False
        try:
            yield
            done = True
        finally:
            if not done:
                self._load_id, self._counts = before

    def finish(self, failed: int) -> int | None:
        """Write that the load is finished, if it wrote anything. Returns its number."""
        if self._load_id is not None:
            self._update(f"finished = TRUE, failed = {failed}")
        return self._load_id

    def _insert(self) -> int:
        if self._load is None:
            raise ValueError("no load was begun")
        ((last,),) = self._execute("SELECT coalesce(max(load_id), 0) FROM loads")
        load, number = self._load, int(last) + 1
        fhir = "NULL" if load.fhir_version is None else literal(load.fhir_version)
        self._execute(
            "INSERT INTO loads (load_id, started_at, trialconv_version, schema_version, fhir_version, finished, "
            "written, unchanged, older, failed) "
            f"VALUES ({number}, {literal(load.started_at)}, {literal(load.trialconv_version)}, {SCHEMA_VERSION}, "
            f"{fhir}, FALSE, {self._counts.written}, {self._counts.unchanged}, {self._counts.older}, 0)"
        )
        return number

    def _update(self, also: str) -> None:
        self._execute(
            f"UPDATE loads SET written = {self._counts.written}, unchanged = {self._counts.unchanged}, "
            f"older = {self._counts.older}, {also} WHERE load_id = {self._load_id}"
        )
