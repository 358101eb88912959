"""--format ndjson: a file per resource type over all studies, complete or not there, never written over."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from made_up import Tree, encoded, full_study, study
from trialconv import validate
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.issues import SinkError
from trialconv.sinks.bulk import BulkFiles
from trialconv.sinks.files import GrowingFile

BULK = ["--format", "ndjson"]


def numbered(number: int) -> Tree:
    """Return a study with everything in it and a number of its own."""
    tree = full_study()
    tree["protocolSection"]["identificationModule"]["nctId"] = f"NCT9999{number:04}"
    return tree


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """Return a file with three studies."""
    path = tmp_path / "three.ndjson"
    path.write_bytes(b"".join(encoded(numbered(number)) + b"\n" for number in (1, 2, 3)))
    return path


def contents(folder: Path) -> dict[str, list[Any]]:
    """Return the resources of each file of a folder, hidden ones included, by the file's name."""
    if not folder.is_dir():
        return {}
    return {path.name: [json.loads(line) for line in path.read_bytes().splitlines()] for path in folder.iterdir()}


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_files_hold_what_the_bundles_hold(three: Path, tmp_path: Path, version: FhirVersion) -> None:
    """Each file has the resources of its type, of all studies, in their order, a line each."""
    options = ["--fhir-version", version, "--provenance", "--narrative"]
    ran = run("to-fhir", three, *BULK, *options, "--out", tmp_path / "bulk")
    assert (ran.code, ran.out, "3 converted" in ran.err) == (0, b"", True)
    expected: dict[str, list[Any]] = {}
    for made in run("to-fhir", three, *options).documents:
        for entry in made["entry"]:
            expected.setdefault(f"{entry['resource']['resourceType']}.ndjson", []).append(entry["resource"])
    assert contents(tmp_path / "bulk") == expected
    assert len(expected["ResearchStudy.ndjson"]) == 3
    for found in expected.values():
        assert validate(found[0], fhir_version=version) == []


def test_real_studies(smoke_studies: list[tuple[str, bytes]], shared: Path, tmp_path: Path) -> None:
    """Of real studies every relative reference leads to a line, and no resource is there twice."""
    out = tmp_path / "bulk"
    assert run("to-fhir", shared / "corpus" / "smoke", *BULK, "--shared-organizations", "--out", out).code == 0
    made = [one for found in contents(out).values() for one in found]
    count = Counter(f"{one['resourceType']}/{one['id']}" for one in made)
    assert count.most_common(1)[0][1] == 1
    pointers = {piece.partition('"')[0] for one in made for piece in json.dumps(one).split('"reference": "')[1:]}
    assert pointers <= set(count)
    assert sum(1 for name in count if name.startswith("ResearchStudy/")) == len(smoke_studies)


def test_equal_bytes(three: Path, tmp_path: Path) -> None:
    """The same input gives the same files."""
    for name in ("a", "b"):
        assert run("to-fhir", three, *BULK, "--out", tmp_path / name).code == 0
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab")
    assert first == second


def test_shared_organizations_are_written_once(three: Path, tmp_path: Path) -> None:
    """What several studies share stands in its file once."""
    out = tmp_path / "bulk"
    assert run("to-fhir", three, *BULK, "--shared-organizations", "--out", out).code == 0
    organizations = [one["id"] for one in contents(out)["Organization.ndjson"]]
    assert len(set(organizations)) == len(organizations)
    single = run("to-fhir", "-", stdin=encoded(numbered(1))).document["entry"]
    assert len(organizations) == sum(1 for entry in single if entry["resource"]["resourceType"] == "Organization")


def test_files_are_not_written_over(three: Path, tmp_path: Path) -> None:
    """Where there is a bulk file already nothing is written: exit code 5; --force replaces it."""
    out = tmp_path / "bulk"
    out.mkdir()
    (out / "Location.ndjson").write_text("mine")
    (out / "notes.ndjson").write_text("mine, too")
    ran = run("to-fhir", three, *BULK, "--out", out)
    assert (ran.code, "--force" in ran.err) == (5, True)
    assert sorted(path.name for path in out.iterdir()) == ["Location.ndjson", "notes.ndjson"]
    assert (out / "Location.ndjson").read_text() == "mine"
    assert run("to-fhir", three, *BULK, "--out", out, "--force").code == 0
    assert (out / "Location.ndjson").read_text() != "mine"
    assert (out / "notes.ndjson").read_text() == "mine, too"


def test_out_is_no_file(three: Path, tmp_path: Path) -> None:
    """A file is no place for bulk files: exit code 2, and it is left alone."""
    other = tmp_path / "notes.txt"
    other.write_text("mine")
    assert run("to-fhir", three, *BULK, "--out", other, "--force").code == 2
    assert other.read_text() == "mine"


