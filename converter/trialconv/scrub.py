"""Characters that no target can hold, replaced visibly.

FHIR strings and XML text hold no control characters but tab, line feed and carriage return
(https://hl7.org/fhir/R4/datatypes.html#string). They are so rare that the reader looks for them in the bytes of a
record, and only documents of a record that has some are walked through.
"""

from __future__ import annotations

import re
from typing import Any

from trialconv.context import Context

REPLACEMENT = "\ufffd"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def scrubbed(ctx: Context, document: Any) -> Any:
    """Return the document with each control character replaced by U+FFFD, and an Issue for each place.

    Only JSON documents (dicts) are looked at; the ODM mapping replaces characters as it goes.
    """
    if not ctx.record.has_unusual_characters or not isinstance(document, dict):
        return document
    return {key: _value(ctx, item, key) for key, item in document.items()}


def _value(ctx: Context, value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return {key: _value(ctx, item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list):
        return [_value(ctx, item, f"{path}[{position}]") for position, item in enumerate(value)]
    if isinstance(value, str) and _FORBIDDEN.search(value):
        ctx.note("character-replaced", "a control character was replaced by U+FFFD", target_path=path)
        return _FORBIDDEN.sub(REPLACEMENT, value)
    return value
