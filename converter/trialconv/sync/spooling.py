"""Pages of the registry as units of work, which worker processes read, and the day that each page reaches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from trialconv.issues import Issue, SinkError, SourceError
from trialconv.loading import BATCH
from trialconv.readers.sources import RawRecord
from trialconv.readers.units import Spool, SpoolWriter, Unit
from trialconv.record import SourceInfo
from trialconv.registry.client import Listed, Page, Registry
from trialconv.registry.fetching import BATCH as IDS_A_CALL
from trialconv.registry.listing import Position, Query, pages

_READER: Final = "ctgov-json"


class Pages:
    """The records of queries as units, fetched as they are needed.

    `failure` is why the fetching ended early, if it did. `day_after` tells of a unit the day of the last update up
    to which everything is there when the unit is through; of most units it is None.
    """

    def __init__(self, registry: Registry, folder: Path, size: int, refused: Callable[[Issue], None]) -> None:
        self._registry = registry
        self._folder = folder
        self._size = size
        self._refused = refused
        self._files = 0
        self._ends: dict[str, str] = {}
        self.failure: Issue | None = None
        self.day = ""

    def of_query(self, query: Query) -> Iterator[Unit]:
        """Yield the units of all records that a query asks for."""
        try:
            is_in_order = True
            for page, position in pages(self._registry, query, size=self._size):
                for found in page.refused:
                    self._refused(found)
                is_in_order = is_in_order and _is_in_order(page, self.day)
                self.day = max(self.day, position.day)
                yield from self._of_page(page, position, is_in_order=is_in_order)
        except SourceError as error:
            self.failure = error.issue

    def of_ids(self, nct_ids: Sequence[str], found: set[str]) -> Iterator[Unit]:
        """Yield the units of the records of some ids, and add those to `found` that are there."""
        try:
            for begin in range(0, len(nct_ids), IDS_A_CALL):
                asked = nct_ids[begin : begin + IDS_A_CALL]
                for page, _ in pages(self._registry, Query({"filter.ids": ",".join(asked)})):
                    # An older id of a record brings the record under its present id, which has its own place.
                    studies = [study for study in page.studies if study.nct_id in asked]
                    found.update(study.nct_id for study in studies)
                    yield from self._spools(studies)
        except SourceError as error:
            self.failure = error.issue

    def day_after(self, unit: Unit) -> str | None:
        """Return the day that is reached when a unit is through."""
        return self._ends.pop(unit.path, None) if isinstance(unit, Spool) else None

    def _of_page(self, page: Page, position: Position, *, is_in_order: bool) -> Iterator[Unit]:
        spools = list(self._spools(page.studies))
        if spools and is_in_order:
            self._ends[spools[-1].path] = position.day
        yield from spools

    def _spools(self, studies: list[Listed]) -> Iterator[Spool]:
        for begin in range(0, len(studies), BATCH):
            self._files += 1
            path = self._folder / f"page-{self._files}"
            try:
                spool = SpoolWriter(self._registry.url, path)
                for study in studies[begin : begin + BATCH]:
                    spool.add(RawRecord(SourceInfo(study.nct_id, reader=_READER), study.data))
                yield spool.close()
            except OSError as error:
                raise SinkError(f"{path} cannot be written: {error.strerror or error}") from error


def _is_in_order(page: Page, day: str) -> bool:
    """Tell whether the records of a page come in the order of their days, and after a day.

    A registry that does not keep the order has to be read to its end before anything is known to be there.
    """
    days = [*filter(None, [day]), *(study.updated for study in page.studies)]
    return all(days) and days == sorted(days)
