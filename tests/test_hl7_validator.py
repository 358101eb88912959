"""HL7's validator as an engine: how it is found, asked and heard; and, where it is at hand, what it says."""

from __future__ import annotations

import csv
import json
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import validate_deep

from command_runner import run
from trialconv import validate
from trialconv.issues import TrialconvError, UsageError
from trialconv.validators.hl7 import installation
from trialconv.validators.hl7.installation import Installation, find_installation
from trialconv.validators.hl7.validator import Hl7Validator

ROOT = Path(__file__).resolve().parent.parent
STUDY = ROOT / "examples" / "studies" / "NCT99999901.json"
RESOURCE = b'{"resourceType": "Basic", "code": {"text": "x"}}'
EXTENSION = "http://hl7.org/fhir/StructureDefinition/operationoutcome-"

#: A stand-in for Java with the validator: it answers by the protocol of Judge.java, and says what it was asked.
STAND_IN = """#!{python}
import json, sys, time
arguments = sys.argv[1:]
if "--list-modules" in arguments:
    print("java.base@21.0.1\\njdk.compiler@21.0.1")
    raise SystemExit
print("started", *arguments, file=sys.stderr, flush=True)
for line in sys.stdin:
    words = line.rstrip("\\n").split("\\t")
    with open({log!r}, "a") as log:
        log.write(line)
    if words[0] != "judge":
        print("{{}}", flush=True)
        continue
    document = open(words[2], encoding="utf-8").read()
    if "END" in document:
        print("the heap is full", file=sys.stderr, flush=True)
        raise SystemExit(3)
    if "SLEEP" in document:
        time.sleep(60)
    print({answer!r}, flush=True)
"""
ANSWER: dict[str, Any] = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "fatal",
            "code": "invalid",
            "details": {"text": "Something is wrong"},
            "expression": ["Bundle.entry[3].resource/*Group/NCT1-x*/.quantity"],
            "extension": [
                {"url": EXTENSION + "issue-line", "valueInteger": 12},
                {"url": EXTENSION + "issue-col", "valueInteger": 7},
                {"url": EXTENSION + "message-id", "valueCode": "Some_Message"},
            ],
        },
        {"severity": "warning", "code": "structure", "diagnostics": "Something else", "location": ["Basic"]},
        {"severity": "information", "code": "informational", "details": {"text": "All is well"}},
    ],
}


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a stand-in for Java on the PATH, and packages into a cache; return the file of what it is asked."""
    log = tmp_path / "asked"
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(STAND_IN.format(python=sys.executable, log=str(log), answer=json.dumps(ANSWER)))
    java.chmod(java.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{java.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for variable in ("JAVA_HOME", installation.JAR_VARIABLE, installation.JAVA_OPTIONS_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    for names in installation.PACKAGES.values():
        for name in names:
            (installation.packages_folder(installation.home_folder()) / name).mkdir(parents=True, exist_ok=True)
    installation.jars_folder().mkdir()
    (installation.jars_folder() / "validator.jar").touch()
    return log


def questions(log: Path) -> list[list[str]]:
    """Return the commands that the stand-in was given."""
    return [line.split("\t") for line in log.read_text().splitlines()]


def test_findings_become_issues(asked: Path) -> None:
    """Severity, words, id, element and place in the file are those of the validator."""
    fatal, warning, information = validate(RESOURCE, fhir_version="R4", engine="hl7")
    assert (fatal.code, fatal.severity, fatal.message) == ("hl7-validator", "error", "Something is wrong")
    assert fatal.target_path == "Bundle.entry[3].resource(Group/NCT1-x).quantity"
    assert (fatal.source_path, fatal.rule) == ("line 12, column 7", "hl7:Some_Message")
    assert (warning.severity, warning.message, warning.target_path) == ("warning", "Something else", "Basic")
    assert (warning.source_path, warning.rule) == ("", "hl7:structure")
    assert (information.severity, information.message) == ("information", "All is well")


def test_one_process_judges_many_files(asked: Path, tmp_path: Path) -> None:
    """Files of a version share a process and its definitions: the official ones, then those of our extensions."""
    files = []
    for name in ("a", "b"):
        files.append(tmp_path / f"{name}.json")
        files[-1].write_bytes(RESOURCE)
    ran = run("validate", "--engine", "hl7", "--fhir-version", "R4B", *files)
    assert ran.code == 3
    assert [line for line in ran.err.splitlines() if line] == [f"{file}: 1 error" for file in files]
    load, *judged = questions(asked)
    assert load[:5] == ["load", "R4B", *installation.PACKAGES["R4B"]]
    assert (Path(load[5]) / "StructureDefinition-exact-text.json").is_file()
    assert [question[:2] for question in judged] == [["judge", "R4B"]] * 2


def test_packages_survive_a_validator_of_another_version(asked: Path) -> None:
    """The file by which a validator would throw the packages of another version away is gone when it starts."""
    ini = find_installation().packages / "packages.ini"
    ini.write_text("[cache]\nversion = 3\n")
    validate(RESOURCE, fhir_version="R4", engine="hl7")
    assert not ini.exists()


def test_definitions_of_two_versions_are_kept(asked: Path) -> None:
    """A third version takes the place of the oldest, which is loaded again when it is asked for."""
    with Hl7Validator(find_installation()) as validator:
        for version in ("R4", "R4B", "R4", "R5", "R4"):
            validator.judge(RESOURCE, version)  # type: ignore[arg-type]
    assert [" ".join(words[:2]) for words in questions(asked) if words[0] != "judge"] == [
        "load R4",
        "load R4B",
        "forget R4",
        "load R5",
        "forget R4B",
        "load R4",
    ]


def test_xml_and_lines_are_judged(asked: Path) -> None:
    """FHIR as XML goes to the validator as it is; of NDJSON each resource, and the line is told."""
    xml = b'<?xml version="1.0"?><Basic xmlns="http://hl7.org/fhir"><code><text value="x"/></code></Basic>'
    assert {found.code for found in validate(xml, engine="hl7")} == {"hl7-validator", "fhir-version-assumed"}
    assert questions(asked)[-1][2].endswith(".xml")
    found = validate(RESOURCE + b"\n" + RESOURCE + b"\n", fhir_version="R5", engine="hl7")
    assert {one.source_path for one in found} == {"line 1", "line 2"}


def test_what_is_no_fhir_is_judged_as_ever(asked: Path) -> None:
    """The engine is one for FHIR; other documents have their own rules, and nothing is started for them."""
    ran = run("to-odm", STUDY)
    assert validate(ran.out, engine="hl7") == []
    assert not asked.exists()


def test_a_validator_that_ends_is_told_with_its_last_words(asked: Path) -> None:
    """When the process ends by itself there is an error with what it said, and no finding is made up."""
    with pytest.raises(TrialconvError, match=r"(?s)exit code 3.*the heap is full"):
        validate(b'{"resourceType": "Basic", "id": "END"}', fhir_version="R4", engine="hl7")


def test_a_validator_that_is_silent_is_ended(asked: Path) -> None:
    """After the time limit the process is ended."""
    with (
        Hl7Validator(find_installation(), limit=1.5) as validator,
        pytest.raises(TrialconvError, match=r"within 1\.5 s"),
    ):
        validator.judge(b'{"resourceType": "Basic", "id": "SLEEP"}', "R4")


def test_a_named_jar_is_taken(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option or the environment names a jar; one that is not there is a wrong option."""
    jar = tmp_path / "validator_cli.jar"
    jar.touch()
    assert find_installation(jar).class_path == str(jar)
    monkeypatch.setenv(installation.JAR_VARIABLE, str(jar))
    assert find_installation().class_path == str(jar)
    ran = run("validate", "--engine", "hl7", "--hl7-jar", tmp_path / "none.jar", STUDY)
    assert (ran.code, "no HL7 validator at" in ran.err) == (2, True)
    assert run("validate", "--hl7-jar", jar, STUDY).code == 2
    assert run("validate", "--engine", "hl7", "--extensions", STUDY).code == 2


