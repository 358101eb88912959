"""The commands to-sdtm and codes, and validate with trial design datasets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from made_up import study
from trialconv_mappings.tables import table_names

NCT = "NCT99999901"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file with one study."""
    tree = study(
        identificationModule={"officialTitle": "A made-up study"},
        designModule={"studyType": "INTERVENTIONAL", "designInfo": {"primaryPurpose": "ECT"}},
        eligibilityModule={"eligibilityCriteria": "Inclusion Criteria:\n\n* Made-up fever\n"},
    )
    path = tmp_path / "study.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return a folder with three studies."""
    folder = tmp_path / "studies"
    folder.mkdir()
    for number in (1, 2, 3):
        tree = study(designModule={"studyType": "OBSERVATIONAL", "designInfo": {"timePerspective": "OTHER"}})
        tree["protocolSection"]["identificationModule"]["nctId"] = f"NCT9999990{number}"
        (folder / f"{number}.json").write_text(json.dumps(tree), encoding="utf-8")
    return folder


def names(folder: Path) -> list[str]:
    """Return the names of all files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("dataset-json", ["define.xml", "ti.json", "ts.json"]),
        ("xport", ["define.xml", "ti.xpt", "ts.xpt"]),
        ("both", ["define.xml", "ti.json", "ti.xpt", "ts.json", "ts.xpt"]),
    ],
)
def test_one_study_fills_the_folder(source: Path, tmp_path: Path, kind: str, files: list[str]) -> None:
    """One study's files stand in the folder itself, and each is valid."""
    out = tmp_path / "sdtm"
    done = run("to-sdtm", source, "--format", kind, "--out", out)
    assert done.code == 0, done.err
    assert done.out == b""
    assert names(out) == files
    checked = run("validate", *(out / name for name in files))
    assert (checked.code, checked.out) == (0, b"")


def test_several_studies_have_a_folder_each(several: Path, tmp_path: Path) -> None:
    """Several studies get a folder each, named by their numbers."""
    out = tmp_path / "sdtm"
    assert run("to-sdtm", several, "--out", out).code == 0
    assert names(out) == [f"NCT9999990{n}/{name}" for n in (1, 2, 3) for name in ("define.xml", "ts.json")]


def test_nothing_is_written_over_without_force(source: Path, tmp_path: Path) -> None:
    """A second run changes nothing and says so, unless it is forced; a file that was there stays whole."""
    out = tmp_path / "sdtm"
    out.mkdir()
    (out / "ts.json").write_text("mine", encoding="utf-8")
    done = run("to-sdtm", source, "--out", out)
    assert done.code == 5
    assert "exists; --force overwrites it" in done.err
    assert names(out) == ["ts.json"]
    assert run("to-sdtm", source, "--out", out, "--force").code == 0
    assert (out / "ts.json").read_bytes() != b"mine"
    first = {name: (out / name).read_bytes() for name in names(out)}
    assert run("to-sdtm", source, "--out", out, "--force").code == 0
    assert {name: (out / name).read_bytes() for name in names(out)} == first


def test_one_study_that_is_there_does_not_keep_others_out(several: Path, tmp_path: Path) -> None:
    """Of several studies only the one whose files exist is not written, be it the first or another."""
    for number in (1, 2):
        out = tmp_path / f"sdtm-{number}"
        (out / f"NCT9999990{number}").mkdir(parents=True)
        (out / f"NCT9999990{number}" / "define.xml").write_text("mine", encoding="utf-8")
        done = run("to-sdtm", several, "--out", out)
        assert done.code == 5
        assert "1 not written" in done.err
        assert (out / f"NCT9999990{number}" / "define.xml").read_bytes() == b"mine"
        assert len(names(out)) == 5


def test_a_study_that_comes_twice_is_written_once(source: Path, tmp_path: Path) -> None:
    """The second time a study comes it is reported, and not written."""
    out = tmp_path / "sdtm"
    done = run("to-sdtm", source, source, "--out", out)
    assert done.code == 5
    assert "has the study twice" in done.err
    assert names(out) == [f"{NCT}/{name}" for name in ("define.xml", "ti.json", "ts.json")]


