"""Where an element stands in an XML document, in words that a person can follow."""

from __future__ import annotations

from typing import cast

from lxml import etree

# Counted by the library, since a document may have a hundred thousand siblings.
_COUNT_SAME = etree.XPath("count(../*[local-name() = $name])")
_COUNT_NAMED = etree.XPath("count(../*[local-name() = $name and @OID = $oid])")
_COUNT_BEFORE = etree.XPath("count(preceding-sibling::*[local-name() = $name])")


def local_name(element: etree._Element) -> str:
    """Return the name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def element_path(element: etree._Element) -> str:
    """Return the way from the root to an element: names, with an OID or a position where names repeat."""
    steps = []
    current: etree._Element | None = element
    while current is not None:
        steps.append(_step(current))
        current = current.getparent()
    return "/".join(reversed(steps))


def _step(element: etree._Element) -> str:
    name = local_name(element)
    if element.getparent() is None or _COUNT_SAME(element, name=name) == 1:
        return name
    oid = element.get("OID")
    if oid is not None and _COUNT_NAMED(element, name=name, oid=oid) == 1:
        return f"{name}[@OID='{oid}']"
    return f"{name}[{int(cast('float', _COUNT_BEFORE(element, name=name))) + 1}]"


def line_of(element: etree._Element) -> str:
    """Return the line of an element as a place in the input."""
    return f"line {element.sourceline}" if element.sourceline else ""
