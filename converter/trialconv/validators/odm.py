"""ODM XML and Define-XML, judged by the official schema and by the rules that the schema cannot say.

The schemas of ODM 1.3.2 and 2.0 have no keys: a reference to nothing passes them. What an OID attribute must
refer to, and where an OID has to be unique, is therefore checked here (ODM 1.3.2 section 2.11, "Element
identifiers and references"; https://wiki.cdisc.org/display/PUB/ODM+v2.0).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, cast

from lxml import etree

from trialconv.formats import OdmVersion
from trialconv.issues import Issue, issue
from trialconv.odm_tree import NAMESPACES
from trialconv.validators.define import check_define_references, is_define_xml
from trialconv.validators.odm_references import MOST, check_references
from trialconv.validators.xml_places import element_path, line_of

_SCHEMA_FILES: Final = {
    "2.0": ("odm", "2.0", "ODM.xsd"),
    "1.3.2": ("odm", "1.3.2", "ODM1-3-2.xsd"),
    "define-2.1": ("define", "2.1", "define2-1-0.xsd"),
}
_SPACE = re.compile(rb"\s*")
_MARKS_BEFORE: Final = ((b"<?", b"?>"), (b"<!--", b"-->"))


def validate_odm_xml(data: bytes) -> list[Issue]:
    """Return what is wrong with an ODM 1.3.2 or 2.0 document, or a Define-XML 2.1; nothing when it is valid.

    Anything but such a document gives one Issue `invalid-document`. Document type declarations are refused, so
    that no entity is ever declared, and nothing is fetched. Errors of the schema have the code `schema`, rules
    beyond it `reference-unresolved` or `duplicate-id` with the id of the rule; each names its line and element.
    Of many errors the first are listed and the others counted.
    """
    if _has_doctype(data):
        return [_refusal("it has a document type declaration, which ODM does not use")]
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        return [_refusal(f"it is not well-formed XML: {error.msg}", f"line {error.lineno or 1}")]
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        return [_refusal("it has a document type declaration, which ODM does not use")]
    version = _version(root)
    if version is None:
        expected = " or ".join(f"{{{namespace}}}ODM" for namespace in NAMESPACES.values())
        return [_refusal(f"its root element is {root.tag}, not {expected}", line_of(root))]
    if is_define_xml(root):
        return _schema_issues(tree, "define-2.1") + check_define_references(root)
    return _schema_issues(tree, version) + check_references(root)


def _has_doctype(data: bytes) -> bool:
    """Tell whether a document type declaration stands before the root element, without parsing it.

    This finds it in every encoding that writes ASCII as ASCII; for the others the parser's own limits hold
    until the parsed document is looked at.
    """
    at = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    while True:
        space = _SPACE.match(data, at)
        at = space.end() if space else at
        for opening, closing in _MARKS_BEFORE:
            if data.startswith(opening, at):
                end = data.find(closing, at + len(opening))
                if end < 0:
                    return False
                at = end + len(closing)
                break
        else:
            return data.startswith(b"<!DOCTYPE", at)


def _refusal(reason: str, place: str = "") -> Issue:
    return issue("invalid-document", f"The file is no ODM document: {reason}.", source_path=place)


@cache
def _parser() -> etree.XMLParser:
    """Return the parser: no entities, no document type, no network, and the library's limits on size."""
    return etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, dtd_validation=False, huge_tree=False
    )


def _version(root: etree._Element) -> OdmVersion | None:
    for version, namespace in NAMESPACES.items():
        if root.tag == f"{{{namespace}}}ODM":
            return version
    return None


@cache
def _schema(name: str) -> etree.XMLSchema:
    """Return the compiled official schema, which odmlib carries in its package.

    The package is located without importing it, since importing it loads all of its classes.
    """
    spec = find_spec("odmlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("odmlib, which carries the ODM schemas, is not installed")
    path = Path(spec.submodule_search_locations[0], "schemas", *_SCHEMA_FILES[name])
    return etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True)))


def _schema_issues(tree: etree._ElementTree, name: str) -> list[Issue]:
    schema = _schema(name)
    if schema.validate(tree):
        return []
    errors = list(cast("Iterable[etree._LogEntry]", schema.error_log))
    found = [
        issue(
            "schema",
            _message(error.message),
            source_path=f"line {error.line}",
            target_path=_place(tree, error.path),
            rule=f"xsd:{error.type_name.removeprefix('SCHEMAV_').lower().replace('_', '-')}",
        )
        for error in errors[:MOST]
    ]
    if len(errors) > MOST:
        found.append(issue("schema", f"{len(errors) - MOST} more errors of the schema are not listed."))
    return found


def _message(text: str) -> str:
    """Return a message of the schema processor without the namespaces it repeats at every name."""
    return re.sub(r"\{[^{}]*\}", "", text)


def _place(tree: etree._ElementTree, path: str | None) -> str:
    """Return the element path for the path that the schema processor gives, which has no names."""
    try:
        found = tree.xpath(path) if path else []
    except etree.XPathError:
        found = []
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], etree._Element):
        return element_path(found[0])
    return path or ""
