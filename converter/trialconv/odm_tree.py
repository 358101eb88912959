"""The light tree in which an ODM document passes from its mapping to a writer, and the names ODM fixes.

A tree is plain data: element and attribute names as they stand in the document, values as text. The root
carries its namespace as the attribute `xmlns`, so that a writer needs no knowledge of ODM versions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from trialconv.formats import OdmVersion

#: The namespace of each version, from the `targetNamespace` of its schema
#: (https://github.com/cdisc-org/DataExchange-ODM).
NAMESPACES: Final[dict[OdmVersion, str]] = {
    "2.0": "http://www.cdisc.org/ns/odm/v2.0",
    "1.3.2": "http://www.cdisc.org/ns/odm/v1.3",
}
#: The namespace of the Study Design Model in XML 1.0, an extension of ODM 1.3; its prefix here is `sdm`.
SDM_NAMESPACE: Final = "http://www.cdisc.org/ns/studydesign/v1.0"

#: Names in the JSON of ODM that XML spells in another way than with a capital.
_JSON_NAMES: Final = {"href": "href", "ref": "ref", "language": "xml:lang", "OID": "OID", "ID": "ID"}


def is_odm_json(document: object) -> bool:
    """Tell whether a JSON document means to be ODM."""
    return isinstance(document, dict) and "resourceType" not in document and "fileOID" in document


def name_of_key(key: str) -> str:
    """Return the element or attribute that a key in the JSON of ODM stands for."""
    return _JSON_NAMES.get(key) or key[:1].upper() + key[1:]


def decimal_text(number: float) -> str:
    """Return a number in the lexical form of xs:decimal, which knows no exponent."""
    text = repr(number)
    return text if "e" not in text else format(Decimal(text), "f")


class Fixed(dict[str, str]):
    """Attributes that stand in many places and never change; `written` is for what a writer made of them."""

    __slots__ = ("written",)

    def __init__(self, attributes: dict[str, str]) -> None:
        super().__init__(attributes)
        self.written = ""


class Node(msgspec.Struct, gc=False):
    """An element: its name, its attributes in the order to write them, its child elements and texts.

    `shared` is a dict for an element that stands in many places and never changes, and None for all others. A
    writer may keep there what it wrote for the element, by the indentation in front of it. `line` is where the
    element begins in the file that it was read from, and 0 without one.
    """

    name: str
    attributes: dict[str, str] = {}
    children: Sequence[Node | str] = ()
    shared: dict[str, str] | None = None
    line: int = 0

    def find_all(self, name: str) -> Iterator[Node]:
        """Yield this element and the ones below it that have the name, in document order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            if node.name == name:
                yield node
            waiting.extend(child for child in reversed(node.children) if not isinstance(child, str))

    @property
    def elements(self) -> list[Node]:
        """The child elements, without the texts between them."""
        return [child for child in self.children if not isinstance(child, str)]

    @property
    def text(self) -> str:
        """The texts directly inside this element, joined."""
        return "".join(child for child in self.children if isinstance(child, str))
