"""Texts of the registry as XML and JSON can hold them."""

from __future__ import annotations

import re

from trialconv.context import Context
from trialconv.lineage import substituted

#: What is outside the production Char of XML 1.0 (https://www.w3.org/TR/xml/#charsets).
FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"


def clean(ctx: Context, value: str, source_path: str, target_path: str) -> str:
    """Return the text with U+FFFD for each character that XML cannot hold, and note the first of them."""
    # Nearly every text passes one of these, which cost a fraction of the search.
    if value.isprintable() or value.replace("\n", "").isprintable():
        return value
    found = FORBIDDEN.search(value)
    if found is None:
        return value
    ctx.note(
        "character-replaced",
        f"U+{ord(found[0]):04X} cannot stand in XML and was replaced",
        source_path,
        target_path,
    )
    return substituted(FORBIDDEN, _REPLACEMENT, value)
