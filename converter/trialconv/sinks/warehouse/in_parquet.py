"""Parquet: a folder of snapshots, of which the link `current` names the one to read.

    DIR/current -> snapshot-000002
    DIR/snapshot-000002/_trialconv.json
    DIR/snapshot-000002/studies/nct_block=061/rows.parquet

A load writes a new snapshot beside the one that is read: partitions without a change are links to the same files,
the others are written anew. When all is there, `current` is replaced in one step. The snapshot before stays for
those who are reading it; older ones are removed. Partitions are the first three digits of the NCT number, which
the registry gives in the order of time: a partition holds some ten thousand studies, and a load of new studies
writes few of them.
"""

from __future__ import annotations

import os
import shutil
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from trialconv.issues import SinkError
from trialconv.sinks.locks import lock_open_file
from trialconv.sinks.warehouse.arrow import schema_of, with_value
from trialconv.sinks.warehouse.model import (
    Batch,
    Counts,
    LoadStart,
    RegistryState,
    StoredVersion,
    Verdict,
    counts_of,
)
from trialconv.sinks.warehouse.snapshot import CURRENT, Snapshot, complete, link, path_in, write_rows
from trialconv.sinks.warehouse.stage import STORED, Stage, block_of, stored_rows
from trialconv_mappings.warehouse_tables import LOADS, SCHEMA_VERSION, STUDIES, VERSIONS, tables

_LOCK: Final = ".lock"
_STAGE: Final = ".stage"
_DRAFT: Final = ".draft"
#: So many partitions have their versions in memory.
_KNOWN_BLOCKS: Final = 16