@pytest.mark.parametrize(("name", "text"), [("TS", "A made-up study"), ("TI", "Made-up fever")])
def test_one_dataset_goes_to_standard_output(source: Path, name: str, text: str) -> None:
    """With --dataset the one dataset is on standard output, as Dataset-JSON."""
    done = run("to-sdtm", source, "--dataset", name)
    assert done.code == 0, done.err
    assert done.document["name"] == name
    assert done.document["records"] == len(done.document["rows"])
    assert any(text in row for row in done.document["rows"])


def test_dataset_without_criteria_has_no_rows(several: Path, tmp_path: Path) -> None:
    """A TI that is asked for alone has no rows where there are no criteria, and a warning says so."""
    done = run("to-sdtm", several / "1.json", "--dataset", "TI", "--fail-on", "warning")
    assert done.document["rows"] == []
    assert "CORE-000579" in done.err
    assert done.code == 3
    assert [each["name"] for each in run("to-sdtm", several, "--dataset", "TS").documents] == ["TS"] * 3
    out = tmp_path / "ts"
    assert run("to-sdtm", several, "--dataset", "TS", "--out", out).code == 0
    assert names(out) == [f"NCT9999990{n}.json" for n in (1, 2, 3)]


def test_minimal_is_one_transport_file(source: Path, tmp_path: Path) -> None:
    """With --minimal there is a ts.xpt and nothing else, with the STUDYID that was asked for."""
    out = tmp_path / "sdtm"
    done = run("to-sdtm", source, "--minimal", "--study-id", "SUBMITTED-1", "--out", out)
    assert done.code == 0, done.err
    assert names(out) == ["ts.xpt"]
    assert b"SUBMITTED-1" in (out / "ts.xpt").read_bytes()
    assert run("validate", out / "ts.xpt").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a folder for them with --out"),
        (["--minimal"], "give a folder for them with --out"),
        (["--minimal", "--dataset", "TS"], "--minimal is one ts.xpt"),
        (["--minimal", "--format", "xport"], "--minimal is one ts.xpt"),
        (["--dataset", "TS", "--format", "xport"], "--dataset is Dataset-JSON"),
        (["--dataset", "TA"], "'TA' is not one of"),
        (["--dataset", "TS", "--study-id", "\u00e4"], "is no STUDYID"),
        (["--dataset", "TS", "--study-id", " x"], "is no STUDYID"),
    ],
)
def test_options_that_do_not_go_together_are_refused(source: Path, arguments: list[str], message: str) -> None:
    """A wrong combination of options is named, and nothing is converted."""
    done = run("to-sdtm", source, *arguments)
    assert (done.code, done.out) == (2, b"")
    assert message in done.err


def test_study_id_is_of_one_study(several: Path, tmp_path: Path) -> None:
    """One STUDYID does not fit several studies."""
    done = run("to-sdtm", several, "--study-id", "SUBMITTED-1", "--out", tmp_path / "sdtm")
    assert done.code == 2
    assert "--study-id is of one study" in done.err


def test_out_is_a_folder(source: Path) -> None:
    """A file cannot hold the files of a study."""
    done = run("to-sdtm", source, "--out", source)
    assert done.code == 2
    assert "is a file" in done.err


def test_pretty_indents_the_datasets_only(source: Path, tmp_path: Path) -> None:
    """With --pretty the Dataset-JSON is indented; what it says stays."""
    out, pretty = tmp_path / "sdtm", tmp_path / "pretty"
    assert run("to-sdtm", source, "--format", "both", "--out", out).code == 0
    assert run("to-sdtm", source, "--format", "both", "--pretty", "--out", pretty).code == 0
    assert b'\n  "datasetJSONVersion"' in (pretty / "ts.json").read_bytes()
    assert json.loads((pretty / "ts.json").read_bytes()) == json.loads((out / "ts.json").read_bytes())
    assert (pretty / "ts.xpt").read_bytes() == (out / "ts.xpt").read_bytes()


