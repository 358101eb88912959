"""The elements of a long JSON list, one after the other, as bytes.

A download of the whole registry is one list of several gigabytes. Only brackets and strings have to be
followed to cut it; the elements are parsed by whoever takes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from trialconv.readers.common import refusal
from trialconv.readers.sources import Document

_CHUNK: Final = 256 * 1024
# A string with its ends, or one character that matters outside of strings. A lone quote begins a string that
# the buffer does not hold to its end.
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|["\[\]{}]', re.DOTALL)


def list_elements(document: Document, limit: int, opening: re.Pattern[bytes]) -> Iterator[bytes]:
    """Yield the bytes of every object in the first list that `opening` matches.

    `limit` is the largest element in bytes. Raises SourceError when there is no such list, when the stream
    breaks off inside it, and for an element beyond the limit.
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

    def next_token(self, *, inside: bool) -> bytes:
        """Return the next bracket, brace or string, reading on as needed."""
        while True:
            token = _TOKEN.search(self._buffer, self._position)
            if token is not None and token[0] != b'"':
                self._position = token.end()
                return token[0]
            reached = token.start() if token else len(self._buffer)
            self._read_on(self._begin if inside else reached, reached)

    def begin_element(self) -> None:
        self._begin = self._position - 1

    def element(self) -> bytes:
        return self._buffer[self._begin : self._position]

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
