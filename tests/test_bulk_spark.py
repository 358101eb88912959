"""`trialconv bulk --engine spark` on a cluster of two workers: the rows of the local engine, whoever is killed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from bulk_made_up import full, lines_of, number, report_of, small, zipped
from command_runner import run
from spark_cluster import Cluster

FHIR = ["-t", "fhir-r4"]
SETTINGS = [
    "--conf=spark.driver.host=127.0.0.1",
    "--conf=spark.driver.bindAddress=127.0.0.1",
    "--conf=spark.executor.memory=512m",
    "--conf=spark.ui.enabled=false",
]

needs_spark = pytest.mark.skipif(
    "TRIALCONV_SPARK" not in os.environ or find_spec("pyspark") is None or shutil.which("java") is None,
    reason="it takes minutes; `make test-spark` installs Spark and runs it, and needs Java",
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster of two workers."""
    with Cluster(tmp_path_factory.mktemp("cluster"), 2) as made:
        yield made


def command(cluster: Cluster, *arguments: Any) -> list[str]:
    """Return the command line of a conversion on a cluster."""
    program = Path(sys.executable).with_name("trialconv")
    return [str(program), "bulk", "--engine", "spark", "--master", cluster.master, *SETTINGS, *map(str, arguments)]


def on_cluster(cluster: Cluster, *arguments: Any) -> subprocess.CompletedProcess[str]:
    """Convert on a cluster."""
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    return subprocess.run(  # noqa: S603 - our own command
        command(cluster, *arguments), capture_output=True, text=True, env=environment, check=False
    )


def sorted_rows(rows: list[Any]) -> list[str]:
    """Return rows in an order of their own: that of a cluster is by chance."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def assert_same_rows(out: Path, local: Path) -> None:
    """Make sure that a cluster's output has the rows of the local engine, each once."""
    kinds = {path.name.split(".")[0] for path in (local / "fhir-r4").iterdir()}
    assert {path.name for path in (out / "target=fhir-r4").iterdir()} == {f"kind={kind}" for kind in kinds}
    for kind in kinds:
        found = lines_of(out / "target=fhir-r4" / f"kind={kind}", "part-*")
        assert sorted_rows(found) == sorted_rows(lines_of(local / "fhir-r4", f"{kind}.*"))
    assert sorted_rows(lines_of(out / "target=rejected", "*/part-*")) == sorted_rows(
        lines_of(local / "rejected", "*.ndjson")
    )
    here, there = report_of(local), report_of(out)
    for key in ("records", "unread", "superseded", "targets", "issues", "exitCode"):
        assert there[key] == here[key], key


@needs_spark
def test_the_same_rows(cluster: Cluster, tmp_path: Path) -> None:
    """A cluster gives the rows of the local engine: of a ZIP, lines and files, with duplicates and garbage."""
    sources = [
        zipped(tmp_path / "some.zip", [*map(full, range(1, 20)), small(5, "2030-01-01"), b"{]"]),
        tmp_path / "lines.ndjson",
        tmp_path / "folder",
    ]
    sources[1].write_bytes(b"\n".join([small(50), small(51), small(1, "2001-01-01"), b"[]", small(52)]))
    sources[2].mkdir()
    (sources[2] / "a.json").write_bytes(small(60))
    (sources[2] / "b.json.gz").write_bytes(gzip.compress(small(61)))
    options = [*sources, *FHIR, "--shard-size", "6", "--shared-organizations"]
    done = on_cluster(cluster, *options, "--out", tmp_path / "spark")
    assert done.returncode == 4, done.stderr + cluster.log()
    assert run("bulk", *options, "--out", tmp_path / "local", "--workers", "0").code == 4
    assert_same_rows(tmp_path / "spark", tmp_path / "local")
    again = on_cluster(cluster, *options, "--out", tmp_path / "spark")
    assert (again.returncode, "exists already" in again.stderr) == (5, True)


