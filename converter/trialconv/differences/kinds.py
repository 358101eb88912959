"""What a document is that no reader makes a record of, told from its first bytes."""

from __future__ import annotations

import re
from typing import Final

from trialconv.differences.documents import DocumentKind

_FHIR: Final = re.compile(
    rb'\{\s*(?:"(?:id|type|meta|timestamp|identifier)"\s*:.{0,500}?)?"resourceType"\s*:', re.DOTALL
)
_ODM: Final = re.compile(rb"<(?:[\w.-]+:)?ODM[\s>]")


def document_kind(head: bytes) -> DocumentKind | None:
    """Return what a document is; None for what a reader of records has to look at."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] == b"{" and _FHIR.match(text):
        return "fhir"
    if text[:1] == b"<" and _ODM.search(text):
        return "odm"
    return None
