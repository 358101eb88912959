"""FHIR documents as trees: JSON, NDJSON or XML; a Bundle of any type, a resource, or a list of them.

What the resources mean is the matter of the way back in the mappings; here are the bytes and their form. JSON and
XML give the same kind of tree. XML does not tell a list with one member from a single element, so that the way
back takes either for the other, and reads numbers and truth values from texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
from lxml import etree

from trialconv.issues import SourceError
from trialconv.readers.common import refusal
from trialconv.readers.json_list import list_elements
from trialconv.readers.sources import READ_ERRORS, Document, numbered_lines, read_whole
from trialconv.readers.xml_input import parsed_xml
from trialconv.record import SourceInfo
from trialconv.record.base import TREE

READER: Final = "fhir"
_FHIR: Final = "{http://hl7.org/fhir}"
_STUDY: Final = "ResearchStudy"
_LIST: Final = re.compile(rb"\[")
_BOM: Final = b"\xef\xbb\xbf"
_EXPECTED: Final = "expected a FHIR Bundle with a ResearchStudy, or a ResearchStudy"


class Resource(NamedTuple):
    """A resource of a document, mostly a Bundle, and where it came from."""

    tree: dict[str, Any]
    source: SourceInfo


#: A value of JSON with its size in bytes and its place, or why it cannot be had.
_Member = tuple[Any, int, SourceInfo]


def read_fhir(document: Document, limit: int) -> Iterator[Resource | SourceError]:
    """Yield every Bundle of a document, or the reason why one cannot be read.

    Bundles on lines, or in a list, are read one by one. Resources there that are no Bundles are one together: bulk
    data has a resource a line. `limit` is the largest Bundle in bytes.
    """
    source = document.source._replace(reader=READER)
    head = document.head.removeprefix(_BOM).lstrip()
    try:
        if head[:1] == b"<":
            data = read_whole(document, limit).removeprefix(_BOM)
            yield Resource(_from_xml(parsed_xml(data, source)), source)
        elif head[:1] == b"[":
            yield from _together(_of_list(document, limit, source), limit, source)
        else:
            yield from _together(_of_lines(document, limit, source), limit, source)
    except SourceError as error:
        yield error
    except READ_ERRORS as error:
        yield refusal("unreadable-source", source, f"cannot be read: {error}")


def _of_list(document: Document, limit: int, source: SourceInfo) -> Iterator[_Member | SourceError]:
    for number, element in enumerate(list_elements(document, limit, _LIST), 1):
        yield _member(element, limit, source._replace(place=f"resource {number}"))


def _of_lines(document: Document, limit: int, source: SourceInfo) -> Iterator[_Member | SourceError]:
    """Yield the one value that there is, or one a line: the first line tells which."""
    lines = ((number, line) for number, line in numbered_lines(document, limit) if line.strip())
    begin, first = next(lines, (1, b""))
    first = first.removeprefix(_BOM)
    alone = _member(first, limit, source)
    if isinstance(alone, SourceError) and len(first) <= limit:
        data = b"\n" * (begin - 1) + first + read_whole(document, limit)
        whole = _member(data, limit, source)
        if isinstance(whole, SourceError):
            raise whole
        yield whole
        return
    for number, line in chain([(begin, first)], lines):
        # It is not known yet whether the first is the only one, which needs no place.
        yield alone if number == begin else _member(line, limit, source._replace(place=f"line {number}"))


def _member(data: bytes, limit: int, source: SourceInfo) -> _Member | SourceError:
    if len(data) > limit:
        return refusal("record-too-large", source, f"larger than the limit of {limit} bytes")
    try:
        return TREE.decode(data), len(data), source
    except RecursionError:
        return refusal("malformed-source", source, "the JSON is nested too deeply for a resource")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return refusal("malformed-source", source, f"not well-formed JSON: {error}")


def _together(
    members: Iterator[_Member | SourceError], limit: int, source: SourceInfo
) -> Iterator[Resource | SourceError]:
    """Yield each Bundle by itself, and all resources that are in none as one."""
    entries, size = [], 0
    for member in members:
        if isinstance(member, SourceError):
            yield member
            continue
        value, length, place = member
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if kind == "Bundle":
            yield Resource(value, place)
        elif isinstance(kind, str):
            entries.append({"resource": value})
            size += length
            if size > limit:
                message = f"resources that belong together are larger than the limit of {limit} bytes"
                raise refusal("record-too-large", source, message)
        else:
            yield refusal("not-a-study", place, f"a value without a resourceType; {_EXPECTED}")
    if entries:
        yield Resource({"resourceType": "Bundle", "entry": entries}, source)


def no_study(found: Resource) -> SourceError:
    """Return the refusal of a resource that holds no study, which says what it is instead."""
    entries = found.tree.get("entry")
    resources = (
        [entry.get("resource") for entry in entries if isinstance(entry, dict)]
        if isinstance(entries, list)
        else [found.tree]
    )
    kinds = [str(each.get("resourceType"))[:40] for each in resources if isinstance(each, dict)]
    said = ", ".join(list(dict.fromkeys(kinds))[:8]) or "nothing"
    return refusal("not-a-study", found.source, f"no {_STUDY} in this, but {said}; {_EXPECTED}")


def _from_xml(root: etree._Element) -> dict[str, Any]:
    """Return the resource of an XML document: https://hl7.org/fhir/R4/xml.html.

    Written without recursion, since a file may be nested as deeply as the parser allows.
    """
    top: dict[str, Any] = {}
    waiting = [(root, top)]
    while waiting:
        element, made = waiting.pop()
        name = _name(element)
        if name[:1].isupper():
            made["resourceType"] = name
        made.update((str(key), value) for key, value in element.attrib.items() if key != "value")
        for child in element:
            if isinstance(child.tag, str) and str(child.tag).startswith(_FHIR):
                key, value = _child(child)
                if isinstance(value, dict):
                    # A resource stands inside of the element that holds it.
                    inside = next((each for each in child if _name(each)[:1].isupper()), child)
                    waiting.append((inside, value))
                _add(made, key, value)
                beside: dict[str, Any] = {}
                if _has_extensions(child, key):
                    _add(made, "_" + key, beside)
                    waiting.append((child, beside))
    return top


def _has_extensions(child: etree._Element, key: str) -> bool:
    """Tell whether an element is a primitive value with extensions, or may be one: it has nothing else inside."""
    is_primitive = child.get("value") is not None or all(_name(each) == "extension" for each in child)
    return len(child) > 0 and key != "extension" and is_primitive


def _child(child: etree._Element) -> tuple[str, Any]:
    value = child.get("value")
    return _name(child), {} if value is None else str(value)


def _add(made: dict[str, Any], key: str, value: Any) -> None:
    """Set a value, or make a list of it with those that the key has already."""
    if key not in made:
        made[key] = value
    elif isinstance(made[key], list):
        made[key].append(value)
    else:
        made[key] = [made[key], value]


def _name(element: etree._Element) -> str:
    return str(element.tag).removeprefix(_FHIR) if isinstance(element.tag, str) else ""
