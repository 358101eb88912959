"""A walk through the registry's XML that knows which of its parts nobody has looked at.

The readers of the elements ask for children, texts and attributes by name. What was never asked for is found
at the end, so that no element, attribute or stray text is dropped without notice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from lxml import etree

from trialconv.readers.common import refusal
from trialconv.readers.xml_input import parsed_xml
from trialconv.record import SourceInfo

ROOT: Final = "clinical_study"


class LeftOver(NamedTuple):
    """Something unread: its path, what it is, the line where it first stands, and how often it stands there."""

    path: str
    what: str
    line: int
    times: int


class Walk:
    """What has been read of a document."""

    def __init__(self, root: etree._Element) -> None:
        # Holding every element keeps its identity, which the sets below need.
        self.elements = list(root.iter(etree.Element))
        self.seen: set[etree._Element] = set()
        self.texts: set[etree._Element] = set()
        self.attributes: set[tuple[etree._Element, str]] = set()
        self.root = Cursor(root, self)
        self.seen.add(root)

    def left_over(self) -> list[LeftOver]:
        """Return everything that was not read, once for each path, in the document's order.

        Of an unread element only the element itself is named, not what it holds.
        """
        found: dict[tuple[str, str], LeftOver] = {}
        for element, name, what in self._unread():
            path = f"{path_of(element)}{name}"
            first = found.get((path, what))
            line = element.sourceline
            new = LeftOver(path, what, line if isinstance(line, int) else 0, 1)
            found[path, what] = first._replace(times=first.times + 1) if first else new
        return list(found.values())

    def _unread(self) -> Iterator[tuple[etree._Element, str, str]]:
        """Yield the element, the attribute's part of the path, and a description of each unread thing."""
        inside: set[etree._Element] = set()
        for element in self.elements:
            if element.getparent() in inside:
                inside.add(element)
            elif element not in self.seen:
                inside.add(element)
                yield element, "", "element"
            else:
                for name in element.attrib:
                    if (element, str(name)) not in self.attributes:
                        yield element, f"/@{name!s}", "attribute"
                if element not in self.texts and _stray_text(element):
                    yield element, "", "text beside the elements"


def _stray_text(element: etree._Element) -> bool:
    return any(text and text.strip() for text in (element.text, *(child.tail for child in element)))


class Cursor:
    """An element that is being read."""

    def __init__(self, element: etree._Element, walk: Walk) -> None:
        self._element = element
        self._walk = walk

    @property
    def path(self) -> str:
        """The names of the element and of those around it."""
        return path_of(self._element)

    @property
    def name(self) -> str:
        """The element's name."""
        return str(self._element.tag)

    def children(self, names: frozenset[str]) -> list[Cursor]:
        """Return the children of some names, in the document's order."""
        found = [child for child in self._element if child.tag in names]
        self._walk.seen.update(found)
        return [Cursor(element, self._walk) for element in found]

    def every(self, name: str) -> list[Cursor]:
        """Return the children of a name."""
        found = list(self._element.iterchildren(name))
        self._walk.seen.update(found)
        return [Cursor(element, self._walk) for element in found]

    def one(self, name: str) -> Cursor | None:
        """Return the first child of a name. Further ones stay unread."""
        element = next(self._element.iterchildren(name), None)
        if element is None:
            return None
        self._walk.seen.add(element)
        return Cursor(element, self._walk)

    def only(self, name: str, *, title: str | None) -> Cursor | None:
        """Return the child of a name that has a title; None when there are several or none."""
        found = [
            child for child in self._element.iterchildren(name) if child.findtext("title", "").strip() == title
        ]
        if len(found) != 1:
            return None
        self._walk.seen.add(found[0])
        return Cursor(found[0], self._walk)

    def own_text(self) -> str | None:
        """Return all text in the element, without spaces around it; None when there is none."""
        self._walk.texts.add(self._element)
        return "".join(str(piece) for piece in self._element.itertext()).strip() or None

    def own_block(self) -> str:
        """Return all text in the element as it stands."""
        self._walk.texts.add(self._element)
        return "".join(str(piece) for piece in self._element.itertext())

    def text(self, name: str) -> str | None:
        """Return the text of the first child of a name."""
        child = self.one(name)
        return child.own_text() if child else None

    def texts(self, name: str) -> list[str]:
        """Return the texts of the children of a name that have one."""
        return [text for child in self.every(name) if (text := child.own_text())]

    def attribute(self, name: str) -> str | None:
        """Return an attribute."""
        self._walk.attributes.add((self._element, name))
        value = self._element.get(name)
        return None if value is None else str(value)


def parse(data: bytes, source: SourceInfo) -> Walk:
    """Parse a record.

    Raises SourceError as `parsed_xml` does, and for another root element (`not-a-study`).
    """
    root = parsed_xml(data, source)
    if root.tag != ROOT:
        name = str(root.tag)[:60]
        raise refusal("not-a-study", source, f"expected the root element <{ROOT}>, found <{name}>")
    return Walk(root)


def path_of(element: etree._Element) -> str:
    """Return the names of an element and of those around it, such as `clinical_study/location/facility`."""
    names = [str(element.tag), *(str(outer.tag) for outer in element.iterancestors())]
    return "/".join(reversed(names))
