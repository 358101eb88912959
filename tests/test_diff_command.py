"""`trialconv diff` on the command line: inputs of all kinds, exit codes, and what it holds in memory."""

from __future__ import annotations

import gzip
import os
import threading
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jsonpatch
import msgspec
import pytest

import trialconv
from command_runner import run
from made_up import NCT, Tree, encoded, record, study
from trialconv.differences.pairs import Only, Same, compare_inputs
from trialconv.issues import SourceError
from trialconv.record import Record

OTHER = "NCT99999902"


def renamed(title: str, nct_id: str = NCT) -> Tree:
    """Return a study with a title."""
    return study(nct_id, identificationModule={"briefTitle": title})


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Return two files with two versions of a study."""
    paths = tmp_path / "old.json", tmp_path / "new.json"
    for path, title in zip(paths, ("One title", "Another title"), strict=True):
        path.write_bytes(encoded(renamed(title)))
    return paths


def lines(path: Path, *trees: Tree) -> Path:
    """Write some studies as NDJSON."""
    path.write_bytes(b"\n".join(map(encoded, trees)))
    return path


def test_two_files(pair: tuple[Path, Path]) -> None:
    """The text has both versions, and each change under its module with its path."""
    done = run("diff", *pair)
    assert done.code == 0
    assert done.err == ""
    said = done.out.decode().splitlines()
    assert said[0] == f"{NCT}  Another title"
    assert said[1].startswith(f"  before: {pair[0]}, last update posted 2021-03-02, content ")
    assert said[4:] == [
        "Study Identification",
        "  ~ Brief Title: One title → Another title [protocolSection.identificationModule.briefTitle]",
    ]


def test_exit_codes(pair: tuple[Path, Path]) -> None:
    """With --exit-code a difference gives 3, none 0; without it both give 0."""
    assert run("diff", "--exit-code", *pair).code == 3
    same = run("diff", "--exit-code", pair[0], pair[0])
    assert same.code == 0
    assert same.out.decode().splitlines()[-1] == "No difference."
    assert run("diff", "--exit-code", "--format", "json", pair[0], pair[0]).document["status"] == "same"


def test_different_trials(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """Two files of two trials are a mistake in the call, which says so."""
    other = lines(tmp_path / "other.json", study(OTHER))
    done = run("diff", pair[0], other)
    assert done.code == 2
    assert f"is {NCT} and {other} is {OTHER}: these are different trials" in done.errors[0]
    assert run("diff", "-", "-").code == 2


def test_inputs_of_other_kinds(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """Standard input on either side, gzip, folders and archives are inputs as anywhere else."""
    expected = run("diff", "--format", "json", *pair).document["changes"]
    assert (
        run("diff", "--format", "json", "-", pair[1], stdin=pair[0].read_bytes()).document["changes"] == expected
    )
    assert (
        run("diff", "--format", "json", pair[0], "-", stdin=pair[1].read_bytes()).document["changes"] == expected
    )
    packed = tmp_path / "old.json.gz"
    packed.write_bytes(gzip.compress(pair[0].read_bytes()))
    with zipfile.ZipFile(tmp_path / "new.zip", "w") as archive:
        archive.write(pair[1], "new.json")
    done = run("diff", "--format", "json", packed, tmp_path / "new.zip")
    assert done.document["changes"] == expected


def test_a_pipe_with_a_name(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """An older input that cannot be read twice, as a shell's <(...) is none, is read once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(pair[0].read_bytes()))
    writer.start()
    done = run("diff", "--format", "json", pipe, pair[1])
    writer.join()
    assert [each["field"].rpartition(".")[2] for each in done.document["changes"]] == ["briefTitle"]


def test_many_studies(tmp_path: Path) -> None:
    """Studies are paired by number; those that one input alone has are named, and the sum is said on stderr."""
    old = lines(tmp_path / "old.ndjson", renamed("One"), renamed("Same", OTHER), study("NCT99999903"))
    new = lines(tmp_path / "new.ndjson", study("NCT99999904"), renamed("Same", OTHER), renamed("Two"))
    done = run("diff", "--format", "json", "--exit-code", old, new)
    assert done.code == 3
    assert [(each["nctId"], each["status"]) for each in done.documents] == [
        ("NCT99999903", "only-before"),
        ("NCT99999904", "only-after"),
        (NCT, "differs"),
    ]
    assert done.err == "4 studies: 1 the same, 1 only in A, 1 only in B, 1 changed\n"
    text = run("diff", old, new).out.decode()
    assert "NCT99999903: only in A\n\nNCT99999904: only in B\n\nNCT99999901  Two" in text


