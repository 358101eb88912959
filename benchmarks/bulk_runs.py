"""Runs of `trialconv bulk` in processes of their own, as a user has them, with their time and their memory.

The memory of a process is its peak (VmHWM), read from /proc while it runs, so that this needs Linux.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from bench_core import ROOT, say

_NUMBER: Final = re.compile(rb'"nctId"\s*:\s*"(NCT\d{8})"')
_CONSOLE: Final = [sys.executable, "-c", "from trialconv.cli.main import main; main()"]
_TICK: Final = 0.05
_MIB: Final = 1024


def archive(path: Path, studies: Iterable[bytes | str]) -> Path:
    """Write studies as the registry's bulk download has them, and return the path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        for position, study in enumerate(studies):
            made.writestr(f"{position:07}.json", study)
    return path


def copies(studies: list[bytes], times: int) -> Iterator[bytes]:
    """Yield the studies so many times, each with a number of its own."""
    for position, study in enumerate(studies * times):
        found = _NUMBER.search(study)
        yield study.replace(found[1], b"NCT%08d" % (10_000_000 + position)) if found else study


def converted(source: Path, folder: Path, target: str, workers: int) -> dict[str, Any]:
    """Convert an input; return the time, the rate, and the memory of the processes.

    Raises ValueError when the run did not come to its end.
    """
    out = folder / "out"
    options = ["--out", str(out), "--target", target, "--workers", str(workers)]
    seconds, peaks, cpu, parent = _watched([*_CONSOLE, "bulk", str(source), *options])
    report = json.loads((out / "report.json").read_bytes())
    shutil.rmtree(out)
    # Real studies may have documents with errors; what did not come to its end is no figure.
    if report["state"] != "complete":
        raise ValueError(f"the run did not come to its end: {report['reason']}{report['lost']}")
    records = report["records"]
    found = {
        "target": target,
        "workers": workers,
        "records": records,
        "converted": report["targets"][target]["converted"],
        "written_bytes": sum(file["bytes"] for shard in report["shards"] for file in shard["files"]),
        "seconds": round(seconds, 2),
        "rate": round(records / seconds, 1),
        "cpu_ms": round(cpu / records * 1e3, 3),
        "parent_mib": round(peaks.pop(parent, 0) / _MIB),
        "worker_mib": round(max(peaks.values(), default=0) / _MIB),
    }
    say(f"  {found}")
    return found


def by_models(source: Path, folder: Path) -> dict[str, Any]:
    """Convert an input by the pipeline of `bulk_peer.py`; return the time and the rate."""
    out = folder / "out"
    command = [sys.executable, str(ROOT / "benchmarks" / "bulk_peer.py"), str(source), str(out)]
    before = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 - our own
    seconds = time.perf_counter() - before
    shutil.rmtree(out)
    counted = json.loads(done.stdout)
    found = {**counted, "seconds": round(seconds, 2), "rate": round(counted["records"] / seconds, 1)}
    say(f"  fhir.resources: {found}")
    return found


def _watched(command: list[str]) -> tuple[float, dict[int, int], float, int]:
    """Run a command; return its seconds, the peaks of memory in its session (KiB), the CPU seconds, its id."""
    peaks: dict[int, int] = {}
    ticks: dict[int, int] = {}
    before = time.perf_counter()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:  # noqa: S603 - our own
        while process.poll() is None:
            for path in Path("/proc").glob("[0-9]*"):
                try:
                    status = (path / "stat").read_text().rpartition(")")[2].split()
                    if int(status[3]) == process.pid:
                        ticks[int(path.name)] = int(status[11]) + int(status[12])
                        high = re.search(r"VmHWM:\s+(\d+)", (path / "status").read_text())
                        peaks[int(path.name)] = max(peaks.get(int(path.name), 0), int(high[1]) if high else 0)
                except (OSError, ValueError):
                    continue
            time.sleep(_TICK)
    seconds = time.perf_counter() - before
    return seconds, peaks, sum(ticks.values()) / os.sysconf("SC_CLK_TCK"), process.pid
