"""The elements of a long JSON list, one after the other, as bytes.

A download of the whole registry is one list of several gigabytes. Only brackets and strings have to be
followed to cut it; the elements are parsed by whoever takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from trialconv.readers.common import refusal
from trialconv.readers.sources import Document
from trialconv.record.base import TREE

_CHUNK: Final = 256 * 1024
# A string with its ends, or one character that matters outside of strings. A lone quote begins a string that
# the buffer does not hold to its end.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)
_BETWEEN: Final = b" \t\r\n,"
_BOM: Final = b"\xef\xbb\xbf"


def list_elements(document: Document, limit: int, opening: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the bytes of every object in the first list that `opening` matches.

    `limit` is the largest element in bytes. Raises SourceError when there is no such list, when the stream
    breaks off inside it, for an element that is no object or list, for one beyond the limit, and when what
    stands around the list is not JSON.
    """
    window = _Window(document, limit, opening)
    depth = 0
    while True:
        mark = window.next_token(inside=depth > 0)
        if mark in b"{[":
            if not depth:
                window.begin_element()
            depth += 1
        elif mark in b"}]":
            if not depth:
                window.check_surroundings(mark)
                return
            depth -= 1
            if not depth:
                yield window.element()


class _Window:
    """The part of the stream in memory: from the beginning of the current element on."""

    def __init__(self, document: Document, limit: int, opening: re.Pattern[bytes]) -> None:
        self._document = document
        self._limit = limit
        self._buffer = b""
        self._begin = 0
        while (start := opening.search(self._buffer)) is None:
            more = document.stream.read(_CHUNK)
            if not more or len(self._buffer) > limit:
                raise refusal("not-a-study", document.source, "expected a list of studies")
            self._buffer += more
        self._position = start.end()
        self._before = self._buffer[: self._position].removeprefix(_BOM)

    def next_token(self, *, inside: bool) -> bytes:
        """Return the next bracket, brace or string, reading on as needed."""
        while True:
            token = _TOKEN.search(self._buffer, self._position)
            reached = token.start() if token else len(self._buffer)
            if not inside:
                self._check_between(reached, token[0] if token else b"")
            if token is not None and token[0] != b'"':
                self._position = token.end()
                return token[0]
            self._read_on(self._begin if inside else reached, reached)

    def begin_element(self) -> None:
        self._begin = self._position - 1

    def element(self) -> bytes:
        return self._buffer[self._begin : self._position]

    def check_surroundings(self, end: bytes) -> None:
        """Make sure that the text before and behind the list, which `end` closes, is JSON."""
        behind = self._buffer[self._position :] + self._document.stream.read(self._limit)
        try:
            TREE.decode(self._before + end + behind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            message = "the text around the list of studies is not well-formed JSON"
            raise refusal("malformed-source", self._document.source, message) from None

    def _check_between(self, end: int, token: bytes) -> None:
        """Make sure that only separators stand between two elements."""
        found = (self._buffer[self._position : end] + token[:1].strip(b"{}[]")).strip(_BETWEEN)
        if found:
            shown = found[:20].decode("utf-8", "replace")
            message = f"expected an object for each study of the list, found {shown!r}"
            raise refusal("not-a-study", self._document.source, message)

    def _read_on(self, keep: int, reached: int) -> None:
        more = self._document.stream.read(_CHUNK)
        if not more:
            raise refusal(
                "malformed-source", self._document.source, "the JSON breaks off inside the list of studies"
            )
        self._buffer = self._buffer[keep:] + more
        self._begin, self._position = 0, reached - keep
        if len(self._buffer) > self._limit + _CHUNK:
            message = f"a study is larger than the limit of {self._limit} bytes"
            raise refusal("record-too-large", self._document.source, message)
