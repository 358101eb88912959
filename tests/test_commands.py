"""The command line: what goes where, what is never written over, and what each exit code means."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from made_up import encoded, extensions, full_study, study
from trialconv import __version__
from trialconv.validators.odm import validate_odm_xml
from trialconv.validators.odm_json import validate_odm_json

ONE, TWO = study("NCT99999901"), study("NCT99999902")
COMMANDS = [
    ["to-fhir"],
    ["to-fhir", "--fhir-version", "R4B"],
    ["to-fhir", "--fhir-version", "R5"],
    ["to-odm"],
    ["to-odm", "--odm-version", "1.3.2"],
    ["to-odm", "--odm-version", "1.3.2", "--plain"],
    ["to-odm", "--format", "json"],
    ["to-usdm"],
]
#: A base that no url can begin with, which makes every bundle invalid.
BROKEN = ["--base", "http://a b"]


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a file with one study."""
    return written(tmp_path / "one.json", ONE)


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Return a file with two studies."""
    path = tmp_path / "two.ndjson"
    path.write_bytes(encoded(ONE) + b"\n" + encoded(TWO) + b"\n")
    return path


def written(path: Path, tree: Any) -> Path:
    """Write a study to a file and return its path."""
    path.write_bytes(encoded(tree))
    return path


def names(folder: Path) -> list[str]:
    """Return the names of the files of a folder, hidden ones included."""
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


# Where documents go


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_one_study_goes_to_standard_output(command: list[str], one: Path) -> None:
    """One study gives one document on standard output, with a line end, and talk on standard error only."""
    ran = run(*command, one)
    assert ran.code == 0
    assert ran.out.endswith(b"\n")
    assert "1 converted" in ran.err
    if "json" in command:
        assert validate_odm_json(ran.out) == []
    elif command[0] == "to-odm":
        assert validate_odm_xml(ran.out) == []
    elif command[0] == "to-usdm":
        assert ran.document["study"]["name"] == "NCT99999901"
    else:
        assert ran.document["entry"][0]["resource"]["id"] == "NCT99999901"


def test_several_studies_go_to_standard_output_as_ndjson(two: Path, one: Path) -> None:
    """Several studies, of one source or of several, give one bundle a line."""
    ran = run("to-fhir", two)
    assert (ran.code, len(ran.documents)) == (0, 2)
    ran = run("to-fhir", one, two, one)
    assert [made["entry"][0]["resource"]["id"][-1] for made in ran.documents] == ["1", "1", "2", "1"]
    assert ran.out.endswith(b"}\n")


def test_several_odm_documents_need_a_folder(two: Path, tmp_path: Path) -> None:
    """Several ODM documents do not fit into standard output: exit code 2, and nothing is written there."""
    ran = run("to-odm", two)
    assert (ran.code, ran.out) == (2, b"")
    assert "--out" in ran.err
    assert run("to-odm", two, "--out", tmp_path / "odm").code == 0
    assert names(tmp_path / "odm") == ["NCT99999901.xml", "NCT99999902.xml"]


def test_usdm_documents_go_where_bundles_go(two: Path, tmp_path: Path) -> None:
    """Several USDM documents are one a line, or a file each that is not written over; each is valid."""
    ran = run("to-usdm", two)
    assert [made["study"]["name"] for made in ran.documents] == ["NCT99999901", "NCT99999902"]
    folder = tmp_path / "usdm"
    assert run("to-usdm", two, "--out", folder, "--pretty").code == 0
    assert names(folder) == ["NCT99999901.json", "NCT99999902.json"]
    assert run("validate", *(folder / name for name in names(folder))).code == 0
    assert run("to-usdm", two, "--out", folder).code == 5
    assert run("to-usdm", two, "--out", folder, "--force").code == 0


def test_what_usdm_fills_in_is_told_on_request(one: Path) -> None:
    """Placeholders are information: told with -v, silent without, and no reason to fail on warnings."""
    ran = run("to-usdm", one, "--fail-on", "warning")
    assert ran.code == 0
    assert re.fullmatch(r"1 converted; issues: \d+ information\n", ran.err)
    assert "(filled-in)" in run("to-usdm", one, "-v").err


def test_standard_input(one: Path) -> None:
    """A dash reads standard input, and gives what the file gives."""
    assert run("to-fhir", "-", stdin=encoded(ONE)).out == run("to-fhir", one).out
    assert len(run("to-fhir", "-", stdin=encoded(ONE) + b"\n" + encoded(TWO)).documents) == 2


def test_folder_gets_one_file_per_study(two: Path, tmp_path: Path) -> None:
    """--out with a folder makes it and writes a file per study, and nothing to standard output."""
    ran = run("to-fhir", two, "--out", tmp_path / "deep" / "out")
    assert (ran.code, ran.out) == (0, b"")
    assert names(tmp_path / "deep" / "out") == ["NCT99999901.json", "NCT99999902.json"]


def test_file_gets_the_study(one: Path, tmp_path: Path) -> None:
    """--out with a file name that has the target's suffix writes this file."""
    assert run("to-fhir", one, "-o", tmp_path / "my.json").code == 0
    assert json.loads((tmp_path / "my.json").read_bytes())["resourceType"] == "Bundle"
    assert run("to-odm", one, "-o", tmp_path / "my.xml").code == 0
    assert validate_odm_xml((tmp_path / "my.xml").read_bytes()) == []


