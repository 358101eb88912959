"""What the standard's own element says is what comes back, whatever stands beside it in a form of our own.

For every field with a home of the standard: the element is changed in the document of a full study, to what it is
in the document of the same study with another value in that field, and nothing else is. The other value has to
come back.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import pytest

import odm_made_up
from made_up import Tree, changed, fields, full_study, record, study
from round_trip import FORMS, only_record, values
from trialconv.context import Options
from trialconv.odm_parsed import tree_of
from trialconv.odm_tree import Node
from trialconv.pipeline import transform
from trialconv.readers.common import rebuilt_record
from trialconv.readers.xml_input import parsed_xml
from trialconv.record import Record, SourceInfo
from trialconv_mappings.fields import FieldRow, field_rows
from trialconv_mappings.odm.back import rebuilt_studies
from trialconv_mappings.tables import table

_P = "protocolSection."
_CREATED = Options(created="2001-01-01T00:00:00Z")
#: The home of a value that is the name of a resource which the table's element refers to.
_BEHIND = {
    "ResearchStudy.sponsor": "Organization.name",
    "PractitionerRole.organization": "Organization.name",
    "ResearchStudy.associatedParty": "ResearchStudy.associatedParty.name",
}
#: Keys of a FHIR element that are no words of the standard's, or only hold a document together.
_OURS = frozenset({"extension", "id", "reference", "linkId"})


def came_back(found: Record, field: str) -> list[Any]:
    """Return the values of a field in a record, in their order."""
    tree = json.loads(found.to_json())
    return [value for place, value in values(tree).items() if re.sub(r"\[\d+\]", "[]", place) == field]


def native_home(row: FieldRow) -> str | None:
    """Return the first home of a field that is the standard's own."""
    return next((home for home in row.homes if FieldRow(row.path, home, "").standing == "native"), None)


def has_codes(row: FieldRow, tree: Tree) -> bool:
    """Tell whether the words of a field in a study have codes of their own."""
    words = came_back(record(tree), row.path)
    tables = [table(use.name) for use in row.code_uses if use.way in ("word", "joined")]
    return bool(tables) and all(any(each.get(word) for each in tables) for word in words)


# FHIR


def document(tree: Tree, form: str) -> Any:
    """Return the bundle of a study."""
    return json.loads(transform(record(tree), FORMS[form], _CREATED, check=False).data)


def with_home_of(one: Any, other: Any, home: str, *, only_codes: bool) -> Any:
    """Return a bundle with an element as it is in another bundle; all that is our own stays as it was."""
    made = copy.deepcopy(one)
    for entry, theirs in zip(made["entry"], other["entry"], strict=False):
        resource = entry["resource"]
        kind, _, steps = home.partition(".")
        if kind == resource["resourceType"] == theirs["resource"]["resourceType"]:
            _take(resource, theirs["resource"], steps.split("."), only_codes=only_codes)
    return made


def _take(one: Any, other: Any, steps: list[str], *, only_codes: bool) -> None:
    """Put the native parts of an element of another tree into a tree, in its place."""
    if isinstance(one, list):
        for item, theirs in zip(one, other, strict=False):
            _take(item, theirs, steps, only_codes=only_codes)
        return
    step, *rest = steps
    if step not in other:
        one.pop(step, None)
    elif rest and step in one:
        _take(one[step], other[step], rest, only_codes=only_codes)
    else:
        one[step] = _native(one.get(step), other[step], only_codes=only_codes)


def _native(one: Any, other: Any, *, only_codes: bool) -> Any:
    """Return the other's element with what is our own, or holds the document together, as it was."""
    if isinstance(other, list):
        ours = one if isinstance(one, list) else []
        return [
            _native(item, theirs, only_codes=only_codes) for item, theirs in zip_longest(ours[: len(other)], other)
        ]
    if not isinstance(other, dict):
        return other
    ours = one if isinstance(one, dict) else {}
    kept = {key: value for key, value in ours.items() if _is_kept(key, only_codes=only_codes)}
    return kept | {
        key: _native(ours.get(key), value, only_codes=only_codes)
        for key, value in other.items()
        if not _is_kept(key, only_codes=only_codes)
    }


def _is_kept(key: str, *, only_codes: bool) -> bool:
    return key.startswith("_") or key in _OURS or (only_codes and key == "text")


