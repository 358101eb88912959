"""How a value that CDISC terminology codes is written in ODM 2.0."""

from __future__ import annotations

from typing import Final

from trialconv.lineage import remembered
from trialconv.odm_tree import Node
from trialconv_mappings.cdisc.codelists import CODELISTS
from trialconv_mappings.tables import Row

SYSTEM_NAME: Final = "CDISC/NCI CT"


@remembered(None)
def coding(table_name: str, row: Row, *, label: bool = True) -> Node:
    """Return the `Coding` for a row of a code table of CDISC terms.

    The same row gives the same element. `label` False leaves out the term's words, where the coded element
    says them itself.

    See the examples in https://wiki.cdisc.org/display/PUB/StudyParameter for the form of these codings.
    """
    attributes = {
        "Code": row.code,
        "System": row.system,
        "SystemName": SYSTEM_NAME,
        "SystemVersion": CODELISTS[table_name].effective,
    }
    if label:
        attributes["Label"] = row.display
    return Node("Coding", attributes, shared={})
