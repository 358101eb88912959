"""SAS transport files, version 5: one dataset in and out of the bytes of the format.

The layout is that of "The Record Layout of a Data Set in SAS Transport (XPORT) Format" (SAS technical note
TS-140, https://support.sas.com/techsup/technote/ts140.pdf): records of 80 bytes, big-endian integers, numbers as
IBM hexadecimal floating point. A dataset is the plain structure of Dataset-JSON 1.1, whose columns and rows say
all that the format holds: https://wiki.cdisc.org/display/PUB/Dataset-JSON+v1.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

Dataset = dict[str, Any]

#: The most bytes that a text, a name, a label of a variable and one of a dataset can have.
MAX_TEXT: Final = 200
MAX_NAME: Final = 8
MAX_LABEL: Final = 40

_RECORD: Final = 80
_NAMESTR_SIZE: Final = 140
_SAS_VERSION: Final = "9.4"
_NUMBER: Final = 1
_TEXT: Final = 2
_NUMBER_SIZE: Final = 8
#: Type, hash, length, number, name, label, output format (name, length, decimals, justification), filler, input
#: format (name, length, decimals), position; the rest of the 140 bytes is unused.
_NAMESTR: Final = struct.Struct(">hhhh8s40s8shhh2s8shhi52s")
_MISSING: Final = b".\0\0\0\0\0\0\0"
_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

#: What every such file begins with.
SIGNATURE: Final = b"HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!"


def encode_xport(dataset: Dataset, created: str) -> bytes:
    """Return a dataset as a transport file that says it was made at `created` (an ISO 8601 instant).

    A text column is as wide as its `length`. Raises ValueError for what the format cannot hold: texts that are
    not ASCII or wider than their column, columns wider than 200 bytes, long names and labels.
    """
    columns = dataset["columns"]
    stamp = _sas_instant(created)
    name = _padded(dataset["name"], MAX_NAME, "dataset name")
    parts = [
        _header("LIBRARY", "0" * 30),
        _sas_record("SAS", "SAS", "SASLIB", stamp),
        _fill(stamp),
        _header("MEMBER ", "0" * 17 + "1600000000140"),
        _header("DSCRPTR", "0" * 30),
        _sas_record("SAS", name.decode("ascii"), "SASDATA", stamp),
        _fill(stamp + b" " * 16 + _padded(dataset["label"], MAX_LABEL, "dataset label")),
        _header("NAMESTR", f"000000{len(columns):04}" + "0" * 20),
    ]
    widths = [_width(column) for column in columns]
    parts.append(_fill(b"".join(_namestrs(columns, widths))))
    parts.append(_header("OBS    ", "0" * 30))
    cells = b"".join(
        _cell(value, column, width)
        for row in dataset["rows"]
        for value, column, width in zip(row, columns, widths, strict=True)
    )
    parts.append(_fill(cells))
    return b"".join(parts)


def decode_xport(data: bytes) -> Dataset:
    """Return the one dataset of a transport file, with the names of Dataset-JSON.

    Empty texts and missing numbers are None. Raises ValueError for anything but a version 5 file with one dataset.
    """
    if not data.startswith(SIGNATURE) or len(data) % _RECORD:
        raise ValueError("it is no SAS transport file of version 5, which consists of records of 80 bytes")
    at = 3 * _RECORD
    if data[at : at + 27] != b"HEADER RECORD*******MEMBER ":
        raise ValueError("it has no header of a dataset")
    described, labelled = (data[at + step * _RECORD : at + (step + 1) * _RECORD] for step in (2, 3))
    names = data[at + 4 * _RECORD : at + 5 * _RECORD]
    count, size = names[54:58], data[at + 74 : at + 78]
    if names[20:28] != b"NAMESTR " or not count.isdigit() or not size.isdigit() or int(size) != _NAMESTR_SIZE:
        raise ValueError("it has no descriptions of variables of 140 bytes")
    at += 5 * _RECORD
    columns = [_read_namestr(data, at + number * _NAMESTR_SIZE) for number in range(int(count))]
    at += -(-int(count) * _NAMESTR_SIZE // _RECORD) * _RECORD
    if data[at : at + 28] != b"HEADER RECORD*******OBS     ":
        raise ValueError("it has no header of observations")
    rows = _read_rows(data[at + _RECORD :], columns)
    return {
        "name": _text(described[8:16]),
        "label": _text(labelled[32:72]),
        "records": len(rows),
        "columns": columns,
        "rows": rows,
    }


def _header(kind: str, digits: str) -> bytes:
    return f"HEADER RECORD*******{kind} HEADER RECORD!!!!!!!{digits}  ".encode("ascii")


def _sas_record(first: str, second: str, third: str, stamp: bytes) -> bytes:
    words = "".join(f"{word:8}" for word in (first, second, third, _SAS_VERSION, ""))
    return words.encode("ascii") + b" " * 24 + stamp


def _fill(data: bytes) -> bytes:
    """Return the data with blanks up to the end of a record."""
    return data + b" " * (-len(data) % _RECORD)


def _sas_instant(created: str) -> bytes:
    """Return an instant in the form of SAS, in UTC: `21JAN25:00:00:00`."""
    moment = datetime.fromisoformat(created).astimezone(UTC)
    return f"{moment:%d}{_MONTHS[moment.month - 1]}{moment:%y:%H:%M:%S}".encode("ascii")


def _padded(text: str, width: int, what: str) -> bytes:
    """Return a text in ASCII with blanks up to the width."""
    try:
        data = text.encode("ascii")
    except UnicodeEncodeError:
        raise ValueError(f"{what} {text!r} is not ASCII") from None
    if len(data) > width:
        raise ValueError(f"{what} {text!r} has more than {width} bytes")
    return data.ljust(width)


def _width(column: dict[str, Any]) -> int:
    if column["dataType"] == "integer":
        return _NUMBER_SIZE
    width = int(column["length"])
    if not 0 < width <= MAX_TEXT:
        raise ValueError(f"column {column['name']} is {width} bytes wide; at most {MAX_TEXT} are allowed")
    return width


def _namestrs(columns: list[dict[str, Any]], widths: list[int]) -> Iterator[bytes]:
    position = 0
    for number, (column, width) in enumerate(zip(columns, widths, strict=True), 1):
        kind = _NUMBER if column["dataType"] == "integer" else _TEXT
        name = _padded(column["name"], MAX_NAME, "variable name")
        label = _padded(column["label"], MAX_LABEL, "variable label")
        no_format = (b" " * 8, 0, 0)
        yield _NAMESTR.pack(
            kind, 0, width, number, name, label, *no_format, 0, b"\0\0", *no_format, position, b"\0" * 52
        )
        position += width


def _cell(value: str | int | None, column: dict[str, Any], width: int) -> bytes:
    if column["dataType"] == "integer":
        return _MISSING if value is None else _ibm_number(int(value))
    return _padded(str(value or ""), width, f"{column['name']}:")


def _ibm_number(value: int) -> bytes:
    """Return a whole number as IBM hexadecimal floating point: sign, exponent to the base 16, 14 hex digits."""
    if not value:
        return b"\0" * _NUMBER_SIZE
    size = abs(value)
    digits = -(-size.bit_length() // 4)
    if digits > 14:
        raise ValueError(f"{value} has more digits than a number of the format can hold")
    sign = 0x80 if value < 0 else 0
    return bytes((sign | 64 + digits,)) + (size << 4 * (14 - digits)).to_bytes(7, "big")


def _read_namestr(data: bytes, at: int) -> dict[str, Any]:
    if at + _NAMESTR_SIZE > len(data):
        raise ValueError("it ends within the descriptions of its variables")
    kind, _, width, _, name, label, *_ = _NAMESTR.unpack_from(data, at)
    if kind not in (_NUMBER, _TEXT) or width < 1 or (kind == _NUMBER and width > _NUMBER_SIZE):
        raise ValueError(f"variable {_text(name)!r} has a type or a length that the format does not have")
    return {
        "name": _text(name),
        "label": _text(label),
        "dataType": "double" if kind == _NUMBER else "string",
        "length": width,
    }


def _read_rows(data: bytes, columns: list[dict[str, Any]]) -> list[list[Any]]:
    width = sum(column["length"] for column in columns)
    if not width:
        return []
    # What is left of the last record is blank, as an observation without any value would be.
    count = len(data) // width
    while count and not data[(count - 1) * width : count * width].strip(b" "):
        count -= 1
    rows = []
    for start in range(0, count * width, width):
        row, at = [], start
        for column in columns:
            cell = data[at : at + column["length"]]
            at += column["length"]
            row.append(_read_number(cell) if column["dataType"] == "double" else _text(cell) or None)
        rows.append(row)
    return rows


def _read_number(cell: bytes) -> int | float | None:
    if not cell[0] & 0x7F and not any(cell[1:]):
        return 0
    if not any(cell[1:]):
        return None  # missing: a full stop, a letter or an underscore, then zeros
    fraction = int.from_bytes(cell[1:], "big")
    number = fraction * 16.0 ** ((cell[0] & 0x7F) - 64 - 2 * (len(cell) - 1))
    number = -number if cell[0] & 0x80 else number
    return int(number) if number.is_integer() else number


def _text(cell: bytes) -> str:
    # A byte beyond ASCII is shown as it is, so that a validator can name it.
    return cell.rstrip(b" \0").decode("latin-1")