#: Fields whose element cannot be changed alone, or tells a thing that cannot be told backwards; each with why.
_NOT_ALONE_FHIR = {
    _P + "statusModule.overallStatus": "R4 has one code for several words; see the test of statuses",
    _P + "statusModule.completionDateStruct.type": "a period has one truth value for both of its days",
    _P + "eligibilityModule.eligibilityCriteria": "a text and a list; see the test of criteria",
    **{
        f"{_P}contactsLocationsModule.{contacts}.phoneExt": "an extension inside of the element"
        for contacts in ("centralContacts[]", "locations[].contacts[]")
    },
    "documentSection.largeDocumentModule.largeDocs[].uploadDate": "FHIR has the day only; see the test of days",
    _P + "armsInterventionsModule.armGroups[].interventionNames[]": "a link; see the test of links",
    _P + "armsInterventionsModule.interventions[].armGroupLabels[]": "a link; see the test of links",
}


@pytest.mark.parametrize("form", ["fhir-r4", "fhir-r5"])
def test_every_element_of_fhir_wins(form: str) -> None:
    """Changing the native element of any field of a bundle changes the record, and codes win over the text."""
    by_path = {field.path: field for field in fields()}
    one = document(full_study(), form)
    tried = coded = 0
    for row in field_rows(form):
        home = native_home(row)
        if home is None or row.path in _NOT_ALONE_FHIR or row.path not in by_path:
            continue
        tree = changed(full_study(), by_path[row.path])
        other = document(tree, form)
        for only_codes in (False, True) if has_codes(row, tree) else (False,):
            made = with_home_of(one, other, _BEHIND.get(home, home), only_codes=only_codes)
            if made == one:
                # A word without a code has no coding to change.
                assert only_codes, (row.path, home)
                continue
            found = only_record(json.dumps(made).encode())
            wanted = came_back(record(tree), row.path)
            back = came_back(found, row.path)
            if only_codes and back == []:
                # A code that several words of the registry have tells none of them.
                assert "ambiguous-code" in {each.code for each in found.issues}, (row.path, home)
                continue
            assert back == wanted, (row.path, home)
            tried += 1
            coded += only_codes
    assert tried > 60
    assert coded > 8


def studies_in(bundle: Any, kind: str) -> list[Any]:
    """Return the resources of a type."""
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def back_from(bundle: Any) -> Record:
    """Return the record of a bundle."""
    return only_record(json.dumps(bundle).encode())


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("completed", "COMPLETED"),
        ("closed-to-accrual", "ACTIVE_NOT_RECRUITING"),
        ("withdrawn", "WITHDRAWN"),
        ("approved", "NOT_YET_RECRUITING"),
        ("administratively-completed", "TERMINATED"),
        ("active", "RECRUITING"),
        ("in-review", None),
    ],
)
def test_status_of_r4_wins(code: str, status: str | None) -> None:
    """A status of R4 decides; the word beside it is used where it is one of those that the code stands for."""
    bundle = document(study(statusModule={"overallStatus": "RECRUITING"}), "fhir-r4")
    (resource,) = studies_in(bundle, "ResearchStudy")
    resource["status"] = code
    found = back_from(bundle)
    assert found.study.protocol_section.status_module.overall_status == status
    assert bool(found.issues) == (code != "active")


def test_status_of_r4_alone() -> None:
    """Where no word stands beside a status of R4, a code of one word tells it, and one of several tells none."""
    for code, status, codes in (("withdrawn", "WITHDRAWN", set()), ("active", None, {"ambiguous-code"})):
        bundle = document(study(), "fhir-r4")
        (resource,) = studies_in(bundle, "ResearchStudy")
        resource["status"] = code
        resource["extension"] = [each for each in resource["extension"] if "progressStatus" not in each["url"]]
        found = back_from(bundle)
        assert found.study.protocol_section.status_module.overall_status == status
        assert {each.code for each in found.issues} == codes


_CRITERIA = "Inclusion Criteria:\n\n* One \\> 1\n* Two\n\nExclusion Criteria:\n\n* Three"


