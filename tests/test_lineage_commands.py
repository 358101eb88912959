"""The option --lineage of the converting commands, and the command explain."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from command_runner import Ran, run
from made_up import encoded, full_study, study

STATUS = "protocolSection.statusModule.overallStatus"
NUMBER = "identificationModule.nctId"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file with one study in which every field is filled."""
    path = tmp_path / "study.json"
    path.write_bytes(encoded(full_study()))
    return path


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """Return a file with two studies."""
    path = tmp_path / "studies.ndjson"
    path.write_bytes(b"\n".join((encoded(study()), encoded(study("NCT99999902")))))
    return path


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a lineage in JSON."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def explain(source: Path, *arguments: str) -> Ran:
    """Explain a path of a study."""
    return run("explain", source, *arguments)


@pytest.mark.parametrize(
    "command",
    [("to-fhir",), ("to-fhir", "--format", "xml"), ("to-odm",), ("to-usdm",), ("to-sdtm", "--dataset", "TS")],
    ids=" ".join,
)
def test_document_is_the_same(command: tuple[str, ...], source: Path, tmp_path: Path) -> None:
    """With a lineage a command writes the bytes that it writes without one."""
    without, beside = run(*command, source), run(*command, source, "--lineage", tmp_path / "lineage.jsonl")
    assert (without.code, beside.code) == (0, 0)
    assert beside.out == without.out
    assert {line["side"] for line in lines(tmp_path / "lineage.jsonl")} == {"document", "record"}


def test_json_lines(source: Path, tmp_path: Path) -> None:
    """Each leaf is a line that says what and where it is, how it came about, and from what."""
    path = tmp_path / "lineage.jsonl"
    assert run("to-fhir", source, "--lineage", path).code == 0
    (made,) = [line for line in lines(path) if line["path"] == "Bundle.entry[0].resource.title"]
    assert made == {
        "side": "document",
        "record": "NCT99999901",
        "target": "fhir-r4",
        "path": "Bundle.entry[0].resource.title",
        "place": "ResearchStudy/NCT99999901.title",
        "element": "ResearchStudy.title",
        "value": "Made-up briefTitle 9",
        "how": "copied",
        "sources": ["protocolSection.identificationModule.briefTitle"],
    }
    (coded,) = [line for line in lines(path) if line.get("element") == "ActivityDefinition.kind"]
    assert (coded["how"], coded["table"]) == ("coded", "fhir_activity_kind")
    assert coded["row"]["source"] == "DRUG"
    (went,) = [line for line in lines(path) if line["side"] == "record" and line["path"].endswith("briefTitle")]
    assert went["elements"][:1] == ["ResearchStudy.title"]


def test_csv(source: Path, tmp_path: Path) -> None:
    """A name that ends in .csv gives CSV with the same content."""
    assert run("to-odm", source, "--lineage", tmp_path / "a.csv").code == 0
    assert run("to-odm", source, "--lineage", tmp_path / "a.jsonl").code == 0
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    expected = lines(tmp_path / "a.jsonl")
    assert len(rows) == len(expected)
    for row, line in zip(rows, expected, strict=True):
        assert row["path"] == line["path"]
        assert row["sources"] == "; ".join(line.get("sources", ()))
        assert row["elements"] == "; ".join(line.get("elements", ()))
        assert row["row code"] == line.get("row", {}).get("code", "")
        assert row["reason"] == line.get("reason", "")


def test_several_records(several: Path, tmp_path: Path) -> None:
    """The lines of several records carry the id of each."""
    path = tmp_path / "lineage.jsonl"
    assert run("to-usdm", several, "--out", tmp_path / "out", "--lineage", path).code == 0
    assert list(dict.fromkeys(line["record"] for line in lines(path))) == ["NCT99999901", "NCT99999902"]


def test_files_of_a_package_are_named(source: Path, tmp_path: Path) -> None:
    """The leaves of a target with several files say in which of them they are."""
    path = tmp_path / "lineage.jsonl"
    assert run("to-sdtm", source, "--out", tmp_path / "out", "--lineage", path).code == 0
    assert {line["file"] for line in lines(path) if line["side"] == "document"} == {"ts.json", "define.xml"}


def test_parts_of_a_bundle_are_named(source: Path, tmp_path: Path) -> None:
    """Of a bundle that is cut, paths are those in the files that are written."""
    path, out = tmp_path / "lineage.jsonl", tmp_path / "out"
    options = ("--max-entries", "5", "--request", "conditional-create")
    assert run("to-fhir", source, "--out", out, *options, "--lineage", path).code == 0
    files = {line["file"] for line in lines(path) if line["side"] == "document"}
    assert files == {each.name for each in out.iterdir()}
    for line in lines(path):
        if line["path"] == "Bundle.entry[0].fullUrl":
            assert json.loads((out / line["file"]).read_bytes())["entry"][0]["fullUrl"] == line["value"]


def test_bulk_files_are_named(source: Path, tmp_path: Path) -> None:
    """Of bulk data, leaves are those of the resources in the files."""
    path, out = tmp_path / "lineage.jsonl", tmp_path / "out"
    assert run("to-fhir", source, "--format", "ndjson", "--out", out, "--lineage", path).code == 0
    made = [line for line in lines(path) if line["side"] == "document"]
    assert {line["file"] for line in made} == {each.name for each in out.iterdir()}
    assert any(line["path"] == "ResearchStudy/NCT99999901.title" for line in made)


def test_standard_output(source: Path, tmp_path: Path) -> None:
    """The lineage goes to standard output where the documents go elsewhere."""
    ran = run("to-fhir", source, "--out", tmp_path / "out", "--lineage", "-")
    assert ran.code == 0
    assert len(ran.documents) > 900
    refused = run("to-fhir", source, "--lineage", "-")
    assert (refused.code, refused.out) == (2, b"")
    assert "--out" in refused.err