class ParquetWarehouse:
    """A warehouse in a folder of Parquet files."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self._name = f"parquet:{folder}"
        self._root = folder
        self._known: OrderedDict[str, dict[str, StoredVersion]] = OrderedDict()
        self._marks: dict[str, tuple[RegistryState, str | None]] = {}
        self._kept: dict[str, str] = {}
        self._load: LoadStart | None = None
        self._counts = Counts()
        if not create and not (folder / CURRENT).exists():
            raise SinkError(f"{self._name} holds no studies of trialconv")
        with self._reported():
            self._check_ours()
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            with ExitStack() as failed:
                failed.callback(self._lock.close)
                self._clear()
                (folder / _STAGE).mkdir()
                self._stage = Stage(folder / _STAGE)
                self._current = self._shown()
                failed.pop_all()

    def _shown(self) -> Snapshot | None:
        """Return what there is to read. Raises SinkError when it is not ours, or of a newer schema."""
        current = self._root / CURRENT
        return Snapshot(current.resolve(), self._name) if current.exists() else None

    def _check_ours(self) -> None:
        """Raise SinkError for a folder that holds something else."""
        if self._root.exists() and not self._root.is_dir():
            raise SinkError(f"{self._name} is a file; give a folder")
        if self._root.is_dir() and not (self._root / CURRENT).exists():
            foreign = sorted(
                path.name for path in self._root.iterdir() if not path.name.startswith((".", "snapshot-"))
            )
            if foreign:
                raise SinkError(f"{self._name} holds what is not trialconv's ({foreign[0]}); give another folder")

    def _locked(self) -> BinaryIO:
        """Return the lock, which ends with the process. Raises SinkError when another process has it."""
        lock = (self._root / _LOCK).open("wb")
        if not lock_open_file(lock.fileno()):
            lock.close()
            raise SinkError(f"{self._name} is being loaded by another process; try again when that has ended")
        return lock

    def _clear(self) -> None:
        """Remove what a load left that did not come to its end."""
        for name in (_STAGE, _DRAFT):
            shutil.rmtree(self._root / name, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stored_versions(self) -> Iterator[StoredVersion]:
        """Yield every study that is shown, in the order of the NCT numbers."""
        if self._current is not None:
            for block in self._current.blocks():
                yield from sorted(self._of_block(block).values())

    def versions_of(self, nct_ids: Collection[str]) -> dict[str, StoredVersion]:
        """Return those of some studies that are there, or will be when the load is finished."""
        found: dict[str, StoredVersion] = {}
        for nct_id in nct_ids:
            stored = self._of_block(block_of(nct_id)).get(nct_id)
            if stored is not None:
                found[nct_id] = stored
        with self._reported():
            return found | self._stage.versions(nct_ids, schema_of(STUDIES))

    def _of_block(self, block: str) -> dict[str, StoredVersion]:
        """Return the studies of a partition as they are shown."""
        known = self._known.get(block)
        if known is None:
            known = {}
            if self._current is not None:
                with self._reported():
                    for rows in self._current.rows(STUDIES, block, list(STORED)):
                        known.update((each.nct_id, each) for each in stored_rows(rows))
            self._known[block] = known
            if len(self._known) > _KNOWN_BLOCKS:
                self._known.popitem(last=False)
        return known

    def state(self) -> dict[str, str]:
        """Return the values that were kept."""
        return dict(self._current.state) if self._current else {}

    def keep(self, state: Mapping[str, str]) -> None:
        """Keep values, when the load is finished."""
        self._kept.update(state)

    def begin(self, load: LoadStart) -> None:
        """Say which load the next rows are of."""
        self._load, self._counts = load, Counts()

    @property
    def _load_id(self) -> int:
        """The number of the present load."""
        if self._current is None:
            return 1
        numbers = [
            number for rows in self._current.rows(LOADS, "") for number in rows.column("load_id").to_pylist()
        ]
        return max(numbers, default=0) + 1

    def replace(self, batch: Batch, verdicts: Mapping[str, Verdict]) -> None:
        """Keep the studies of a batch on the disk, beside what is shown."""
        self._counts += counts_of(verdicts)
        if not batch.versions:
            return
        load_id = self._load_id
        with self._reported():
            self._stage.add(
                {
                    name: with_value(rows, "load_id", load_id) if name in (STUDIES, VERSIONS) else rows
                    for name, rows in batch.tables.items()
                }
            )

    def mark(self, nct_ids: Collection[str], state: RegistryState, day: str | None) -> int:
        """Set the state of studies that are there, when the load is finished."""
        stored = self.versions_of(nct_ids)
        changed = [
            nct_id
            for nct_id, each in stored.items()
            if self._marks.get(nct_id, (each.registry_state,))[0] != state
        ]
        self._marks.update((nct_id, (state, day)) for nct_id in changed)
        return len(changed)

    def finish(self, failed: int) -> int | None:
        """Show what the load wrote. Returns its number, None when it wrote no study."""
        touched = set(self._stage.blocks) | {block_of(nct_id) for nct_id in self._marks}
        state = self.state() | self._kept
        if not touched and state == self.state():
            return None
        load_id = self._load_id
        wrote = bool(self._stage.blocks)
        with self._reported():
            self._stage.flush()
            draft = self._root / _DRAFT
            self._draft(draft, touched)
            write_rows(path_in(draft, LOADS, ""), LOADS, self._log(load_id if wrote else None, failed))
            complete(self._root, draft, self._current.number + 1 if self._current else 1, state)
        self._current = self._shown()
        self._known.clear()
        self._marks.clear()
        self._kept.clear()
        with self._reported():
            self._clear()
            (self._root / _STAGE).mkdir()
        self._stage = Stage(self._root / _STAGE)
        return load_id if wrote else None

    def _draft(self, draft: Path, touched: set[str]) -> None:
        """Write the partitions of the next snapshot."""
        current = self._current
        there = set(current.blocks()) if current else set()
        is_old = current is not None and current.schema_version < SCHEMA_VERSION
        for block in sorted(there | touched):
            if current is None or block in touched or is_old:
                self._write_block(draft, block)
                continue
            for table in tables():
                if table != LOADS:
                    link(current.path(table, block), path_in(draft, table, block))

    def _write_block(self, draft: Path, block: str) -> None:
        last = self._stage.last_batches(block, schema_of(STUDIES))
        replaced = pa.array(sorted(last), pa.string())
        for table in tables():
            if table != LOADS:
                write_rows(path_in(draft, table, block), table, self._merged(table, block, last, replaced))

    def _merged(
        self, table: str, block: str, last: Mapping[str, int], replaced: pa.Array
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a partition as they will be: what stays of the old ones, then the new ones."""
        for rows in self._current.rows(table, block) if self._current else ():
            stays = rows
            if last and table != VERSIONS:
                stays = rows.filter(pc.invert(pc.is_in(rows.column("nct_id"), replaced)))
            yield self._marked(stays) if table == STUDIES else stays
        for rows in self._stage.last_rows(block, table, schema_of(table), last):
            yield self._marked(rows) if table == STUDIES else rows

    def _marked(self, rows: pa.RecordBatch) -> pa.RecordBatch:
        """Return rows of studies with the states that were set."""
        if not self._marks:
            return rows
        made = rows.to_pylist()
        for row in made:
            if row["nct_id"] in self._marks:
                row["registry_state"], day = self._marks[row["nct_id"]]
                row["registry_state_date"] = pa.scalar(day, pa.string()).cast(pa.date32()).as_py()
        return pa.RecordBatch.from_pylist(made, schema_of(STUDIES))

    def _log(self, load_id: int | None, failed: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of `loads`, that of the present load last; None when it wrote no study."""
        if self._current is not None:
            yield from self._current.rows(LOADS, "")
        if load_id is None:
            return
        if self._load is None:
            raise ValueError("no load was begun")
        row: dict[str, Any] = {
            **self._load._asdict(),
            **self._counts._asdict(),
            "load_id": load_id,
            "schema_version": SCHEMA_VERSION,
            "finished": True,
            "failed": failed,
        }
        yield pa.RecordBatch.from_pylist([row], schema_of(LOADS))

    def close(self) -> None:
        """Remove what was not finished, and let go of the folder."""
        with suppress(OSError):
            self._stage.flush()
        self._clear()
        self._lock.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            told = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise SinkError(f"{self._name} cannot be written: {told}") from error
