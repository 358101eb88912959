"""Texts of the registry as ODM can hold them."""

from __future__ import annotations

import base64

from trialconv.context import Context
from trialconv.odm_tree import Fixed, Node
from trialconv_mappings.cdisc.text import FORBIDDEN, clean

_ENGLISH = Fixed({"xml:lang": "en"})
_ENGLISH_PLAIN = Fixed({"xml:lang": "en", "Type": "text/plain"})


def encoded_if_forbidden(value: str) -> str | None:
    """Return the UTF-8 of a text in base64, or None where XML can hold the text itself."""
    if value.isprintable() or FORBIDDEN.search(value) is None:
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
