"""Rows in the binary form that PostgreSQL's COPY reads, made column-wise by Arrow.

https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format": each row has the number of its fields, each
field its length, -1 for NULL, and its value as the type's own receiving function reads it, in network byte order.
The server takes it in with less work than text: no quotes are looked for, and no number is read.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from trialconv_mappings.warehouse_tables import Type

#: The signature, no flags, no extension of the header.
HEADER: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER: Final = b"\xff\xff"
_NULL: Final = -1
#: The version of its format, which JSONB begins with.
_JSONB: Final = b"\x01"
#: Days from Arrow's epoch, 1970, to that of PostgreSQL, 2000.
_EPOCH: Final = pa.scalar(10_957, pa.int32())
#: An array's dimensions, its flags, and the type of its elements, which is TEXT.
_NO_ELEMENTS: Final = b"\0\0\0\0\0\0\0\0\0\0\0\x19"
_ELEMENTS: Final = b"\0\0\0\1\0\0\0\0\0\0\0\x19"
_FIRST: Final = b"\0\0\0\1"
_CODES: Final = {4: "i", 8: "q"}


def copy_binary(rows: pa.RecordBatch, types: Sequence[Type]) -> memoryview:
    """Return rows, at least one, whose columns have some types, as they stand between `HEADER` and `TRAILER`."""
    parts: list[Any] = [len(types).to_bytes(2, "big")]
    for column, type_ in zip(rows.columns, types, strict=True):
        value = _value(column, type_)
        parts += [_numbers(pc.fill_null(pc.binary_length(value), _NULL)), value]
    return _bytes(_joined(parts, null_handling="replace", null_replacement=b""))


def _value(column: pa.Array, type_: Type) -> pa.Array:
    """Return the values of a column as bytes, without their lengths."""
    if type_ == "TEXT[]":
        return _lists(column)
    if type_ == "JSON":
        return _joined([_JSONB, column.cast(pa.binary())])
    if type_ == "TEXT":
        return column.cast(pa.binary())
    if type_ == "BOOLEAN":
        return _fixed(column.cast(pa.int8()), 1)
    if type_ == "DATE":
        return _numbers(pc.subtract(column.cast(pa.int32()), _EPOCH))
    return _numbers(column)


def _lists(lists: pa.ListArray) -> pa.Array:
    """Return each list of texts as an array of one dimension, or of none when it is empty."""
    values = lists.values.cast(pa.binary())
    lengths = _numbers(pc.fill_null(pc.binary_length(values), _NULL))
    elements = _joined([lengths, values], null_handling="replace", null_replacement=b"")
    # A list that is NULL has no length, and so nothing is made of it.
    together = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, elements), b"")
    counts = pc.list_value_length(lists)
    filled = _joined([_ELEMENTS, _numbers(counts), _FIRST, together])
    return pc.if_else(pc.equal(counts, 0), pa.scalar(_NO_ELEMENTS, pa.binary()), filled)


def _numbers(numbers: pa.Array) -> pa.Array:
    """Return each number as bytes in network order."""
    width = numbers.type.bit_width // 8
    return _fixed(numbers, width)


def _fixed(values: pa.Array, width: int) -> pa.Array:
    """Return each value of some bytes as those bytes, in network order."""
    validity, data = values.buffers()
    if width > 1 and sys.byteorder == "little":
        turned = array(_CODES[width])
        turned.frombytes(data)
        turned.byteswap()
        data = pa.py_buffer(turned)
    shape = pa.binary(width)
    return pa.Array.from_buffers(shape, len(values), [validity, data], offset=values.offset).cast(pa.binary())


def _joined(parts: Sequence[pa.Array | bytes], **options: Any) -> pa.Array:
    """Return what stands beside one another put together; without options NULL where one of them is."""
    scalars = [pa.scalar(each, pa.binary()) if isinstance(each, bytes) else each for each in parts]
    return pc.binary_join_element_wise(*scalars, pa.scalar(b"", pa.binary()), **options)


def _bytes(values: pa.Array) -> memoryview:
    """Return the bytes of values one after the other, without copying them."""
    _, offsets, data = values.buffers()
    places = memoryview(offsets).cast("i")
    return memoryview(data)[places[values.offset] : places[values.offset + len(values)]]
