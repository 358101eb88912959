"""Loading into DuckDB, PostgreSQL and Parquet: studies a second, processor time, memory, and sums that are right.

    python benchmarks/bench_load.py [--copies N,N,...] [--workers N]

Each is a run of `trialconv load` over the real studies that `bench_core.py` tells about, all tables and FHIR R4
resources, validated; for PostgreSQL into a server that is started for it, whose processor time is counted, too.
With `--copies` each study is there so many times under other numbers, to show whether time and memory grow.
Each load is made twice; the second finds everything unchanged. Other programs may use the machine: beside
the time on the clock there is the rate that the processor time alone would allow on two cores. Counts and sums of
columns are compared with those of the source. Writes docs/performance.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench_core import ROOT, development_studies, machine, say

from trialconv import __version__

sys.path.insert(0, str(ROOT / "tests"))

import postgres_server
from test_load import FIGURES
from warehouses import query

# Looking often takes processor time itself.
_TICK: Final = 0.2
_CLOCK: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_CORES: Final = 2


class Watch(threading.Thread):
    """Adds up the processor time of the processes of a session while they run, and notes their peaks of memory."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self._session = session
        self._seconds: dict[int, float] = {}
        self._peaks: dict[int, int] = {}
        self._over = threading.Event()

    def run(self) -> None:
        """Look again and again until the end is told."""
        while not self._over.wait(_TICK):
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self._session:
                    pid = int(folder.name)
                    self._seconds[pid] = (int(fields[11]) + int(fields[12])) / _CLOCK
                    self._peaks[pid] = max(self._peaks.get(pid, 0), int(fields[21]) * _PAGE)

    def end(self) -> float:
        """Stop looking. Returns the processor time in seconds."""
        self._over.set()
        self.join()
        return sum(self._seconds.values())

    def peaks_mib(self) -> tuple[int, int]:
        """Return the peak of resident memory of the command itself, and of the largest other process."""
        others = max((peak for pid, peak in self._peaks.items() if pid != self._session), default=0)
        return round(self._peaks.get(self._session, 0) / 2**20), round(others / 2**20)


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure how long loading takes, and how much memory.")
    parser.add_argument("--copies", default="1,4,8", help="how often each study is there (default: 1,4,8)")
    parser.add_argument("--workers", type=int, default=_CORES, help="worker processes (default: 2)")
    given = parser.parse_args()
    studies = development_studies()
    if not studies:
        return 1
    busy = os.getloadavg()[0]
    once = {
        statement: sum(of_source(json.loads(study)) for study in studies)
        for statement, of_source in FIGURES.items()
    }
    rows = []
    for copies in map(int, given.copies.split(",")):
        with tempfile.TemporaryDirectory(prefix="trialconv-bench-") as name:
            folder = Path(name)
            source = _source(folder / "studies.ndjson", studies, copies)
            expected = {statement: copies * wanted for statement, wanted in once.items()}
            load = _loader(source, len(studies) * copies, given.workers, expected)
            rows += [
                load("DuckDB", f"duckdb:{folder / 'x.duckdb'}", lambda: 0.0),
                load("Parquet", f"parquet:{folder / 'x'}", lambda: 0.0),
            ]
            if why := postgres_server.missing():
                say(f"no PostgreSQL: {why}")
                continue
            with postgres_server.running() as server:
                rows.append(load("PostgreSQL", server.url(), server.seconds))
    figures = {
        "machine": machine(),
        "trialconv": __version__,
        "load": [round(busy, 1), round(os.getloadavg()[0], 1)],
        "rows": rows,
    }
    path = ROOT / "docs" / "performance.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["load"] = figures
    path.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603


def _source(path: Path, studies: list[bytes], copies: int) -> Path:
    """Write the studies into a file, one a line, each copy under a number of its own."""
    with path.open("wb") as file:
        for copy in range(copies):
            for place, study in enumerate(studies):
                tree = json.loads(study)
                if copy:
                    number = f"NCT{90_000_000 + copy * 100_000 + place}"
                    tree["protocolSection"]["identificationModule"]["nctId"] = number
                file.write(json.dumps(tree, separators=(",", ":")).encode() + b"\n")
    return path


def _loader(
    source: Path, count: int, workers: int, expected: dict[str, Any]
) -> Callable[[str, str, Callable[[], float]], dict[str, Any]]:
    command = [str(Path(sys.executable).with_name("trialconv")), "load", str(source), "--workers", str(workers)]

    def run(address: str, of_server: Callable[[], float]) -> tuple[float, float, tuple[int, int]]:
        """Load once. Returns the seconds on the clock, those of the processor, and the peaks of memory."""
        before, start = of_server(), time.perf_counter()
        with subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--to", address], stderr=subprocess.DEVNULL, start_new_session=True
        ) as running:
            watch = Watch(running.pid)
            watch.start()
            running.wait()
            wall = time.perf_counter() - start
        return wall, watch.end() + of_server() - before, watch.peaks_mib()

    def load(name: str, address: str, of_server: Callable[[], float]) -> dict[str, Any]:
        """Load everything, compare the sums, load it again, and return the figures."""
        wall, processor, (parent, worker) = run(address, of_server)
        wrong = [
            statement
            for statement, wanted in expected.items()
            if abs(float(query(address, statement)[0][0]) - wanted) > 1e-6 * max(1, abs(wanted))
        ]
        again = run(address, of_server)[1]
        made = {
            "name": name,
            "studies": count,
            "seconds": round(wall, 2),
            "per_second": round(count / wall),
            "processor_ms": round(1000 * processor / count, 2),
            "per_second_alone": round(_CORES * count / processor),
            "again_alone": round(_CORES * count / again),
            "parent_mib": parent,
            "worker_mib": worker,
            "sums": len(expected) - len(wrong),
            "wrong": wrong,
        }
        say(json.dumps(made))
        return made

    return load


if __name__ == "__main__":
    sys.exit(main())