@pytest.mark.parametrize("missing", ["jars", "packages", "one package", "java", "compiler"])
def test_what_is_missing_is_told(
    asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    """Without Java, the validator or a package the exit code is 2, and the message says how to get it."""
    told = "make validator"
    if missing == "jars":
        (installation.jars_folder() / "validator.jar").unlink()
    elif missing == "packages":
        installation.home_folder().rename(tmp_path / "elsewhere")
    elif missing == "one package":
        (installation.packages_folder(installation.home_folder()) / installation.PACKAGES["R4"][1]).rmdir()
    elif missing == "java":
        told = "Java development kit"
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        told = "Java development kit"
        java = tmp_path / "bin" / "java"
        java.write_text(java.read_text().replace("jdk.compiler", "jdk.other"))
    file = tmp_path / "resource.json"
    file.write_bytes(RESOURCE)
    ran = run("validate", "--engine", "hl7", "--fhir-version", "R4", file)
    assert ran.code == 2
    assert told in ran.err


# The suppressions


def test_suppressions_are_few_and_argued() -> None:
    """Each names a message, an element, words and a reason; none covers more than its element."""
    found = validate_deep.suppressions()
    assert 0 < len(found) <= validate_deep.MOST_SUPPRESSIONS
    assert all("." in one.path and "*" not in one.path for one in found)
    assert all(len(one.reason) > 40 for one in found)


def test_a_suppression_covers_its_error_alone(asked: Path) -> None:
    """The id, the element and the words have to be those of the line."""
    (error, *_) = validate(RESOURCE, fhir_version="R4", engine="hl7")
    line = validate_deep.Suppression("Some_Message", "Group.quantity", "is wrong", "why")
    assert line.covers(error)
    for other in (line._replace(message_id="Other"), line._replace(path="Group"), line._replace(text="nothing")):
        assert not other.covers(error)


def test_the_deep_validation_fails_for_errors_and_for_suppressions_in_vain(
    asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error that nobody argues for fails the run, and so does a suppression that nothing needs."""
    line = validate_deep.Suppression("Some_Message", "Group.quantity", "is wrong", "why")
    wanted = [validate_deep.Document("a", RESOURCE, "R4")]
    with Hl7Validator(find_installation()) as validator:
        assert validate_deep.judge(wanted, validator, (), all_needed=True) == 1
        assert "a: error: line 12" in capsys.readouterr().out
        assert validate_deep.judge(wanted, validator, [line], all_needed=True) == 0
        assert validate_deep.judge(wanted, validator, [line, line._replace(path="X.y")], all_needed=True) == 1
        assert "nothing needs" in capsys.readouterr().out
        assert validate_deep.judge(wanted, validator, [line, line._replace(path="X.y")], all_needed=False) == 0


def test_too_many_or_unargued_suppressions_are_refused(tmp_path: Path) -> None:
    """More than ten lines, and a line without a reason, are errors."""
    file = tmp_path / "suppressions.csv"
    for rows in ([["a", "b", "c", "d"]] * 11, [["a", "b", "c", ""]]):
        with file.open("w", newline="") as stream:
            csv.writer(stream).writerows([["message id", "path", "text", "reason"], *rows])
        with pytest.raises(ValueError, match=r"suppressions|reason"):
            validate_deep.suppressions(file)


# The validator itself


@pytest.fixture(scope="module")
def real() -> Iterator[Hl7Validator]:
    """Start HL7's validator, if TRIALCONV_TEST_HL7 asks for it; it takes a quarter of a minute and much memory."""
    if not os.environ.get("TRIALCONV_TEST_HL7"):
        pytest.skip("TRIALCONV_TEST_HL7 is not set; `make validate-deep` runs HL7's validator over much more")
    try:
        found: Installation = find_installation()
    except UsageError as problem:
        pytest.skip(str(problem))
    with Hl7Validator(found) as validator:
        yield validator


def test_the_real_validator_knows_our_extensions(real: Hl7Validator) -> None:
    """It accepts a study with the extensions it should have, and finds one that is misused or unknown."""
    bundle = run("to-fhir", STUDY).document
    sent = json.dumps(bundle).encode()
    errors = [one for one in real.judge(sent, "R4") if one.severity == "error"]
    assert [one for one in errors if not any(line.covers(one) for line in validate_deep.suppressions())] == []
    for url in ("http://hl7.org/fhir/5.0/StructureDefinition/extension-ResearchStudy.label", "urn:unknown"):
        broken = json.loads(sent)
        broken["entry"][0]["resource"]["extension"].append({"url": url, "valueString": "x"})
        assert len(
            [one for one in real.judge(json.dumps(broken).encode(), "R4") if one.severity == "error"]
        ) > len(errors)
