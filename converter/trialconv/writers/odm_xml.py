"""An ODM tree to XML bytes.

Written as text and not through an XML library, since the tree is known to be well formed and a document is
written thousands of times. Attributes stand in the order of the tree, so that equal trees give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable

from trialconv.odm_tree import Node

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_INDENT = " "


def write_odm_xml(node: Node) -> bytes:
    """Return the document with `node` as its root, in UTF-8 with an XML declaration.

    Line breaks and tabs of attribute values, and carriage returns of texts, are written as character
    references, because a parser would change them otherwise (https://www.w3.org/TR/xml/#AVNormalize,
    https://www.w3.org/TR/xml/#sec-line-ends). Every text must consist of characters that XML 1.0 can hold;
    the mapping sees to that. Raises UnicodeEncodeError for half of a surrogate pair.
    """
    parts = [_DECLARATION]
    _write(node, "\n", parts.append)
    parts.append("\n")
    return "".join(parts).encode("utf-8")


def _write(node: Node, start: str, emit: Callable[[str], None]) -> None:
    """Write an element; `start` is the line break and indentation before it, or nothing beside text."""
    name = node.name
    attributes = node.attributes
    tag = f"{start}<{name}"
    if attributes:
        # One look at all values: most hold nothing to escape.
        if _is_marked("".join(attributes.values())):
            attributes = {key: _attribute(value) for key, value in attributes.items()}
        for key, value in attributes.items():
            tag += f' {key}="{value}"'
    children = node.children
    if not children:
        emit(tag + "/>")
        return
    emit(tag + ">")
    mixed = False
    for child in children:
        if child.__class__ is str:
            mixed = True
            break
    inner = "" if mixed or not start else start + _INDENT
    for child in children:
        if isinstance(child, str):
            emit(_text(child))
        else:
            _write(child, inner, emit)
    emit(f"</{name}>" if mixed else f"{start}</{name}>")


def _is_marked(values: str) -> bool:
    """Tell whether attribute values hold a character that cannot stand in one as it is."""
    return "&" in values or "<" in values or '"' in values or "\n" in values or "\t" in values or "\r" in values


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(value: str) -> str:
    escaped = _text(value).replace('"', "&quot;")
    return escaped.replace("\t", "&#9;").replace("\n", "&#10;")
