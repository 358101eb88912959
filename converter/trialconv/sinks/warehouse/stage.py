"""Rows of a load that wait on the disk until all are there: a file for each partition, batch after batch."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from trialconv.sinks.known import KnownStudies
from trialconv.sinks.warehouse.model import StoredVersion
from trialconv_mappings.warehouse_tables import STUDIES, VERSIONS

#: The columns of `studies` that are a stored version.
STORED: Final = ("nct_id", "version_date", "content_hash", "registry_state", "schema_version")
_FIRST, _LAST = 3, 6
_OPEN_FILES: Final = 64


def block_of(nct_id: str) -> str:
    """Return the partition of a study: the first three digits of its number."""
    return nct_id[_FIRST:_LAST]


def stored_rows(rows: pa.RecordBatch | pa.Table) -> list[StoredVersion]:
    """Return the versions that rows of `studies` state."""
    dates = rows.column("version_date").cast(pa.string())
    columns = [dates if name == "version_date" else rows.column(name) for name in STORED]
    return [StoredVersion._make(row) for row in zip(*(each.to_pylist() for each in columns), strict=True)]


class Stage:
    """The waiting rows. Memory grows by a few numbers for each batch and by a bit for each study."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        #: Where the rows of each batch are: by partition and table the number of the batch, the place, the length.
        self._places: dict[str, dict[str, list[tuple[int, int, int]]]] = {}
        self._known = KnownStudies()
        self._batches = 0
        self._has_twice = False

    @property
    def blocks(self) -> list[str]:
        """The partitions for which rows wait."""
        return sorted(self._places)

    def add(self, tables: Mapping[str, pa.RecordBatch]) -> None:
        """Add the rows of a batch. Raises OSError."""
        self._batches += 1
        for name, rows in tables.items():
            blocks = pc.utf8_slice_codeunits(rows.column("nct_id"), _FIRST, _LAST)
            for block in pc.unique(blocks).to_pylist():
                self._append(block, name, rows.filter(pc.equal(blocks, block)))

    def _append(self, block: str, table: str, rows: pa.RecordBatch) -> None:
        data = rows.serialize()
        file = self._file(block)
        places = self._places.setdefault(block, {}).setdefault(table, [])
        places.append((self._batches, file.tell(), data.size))
        file.write(data)
        if table == STUDIES:
            for nct_id in rows.column("nct_id").to_pylist():
                self._has_twice = self._known.add(nct_id) or self._has_twice

    def _file(self, block: str) -> BinaryIO:
        found = self._files.get(block)
        if found is None:
            if len(self._files) >= _OPEN_FILES:
                self._files.pop(next(iter(self._files))).close()
            found = self._files[block] = (self._folder / block).open("ab")
        return found

    def flush(self) -> None:
        """Bring all rows to the disk, before they are read. Raises OSError."""
        while self._files:
            self._files.popitem()[1].close()

    def rows(self, block: str, table: str, schema: pa.Schema) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Yield the rows of a table in a partition, batch by batch, with the number of the batch."""
        places = self._places.get(block, {}).get(table, ())
        if not places:
            return
        if block in self._files:
            self._files[block].flush()
        with pa.OSFile(str(self._folder / block), "rb") as file:
            for number, place, length in places:
                yield number, pa.ipc.read_record_batch(pa.py_buffer(file.read_at(length, place)), schema)

    def versions(self, nct_ids: Collection[str], schema: pa.Schema) -> dict[str, StoredVersion]:
        """Return those of some studies of which rows wait, in the version that came last."""
        found: dict[str, StoredVersion] = {}
        wanted: dict[str, set[str]] = {}
        for nct_id in nct_ids:
            if nct_id in self._known:
                wanted.setdefault(block_of(nct_id), set()).add(nct_id)
        for block, ids in wanted.items():
            for _, rows in self.rows(block, STUDIES, schema):
                found.update((each.nct_id, each) for each in stored_rows(rows) if each.nct_id in ids)
        return found

    def last_batches(self, block: str, schema: pa.Schema) -> dict[str, int]:
        """Return the number of the last batch that has each study of a partition."""
        return {
            nct_id: number
            for number, rows in self.rows(block, STUDIES, schema)
            for nct_id in rows.column("nct_id").to_pylist()
        }

    def last_rows(
        self, block: str, table: str, schema: pa.Schema, last: Mapping[str, int]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a table in a partition, of each study those of its last batch; all versions, once."""
        told: set[tuple[str, str]] = set()
        for number, rows in self.rows(block, table, schema):
            if table == VERSIONS:
                yield self._not_told(rows, told) if self._has_twice else rows
                continue
            is_last = [last[nct_id] == number for nct_id in rows.column("nct_id").to_pylist()]
            yield rows if all(is_last) else rows.filter(pa.array(is_last))

    @staticmethod
    def _not_told(rows: pa.RecordBatch, told: set[tuple[str, str]]) -> pa.RecordBatch:
        """Return the versions that were not told before, and note them as told."""
        found = list(zip(*(rows.column(name).to_pylist() for name in ("nct_id", "content_hash")), strict=True))
        is_new = [each not in told for each in found]
        told.update(found)
        return rows.filter(pa.array(is_new))
