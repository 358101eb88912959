"""Coverage: where the values of records stand in a target, from Python and from the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

import trialconv
from command_runner import Ran, run
from made_up import NCT, Tree, encoded, fields, full_study, leaves, put, record, study
from test_field_codes import texts
from trialconv import placement
from trialconv.catalog import TARGETS
from trialconv.coded import coder_of
from trialconv.context import Options
from trialconv.issues import SourceError, UsageError
from trialconv.pipeline import transform
from trialconv.placement import Coverage, FieldCoverage, NotPlaced, Tally
from trialconv.record.leaves import field_paths, leaf_values, values_at
from trialconv_mappings.fields import FieldRow, field_row, field_rows, withheld_fields

P = "protocolSection."
START = f"{P}statusModule.startDateStruct"
CONTACTS = f"{P}contactsLocationsModule."
RESULTS = {
    "participantFlowModule": {"recruitmentDetails": "Made up", "groups": [{"id": "FG000"}, {"id": "FG001"}]}
}


def covered(tree: Tree, target: str = "fhir-r5", **options: Any) -> Coverage:
    """Return the coverage of one study."""
    return trialconv.coverage([record(tree)], target, Options(**options))


def of_field(made: Coverage, path: str) -> FieldCoverage:
    """Return what was counted of a field."""
    (found,) = (each for each in made.fields if each.field == path)
    return found


def files(folder: Path, *trees: Tree) -> list[Path]:
    """Write studies into files of their own."""
    paths = [folder / f"study-{number}.json" for number, _ in enumerate(trees)]
    for path, tree in zip(paths, trees, strict=True):
        path.write_bytes(encoded(tree))
    return paths


# The values of a record.


def test_fields_are_those_of_the_openapi() -> None:
    """There are 344 leaf fields, those of the results among them, each once."""
    assert len(field_paths()) == len(set(field_paths())) == 344
    assert sum(path.startswith("resultsSection.") for path in field_paths()) == 141


def test_leaf_values_are_all_values() -> None:
    """Every value of a study is found with its field, each entry of a list by itself."""
    tree = full_study()
    tree["resultsSection"] = RESULTS
    found = leaf_values(record(tree))
    expected: dict[str, list[Any]] = {}
    for path, value in leaves(tree):
        expected.setdefault(path, []).append(value)
    assert found == expected
    assert next(iter(found)) == f"{P}identificationModule.nctId"


def test_an_empty_text_is_no_value() -> None:
    """An empty text and an empty list say nothing, and are counted nowhere."""
    tree = study(statusModule={"whyStopped": ""}, conditionsModule={"conditions": ["", "Made-up Fever"]})
    found = leaf_values(record(tree))
    assert f"{P}statusModule.whyStopped" not in found
    assert found[f"{P}conditionsModule.conditions[]"] == ["Made-up Fever"]


def test_values_at_a_place() -> None:
    """A place may be a field or an object, one of a list or all of them; another one gives nothing."""
    sites = [{"city": "Ampelhausen", "geoPoint": {"lat": 1.5}}, {"city": "Bogendorf", "contacts": [{"name": "N"}]}]
    made = record(study(contactsLocationsModule={"locations": sites}, designModule={"phases": ["PHASE1"]})).study
    city, contact = f"{CONTACTS}locations[].city", f"{CONTACTS}locations[].contacts[].name"
    assert values_at(made, f"{CONTACTS}locations[1].city") == {city: ["Bogendorf"]}
    assert values_at(made, f"{CONTACTS}locations[].city") == {city: ["Ampelhausen", "Bogendorf"]}
    assert values_at(made, f"{CONTACTS}locations[1]") == {city: ["Bogendorf"], contact: ["N"]}
    assert values_at(made, f"{CONTACTS}locations[0].geoPoint") == {f"{CONTACTS}locations[].geoPoint.lat": [1.5]}
    assert values_at(made, f"{P}designModule.phases") == {f"{P}designModule.phases[]": ["PHASE1"]}
    for nowhere in (f"{CONTACTS}locations[7].city", f"{P}noModule.x", "", "a b", f"{city}.name", "extras.title"):
        assert values_at(made, nowhere) == {}


# The table of fields.


@pytest.mark.parametrize(
    ("home", "standing"),
    [
        ("", None),
        ("ResearchStudy.title", "native"),
        ("ResearchStudy.extension(5.0 ResearchStudy.label)", "extension"),
        ("ResearchStudy.outcomeMeasure.extension(outcome-time-frame)", "extension"),
        ("ResearchStudy.extension(5.0 ResearchStudy.classifier); Group.characteristic", "native"),
        ("StudyParameter[CTG.acronym]", "extension"),
        ("ExtensionAttribute[designModule.studyType]", "extension"),
        ("StudyRole.code; ExtensionAttribute[oversightModule.oversightHasDmc]", "native"),
        ("StudyParameter[CTG.acronym]; StudyParameter[TITLE]", "native"),
        ("Study/MetaDataVersion/ours:Element", "extension"),
        ("Study/Description/TranslatedText/@xml:lang", "native"),
    ],
)
def test_standing_follows_from_the_homes(home: str, standing: str | None) -> None:
    """One native home is enough; an extension, a parameter of the registry and an element of our own are none."""
    assert FieldRow("a.b", home, "").standing == standing


@pytest.mark.parametrize("target", TARGETS)
def test_every_leaf_of_the_openapi_has_a_row(target: str) -> None:
    """Every leaf field has a row of its own or of the object above it, and the row a home or a reason."""
    for path in field_paths():
        row = field_row(target, path)
        assert row is not None
        assert row.home or row.reason, path
    assert field_row(target, "noSection.noField") is None


@pytest.mark.parametrize("target", TARGETS)
def test_withheld_fields_are_those_that_no_contacts_leaves_out(target: str) -> None:
    """Without contacts a document holds none of the fields that are said to be withheld, and the other ones."""
    tree = full_study()
    roles = {
        f"{CONTACTS}{name}[].role": f"MADE_UP_{name[:8]}" for name in ("centralContacts", "locations[].contacts")
    }
    for path, word in roles.items():
        put(tree, path, word)
    made = record(tree)
    there = "\n".join(texts(transform(made, TARGETS[target], Options(contacts=False), check=False).document))
    for field in fields():
        if "ontacts[]" in field.path and (row := field_row(target, field.path)) is not None and row.home:
            value = roles.get(field.path, str(field.values[0]))
            is_parameter = "Parameter[" in row.home
            withheld = field.path in withheld_fields(target)
            assert (value in there) == (not withheld and is_parameter), field.path


# The count.


@pytest.mark.parametrize("target", TARGETS)
def test_every_value_is_counted_once(target: str) -> None:
    """The values are the sum of the native ones, those in extensions and those not placed."""
    tree = full_study()
    tree["resultsSection"] = RESULTS
    made = covered(tree, target)
    assert (made.target, made.records, made.failed, made.accounted) == (target, 1, 0, True)
    assert [each.field for each in made.fields] == list(field_paths())
    for each in (*made.fields, made.totals()):
        assert each.values == each.native + each.extension + each.not_placed
        assert each.coded <= each.native + each.extension
    for each in made.fields:
        assert sum(reason.count for reason in each.reasons) == each.not_placed
        if each.values and not each.not_placed:
            assert (each.native > 0) == (each.standing == "native")
    total = made.totals()
    assert total.values == sum(len(items) for items in leaf_values(record(tree)).values())
    assert made.totals("resultsSection").values == 3
    assert made.totals(f"{P}identificationModule").values == 14
    sections = [made.totals(path).values for path in made.groups(1)]
    assert sum(sections) == total.values
    assert total.placed_share == pytest.approx((total.native + total.extension) / total.values)
    assert made.totals("noSection").native_share is None


def test_every_field_without_home_has_its_reason() -> None:
    """A value whose field has no home is not placed, for the reason of the table."""
    made = covered(full_study(), "odm-1.3.2")
    for row in field_rows("odm-1.3.2"):
        if not row.home and row.path != "resultsSection":
            each = of_field(made, row.path)
            assert (each.values, each.not_placed) == (1, 1)
            assert each.reasons == [NotPlaced(code="field-not-mapped", reason=row.reason, count=1)]
            assert each.homes == ()


def test_a_date_that_is_none_is_not_placed() -> None:
    """An invalid date counts as not placed with its Issue's message, and as placed where its words are kept."""
    tree = study(statusModule={"startDateStruct": {"date": "13/2020"}})
    found = of_field(covered(tree), f"{START}.date")
    assert (found.values, found.native, found.not_placed) == (1, 0, 1)
    assert found.reasons == [NotPlaced(code="invalid-date", reason="'13/2020' is not a date", count=1)]
    assert of_field(covered(tree, "odm-2.0"), f"{START}.date").not_placed == 0


