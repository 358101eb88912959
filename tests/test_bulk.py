"""`trialconv bulk`: shards over several processes, the same for any number of them, every record told of."""

from __future__ import annotations

import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from bulk_made_up import full, lines_of, number, report_of, small, tree_of, zipped
from command_runner import run
from made_up import record
from trialconv import validate
from trialconv.catalog import TARGETS
from trialconv.cli.progress import bar_text
from trialconv.context import Options
from trialconv.parallel import available_cores
from trialconv.pipeline import transform

ROOT = Path(__file__).resolve().parent.parent
FHIR = ["-t", "fhir-r4"]
HERE = ["--workers", "0"]


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    """Return an archive with seven studies."""
    return zipped(tmp_path / "seven.zip", [full(1), full(2), *map(small, range(3, 8))])


def command(*arguments: Any) -> list[str]:
    """Return the command line of another process."""
    return [str(Path(sys.executable).with_name("trialconv")), *map(str, arguments)]


# what comes out


def test_resources_are_those_of_the_bundles(seven: Path, tmp_path: Path) -> None:
    """FHIR comes out as bulk data: per shard a file for each type, with the resources that the bundles have."""
    out = tmp_path / "out"
    ran = run("bulk", seven, "--out", out, *FHIR, *HERE, "--shard-size", "3")
    assert (ran.code, ran.out) == (0, b"")
    assert "fhir-r4: 7 converted" in ran.err
    bundles = run("to-fhir", seven).documents
    expected = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    kinds = {one["resourceType"] for one in expected}
    for kind in kinds:
        found = lines_of(out / "fhir-r4", f"{kind}.*.ndjson")
        assert found == [one for one in expected if one["resourceType"] == kind]
    assert {path.name.split(".")[0] for path in (out / "fhir-r4").iterdir()} == kinds
    assert {path.name.split(".")[1] for path in (out / "fhir-r4").iterdir()} == {"00001", "00002", "00003"}


@pytest.mark.parametrize("target", TARGETS)
def test_every_target(seven: Path, tmp_path: Path, target: str) -> None:
    """Every target of the catalogue comes out, in folders with the bytes of the converting commands."""
    out = tmp_path / "out"
    ran = run("bulk", seven, "--out", out, "-t", target, "--layout", "folders", *HERE, "--shard-size", "4")
    assert ran.code == 0, ran.err
    suffix = TARGETS[target].suffix
    names = sorted(
        path.relative_to(out / target).as_posix() for path in (out / target).rglob("*") if path.is_file()
    )
    if target == "sdtm":
        assert f"00001/{number(1)}/define.xml" in names
        return
    assert names == [f"0000{1 + (n > 4)}/{number(n)}{suffix}" for n in range(1, 8)]
    written = (out / target / "00001" / f"{number(1)}{suffix}").read_bytes()
    if target == "warehouse":
        # No command converts to rows: `load` fills tables with them.
        made = transform(record(json.loads(full(1))), TARGETS[target], Options(), check=False)
        assert written.rstrip() == made.data
    elif target in ("fhir-r4", "fhir-r5", "usdm-4.0", "odm-2.0", "rpe"):
        converting = {"fhir": "to-fhir", "usdm": "to-usdm", "odm-": "to-odm", "rpe": "to-rpe"}[target[:4]]
        version = ["--fhir-version", target[5:]] if target.startswith("fhir") else []
        alone = run(converting, "-", *version, stdin=full(1)).out
        assert written.rstrip() == alone.rstrip()


