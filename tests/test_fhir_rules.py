"""Invariants of FHIR: each is enforced, told where it is broken, and silent where it is not."""

from __future__ import annotations

import contextlib
import copy
import csv
import json
import math
import os
import re
import subprocess
import sys
import zlib
from datetime import datetime, timedelta, timezone
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir_packages import EXAMPLES, RELEASES, cache_folder, examples
from fhir_packages import definitions as packaged
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_defects import DEFECTS, Defect
from fhir_rule_defects import RULE_DEFECTS
from fhir_valid import BASE, STUDY, Resource, entry, extension, organization, valid_resources
from fhirpath_opinion import fhirpath_opinion
from made_up import bundle, full_study
from trialconv import validate
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import CATALOGUE, at_or_above
from trialconv.validators.fhir import validate_fhir
from trialconv.validators.invariant_messages import PLAIN
from trialconv.validators.invariants import invariant_issues, periods_are_in_order
from trialconv.validators.narrative import narrative_problem
from trialconv.validators.order import is_above, is_after
from trialconv.validators.reference_walk import reference_issues
from trialconv.validators.schema import STUDY_TYPES, definitions, schema_issues, surely_valid

CASES = [
    pytest.param(version, one, id=f"{version} {one.rule} {one.name}")
    for one in RULE_DEFECTS
    for version in one.versions
]
LISTED: dict[str, list[dict[str, Any]]] = json.loads(
    files("trialconv.validators").joinpath("_generated", "invariants.json").read_bytes()
)
URN = "urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c330"


def issues_of(document: Any, version: FhirVersion = "R4") -> list[tuple[str, str, str]]:
    """Return code, rule and path of the Issues of a document."""
    return [(one.code, one.rule, one.target_path) for one in validate_fhir(document, version)]


def value(version: FhirVersion = "R4", **content: Any) -> list[str]:
    """Return the rules that a value in an extension breaks."""
    document = {**valid_resources(version)["basic"], "extension": [extension(**content)]}
    return [rule for _, rule, _ in issues_of(document, version)]


def packages() -> Path:
    """Return the folder of the official packages, if it has them all."""
    folder = Path(os.environ.get("TRIALCONV_FHIR_PACKAGES", "") or cache_folder())
    names = [package.file for release in RELEASES for package in release.packages[:1]]
    missing = [
        name for name in [*names, *(one.file for one in EXAMPLES.values())] if not (folder / name).is_file()
    ]
    if missing:
        pytest.skip(f"no {', '.join(missing)} in {folder}; `make packages` fetches them")
    return folder


# each invariant


@pytest.mark.parametrize(("version", "defect"), CASES)
def test_a_broken_invariant_is_found_where_it_is(version: FhirVersion, defect: Defect) -> None:
    """One broken invariant gives one Issue, with its key and the place, in one line of plain words."""
    (found,) = validate_fhir(defect.document(version), version)
    assert (found.code, found.rule, found.target_path) == (defect.code, defect.rule, defect.path)
    assert found.severity == CATALOGUE[found.code].severity == "error"
    assert 20 < len(found.message) < 300
    assert "\n" not in found.message


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_defects_have_names_of_their_own(version: FhirVersion) -> None:
    """More than 60 invariants' defects are tried in each version."""
    names = [(one.rule, one.name) for one in RULE_DEFECTS if version in one.versions]
    assert len(names) == len(set(names)) > 60


def reachable_types(version: FhirVersion) -> set[str]:
    """Return the types of a study's resources and all data types that these use, as the definitions name them."""
    return {name.partition("(")[0].partition(".")[0] for name in definitions(version).reachable(STUDY_TYPES)}