def test_all_that_goes_with_an_object_is_not_placed() -> None:
    """An Issue about an object concerns every value in it: a date is left out with its type."""
    posted = f"{P}statusModule.studyFirstPostDateStruct"
    made = covered(study(statusModule={"studyFirstPostDateStruct": {"date": "soon", "type": "ACTUAL"}}))
    assert [of_field(made, f"{posted}.{name}").not_placed for name in ("date", "type")] == [1, 1]
    assert made.totals().not_placed == 2


def test_a_number_out_of_range_is_not_placed() -> None:
    """A number that the target cannot hold counts as not placed there."""
    documents = [{"filename": "made-up.pdf", "size": 10}, {"filename": "made-up-2.pdf", "size": 2**40}]
    tree = study()
    tree["documentSection"] = {"largeDocumentModule": {"largeDocs": documents}}
    size = "documentSection.largeDocumentModule.largeDocs[].size"
    assert [
        (each.values, each.not_placed)
        for each in (of_field(covered(tree, name), size) for name in ("fhir-r4", "fhir-r5"))
    ] == [(2, 1), (2, 0)]


def test_links_that_lead_nowhere_are_placed() -> None:
    """A link to an arm or an intervention that is not listed is no action of the plan, and stands beside it."""
    module = {
        "armGroups": [{"label": "Made-up arm", "interventionNames": ["Drug: Made-up pill", "Drug: Other"]}],
        "interventions": [
            {"type": "DRUG", "name": "Made-up pill", "armGroupLabels": ["Made-up arm", "No arm", "Nor this"]}
        ],
    }
    made = covered(study(armsInterventionsModule=module))
    labels = of_field(made, f"{P}armsInterventionsModule.interventions[].armGroupLabels[]")
    assert (labels.values, labels.not_placed) == (3, 0)
    names = of_field(made, f"{P}armsInterventionsModule.armGroups[].interventionNames[]")
    assert (names.values, names.not_placed) == (2, 0)