@needs_spark
def test_what_spark_reads_itself(cluster: Cluster, tmp_path: Path) -> None:
    """Addresses are read by Spark: files as bytes, lines as text; Parquet holds documents of any kind."""
    import pyarrow.dataset

    folder = tmp_path / "in"
    folder.mkdir()
    zipped(folder / "some.zip", map(small, range(1, 9)))
    (folder / "one.json").write_bytes(small(9))
    (tmp_path / "lines.ndjson").write_bytes(b"\n".join([small(10), small(2, "2030-01-01")]) + b"\n")
    addresses = [f"file://{folder}", f"file://{tmp_path}/lines.ndjson"]
    out = tmp_path / "out"
    done = on_cluster(cluster, *addresses, "-t", "odm-2.0", "-t", "fhir-r5", "--out", out)
    assert done.returncode == 4, done.stderr + cluster.log()
    report = report_of(out)
    assert (report["records"], report["superseded"]) == (11, 1)
    rows = pyarrow.dataset.dataset(out, partitioning="hive", exclude_invalid_files=True).to_table().to_pylist()
    odm = {row["study"]: row["content"] for row in rows if row["target"] == "odm-2.0"}
    assert sorted(odm) == [number(n) for n in range(1, 11)]
    assert odm[number(9)].rstrip() == run("to-odm", "-", stdin=small(9)).out.rstrip()
    studies = [row for row in rows if (row["target"], row["kind"]) == ("fhir-r5", "ResearchStudy")]
    assert sorted(row["study"] for row in studies) == [number(n) for n in range(1, 11)]


@needs_spark
def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    """A worker that is switched off in the middle loses no row, and there is none twice."""
    source = zipped(tmp_path / "some.zip", map(full, range(1, 800)))
    options = [source, *FHIR, "--shard-size", "25"]
    (tmp_path / "cluster").mkdir()
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    with Cluster(tmp_path / "cluster", 2) as cluster:
        log = (tmp_path / "log").open("wb")
        with (
            log,
            subprocess.Popen(  # noqa: S603 - our own command
                command(cluster, *options, "--out", tmp_path / "spark"), stderr=log, env=environment
            ) as process,
        ):
            while process.poll() is None and len(list((tmp_path / "spark").rglob("part-*"))) < 60:
                time.sleep(0.05)
            assert process.poll() is None, "it ended before a worker could be killed"
            cluster.kill_worker(0)
            process.wait()
        assert process.returncode == 0, (tmp_path / "log").read_text() + cluster.log()
    assert "ExecutorLost" in (tmp_path / "log").read_text() or "Lost executor" in (tmp_path / "log").read_text()
    assert run("bulk", *options, "--out", tmp_path / "local").code == 0
    assert_same_rows(tmp_path / "spark", tmp_path / "local")


@pytest.mark.parametrize("left", ["_temporary", "target=fhir-r4"])
def test_what_a_killed_job_left(tmp_path: Path, left: str) -> None:
    """Beside what a job left that did not come to its end nothing is written: exit code 5, and why."""
    source = zipped(tmp_path / "some.zip", [small(1)])
    (tmp_path / "out" / left).mkdir(parents=True)
    options = ["bulk", source, "--out", tmp_path / "out", *FHIR, "--engine", "spark"]
    ran = run(*options)
    assert (ran.code, "did not come to its end; remove it" in ran.err) == (5, True), ran.err
    (tmp_path / "out" / "_SUCCESS").touch()
    ran = run(*options)
    assert (ran.code, "exists already" in ran.err) == (5, True), ran.err


def test_without_spark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Spark is not installed the message names the extra: exit code 2."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    source = zipped(tmp_path / "some.zip", [small(1)])
    ran = run("bulk", source, "--out", tmp_path / "out", *FHIR, "--engine", "spark")
    assert (ran.code, "trialconv[spark]" in ran.err) == (2, True)


@pytest.mark.parametrize(
    "options",
    [
        ["--engine", "spark", "--resume"],
        ["--engine", "spark", "--workers", "2"],
        ["--engine", "spark", "--shard", "1/2"],
        ["--engine", "spark", "--layout", "zip"],
        ["--engine", "spark", "--conf", "nonsense"],
        ["--master", "spark://127.0.0.1:7077"],
        ["--engine", "spark", "-t", "odm-2.0", "--layout", "fhir-r4=lines"],
    ],
)
def test_options_of_the_other_engine(tmp_path: Path, options: list[str]) -> None:
    """Options that the chosen engine does not have are exit code 2, before anything is started."""
    source = zipped(tmp_path / "some.zip", [small(1)])
    assert run("bulk", source, "--out", tmp_path / "out", *FHIR, *options).code == 2
    assert not (tmp_path / "out").exists()