def test_several_targets_and_layouts(seven: Path, tmp_path: Path) -> None:
    """One run gives several targets, each in its layout: as lines, in a ZIP, in folders."""
    out = tmp_path / "out"
    layouts = ["--layout", "lines", "--layout", "odm-2.0=zip", "--layout", "sdtm=zip"]
    targets = ["-t", "fhir-r5", "-t", "usdm-4.0", "-t", "odm-2.0", "-t", "sdtm"]
    ran = run("bulk", seven, "--out", out, *targets, *layouts, *HERE, "--shard-size", "5")
    assert ran.code == 0, ran.err
    assert lines_of(out / "fhir-r5", "*.ndjson") == run("to-fhir", seven, "--fhir-version", "R5").documents
    assert lines_of(out / "usdm-4.0", "*.ndjson") == run("to-usdm", seven).documents
    with zipfile.ZipFile(out / "odm-2.0" / "00002.zip") as archive:
        assert archive.namelist() == [f"{number(6)}.xml", f"{number(7)}.xml"]
        assert validate(archive.read(f"{number(6)}.xml")) == []
    with zipfile.ZipFile(out / "sdtm" / "00001.zip") as archive:
        assert f"{number(1)}/ts.json" in archive.namelist()


def test_the_report_accounts_for_everything(seven: Path, tmp_path: Path) -> None:
    """The report names every file with its records, bytes and hash, and the shards' accounts have all studies."""
    out = tmp_path / "out"
    run("bulk", seven, "--out", out, *FHIR, *HERE, "--shard-size", "3", "--issues")
    report = report_of(out)
    assert (report["state"], report["exitCode"], report["records"]) == ("complete", 0, 7)
    assert report["targets"] == {"fhir-r4": {"converted": 7, "invalid": 0, "failed": 0}}
    tree = tree_of(out)
    listed = {file["name"]: file for shard in report["shards"] for file in shard["files"]}
    assert {name: file["sha256"] for name, file in listed.items()} == {
        name: hashed for name, hashed in tree.items() if name.startswith(("fhir-r4/", "issues/"))
    }
    for name, file in listed.items():
        data = (out / name).read_bytes()
        assert (len(data), data.count(b"\n")) == (file["bytes"], file["records"])
    counted = sum(one["count"] for one in report["issues"])
    assert counted == len(lines_of(out / "issues", "*.ndjson")) > 0
    studies = [
        line for path in sorted((out / "shards").iterdir()) for line in json.loads(path.read_bytes())["studies"]
    ]
    assert [line.split()[0] for line in studies] == [number(n) for n in range(1, 8)]


@pytest.mark.parametrize("shape", ["zip", "lines", "lines.gz", "folder", "page"])
def test_workers_change_nothing(tmp_path: Path, shape: str) -> None:
    """Any number of processes gives the same files, byte for byte, whatever the input is."""
    studies = [small(n, descriptionModule={"briefSummary": noise(n)}) for n in range(1, 400)]
    studies[30] = b"{]"
    studies[200] = studies[100]
    source = {
        "zip": lambda path: zipped(path, studies),
        "lines": lambda path: path.write_bytes(b"\n".join(studies)),
        "lines.gz": lambda path: path.write_bytes(gzip.compress(b"\n".join(studies), 1)),
        "folder": lambda path: [
            path.mkdir(),
            *((path / f"{n:05}.json").write_bytes(one) for n, one in enumerate(studies)),
        ],
        "page": lambda path: path.write_bytes(b'{"studies":[' + b",".join(studies[:30] + studies[31:]) + b"]}"),
    }
    path = tmp_path / shape
    source[shape](path)
    for workers in (0, 2):
        options = [*FHIR, "--workers", workers, "--shard-size", "50"]
        assert run("bulk", path, "--out", tmp_path / f"out-{workers}", *map(str, options)).code == 4
    first, second = (tree_of(tmp_path / f"out-{workers}") for workers in (0, 2))
    assert first == second
    assert len([name for name in first if name.startswith("shards/")]) == 8
    assert len(lines_of(tmp_path / "out-2" / "fhir-r4", "ResearchStudy.*")) == 397


def noise(seed: int) -> str:
    """Return text that cannot be packed into much less."""
    return random.Random(seed).randbytes(3000).hex()  # noqa: S311 - no secret