def test_broken_dataset_is_named_with_its_row_and_rule(source: Path, tmp_path: Path) -> None:
    """The message of a breach has the file, the row, the parameter and the rule."""
    dataset = run("to-sdtm", source, "--dataset", "TS").document
    row = next(row for row in dataset["rows"] if row[4] == "AGEMAX")
    row[6], row[7] = "64 Years", None
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(dataset), encoding="utf-8")
    done = run("validate", path)
    assert done.code == 3
    place = f"TS row {dataset['rows'].index(row) + 1} (AGEMAX.1)"
    assert f"error: {path}: {place}: AGEMAX is an ISO 8601 duration" in done.out.decode()
    assert "[CORE-000294]" in done.out.decode()


# codes


def lines(*arguments: str | Path) -> list[dict[str, Any]]:
    """Return the JSON lines of a command that succeeds."""
    done = run(*arguments, "--format", "json")
    assert done.code == 0, done.err
    return list(done.documents)


def test_codes_list_has_every_table_with_its_codelist() -> None:
    """Every table is listed; those of CDISC have the codelist and its version."""
    tables = {each["table"]: each for each in lines("codes", "list")}
    assert list(tables) == table_names()
    assert tables["cdisc_trial_phase"]["codelist"] == "C66737 TPHASE"
    assert tables["cdisc_trial_phase"]["version"] == "2026-03-27"
    assert tables["fhir_sex"]["version"] == ""
    text = run("codes", "list").out.decode().splitlines()
    assert len(text) == len(tables) + 1
    assert text[0].split("  ")[0] == "table"


def test_codes_list_shows_one_table() -> None:
    """The rows of a table are shown with source, code and display."""
    rows = lines("codes", "list", "cdisc_sex")
    assert [(row["source"], row["code"], row["display"]) for row in rows] == [
        ("ALL", "C49636", "BOTH"),
        ("FEMALE", "C16576", "F"),
        ("MALE", "C20197", "M"),
    ]
    assert run("codes", "list", "cdisc_sex").out.decode().splitlines()[0].split() == ["ALL", "C49636", "BOTH"]


def test_codes_list_refuses_an_unknown_table() -> None:
    """A table that does not exist is a wrong option."""
    done = run("codes", "list", "cdisc_nothing")
    assert done.code == 2
    assert "no code table is called 'cdisc_nothing'" in done.err


@pytest.mark.parametrize("target", ["sdtm", "odm-2.0"])
def test_codes_missing_counts_records(several: Path, source: Path, target: str) -> None:
    """Values without a code come with the number of records, the commonest first, and the reason."""
    found = lines("codes", "missing", several, source, "--target", target)
    wanted = [(each["records"], each["table"], each["value"]) for each in found]
    assert (3, "cdisc_time_perspective", "OTHER") in wanted
    assert (1, "cdisc_primary_purpose", "ECT") in wanted
    assert [each["records"] for each in found] == sorted((each["records"] for each in found), reverse=True)
    assert all(each["decided"] and each["reason"].startswith("no code") for each in found)


@pytest.mark.parametrize("target", ["fhir-r4", "odm-2.0", "sdtm"])
def test_codes_missing_tells_unknown_words_from_decided_ones(tmp_path: Path, target: str) -> None:
    """A word that no table has is listed as not decided, in every record that has it."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for number in (1, 2):
        tree = study(eligibilityModule={"sex": "UNHEARD_OF"})
        tree["protocolSection"]["identificationModule"]["nctId"] = f"NCT9999990{number}"
        (folder / f"{number}.json").write_text(json.dumps(tree), encoding="utf-8")
    (found,) = [
        each for each in lines("codes", "missing", folder, "--target", target) if each["value"] == "UNHEARD_OF"
    ]
    assert (found["records"], found["decided"], found["reason"]) == (2, False, "no row in the table")


def test_codes_missing_without_any_says_nothing(tmp_path: Path) -> None:
    """Records whose values all have codes give no line."""
    path = tmp_path / "study.json"
    path.write_text(json.dumps(study()), encoding="utf-8")
    done = run("codes", "missing", path, "--target", "sdtm")
    assert (done.code, done.out) == (0, b"")


def test_codes_missing_reports_what_cannot_be_read(source: Path, tmp_path: Path) -> None:
    """A record that cannot be read is reported, and the others are counted."""
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    done = run("codes", "missing", broken, source, "--target", "sdtm")
    assert done.code == 4
    assert "broken.json" in done.err
    assert "ECT" in done.out.decode()
