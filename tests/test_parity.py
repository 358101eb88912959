"""The same trial read from JSON, legacy XML and a page says the same, in all that both formats can hold.

`labels/formats.csv` tells what they cannot hold, with the reason; here it is held against the readers, so that a
field which is neither read nor listed is found.
"""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

import trialconv
from legacy_renderer import legacy_xml
from made_up import Tree, full_results, full_study, record
from page_renderer import render_page
from trialconv.readers.ctgov_page import read_ctgov_page
from trialconv.readers.ctgov_xml import read_ctgov_xml
from trialconv.record import Record, SourceInfo
from trialconv.record.leaves import field_paths, leaf_values
from trialconv_mappings.labels import field_labels, format_limits

FOLDER = Path(__file__).resolve().parent
#: What the schema of the legacy XML does not allow and real records have: an age limit of no time at all.
NOT_IN_THE_SCHEMA = ("'0 Years'", "'0 Hours'")


def through_xml(tree: Tree) -> Record:
    """Return the record of a study that went through legacy XML."""
    return read_ctgov_xml(legacy_xml(tree), SourceInfo("rendered.xml"))


def through_page(tree: Tree) -> Record:
    """Return the record of a study that went through a page."""
    return read_ctgov_page(render_page(tree).encode(), SourceInfo("rendered.txt", reader="ctgov-page"))


THROUGH = {"ctgov-xml": through_xml, "ctgov-page": through_page}


def whole_study() -> Tree:
    """Return a study with every field, each with a word that every format has."""
    tree = full_study()
    protocol = tree["protocolSection"]
    protocol["contactsLocationsModule"]["centralContacts"][0]["role"] = "CONTACT"
    protocol["contactsLocationsModule"]["locations"][0]["contacts"][0]["role"] = "CONTACT"
    protocol["designModule"]["studyType"] = "OBSERVATIONAL"  # the only type that can be a registry of patients
    protocol["sponsorCollaboratorsModule"]["leadSponsor"]["class"] = "INDUSTRY"
    protocol["sponsorCollaboratorsModule"]["collaborators"][0]["class"] = "INDUSTRY"
    for document in tree["documentSection"]["largeDocumentModule"]["largeDocs"]:
        document["typeAbbrev"] = "Prot_SAP_ICF"
    annotation = tree["annotationSection"]["annotationModule"]["unpostedAnnotation"]
    annotation["unpostedEvents"] = [
        {"type": "RELEASE", "date": "2020-01-02"},
        {"type": "RESET", "dateUnknown": True},
    ]
    tree["resultsSection"] = whole_results()
    return tree


def whole_results() -> Tree:
    """Return results with every field, each with a word that the legacy XML has."""
    results = full_results()
    baseline, outcome = (
        results["baselineCharacteristicsModule"],
        results["outcomeMeasuresModule"]["outcomeMeasures"][0],
    )
    baseline["measures"][0]["dispersionType"] = "STANDARD_ERROR"
    for each in (baseline, outcome):
        each["typeUnitsAnalyzed"] = each["denoms"][0]["units"]
    outcome["anticipatedPostingDate"] = "2021-04"
    agreement = results["moreInfoModule"]["certainAgreement"]
    agreement["restrictionType"] = "OTHER"  # the only kind that has details
    return results


@pytest.mark.parametrize("reader", THROUGH)
def test_every_field_is_held_or_listed(reader: str) -> None:
    """Of a study with every field each is read back, or else listed by the table, which lists no other."""
    tree = whole_study()
    tree["hasResults"] = False
    held = set(leaf_values(THROUGH[reader](tree)))
    absent = [limit.path for limit in format_limits()[reader] if limit.form == "absent"]
    part = [limit.path for limit in format_limits()[reader] if limit.form == "part"]

    def listed(path: str, paths: list[str]) -> bool:
        return any(path == each or path.startswith(f"{each}.") for each in paths)

    for path in field_paths():
        if path.endswith("versionHolder"):
            continue
        assert path in held or listed(path, absent) or listed(path, part), f"{path} is neither read nor listed"
        assert not (path in held and listed(path, absent)), f"{path} is read and listed as absent"


def test_the_table_is_of_fields() -> None:
    """Each row names a reader, a field or what fields are in, a form that is known, and a reason."""
    paths = set(field_paths())
    above = {".".join(path.split(".")[:end]) for path in paths for end in range(1, len(path.split(".")))}
    for reader, limits in format_limits().items():
        assert reader in THROUGH
        assert len({limit.path for limit in limits}) == len(limits)
        for limit in limits:
            assert limit.path in paths | above
            assert limit.form in ("absent", "part", "coarse", "other", "order")
            assert (limit.form == "coarse") == bool(limit.words)
            assert limit.reason
    assert paths <= set(field_labels())


@pytest.mark.parametrize("reader", THROUGH)
def test_a_whole_study_agrees(reader: str) -> None:
    """A study with every field differs in nothing from itself in another format, in either direction."""
    tree = whole_study()
    one, other = record(tree), THROUGH[reader](tree)
    for found in (trialconv.diff(one, other), trialconv.diff(other, one)):
        assert [(each.kind, each.field) for each in found.changes] == []
        assert found.not_compared