def test_standard_input(tmp_path: Path) -> None:
    """Standard input is converted, duplicates in it included; it cannot be resumed, which is said at once."""
    studies = [small(1), small(2, "2020-01-01"), small(3), small(2, "2022-01-01")]
    program = command("bulk", "-", "--out", tmp_path / "out", *FHIR, "--shard-size", "2", "--workers", "1")
    done = subprocess.run(program, input=b"\n".join(studies), capture_output=True, check=False)  # noqa: S603
    assert done.returncode == 4, done.stderr
    assert [one["id"] for one in lines_of(tmp_path / "out" / "fhir-r4", "ResearchStudy.*")] == [
        number(n) for n in (1, 3, 2)
    ]
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    ran = run("bulk", "-", "--out", tmp_path / "out", *FHIR, "--resume")
    assert (ran.code, "standard input" in ran.err) == (2, True)


# shares


def test_shares_are_the_whole(tmp_path: Path) -> None:
    """Three machines make the shards of one; a last call finds duplicates, and reports on all."""
    studies = [*map(small, range(1, 30)), small(5, "2023-01-01")]
    source = zipped(tmp_path / "some.zip", studies)
    options = [*FHIR, *HERE, "--shard-size", "4"]
    assert run("bulk", source, "--out", tmp_path / "whole", *options).code == 4
    for part in ("2/3", "1/3", "3/3"):
        ran = run("bulk", source, "--out", tmp_path / "parts", *options, "--shard", part)
        assert ran.code == 0, ran.err
    assert json.loads((tmp_path / "parts" / "report-2-of-3.json").read_bytes())["records"] == 4 + 4 + 2
    again = run("bulk", source, "--out", tmp_path / "parts", *options, "--resume")
    assert (again.code, "8 of them" in again.err) == (4, False)
    assert tree_of(tmp_path / "parts") == tree_of(tmp_path / "whole")
    assert report_of(tmp_path / "parts")["records"] == 30


@pytest.mark.parametrize("share", ["0/3", "4/3", "3", "x/y"])
def test_shares_that_are_none(seven: Path, tmp_path: Path, share: str) -> None:
    """A share that cannot be is a wrong option."""
    assert run("bulk", seven, "--out", tmp_path / "out", *FHIR, "--shard", share).code == 2


# interrupted and resumed


