"""Where an element stands in the tree of an ODM document."""

from __future__ import annotations

from trialconv.odm_tree import Node


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
