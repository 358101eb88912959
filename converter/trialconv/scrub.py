"""Characters that no target can hold, replaced visibly.

FHIR strings and XML text hold no control characters but tab, line feed and carriage return
(https://hl7.org/fhir/R4/datatypes.html#string). They are so rare that the reader looks for them in the bytes of a
record, and only documents of a record that has some are walked through. Two more characters, which Unicode itself
calls none, are only XML's trouble (https://www.w3.org/TR/xml/#charsets).
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any, Final

import orjson

from trialconv.context import Context
from trialconv.lineage import derived, substituted
from trialconv_mappings.fhir.terms import EXACT_TEXT

REPLACEMENT: Final = "\ufffd"
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FORBIDDEN_IN_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NO_CHARACTERS: Final = ("\ufffe".encode(), "\uffff".encode())


def scrubbed(ctx: Context, document: Any, *, for_xml: bool = False) -> Any:
    """Return the document with each character replaced by U+FFFD that cannot stay, and an Issue for each place.

    In FHIR the exact string stands beside the element, as UTF-8 in base64. Only dicts are looked at; the
    mappings to ODM and SDTM replace characters as they go.
    """
    if not isinstance(document, dict):
        return document
    if ctx.record.has_unusual_characters or (for_xml and _holds_no_characters(document)):
        forbidden = _FORBIDDEN_IN_XML if for_xml else _FORBIDDEN
        return _Scrub(ctx, forbidden, keeps_exact="resourceType" in document).object(document, "")
    return document


def _holds_no_characters(document: Any) -> bool:
    # Numbers of a traced document are of a class of their own.
    text = orjson.dumps(document, default=float)
    return any(one in text for one in _NO_CHARACTERS)


class _Scrub:
    """A walk through one document, for the characters of a pattern."""

    def __init__(self, ctx: Context, forbidden: re.Pattern[str], *, keeps_exact: bool) -> None:
        self._ctx = ctx
        self._forbidden = forbidden
        self._keeps_exact = keeps_exact

    def object(self, value: dict[str, Any], path: str) -> dict[str, Any]:
        """Return an object with clean strings; in FHIR the exact ones stand beside them."""
        made: dict[str, Any] = {}
        beside: dict[str, Any] = {}
        for key, item in value.items():
            place = f"{path}.{key}" if path else key
            if self._keeps_exact and isinstance(item, str) and self._forbidden.search(item):
                made[key] = self._replaced(item, place)
                beside["_" + key] = {
                    "url": self._ctx.options.base + EXACT_TEXT,
                    "valueBase64Binary": derived(b64encode(item.encode()).decode(), item),
                }
            else:
                made[key] = self._value(item, place)
        for key, exact in beside.items():
            others = made.get(key, {})
            made[key] = {**others, "extension": [*others.get("extension", ()), exact]}
        return made

    def _value(self, value: Any, path: str) -> Any:
        if isinstance(value, dict):
            return self.object(value, path)
        if isinstance(value, list):
            return [self._value(item, f"{path}[{position}]") for position, item in enumerate(value)]
        if isinstance(value, str) and self._forbidden.search(value):
            return self._replaced(value, path)
        return value

    def _replaced(self, value: str, path: str) -> str:
        what = "a control character" if _FORBIDDEN.search(value) else "a character that XML cannot hold"
        self._ctx.note("character-replaced", f"{what} was replaced by U+FFFD", target_path=path)
        return substituted(self._forbidden, REPLACEMENT, value)
