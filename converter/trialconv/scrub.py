"""Characters that no target can hold, replaced visibly.

FHIR strings and XML text hold no control characters but tab, line feed and carriage return
(https://hl7.org/fhir/R4/datatypes.html#string). They are so rare that the reader looks for them in the bytes of a
record, and only documents of a record that has some are walked through.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from trialconv.context import Context
from trialconv_mappings.fhir.terms import EXACT_TEXT

REPLACEMENT = "\ufffd"
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")


def scrubbed(ctx: Context, document: Any) -> Any:
    """Return the document with each control character replaced by U+FFFD, and an Issue for each place.

    The exact string stands beside the element, as UTF-8 in base64. Only FHIR documents (dicts) are looked at; the
    ODM mapping replaces characters as it goes.
    """
    if not ctx.record.has_unusual_characters or not isinstance(document, dict):
        return document
    return _object(ctx, document, "")


def _object(ctx: Context, value: dict[str, Any], path: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    beside: dict[str, Any] = {}
    for key, item in value.items():
        place = f"{path}.{key}" if path else key
        if isinstance(item, str) and _FORBIDDEN.search(item):
            made[key] = _replaced(ctx, item, place)
            beside["_" + key] = {
                "url": ctx.options.base + EXACT_TEXT,
                "valueBase64Binary": b64encode(item.encode()).decode(),
            }
        else:
            made[key] = _value(ctx, item, place)
    for key, exact in beside.items():
        others = made.get(key, {})
        made[key] = {**others, "extension": [*others.get("extension", ()), exact]}
    return made


def _value(ctx: Context, value: Any, path: str) -> Any:
    if isinstance(value, dict):
        return _object(ctx, value, path)
    if isinstance(value, list):
        return [_value(ctx, item, f"{path}[{position}]") for position, item in enumerate(value)]
    if isinstance(value, str) and _FORBIDDEN.search(value):
        return _replaced(ctx, value, path)
    return value


def _replaced(ctx: Context, value: str, path: str) -> str:
    ctx.note("character-replaced", "a control character was replaced by U+FFFD", target_path=path)
    return _FORBIDDEN.sub(REPLACEMENT, value)