def test_the_same_study_twice(tmp_path: Path) -> None:
    """A study that comes again is not written again: exit code 5, and the others are there."""
    path = tmp_path / "twice.ndjson"
    path.write_bytes(b"".join(encoded(study(f"NCT9999990{number}")) + b"\n" for number in (1, 1, 2)))
    ran = run("to-fhir", path, *BULK, "--out", tmp_path / "bulk")
    assert (ran.code, "twice" in ran.err) == (5, True)
    assert [one["id"] for one in contents(tmp_path / "bulk")["ResearchStudy.ndjson"]] == [
        "NCT99999901",
        "NCT99999902",
    ]


def test_a_broken_record_leaves_the_others(tmp_path: Path) -> None:
    """A record that cannot be read is exit code 4; the files hold the others."""
    path = tmp_path / "some.ndjson"
    path.write_bytes(encoded(study("NCT99999901")) + b"\n{]\n" + encoded(study("NCT99999902")) + b"\n")
    assert run("to-fhir", path, *BULK, "--out", tmp_path / "bulk").code == 4
    assert len(contents(tmp_path / "bulk")["ResearchStudy.ndjson"]) == 2


def test_invalid_resources_are_not_written(three: Path, tmp_path: Path) -> None:
    """A study that fails validation is in no file: exit code 3; --keep-invalid writes it."""
    broken = ["--base", "http://a b", "--out", tmp_path / "bulk"]
    assert run("to-fhir", three, *BULK, *broken).code == 3
    assert contents(tmp_path / "bulk") == {}
    run("to-fhir", three, *BULK, *broken, "--keep-invalid")
    assert len(contents(tmp_path / "bulk")["ResearchStudy.ndjson"]) == 3


def test_nothing_is_left_when_the_run_ends_early(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the run ends in the middle there are no files, and no temporary ones."""
    add = BulkFiles.add

    def interrupted(self: BulkFiles, name: str, bundle: Any, data: bytes) -> None:
        if name.endswith("3"):
            raise KeyboardInterrupt
        add(self, name, bundle, data)

    monkeypatch.setattr(BulkFiles, "add", interrupted)
    assert run("to-fhir", three, *BULK, "--out", tmp_path / "bulk").code == 130
    assert contents(tmp_path / "bulk") == {}


def test_a_file_that_cannot_be_written_ends_the_run(
    three: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full the other studies are not tried: exit code 5, one message, and no files."""

    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    begin = GrowingFile.__init__

    def begin_full(self: GrowingFile, path: Path) -> None:
        begin(self, path)
        self._stream.close()
        self._stream = Full()

    monkeypatch.setattr(GrowingFile, "__init__", begin_full)
    ran = run("to-fhir", three, *BULK, "--out", tmp_path / "bulk")
    assert (ran.code, ran.out) == (5, b"")
    assert [line.partition(": ")[2] for line in ran.errors] == [
        f"{tmp_path}/bulk/ResearchStudy.ndjson cannot be written: No space left on device"
    ]
    assert contents(tmp_path / "bulk") == {}


def bundle_of(kind: str, id_: str) -> tuple[dict[str, Any], bytes]:
    """Return a bundle of one resource, and the resource as a line."""
    resource = {"resourceType": kind, "id": id_}
    return {"entry": [{"resource": resource}]}, json.dumps(resource).encode()


def test_nothing_is_left_when_a_file_cannot_be_written(tmp_path: Path) -> None:
    """A failing disk makes all files incomplete, so that there are none: SinkError, now and at the end."""
    files = BulkFiles(tmp_path / "bulk", force=False)
    files.add("NCT99999901", *bundle_of("Group", "NCT99999901-a"))
    # A folder stands where the file of the next type would be made.
    path = files._files["Group"]._temporary
    (path.parent / path.name.replace("Group", "Location")).mkdir()
    with pytest.raises(SinkError, match="Location"):
        files.add("NCT99999902", *bundle_of("Location", "NCT99999902-a"))
    with pytest.raises(SinkError, match="Location"):
        files.add("NCT99999903", *bundle_of("Group", "NCT99999903-a"))
    with pytest.raises(SinkError, match="Location"):
        files.commit()
    assert [path.name for path in (tmp_path / "bulk").iterdir() if path.is_file()] == []


def test_memory_does_not_grow_with_the_studies(tmp_path: Path) -> None:
    """A hundred thousand studies take hardly more memory than ten thousand."""
    files = BulkFiles(tmp_path / "bulk", force=False)

    def add(numbers: range) -> int:
        for number in numbers:
            files.add(f"NCT{number:08}", *bundle_of("Group", f"NCT{number:08}"))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early = add(range(10_000))
        late = add(range(10_000, 100_000))
    finally:
        tracemalloc.stop()
        files.discard()
    assert late - early < 200_000
