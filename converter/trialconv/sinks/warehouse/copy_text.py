"""Rows as the CSV that PostgreSQL's COPY reads, made column-wise by Arrow.

https://www.postgresql.org/docs/current/sql-copy.html: an empty value without quotes is NULL, and every text is in
quotes. Arrays are in the form of https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

_OPTIONS: Final = csv.WriteOptions(include_header=False)


def copy_text(rows: pa.RecordBatch) -> memoryview:
    """Return the lines of rows, in the order of their columns."""
    columns = [_array_text(each) if pa.types.is_list(each.type) else each for each in rows.columns]
    sink = pa.BufferOutputStream()
    csv.write_csv(pa.record_batch(columns, names=rows.schema.names), sink, _OPTIONS)
    return memoryview(sink.getvalue())


def _array_text(lists: pa.ListArray) -> pa.Array:
    """Return each list of texts as PostgreSQL writes an array: `{"a","b"}`."""
    values = lists.values
    for special in ("\\", '"'):
        values = pc.replace_substring(values, special, "\\" + special)
    values = pc.binary_join_element_wise('"', values, '"', "")
    quoted = pa.ListArray.from_arrays(lists.offsets, values, mask=lists.is_null())
    return pc.binary_join_element_wise("{", pc.binary_join(quoted, ","), "}", "")
