"""The options of the converting commands in `trialconv bulk`, and what studies share."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
import pytest

from bulk_made_up import full, lines_of, number, report_of, small, tree_of, zipped
from command_runner import run
from trialconv.cli.bulk import command as bulk
from trialconv.cli.to_fhir import command as to_fhir
from trialconv.cli.to_odm import command as to_odm
from trialconv.cli.to_rpe import command as to_rpe
from trialconv.cli.to_sdtm import command as to_sdtm
from trialconv.cli.to_usdm import command as to_usdm

FHIR = ["-t", "fhir-r4"]
HERE = ["--workers", "0"]
SHARED = ["--shared-organizations"]


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    """Return an archive with seven studies, six of which name the same organizations."""
    return zipped(tmp_path / "seven.zip", [*map(full, range(1, 4)), small(4), *map(full, range(5, 8))])


def test_no_option_is_missing() -> None:
    """What the converting commands offer, bulk does, but for what is about one document or is a target here."""
    elsewhere = {
        "out",  # the folder
        "issues_file",  # the folder issues
        "force",  # nothing is written over
        "verbose",  # the folder issues has all
        "pretty",  # a line, or bytes for machines
        "lineage",  # as large as the documents; `explain` and the commands have it for some
        "study_id",  # of one study
        "dataset",
        "sdtm_minimal",  # for a study without data that is submitted, by itself
        "fhir_version",  # these are targets
        "odm_version",
        "plain",
        "format_",
        "document_format",
    }
    offered: set[Any] = {option.name for option in bulk.params}
    commands: list[click.Command] = [to_fhir, to_odm, to_usdm, to_sdtm, to_rpe]
    missing = {option.name for one in commands for option in one.params if option.name not in offered}
    assert missing == elsewhere


@pytest.mark.parametrize(
    "options",
    [
        ["--bundle", "collection"],
        ["--bundle", "batch"],
        ["--request", "conditional-update", "--narrative"],
        ["--max-entries", "3"],
        ["--shared-organizations", "--provenance", "--no-contacts", "--base", "https://example.org/mine"],
    ],
)
def test_bundles_are_those_of_to_fhir(seven: Path, tmp_path: Path, options: list[str]) -> None:
    """The options of bundles give the files of to-fhir, whatever the layout, under the same names."""
    out = tmp_path / "out"
    for layout in ("lines", "folders"):
        place = ["--out", out / layout, "--layout", layout, *HERE, "--shard-size", "4"]
        ran = run("bulk", seven, *FHIR, *place, *options)
        assert ran.code == 0, ran.err
    assert run("to-fhir", seven, "--out", tmp_path / "alone", *options).code == 0
    alone = {path.name: path.read_bytes().rstrip() for path in (tmp_path / "alone").iterdir()}
    folders = {path.name: path.read_bytes().rstrip() for path in (out / "folders" / "fhir-r4").glob("*/*")}
    assert folders == alone
    lines = [json.dumps(one) for one in lines_of(out / "lines" / "fhir-r4", "*.ndjson")]
    assert lines == [json.dumps(json.loads(alone[name])) for name in sorted(alone)]
    assert report_of(out / "lines")["targets"]["fhir-r4"]["converted"] == 7


def test_formats_of_other_targets(seven: Path, tmp_path: Path) -> None:
    """SDTM comes out in the format that is asked for, RPE in an envelope for its receiver."""
    out = tmp_path / "out"
    options = ["--sdtm-format", "both", "--soap", "https://ehr.example.org/rpe"]
    assert run("bulk", seven, "-t", "sdtm", "-t", "rpe", "--out", out, *HERE, *options).code == 0
    names = {path.name for path in (out / "sdtm" / "00001" / number(1)).iterdir()}
    assert {"ts.xpt", "ts.json"} <= names
    alone = run("to-rpe", "-", "--soap", "https://ehr.example.org/rpe", stdin=full(2)).out
    assert (out / "rpe" / "00001" / f"{number(2)}.xml").read_bytes().rstrip() == alone.rstrip()


@pytest.mark.parametrize(
    "options",
    [
        [*FHIR, "--bundle", "collection"],
        [*FHIR, "--max-entries", "5"],
        [*FHIR, "-t", "fhir-r5", "--layout", "fhir-r5=lines", "--request", "conditional-create"],
        ["-t", "odm-2.0", "--max-entries", "5"],
        [*FHIR, "--layout", "lines", "--bundle", "collection", "--max-entries", "5"],
        [*FHIR, "--layout", "lines", "--bundle", "batch", "--request", "conditional-create"],
        [*FHIR, "--engine", "spark", "--max-entries", "5"],
    ],
)
def test_options_of_bundles_without_bundles(seven: Path, tmp_path: Path, options: list[str]) -> None:
    """Where no bundles are written, or they cannot be so, the message says it: exit code 2, and no folder."""
    ran = run("bulk", seven, "--out", tmp_path / "out", *options)
    assert (ran.code, len(ran.errors), (tmp_path / "out").exists()) == (2, 1, False), ran.err


# what studies share


def organizations(folder: Path, target: str = "fhir-r4") -> list[str]:
    """Return the ids of all Organizations of a run."""
    return [one["id"] for one in lines_of(folder / target, "Organization.*.ndjson")]


def assert_whole(folder: Path) -> None:
    """Make sure that no resource is there twice, each reference leads to one, and the accounts are right."""
    made = lines_of(folder / "fhir-r4", "*.ndjson")
    count = Counter(f"{one['resourceType']}/{one['id']}" for one in made)
    assert count.most_common(1)[0][1] == 1
    pointers = {piece.partition('"')[0] for one in made for piece in json.dumps(one).split('"reference": "')[1:]}
    assert {pointer for pointer in pointers if not pointer.startswith("#")} <= set(count)
    tree = tree_of(folder)
    for shard in report_of(folder)["shards"]:
        for file in shard["files"]:
            data = (folder / file["name"]).read_bytes()
            assert (file["records"], file["bytes"], file["sha256"]) == (
                data.count(b"\n"),
                len(data),
                tree[file["name"]],
            )


def test_what_is_shared_is_there_once(seven: Path, tmp_path: Path) -> None:
    """An Organization that studies of several shards share stands in the first of them, and nowhere else."""
    out = tmp_path / "out"
    options = ["bulk", seven, "--out", out, *FHIR, *HERE, "--shard-size", "2", *SHARED]
    assert run(*options).code == 0
    assert_whole(out)
    alone = run("to-fhir", seven, "--format", "ndjson", "--out", tmp_path / "alone", *SHARED)
    assert alone.code == 0
    assert organizations(out) == [one["id"] for one in lines_of(tmp_path / "alone", "Organization.ndjson")]
    before = tree_of(out)
    ran = run(*options, "--resume")
    assert (ran.code, "7 records; 0 of them" in ran.err) == (0, True)
    assert tree_of(out) == before


def test_sharing_is_the_same_for_workers_and_shares(seven: Path, tmp_path: Path) -> None:
    """Processes, shares, several targets and a file that was lost make no difference to what is shared."""
    options = ["bulk", seven, *FHIR, "-t", "fhir-r5", "--shard-size", "2", *SHARED]
    assert run(*options, *HERE, "--out", tmp_path / "whole").code == 0
    assert run(*options, "--workers", "2", "--out", tmp_path / "two").code == 0
    for part in ("3/3", "1/3", "2/3"):
        assert run(*options, *HERE, "--out", tmp_path / "parts", "--shard", part).code == 0
    assert len(organizations(tmp_path / "parts")) > len(set(organizations(tmp_path / "parts")))
    assert run(*options, *HERE, "--out", tmp_path / "parts", "--resume").code == 0
    (tmp_path / "two" / "fhir-r4" / "Organization.00001.ndjson").unlink()
    (tmp_path / "two" / "fhir-r5" / "ResearchStudy.00003.ndjson").write_bytes(b"")
    assert run(*options, "--workers", "2", "--out", tmp_path / "two", "--resume").code == 0
    expected = tree_of(tmp_path / "whole")
    assert tree_of(tmp_path / "two") == expected
    assert tree_of(tmp_path / "parts") == expected


def test_shared_by_a_study_that_is_superseded(tmp_path: Path) -> None:
    """When the study of which an Organization came first is left out, the next one that has it keeps it."""
    newer = json.loads(full(1))
    newer["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"] = {"date": "2031-01-01", "type": "ACTUAL"}
    source = zipped(tmp_path / "some.zip", [full(1), full(2), json.dumps(newer).encode(), full(3)])
    ran = run("bulk", source, "--out", tmp_path / "out", *FHIR, *HERE, "--shard-size", "1", *SHARED)
    assert ran.code == 4, ran.err
    assert_whole(tmp_path / "out")
    assert not (tmp_path / "out" / "fhir-r4" / "Organization.00001.ndjson").exists()
    assert len(organizations(tmp_path / "out")) == len(
        lines_of(tmp_path / "out" / "fhir-r4", "Organization.00002*")
    )


def test_studies_have_their_own_by_default(seven: Path, tmp_path: Path) -> None:
    """Without the option nothing is shared, since equal names do not prove that it is the same organization."""
    assert run("bulk", seven, "--out", tmp_path / "out", *FHIR, *HERE, "--shard-size", "2").code == 0
    assert all(id_.startswith("NCT") for id_ in organizations(tmp_path / "out"))
    assert_whole(tmp_path / "out")
