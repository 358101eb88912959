"""An ODM tree to XML bytes.

Written as text and not through an XML library, since the tree is known to be well formed and a document is
written thousands of times. Attributes stand in the order of the tree, so that equal trees give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trialconv.odm_tree import Fixed, Node

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_INDENT = " "
#: Definitions, which stand on a line each, with all that is in them. A parser takes twice the time for a document
#: in which every element has its own line.
_ON_ONE_LINE: Final = frozenset(
    {
        "Arm",
        "ConditionDef",
        "Criterion",
        "Description",
        "Location",
        "Organization",
        "StudyEndPoint",
        "StudyIndication",
        "StudyIntervention",
        "StudyParameter",
        "StudyTargetPopulation",
        "User",
        "sdm:Arm",
        "sdm:Criterion",
        "sdm:Parameter",
    }
)


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
    """Write an element; `start` is the line break and indentation before it, or nothing inside a line."""
    name = node.name
    attributes = node.attributes
    if isinstance(attributes, Fixed):
        tag = f"{start}<{name}{attributes.written or _fixed(attributes)}"
    else:
        tag = f"{start}<{name}"
        for key, value in attributes.items():
            # Six searches for single characters take half the time of one regular expression.
            if "&" in value or "<" in value or '"' in value or "\n" in value or "\t" in value or "\r" in value:
                value = _attribute(value)
            tag = f'{tag} {key}="{value}"'
    children = node.children
    if not children:
        emit(f"{tag}/>")
        return
    first = children[0]
    if isinstance(first, str) and len(children) == 1:
        emit(f"{tag}>{_text(first)}</{name}>")
        return
    emit(f"{tag}>")
    if name in _ON_ONE_LINE or not start or str in map(type, children):
        start = inner = ""
    else:
        inner = start + _INDENT
    for child in children:
        if isinstance(child, str):
            emit(_text(child))
        elif child.shared is None:
            held = child.children
            if len(held) == 1 and isinstance(child.attributes, Fixed) and not isinstance(held[0], str):
                _parameter(child, child.attributes, held[0], inner, emit)
            else:
                _write(child, inner, emit)
        else:
            emit(child.shared.get(inner) or _shared(child, child.shared, inner))
    emit(f"{start}</{name}>")


def _parameter(node: Node, attributes: Fixed, held: Node, start: str, emit: Callable[[str], None]) -> None:
    """Write an element with fixed attributes around one other, which is what most elements of a document are."""
    name = node.name
    if held.children or len(held.attributes) != 1 or name not in _ON_ONE_LINE:
        _write(node, start, emit)
        return
    for key, value in held.attributes.items():
        if "&" in value or "<" in value or '"' in value or "\n" in value or "\t" in value or "\r" in value:
            value = _attribute(value)
        tag = attributes.written or _fixed(attributes)
        emit(f'{start}<{name}{tag}><{held.name} {key}="{value}"/></{name}>')


def _fixed(attributes: Fixed) -> str:
    """Return the markup of attributes that never change, and keep it for the next place."""
    attributes.written = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items())
    return attributes.written


def _shared(node: Node, written: dict[str, str], start: str) -> str:
    """Return the markup of a shared element, and keep it for the next place."""
    parts: list[str] = []
    _write(node, start, parts.append)
    markup = written[start] = "".join(parts)
    return markup


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _attribute(value: str) -> str:
    escaped = _text(value).replace('"', "&quot;")
    return escaped.replace("\t", "&#9;").replace("\n", "&#10;")