def test_file_takes_one_study_only(two: Path, tmp_path: Path) -> None:
    """Two studies do not go into one file: exit code 2."""
    ran = run("to-fhir", two, "--out", tmp_path / "my.json")
    assert ran.code == 2
    assert "give a folder" in ran.err


def test_out_is_no_other_file(one: Path, tmp_path: Path) -> None:
    """An existing file that cannot be the document is no place for --out: exit code 2, and it is left alone."""
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    assert run("to-fhir", one, "--out", other, "--force").code == 2
    assert other.read_text() == "mine"


def test_pretty(one: Path, two: Path, tmp_path: Path) -> None:
    """--pretty indents the bundle of one study and files; lines of NDJSON stay lines."""
    plain, pretty = run("to-fhir", one), run("to-fhir", one, "--pretty")
    assert pretty.document == plain.document
    assert pretty.out.startswith(b'{\n  "resourceType": "Bundle"')
    assert pretty.out.endswith(b"}\n")
    assert run("to-fhir", two, "--pretty").out == run("to-fhir", two).out
    run("to-fhir", two, "--pretty", "--out", tmp_path / "out")
    assert (tmp_path / "out" / "NCT99999901.json").read_bytes() == pretty.out


# What is never written over


@pytest.mark.parametrize("place", ["out", "out/NCT99999901.json"])
def test_existing_files_are_kept(one: Path, tmp_path: Path, place: str) -> None:
    """A file that exists is not written over without --force: exit code 5, one message, no other file."""
    path = tmp_path / "out" / "NCT99999901.json"
    path.parent.mkdir()
    path.write_text("mine")
    ran = run("to-fhir", one, "--out", tmp_path / place)
    assert ran.code == 5
    assert ran.errors == [f"error: NCT99999901: {path} exists; --force overwrites it"]
    assert "1 not written" in ran.err
    assert "converted" not in ran.err
    assert (path.read_text(), names(path.parent)) == ("mine", [path.name])
    assert run("to-fhir", one, "--out", tmp_path / place, "--force").code == 0
    assert json.loads(path.read_bytes())["resourceType"] == "Bundle"


def test_other_studies_are_written_beside_an_existing_file(two: Path, tmp_path: Path) -> None:
    """An existing file stops its own study only."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "NCT99999901.json").write_text("mine")
    assert run("to-fhir", two, "--out", tmp_path / "out").code == 5
    assert names(tmp_path / "out") == ["NCT99999901.json", "NCT99999902.json"]


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["plain", "force"])
def test_same_study_twice(one: Path, two: Path, tmp_path: Path, force: list[str]) -> None:
    """A study that comes twice in one call does not overwrite itself, not even with --force: exit code 5."""
    ran = run("to-fhir", one, two, "--out", tmp_path / "out", *force)
    assert ran.code == 5
    assert "the input has the study twice" in ran.err
    assert names(tmp_path / "out") == ["NCT99999901.json", "NCT99999902.json"]


def test_place_that_cannot_be_written(one: Path) -> None:
    """A folder that cannot be made is refused with exit code 5 and the reason."""
    ran = run("to-fhir", one, "--out", "/proc/no-such-folder/out")
    assert ran.code == 5
    assert len(ran.errors) == 1
    assert "cannot be written" in ran.err


def test_no_temporary_file_stays(one: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is complete or not there: when the renaming fails, nothing is left behind."""

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    ran = run("to-fhir", one, "--out", tmp_path / "out")
    assert ran.code == 5
    assert "No space left on device" in ran.err
    assert names(tmp_path / "out") == []


