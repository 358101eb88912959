"""XML from anywhere, parsed without a document type, external entities or network."""

from __future__ import annotations

import re

from lxml import etree

from trialconv.readers.common import refusal
from trialconv.record import SourceInfo

_PROLOG_END = re.compile(rb"<[A-Za-z_]")
_DOCTYPE = re.compile(rb"<!DOCTYPE", re.IGNORECASE)
_NO_DOCTYPE = "the XML has a DOCTYPE, which registry records do not have and which is not read"


def parsed_xml(data: bytes, source: SourceInfo) -> etree._Element:
    """Return the root element of a document, without comments and processing instructions.

    Raises SourceError (`malformed-source`) for XML that is not well-formed, with the place, and for a DOCTYPE.
    """
    if not data.strip():
        raise refusal("malformed-source", source, "the input is empty")
    start = _PROLOG_END.search(data)
    if _DOCTYPE.search(data, 0, start.start() if start else len(data)):
        raise refusal("malformed-source", source, _NO_DOCTYPE)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        place = source._replace(place=f"line {line}, column {column}")
        reason = (error.msg or "no reason given").partition(", line ")[0]
        raise refusal("malformed-source", place, f"not well-formed XML: {reason}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise refusal("malformed-source", source, _NO_DOCTYPE)
    return root
