"""A JSON document as UTF-8 bytes."""

from __future__ import annotations

from typing import Any

import orjson


def write_json(document: Any) -> bytes:
    """Return the document as JSON with the keys in the order in which they were put in.

    Raises TypeError for what JSON cannot hold.
    """
    return orjson.dumps(document)


def indented(data: bytes) -> bytes:
    """Return a JSON document with two spaces per level."""
    return orjson.dumps(orjson.loads(data), option=orjson.OPT_INDENT_2)