def test_nothing_is_written_over(source: Path, tmp_path: Path) -> None:
    """A file that exists stays, unless --force is given."""
    path = tmp_path / "lineage.jsonl"
    path.write_text("mine")
    assert run("to-fhir", source, "--lineage", path).code == 5
    assert path.read_text() == "mine"
    assert run("to-fhir", source, "--lineage", path, "--force").code == 0
    assert len(lines(path)) > 900
    assert run("to-fhir", source, "--lineage", tmp_path).code == 2
    assert run("to-fhir", source, "--out", path, "--lineage", path, "--force").code == 2


def test_complete_or_not_there(several: Path, tmp_path: Path) -> None:
    """A call that ends before its time leaves no lineage."""
    folder = tmp_path / "lineage"
    ran = run("to-odm", several, "--lineage", folder / "lineage.jsonl")
    assert ran.code == 2
    assert list(folder.iterdir()) == []


def test_documents_that_are_not_written_have_none(source: Path, tmp_path: Path) -> None:
    """A document that was refused is not in the lineage."""
    out, path = tmp_path / "out", tmp_path / "lineage.jsonl"
    assert run("to-fhir", source, "--out", out).code == 0
    assert run("to-fhir", source, "--out", out, "--lineage", path).code == 5
    assert path.read_bytes() == b""


def test_explain_a_leaf(source: Path) -> None:
    """A path of a document is told with its value, its source, and the row that coded it."""
    ran = explain(source, "ResearchStudy.primaryPurposeType.coding.code")
    assert ran.code == 0
    text = ran.out.decode()
    assert "primaryPurposeType.coding[0].code = 'basic-science'" in text
    assert "<- protocolSection.designModule.designInfo.primaryPurpose: coded by the row BASIC_SCIENCE" in text
    assert "of the table fhir_r4_primary_purpose, equivalent" in text
    assert "at Bundle.entry[0].resource.primaryPurposeType.coding[0].code (fhir-r4)" in text


@pytest.mark.parametrize("path", [STATUS, "overallStatus", "statusModule.overallStatus"])
def test_explain_a_source(path: str, source: Path) -> None:
    """A path of the record, or its end, is told with the leaves that it went to."""
    text = explain(source, path).out.decode()
    assert text.startswith(f"{STATUS} = 'UNKNOWN'\n  in fhir-r4:\n  -> ResearchStudy/NCT99999901.")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("Bundle.entry[0].resource.title", "Made-up briefTitle 9"),
        ("ResearchStudy/NCT99999901.title", "Made-up briefTitle 9"),
        ("ResearchStudy.identifier[0].value", "NCT99999901"),
        ("StudyParameter[@OID='PAR.TITLE']/ParameterValue/@Value", "Made-up officialTitle 10"),
        ("//StudyParameter[@OID='PAR.TITLE']/ParameterValue", "Made-up officialTitle 10"),
        ("TS[TITLE].TSVAL", "Made-up officialTitle 10"),
        ("StudyIntervention.label", "Made-up pill"),
        ("StudyIntervention_1.label", "Made-up pill"),
        ("StudyIntervention_1.type.code", "C1909"),
    ],
)
def test_explain_finds_the_target(path: str, expected: str, source: Path) -> None:
    """Without a target, the first one that knows the path answers."""
    ran = explain(source, path)
    assert ran.code == 0
    assert f"= '{expected}'\n" in ran.out.decode()


def test_explain_why_not(source: Path) -> None:
    """What is not in the document is told with the reason."""
    text = explain(source, "oversightModule.isUsExport", "--target", "sdtm").out.decode()
    assert "is not in sdtm: " in text


def test_explain_in_json(source: Path) -> None:
    """JSON gives the lines of a lineage."""
    made = explain(source, "overallStatus", "--format", "json", "--target", "fhir-r5").documents
    assert [line["side"] for line in made[:2]] == ["record", "document"]
    assert all(STATUS in line["sources"] for line in made[1:])


def test_explain_names_the_first(source: Path) -> None:
    """Of many leaves some are named, and all on request."""
    short, full = explain(source, NUMBER).out.decode(), explain(source, NUMBER, "--all").out.decode()
    assert "more; --all names them" in short
    assert "more; --all names them" not in full
    assert len(full) > len(short)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("ReserchStudy.status", "near it are ResearchStudy.status"),
        ("overalStatus", "overallStatus"),
        ("interventions[0].nam", "neither in the record nor in its document"),
        ("phone", "is the end of several paths: "),
    ],
)
def test_explain_does_not_know(path: str, message: str, source: Path) -> None:
    """A path that means nothing, or several things, is a usage error that helps."""
    ran = explain(source, path)
    assert (ran.code, ran.out) == (2, b"")
    assert message in ran.err


def test_explain_what_is_empty(several: Path) -> None:
    """A field that the record leaves empty is told so."""
    ran = explain(several, "whyStopped", "--record", "NCT99999902")
    assert ran.code == 2
    assert "the record says nothing in protocolSection.statusModule.whyStopped" in ran.err


def test_explain_one_record(several: Path, tmp_path: Path) -> None:
    """Of several records one is chosen."""
    assert "NCT99999902" in explain(several, "nctId", "--record", "NCT99999902").out.decode()
    assert "--record" in explain(several, "nctId").err
    assert "has no record NCT99999903" in explain(several, "nctId", "--record", "NCT99999903").err
    assert explain(tmp_path / "none.json", "nctId").code != 0
