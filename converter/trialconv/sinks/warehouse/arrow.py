"""Rows as Arrow: typed columns, which all three warehouses take, and which pass between processes as bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache
from operator import itemgetter
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from trialconv.sinks.warehouse.model import Batch, StudyVersion
from trialconv_mappings.warehouse_tables import Column, Type, tables

_TYPES: Final[dict[Type, pa.DataType]] = {
    "TEXT": pa.string(),
    "TEXT[]": pa.list_(pa.string()),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
    "JSON": pa.string(),
}

Rows = Mapping[str, Iterable[Mapping[str, Any]]]


@cache
def schema_of(table: str) -> pa.Schema:
    """Return the columns of a table, each with its comment. Whether one may be empty is in the schema, too."""
    found = tables()[table]
    return pa.schema(
        [
            pa.field(each.name, _TYPES[each.type], each.nullable, {"comment": each.comment})
            for each in found.columns
        ],
        {"comment": found.comment},
    )


def batch_of(versions: Iterable[StudyVersion], rows: Rows) -> Batch:
    """Return studies as a batch. Rows may lack what the warehouse fills in, which is empty then; days are texts.

    Raises pyarrow.ArrowException for a value that its column cannot hold.
    """
    return Batch(tuple(versions), {name: _table(name, list(found)) for name, found in rows.items() if found})


def _table(name: str, rows: list[Mapping[str, Any]]) -> pa.RecordBatch:
    columns = [
        # What the mapping made has every column of the mapping, so that the quick way is open for those.
        _array(
            column, [row.get(column.name) for row in rows] if column.rule else map(itemgetter(column.name), rows)
        )
        for column in tables()[name].columns
    ]
    return pa.record_batch(columns, schema=schema_of(name))


def _array(column: Column, values: Iterable[Any]) -> pa.Array:
    if column.type == "DATE":
        return pa.array(values, pa.string()).cast(pa.date32())
    if column.type == "JSON":
        values = [_json(value) for value in values]
    return pa.array(values, _TYPES[column.type])


def _json(value: Any) -> str | None:
    """Return JSON as text; bytes and texts are JSON already."""
    if value is None or isinstance(value, str):
        return value
    return (value if isinstance(value, bytes) else orjson.dumps(value)).decode()


def only(batch: Batch, nct_ids: Collection[str]) -> Batch:
    """Return a batch without the studies that are not among some."""
    if len(nct_ids) == len(batch.versions):
        return batch
    wanted = pa.array(sorted(nct_ids), pa.string())
    return Batch(
        tuple(each for each in batch.versions if each.nct_id in nct_ids),
        {name: each for name, table in batch.tables.items() if (each := _filtered(table, wanted)).num_rows},
    )


def _filtered(table: pa.RecordBatch, nct_ids: pa.Array) -> pa.RecordBatch:
    return table.filter(pc.is_in(table.column("nct_id"), nct_ids))


def with_value(table: pa.RecordBatch, column: str, value: Any) -> pa.RecordBatch:
    """Return rows with one value in a column."""
    place = table.schema.get_field_index(column)
    field = table.schema.field(place)
    columns = list(table.columns)
    columns[place] = pa.repeat(pa.scalar(value, field.type), table.num_rows)
    return pa.record_batch(columns, schema=table.schema)


def packed(batch: Batch) -> dict[str, bytes]:
    """Return the rows of a batch as bytes by table, for another process."""
    found = {}
    for name, table in batch.tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_batch(table)
        found[name] = sink.getvalue().to_pybytes()
    return found


def unpacked(versions: Iterable[StudyVersion], parts: Mapping[str, bytes]) -> Batch:
    """Return the batch of what `packed` made, without copying the rows."""
    return Batch(
        tuple(versions),
        {name: pa.ipc.open_stream(data).read_next_batch() for name, data in parts.items()},
    )