def test_a_country_without_a_code_is_placed_only_as_text() -> None:
    """A country that no table knows stands as text in FHIR and ODM; TS takes a code or nothing."""
    tree = study(contactsLocationsModule={"locations": [{"country": "Madeupland"}, {"country": "France"}]})
    path = f"{CONTACTS}locations[].country"
    for target in ("fhir-r4", "fhir-r5", "odm-2.0", "usdm-4.0"):
        assert of_field(covered(tree, target), path).not_placed == 0, target
    found = of_field(covered(tree, "sdtm"), path)
    assert [(each.code, each.count) for each in found.reasons] == [("country-without-code", 1)]


@pytest.mark.parametrize("target", TARGETS)
def test_withheld_contacts_are_not_placed(target: str) -> None:
    """Without contacts their values count as not placed, and for the same number of values as with them."""
    with_contacts, without = covered(full_study(), target), covered(full_study(), target, contacts=False)
    assert with_contacts.totals().values == without.totals().values
    for path in withheld_fields(target):
        found = of_field(without, path)
        assert (found.not_placed, found.coded) == (1, 0)
        if found.homes:
            assert [reason.code for reason in found.reasons] == ["withheld-contact"]


def test_unknown_fields_are_told_apart_from_the_rest() -> None:
    """A field that the OpenAPI does not list, and a value of a wrong type, is in no number but listed."""
    tree = study(contactsLocationsModule={"locations": [{"city": "Ampelhausen", "planet": "X"}, {"planet": "Y"}]})
    tree["protocolSection"]["statusModule"]["whyStopped"] = 7
    made = covered(tree)
    assert [(each.code, each.path, each.count) for each in made.unread] == [
        ("wrong-type", f"{P}statusModule.whyStopped", 1),
        ("unknown-field", f"{CONTACTS}locations[].planet", 2),
    ]
    assert not made.accounted
    tree["protocolSection"]["contactsLocationsModule"] = {}
    assert covered(tree).accounted