# Issues and exit codes


def test_issues_file(tmp_path: Path) -> None:
    """--issues writes every Issue as a JSON line: those of reading, of mapping and of what is lost."""
    tree = study(statusModule={"overallStatus": "PAUSED"})
    tree["resultsSection"] = {"participantFlowModule": {"recruitmentDetails": "Made up"}}
    source = written(tmp_path / "a.json", tree)
    ran = run("to-fhir", source, "--issues", tmp_path / "notes" / "issues.ndjson")
    assert ran.code == 0
    lines = [json.loads(line) for line in (tmp_path / "notes" / "issues.ndjson").read_bytes().splitlines()]
    assert {(line["code"], line["severity"], line["record"]) for line in lines} == {
        ("unknown-enum-value", "warning", "NCT99999901"),
        ("no-code", "warning", "NCT99999901"),
        ("status-not-stated", "warning", "NCT99999901"),
        ("field-not-mapped", "information", "NCT99999901"),
    }
    assert {"protocolSection.statusModule.overallStatus"} < {line["source_path"] for line in lines}


def test_issues_file_is_kept(one: Path, tmp_path: Path) -> None:
    """An existing file is not written over by --issues without --force: exit code 5 before anything is done."""
    (tmp_path / "issues.ndjson").write_text("mine")
    ran = run("to-fhir", one, "--issues", tmp_path / "issues.ndjson")
    assert (ran.code, ran.out) == (5, b"")
    assert (tmp_path / "issues.ndjson").read_text() == "mine"
    assert run("to-fhir", one, "--issues", tmp_path / "issues.ndjson", "--force").code == 0


def test_issues_that_are_shown(tmp_path: Path) -> None:
    """Warnings are shown, what is lost is summed up in a line, and -v shows everything."""
    tree = study(statusModule={"overallStatus": "PAUSED"})
    tree["resultsSection"] = {"participantFlowModule": {"recruitmentDetails": "Made up"}}
    source = written(tmp_path / "a.json", tree)
    quiet, loud = run("to-fhir", source), run("to-fhir", source, "-v")
    assert "information:" not in quiet.err
    assert "unknown-enum-value" in quiet.err
    assert "not carried into this target: resultsSection" in quiet.err
    assert "(field-not-mapped)" in loud.err
    assert loud.out == quiet.out


def test_many_issues_are_not_all_shown(tmp_path: Path) -> None:
    """Of very many warnings the first are shown, and how many there are besides."""
    countries = [{"country": f"Nowhere {number}"} for number in range(80)]
    source = written(tmp_path / "a.json", study(contactsLocationsModule={"locations": countries}))
    ran = run("to-fhir", source)
    assert ran.err.count("(country-without-code)") == 50
    assert "30 more issues are not shown" in ran.err
    assert run("to-fhir", source, "-v").err.count("(country-without-code)") == 80


@pytest.mark.parametrize(
    ("fail_on", "code"), [([], 0), (["--fail-on", "error"], 0), (["--fail-on", "warning"], 3)], ids=str
)
def test_fail_on(tmp_path: Path, fail_on: list[str], code: int) -> None:
    """Warnings leave the exit code at 0 unless --fail-on warning asks for 3; the document is written anyway."""
    source = written(tmp_path / "a.json", study(statusModule={"overallStatus": "PAUSED"}))
    ran = run("to-fhir", source, *fail_on)
    assert ran.code == code
    assert ran.document["resourceType"] == "Bundle"


