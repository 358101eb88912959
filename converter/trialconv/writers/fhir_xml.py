"""A FHIR resource, as the dict that JSON makes of it, to FHIR XML.

The rules are those of https://hl7.org/fhir/R4/xml.html and https://hl7.org/fhir/R4/json.html, which R4B and R5
share: the elements of a type stand in the order of its definition, primitive values are attributes, and what JSON
keeps in `_name` beside a primitive is inside of its element. The tables in `_generated` hold the order.

Written as text and not through an XML library, as ODM is: a document is written thousands of times.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from trialconv.formats import FhirVersion

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_NAMESPACE: Final = "http://hl7.org/fhir"
_XHTML: Final = "{http://www.w3.org/1999/xhtml}div"
_INDENT: Final = " "
#: What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets), in UTF-8.
_CONTROLS: Final = bytes(byte for byte in range(32) if byte not in (9, 10, 13))
_NO_CHARACTERS: Final = ("\ufffe".encode(), "\uffff".encode())

# The kinds of elements that have no type of their own; the names of types are longer than a letter.
_PRIMITIVE, _ATTRIBUTE, _DIV, _RESOURCE, _SIBLING, _TYPE = ".", "@", "~", "*", "_", ""


class _Fields(NamedTuple):
    """The elements of a type: the place and the kind of each key in JSON, and which are attributes."""

    places: dict[str, tuple[int, str]]
    attributes: tuple[str, ...]


class _Tables:
    """The elements of all types of a FHIR version, read when they are asked for."""

    def __init__(self, text: str) -> None:
        lines = (line.partition(" ") for line in text.splitlines() if not line.startswith("#"))
        self._lines = {name: elements for name, _, elements in lines}
        self._read: dict[str, _Fields] = {}

    def of(self, type_name: str) -> _Fields:
        """Return the elements of a type. Raises ValueError for a type that the version does not have."""
        found = self._read.get(type_name)
        if found is None:
            found = self._read[type_name] = self._fields(type_name)
        return found

    def _fields(self, type_name: str) -> _Fields:
        if type_name not in self._lines:
            raise ValueError(f"{type_name!r} is no type of this FHIR version")
        places: dict[str, tuple[int, str]] = {"resourceType": (0, _TYPE)}
        for number, element in enumerate(self._lines[type_name].split(), start=1):
            name, _, kind = element.partition(":")
            places[name] = (2 * number, kind)
            if kind == _PRIMITIVE:
                places["_" + name] = (2 * number + 1, _SIBLING)
        return _Fields(places, tuple(name for name, (_, kind) in places.items() if kind == _ATTRIBUTE))


@cache
def _tables(version: FhirVersion) -> _Tables:
    source = files("trialconv.writers").joinpath("_generated", f"fhir-{version.lower()}.elements.txt")
    return _Tables(source.read_text(encoding="utf-8"))


def write_fhir_xml(resource: Mapping[str, Any], version: FhirVersion, *, pretty: bool = False) -> bytes:
    """Return a resource, such as a Bundle, as FHIR XML in UTF-8 with an XML declaration.

    Raises ValueError for an element or a type that the version does not have, for a narrative that is no XHTML,
    and for characters that XML cannot hold.
    """
    writer = _Writer(_tables(version))
    writer.resource(resource, "\n" if pretty else "", f' xmlns="{_NAMESPACE}"')
    head = _DECLARATION if pretty else _DECLARATION + "\n"
    data = "".join([head, *writer.parts, "\n"]).encode("utf-8")
    if len(data.translate(None, _CONTROLS)) != len(data) or any(one in data for one in _NO_CHARACTERS):
        raise ValueError("the document holds a character that XML cannot hold")
    return data


class _Writer:
    """The markup of one document in the making. `start` is the line break and indentation before an element."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables
        self.parts: list[str] = []

    def resource(self, node: Mapping[str, Any], start: str, namespace: str = "") -> None:
        """Write a resource as an element of its type's name."""
        type_name = node.get("resourceType")
        if not isinstance(type_name, str):
            raise ValueError("a resource has no resourceType")
        self._element(type_name, node, type_name, start, namespace)

    def _element(
        self, tag: str, node: Mapping[str, Any], type_name: str, start: str, attributes: str = ""
    ) -> None:
        places, attribute_names = self._tables.of(type_name)
        try:
            keys = sorted(node, key=places.__getitem__)
        except KeyError as unknown:
            raise ValueError(f"{type_name} has no element {unknown}") from None
        emit = self.parts.append
        for name in attribute_names:
            if name in node:
                attributes += f' {name}="{_escaped(node[name])}"'
                keys.remove(name)
        if not keys:
            emit(f"{start}<{tag}{attributes}/>")
            return
        emit(f"{start}<{tag}{attributes}>")
        inner = start + _INDENT if start else ""
        for key in keys:
            value, kind = node[key], places[key][1]
            if type(value) is str and kind == _PRIMITIVE and "_" + key not in node:
                emit(f'{inner}<{key} value="{_escaped(value)}"/>')
            elif type(value) is list and len(kind) > 1:
                for one in value:
                    self._element(key, one, kind, inner)
            else:
                self._child(key, node, kind, inner)
        emit(f"{start}</{tag}>")

    def _child(self, key: str, node: Mapping[str, Any], kind: str, start: str) -> None:
        """Write an element that is none of the most frequent: a text, or a list of elements."""
        value = node[key]
        if kind == _PRIMITIVE:
            self._primitives(key, value, node.get("_" + key), start)
        elif kind == _SIBLING:
            if key[1:] not in node:
                self._primitives(key[1:], None, value, start)
        elif kind == _RESOURCE:
            self._resources(key, value, start)
        elif kind == _DIV:
            self.parts.append(start + _checked_div(value))
        elif kind != _TYPE:
            self._element(key, value, kind, start)

    def _resources(self, tag: str, value: Any, start: str) -> None:
        for one in value if isinstance(value, list) else (value,):
            self.parts.append(f"{start}<{tag}>")
            self.resource(one, start + _INDENT if start else "")
            self.parts.append(f"{start}</{tag}>")

    def _primitives(self, tag: str, value: Any, sibling: Any, start: str) -> None:
        """Write a primitive, or a list of them, with what stands beside each in `sibling`."""
        if isinstance(value, list) or isinstance(sibling, list):
            pairs = list(zip_longest(value or (), sibling or ()))
        else:
            pairs = [(value, sibling)]
        for one, beside in pairs:
            attribute = "" if one is None else f' value="{_literal(one)}"'
            if beside:
                self._element(tag, beside, "Element", start, attribute)
            else:
                self.parts.append(f"{start}<{tag}{attribute}/>")


def _literal(value: Any) -> str:
    """Return a primitive as XML writes it: numbers and truth values as JSON does."""
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise ValueError(f"{type(value).__name__} is no primitive value of FHIR")


def _escaped(value: str) -> str:
    """Return a text as the value of an attribute; a parser would make spaces of line breaks and tabs."""
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if '"' in value:
        value = value.replace('"', "&quot;")
    if "\n" in value or "\t" in value or "\r" in value:
        value = value.replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")
    return value


def _checked_div(markup: Any) -> str:
    """Return the XHTML of a narrative as it stands, once it is known to be one element that is well formed."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        element = etree.fromstring(markup, parser)
    except (etree.XMLSyntaxError, ValueError, TypeError) as problem:
        raise ValueError(f"a narrative is no XHTML: {problem}") from None
    if element.tag != _XHTML or element.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a narrative is no div element of XHTML")
    return str(markup)
