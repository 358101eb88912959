"""Places in USDM documents, and made-up studies of each type that have every field of the registry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from made_up import Tree
from odm_made_up import context, full_study
from trialconv_mappings.usdm.document import build_usdm

#: The types of study: with an interventional design, with an observational one, with none.
TYPES = ("INTERVENTIONAL", "OBSERVATIONAL", "EXPANDED_ACCESS")
BASE = "https://w3id.org/trialconv/usdm/"


def full_study_of(kind: str) -> Tree:
    """Return a study of a type that has every field, with a planned number of participants and arms that link."""
    tree = full_study()
    protocol = tree["protocolSection"]
    protocol["designModule"]["studyType"] = kind
    protocol["designModule"]["enrollmentInfo"]["type"] = "ESTIMATED"
    arms = protocol["armsInterventionsModule"]
    name = f"Drug: {arms['interventions'][0]['name']}"
    arms["armGroups"][0]["interventionNames"] = [name]
    del arms["interventions"][0]["armGroupLabels"]
    return tree


def build(tree: Tree, **options: Any) -> Tree:
    """Return the USDM document of a study."""
    return build_usdm(context(tree, **options))


def places(document: Tree) -> Counter[tuple[str, str]]:
    """Return every value of a document with its place, without ids and the hash of the record.

    A place is a class and its attribute. Codes, quantities and ranges belong to the attribute that they are the
    value of. An extension attribute is one place, named by the end of its url.
    """
    return Counter(_places(document["study"]))


def _places(element: Tree) -> Iterator[tuple[str, str]]:
    kind = element["instanceType"]
    if kind == "ExtensionAttribute" and "valueExtensionClass" not in element:
        (value,) = (value for key, value in element.items() if key.startswith("value"))
        shown = value["value"] if isinstance(value, dict) else value
        yield f"ExtensionAttribute[{element['url'].removeprefix(BASE)}]", str(shown)
        return
    for key, value in element.items():
        for item in value if isinstance(value, list) else [value]:
            yield from _of_attribute(f"{kind}.{key}", key, item)


def _of_attribute(place: str, key: str, item: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(item, dict):
        if key not in ("id", "instanceType", "versionIdentifier", "url"):
            yield place, str(item)
    elif item["instanceType"] in ("Code", "AliasCode"):
        yield place, (item.get("standardCode") or item)["code"]
    elif item["instanceType"] in ("Quantity", "Range"):
        for below, value in item.items():
            yield from _of_attribute(place if below == "value" else f"{place}.{below}", below, value)
    else:
        yield from _places(item)


def objects(document: Tree, kind: str) -> list[Tree]:
    """Return the objects of a class in a document, in its order."""
    found = []
    waiting: list[Any] = [document["study"]]
    for value in waiting:
        if isinstance(value, dict):
            if value["instanceType"] == kind:
                found.append(value)
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found