def test_unknown_fields_in_the_results_are_told() -> None:
    """The results are looked through, too."""
    tree = study()
    tree["resultsSection"] = {"participantFlowModule": {"recruitmentDetails": "Made up", "shape": "round"}}
    made = covered(tree)
    assert [each.path for each in made.unread] == ["resultsSection.participantFlowModule.shape"]


def test_paths_of_unknown_fields_take_no_more_than_so_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of paths, unknown fields are counted together."""
    monkeypatch.setattr(placement, "_MOST_PATHS", 2)
    tree = study(statusModule={f"made{number}": number for number in range(5)})
    assert [(each.path.rpartition(".")[2], each.count) for each in covered(tree).unread] == [
        ("made0", 1),
        ("made1", 1),
        ("(other paths)", 3),
    ]


def test_a_field_without_a_row_is_not_accounted_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value whose field has neither a home nor a reason is unaccounted for."""
    title = f"{P}identificationModule.briefTitle"
    monkeypatch.setattr(
        placement, "field_row", lambda target, path: None if path == title else field_row(target, path)
    )
    made = covered(study())
    assert (of_field(made, title).unaccounted, of_field(made, title).not_placed) == (1, 1)
    assert (made.totals().unaccounted, made.accounted) == (1, False)


def test_two_ways_of_coding_are_refused() -> None:
    """A row of the table that mixes ways of coding, or names one that is none, is an error."""
    with pytest.raises(ValueError, match="more than one way"):
        coder_of(FieldRow("a", "X.y", "", "fhir_sex; unit:ucum_age_unit"))
    with pytest.raises(KeyError):
        coder_of(FieldRow("a", "X.y", "", "guessed:fhir_sex"))


def test_a_coverage_does_not_change_when_more_is_counted() -> None:
    """What a tally has returned stays as it is."""
    tally = Tally("fhir-r5")
    made = record(small())
    tally.add(made, leaf_values(made), [], {})
    before = tally.coverage()
    copy = msgspec.json.encode(before)
    tally.add(made, leaf_values(made), [], {})
    assert msgspec.json.encode(before) == copy
    assert tally.coverage().totals().values == 2 * before.totals().values


def test_a_record_that_cannot_be_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record on which a mapping fails is raised, or handed over and counted as failed, while others go on."""

    def fails(*_: Any) -> None:
        raise RuntimeError("made up")

    records = [record(study()), record(study("NCT99999902"))]
    first = records[0].nct_id
    real = Tally.add
    monkeypatch.setattr(
        Tally, "add", lambda self, made, *rest: (fails if made.nct_id == first else real)(self, made, *rest)
    )
    with pytest.raises(SourceError, match="made up"):
        trialconv.coverage(records)
    refused: list[SourceError] = []
    made = trialconv.coverage(records, on_error=refused.append)
    assert (made.records, made.failed, [each.issue.record for each in refused]) == (1, 1, [NCT])


def test_an_unknown_target_is_refused() -> None:
    """The Python interface names the targets that there are."""
    with pytest.raises(UsageError, match="fhir-r4"):
        trialconv.coverage([], "fhir-r3")


# The command.

SMALL = """\
fhir-r5: FHIR R5 Bundle, JSON; 1 record

section          values  native  extension  not placed  coded  native  placed
protocolSection      10       8          1           1      2  80.0 %  90.0 %
all                  10       8          1           1      2  80.0 %  90.0 %

field                                 values  native  extension  not placed  coded
protocolSection.identificationModule       2       2          -           -      -
  nctId                                    1       1          -           -      -
  briefTitle                               1       1          -           -      -
protocolSection.statusModule               4       2          1           1      1
  overallStatus                            1       1          -           -      1
  startDateStruct.date                     1       -          -           1      -
  lastUpdatePostDateStruct.date            1       1          -           -      -
  lastUpdatePostDateStruct.type            1       -          1           -      -
protocolSection.conditionsModule           3       3          -           -      -
  conditions[]                             1       1          -           -      -
  keywords[]                               2       2          -           -      -
protocolSection.designModule               1       1          -           -      1
  studyType                                1       1          -           -      1

not placed:
1  'soon' is not a date (invalid-date)
     protocolSection.statusModule.startDateStruct.date