def test_killed_at_every_step(tmp_path: Path) -> None:
    """Killed before any step on the disk, and resumed, a run ends with the same files."""
    studies = [*map(small, range(1, 5)), b"{]", small(3, "2022-02-02"), small(4)]
    source = zipped(tmp_path / "some.zip", studies)
    program = [sys.executable, str(ROOT / "tests" / "kill_everywhere.py"), str(source), str(tmp_path / "runs")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(program, capture_output=True, text=True, env=environment, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) > 30


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_random_points(tmp_path: Path, seed: int) -> None:
    """Killed with SIGKILL at random moments, time and again, a run over two processes ends with the same files."""
    studies = [full(n) for n in range(1, 160)] + [small(17, "2030-01-01"), b"no study"]
    source = zipped(tmp_path / "some.zip", studies)
    options = [source, *FHIR, "--workers", "2", "--shard-size", "10"]
    assert run("bulk", "--out", tmp_path / "whole", *options).code == 4
    dice = random.Random(seed)  # noqa: S311 - no secret
    for kills in range(1000):
        out = ["--out", tmp_path / "killed", *(["--resume"] if kills else [])]
        with subprocess.Popen(command("bulk", *options, *out), stderr=subprocess.PIPE) as process:  # noqa: S603
            try:
                process.wait(dice.uniform(0.3, 2.0) if kills < 4 else None)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.returncode != -signal.SIGKILL:
            break
    assert process.returncode == 4
    assert tree_of(tmp_path / "killed") == tree_of(tmp_path / "whole")


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """When the process is killed its workers end, too, and nothing works on the folder any more."""
    source = zipped(tmp_path / "some.zip", [full(n) for n in range(1, 400)])
    program = command("bulk", source, "--out", tmp_path / "out", *FHIR, "--workers", "2", "--shard-size", "400")
    with subprocess.Popen(program, stderr=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603
        folder = tmp_path / "out" / "fhir-r4"
        wait_for(lambda: folder.is_dir() and any(folder.iterdir()))
        process.kill()
    wait_for(lambda: not session_has_processes(process.pid))


def session_has_processes(session: int) -> bool:
    """Tell whether a process of a session is alive."""
    try:
        os.killpg(session, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition: Any) -> None:
    """Wait until something is so; fail when it does not become so."""
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_interrupted_by_hand(tmp_path: Path) -> None:
    """An interrupt ends the run with 130 and says how to go on; nothing incomplete is left."""
    source = zipped(tmp_path / "some.zip", [full(n) for n in range(1, 600)])
    options = ["bulk", source, "--out", tmp_path / "out", *FHIR, "--workers", "2", "--shard-size", "50"]
    # Whoever runs the tests in the background of a shell has interrupts ignored, by all that is started there.
    program = (
        "import signal; signal.signal(2, signal.default_int_handler); from trialconv.cli.main import main; main()"
    )
    begun = [sys.executable, "-c", program, *map(str, options)]
    with subprocess.Popen(begun, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        wait_for(lambda: (tmp_path / "out" / "shards").is_dir())
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130, said
    assert "--resume" in said
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name.startswith(".")]
    assert run(*options, "--resume").code == 0
    assert report_of(tmp_path / "out")["records"] == 599


def test_resuming_what_is_complete(seven: Path, tmp_path: Path) -> None:
    """A complete run has nothing left to do: the files stay, and the report is about all records."""
    out = tmp_path / "out"
    options = ["bulk", seven, "--out", out, *FHIR, *HERE, "--shard-size", "3"]
    assert run(*options).code == 0
    before = tree_of(out)
    ran = run(*options, "--resume")
    assert (ran.code, "7 records; 0 of them" in ran.err) == (0, True)
    assert tree_of(out) == before
    assert report_of(out)["resumed"] is True


def test_a_damaged_file_is_made_again(seven: Path, tmp_path: Path) -> None:
    """A file that is gone, or has lost its end as after a power cut, is made again by --resume."""
    out = tmp_path / "out"
    options = ["bulk", seven, "--out", out, *FHIR, "-t", "odm-2.0", *HERE, "--shard-size", "3"]
    assert run(*options).code == 0
    before = tree_of(out)
    (out / "fhir-r4" / "Group.00001.ndjson").unlink(missing_ok=True)
    (out / "odm-2.0" / "00002" / f"{number(4)}.xml").write_bytes(b"")
    assert "6 of them" in run(*options, "--resume").err
    assert tree_of(out) == before


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        (["--no-contacts"], "contacts"),
        (["--no-validate"], "validate"),
        (["-t", "odm-2.0"], "layouts"),
        (["--shard-size", "2"], "shardSize"),
        (["--created", "2024-01-01T00:00:00Z"], "created"),
    ],
)
def test_resumed_with_other_options(seven: Path, tmp_path: Path, changed: list[str], named: str) -> None:
    """Other options would give two kinds of output: exit code 2, the option is named, and nothing is touched."""
    out = tmp_path / "out"
    options = ["bulk", seven, "--out", out, *FHIR, *HERE, "--shard-size", "3"]
    run(*options)
    # As a run leaves it that was interrupted in the second shard.
    (out / "shards" / "00002.json").unlink()
    (out / "report.json").unlink()
    before = tree_of(out)
    ran = run(*options, *changed, "--resume")
    assert (ran.code, named in ran.err, "same inputs and options" in ran.err) == (2, True, True)
    assert tree_of(out) == before


def test_resumed_with_another_input(seven: Path, tmp_path: Path) -> None:
    """An input that was changed in between is noticed: exit code 2."""
    out = tmp_path / "out"
    options = ["bulk", seven, "--out", out, *FHIR, *HERE]
    run(*options)
    size = seven.stat().st_size
    zipped(seven, [small(1)])
    ran = run(*options, "--resume")
    assert (ran.code, len(ran.errors)) == (2, 1)
    assert f"seven.zip of {size:,} bytes changed at 20" in ran.err
    assert f"seven.zip of {seven.stat().st_size:,} bytes" in ran.err


