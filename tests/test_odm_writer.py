"""The ODM writer: what a parser reads back is what the tree held, and equal trees give equal bytes."""

from __future__ import annotations

import pytest
from lxml import etree

from trialconv.odm_tree import Node
from trialconv.writers.odm_xml import write_odm_xml

AWKWARD = "a\tb\nc\r\nd\re & <f> \"g\" 'h' ]]> \u00e5 \u4e2d \U0001f600  "


def test_attribute_value_survives() -> None:
    """Tabs, line breaks, quotes and markup characters of an attribute value come back as they were."""
    root = etree.fromstring(write_odm_xml(Node("ODM", {"Value": AWKWARD})))
    assert root.get("Value") == AWKWARD


def test_text_survives() -> None:
    """Line breaks of every kind and markup characters of a text come back as they were."""
    root = etree.fromstring(write_odm_xml(Node("ODM", {}, (Node("Text", {}, (AWKWARD,)),))))
    assert root.findtext("Text") == AWKWARD


def test_text_beside_an_element_gets_no_space() -> None:
    """Nothing is added between a text and an element beside it."""
    root = etree.fromstring(write_odm_xml(Node("ODM", {}, ("before", Node("b", {}, ("in",)), "after"))))
    assert etree.tostring(root) == b"<ODM>before<b>in</b>after</ODM>"


def test_element_inside_text_gets_no_space() -> None:
    """An element with child elements stays unbroken when it stands beside a text."""
    inner = Node("b", {}, (Node("c"), Node("d")))
    root = etree.fromstring(write_odm_xml(Node("ODM", {}, ("before", inner))))
    assert etree.tostring(root) == b"<ODM>before<b><c/><d/></b></ODM>"


def test_document_begins_with_declaration() -> None:
    """The document says that it is XML 1.0 in UTF-8 and ends with a line break."""
    data = write_odm_xml(Node("ODM", {"xmlns": "urn:made-up"}))
    assert data == b'<?xml version="1.0" encoding="UTF-8"?>\n<ODM xmlns="urn:made-up"/>\n'


def test_attributes_keep_their_order() -> None:
    """Attributes are written in the order of the tree."""
    data = write_odm_xml(Node("ODM", {"b": "1", "a": "2"}))
    assert b'<ODM b="1" a="2"/>' in data


def test_half_a_surrogate_pair_is_refused() -> None:
    """A text that no encoding can hold raises and is not written wrong."""
    with pytest.raises(UnicodeEncodeError):
        write_odm_xml(Node("ODM", {}, ("\ud800",)))


def test_tree_finds_elements_and_texts() -> None:
    """A tree yields the elements of a name in document order, and the texts directly inside one."""
    tree = Node("a", {}, (Node("b", {}, ("x", Node("c", {}, ("no",)), "y")), Node("b")))
    assert [node.text for node in tree.find_all("b")] == ["xy", ""]
