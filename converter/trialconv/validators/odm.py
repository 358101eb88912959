"""ODM XML and Define-XML, judged by the schemas and by the rules that no schema can say.

ODM 2.0 is judged by its official schema. ODM 1.3.2 is judged by its official one, extended by our own for the
elements of SDM-XML 1.0. The rules are listed in `odm_rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

from lxml import etree

from trialconv.formats import OdmVersion
from trialconv.issues import Issue, issue
from trialconv.odm_parsed import tree_of
from trialconv.odm_tree import NAMESPACES, Node
from trialconv.validators.define import check_define_references, is_define_xml
from trialconv.validators.odm_content import check_content
from trialconv.validators.odm_references import check_references
from trialconv.validators.odm_rules import MOST, Findings
from trialconv.validators.xml_places import element_path, line_of

_DOCTYPE: Final = "it has a document type declaration, which ODM does not use"
#: What a schema is for: a version of ODM, or Define-XML.
SchemaKind = Literal["2.0", "1.3.2", "define-2.1"]

_FOLDERS: Final[dict[SchemaKind, tuple[str, str]]] = {
    "2.0": ("odm", "2.0"),
    "1.3.2": ("odm", "1.3.2"),
    "define-2.1": ("define", "2.1"),
}
_FILES: Final[dict[SchemaKind, str]] = {
    "2.0": "ODM.xsd",
    "1.3.2": "ODM1-3-2.xsd",
    "define-2.1": "define2-1-0.xsd",
}
_SPACE = re.compile(rb"\s*")
_PREFIXED = re.compile(r"(?<=/)([\w.-]+:[\w.-]+)")
_MARKS_BEFORE: Final = ((b"<?", b"?>"), (b"<!--", b"-->"))


class _Parsed(NamedTuple):
    """A document that is ODM, and its version."""

    tree: etree._ElementTree
    version: OdmVersion


def validate_odm_xml(data: bytes) -> list[Issue]:
    """Return what is wrong with an ODM 1.3.2 or 2.0 document, or a Define-XML 2.1; nothing when it is valid.

    Anything but such a document gives one Issue `invalid-document`. Document type declarations are refused, so
    that no entity is ever declared, and nothing is fetched. Errors of the schema have the code `schema`, breaches
    of a rule the code and the id of `odm_rules.py`; each names its line and element. Of many errors the first are
    listed and the others counted.
    """
    parsed = _parse(data)
    if isinstance(parsed, Issue):
        return [parsed]
    root = parsed.tree.getroot()
    if is_define_xml(root):
        return schema_issues(parsed.tree, "define-2.1") + check_define_references(root)
    return schema_issues(*parsed) + rule_issues(tree_of(root))


def validate_odm_tree(root: Node, data: bytes) -> list[Issue]:
    """Return what `validate_odm_xml` returns for the bytes that were written of a tree.

    The tree saves the time to make another one of the bytes; that is done only for a broken rule, for its line.
    """
    parsed = _parse(data)
    if isinstance(parsed, Issue):
        return [parsed]
    findings = _findings(root)
    return schema_issues(*parsed) + (rule_issues(tree_of(parsed.tree.getroot())) if findings else [])


def rule_issues(root: Node) -> list[Issue]:
    """Return the breaches of the rules in a document, whatever it was read from."""
    return _findings(root).issues()


def _findings(root: Node) -> Findings:
    findings = Findings(root)
    check_references(root, findings, has_comments=check_content(root, findings))
    return findings


def _parse(data: bytes) -> _Parsed | Issue:
    """Return the parsed document, or why it is no ODM document."""
    at = _doctype(data)
    if at >= 0:
        line = data.count(b"\n", 0, at) + 1
        return _refusal(_DOCTYPE, f"line {line}", "/")
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError as error:
        return _refusal(f"it is not well-formed XML: {error.msg}", f"line {error.lineno or 1}")
    tree = root.getroottree()
    if tree.docinfo.internalDTD is not None:
        return _refusal(_DOCTYPE, "", "/")
    version = _version(root)
    if version is None:
        expected = " or ".join(f"{{{namespace}}}ODM" for namespace in NAMESPACES.values())
        return _refusal(f"its root element is {root.tag}, not {expected}", line_of(root), "/")
    return _Parsed(tree, version)


def _doctype(data: bytes) -> int:
    """Return where a document type declaration stands before the root element, or -1; nothing is parsed for it.

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
                    return -1
                at = end + len(closing)
                break
        else:
            return at if data.startswith(b"<!DOCTYPE", at) else -1


def _refusal(reason: str, place: str = "", path: str = "") -> Issue:
    message = f"The file is no ODM document: {reason}."
    return issue("invalid-document", message, source_path=place, target_path=path)


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


def schema_folder(kind: SchemaKind) -> Path:
    """Return the folder of the official schema.

    The package that carries it is located without importing it, since importing it loads all of its classes.
    """
    spec = find_spec("odmlib")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("odmlib, which carries the ODM schemas, is not installed")
    return Path(spec.submodule_search_locations[0], "schemas", *_FOLDERS[kind])


@cache
def compiled_schema(kind: SchemaKind) -> etree.XMLSchema:
    """Return the compiled schema: the official one, which odmlib carries, or our extension of it."""
    folder = schema_folder(kind)
    parser = etree.XMLParser(no_network=True)
    if kind != "1.3.2":
        return etree.XMLSchema(etree.parse(folder / _FILES[kind], parser))
    extension = Path(str(files(__package__).joinpath("odm_schemas", "odm-1-3-2-sdm.xsd")))
    official = (folder / _FILES[kind]).as_uri().encode()
    text = extension.read_bytes().replace(b'"ODM1-3-2.xsd"', b'"' + official + b'"')
    return etree.XMLSchema(etree.fromstring(text, parser, base_url=extension.as_uri()))


def schema_issues(tree: etree._ElementTree, kind: SchemaKind) -> list[Issue]:
    """Return the errors of the schema in a document; of many the first, and the number of the others."""
    schema = compiled_schema(kind)
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
    return re.sub(r"\{\w+:[^{}]*\}", "", text)


def _place(tree: etree._ElementTree, path: str | None) -> str:
    """Return the element path for the path that the schema processor gives, which has no names."""
    try:
        # A step with a prefix is found by the name as it is written.
        found = tree.xpath(_PREFIXED.sub(r"*[name()='\1']", path)) if path else []
    except etree.XPathError:
        found = []
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], etree._Element):
        return element_path(found[0])
    return path or ""
