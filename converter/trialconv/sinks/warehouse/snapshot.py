"""A snapshot of a Parquet warehouse: a folder that never changes once it has its name."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from trialconv.sinks.warehouse import schema
from trialconv.sinks.warehouse.arrow import schema_of
from trialconv_mappings.warehouse_tables import LOADS, SCHEMA_VERSION

MANIFEST: Final = "_trialconv.json"
CURRENT: Final = "current"
_PREFIX: Final = "snapshot-"
_PARTITION: Final = "nct_block="
_FILE: Final = "rows.parquet"
#: A row group is written when so many bytes wait for it.
_GROUP: Final = 16 * 2**20
_KEPT: Final = 2


class Snapshot:
    """The files of a snapshot that is complete."""

    def __init__(self, folder: Path, place: str) -> None:
        """Read what the snapshot says of itself. Raises SinkError when it is not ours, or of a newer schema."""
        self.folder = folder
        self.state: dict[str, str] = {}
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            versions = [manifest["schemaVersion"]]
            self.state.update(manifest.get("state", {}))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            versions = []
        self.schema_version = schema.stated(place, versions)
        self.number = int(folder.name.removeprefix(_PREFIX))

    def blocks(self) -> list[str]:
        """Return the partitions, in their order."""
        folder = self.folder / "studies"
        return sorted(each.name.removeprefix(_PARTITION) for each in folder.iterdir()) if folder.is_dir() else []

    def path(self, table: str, block: str) -> Path:
        """Return the file of a table in a partition."""
        return path_in(self.folder, table, block)

    def rows(self, table: str, block: str, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield rows of a table in a partition, with the columns of the present schema. Raises OSError."""
        path = self.path(table, block)
        if not path.exists():
            return
        wanted = schema_of(table)
        if columns:
            wanted = pa.schema([wanted.field(name) for name in columns])
        with pq.ParquetFile(path) as file:
            there = set(file.schema_arrow.names)
            for rows in file.iter_batches(columns=[name for name in wanted.names if name in there]):
                yield _conformed(rows, wanted)


def _conformed(rows: pa.RecordBatch, wanted: pa.Schema) -> pa.RecordBatch:
    """Return rows with the columns of a schema; those that an older schema had not are empty."""
    columns = [
        rows.column(field.name) if field.name in rows.schema.names else pa.nulls(rows.num_rows, field.type)
        for field in wanted
    ]
    return pa.record_batch(columns, schema=wanted)


def path_in(folder: Path, table: str, block: str) -> Path:
    """Return where the rows of a table in a partition are below a folder; `loads` has no partitions."""
    return folder / table / _FILE if table == LOADS else folder / table / f"{_PARTITION}{block}" / _FILE


def write_rows(path: Path, table: str, rows: Iterable[pa.RecordBatch]) -> None:
    """Write rows into a file, a row group at a time. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema_ = schema_of(table)
    with pq.ParquetWriter(path, schema_, compression="zstd", compression_level=1) as writer:
        waiting: list[pa.RecordBatch] = []
        size = 0
        for each in rows:
            waiting.append(each)
            size += each.nbytes
            if size >= _GROUP:
                writer.write_table(pa.Table.from_batches(waiting, schema_))
                waiting, size = [], 0
        writer.write_table(pa.Table.from_batches(waiting, schema_))


def link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system has no such thing. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def complete(root: Path, draft: Path, number: int, state: Mapping[str, str]) -> None:
    """Give a draft its name and make it the one to read, in one step each; remove old ones. Raises OSError."""
    manifest = {"schemaVersion": SCHEMA_VERSION, "snapshot": number} | ({"state": dict(state)} if state else {})
    (draft / MANIFEST).write_text(json.dumps(manifest) + "\n", encoding="utf-8")
    folder = draft.rename(root / f"{_PREFIX}{number:06}")
    link_draft = root / f".{CURRENT}.tmp"
    link_draft.unlink(missing_ok=True)
    link_draft.symlink_to(folder.name, target_is_directory=True)
    link_draft.replace(root / CURRENT)
    for old in sorted(root.glob(f"{_PREFIX}*"))[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
