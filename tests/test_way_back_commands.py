"""`from-fhir` and `from-odm`, and FHIR and ODM as the sources of the other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_runner import run
from made_up import Tree, encoded, full_study, study


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file with a study that has contacts."""
    contacts = {
        "centralContacts": [{"name": "Made-up Contact"}],
        "locations": [{"facility": "F", "country": "Norway", "contacts": [{"name": "Site Contact"}]}],
    }
    path = tmp_path / "study.json"
    path.write_bytes(encoded(study(contactsLocationsModule=contacts)))
    return path


def there(source: Path, kind: str) -> Path:
    """Return the document of a study that a command writes."""
    path = source.parent / f"there.{'json' if kind == 'fhir' else 'xml'}"
    assert run(f"to-{kind}", source, "--out", path).code == 0
    return path


@pytest.mark.parametrize("kind", ["fhir", "odm"])
def test_there_and_back(source: Path, kind: str) -> None:
    """The document of a study gives the study, from a file and from standard input."""
    path = there(source, kind)
    done = run(f"from-{kind}", path)
    assert (done.code, done.document) == (0, json.loads(source.read_bytes()))
    assert done.err.endswith("1 converted; issues: none\n")
    assert run(f"from-{kind}", "-", stdin=path.read_bytes()).out == done.out


@pytest.mark.parametrize("kind", ["fhir", "odm"])
def test_where_records_go(source: Path, kind: str) -> None:
    """A file, a folder with a file for each, NDJSON; nothing is written over without --force."""
    path = there(source, kind)
    out = source.parent / "out"
    assert run(f"from-{kind}", path, "--out", out).code == 0
    assert [each.name for each in out.iterdir()] == ["NCT99999901.json"]
    assert json.loads((out / "NCT99999901.json").read_bytes()) == json.loads(source.read_bytes())
    again = run(f"from-{kind}", path, "--out", out)
    assert again.code == 5
    assert "--force" in again.err
    assert run(f"from-{kind}", path, "--out", out, "--force").code == 0
    both = run(f"from-{kind}", path, path)
    assert [each["protocolSection"]["identificationModule"]["nctId"] for each in both.documents] == [
        "NCT99999901",
        "NCT99999901",
    ]
    assert run(f"from-{kind}", path, "--pretty").out.count(b"\n") > 10


@pytest.mark.parametrize("kind", ["fhir", "odm"])
def test_contacts_are_left_out(source: Path, kind: str) -> None:
    """--no-contacts leaves the contacts out of the record, and says so."""
    path = there(source, kind)
    done = run(f"from-{kind}", path, "--no-contacts", "--verbose")
    assert b"Contact" not in done.out
    assert done.document["protocolSection"]["contactsLocationsModule"] == {
        "locations": [{"facility": "F", "country": "Norway"}]
    }
    assert "2 contacts were left out" in done.err


def bundle_of_another(tmp_path: Path, **changes: Tree | list[Tree]) -> Path:
    """Return a file with a study of R4 that trialconv did not write."""
    resource = {"resourceType": "ResearchStudy", "status": "active", "focus": [{"text": "x"}], **changes}
    path = tmp_path / "foreign.json"
    path.write_bytes(encoded(resource))
    return path


def test_what_was_not_understood_is_listed(tmp_path: Path) -> None:
    """Issues go to standard error and to a file; --fail-on makes them the exit code."""
    path = bundle_of_another(tmp_path, identifier=[{"value": "NCT99999901"}])
    issues = tmp_path / "issues.ndjson"
    done = run("from-fhir", path, "--issues", issues)
    assert done.code == 0
    assert "ResearchStudy.focus" in done.err
    found = [json.loads(line) for line in issues.read_bytes().splitlines()]
    assert {(each["code"], each["record"]) for each in found} == {
        ("ambiguous-code", "NCT99999901"),
        ("not-understood", "NCT99999901"),
    }
    assert run("from-fhir", path, "--fail-on", "warning").code == 3


def test_a_study_without_a_number(tmp_path: Path) -> None:
    """Without an NCT number a study becomes the registry's JSON under another of its names, and nothing else."""
    path = bundle_of_another(tmp_path, identifier=[{"value": "MADE UP/7"}])
    done = run("from-fhir", path, "--out", tmp_path / "out")
    assert done.code == 0
    assert "no-registry-number" in done.err
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["MADE-UP-7.json"]
    refused = run("to-odm", path)
    assert refused.code == 4
    assert "without an NCT number there is no document of the target odm-2.0" in refused.err
    assert run("coverage", path, "--target", "fhir-r4").code == 4


def test_other_commands_take_the_documents(source: Path) -> None:
    """A bundle is a source like any other: of ODM, of coverage, of another version of FHIR."""
    path = there(source, "fhir")
    assert run("to-odm", path).out == run("to-odm", source).out
    assert run("to-fhir", path, "--fhir-version", "R5").out == run("to-fhir", source, "--fhir-version", "R5").out
    assert run("coverage", path, "--target", "odm-2.0").out == run("coverage", source, "--target", "odm-2.0").out
    assert run("to-fhir", source, "--from", "fhir").code == 4


def test_what_is_no_document(tmp_path: Path) -> None:
    """A registry record, or another resource, is refused with what it is, and the others are read."""
    record = tmp_path / "record.json"
    record.write_bytes(encoded(full_study()))
    patient = tmp_path / "patient.json"
    patient.write_bytes(b'{"resourceType": "Patient"}')
    good = bundle_of_another(tmp_path, identifier=[{"value": "NCT99999901"}])
    done = run("from-fhir", record, patient, good)
    assert done.code == 4
    assert "without a resourceType" in done.err
    assert "no ResearchStudy in this, but Patient" in done.err
    assert done.document["protocolSection"]["identificationModule"]["nctId"] == "NCT99999901"
    assert run("from-odm", record).code == 4


def test_extras_of_a_page_come_back_and_are_told(tmp_path: Path, example_page: Path) -> None:
    """What a page says beside the registry's fields is in ODM, and told where the registry's JSON has no place."""
    path = tmp_path / "page.xml"
    assert run("to-odm", example_page, "--out", path).code == 0
    done = run("from-odm", path, "--verbose")
    assert "extras.title" in done.err
    assert run("to-odm", path).out == path.read_bytes().rstrip(b"\n") + b"\n"
