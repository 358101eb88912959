"""ODM elements of a parsed document as a tree, and where an element stands in it."""

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


def local(name: str) -> str:
    """Return a name of the tree without the prefix of its namespace."""
    return name.rpartition(":")[2] if name.startswith(("sdm:", "xlink:", "xml:")) else name


def place_of(root: Node, wanted: Node) -> str:
    """Return the way from the root to an element: names, with an OID or a position where names repeat.

    The element is found by identity; one that is not in the tree has the path of its name alone.
    """
    open_nodes: list[tuple[Node, tuple[Node, ...]]] = [(root, (root,))]
    while open_nodes:
        node, way = open_nodes.pop()
        if node is wanted:
            return "/".join(_step(parent, child) for parent, child in zip((None, *way), way, strict=False))
        open_nodes += [(child, (*way, child)) for child in node.elements if child.children or child is wanted]
    return local(wanted.name)


def _step(parent: Node | None, node: Node) -> str:
    name = local(node.name)
    same = [child for child in parent.elements if child.name == node.name] if parent else [node]
    if len(same) == 1:
        return name
    oid = node.attributes.get("OID")
    if oid is not None and sum(child.attributes.get("OID") == oid for child in same) == 1:
        return f"{name}[@OID='{oid}']"
    return f"{name}[{next(number for number, child in enumerate(same, 1) if child is node)}]"
