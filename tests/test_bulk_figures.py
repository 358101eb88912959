"""The figures of `benchmarks/bench_bulk.py`: the tables, the arithmetic for the registry and the plot of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bulk_made_up import full, number, small

ROOT = Path(__file__).resolve().parent.parent


def a_run(records: int, seconds: float, **more: Any) -> dict[str, Any]:
    """Return the made-up figures of a run."""
    memory = {"worker_mib": 50, "parent_mib": 30}
    rates = {"rate": records / seconds, "cpu_ms": 1.0, "written_bytes": 50_000 * records}
    return {"target": "fhir-r4", "workers": 2, "records": records, "seconds": seconds, **memory, **rates, **more}


def made_up_figures() -> dict[str, Any]:
    """Return made-up figures of a machine that converts 500 studies a second and core."""
    stage = {"read": 0.1, "map": 0.6, "validate": 0.2, "write": 0.1, "sum": 1.0, "floors": 10.0}
    models = {"ms": 1.0, "models_ms": 40.0, "build_ms": 15.0, "write_ms": 25.0, "ratio": 40.0}
    size = {"smallest": 2_000, "largest": 1_500_000, "mean": 30_000, "net_ms": 1.5, "mb_per_second": 20.0}
    return {
        "machine": {"python": "CPython 3.12.1", "processor": "a made-up one", "cores": 2},
        "load": 0.1,
        "trialconv": "0.0.0",
        "registry": 600_000,
        "packed_bytes": 6_000_000,
        "stages": {
            "studies": 1_000,
            "bytes": 30_000_000,
            "rounds": 3,
            "floor": 0.1,
            "targets": [{"target": "fhir-r4", **stage}, {"target": "odm-2.0", **stage}],
        },
        "models": {"target": "fhir-r4b", "studies": 200, "refused": 3, "rounds": 3, **models},
        "runs": [{"ours": a_run(1_000, 2.0), "models": {"records": 1_000, "refused": 20, "seconds": 60.0}}],
        "speed": [a_run(1_000, 1.9, workers=1), a_run(1_000, 1.0)],
        "sizes": [a_run(100, 3.0, worker_mib=210, **size)],
        "growth": {
            "start": [0.5, 0.7, 0.6],
            "runs": [{"times": times, **a_run(times * 1_000, 0.6 + times)} for times in (1, 4, 16)],
        },
        "many": {"bytes": 1, **a_run(600_000, 300.0)},
    }


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the modules of the benchmarks importable."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))


def test_tables_and_arithmetic(tmp_path: Path) -> None:
    """The pages get the figures: factors without the start, the most memory, the registry by the rate."""
    docs = tmp_path / "docs"
    docs.mkdir()
    (tmp_path / "README.md").write_text("nothing is generated here\n")
    for name in ("bulk", "cluster"):
        (docs / f"{name}.md").write_text(f"<!-- generated: {name} -->\n<!-- end of {name} -->\n")
    (docs / "bulk.json").write_text(json.dumps(made_up_figures()))
    made = [sys.executable, str(ROOT / "scripts" / "make_docs.py"), "--root", str(tmp_path)]
    subprocess.run(made, check=True, capture_output=True)  # noqa: S603 - our own script
    bulk, cluster = ((docs / f"{name}.md").read_text() for name in ("bulk", "cluster"))
    assert "| `odm-2.0` | 0.10 | 0.60 | 0.20 | 0.10 | 1.00 | 10.0 |" in bulk
    assert "| one process each, ms of CPU per study | 1.00 | 40.0 | 40 |" in bulk
    assert "| whole pipelines, seconds for 1,000 studies | 2.0 | 60.0 | 30 |" in bulk
    assert "| 1,000, `fhir-r4` | 2 | 1,000 | 1.90 | 1.00 |" in bulk
    assert "| 16 | 16,000 | 16.6 | 16.0 | 1.00 | 50 | 30 |" in bulk
    assert "all of these runs is 210 MiB" in bulk
    # 600,000 / (500 * 2), and with the pass 600,000 * 1.2 / (500 * 64).
    assert "| one machine, local engine | 2 | 600 | about 10 minutes |" in cluster
    assert "| 64 | 22 | about 40 seconds |" in cluster
    assert "18 GB of JSON are some 3.6 GB as a ZIP" in cluster
    assert "FHIR R4 is 30 GB in all, so 1,600 MB a second" in cluster


@pytest.mark.usefixtures("benchmarks")
def test_plot(tmp_path: Path) -> None:
    """The same figures give the same plot, byte for byte, with every target in it."""
    from bulk_plot import plot

    for name in ("a.svg", "b.svg"):
        plot(made_up_figures(), tmp_path / name)
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes()
    assert b"odm-2.0" in first
    assert b"300 MiB" in first


@pytest.mark.usefixtures("benchmarks")
def test_stages_are_a_whole_conversion() -> None:
    """The stages are those of every target, and each takes some time of its own."""
    from bulk_stages import STAGES, beside_models, stages

    found = stages([full(1), small(2)], 1)
    assert [one["target"] for one in found["targets"]][:1] == ["fhir-r4"]
    for one in found["targets"]:
        assert all(one[stage] >= 0 for stage in STAGES)
        assert one["map"] > 0
        assert abs(one["sum"] - sum(one[stage] for stage in STAGES)) < 0.01
    peer = beside_models([small(1), small(2)], 1)
    assert (peer["studies"], peer["refused"]) == (2, 0)
    assert peer["ratio"] > 1


@pytest.mark.usefixtures("benchmarks")
def test_copies_have_numbers_of_their_own() -> None:
    """A larger input is made of the same studies under other numbers, with nothing else changed."""
    from bulk_runs import copies

    made = list(copies([small(1), small(2)], 3))
    found = [json.loads(one)["protocolSection"]["identificationModule"]["nctId"] for one in made]
    assert len(set(found)) == len(made) == 6
    assert made[3].replace(found[3].encode(), number(2).encode()) == small(2)
