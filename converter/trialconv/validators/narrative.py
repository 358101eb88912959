"""What a narrative may hold (txt-1, txt-2): https://hl7.org/fhir/R5/narrative.html#xhtml.

The elements and attributes are those of fhir-xhtml.xsd that the chapters of HTML 4.0 named there have.
"""

from __future__ import annotations

import re
from typing import Final

_XHTML: Final = "http://www.w3.org/1999/xhtml"

_ELEMENTS: Final = frozenset(
    re.findall(
        r"\S+",
        """
        a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd dfn div dl dt em h1
        h2 h3 h4 h5 h6 hr i img kbd li map ol p pre q samp small span strong sub sup table tbody td tfoot th
        thead tr tt ul var
        """,
    )
)
_ATTRIBUTES: Final = frozenset(
    re.findall(
        r"\S+",
        """
        abbr accesskey align alt axis border cellpadding cellspacing char charoff charset cite class colspan
        coords dir frame headers height href hreflang id idref ismap lang longdesc name nohref nowrap rel rev
        rowspan rules scope shape span src style summary tabindex title type usemap valign width
        """,
    )
)
_XML_ATTRIBUTES: Final = frozenset(f"{{http://www.w3.org/XML/1998/namespace}}{name}" for name in ("lang", "space"))
_SCRIPT: Final = re.compile(r"[\x00-\x20]*(?:java|vb)script[\x00-\x20]*:", re.IGNORECASE)


#: A narrative of plain paragraphs, which needs no parser.
_PLAIN: Final = re.compile(
    r'<div xmlns="http://www\.w3\.org/1999/xhtml">(?:<(p|h[1-6])>[^<&\x00-\x20][^<&]*</\1>)+</div>'
)


def narrative_problem(div: str) -> tuple[str, str] | None:
    """Return the key of the rule that a narrative breaks and what breaks it; None for a good one."""
    if _PLAIN.fullmatch(div):
        return None
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(div.encode("utf-8", "replace"), parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        return "txt-1", f"no well-formed XHTML ({str(problem)[:80]})"
    if root.tag != f"{{{_XHTML}}}div":
        return "txt-1", "the outermost element is no div of the namespace of XHTML"
    if root.getroottree().docinfo.internalDTD is not None:
        return "txt-1", "a document type declaration"
    content = False
    for node in root.iter():
        if not isinstance(node.tag, str):
            if not isinstance(node, etree._Comment):
                return "txt-1", "a processing instruction or an entity"
            continue
        name = node.tag.removeprefix(f"{{{_XHTML}}}")
        if name not in _ELEMENTS:
            return "txt-1", f"the element {name[:40]}"
        if bad := _bad_attribute({str(key): str(value) for key, value in node.attrib.items()}):
            return "txt-1", f"the attribute {bad[:40]} of {name}"
        content = content or name == "img"
    return None if content or "".join(map(str, root.itertext())).strip() else ("txt-2", "")


def _bad_attribute(attributes: dict[str, str]) -> str:
    for name, value in attributes.items():
        if name not in _ATTRIBUTES and name not in _XML_ATTRIBUTES:
            return name
        if name in ("href", "src") and _SCRIPT.match(value):
            return name
    return ""
