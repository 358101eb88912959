"""The rules of Define-XML 2.1 that its schema does not say: what an OID refers to, and what has to be unique.

https://www.cdisc.org/standards/data-exchange/define-xml/define-xml-v2-1. `def:leaf` and what names it are checked
by the schema.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from trialconv.issues import Issue, issue
from trialconv.validators.xml_places import element_path, line_of

_DEFINE: Final = "http://www.cdisc.org/ns/def/v2.1"
_ODM: Final = "{http://www.cdisc.org/ns/odm/v1.3}"
_DEF: Final = f"{{{_DEFINE}}}"

#: The kind of definition that each reference names.
_REFERENCES: Final = {
    "ItemOID": _ODM + "ItemDef",
    "CodeListOID": _ODM + "CodeList",
    "MethodOID": _ODM + "MethodDef",
    "ValueListOID": _DEF + "ValueListDef",
    "WhereClauseOID": _DEF + "WhereClauseDef",
    _DEF + "ItemOID": _ODM + "ItemDef",
    _DEF + "CommentOID": _DEF + "CommentDef",
    _DEF + "StandardOID": _DEF + "Standard",
}
_KINDS: Final = frozenset({*_REFERENCES.values(), _ODM + "ItemGroupDef", _ODM + "MetaDataVersion", _ODM + "Study"})
#: The elements that refer to others and define nothing.
_REFERRING: Final = (
    *(_ODM + name for name in ("CodeListRef", "ItemRef", "RangeCheck")),
    *(_DEF + name for name in ("ValueListRef", "WhereClauseRef")),
)


def is_define_xml(root: etree._Element) -> bool:
    """Tell whether an ODM document is a Define-XML 2.1, by the attributes that only such a document has."""
    if root.get(_DEF + "Context") is not None:
        return True
    version = next(root.iter(_ODM + "MetaDataVersion"), None)
    return version is not None and version.get(_DEF + "DefineVersion") is not None


def check_define_references(root: etree._Element) -> list[Issue]:
    """Return the references that name nothing of the document, and the OIDs that stand twice."""
    defined: dict[str, set[str]] = {}
    found = []
    for element in root.iter(*_KINDS):
        oid = element.get("OID")
        if oid is None:
            continue
        known = defined.setdefault(str(element.tag), set())
        if oid in known:
            kind = etree.QName(element).localname
            found.append(
                _breach("duplicate-id", f"Another {kind} has the OID {oid!r}.", element, "define-oid-unique")
            )
        known.add(oid)
    for element in root.iter(*_KINDS, *_REFERRING):
        for attribute, value in element.attrib.items():
            wanted = _REFERENCES.get(str(attribute))
            if wanted is not None and value not in defined.get(wanted, ()):
                name = str(attribute).rpartition("}")[2]
                message = f"{name} {str(value)!r} names no {wanted.rpartition('}')[2]} of this document."
                found.append(_breach("reference-unresolved", message, element, "define-oid-ref"))
    return found


def _breach(code: str, message: str, element: etree._Element, rule: str) -> Issue:
    return issue(code, message, source_path=line_of(element), target_path=element_path(element), rule=rule)