"""


def small() -> Tree:
    """Return a small study with a date that is none."""
    words = {"conditions": ["Made-up Fever"], "keywords": ["made", "up"]}
    return study(statusModule={"startDateStruct": {"date": "soon"}}, conditionsModule=words)


def test_text(tmp_path: Path) -> None:
    """The text is a table of sections, a table of fields, and the reasons."""
    ran = run("coverage", *files(tmp_path, small()), "--target", "fhir-r5")
    assert (ran.code, ran.out.decode(), ran.err) == (0, SMALL, "")


def test_all_targets_in_their_order(tmp_path: Path) -> None:
    """Without --target each target has its table; a target named twice has one."""
    (path,) = files(tmp_path, study())
    heads = [line for line in run("coverage", path).out.decode().splitlines() if line.endswith("1 record")]
    assert [line.partition(":")[0] for line in heads] == list(TARGETS)
    ran = run(
        "coverage", path, "--target", "odm-2.0", "--target", "fhir-r4", "--target", "odm-2.0", "--format", "json"
    )
    assert [each["target"] for each in ran.document["targets"]] == ["odm-2.0", "fhir-r4"]


def test_all_lists_fields_that_do_not_occur(tmp_path: Path) -> None:
    """With --all every field has a line, without it a module of which nothing is placed has one."""
    tree = study()
    tree["resultsSection"] = RESULTS
    (path,) = files(tmp_path, tree)
    short = run("coverage", path, "--target", "fhir-r5").out.decode()
    long = run("coverage", path, "--target", "fhir-r5", "--all").out.decode()
    assert "resultsSection.participantFlowModule       3       -          -           3" in short
    assert "  groups[].id" not in short
    lines = [line for line in long.splitlines() if line.startswith(("  ", "hasResults"))]
    assert len(lines) >= 344
    assert any(line.startswith("  groups[].id ") for line in lines)


def test_json(tmp_path: Path) -> None:
    """The JSON has the sums of all, of sections and of modules, and every field of the OpenAPI."""
    (target,) = run("coverage", *files(tmp_path, small()), "--target", "fhir-r5", "--format", "json").document[
        "targets"
    ]
    assert list(target) == [
        "target",
        "title",
        "records",
        "failed",
        "total",
        "sections",
        "modules",
        "fields",
        "unread",
    ]
    assert (target["target"], target["title"]) == ("fhir-r5", "FHIR R5 Bundle, JSON")
    assert (target["records"], target["failed"], target["unread"]) == (1, 0, [])
    assert target["total"] == {
        "values": 10,
        "native": 8,
        "extension": 1,
        "notPlaced": 1,
        "coded": 2,
        "unaccounted": 0,
        "nativeShare": 0.8,
        "placedShare": 0.9,
    }
    assert target["sections"][0] == {"path": "protocolSection", **target["total"]}
    by_path = {each["path"]: each for each in target["modules"]}
    assert by_path[f"{P}conditionsModule"]["values"] == 3
    assert by_path[f"{P}outcomesModule"]["nativeShare"] is None
    assert [each["field"] for each in target["fields"]] == list(field_paths())
    (date,) = (each for each in target["fields"] if each["field"] == f"{START}.date")
    assert date == {
        "values": 1,
        "native": 0,
        "extension": 0,
        "notPlaced": 1,
        "coded": 0,
        "unaccounted": 0,
        "field": f"{START}.date",
        "homes": ["ResearchStudy.period.start"],
        "standing": "native",
        "reasons": [{"code": "invalid-date", "reason": "'soon' is not a date", "count": 1}],
    }


def test_json_is_the_same_again(tmp_path: Path) -> None:
    """Equal records give equal bytes, in the text and in the JSON."""
    paths = files(tmp_path, full_study(), small())
    for form in ("text", "json"):
        assert run("coverage", *paths, "--format", form).out == run("coverage", *paths, "--format", form).out


def test_several_sources_and_standard_input(tmp_path: Path) -> None:
    """Sources are added up; one of them may be standard input."""
    paths = files(tmp_path, study(), study("NCT99999902"))
    ran = run(
        "coverage", *paths, "-", "--target", "fhir-r4", "--format", "json", stdin=encoded(study("NCT99999903"))
    )
    assert ran.document["targets"][0]["records"] == 3
    assert ran.document["targets"][0]["total"]["values"] == 18


def strict(folder: Path, tree: Tree, *options: str) -> Ran:
    """Run the command on a study with --strict."""
    return run("coverage", *files(folder, tree), "--strict", *options)


def test_strict(tmp_path: Path) -> None:
    """With --strict an unknown field gives exit code 3; a loss with a reason does not."""
    assert strict(tmp_path, small()).code == 0
    unknown = study(statusModule={"made": "up"})
    ran = strict(tmp_path, unknown, "--target", "odm-1.3.2")
    assert ran.code == 3
    assert "protocolSection.statusModule.made" in ran.out.decode()
    assert run("coverage", *files(tmp_path, unknown)).code == 0


def test_strict_about_a_field_that_nobody_accounts_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --strict a value without a home and without a reason gives exit code 3, and is told."""
    title = f"{P}identificationModule.briefTitle"
    monkeypatch.setattr(
        placement,
        "field_row",
        lambda target, path: FieldRow(path, "", "") if path == title else field_row(target, path),
    )
    ran = strict(tmp_path, study(), "--target", "fhir-r5")
    assert ran.code == 3
    assert "neither a home nor a reason" in ran.out.decode()
    assert title in ran.out.decode()


