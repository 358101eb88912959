"""Characters that no target can hold, replaced visibly.

FHIR strings and XML text hold no control characters but tab, line feed and carriage return
(https://hl7.org/fhir/R4/datatypes.html#string). They are so rare that the reader looks for them in the bytes of a
record, and only documents of a record that has some are walked through. Two more characters, which Unicode itself
calls none, are only XML's trouble (https://www.w3.org/TR/xml/#charsets).
"""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from trialconv.context import Context

REPLACEMENT: Final = "\ufffd"
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORBIDDEN_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_CHARACTERS: Final = ("\ufffe".encode(), "\uffff".encode())


def scrubbed(ctx: Context, document: Any, *, for_xml: bool = False) -> Any:
    """Return the document with each character replaced by U+FFFD that cannot stay, and an Issue for each place.

    Only FHIR documents (dicts) are looked at; the ODM mapping replaces characters as it goes.
    """
    if not isinstance(document, dict):
        return document
    if not ctx.record.has_unusual_characters and not (for_xml and _holds_no_characters(document)):
        return document
    forbidden = _FORBIDDEN_IN_XML if for_xml else _FORBIDDEN
    return {key: _value(ctx, item, key, forbidden) for key, item in document.items()}


def _holds_no_characters(document: Any) -> bool:
    text = orjson.dumps(document)
    return any(one in text for one in _NO_CHARACTERS)


def _value(ctx: Context, value: Any, path: str, forbidden: re.Pattern[str]) -> Any:
    if isinstance(value, dict):
        return {key: _value(ctx, item, f"{path}.{key}", forbidden) for key, item in value.items()}
    if isinstance(value, list):
        return [_value(ctx, item, f"{path}[{position}]", forbidden) for position, item in enumerate(value)]
    if isinstance(value, str) and forbidden.search(value):
        what = "a control character" if _FORBIDDEN.search(value) else "a character that XML cannot hold"
        ctx.note("character-replaced", f"{what} was replaced by U+FFFD", target_path=path)
        return forbidden.sub(REPLACEMENT, value)
    return value