def our_rules(version: FhirVersion) -> list[dict[str, Any]]:
    """Return the listed invariants of the types of a study's resources and of all that these use."""
    types = reachable_types(version) | {"DomainResource", "Resource", "BackboneElement", "BackboneType"}
    types |= {"MetadataResource", "CanonicalResource", "DataType", "PrimitiveType"} - {"MetadataResource"}
    return [one for one in LISTED[version] if any(place.partition(".")[0] in types for place in one["on"])]


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_every_invariant_of_our_types_is_enforced_and_tried(version: FhirVersion) -> None:
    """Each is enforced by the schema or by code, is told in plain words, and has a defect that is found."""
    ours = our_rules(version)
    assert len(ours) > 45
    assert [one["key"] for one in ours if one["by"] == "none"] == []
    tried = {one.rule for one in (*DEFECTS, *RULE_DEFECTS) if version in one.versions}
    # Empty elements have a rule of their own, which says what is empty.
    assert {one["key"] for one in ours} - tried == {"ele-1"}
    assert "empty" in tried
    told = {key.partition(" ")[0] for key in PLAIN} | {"ele-1", "ref-1"}
    assert {one["key"] for one in ours} <= told


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.short)
def test_the_list_is_that_of_the_definitions(release: Any) -> None:
    """Every constraint of severity error in the official package is listed, with its expression and its words."""
    package = release.packages[0]
    stated, plain = set(), set()
    for definition in packaged(packages() / package.file, package):
        elements = definition.get("snapshot", {}).get("element", ())
        for element in elements if definition["resourceType"] == "StructureDefinition" else ():
            for one in element.get("constraint", ()):
                if one["severity"] == "error" and definition.get("derivation") != "constraint":
                    stated.add((one["key"], one.get("expression", ""), one["human"]))
    for listed in LISTED[release.short]:
        plain.add((listed["key"], listed["expression"], listed["human"]))
    # The words of one expression differ in places; which of them stand in the list is no matter.
    assert {one[:2] for one in stated} - {one[:2] for one in plain} == set()
    assert {one[:2] for one in plain} - {one[:2] for one in stated} == {("sqty-1", "comparator.empty()")}
    assert len({one["key"] for one in our_rules(release.short)}) >= 49


def test_other_types_are_told_in_the_words_of_their_definitions() -> None:
    """An invariant of a type beyond a study is checked where a schema can state it, and told as HL7 words it."""
    document = {**valid_resources("R4")["observation"], "dataAbsentReason": {"text": "x"}}
    (found,) = validate_fhir(document, "R4")
    assert (found.code, found.rule, found.target_path) == ("invariant", "obs-6", "Observation")
    assert found.message == "dataAbsentReason SHALL only be present if Observation.value[x] is not present"