def test_a_folder_with_something_in_it(seven: Path, tmp_path: Path) -> None:
    """What is in the output folder is not touched without --resume, and with it only a run's: exit code 5."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    for options in ([], ["--resume"]):
        assert run("bulk", seven, "--out", out, *FHIR, *HERE, *options).code == 5
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "mine.txt").unlink()
    assert run("bulk", seven, "--out", out, *FHIR, *HERE).code == 0
    ran = run("bulk", seven, "--out", out, *FHIR, *HERE)
    assert (ran.code, "--resume" in ran.err) == (5, True)


# bad input


def test_garbage_among_good_records(tmp_path: Path) -> None:
    """Ten thousand lines of garbage are accounted for, with their bytes and the reason; the others are there."""
    lines = [
        small(n) if n % 100 == 0 else [b"{]", b'{"a":1}', b"\xff\xfe", b"[]"][n % 4] for n in range(1, 10_101)
    ]
    source = tmp_path / "some.ndjson"
    source.write_bytes(b"\n".join(lines))
    ran = run("bulk", source, "--out", tmp_path / "out", *FHIR, "--workers", "2", "--shard-size", "1000")
    assert (ran.code, "fhir-r4: 101 converted" in ran.err, "9,999 could not be read" in ran.err) == (4, True, True)
    report = report_of(tmp_path / "out")
    assert (report["records"], report["unread"], report["exitCode"]) == (10_100, 9_999, 4)
    rejected = lines_of(tmp_path / "out" / "rejected", "*.ndjson")
    assert len(rejected) == 9_999
    assert [rejected[0]["raw"], rejected[1]["rawBase64"]] == ['{"a":1}\n', "//4K"]
    assert {one["place"] for one in rejected} == {f"line {n}" for n in range(1, 10_101) if n % 100}
    assert all(one["issues"][0]["code"] in ("malformed-source", "not-a-study") for one in rejected)


def test_broken_archives_and_streams(tmp_path: Path) -> None:
    """A broken entry, a truncated gzip and a missing file are accounted for; what can be read of them is there."""
    broken = zipped(tmp_path / "broken.zip", map(full, range(1, 4)))
    data = bytearray(broken.read_bytes())
    data[data.index(b"000001.json") + 200] ^= 0xFF
    broken.write_bytes(data)
    studies = b"\n".join(small(n, descriptionModule={"briefSummary": noise(n)}) for n in range(10, 700))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(studies)[:-100_000])
    ran = run("bulk", broken, tmp_path / "cut.gz", tmp_path / "none.zip", "--out", tmp_path / "out", *FHIR, *HERE)
    assert ran.code == 4
    rejected = lines_of(tmp_path / "out" / "rejected", "*.ndjson")
    assert [re.sub(r".*/", "", one["record"]) for one in rejected] == [
        "broken.zip!000001.json",
        "cut.gz",
        "none.zip",
    ]
    report = report_of(tmp_path / "out")
    assert report["records"] - report["unread"] == report["targets"]["fhir-r4"]["converted"] > 500
    assert report["unread"] == 3


def test_every_record_is_accounted_for(tmp_path: Path) -> None:
    """What is unread, superseded, converted, invalid and failed is in each target all that there was."""
    broken = zipped(tmp_path / "a.zip", [small(1, "2020-01-01"), b"{]", small(2), small(3)])
    data = bytearray(broken.read_bytes())
    data[data.index(b"000003.json") + 60] ^= 0xFF
    broken.write_bytes(data)
    (tmp_path / "b.ndjson").write_bytes(b"\n".join([small(1, "2022-01-01"), b"[]", small(4)]))
    options = ["-t", "fhir-r4", "-t", "odm-2.0", "-t", "sdtm", *HERE, "--shard-size", "2", "--base", "http://a b"]
    ran = run("bulk", tmp_path / "a.zip", tmp_path / "b.ndjson", "--out", tmp_path / "out", *options)
    assert ran.code == 4, ran.err
    report = report_of(tmp_path / "out")
    assert (report["records"], report["unread"], report["superseded"]) == (7, 3, 1)
    assert report["targets"]["fhir-r4"]["invalid"] == 3
    for counts in report["targets"].values():
        assert report["records"] == report["unread"] + report["superseded"] + sum(counts.values())
    rejected = lines_of(tmp_path / "out" / "rejected", "*.ndjson")
    assert len(rejected) == 3 + 1 + sum(one["invalid"] + one["failed"] for one in report["targets"].values())


def test_the_newest_version_is_kept(tmp_path: Path) -> None:
    """Of several versions of a study the latest update is kept, of equal ones the last; the others are listed."""
    first = zipped(
        tmp_path / "first.zip", [small(1, "2020-05-05"), small(2, "2022-02-02"), small(3), small(1, "2019-01-01")]
    )
    second = tmp_path / "second.ndjson"
    second.write_bytes(
        small(2, "2021-01-01") + b"\n" + small(1, "2020-05-05", conditionsModule={"keywords": ["later"]})
    )
    out = tmp_path / "out"
    ran = run("bulk", first, second, "--out", out, *FHIR, "--layout", "lines", *HERE, "--shard-size", "2")
    assert (ran.code, "3 left out" in ran.err) == (4, True)
    found = {bundle["entry"][0]["resource"]["id"]: bundle for bundle in lines_of(out / "fhir-r4", "*.ndjson")}
    assert sorted(found) == [number(1), number(2), number(3)]
    assert "later" in json.dumps(found[number(1)])
    report = report_of(out)
    # Shards that were made once more do not count twice.
    assert (report["superseded"], report["records"], report["recordsThisRun"]) == (3, 6, 6)
    rejected = lines_of(out / "rejected", "*.ndjson")
    assert [one["record"] for one in rejected] == [number(1), number(1), number(2)]
    assert {one["issues"][0]["code"] for one in rejected} == {"superseded-record"}
    assert all(json.loads(one["raw"])["protocolSection"] for one in rejected)


def test_invalid_documents_are_rejected(seven: Path, tmp_path: Path) -> None:
    """A document that fails validation is kept out, with its findings: exit code 3; --keep-invalid writes it."""
    options = ["bulk", seven, *FHIR, *HERE, "--base", "http://a b"]
    assert run(*options, "--out", tmp_path / "out").code == 3
    assert report_of(tmp_path / "out")["targets"]["fhir-r4"] == {"converted": 0, "invalid": 7, "failed": 0}
    assert lines_of(tmp_path / "out" / "fhir-r4", "*.ndjson") == []
    rejected = lines_of(tmp_path / "out" / "rejected", "*.ndjson")
    assert {(one["target"], one["issues"][0]["severity"]) for one in rejected} == {("fhir-r4", "error")}
    assert run(*options, "--out", tmp_path / "kept", "--keep-invalid").code == 3
    assert len(lines_of(tmp_path / "kept" / "fhir-r4", "ResearchStudy.*")) == 7


def test_issues_that_are_too_grave(seven: Path, tmp_path: Path) -> None:
    """--fail-on makes Issues of a severity the exit code 3, in the report, too."""
    ran = run("bulk", seven, *FHIR, *HERE, "--out", tmp_path / "out", "--fail-on", "information")
    assert (ran.code, report_of(tmp_path / "out")["exitCode"]) == (3, 3)


# bad places


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_full_disk(tmp_path: Path, workers: str) -> None:
    """When nothing more can be written the run stops with 5 and says why; resumed with room it is complete."""
    source = zipped(tmp_path / "some.zip", [full(n) for n in range(1, 120)])
    options = ["bulk", source, *FHIR, "--workers", workers, "--shard-size", "60"]
    assert run(*options, "--out", tmp_path / "whole").code == 0
    limited = ["bash", "-c", 'ulimit -f 40; exec "$@"', "bash", *command(*options, "--out", tmp_path / "out")]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 5, done.stderr
    assert "File too large" in done.stderr
    assert "--resume" in done.stderr
    assert report_of(tmp_path / "out")["state"] == "stopped"
    assert not [path for path in (tmp_path / "out").rglob("*") if path.name.startswith(".")]
    assert run(*options, "--out", tmp_path / "out", "--resume").code == 0
    assert tree_of(tmp_path / "out") == tree_of(tmp_path / "whole")


def test_a_disk_without_room(tmp_path: Path) -> None:
    """A file system that is full stops the run with 5, before it begins or in the middle; with room it goes on."""
    inside = """set -eu
        mount -t tmpfs -o size=8k tmpfs "$1"; head -c 8192 /dev/zero > "$1/all"; cd "$1"; shift
        code=0; "$@" || code=$?; echo "code $code"
        rm all; mount -o remount,size=200k .
        code=0; "$@" || code=$?; echo "code $code"
        mount -o remount,size=64m .
        "$@" --resume; cp -r out "$OUT"
    """
    source = zipped(tmp_path / "some.zip", [full(n) for n in range(1, 120)])
    (tmp_path / "disk").mkdir()
    options = ["bulk", source, *FHIR, *HERE, "--shard-size", "60"]
    program = ["unshare", "--user", "--map-root-user", "--mount", "bash", "-c", inside, "bash"]
    mounting = [*program[:4], "mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "disk")]
    if shutil.which("unshare") is None or subprocess.run(mounting, capture_output=True, check=False).returncode:  # noqa: S603
        pytest.skip("no namespace of its own for a small file system can be had here (unshare)")
    done = subprocess.run(  # noqa: S603
        [*program, str(tmp_path / "disk"), *command(*options, "--out", "out")],
        capture_output=True,
        text=True,
        env={**os.environ, "OUT": str(tmp_path / "out")},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n")[:2] == ["code 5", "code 5"]
    assert done.stderr.count("No space left on device") == 2
    assert run(*options, "--out", tmp_path / "whole").code == 0
    assert tree_of(tmp_path / "out") == tree_of(tmp_path / "whole")


def test_a_folder_that_cannot_be_made(seven: Path, tmp_path: Path) -> None:
    """Where no folder can be made nothing is begun: exit code 5 and one message."""
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "out", Path("/proc/nothing/here")):
        ran = run("bulk", seven, "--out", place, *FHIR, *HERE)
        assert (ran.code, len(ran.errors)) == (5, 1), ran.err


@pytest.mark.parametrize(
    "options",
    [
        ["-t", "odm-2.0", "--layout", "lines"],
        ["-t", "odm-2.0", "--layout", "resources"],
        ["-t", "fhir-r4", "--layout", "odm-2.0=zip"],
        ["-t", "fhir-r4", "--layout", "parquet"],
        ["-t", "fhir-r4", "--created", "yesterday"],
    ],
)
def test_options_that_do_not_go_together(seven: Path, tmp_path: Path, options: list[str]) -> None:
    """A layout that a target cannot have, or that there is none of, is exit code 2, and there is no folder."""
    ran = run("bulk", seven, "--out", tmp_path / "out", *options)
    assert (ran.code, (tmp_path / "out").exists()) == (2, False)


# progress


def test_the_bar() -> None:
    """On a terminal there are a bar, the rate and the time left; without knowing how many there are, the rate."""
    assert bar_text(300, 600, 10.0) == f"[{'#' * 15}{'.' * 15}] 50 %  300 studies  10/s  30 s left"
    assert bar_text(607_000, 1_214_000, 150.0).endswith("607,000 studies  150/s  1 h 7 min left")
    assert bar_text(700, 600, 10.0) == "700 studies  10/s"
    assert bar_text(0, 600, 0.0).endswith("0 studies  0/s")


def test_cores() -> None:
    """As many processes are used as this one has processors."""
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