def test_criteria_of_r4_win_over_their_text() -> None:
    """R4 has the whole text in an extension; a criterion that is another than in the text makes the text anew."""
    bundle = document(study(eligibilityModule={"eligibilityCriteria": _CRITERIA}), "fhir-r4")
    assert back_from(bundle).study.protocol_section.eligibility_module.eligibility_criteria == _CRITERIA
    (group,) = studies_in(bundle, "Group")
    group["characteristic"][1]["valueCodeableConcept"]["text"] = "Four"
    found = back_from(bundle)
    wanted = "Inclusion Criteria:\n\n* One > 1\n* Four\n\nExclusion Criteria:\n\n* Three"
    assert found.study.protocol_section.eligibility_module.eligibility_criteria == wanted
    assert [each.code for each in found.issues] == ["contradiction"]


def test_text_of_the_criteria_wins_in_r5() -> None:
    """R5 has the whole text in an element, which decides."""
    bundle = document(study(eligibilityModule={"eligibilityCriteria": _CRITERIA}), "fhir-r5")
    (group,) = studies_in(bundle, "Group")
    group["description"] = "Anybody"
    found = back_from(bundle)
    assert found.study.protocol_section.eligibility_module.eligibility_criteria == "Anybody"
    assert [each.code for each in found.issues] == ["contradiction"]


@pytest.mark.parametrize("form", ["fhir-r4", "fhir-r5"])
def test_links_of_the_plan_win(form: str) -> None:
    """The plan's actions say which interventions an arm has; names in another order stay as long as they agree."""
    arms = {
        "armGroups": [
            {"label": "B", "interventionNames": ["Drug: Y", "Drug: X", "Drug: Gone"]},
            {"label": "A", "interventionNames": ["Drug: X"]},
        ],
        "interventions": [
            {"type": "DRUG", "name": "X", "armGroupLabels": ["B", "A"]},
            {"type": "DRUG", "name": "Y", "armGroupLabels": ["B"]},
        ],
    }
    bundle = document(study(armsInterventionsModule=arms), form)
    tree = json.loads(back_from(bundle).to_json())
    assert tree["protocolSection"]["armsInterventionsModule"] == arms
    (plan,) = studies_in(bundle, "PlanDefinition")
    top = plan["action"][0]["action"]
    top[1]["action"], top[0]["action"] = top[0]["action"], top[1]["action"]
    module = back_from(bundle).study.protocol_section.arms_interventions_module
    assert [arm.intervention_names for arm in module.arm_groups] == [["Drug: X"], ["Drug: X", "Drug: Y"]]
    assert [each.arm_group_labels for each in module.interventions] == [["B", "A"], ["A"]]


@pytest.mark.parametrize("form", ["fhir-r4", "fhir-r5"])
def test_day_of_an_upload_wins(form: str) -> None:
    """The moment of an upload stands beside its day, and is used as long as it is on that day."""
    document_ = {"uploadDate": "2021-03-01T10:11", "filename": "a.pdf"}
    tree = study() | {"documentSection": {"largeDocumentModule": {"largeDocs": [document_]}}}
    text = json.dumps(document(tree, form))
    assert back_from(json.loads(text)).study.document_section.large_document_module.large_docs[0].upload_date == (
        "2021-03-01T10:11"
    )
    other = back_from(json.loads(text.replace('"2021-03-01"', '"2021-04-01"')))
    assert other.study.document_section.large_document_module.large_docs[0].upload_date == "2021-04-01"


# ODM


