"""The elements of a part of a document by their names, found in one walk."""

from __future__ import annotations

from trialconv.odm_tree import Node

_DIGITS = 10


class Named:
    """A part of a document, and what is inside of it by name, in the order of the document."""

    def __init__(self, *nodes: Node) -> None:
        self.node = nodes[0] if nodes else Node("")
        self._by_name: dict[str, list[Node]] = {}
        waiting = list(reversed(nodes))
        while waiting:
            node = waiting.pop()
            self._by_name.setdefault(node.name, []).append(node)
            waiting.extend(child for child in reversed(node.children) if not isinstance(child, str))

    def all(self, name: str) -> list[Node]:
        """Return the elements with a name."""
        return self._by_name.get(name, [])


def number_of(text: str) -> int | None:
    """Return a position that a text is; None for what is none, or beyond all lists."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < _DIGITS else None
