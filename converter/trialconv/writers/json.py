"""A JSON document as UTF-8 bytes."""

from __future__ import annotations

from typing import Any

import orjson


def write_json(document: Any, *, pretty: bool = False) -> bytes:
    """Return the document as JSON with the keys in the order in which they were put in.

    Raises TypeError for what JSON cannot hold.
    """
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 if pretty else 0)
