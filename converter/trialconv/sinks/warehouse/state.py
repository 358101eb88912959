"""What a warehouse keeps of the way to its source: values by name, written in the transaction of rows.

They are no table of the schema, which is about studies: `trialconv_state` in a database, `state` in the manifest
of a snapshot. `trialconv sync` keeps there how far it has come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from trialconv.sinks.warehouse.ddl import literal

STATE_TABLE: Final = "trialconv_state"
_THERE: Final = (
    "SELECT count(*) FROM information_schema.tables "
    f"WHERE table_schema = current_schema() AND table_name = '{STATE_TABLE}'"
)


class KeptState:
    """The values in a database. `write` belongs into the caller's transaction."""

    def __init__(self, execute: Callable[[str], list[tuple[Any, ...]]]) -> None:
        self._execute = execute
        self._stored: dict[str, str] | None = None
        self._waiting: dict[str, str] = {}

    def values(self) -> dict[str, str]:
        """Return the values that are there."""
        if self._stored is None:
            ((tables,),) = self._execute(_THERE)
            self._stored = dict(self._execute(f"SELECT name, value FROM {STATE_TABLE}")) if tables else {}
        return dict(self._stored)

    def keep(self, values: Mapping[str, str]) -> None:
        """Have values written with what is written next."""
        self._waiting = {**self._waiting, **values}

    def write(self) -> None:
        """Write the values that wait, if they are others than those that are there."""
        there = self.values()
        changed = {name: value for name, value in self._waiting.items() if there.get(name) != value}
        if changed:
            self._execute(
                f"CREATE TABLE IF NOT EXISTS {STATE_TABLE} (name VARCHAR NOT NULL, value VARCHAR NOT NULL)"
            )
        for name, value in changed.items():
            self._execute(f"DELETE FROM {STATE_TABLE} WHERE name = {literal(name)}")
            self._execute(f"INSERT INTO {STATE_TABLE} VALUES ({literal(name)}, {literal(value)})")
        self._stored, self._waiting = there | changed, {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Forget what is written here when it fails, since the database undoes it, too."""
        before, done = (self._stored, self._waiting), False
        try:
            yield
            done = True
        finally:
            if not done:
                self._stored, self._waiting = before
