"""ODM 2.0 JSON, judged as the XML that says the same.

The JSON of ODM is its XML in another spelling (https://github.com/cdisc-org/DataExchange-ODM-LinkML). So names,
types and lists are checked here; then the content is judged by the official XML schema and by the rules.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final

import msgspec
from lxml import etree

from trialconv.issues import Issue, issue
from trialconv.odm_tree import NAMESPACES, Node, decimal_text, is_odm_json, name_of_key
from trialconv.validators.odm import rule_issues, schema_folder, schema_issues
from trialconv.validators.odm_rules import MOST

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"
_TYPE: Final = "ODMcomplexTypeDefinition-"
#: Attributes that are numbers in JSON; all others are strings.
_NUMBERS: Final = frozenset(
    {
        "altitude",
        "firstPage",
        "itemGroupDataSeq",
        "keySequence",
        "lastPage",
        "latitude",
        "length",
        "longitude",
        "orderNumber",
        "rank",
        "repeatingLimit",
        "seqNum",
        "sequenceNumber",
    }
)
_NAMESPACES: Final = {
    "xml": "{http://www.w3.org/XML/1998/namespace}",
    "xlink": "{http://www.w3.org/1999/xlink}",
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
#: What is outside the production Char of XML 1.0 (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_POPULATION: Final = "StudyTargetPopulation"
#: The parameter that holds the words of a target population, which ODM JSON has as an OID alone.
_POPULATION_WORDS: Final = "OBSTPOPD"


def validate_odm_json(document: bytes | dict[str, Any]) -> list[Issue]:
    """Return what is wrong with an ODM 2.0 document in JSON; nothing when it is valid.

    Paths are those of the XML. There are no lines, since JSON is mostly written in one.
    """
    if isinstance(document, bytes):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as error:
            return [issue("invalid-document", f"The file is no ODM document: {error}.")]
    if not is_odm_json(document):
        return [issue("invalid-document", "The file is no ODM document: there is no fileOID.")]
    try:
        root, found = tree_from_json(document)
        found += schema_issues(_xml(root), "2.0")
    except RecursionError:
        return [issue("invalid-document", "The file is no ODM document: it is nested too deeply.")]
    found += rule_issues(root)
    return [msgspec.structs.replace(each, source_path="") for each in found]


def tree_from_json(document: Any) -> tuple[Node, list[Issue]]:
    """Return the tree of an ODM document in JSON, and what JSON of ODM cannot look like."""
    reader = _Reader()
    root = reader.element("ODM", document, "ODM")
    root.attributes = {"xmlns": NAMESPACES["2.0"], **root.attributes}
    _fill_population(root)
    return root, reader.found[:MOST]


class _Reader:
    """Reads objects as elements, and notes what does not fit."""

    def __init__(self) -> None:
        self.found: list[Issue] = []

    def element(self, name: str, value: dict[str, Any], path: str) -> Node:
        """Return the element of an object, its children in the order of the schema."""
        children = _children().get(name, {})
        attributes: dict[str, str] = {}
        texts: list[Node | str] = []
        elements: list[Node] = []
        for key, held in value.items():
            inner = name_of_key(key)
            place = f"{path}/{inner}"
            if not _NAME.fullmatch(key):
                self._note(path, f"{key[:80]!r} is no name of ODM")
            elif inner == _POPULATION and isinstance(held, str):
                elements.append(Node(inner, {"OID": held, "Name": held}))
            elif isinstance(held, dict | list):
                elements += self._elements(inner, held, children.get(inner), place)
            elif key == "content" and isinstance(held, str):
                texts.append(self._checked(held, path))
            else:
                attributes[self._attribute(name, inner)] = self._text(key, held, f"{path}/@{inner}")
        elements.sort(key=lambda node: children[node.name][0] if node.name in children else len(children))
        return Node(name, attributes, [*texts, *elements])

    def _elements(self, name: str, held: Any, known: tuple[int, bool] | None, path: str) -> list[Node]:
        items = held if isinstance(held, list) else [held]
        if known is not None and known[1] != isinstance(held, list):
            self._note(path, "expected a list" if known[1] else "expected an object, not a list")
        made = []
        for position, item in enumerate(items, 1):
            place = path if len(items) == 1 else f"{path}[{position}]"
            if isinstance(item, dict):
                made.append(self.element(name, item, place))
            else:
                self._note(place, f"expected an object, not {item!r}"[:200])
        return made

    def _attribute(self, element: str, name: str) -> str:
        return "xlink:href" if (element, name) == ("Leaf", "href") else name

    def _text(self, key: str, value: Any, path: str) -> str:
        """Return the lexical form of a string or number."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _NUMBERS and is_number:
            return decimal_text(value)
        if not isinstance(value, str) or key in _NUMBERS:
            self._note(path, f"expected a {'number' if key in _NUMBERS else 'string'}, not {value!r}"[:200])
        return self._checked(value if isinstance(value, str) else str(value), path)

    def _checked(self, text: str, path: str) -> str:
        """Return a text without the characters that ODM cannot hold, since XML cannot."""
        if text.isprintable() or not (found := _FORBIDDEN.search(text)):
            return text
        self._note(path, f"the character U+{ord(found[0]):04X} cannot stand in ODM")
        return _FORBIDDEN.sub("\ufffd", text)

    def _note(self, path: str, message: str) -> None:
        self.found.append(issue("schema", message, target_path=path, rule="json-type"))


