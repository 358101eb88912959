"""Texts of the registry as ODM can hold them."""

from __future__ import annotations

import base64
import re

from trialconv.context import Context
from trialconv.odm_tree import Fixed, Node

#: What is outside the production Char of XML 1.0 (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"
_ENGLISH = Fixed({"xml:lang": "en"})
_ENGLISH_PLAIN = Fixed({"xml:lang": "en", "Type": "text/plain"})


def clean(ctx: Context, value: str, source_path: str, target_path: str) -> str:
    """Return the text with U+FFFD for each character that XML cannot hold, and note the first of them."""
    # Nearly every text passes one of these, which cost a fraction of the search.
    if value.isprintable() or value.replace("\n", "").isprintable():
        return value
    found = _FORBIDDEN.search(value)
    if found is None:
        return value
    ctx.note(
        "character-replaced",
        f"U+{ord(found[0]):04X} cannot stand in XML and was replaced",
        source_path,
        target_path,
    )
    return _FORBIDDEN.sub(_REPLACEMENT, value)


def encoded_if_forbidden(value: str) -> str | None:
    """Return the UTF-8 of a text in base64, or None where XML can hold the text itself."""
    if value.isprintable() or _FORBIDDEN.search(value) is None:
        return None
    return base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")


def description(ctx: Context, text: str, source_path: str, target_path: str) -> Node:
    """Return a `Description` with the plain text.

    ODM 2.0 demands the attribute `Type` of `TranslatedText`, ODM 1.3.2 does not know it. The registry takes
    entries in English only.
    """
    attributes = _ENGLISH_PLAIN if ctx.options.odm_version == "2.0" else _ENGLISH
    cleaned = clean(ctx, text, source_path, target_path)
    return Node("Description", {}, (Node("TranslatedText", attributes, (cleaned,)),))