def test_fail_on_warning_without_warnings(one: Path) -> None:
    """A study without warnings passes --fail-on warning."""
    assert run("to-fhir", one, "--fail-on", "warning").code == 0


def test_invalid_document_is_not_written(one: Path, two: Path, tmp_path: Path) -> None:
    """A document that fails validation is not written: exit code 3, the findings, and no file."""
    ran = run("to-fhir", one, *BROKEN)
    assert (ran.code, ran.out) == (3, b"")
    assert "(schema)" in ran.err
    assert "not written; --keep-invalid writes it" in ran.err
    assert run("to-fhir", two, *BROKEN, "--out", tmp_path / "out").code == 3
    assert names(tmp_path / "out") == []


@pytest.mark.parametrize(("option", "code"), [("--keep-invalid", 0), ("--no-validate", 0)])
def test_invalid_document_is_written_on_demand(one: Path, option: str, code: int) -> None:
    """--keep-invalid writes what fails validation and tells so; --no-validate does not look."""
    ran = run("to-fhir", one, *BROKEN, option)
    assert ran.document["entry"][0]["fullUrl"] == "http://a b/ResearchStudy/NCT99999901"
    assert ("(schema)" in ran.err) == (option == "--keep-invalid")
    assert ran.code == code
    assert run("to-fhir", one, *BROKEN, option, "--fail-on", "error").code == (
        3 if option == "--keep-invalid" else 0
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["to-fhir"],
        ["to-fhir", "x.json", "--fhir-version", "R3"],
        ["to-fhir", "x.json", "--from", "no-such-reader"],
        ["to-fhir", "x.json", "--max-record-size", "0"],
        ["to-fhir", "x.json", "--max-record-size", "lots"],
        ["to-fhir", "x.json", "--created", "yesterday"],
        ["to-fhir", "x.json", "--created", "2021-02-30T00:00:00Z"],
        ["to-odm", "x.json", "--odm-version", "2.1"],
        ["to-odm", "x.json", "--plain"],
        ["to-odm", "x.json", "--odm-version", "1.3.2", "--format", "json"],
        ["validate"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str]) -> None:
    """A wrong command, option or value is exit code 2, with a message and without a traceback."""
    ran = run(*arguments)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(("size", "code"), [("10K", 0), ("10kb", 0), ("1M", 0), ("100", 4), ("1G", 0)])
def test_record_size(one: Path, size: str, code: int) -> None:
    """--max-record-size takes numbers of bytes with units."""
    assert run("to-fhir", one, "--max-record-size", size).code == code


