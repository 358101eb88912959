"""Texts of the registry as ODM can hold them."""

from __future__ import annotations

from trialconv.context import Context
from trialconv.odm_tree import Node
from trialconv_mappings.cdisc.text import clean


def description(ctx: Context, text: str, source_path: str, target_path: str) -> Node:
    """Return a `Description` with the plain text.

    ODM 2.0 demands the attribute `Type` of `TranslatedText`, ODM 1.3.2 does not know it. The registry takes
    entries in English only.
    """
    attributes = {"xml:lang": "en"}
    if ctx.options.odm_version == "2.0":
        attributes["Type"] = "text/plain"
    cleaned = clean(ctx, text, source_path, target_path)
    return Node("Description", {}, (Node("TranslatedText", attributes, (cleaned,)),))
