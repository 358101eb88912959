"""ODM documents as trees: XML of ODM 2.0 or of ODM 1.3.2 with SDM-XML, or the JSON of ODM 2.0.

What the elements mean is the matter of the way back in the mappings; here are the bytes and their form.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec

from trialconv.issues import SourceError
from trialconv.odm_parsed import tree_of
from trialconv.odm_tree import NAMESPACES, Node, decimal_text, is_odm_json, name_of_key
from trialconv.readers.common import refusal
from trialconv.readers.sources import Document, read_whole
from trialconv.readers.xml_input import parsed_xml
from trialconv.record import SourceInfo
from trialconv.record.base import TREE

READER: Final = "odm"
_BOM: Final = b"\xef\xbb\xbf"
_EXPECTED: Final = "expected a study definition in ODM 2.0 or 1.3.2"


class Definition(NamedTuple):
    """An ODM document as a tree, and where it came from."""

    tree: Node
    source: SourceInfo


def read_odm(document: Document, limit: int) -> Definition:
    """Return the tree of an ODM document of at most `limit` bytes.

    Raises SourceError for what cannot be read, is not well-formed, or is no ODM.
    """
    source = document.source._replace(reader=READER)
    data = read_whole(document, limit).removeprefix(_BOM)
    if data.lstrip()[:1] == b"<":
        root = tree_of(parsed_xml(data, source))
        if root.name != "ODM":
            raise refusal("not-a-study", source, f"the root element is <{root.name[:80]}>; {_EXPECTED}")
        return Definition(root, source)
    try:
        value = TREE.decode(data)
    except RecursionError:
        raise refusal("malformed-source", source, "the JSON is nested too deeply for ODM") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusal("malformed-source", source, f"neither XML nor well-formed JSON: {error}") from None
    if not isinstance(value, dict) or not is_odm_json(value):
        raise refusal("not-a-study", source, f"JSON without a fileOID; {_EXPECTED}")
    return Definition(_tree_of_json(value), source)


def no_study(found: Definition) -> SourceError:
    """Return the refusal of a document that defines no study."""
    inside = ", ".join(dict.fromkeys(child.name[:40] for child in found.tree.elements)) or "nothing"
    return refusal("not-a-study", found.source, f"no Study in this, but {inside}; {_EXPECTED}")


def _tree_of_json(value: dict[str, Any]) -> Node:
    """Return the tree of the JSON of ODM 2.0, as far as it can be one; the validator tells what cannot.

    Written without recursion, since a file may be nested as deeply as the parser allows.
    """
    top = Node("ODM", {"xmlns": NAMESPACES["2.0"]})
    waiting = [(value, top)]
    while waiting:
        held, node = waiting.pop()
        attributes = dict(node.attributes)
        children: list[Node | str] = []
        for key, item in held.items():
            name = name_of_key(key)
            if key == "content" and isinstance(item, str):
                children.append(item)
            elif isinstance(item, dict | list):
                made = [(each, Node(name)) for each in (item if isinstance(item, list) else [item])]
                objects = [(each, child) for each, child in made if isinstance(each, dict)]
                waiting += objects
                children += [child for _, child in objects]
            elif item is not None:
                attributes[name] = _text(item)
        node.attributes, node.children = attributes, children
    return top


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return decimal_text(value) if isinstance(value, int | float) else str(value)
