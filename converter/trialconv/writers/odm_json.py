"""An ODM 2.0 tree to the JSON of ODM 2.0.

The form is that of CDISC's JSON schema (https://github.com/cdisc-org/DataExchange-ODM-LinkML): names begin with a
small letter, `OID` does not; an element that may repeat is a list; a text is the value of `content`. That schema
has a study's target population as the OID alone. Its words are in the parameter OBSTPOPD, too.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import orjson

from trialconv.odm_tree import Node

#: Elements that repeat, of those that a study definition has.
_REPEATING: Final = frozenset(
    {
        "Address",
        "AdminData",
        "Alias",
        "Arm",
        "Coding",
        "ConditionDef",
        "Criterion",
        "Location",
        "MetaDataVersion",
        "MetaDataVersionRef",
        "Organization",
        "Study",
        "StudyEndPoint",
        "StudyIndication",
        "StudyIntervention",
        "StudyParameter",
        "Telecom",
        "TranslatedText",
        "User",
    }
)
#: Attributes that are numbers.
_NUMBERS: Final = frozenset({"Latitude", "Longitude"})
_LANGUAGE: Final = "xml:lang"
_POPULATION: Final = "StudyTargetPopulation"


def write_odm_json(root: Node, *, pretty: bool = False) -> bytes:
    """Return an ODM 2.0 document as JSON with the keys in the order of the tree."""
    return orjson.dumps(_object(root), option=orjson.OPT_INDENT_2 if pretty else 0)


def _object(node: Node) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in node.attributes.items():
        if name in _NUMBERS:
            made[_key(name)] = float(value)
        elif name != "xmlns":
            made[_key(name)] = value
    for child in node.children:
        if isinstance(child, str):
            made["content"] = made.get("content", "") + child
        elif child.name in _REPEATING:
            made.setdefault(_key(child.name), []).append(_object(child))
        elif child.name == _POPULATION:
            made[_key(child.name)] = child.attributes["OID"]
        else:
            made[_key(child.name)] = _object(child)
    return made


@lru_cache(maxsize=1024)
def _key(name: str) -> str:
    if name == _LANGUAGE:
        return "language"
    return name if name in ("OID", "ID") else name[0].lower() + name[1:]
