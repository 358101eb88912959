"""The public API: what `import trialconv` offers, and what it promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import trialconv
import typing_example
from made_up import FHIR_TARGETS, encoded, full_study, leaves, record, study
from trialconv.catalog import READERS, TARGETS
from trialconv.context import Options
from trialconv.issues import CATALOGUE, Issue, SourceError, UsageError, at_or_above, issue
from trialconv.readers.sources import MAX_RECORD_SIZE

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file with two studies and something that is none between them."""
    path = tmp_path / "studies.ndjson"
    path.write_bytes(b"\n".join((encoded(study()), b"{}", encoded(study("NCT99999902")))))
    return path


def test_every_public_name_is_there() -> None:
    """Each name of __all__ can be imported, and no other name is made up."""
    for name in trialconv.__all__:
        assert getattr(trialconv, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        trialconv.no_such_name  # noqa: B018


def test_import_is_light() -> None:
    """Importing trialconv loads neither parsers nor validators."""
    code = "import sys, trialconv; print(*(name for name in sys.modules if name.startswith('trialconv')))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)  # noqa: S603
    assert ran.stdout.split() == [b"trialconv"]


def test_read(source: Path) -> None:
    """Records come in the order of the input; a refusal is raised, or handed over while the reading goes on."""
    records = trialconv.read(source)
    assert next(records).nct_id == "NCT99999901"
    with pytest.raises(SourceError) as refused:
        next(records)
    assert refused.value.issue.code == "not-a-study"
    assert refused.value.issue.source_path == "line 2"
    found: list[SourceError] = []
    assert [each.nct_id for each in trialconv.read(str(source), on_error=found.append)] == [
        "NCT99999901",
        "NCT99999902",
    ]
    assert len(found) == 1


def test_read_takes_names_and_limits(source: Path) -> None:
    """An unknown reader is a usage error; the limit of a record is as documented."""
    with pytest.raises(UsageError, match="no reader is called 'x'"):
        list(trialconv.read(source, reader="x"))
    with pytest.raises(SourceError, match="larger than the limit of 10 bytes"):
        list(trialconv.read(source, max_record_size=10))
    assert MAX_RECORD_SIZE == 50 * 2**20
    assert list(READERS) == ["ctgov-json", "ctgov-xml", "ctgov-page", "fhir", "odm"]


def test_convert_gives_dicts_and_bytes() -> None:
    """ODM gives XML bytes, SDTM files by name, others a dict; R4 is the default. Other names are errors."""
    made = record(study())
    assert trialconv.convert(made) == trialconv.convert(made, "fhir-r4")
    for target in TARGETS:
        document = trialconv.convert(made, target)
        assert isinstance(document, bytes if target.startswith(("odm", "rpe")) else dict)
        assert at_or_above(trialconv.validate(document), "error") == []
    with pytest.raises(UsageError, match="no target is called 'fhir-r3'"):
        trialconv.convert(made, "fhir-r3")


def test_options_of_convert() -> None:
    """The target decides the version, the options everything else."""
    made = record(full_study())
    options = Options(fhir_version="R4", bundle="collection", contacts=False, base="https://example.org/x/")
    document = trialconv.convert(made, "fhir-r5", options)
    assert document["type"] == "collection"
    assert document["entry"][0]["fullUrl"] == "https://example.org/x/ResearchStudy/NCT99999901"
    assert "progressStatus" in document["entry"][0]["resource"]
    with pytest.raises(UsageError):
        Options(created="today")


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_document_is_the_callers_own(target: str) -> None:
    """A document can be changed anywhere without changing another part of it, or the next conversion."""
    made = record(full_study())
    expected = trialconv.convert(made, target)
    document = trialconv.convert(made, target)
    objects = list(containers(document))
    assert len({id(each) for each in objects}) == len(objects)
    for each in objects:
        if isinstance(each, dict):
            each["spoilt"] = True
        else:
            each.append("spoilt")
    assert trialconv.convert(made, target) == expected
    assert "spoilt" not in str(list(leaves(trialconv.convert(made, target))))


def containers(value: Any) -> list[Any]:
    """Return every object and list of a tree."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [] if below is None else [value, *(found for item in below for found in containers(item))]


def test_conversion_leaves_the_record_as_it_was() -> None:
    """A record can be converted to one target after the other; none changes it."""
    made = record(full_study())
    before, issues = made.to_json(), list(made.issues)
    first = {target: trialconv.convert(made, target) for target in TARGETS}
    again = {target: trialconv.convert(made, target) for target in reversed(TARGETS)}
    assert first == again
    assert made.to_json() == before
    assert made.issues == issues


def test_validate() -> None:
    """A document is judged as a dict, as text or as bytes; without a version it is told which was assumed."""
    bundle = trialconv.convert(record(study()), "fhir-r5")
    for document in (bundle, encoded(bundle), encoded(bundle).decode(), b"\xef\xbb\xbf" + encoded(bundle)):
        (told,) = trialconv.validate(document)
        assert (told.code, told.severity) == ("fhir-version-assumed", "information")
        assert "R5" in told.message
        assert trialconv.validate(document, fhir_version="R5") == []
    assert at_or_above(trialconv.validate(bundle, fhir_version="R4"), "error")


@pytest.mark.parametrize("document", [b"", "{", "[]", b"<x/>", {}, {"a": 1}, [], 3, None], ids=repr)
def test_validate_something_else(document: Any) -> None:
    """What is no document is one finding, and no exception."""
    found = trialconv.validate(document)
    assert [each.severity for each in found] == ["error"]


def test_validate_takes_names() -> None:
    """An unknown version or engine is a usage error."""
    with pytest.raises(UsageError, match="no FHIR version is called 'R3'"):
        trialconv.validate({"resourceType": "Group"}, fhir_version="R3")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="no engine is called 'x'"):
        trialconv.validate({"resourceType": "Group"}, engine="x")


def test_fhir_models() -> None:
    """A bundle becomes an object of fhir.resources in R4B and R5; that library has no R4."""
    made = record(full_study())
    for version, target in (("R4B", "fhir-r4b"), ("R5", "fhir-r5")):
        model = trialconv.fhir_models(trialconv.convert(made, target), version)  # type: ignore[arg-type]
        assert type(model).__name__ == "Bundle"
        assert model.entry[0].resource.id == "NCT99999901"
    with pytest.raises(UsageError, match="R4B"):
        trialconv.fhir_models(trialconv.convert(made), "R4")
    with pytest.raises(ValueError, match="ResearchStudy"):
        trialconv.fhir_models({"resourceType": "ResearchStudy", "status": 3}, "R5")


def test_issues_are_values() -> None:
    """An Issue has the severity of the catalogue, reads as a line, and has a code that the catalogue has."""
    found = issue("wrong-type", "made up", record="NCT99999901", source_path="a.b", target_path="c.d", rule="r-1")
    assert found.severity == CATALOGUE["wrong-type"].severity == "warning"
    assert str(found) == "warning: NCT99999901: a.b -> c.d: made up (wrong-type) [r-1]"
    assert str(Issue("x", "error", "made up")) == "error: made up (x)"
    with pytest.raises(KeyError):
        issue("no-such-code", "made up")


def test_severities_are_ordered() -> None:
    """At or above a level are the Issues as grave as it, and graver."""
    found = [issue("schema", "a"), issue("wrong-type", "b"), issue("filled-in", "c")]
    assert [len(at_or_above(found, level)) for level in ("error", "warning", "information")] == [1, 2, 3]


def test_typed_example_runs(source: Path, tmp_path: Path) -> None:
    """The example that the type checker reads does what it says."""
    made = typing_example.convert_all(source)
    assert list(made) == ["NCT99999901", "NCT99999902"]
    assert typing_example.r5_title(record(study())) == "A Made-up Study of Imaginary Fever"
    assert typing_example.update_day(record(study())) == "2021-03-02"
    single = tmp_path / "single.json"
    single.write_bytes(encoded(study()))
    assert typing_example.share_kept(single) == 1.0


def test_typed_example_is_typed() -> None:
    """The example passes the type checker as strictly as the project itself."""
    pytest.importorskip("mypy", reason="the type checker is not installed")
    command = [sys.executable, "-m", "mypy", "--strict", str(ROOT / "tests" / "typing_example.py")]
    ran = subprocess.run(command, capture_output=True, check=False, cwd=ROOT)  # noqa: S603
    assert ran.returncode == 0, ran.stdout.decode()
