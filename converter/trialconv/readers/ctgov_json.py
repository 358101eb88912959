"""ClinicalTrials.gov API v2 JSON: one study, a page `{"studies": [...]}`, a list of studies, or NDJSON.

Lists and NDJSON are read as streams: memory holds one record at a time, however long the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from trialconv.issues import SourceError
from trialconv.readers.common import broken_characters, record_from_study, refusal
from trialconv.readers.json_list import list_elements
from trialconv.readers.sources import READ_ERRORS, Document, RawRecord, numbered_lines, read_whole
from trialconv.record import Record, SourceInfo, decode_study

READER = "ctgov-json"

_BOM = b"\xef\xbb\xbf"
_BYTE = re.compile(r"\(byte (\d+)\)")
# A page's first key is one of these, or the studies come first.
_PAGE_HEAD = re.compile(rb'\s*\{\s*"(?:studies|totalCount|nextPageToken)"\s*:')
_STUDIES = re.compile(rb'"studies"\s*:\s*\[')
# An escape that may stand for a control character.
_UNUSUAL = re.compile(rb"\\[ubf]")
_LIST = re.compile(rb"\[")
_BROKEN = "\ufffd".encode()


def read_ctgov_json(document: Document, limit: int) -> Iterator[Record | SourceError]:
    """Yield the record of every study in the document, or the reason why it cannot be read.

    `limit` is the largest single record in bytes.
    """
    for raw in split_ctgov_json(document, limit):
        yield raw if isinstance(raw, SourceError) else _study_or_refusal(raw)


def split_ctgov_json(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
    """Yield the bytes of every study in the document, or the reason why they cannot be had."""
    try:
        if document.first_line:
            yield from _line_by_line(document, limit)
        elif opening := _list_opening(document.head):
            yield from _of_list(document, limit, opening)
        else:
            yield from _of_lines(document, limit)
    except SourceError as error:
        yield error
    except READ_ERRORS as error:
        yield refusal("unreadable-source", document.source, f"cannot be read: {error}")


def has_a_study_a_line(document: Document, limit: int) -> bool:
    """Tell whether a document is NDJSON of several studies; this reads its beginning."""
    return not _list_opening(document.head) and _first_lines(document, limit).several


def _list_opening(head: bytes) -> re.Pattern[bytes] | None:
    """Return what opens the list of studies in a document that is one."""
    head = head.removeprefix(_BOM).lstrip()
    if head[:1] == b"[":
        return _LIST
    return _STUDIES if _PAGE_HEAD.match(head) else None


def read_study(data: bytes, source: SourceInfo) -> Record:
    """Make a record of one study's JSON. Raises SourceError when it is none."""
    try:
        study, findings = decode_study(data)
    except RecursionError:
        raise refusal("malformed-source", source, "the JSON is nested too deeply for a study") from None
    except msgspec.ValidationError:
        raise refusal("not-a-study", source, "expected a JSON object with a protocolSection") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _malformed(data, source, error) from None
    if any(found.code == "unknown-field" for found in findings) and b'"protocolSection"' not in data:
        keys = ", ".join(found.path for found in findings[:6])
        raise refusal("not-a-study", source, f"expected a protocolSection, found only {keys[:120]}")
    record = record_from_study(study, findings, source)
    record.has_unusual_characters = _UNUSUAL.search(data) is not None
    # The first byte alone is rare and quickly looked for.
    if b"\xef" in data and _BROKEN in data:
        record.issues += broken_characters(record)
    return record


def _malformed(data: bytes, source: SourceInfo, error: Exception) -> SourceError:
    """Return the refusal of broken JSON with the line and the column of the break."""
    if not data.strip():
        return refusal("malformed-source", source, "the input is empty; expected a study as JSON")
    position, reason = _break(data, error)
    before = data[:position]
    line, column = before.count(10) + 1, position - (before.rfind(10) + 1) + 1
    where = f"{source.place}, column {column}" if source.place else f"line {line}, column {column}"
    return refusal("malformed-source", source._replace(place=where), f"not well-formed JSON: {reason}")


def _break(data: bytes, error: Exception) -> tuple[int, str]:
    """Return the position at which broken JSON breaks, and what is wrong there."""
    try:
        data.decode()
    except UnicodeDecodeError as broken:
        return broken.start, "the text is not UTF-8"
    reason, _, _ = str(error).removeprefix("JSON is malformed: ").partition(" (byte")
    byte = _BYTE.search(str(error))
    return (int(byte[1]), reason) if byte else (len(data), "the text ends too early")


class _FirstLines(NamedTuple):
    """The first two lines with something in them, those that follow, and whether each is a study of its own."""

    first: tuple[int, bytes]
    second: tuple[int, bytes]
    rest: Iterator[tuple[int, bytes]]
    are_lines: bool
    several: bool


def _first_lines(document: Document, limit: int) -> _FirstLines:
    """Read one study, or one a line: the first two lines tell which."""
    filled = _filled_lines(document, limit, 1)
    begin, first = next(filled, (1, b""))
    following, second = next(filled, (begin + 1, b""))
    are_lines = len(first) > limit or first.rstrip().endswith(b"}") or _is_line_of_many(first, second)
    return _FirstLines(
        (begin, first), (following, second), filled, are_lines, are_lines and (begin > 1 or second != b"")
    )


def _of_lines(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
    source = document.source._replace(reader=READER)
    begun = _first_lines(document, limit)
    (begin, first), (following, second) = begun.first, begun.second
    if begun.are_lines:
        for number, line in chain([begun.first, begun.second], begun.rest):
            if line:
                yield _raw(line, source._replace(place=f"line {number}") if begun.several else source, limit)
        return
    # Blank lines count where a message names a line.
    data = b"\n" * (begin - 1) + first + b"\n" * (following - begin - 1) + second + read_whole(document, limit)
    yield _raw(data, source, limit)


def _line_by_line(document: Document, limit: int) -> Iterator[RawRecord | SourceError]:
    source = document.source._replace(reader=READER)
    for number, line in _filled_lines(document, limit, document.first_line):
        yield _raw(line, source._replace(place=f"line {number}"), limit)


def _raw(data: bytes, source: SourceInfo, limit: int) -> RawRecord | SourceError:
    if len(data) > limit:
        return refusal("record-too-large", source, f"larger than the limit of {limit} bytes")
    return RawRecord(source, data)


def _is_line_of_many(first: bytes, second: bytes) -> bool:
    """Tell whether a line that is no whole object is a broken one among many, and not the head of a long text."""
    return second.startswith(b'{"') and not first.rstrip().endswith((b"{", b"[", b":", b","))


def _filled_lines(document: Document, limit: int, number: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the bytes of each line with something in it, `number` being that of the first."""
    for at, line in numbered_lines(document, limit, number):
        if line.strip():
            yield at, line.removeprefix(_BOM) if at == 1 else line


def _study_or_refusal(raw: RawRecord) -> Record | SourceError:
    try:
        return read_study(raw.data, raw.source)
    except SourceError as error:
        return error


def _of_list(document: Document, limit: int, opening: re.Pattern[bytes]) -> Iterator[RawRecord | SourceError]:
    """Read the studies of a JSON list, without holding the list."""
    source = document.source._replace(reader=READER)
    position = 0
    try:
        for position, element in enumerate(list_elements(document, limit, opening), start=1):
            place = source._replace(place=f"study {position}")
            yield _raw(element, place, limit)
    except SourceError as error:
        where = f"after study {position}" if position else ""
        yield SourceError(msgspec.structs.replace(error.issue, source_path=where))
        return
    if not position:
        yield refusal("not-a-study", source, "the list of studies is empty")
