"""Made-up studies for the tests, and short ways from one to its record and its documents."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.issues import Issue
from trialconv.pipeline import Converted, transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo, Study
from trialconv.record.results import ResultsSection

#: A registry record as its JSON has it.
Tree = dict[str, Any]

NCT = "NCT99999901"
FHIR_TARGETS = ("fhir-r4", "fhir-r4b", "fhir-r5")


def study(nct_id: str = NCT, **modules: Tree) -> Tree:
    """Return a small study; `modules` are modules of its protocol section by their names in the registry."""
    protocol: Tree = {
        "identificationModule": {"nctId": nct_id, "briefTitle": "A Made-up Study of Imaginary Fever"},
        "statusModule": {
            "overallStatus": "COMPLETED",
            "lastUpdatePostDateStruct": {"date": "2021-03-02", "type": "ACTUAL"},
        },
        "designModule": {"studyType": "INTERVENTIONAL"},
    }
    for name, module in modules.items():
        protocol[name] = {**protocol.get(name, {}), **module}
    return {"protocolSection": protocol}


def encoded(tree: Any) -> bytes:
    """Return the JSON of a study."""
    return msgspec.json.encode(tree)


def record(tree: Tree) -> Record:
    """Return the record that the reader makes of a study."""
    return read_study(encoded(tree), SourceInfo("made-up.json", reader="ctgov-json"))


def converted(tree: Tree, target: str = "fhir-r4", **options: Any) -> Converted:
    """Convert a study and make sure that the document is valid."""
    made = transform(record(tree), TARGETS[target], Options(**options))
    assert defects(made.findings) == []
    return made


def defects(findings: list[Issue]) -> list[str]:
    """Return the findings of a validator that are warnings or errors."""
    return [str(found) for found in findings if found.severity != "information"]


def bundle(tree: Tree, target: str = "fhir-r4", **options: Any) -> Tree:
    """Return the FHIR bundle of a study, which is valid."""
    made: Tree = converted(tree, target, **options).document
    return made


def resources(document: Tree, kind: str) -> list[Tree]:
    """Return the resources of a type in a bundle."""
    return [entry["resource"] for entry in document["entry"] if entry["resource"]["resourceType"] == kind]


def research_study(tree: Tree, target: str = "fhir-r4", **options: Any) -> Tree:
    """Return the ResearchStudy of a study."""
    (made,) = resources(bundle(tree, target, **options), "ResearchStudy")
    return made


def noted(made: Converted, code: str) -> list[str]:
    """Return the source paths of the Issues with a code."""
    return [found.source_path for found in made.issues if found.code == code]


def extensions(element: Tree, name: str) -> list[Tree]:
    """Return the extensions of an element whose url ends in a name."""
    return [each for each in element.get("extension", []) if each["url"].endswith(name)]


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a JSON tree that is no object and no list, with its path; empty ones as they are."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for item in value:
            yield from leaves(item, path + "[]")
    else:
        yield path, value


# A study with every field of the registry.


class Field(NamedTuple):
    """A field of the registry: its path, and two values for it that no other field has, if its type allows."""

    path: str
    values: tuple[Any, Any]

    @property
    def is_free_text(self) -> bool:
        """Tell whether the value is text made for this field alone."""
        return isinstance(self.values[0], str) and self.values[0].startswith("Made-up ")


_P = "protocolSection."
_ARMS = f"{_P}armsInterventionsModule."

#: Fields whose value decides what becomes of it or of others: an age, a country, a role, a link.
_SPECIAL: dict[str, tuple[Any, Any]] = {
    f"{_P}identificationModule.nctId": (NCT, "NCT99999902"),
    f"{_P}statusModule.overallStatus": ("UNKNOWN", "RECRUITING"),
    f"{_P}sponsorCollaboratorsModule.responsibleParty.type": ("PRINCIPAL_INVESTIGATOR", "SPONSOR"),
    f"{_P}designModule.phases[]": ("PHASE2", "PHASE3"),
    f"{_P}eligibilityModule.minimumAge": ("18 Years", "19 Years"),
    f"{_P}eligibilityModule.maximumAge": ("64 Years", "65 Years"),
    f"{_P}contactsLocationsModule.locations[].country": ("Norway", "Sweden"),
    f"{_ARMS}interventions[].type": ("DRUG", "DEVICE"),
    f"{_ARMS}interventions[].name": ("Made-up pill", "Another pill"),
    f"{_ARMS}armGroups[].label": ("Made-up arm", "Another arm"),
    f"{_ARMS}armGroups[].interventionNames[]": ("Drug: Made-up pill", "Drug: Unknown pill"),
    f"{_ARMS}interventions[].armGroupLabels[]": ("Made-up arm", "Unknown arm"),
}


@cache
def fields() -> tuple[Field, ...]:
    """Return every field of a study outside its results, in the order of the OpenAPI."""
    found = typed_leaves()
    return tuple(
        Field(path, _SPECIAL.get(path) or _two_values(path, kind, number))
        for number, (path, kind) in enumerate(found)
    )


def full_study() -> Tree:
    """Return a study with a value in every field outside the results."""
    tree: Tree = {}
    for field in fields():
        put(tree, field.path, field.values[0])
    return tree


def full_results() -> Tree:
    """Return a results section with a value in every field, and one item in every list.

    All that belongs to a group belongs to the one of its table, by the id that the registry gives it.
    """
    tree: Tree = {}
    for number, (path, kind) in enumerate(_fields(inspect.type_info(ResultsSection), "")):
        value = _two_values(path, kind, number)[0]
        last = path.rpartition(".")[2]
        if path.endswith("roups[].id") or last in ("groupId", "groupIds[]"):
            value = f"{_GROUP_LETTERS[path.partition('.')[0]]}G000"
        put(tree, path, value)
    return tree


_GROUP_LETTERS = {
    "participantFlowModule": "F",
    "baselineCharacteristicsModule": "B",
    "outcomeMeasuresModule": "O",
    "adverseEventsModule": "E",
}


def changed(tree: Tree, field: Field) -> Tree:
    """Return a copy of a study with the other value in one field."""
    made = copy.deepcopy(tree)
    put(made, field.path, field.values[1])
    return made


def put(tree: Any, path: str, value: Any) -> None:
    """Set the first value of a field, making the objects and lists on the way to it."""
    *steps, last = path.split(".")
    for step in steps:
        tree = tree.setdefault(step[:-2], [{}])[0] if step.endswith("[]") else tree.setdefault(step, {})
    tree[last.removesuffix("[]")] = [value] if last.endswith("[]") else value


def typed_leaves() -> list[tuple[str, Any]]:
    """Return the path and the type of every field of a study, in the order of the registry."""
    return list(_fields(inspect.type_info(Study), ""))


def _fields(kind: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        for field in kind.fields:
            yield from _fields(field.type, f"{path}.{field.encode_name}" if path else field.encode_name)
    elif isinstance(kind, inspect.ListType):
        yield from _fields(kind.item_type, path + "[]")
    elif not isinstance(kind, inspect.RawType):
        yield path, kind


def is_mesh_id_field(path: str) -> bool:
    """Tell whether a field holds the id of a MeSH heading, which has a form of its own."""
    return path.endswith((".meshes[].id", ".ancestors[].id"))


def _two_values(path: str, kind: Any, number: int) -> tuple[Any, Any]:
    name = path.rpartition(".")[2].removesuffix("[]")
    if isinstance(kind, inspect.LiteralType):
        return kind.values[0], kind.values[1]
    if isinstance(kind, inspect.BoolType):
        return True, False
    if isinstance(kind, inspect.IntType):
        return 1000 + number, 5000 + number
    if isinstance(kind, inspect.FloatType):
        return 10 + number / 1000, 20 + number / 1000
    if name == "uploadDate":
        return "2021-03-01T10:11", "2021-03-02T10:11"
    if name == "date" or name.endswith(("Date", "versionHolder")):
        # In the order of the fields, so that no period ends before it starts.
        return f"{1800 + number}-01-02", f"{1800 + number}-03-04"
    if is_mesh_id_field(path):
        return f"D{number:06}", f"D{5000 + number:06}"
    if name == "filename":
        return f"Made-up_{number}.pdf", f"Another_{number}.pdf"
    if name == "pmid":
        return f"{20_000_000 + number}", f"{30_000_000 + number}"
    if name == "email":
        return f"made.up.{number}@example.org", f"another.{number}@example.org"
    if name in ("link", "url"):
        return f"https://example.org/{number}", f"https://example.org/another/{number}"
    return f"Made-up {name} {number}", f"Another {name} {number}"
