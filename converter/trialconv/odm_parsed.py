"""ODM as it is read: parsed XML, or the JSON of ODM 2.0, as the light tree in which ODM travels."""

from __future__ import annotations

from typing import Final, cast

from lxml import etree

from trialconv.odm_tree import NAMESPACES, SDM_NAMESPACE, Node

#: What stands for a namespace before a name; names of ODM itself have no prefix.
_PREFIXES: Final = {
    **dict.fromkeys(NAMESPACES.values(), ""),
    SDM_NAMESPACE: "sdm:",
    "http://www.w3.org/XML/1998/namespace": "xml:",
    "http://www.w3.org/1999/xlink": "xlink:",
}


def tree_of(element: etree._Element) -> Node:
    """Return a parsed element as a tree, with lines. Comments and processing instructions are left out.

    Written without recursion, since a file may be nested as deeply as the parser allows.
    """
    names: dict[str, str] = {}
    top = _node(element, names)
    open_nodes = [(element, top)]
    while open_nodes:
        parsed, node = open_nodes.pop()
        children: list[Node | str] = []
        if parsed.text and (not len(parsed) or not parsed.text.isspace()):
            children.append(parsed.text)
        for child in parsed:
            if isinstance(child.tag, str):
                made = _node(child, names)
                children.append(made)
                if len(child) or child.text:
                    open_nodes.append((child, made))
            if child.tail and not child.tail.isspace():
                children.append(child.tail)
        node.children = children
    return top


def _node(element: etree._Element, names: dict[str, str]) -> Node:
    items = cast("list[tuple[str, str]]", element.items())
    attributes = {names.get(key) or _name(key, names): value for key, value in items}
    tag = str(element.tag)
    return Node(names.get(tag) or _name(tag, names), attributes, line=cast("int", element.sourceline or 0))


def _name(text: str, names: dict[str, str]) -> str:
    """Return a name with the prefix of its namespace; one of an unknown namespace stays as it is."""
    namespace, _, local = text[1:].partition("}") if text.startswith("{") else ("", "", text)
    prefix = _PREFIXES.get(namespace) if namespace else ""
    names[text] = made = text if prefix is None else prefix + local
    return made