def _fill_population(root: Node) -> None:
    """Give a target population the words that the parameter for it has."""
    for population in root.find_all(_POPULATION):
        words = next(
            (
                value.attributes.get("Value", "")
                for parameter in root.find_all("StudyParameter")
                if parameter.attributes.get("ShortName") == _POPULATION_WORDS
                for value in parameter.find_all("ParameterValue")
            ),
            "",
        )
        text = Node("TranslatedText", {"xml:lang": "en", "Type": "text/plain"}, (words,))
        population.children = [Node("Description", {}, (text,))]


@cache
def _children() -> dict[str, dict[str, tuple[int, bool]]]:
    """Return the child elements of each element in the official schema: their order, and whether they repeat."""
    found: dict[str, dict[str, tuple[int, bool]]] = {}
    types: dict[str, dict[str, tuple[int, bool]]] = {}
    names: dict[str, str] = {}
    for path in sorted(schema_folder("2.0").glob("ODM*.xsd")):
        schema = etree.parse(path, etree.XMLParser(no_network=True)).getroot()
        for element in schema.iterchildren(_XS + "element"):
            names[str(element.get("name"))] = str(element.get("type", "")).removeprefix(_TYPE)
        for kind in schema.iterchildren(_XS + "complexType"):
            types[str(kind.get("name")).removeprefix(_TYPE)] = _model(kind)
    for name, kind_name in names.items():
        found[name] = types.get(kind_name, {})
    return found


def _model(kind: etree._Element) -> dict[str, tuple[int, bool]]:
    made: dict[str, tuple[int, bool]] = {}
    for child in kind.iter(_XS + "element"):
        above = [
            each.get("maxOccurs", "1") for each in (child, *child.iterancestors(_XS + "choice", _XS + "sequence"))
        ]
        made.setdefault(str(child.get("ref")), (len(made), any(most != "1" for most in above)))
    return made


def _xml(root: Node) -> etree._ElementTree:
    """Return the tree as the XML library has it."""
    namespace = f"{{{NAMESPACES['2.0']}}}"
    top = etree.Element(namespace + "ODM", nsmap={None: NAMESPACES["2.0"]})  # type: ignore[dict-item]
    open_nodes = [(root, top)]
    while open_nodes:
        node, element = open_nodes.pop()
        for name, value in node.attributes.items():
            if name != "xmlns":
                _set(element, name, value)
        for child in node.children:
            if isinstance(child, str):
                _add_text(element, child)
            else:
                open_nodes.append((child, etree.SubElement(element, namespace + child.name)))
    return etree.ElementTree(top)


def _set(element: etree._Element, name: str, value: str) -> None:
    prefix, _, local = name.rpartition(":")
    element.set(_NAMESPACES[prefix] + local if prefix else name, value)


def _add_text(element: etree._Element, text: str) -> None:
    element.text = (element.text or "") + text