def test_no_contacts(tmp_path: Path) -> None:
    """With --no-contacts what is left out is told with its reason."""
    contacts = {"centralContacts": [{"name": "Mara Made-up", "email": "mara@example.org"}]}
    (path,) = files(tmp_path, study(contactsLocationsModule=contacts))
    ran = run("coverage", path, "--target", "fhir-r5", "--no-contacts")
    assert "2  contacts were left out (withheld-contact)" in ran.out.decode()


def test_a_bad_target_or_format_is_a_wrong_option(tmp_path: Path) -> None:
    """A target or a form that is not there gives exit code 2 and names those that are."""
    (path,) = files(tmp_path, study())
    ran = run("coverage", path, "--target", "fhir-r3")
    assert (ran.code, ran.out) == (2, b"")
    assert "fhir-r5" in ran.err
    assert run("coverage", path, "--format", "yaml").code == 2
    assert run("coverage").code == 2


def test_a_source_that_holds_nothing(tmp_path: Path) -> None:
    """An empty folder, an empty input and a file that is not there are told, and give exit code 4."""
    (tmp_path / "empty").mkdir()
    for source, code in (("empty", "empty-source"), ("nothing.json", "unreadable-source")):
        ran = run("coverage", tmp_path / source, "--target", "fhir-r5")
        assert ran.code == 4
        assert code in ran.err
        assert ran.out.startswith(b"fhir-r5: FHIR R5 Bundle, JSON; 0 records, 1 failed\n")
    assert run("coverage", "-", "--target", "fhir-r5").code == 4


def test_a_bad_record_does_not_stop_the_others(tmp_path: Path) -> None:
    """What is no study is reported and counted as failed; the exit code says so, even with --strict."""
    path = tmp_path / "studies.ndjson"
    path.write_bytes(b"\n".join((encoded(study()), b"{}", encoded(study("NCT99999902")))))
    ran = run("coverage", path, "--target", "fhir-r5", "--format", "json", "--strict")
    assert ran.code == 4
    assert "not-a-study" in ran.err
    (target,) = ran.document["targets"]
    assert (target["records"], target["failed"]) == (2, 1)


def test_other_formats_are_read(example_page: Path) -> None:
    """A text page is counted like any record."""
    ran = run("coverage", example_page, "--target", "odm-2.0", "--format", "json", "--strict")
    assert ran.code == 0
    assert ran.document["targets"][0]["total"]["placedShare"] == 1.0


def test_protocol_of_real_records_is_placed(smoke_studies: list[tuple[str, bytes]], tmp_path: Path) -> None:
    """Of real records, every value of the protocol is placed in FHIR, and four of five natively in R5."""
    path = tmp_path / "studies.ndjson"
    path.write_bytes(b"\n".join(json.dumps(json.loads(data)).encode() for _, data in smoke_studies))
    ran = run("coverage", path, "--format", "json", "--target", "fhir-r4", "--target", "fhir-r5")
    shares = {
        each["target"]: next(part for part in each["sections"] if part["path"] == "protocolSection")
        for each in ran.document["targets"]
    }
    assert shares["fhir-r4"]["placedShare"] == shares["fhir-r5"]["placedShare"] == 1.0
    assert shares["fhir-r5"]["nativeShare"] > 0.8