@pytest.mark.parametrize("reader", THROUGH)
def test_a_change_is_seen_through_the_format(reader: str) -> None:
    """The comparison across formats is no rubber stamp: changed words and numbers, new sites and arms are seen."""
    tree = whole_study()
    changed = msgspec.json.decode(msgspec.json.encode(tree))
    protocol = changed["protocolSection"]
    protocol["statusModule"]["overallStatus"] = "RECRUITING"
    protocol["designModule"]["enrollmentInfo"]["count"] += 1
    protocol["descriptionModule"]["briefSummary"] += " And more"
    protocol["contactsLocationsModule"]["locations"].append(
        {"facility": "New", "city": "Oslo", "country": "Norway"}
    )
    protocol["conditionsModule"]["conditions"].append("Another condition")
    found = trialconv.diff(record(changed), THROUGH[reader](tree))
    assert {(each.kind, each.field.rpartition(".")[2]) for each in found.changes} == {
        ("changed", "overallStatus"),
        ("changed", "count"),
        ("changed", "briefSummary"),
        ("removed", "locations[]"),
        ("removed", "conditions[]"),
    }


def test_changed_results_are_seen_through_the_xml() -> None:
    """Every value of the results that the legacy XML has is compared: another one is a change of its field."""
    as_xml = through_xml(whole_study())
    held = leaf_values(as_xml)
    seen = 0
    for path in (each for each in field_paths() if each.startswith("resultsSection.")):
        # An id says only which group is meant.
        if path not in held or path.endswith(("roups[].id", "groupId", "groupIds[]")):
            continue
        tree = whole_study()
        place: Any = tree
        *steps, last = path.split(".")
        for step in steps:
            place = place[step[:-2]][0] if step.endswith("[]") else place[step]
        place[last] = _another(place[last])
        assert trialconv.diff(record(tree), as_xml).differ, f"a change of {path} is not seen"
        seen += 1
    assert seen > 90


def _another(value: Any) -> Any:
    return not value if isinstance(value, bool) else value + 1 if isinstance(value, int) else f"{value} or so"


def schema(shared: Path) -> etree.XMLSchema:
    """Return the registry's schema of its legacy XML."""
    parsed = etree.parse(shared / "corpus" / "schemas" / "ctgov_public.xsd", etree.XMLParser(no_network=True))
    return etree.XMLSchema(parsed)


def invalid(judge: etree.XMLSchema, data: bytes) -> list[str]:
    """Return the errors of the schema but for what real records have beyond it."""
    judge.validate(etree.fromstring(data))
    messages = [str(each.message) for each in judge.error_log]
    return [each for each in messages if not any(value in each for value in NOT_IN_THE_SCHEMA)]


def test_rendered_xml_is_what_the_registry_wrote(shared: Path, smoke_studies: list[tuple[str, bytes]]) -> None:
    """Real studies as legacy XML are valid against the registry's schema, and read back the same."""
    judge = schema(shared)
    for name, data in smoke_studies:
        tree = msgspec.json.decode(data)
        assert invalid(judge, legacy_xml(tree)) == [], name
        found = trialconv.diff(record(tree), through_xml(tree))
        assert [(each.kind, each.field, each.before, each.after) for each in found.changes] == [], name


def test_xml_of_many_real_studies(shared: Path, development_studies: list[tuple[str, bytes]]) -> None:
    """So do each tenth of the other real studies."""
    judge = schema(shared)
    for name, data in development_studies[::10]:
        tree = msgspec.json.decode(data)
        assert invalid(judge, legacy_xml(tree)) == [], name
        assert not trialconv.diff(record(tree), through_xml(tree)).differ, name


#: Where a page can be read in several ways, these lists are not taken apart, and an Issue says so.
_AMBIGUOUS = ("armsInterventionsModule", "contactsLocationsModule")


def test_pages_of_real_studies(development_studies: list[tuple[str, bytes]]) -> None:
    """Real studies as pages read back the same, but for the lists that an Issue calls ambiguous."""
    alike = 0
    studies = development_studies[::20]
    for name, data in studies:
        tree = msgspec.json.decode(data)
        made = through_page(tree)
        found = trialconv.diff(record(tree), made)
        alike += not found.differ
        ambiguous = any(each.code == "ambiguous-page" for each in made.issues)
        for each in found.changes:
            assert ambiguous, (name, each)
            assert each.field.split(".")[1] in _AMBIGUOUS, (name, each)
    assert alike / len(studies) > 0.75


def test_the_study_that_is_there_in_both_forms(shared: Path) -> None:
    """The study that is there as XML and, years later, as JSON differs in what was reviewed and nothing else."""
    with (
        zipfile.ZipFile(shared / "corpus" / "ctgov_xml-dev.zip") as xml,
        zipfile.ZipFile(shared / "corpus" / "ctg-studies-dev.json.zip") as json,
    ):
        names: dict[str, Any] = {Path(each).stem: each for each in json.namelist()}
        both = [each for each in xml.namelist() if Path(each).stem in names]
        assert len(both) == 1
        older = read_ctgov_xml(xml.read(both[0]), SourceInfo("older.xml"))
        newer = record(msgspec.json.decode(json.read(names[Path(both[0]).stem])))
    found = trialconv.diff(older, newer)
    counts = Counter((each.kind, each.field) for each in found.changes)
    rows = list(csv.DictReader((FOLDER / "parity_of_versions.csv").read_text(encoding="utf-8").splitlines()))
    assert dict(counts) == {(row["kind"], row["field"]): int(row["count"]) for row in rows}
    assert all(row["reason"] for row in rows)
    assert (found.before.last_update or "") < (found.after.last_update or "")