def test_packages_that_cannot_be_had_are_told(tmp_path: Path) -> None:
    """Fetching the packages without npm and without an index says so, and is no failure."""
    command = [sys.executable, str(Path(__file__).resolve().parent.parent / "scripts" / "fhir_packages.py")]
    without = {"PATH": "", "PIP_NO_INDEX": "1", "XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(command, env=without, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603
    assert "hl7.fhir.r5.examples 5.0.0 is not at hand; tests that need it skip" in done.stdout
    assert "npm is not installed" in done.stdout
    assert "hl7.fhir.r4.core 4.0.1 is not at hand" in done.stdout


# a second opinion

#: Where the engine differs, by version, rule and defect: what it says is broken, and why.
DIFFERENCES: dict[tuple[str, str, str], tuple[set[str], str]] = {
    **{
        (version, "dom-2", "dom-2 of patient"): ({"dom-2", "dom-3"}, "we say once that nothing may be there")
        for version in FHIR_VERSIONS
    },
    **{
        (version, "per-1", "another zone"): (set(), "the engine compares the times as they stand")
        for version in ("R4", "R4B")
    },
    ("R4", "bdl-3", "bdl-3 of answer"): ({"bdl-3", "bdl-8"}, "bdl-8 of R4 has no answer without a fullUrl"),
    ("R4", "bdl-4", "no response"): ({"bdl-4", "bdl-8"}, "bdl-8 of R4 has no answer without a fullUrl"),
    ("R5", "exp-2", "exp-2 of Expression"): (set(), "the engine is content with a part of the name"),
}
#: Valid documents of which the engine says otherwise, by version and name.
VALID_DIFFERENCES: dict[tuple[str, str], tuple[set[str], str]] = {
    ("R4", "basic"): ({"per-1"}, "a day and its month: the expression has no answer, and R5 mended it"),
    ("R4B", "basic"): ({"per-1"}, "a day and its month: the expression has no answer, and R5 mended it"),
    ("R4", "answer"): ({"bdl-8"}, "no fullUrl: the expression has no answer, and R4B mended it"),
}


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_the_official_expressions_agree_about_defects(version: FhirVersion) -> None:
    """Fhirpathpy finds the same invariants broken in each defect, but for the differences listed."""
    run, differences = set(), {}
    for defect in (*RULE_DEFECTS, *DEFECTS):
        if version not in defect.versions or defect.code != "invariant":
            continue
        opinion = fhirpath_opinion(defect.document(version), version)
        run |= opinion.run
        expected = {defect.rule} & opinion.run
        if opinion.broken != expected:
            differences[version, defect.rule, defect.name] = opinion.broken
    assert differences == {key: told[0] for key, told in DIFFERENCES.items() if key[0] == version}
    assert len(run) > 45


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_the_official_expressions_agree_about_valid_documents(version: FhirVersion) -> None:
    """Fhirpathpy finds no invariant broken in the valid resources and in the bundle of a full study."""
    documents = {**valid_resources(version), "full study": bundle(full_study(), f"fhir-{version.lower()}")}
    found = {(version, name): fhirpath_opinion(one, version).broken for name, one in documents.items()}
    expected = {key: told[0] for key, told in VALID_DIFFERENCES.items() if key[0] == version}
    assert {key: broken for key, broken in found.items() if broken} == expected


# the official examples


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_only_defective_examples_are_flagged(version: FhirVersion) -> None:
    """Of HL7's examples of our types, and a tenth of the others, exactly those found wrong have errors."""
    with (Path(__file__).parent / "fhir_examples_flagged.csv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["version"] == version]
    assert all(len(row["why"]) > 10 for row in rows)
    expected = {(row["file"], row["rule"]): int(row["findings"]) for row in rows}
    flagged = {name for name, _ in expected}
    found: dict[tuple[str, str], int] = {}

    def wanted(name: str) -> bool:
        return name.partition("-")[0] in STUDY_TYPES or name in flagged or zlib.crc32(name.encode()) % 10 == 0

    judged = 0
    for name, resource in examples(packages() / EXAMPLES[version].file, wanted):
        judged += 1
        for one in at_or_above(validate_fhir(resource, version), "error"):
            found[name, one.rule] = found.get((name, one.rule), 0) + 1
    assert judged > 350
    assert found == expected


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_the_published_figures_are_of_these_tests(version: FhirVersion) -> None:
    """docs/validation.json counts the defects and the flagged examples that are here, and no false alarm."""
    root = Path(__file__).resolve().parent
    figures = json.loads((root.parent / "docs" / "validation.json").read_bytes())[version]
    count = sum(version in one.versions for one in (*DEFECTS, *RULE_DEFECTS))
    assert (figures["defects"]["defects"], figures["defects"]["foundExactly"]) == (count, count)
    with (root / "fhir_examples_flagged.csv").open(encoding="utf-8", newline="") as stream:
        flagged = {row["file"] for row in csv.DictReader(stream) if row["version"] == version}
    assert (figures["examples"]["rightlyFlagged"], figures["examples"]["falseAlarms"]) == (len(flagged), 0)


# the quick look


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_the_quick_look_is_right(version: FhirVersion) -> None:
    """What the quick look takes for valid is so by the long one, and what it doubts is judged by that."""
    doubted = 0
    for defect in (*RULE_DEFECTS, *DEFECTS):
        if version not in defect.versions:
            continue
        document = defect.document(version)
        found = schema_issues(document, version) + reference_issues(document, version)
        found += invariant_issues(document, version)
        assert validate_fhir(document, version) == found, defect.name
        sure = surely_valid(document, version, orjson.dumps(document))
        if sure:
            assert all(one.rule == "per-1" or one.code.startswith(("reference-", "duplicate-")) for one in found)
        doubted += not sure
    assert doubted > 150


GARBAGE = [None, True, -1, 1.5, "x", "", "#", "urn:x", "\ud800", 10**20, [], {}, [None], [{}], [[]]]
GARBAGE += [
    {"reference": "#a"},
    {"start": "2023", "end": "2022"},
    {"low": {"value": 2}, "high": {"value": 1}},
    {"resourceType": "Patient"},
    {"div": "<p>"},
]


@settings(max_examples=150, deadline=None)
@given(data=st.data(), version=st.sampled_from(FHIR_VERSIONS))
def test_garbage_anywhere_never_raises(data: st.DataObject, version: FhirVersion) -> None:
    """A document with anything anywhere is judged, and the same by the quick look and by the long one."""
    documents = [one.document(version) for one in RULE_DEFECTS if version in one.versions]
    document = copy.deepcopy(data.draw(st.sampled_from([*documents, *valid_resources(version).values()])))
    holder: Any = document
    while holder:
        key = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.integers(0, 3)) == 0:
            holder[key] = copy.deepcopy(data.draw(st.sampled_from(GARBAGE)))
            break
        holder = holder[key]
    found = validate_fhir(document, version)
    with contextlib.suppress(TypeError):
        orjson.dumps(document)
        long = schema_issues(document, version) + reference_issues(document, version)
        assert found == long + invariant_issues(document, version)


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_the_quick_look_knows_valid_documents(version: FhirVersion) -> None:
    """Valid resources and a full study's bundle are: none that contains another or where one acts for another."""
    for name, document in {
        **valid_resources(version),
        "study": bundle(full_study(), f"fhir-{version.lower()}"),
    }.items():
        sure = surely_valid(document, version, orjson.dumps(document))
        assert sure is (name not in ("patient", "provenance")), name


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_narratives_are_where_the_quick_look_sees_them(version: FhirVersion) -> None:
    """Among the resources of a study only `text` is a narrative."""
    for name, one in definitions(version).reachable(STUDY_TYPES).items():
        for key, held in one.get("properties", {}).items():
            if isinstance(held, dict) and "Narrative" in json.dumps(held):
                assert (key, "resourceType" in one["properties"]) == ("text", True), name


DAYS = st.sampled_from(["2023", "2023-01", "2023-01-02", "2023-01-03", "2024", "2022-12", "2023-01-02T00:00:00Z"])
PERIODS: st.SearchStrategy[dict[str, Any]] = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "start": DAYS,
            "end": DAYS,
            "_start": st.just({"id": "x"}),
            "extension": st.lists(PERIODS, max_size=2),
        },
    )
)


