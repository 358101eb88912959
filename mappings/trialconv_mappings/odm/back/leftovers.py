"""What an ODM document has beside the definition of a study as the registry knows one: named by kind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trialconv.odm_tree import Node

#: The elements that the way back reads, or that only hold such elements; and those that say nothing of a study.
_READ: Final = frozenset(
    {
        *("ODM", "Study", "GlobalVariables", "StudyName", "StudyDescription", "ProtocolName", "Description"),
        *("TranslatedText", "MetaDataVersion", "Protocol", "Alias", "StudySummary", "StudyParameter"),
        *(
            "ParameterValue",
            "Coding",
            "StudyStructure",
            "Arm",
            "TrialPhase",
            "StudyIndications",
            "StudyIndication",
        ),
        *("StudyInterventions", "StudyIntervention", "StudyEndPoints", "StudyEndPoint", "StudyTargetPopulation"),
        *("InclusionExclusionCriteria", "InclusionCriteria", "ExclusionCriteria", "Criterion", "ConditionDef"),
        *("MethodSignature", "AdminData", "User", "FullName", "Email", "Phone", "Telecom", "LocationRef"),
        *("Organization", "Location", "MetaDataVersionRef", "Address", "City", "StateProv", "Country"),
        *("PostalCode", "GeoPosition", "OtherText", "BasicDefinitions"),
        *("sdm:Summary", "sdm:Parameter", "sdm:Value", "sdm:Structure", "sdm:Arm", "sdm:Criterion"),
        *("sdm:InclusionExclusionCriteria", "sdm:InclusionCriteria", "sdm:ExclusionCriteria"),
    }
)


def leftovers(root: Node) -> Iterator[str]:
    """Yield the path of each kind of element that is not read; what is inside of it is not named."""
    found: dict[str, None] = {}
    waiting = [(root, root.name)]
    for node, path in waiting:
        if node.name not in _READ:
            found[path] = None
            continue
        waiting += [(child, f"{path}/{child.name}"[:300]) for child in node.elements]
    yield from list(found)[:60]
