"""A made-up study that has every field of the registry, for the tests of the ODM mapping and writer."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from made_up import is_mesh_id_field, typed_leaves
from trialconv.context import Context, Options
from trialconv.odm_tree import Node
from trialconv.record import Record, SourceInfo, decode_study

NCT = "NCT99999901"
PROTOCOL = "protocolSection."
#: The elements that hold a parameter, in ODM 2.0 and in SDM-XML.
PARAMETERS = ("StudyParameter", "sdm:Parameter")
_IN_PARAMETER = tuple(f"{name}[" for name in PARAMETERS)

#: Values that cannot be just any text: what the mapping reads as a date, an age, a code or a list of criteria.
_SPECIAL: dict[str, list[Any]] = {
    PROTOCOL + "identificationModule.nctId": [NCT, "NCT99999902"],
    PROTOCOL + "identificationModule.nctIdAliases[]": ["NCT99999903", "NCT99999904"],
    PROTOCOL + "identificationModule.secondaryIdInfos[].type": ["EUDRACT_NUMBER", "NIH"],
    PROTOCOL + "designModule.studyType": ["INTERVENTIONAL", "OBSERVATIONAL"],
    PROTOCOL + "designModule.patientRegistry": [True, False],
    PROTOCOL + "designModule.phases[]": ["PHASE2", "PHASE3"],
    PROTOCOL + "designModule.targetDuration": ["2 Years", "3 Years"],
    PROTOCOL + "designModule.designInfo.allocation": ["RANDOMIZED", "NON_RANDOMIZED"],
    PROTOCOL + "designModule.designInfo.maskingInfo.masking": ["QUADRUPLE", "NONE"],
    PROTOCOL + "designModule.designInfo.primaryPurpose": ["TREATMENT", "PREVENTION"],
    PROTOCOL + "designModule.designInfo.observationalModel": ["COHORT", "CASE_CONTROL"],
    PROTOCOL + "designModule.designInfo.timePerspective": ["PROSPECTIVE", "RETROSPECTIVE"],
    PROTOCOL + "designModule.bioSpec.retention": ["SAMPLES_WITH_DNA", "NONE_RETAINED"],
    PROTOCOL + "armsInterventionsModule.armGroups[].type": ["ACTIVE_COMPARATOR", "SHAM_COMPARATOR"],
    PROTOCOL + "armsInterventionsModule.interventions[].type": ["DRUG", "DEVICE"],
    PROTOCOL + "contactsLocationsModule.overallOfficials[].role": ["PRINCIPAL_INVESTIGATOR", "STUDY_CHAIR"],
    PROTOCOL + "contactsLocationsModule.centralContacts[].role": ["SUB_INVESTIGATOR", "CONTACT"],
    PROTOCOL + "contactsLocationsModule.locations[].contacts[].role": ["SUB_INVESTIGATOR", "CONTACT"],
    PROTOCOL + "contactsLocationsModule.locations[].country": ["Norway", "Sweden"],
    PROTOCOL + "eligibilityModule.minimumAge": ["18 Years", "19 Years"],
    PROTOCOL + "eligibilityModule.maximumAge": ["64 Years", "65 Years"],
    PROTOCOL + "eligibilityModule.eligibilityCriteria": [
        "Inclusion Criteria:\n\n* Made-up one\n\nExclusion Criteria:\n\n* Made-up two",
        "Inclusion Criteria:\n\n* Made-up one\n\nExclusion Criteria:\n\n* Made-up three",
    ],
    PROTOCOL + "conditionsModule.conditions[]": ["Made-up Fever", "Made-up Cough"],
    "derivedSection.conditionBrowseModule.meshes[].id": ["D000001", "D000002"],
    "derivedSection.conditionBrowseModule.meshes[].term": ["made-up fever", "made-up chill"],
    "documentSection.largeDocumentModule.largeDocs[].uploadDate": ["2021-03-01T10:11", "2021-03-02T10:11"],
}


def leaf_paths() -> list[str]:
    """Return the path of every field of a study beside its results, in the registry's notation."""
    return [path for path, _ in _all_leaves()]


def full_study() -> dict[str, Any]:
    """Return a study with a value, unlike all others where the type allows it, in every field."""
    tree: dict[str, Any] = {}
    for number, (path, kind) in enumerate(_all_leaves()):
        _put(tree, path, _values(path, kind, number)[0])
    return tree


def changed(tree: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a copy of the study in which the first value of a field is another one."""
    made = copy.deepcopy(tree)
    for number, (other, kind) in enumerate(_all_leaves()):
        if other == path:
            _put(made, path, _values(path, kind, number)[1])
    return made


def context(tree: dict[str, Any], **options: Any) -> Context:
    """Return a context for a study; the study must be one that the OpenAPI allows."""
    study, findings = decode_study(msgspec.json.encode(tree))
    assert not findings
    return Context(Record(study, SourceInfo("made up")), Options(**options))


def values_of(node: Node, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the value of every attribute and text.

    A parameter is one place, named by its short name with `n` for positions.
    """
    here = f"{path}/{node.name}" if path else node.name
    if node.name in PARAMETERS:
        steps = node.attributes["ShortName"].split(".")
        here = f"{node.name}[{'.'.join('n' if step.isdecimal() else step for step in steps)}]"
    elif path.startswith(_IN_PARAMETER):
        here = path
    for name, value in node.attributes.items():
        yield here if here.startswith(_IN_PARAMETER) else f"{here}/@{name}", value
    for child in node.children:
        if isinstance(child, str):
            yield here, child
        else:
            yield from values_of(child, here)


@cache
def _all_leaves() -> tuple[tuple[str, Any], ...]:
    """Return the path and the type of every field of a study."""
    return tuple(typed_leaves())


def _values(path: str, kind: Any, number: int) -> list[Any]:
    """Return two different values for a field."""
    if path in _SPECIAL:
        return _SPECIAL[path]
    name = path.rpartition(".")[2]
    if isinstance(kind, inspect.LiteralType):
        return list(kind.values[:2])
    if isinstance(kind, inspect.BoolType):
        return [True, False]
    if isinstance(kind, inspect.IntType):
        return [1000 + number, 5000 + number]
    if isinstance(kind, inspect.FloatType):
        return [10 + number / 1000, 20 + number / 1000]
    if name == "date" or name.endswith(("Date", "versionHolder")):
        return [f"19{number % 90 + 10}-01-02", f"19{number % 90 + 10}-03-04"]
    if is_mesh_id_field(path):
        return [f"D{number:06}", f"D{5000 + number:06}"]
    if name == "email":
        return [f"one.{number}@example.org", f"two.{number}@example.org"]
    return [f"Made-up {name} {number}", f"Another {name} {number}"]


def _put(tree: Any, path: str, value: Any) -> None:
    """Set the first value of a field, making the objects and lists on the way to it."""
    *steps, last = path.split(".")
    for step in steps:
        tree = tree.setdefault(step[:-2], [{}])[0] if step.endswith("[]") else tree.setdefault(step, {})
    if last.endswith("[]"):
        tree[last[:-2]] = [value]
    else:
        tree[last] = value