def test_failure_on_one_record_leaves_the_others(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of our own on one record is one message with exit code 4; the next record is converted."""
    import trialconv_mappings.fhir.bundle as bundle_module

    real = bundle_module.build_bundle

    def fail_once(ctx: Any) -> Any:
        if ctx.record.nct_id.endswith("1"):
            raise ZeroDivisionError("made up")
        return real(ctx)

    monkeypatch.setattr(bundle_module, "build_bundle", fail_once)
    ran = run("to-fhir", two)
    assert ran.code == 4
    assert [made["entry"][0]["resource"]["id"] for made in ran.documents] == ["NCT99999902"]
    assert len(ran.errors) == 1
    assert "ZeroDivisionError: made up" in ran.errors[0]
    assert "(internal-error)" in ran.errors[0]
    assert "NCT99999901" in ran.errors[0]


# Options of the mapping


def contact_details() -> list[str]:
    """Return every name, number and address of a contact of the study that has every field."""
    module = full_study()["protocolSection"]["contactsLocationsModule"]
    contacts = module["centralContacts"] + module["locations"][0]["contacts"]
    return [contact[key] for contact in contacts for key in ("name", "phone", "phoneExt", "email")]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_contacts(command: list[str], tmp_path: Path) -> None:
    """--no-contacts leaves no contact name, number or address in the output, and an Issue says so."""
    source = written(tmp_path / "a.json", full_study())
    kept, withheld = run(*command, source), run(*command, source, "--no-contacts", "-v")
    assert (kept.code, withheld.code) == (0, 0)
    text = kept.out.decode()
    if "--plain" not in command:
        assert [detail for detail in contact_details() if detail not in text] == []
    text = withheld.out.decode()
    assert [detail for detail in contact_details() if detail in text] == []
    assert "withheld-contact" in withheld.err


@pytest.mark.parametrize("version", ["1.3.2", "2.0"])
def test_clock(one: Path, version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The creation instant is the option, else SOURCE_DATE_EPOCH, else the last update, else a constant."""

    def created(source: Path, *options: str) -> str:
        out = run("to-odm", "--odm-version", version, source, *options).out.decode()
        return out.partition('CreationDateTime="')[2].partition('"')[0]

    without = study()
    del without["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert created(one) == "2021-03-02T00:00:00Z"
    assert created(written(tmp_path / "without.json", without)) == "1970-01-01T00:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    assert created(one) == "2001-09-09T01:46:40Z"
    assert created(one, "--created", "2001-01-01T01:02:03+02:00") == "2001-01-01T01:02:03+02:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    ran = run("to-odm", "--odm-version", version, one)
    assert (ran.code, ran.out) == (2, b"")
    assert "SOURCE_DATE_EPOCH" in ran.err


def test_unknown_status(tmp_path: Path) -> None:
    """--unknown-status last-known gives R4 the last known status, with a warning; the default marks it absent."""
    source = written(
        tmp_path / "a.json", study(statusModule={"overallStatus": "UNKNOWN", "lastKnownStatus": "RECRUITING"})
    )
    absent = run("to-fhir", source).document["entry"][0]["resource"]
    assert "status" not in absent
    assert extensions(absent["_status"], "data-absent-reason")
    ran = run("to-fhir", source, "--unknown-status", "last-known")
    assert ran.document["entry"][0]["resource"]["status"] == "active"
    assert "(status-from-last-known)" in ran.err


def test_bundle_type_and_base(one: Path) -> None:
    """--bundle collection makes entries without requests; --base stands before every url of our own."""
    transaction = run("to-fhir", one).document
    assert {entry["request"]["method"] for entry in transaction["entry"]} == {"PUT"}
    ran = run("to-fhir", one, "--bundle", "collection", "--base", "https://example.org/fhir/")
    assert ran.document["type"] == "collection"
    for entry in ran.document["entry"]:
        assert "request" not in entry
        kind, id_ = entry["resource"]["resourceType"], entry["resource"]["id"]
        assert entry["fullUrl"] == f"https://example.org/fhir/{kind}/{id_}"
    assert b"w3id.org" not in ran.out


# validate


def test_validate_good_documents(one: Path, tmp_path: Path) -> None:
    """Documents of ours pass, of every kind, in files and on standard input; the assumed version is printed."""
    made = []
    for number, command in enumerate(COMMANDS):
        suffix = ".xml" if command[0] == "to-odm" and "json" not in command else ".json"
        made.append(tmp_path / f"made-{number}{suffix}")
        assert run(*command, one, "-o", made[-1]).code == 0
    ran = run("validate", *made)
    assert ran.code == 0
    assert ran.err.count("no errors") == len(made)
    assert "judged as FHIR R4" in ran.out.decode()
    assert "judged as FHIR R5" in ran.out.decode()
    ran = run("validate", "-", stdin=made[0].read_bytes())
    assert ran.code == 0
    assert run("validate", "--fhir-version", "R4", made[0]).out == b""


def test_validate_bad_document(one: Path, tmp_path: Path) -> None:
    """A document with an error is exit code 3, with one line per finding, as text or as JSON."""
    made = run("to-fhir", one).document
    made["entry"][0]["resource"]["status"] = "sleeping"
    bad = tmp_path / "bad.json"
    bad.write_bytes(encoded(made))
    text = run("validate", "--fhir-version", "R4", bad)
    assert text.code == 3
    assert "sleeping" in text.out.decode()
    assert "1 errors" in text.err or "1 error" in text.err
    lines = run("validate", "--fhir-version", "R4", "--format", "json", bad).documents
    assert [(line["code"], line["severity"], line["record"]) for line in lines] == [("binding", "error", str(bad))]


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"a": 1}', b"<x/>", b"\xff\xfe", b"[" * 100_000, b"<ODM", b"42"], ids=repr
)
def test_validate_something_else(tmp_path: Path, data: bytes) -> None:
    """What is no document is exit code 3 with a clear finding, and no traceback."""
    path = tmp_path / "x"
    path.write_bytes(data)
    ran = run("validate", path)
    assert ran.code == 3
    assert len(ran.out.splitlines()) == 1
    assert "Traceback" not in ran.err


