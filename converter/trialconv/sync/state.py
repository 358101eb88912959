"""How far a warehouse has followed the registry. It is kept in the warehouse, with the rows that it is true of."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import msgspec

from trialconv.issues import SinkError
from trialconv.sinks.warehouse import Warehouse

_NAME: Final = "sync"
#: Days have no time: what was posted later on the last day that was reached is of that day, too.
_OVERLAP: Final = timedelta(days=1)


class SyncState(msgspec.Struct, omit_defaults=True):
    """What is known of the last runs.

    `query` names what is followed; `day` is the day of the last update up to which all records are there; `data`
    is the registry's time stamp of the data that are there whole, and `version` the trialconv that put them there.
    `checked` is the day on which the list of ids was compared. `rejected` are the records that could not be taken,
    to be tried again. `bulk` is the hash of the bulk file that was loaded last.
    """

    query: str = ""
    day: str = ""
    data: str = ""
    version: str = ""
    checked: str = ""
    rejected: list[str] = []
    bulk: str = ""

    @property
    def since(self) -> str | None:
        """The first day to ask for; None asks for everything."""
        try:
            return (date.fromisoformat(self.day) - _OVERLAP).isoformat()
        except (ValueError, OverflowError):
            return None

    def keep_in(self, warehouse: Warehouse) -> None:
        """Have the state written with what the warehouse writes next."""
        warehouse.keep({_NAME: msgspec.json.encode(self, order="deterministic").decode()})


def state_of(warehouse: Warehouse) -> SyncState:
    """Return the state that a warehouse has; that of the beginning where there is none.

    Raises SinkError for one that cannot be read, or is of a trialconv that does not know it.
    """
    kept = warehouse.state().get(_NAME)
    if kept is None:
        return SyncState()
    try:
        return msgspec.json.decode(kept, type=SyncState)
    except msgspec.DecodeError as error:
        raise SinkError(f"how far the warehouse has followed the registry cannot be read: {error}") from error
