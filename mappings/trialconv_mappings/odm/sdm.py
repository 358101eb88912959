"""The study design of ODM 2.0 as SDM-XML 1.0 has it beside ODM 1.3.2.

The content model is that of the Study Design Model in XML, version 1.0
(https://www.cdisc.org/standards/data-exchange/sdm-xml): the same arms and criteria in another namespace,
without codes.
"""

from __future__ import annotations

from typing import Final

from trialconv.odm_tree import Node

_NAMES: Final = {
    "Arm": "sdm:Arm",
    "Criterion": "sdm:Criterion",
    "ExclusionCriteria": "sdm:ExclusionCriteria",
    "InclusionCriteria": "sdm:InclusionCriteria",
    "InclusionExclusionCriteria": "sdm:InclusionExclusionCriteria",
    "StudyStructure": "sdm:Structure",
}
#: Elements that both have in the namespace of ODM.
_SHARED: Final = "Description"


def as_sdm(node: Node) -> Node:
    """Return an element of ODM 2.0's study design as the element of SDM-XML.

    Raises KeyError for an element that SDM-XML does not have; codings are left out.
    """
    children = [
        child if isinstance(child, str) or child.name == _SHARED else as_sdm(child)
        for child in node.children
        if isinstance(child, str) or child.name != "Coding"
    ]
    return Node(_NAMES[node.name], node.attributes, children)
