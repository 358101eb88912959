"""JSON documents as UTF-8 bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson


def write_json(document: Any, *, pretty: bool = False) -> bytes:
    """Return the document as JSON with the keys in the order in which they were put in.

    Raises TypeError for what JSON cannot hold.
    """
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if pretty else 0)


def write_json_lines(documents: Iterable[Any]) -> bytes:
    """Return documents as NDJSON, without a line break at the end. Raises TypeError for what JSON cannot hold."""
    return b"\n".join([orjson.dumps(document) for document in documents])