def test_validate_missing_file(one: Path, tmp_path: Path) -> None:
    """A file that is not there is a finding of its own, and the others are judged."""
    made = tmp_path / "made.json"
    run("to-fhir", one, "-o", made)
    ran = run("validate", tmp_path / "none.json", made)
    assert ran.code == 3
    assert "(unreadable-source)" in ran.out.decode()
    assert f"{made}: no errors" in ran.err


def test_validate_with_another_engine(one: Path, tmp_path: Path) -> None:
    """The library fhir.resources can be asked instead, for R4B and R5; it has no R4."""
    made = tmp_path / "made.json"
    run("to-fhir", "--fhir-version", "R5", one, "-o", made)
    assert run("validate", "--engine", "fhir.resources", "--fhir-version", "R5", made).code == 0
    assert run("validate", "--engine", "fhir.resources", "--fhir-version", "R4", made).code == 2


# The program


def test_version() -> None:
    """--version tells the version; --verbose adds the definitions behind the schemas."""
    assert run("--version").out.decode() == f"trialconv {__version__}\n"
    lines = run("--version", "--verbose").out.decode().splitlines()
    assert lines[0] == f"trialconv {__version__}"
    for package in ("hl7.fhir.r4.core 4.0.1", "hl7.fhir.r4b.core 4.3.0", "hl7.fhir.r5.core 5.0.0", "odmlib"):
        assert any(package in line for line in lines)


def test_help_names_every_command() -> None:
    """--help lists the commands, and each command explains its options with examples."""
    text = run("--help").out.decode()
    assert run().out.decode() == text
    for name in ("to-fhir", "to-odm", "validate"):
        assert name in text
        own = run(name, "--help")
        assert own.code == 0
        assert "Examples:" in own.out.decode()


def console_script() -> str:
    """Return the command as it is installed."""
    return str(Path(sys.executable).with_name("trialconv"))


def start(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run the installed command in a process of its own."""
    command = [console_script(), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, timeout=60, **options)  # noqa: S603


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_equal_bytes_in_every_process(command: list[str], tmp_path: Path) -> None:
    """Another run and other processes, whatever their hash seed, give the same bytes."""
    source = written(tmp_path / "a.json", full_study())
    expected = run(*command, source).out
    assert run(*command, source).out == expected
    for seed in ("1", "2"):
        ran = start(*command, source, env={**os.environ, "PYTHONHASHSEED": seed})
        assert ran.returncode == 0
        assert ran.stdout == expected


def test_exit_code_of_the_process(tmp_path: Path) -> None:
    """The installed command hands on its exit codes, and prints messages instead of tracebacks."""
    ran = start("to-fhir", tmp_path / "none.json")
    assert (ran.returncode, ran.stdout) == (4, b"")
    assert b"Traceback" not in ran.stderr


def test_reader_of_the_output_goes_away(tmp_path: Path) -> None:
    """A pipe that is closed early (as by head) stops the command without a complaint."""
    source = tmp_path / "many.ndjson"
    source.write_bytes(b"\n".join(encoded(study(f"NCT{99000000 + number}")) for number in range(2000)))
    with subprocess.Popen(  # noqa: S603
        [console_script(), "to-fhir", source, "--no-validate"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


def test_help_is_quick() -> None:
    """The command starts without loading what only conversions need."""
    code = "import sys, trialconv.cli.main, trialconv; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)  # noqa: S603
    loaded = set(ran.stdout.decode().split())
    heavy = {"lxml", "fhir", "odmlib", "jsonschema_rs", "orjson", "trialconv.pipeline", "trialconv_mappings"}
    assert not loaded & heavy