@settings(deadline=None)
@given(periods=st.lists(PERIODS, min_size=1, max_size=3), backwards=st.booleans())
def test_the_look_at_periods_is_right(periods: list[dict[str, Any]], backwards: bool) -> None:
    """Periods that the text shows in order are in order, whatever the order and the place of their elements."""
    held = [dict(reversed(one.items())) if backwards else one for one in periods]
    text = orjson.dumps([{"valuePeriod": one} for one in held])
    if periods_are_in_order(text):
        waiting: list[Any] = list(held)
        for one in waiting:
            assert not is_after(one.get("start", "x"), one.get("end", "x"))
            waiting.extend(one.get("extension", ()))


# order

MOMENTS = st.datetimes(
    min_value=datetime(1900, 1, 2),
    max_value=datetime(9998, 12, 30),
    timezones=st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


@settings(deadline=None)
@given(first=MOMENTS, second=MOMENTS)
def test_moments_are_compared_across_zones(first: datetime, second: datetime) -> None:
    """Two moments are in the order that the clock of UTC gives them."""
    assert is_after(first.isoformat(), second.isoformat()) is (first > second)


@settings(deadline=None)
@given(first=MOMENTS, second=MOMENTS, lengths=st.tuples(*[st.sampled_from([4, 7, 10])] * 2))
def test_dates_are_compared_as_far_as_both_go(first: datetime, second: datetime, lengths: tuple[int, int]) -> None:
    """A year is after another, not after a month of its own."""
    start, end = first.isoformat()[: lengths[0]], second.isoformat()[: lengths[1]]
    shared = min(lengths)
    assert is_after(start, end) is (start[:shared] > end[:shared])


@settings(deadline=None)
@given(moment=MOMENTS, length=st.sampled_from([4, 7, 10]))
def test_a_moment_is_in_its_own_day(moment: datetime, length: int) -> None:
    """A time is neither before nor after the day, month and year that it is written with."""
    text = moment.isoformat()
    assert not is_after(text, text[:length])
    assert not is_after(text[:length], text)


@settings(deadline=None)
@given(first=st.text(max_size=8), second=st.text(max_size=8))
def test_text_that_is_no_date_has_no_order(first: str, second: str) -> None:
    """Anything can be asked about, and nothing comes of it."""
    assert not is_after(first, second) or re.fullmatch(r"[\d-]+", first + second)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2023-01-02", "2023-01-02"),
        ("2023-12", "2023"),
        ("2023", "2023-01-01"),
        ("2023-01-02T00:00:00+01:00", "2023-01-01T23:30:00Z"),
        ("2023-01-02T23:59:60Z", "2023-01-03T00:00:00Z"),
        ("2023-01-02T01:00:00+14:00", "2023-01-01"),
        ("2023-02-30", "2023-02-29T00:00:00Z"),
        ("9999-12", "9999-12-31T00:00:00Z"),
    ],
)
def test_periods_that_are_in_order(start: str, end: str) -> None:
    """An end that may be at or after the start is not told to be before it."""
    assert "per-1" not in value(valuePeriod={"start": start, "end": end})


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ({"value": 1}, {"value": 1}),
        ({"value": 2, "unit": "years"}, {"value": 1, "unit": "months"}),
        ({"value": 2}, {"unit": "years"}),
        ({"value": 18, "code": "mo"}, {"value": 2, "code": "a"}),
        ({"value": 2, "code": "kg"}, {"value": 1, "code": "m"}),
        ({"value": 2, "code": "[in_i]"}, {"value": 1, "code": "m"}),
        ({"value": "2"}, {"value": True}),
        ({"value": math.nan, "code": "h"}, {"value": 1, "code": "d"}),
        ({"value": math.inf, "code": "h"}, {"value": -math.inf, "code": "d"}),
    ],
)
def test_quantities_that_are_in_order_or_do_not_compare(low: dict[str, Any], high: dict[str, Any]) -> None:
    """A low is above a high only where both are numbers of units that measure the same."""
    for one in (low, high):
        if "code" in one:
            one["system"] = "http://unitsofmeasure.org"
    assert not is_above(low, high)