def test_records_that_cannot_be_read(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """A broken record is told and gives 4, the others are compared; so is a study that stands twice."""
    broken = tmp_path / "broken.ndjson"
    broken.write_bytes(encoded(renamed("One")) + b"\n{}\n" + encoded(renamed("Twin")))
    done = run("diff", "--exit-code", broken, pair[1])
    assert done.code == 4
    assert "NCT number" in done.errors[0]
    assert "the input has this study twice; the first one counts" in done.errors[1]
    assert "One → Another title" in done.out.decode()
    missing = run("diff", tmp_path / "nothing.json", pair[1])
    assert (missing.code, missing.out) == (4, b"")


def test_what_was_not_read_is_said(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """A field that the registry's structure does not list cannot be compared, and that is said."""
    tree = renamed("Another title")
    tree["protocolSection"]["identificationModule"]["novel"] = 1
    done = run("diff", pair[0], lines(tmp_path / "novel.json", tree))
    assert "not compared: warning: NCT99999901: protocolSection.identificationModule.novel" in done.err


def test_patches(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """The patch of one study stands alone; those of several have numbers; no difference is an empty patch."""
    old, new = (trialconv.convert(each) for path in pair for each in trialconv.read(path))
    patch = run("diff", "--format", "fhir-patch", *pair).document
    assert jsonpatch.apply_patch(old, patch) == new
    assert run("diff", "--format", "fhir-patch", pair[0], pair[0]).document == []
    several = [
        lines(tmp_path / f"{title}.ndjson", renamed(title), renamed(title, OTHER)) for title in ("One", "Two")
    ]
    done = run("diff", "--format", "fhir-patch", "--target", "fhir-r5", *several)
    assert [each["nctId"] for each in done.documents] == [NCT, OTHER]
    asked = run("diff", "--format", "fhir-patch", "--patch", "fhir-parameters", *pair).document
    assert [entry["request"]["method"] for entry in asked["entry"]] == ["PATCH", "PATCH"][: len(asked["entry"])]
    path = asked["entry"][0]["resource"]["parameter"][0]["part"][1]
    assert path["valueString"].startswith("ResearchStudy.")


def test_bundles_and_odm(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    """Two bundles, or two ODM documents, are compared as documents; unlike ones are refused."""
    made: dict[str, list[Path]] = {}
    for command, suffix in (("to-fhir", ".json"), ("to-odm", ".xml")):
        for source in pair:
            out = tmp_path / f"{command}-{source.stem}{suffix}"
            assert run(command, source, "--out", out).code == 0
            made.setdefault(command, []).append(out)
    bundles, odm = made["to-fhir"], made["to-odm"]
    done = run("diff", "--exit-code", *bundles)
    assert done.code == 3
    assert "ResearchStudy/NCT99999901" in done.out.decode()
    patch = run("diff", "--format", "fhir-patch", *bundles).document
    old, new = (msgspec.json.decode(path.read_bytes()) for path in bundles)
    assert jsonpatch.apply_patch(old, patch) == new
    assert "Another title" in run("diff", *odm).out.decode()
    assert run("diff", "--exit-code", odm[0], odm[0]).code == 0
    assert run("diff", bundles[0], pair[0]).code == 2
    assert run("diff", "--format", "fhir-patch", *odm).code == 2
    evil = tmp_path / "evil.xml"
    evil.write_bytes(b'<!DOCTYPE ODM [<!ENTITY a "b">]><ODM xmlns="http://www.cdisc.org/ns/odm/v2.0">&a;</ODM>')
    refused = run("diff", evil, odm[0])
    assert (refused.code, "DOCTYPE" in refused.err) == (4, True)


def test_results_in_sum_and_in_full(tmp_path: Path) -> None:
    """Changes of results are one line for a module; with --results full each is told."""
    trees = [
        {**study(), "resultsSection": {"participantFlowModule": {"recruitmentDetails": text, "groups": groups}}}
        for text, groups in (("One", []), ("Two", [{"id": "FG000", "title": "Pill"}]))
    ]
    paths = [lines(tmp_path / f"{number}.json", tree) for number, tree in enumerate(trees)]
    assert "  ~ Participant Flow: 1 added, 1 changed (" in run("diff", *paths).out.decode()
    full = run("diff", "--results", "full", *paths).out.decode()
    assert "  ~ Recruitment Details: One → Two [resultsSection.participantFlowModule.recruitmentDetails]" in full
    summed = run("diff", "--format", "json", *paths).document
    assert (summed["status"], summed.get("changes", [])) == ("differs", [])
    assert summed["results"][0]["label"] == "Participant Flow"
    assert len(run("diff", "--format", "json", "--results", "full", *paths).document["changes"]) == 2


def test_records_are_not_held(tmp_path: Path) -> None:
    """While two inputs of many studies are compared, no more than a few records are in memory at once."""
    alive: weakref.WeakSet[Record] = weakref.WeakSet()
    most = 0

    def read(name: str) -> Iterator[Record | SourceError]:
        nonlocal most
        for number in range(300):
            made = record(renamed(name if number % 2 else "Same", f"NCT99{number:06}"))
            alive.add(made)
            most = max(most, len(alive))
            yield made
            del made

    found = list(compare_inputs("a", "b", read, trialconv.diff))
    kinds = [type(each).__name__ for each in found]
    assert (kinds.count("Same"), kinds.count("Difference"), len(found)) == (150, 150, 300)
    assert most <= 6
    assert not any(isinstance(each, Only) for each in found)
    assert all(each.side.last_update == "2021-03-02" for each in found if isinstance(each, Same))
