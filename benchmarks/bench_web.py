"""The server: how long the page waits for a study, many requests at once, large uploads, memory over many.

    python benchmarks/bench_web.py [--requests N]

A server runs in a process of its own on loopback. The studies are made up: the one of the tests that has every
field, with many sites. Memory is that of the server and its workers together, after a tenth of the requests and
after all of them. Writes docs/performance.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from bench_core import ROOT, machine, say

sys.path.insert(0, str(ROOT / "tests"))
from made_up import encoded, full_study, study
from trialconv import __version__

_JSON = {"Content-Type": "application/json"}
_PORT = 18_000


def with_sites(number: int) -> bytes:
    """Return a made-up study with so many sites."""
    tree = full_study()
    module = tree["protocolSection"]["contactsLocationsModule"]
    module["locations"] = [
        {**module["locations"][0], "facility": f"Made-up Clinic {place}"} for place in range(number)
    ]
    return encoded(tree)


@contextmanager
def serving() -> Iterator[tuple[httpx.Client, int]]:
    """Run the server as a user does; give a client and the number of its process."""
    command = [str(Path(sys.executable).with_name("trialconv")), "serve", "--port", str(_PORT)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 (our own command)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{_PORT}", timeout=120) as client:
                for _ in range(100):
                    try:
                        client.get("/healthz")
                        break
                    except httpx.ConnectError:
                        time.sleep(0.1)
                yield client, process.pid
        finally:
            process.terminate()


def memory(pid: int) -> float:
    """Return the resident memory of a process and its children, in MiB (Linux)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for each in (str(pid), *children):
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{each}/status").read_text())
        total += int(found[1]) if found else 0
    return total / 1024


def timed(client: httpx.Client, path: str, body: bytes) -> tuple[float, int]:
    """Return how long an answer took, in seconds, and its status."""
    start = time.perf_counter()
    status = client.post(path, content=body, headers=_JSON).status_code
    return time.perf_counter() - start, status


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure the server.")
    parser.add_argument("--requests", type=int, default=10_000, help="how many requests memory is watched over")
    given = parser.parse_args()
    small = encoded(study())
    with serving() as (client, pid):
        timed(client, "/page/study/fhir-r4", small)
        figures: dict[str, Any] = {"machine": machine(), "trialconv": __version__, "requests": given.requests}
        for sites in (100, 1000):
            body = with_sites(sites)
            times = [timed(client, "/page/study/fhir-r4", body)[0] for _ in range(3)]
            figures[f"page_{sites}_s"] = round(min(times), 2)
        with ThreadPoolExecutor(50) as pool:
            start = time.perf_counter()
            answers = list(pool.map(lambda _: timed(client, "/page/study/fhir-r4", with_sites(20))[1], range(50)))
            figures["parallel_s"] = round(time.perf_counter() - start, 2)
        figures["parallel_errors"] = sum(status != httpx.codes.OK for status in answers)
        figures["upload_s"], figures["upload_status"] = timed(client, "/convert/fhir-r4", b" " * 50_000_000)
        figures["upload_s"] = round(figures["upload_s"], 3)
        tenth = max(1, given.requests // 10)
        failed = 0
        with ThreadPoolExecutor(4) as pool:
            for part in (tenth, given.requests - tenth):
                statuses = pool.map(lambda _: timed(client, "/convert/fhir-r4", small)[1], range(part))
                failed += sum(status != httpx.codes.OK for status in statuses)
                figures.setdefault("memory_mib", []).append(round(memory(pid)))
        figures["failed"] = failed
    kept_in = ROOT / "docs" / "performance.json"
    kept = json.loads(kept_in.read_text(encoding="utf-8"))
    kept["web"] = figures
    kept_in.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    say(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