# narratives


@pytest.mark.parametrize(
    "content",
    [
        "<p>Text</p>",
        "<p>1 &lt; 2 &amp; &#160;</p>",
        "<table class='x'><tr><td colspan='2'>x</td></tr></table>",
        "<a href='https://example.org/a?b=javascript:'>x</a>",
        "<img src='#x' alt='x'/>",
        "<!-- only a remark --> Text",
        "<p xml:lang='en' lang='en'>x<br/>y</p>",
    ],
)
def test_good_narratives(content: str) -> None:
    """Text, tables, links and pictures may stand in a narrative."""
    assert narrative_problem(f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>') is None


@settings(deadline=None)
@given(content=st.text())
def test_any_text_may_be_asked_about(content: str) -> None:
    """No text makes the look at narratives fail, nor does a bomb of entities grow."""
    narrative_problem(content)
    narrative_problem(f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>')
    bomb = "<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]>"
    assert narrative_problem(f'{bomb}<div xmlns="http://www.w3.org/1999/xhtml">&b;</div>')


# contained resources, bundles of urns, parts of a split


def test_a_contained_resource_is_referred_to_in_several_ways() -> None:
    """A reference, a canonical, and a reference back to the container are all ways."""
    inside = {"resourceType": "Library", "id": "l", "status": "active", "type": {"text": "x"}}
    activity = {**valid_resources("R4")["activity"], "contained": [inside]}
    assert [rule for _, rule, _ in issues_of(activity)] == ["dom-3"]
    assert issues_of({**activity, "library": ["#l"]}) == []
    assert issues_of({**activity, "description": "#l"}) != []
    back = {**inside, "subjectReference": {"reference": "#"}}
    assert "dom-3" not in {rule for _, rule, _ in issues_of({**activity, "contained": [back]})}


def urn_bundle(pointer: str = f"{URN}1") -> Resource:
    """Return a transaction whose Location refers to an Organization by a urn."""
    site = {"resourceType": "Location", "managingOrganization": {"reference": pointer}}
    sponsor = {key: held for key, held in organization().items() if key != "id"}
    request = {"method": "POST", "url": "Location", "ifNoneExist": "identifier=x"}
    entries = [
        {"fullUrl": f"{URN}1", "resource": sponsor, "request": {**request, "url": "Organization"}},
        {"fullUrl": f"{URN}2", "resource": site, "request": request},
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_references_by_urn(version: FhirVersion) -> None:
    """In a bundle of urns, references by urn and by search are followed, and their targets' types checked."""
    assert issues_of(urn_bundle(), version) == []
    assert issues_of(urn_bundle("Organization?identifier=x"), version) == []
    path = "Bundle.entry[1].resource(Location).managingOrganization.reference"
    assert issues_of(urn_bundle(f"{URN}2"), version) == [("reference-type", "reference-target", path)]
    assert issues_of(urn_bundle(f"{URN}3"), version) == [("reference-unresolved", "reference-resolution", path)]
    twice = urn_bundle()
    twice["entry"][1]["fullUrl"] = f"{URN}1"
    assert ("duplicate-id", "bdl-7", "Bundle.entry[1].fullUrl") in issues_of(twice, version)


def test_a_fragment_is_no_search() -> None:
    """A reference to a contained resource that is not there is told, whatever characters it has."""
    assert [rule for _, rule, _ in issues_of(urn_bundle("#a?b"))] == ["ref-1"]


@pytest.mark.parametrize("number", [10**5000, -(10**5000), math.nan, math.inf], ids=["huge", "low", "none", "inf"])
def test_numbers_beyond_json_never_raise(number: float) -> None:
    """A number that no JSON can hold gives Issues wherever invariants look at numbers."""
    low, high = ({"value": number, "code": code, "system": "http://unitsofmeasure.org"} for code in "hd")
    for content in ({"valueRange": {"low": low, "high": {**high, "value": 1}}}, {"valueCount": low}):
        assert value(**content)


def test_a_part_of_a_split_may_refer_to_an_earlier_part() -> None:
    """References that are known to lead somewhere else are no Issues; others are."""
    site = {
        "resourceType": "Location",
        "id": "s",
        "managingOrganization": {"reference": f"Organization/{STUDY}-sponsor"},
    }
    part = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(site)]}
    (found,) = validate_fhir(part, "R4")
    assert (found.severity, found.rule) == ("error", "reference-resolution")
    assert validate_fhir(part, "R4", known={f"Organization/{STUDY}-sponsor"}) == []
    assert validate_fhir(part, "R4", known={"Organization/other"}) == [found]


def test_variables_refer_to_variables() -> None:
    """A canonical of a characteristic leads to a variable of the bundle, if variables of its kind are there."""
    base = f"{BASE}/EvidenceVariable"
    variable = {**valid_resources("R5")["variable"], "url": f"{base}/{STUDY}-outcome"}
    other = {**variable, "id": "other", "url": f"{base}/other"}

    def judged(canonical: str) -> list[str]:
        made = {**other, "characteristic": [{"definitionCanonical": canonical}]}
        entries = [entry(variable), entry(made)]
        document = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        return [rule for _, rule, _ in issues_of(document, "R5")]

    assert judged(f"{base}/{STUDY}-outcome") == []
    assert judged("https://example.org/EvidenceVariable/x") == []
    assert judged(f"{base}/none") == ["canonical"]


def test_a_collection_may_be_a_part() -> None:
    """A relative reference out of a collection, or from an entry without a base, is a warning only."""
    site = {"resourceType": "Location", "id": "s", "managingOrganization": {"reference": "Organization/x"}}
    held = {"fullUrl": f"{BASE}/Location/s", "resource": site}
    collection = {"resourceType": "Bundle", "type": "collection", "entry": [held]}
    assert [one.severity for one in validate_fhir(collection, "R4")] == ["warning"]
    assert [one.severity for one in validate_fhir(urn_bundle("Organization/x"), "R4")] == ["warning"]


# one resource on each line


def test_lines_are_judged_one_by_one() -> None:
    """Issues of NDJSON name the line; empty lines count, and a line that is no resource is told."""
    good, bad = valid_resources("R4")["patient"], {"resourceType": "Patient", "gender": "x"}
    lines = [orjson.dumps(good), b"", orjson.dumps(bad), b"{", b"[]"]
    found = validate(b"\r\n".join(lines), fhir_version="R4")
    assert [(one.source_path, one.code) for one in found] == [
        ("line 3", "binding"),
        ("line 4", "invalid-document"),
        ("line 5", "invalid-document"),
    ]
    assert "line 3 -> Patient.gender" in str(found[0])


def test_the_version_of_lines_is_one() -> None:
    """One version is inferred from all lines."""
    lines = [orjson.dumps(valid_resources("R5")[name]) for name in ("patient", "group", "study")]
    (found,) = validate(b"\n".join(lines))
    assert found.message.startswith("judged as FHIR R5")


def test_parts_of_a_split_on_lines() -> None:
    """A bundle may refer to what a bundle on an earlier line holds, not to what a later one does."""
    site = {
        "resourceType": "Location",
        "id": "s",
        "managingOrganization": {"reference": f"Organization/{STUDY}-sponsor"},
    }
    parts = [
        orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry(one)]})
        for one in (organization(), site)
    ]
    assert validate(b"\n".join(parts), fhir_version="R4") == []
    assert [one.source_path for one in validate(b"\n".join(reversed(parts)), fhir_version="R4")] == ["line 1"]


def test_broken_json_is_no_ndjson() -> None:
    """JSON of several lines that does not end is told as such, with the place."""
    (found,) = validate('{\n "resourceType": "Patient",\n', fhir_version="R4")
    assert (found.code, found.source_path) == ("invalid-document", "")


@settings(deadline=None)
@given(lines=st.lists(st.text() | st.sampled_from(['{"resourceType": "Patient"}', "{}", "null"]), max_size=4))
def test_any_lines_may_be_judged(lines: list[str]) -> None:
    """Nothing on a line makes the judging fail."""
    validate("\n".join(lines), fhir_version="R4")