def steps_of(node: Node, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every attribute and text with the way to it."""
    yield from (((*above, "@" + name), value) for name, value in node.attributes.items())
    if node.text:
        yield (*above, "#"), node.text
    for step, child in steps_below(node):
        yield from steps_of(child, (*above, step))


def steps_below(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield each child with its name and position, a parameter with its OID."""
    counts: dict[str, int] = {}
    for child in node.elements:
        counts[child.name] = counts.get(child.name, 0) + 1
        is_parameter = child.name in odm_made_up.PARAMETERS
        yield f"{child.name}[{child.attributes['OID'] if is_parameter else counts[child.name]}]", child


def home_of_way(way: tuple[str, ...]) -> str:
    """Return the home, as the table of fields writes it, of an attribute or a text."""
    for step in way:
        if step.startswith(tuple(f"{name}[PAR." for name in odm_made_up.PARAMETERS)):
            name = step[step.index("[PAR.") + 5 : -1]
            return f"{step.partition('[')[0]}[{name if name.startswith('CTG.') else name.split('.')[0]}]"
    return "/".join(step.partition("[")[0] for step in way if step != "#")


def with_home(one: Node, other: Node, home: str) -> Node:
    """Return a document with the attributes, texts or parameters of a home as they are in another document."""
    made = copy.deepcopy(one)
    if home.startswith(odm_made_up.PARAMETERS):
        name = home[home.index("[") + 1 : -1]
        for summary, theirs in zip(_summaries(made), _summaries(other), strict=True):
            kept = [each for each in summary.elements if each.attributes["ShortName"] != name]
            summary.children = [*kept, *(each for each in theirs.elements if each.attributes["ShortName"] == name)]
        return made
    theirs = dict(steps_of(other))
    for way, value in steps_of(one):
        at = home_of_way(way)
        if (at == home or at.startswith(home + "/")) and theirs.get(way, value) != value:
            node = made
            for step in way[:-1]:
                node = dict(steps_below(node))[step]
            if way[-1] == "#":
                node.children = (theirs[way],)
            else:
                node.attributes[way[-1][1:]] = theirs[way]
    return made


def _summaries(root: Node) -> list[Node]:
    return [*root.find_all("StudySummary"), *root.find_all("sdm:Summary")]


def read_back(root: Node) -> Record:
    """Return the record of a document."""
    (found,) = rebuilt_studies(root)
    return rebuilt_record(found.tree, SourceInfo("made up"), found.issues, found.extras)


def _says_something(root: Node, home: str) -> bool:
    """Tell whether a document has a parameter of a home that answers for a field, or any other home."""
    if not home.startswith(odm_made_up.PARAMETERS):
        return True
    name = home[home.index("[") + 1 : -1]
    return name not in _COUNTS and any(
        each.attributes["ShortName"] == name for summary in _summaries(root) for each in summary.elements
    )


#: Parameters that count what others name.
_COUNTS = ("NARMS", "NCOHORT")


def odm_document(tree: Tree, form: str) -> Node:
    """Return the document of a study as it is read."""
    data = transform(odm_made_up.context(tree).record, FORMS[form], _CREATED, check=False).data
    return tree_of(parsed_xml(data, SourceInfo("made up")))


#: Fields of which no home of the standard's can tell the value backwards, with why.
_NOT_TOLD_ODM = {
    _P + "armsInterventionsModule.armGroups[].type": "TCNTRL lists the kinds of control, and not whose they are",
    _P + "designModule.patientRegistry": "STYPE says that a study is a registry, and nothing of others",
    _P + "statusModule.lastUpdatePostDateStruct.date": "the version of a document is made of it",
    _P + "identificationModule.secondaryIdInfos[].type": "REGID has the id; see the test of aliases",
    **{
        f"{_P}contactsLocationsModule.{role}": "all roles that have a UserType have the same one"
        for role in ("centralContacts[].role", "overallOfficials[].role", "locations[].contacts[].role")
    },
    **{
        f"derivedSection.conditionBrowseModule.meshes[].{part}": "the coding of a condition is in no order"
        for part in ("id", "term")
    },
}


@pytest.mark.parametrize("form", ["odm-2.0", "odm-1.3.2"])
def test_every_element_of_odm_wins(form: str) -> None:
    """Of the native homes of any field one decides what comes back; another that differs is a contradiction."""
    full = odm_made_up.full_study()
    one = odm_document(full, form)
    before = read_back(one)
    assert before.issues == []
    tried = 0
    for row in field_rows(form):
        homes = [home for home in row.homes if FieldRow(row.path, home, "").standing == "native"]
        if not homes or row.path in _NOT_TOLD_ODM:
            continue
        other = odm_document(odm_made_up.changed(full, row.path), form)
        wanted = came_back(read_back(other), row.path)
        assert wanted != came_back(before, row.path)
        decides = []
        for home in homes:
            made = with_home(one, other, home)
            if made == one or not _says_something(made, home):
                continue
            found = read_back(made)
            codes = {each.code for each in found.issues}
            # A term that several words of the registry have tells none of them.
            decides.append(came_back(found, row.path) == wanted or "ambiguous-code" in codes)
            assert decides[-1] or "contradiction" in codes, (row.path, home)
        assert any(decides), (row.path, homes)
        tried += 1
    assert tried > 40
