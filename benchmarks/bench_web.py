"""The server: how long the page waits for a study, many requests at once, large uploads, memory over many.

    python benchmarks/bench_web.py [--requests N]

A server runs in a process of its own on loopback, and Chromium opens its page. The studies are made up: the one
of the tests that has every field, with many sites. A study is shown when its first document stands beside it.
Memory is that of the server and its workers together, which are asked for documents of several kinds in turn.
Writes docs/performance.json.
"""

from __future__ import annotations

import argparse
import json
import re
import socket
import statistics
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
from playwright.sync_api import Browser

sys.path.insert(0, str(ROOT / "tests"))
from browser import chromium
from made_up import encoded, full_study
from trialconv import __version__

_JSON = {"Content-Type": "application/json"}
#: What is asked for in turn while memory is watched, and after which part of the requests it is read.
_ASKED = ("/convert/fhir-r4", "/convert/odm-2.0", "/convert/usdm-4.0", "/page/study/fhir-r5")
_PARTS = (0.01, 0.1, 0.25, 0.5, 0.75, 1.0)
_ROUNDS = 3


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
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("trialconv")), "serve", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:  # noqa: S603 (our own command)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
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


def shown(browser: Browser, address: str, body: bytes) -> tuple[float, int]:
    """Return how long the page took from a file to the study beside its first document, in seconds.

    The second number is what the browser had loaded before the file was given, in bytes.
    """
    page = browser.new_page()
    page.goto(address, wait_until="networkidle")
    loaded = page.evaluate("performance.getEntries().reduce((sum, each) => sum + (each.transferSize ?? 0), 0)")
    start = time.perf_counter()
    page.set_input_files("#file", {"name": "study.json", "mimeType": "application/json", "buffer": body})
    page.wait_for_selector("html[data-shown]", state="attached", timeout=120_000)
    taken = time.perf_counter() - start
    page.close()
    return taken, loaded


def pages(address: str) -> dict[str, Any]:
    """Return how long the page takes for studies of several sizes, and what it loads first."""
    figures: dict[str, Any] = {}
    with chromium() as browser:
        shown(browser, address, with_sites(1))
        for sites in (100, 1000):
            body = with_sites(sites)
            times, loads = zip(*(shown(browser, address, body) for _ in range(_ROUNDS)), strict=True)
            figures[f"page_{sites}_s"] = round(statistics.median(times), 2)
            figures["first_load_kb"] = round(max(loads) / 1000)
    return figures


def memory_over(client: httpx.Client, pid: int, requests: int) -> tuple[list[tuple[int, int]], int]:
    """Return memory in MiB after so many requests, several times, and how many requests did not get 200."""
    body = encoded(full_study())
    curve, failed, done = [], 0, 0
    with ThreadPoolExecutor(4) as pool:
        for part in _PARTS:
            until = max(1, round(requests * part))
            asked = (_ASKED[number % len(_ASKED)] for number in range(done, until))
            statuses = pool.map(lambda path: timed(client, path, body)[1], asked)
            failed += sum(status != httpx.codes.OK for status in statuses)
            done = until
            curve.append((done, round(memory(pid))))
            say(f"{done} requests: {curve[-1][1]} MiB")
    return curve, failed


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure the server.")
    parser.add_argument("--requests", type=int, default=10_000, help="how many requests memory is watched over")
    given = parser.parse_args()
    with serving() as (client, pid):
        figures: dict[str, Any] = {"machine": machine(), "trialconv": __version__, **pages(str(client.base_url))}
        body = with_sites(20)
        with ThreadPoolExecutor(50) as pool:
            start = time.perf_counter()
            answers = list(pool.map(lambda _: timed(client, "/page/study/fhir-r4", body)[1], range(50)))
            figures["parallel_s"] = round(time.perf_counter() - start, 2)
        figures["parallel_errors"] = sum(status != httpx.codes.OK for status in answers)
        upload, figures["upload_status"] = timed(client, "/convert/fhir-r4", b" " * 50_000_000)
        figures["upload_s"] = round(upload, 3)
        figures["memory_mib"], figures["failed"] = memory_over(client, pid, given.requests)
    kept_in = ROOT / "docs" / "performance.json"
    kept = json.loads(kept_in.read_text(encoding="utf-8"))
    kept["web"] = figures
    kept_in.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    say(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
