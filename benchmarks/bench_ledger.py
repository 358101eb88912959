"""The page of a ledger: how large it is, and how long a browser takes to open it from disk.

    python benchmarks/bench_ledger.py [--sites N] [--rounds N]

The study is the one of the tests that has every field, with many sites; it is made up. Needs Chromium. Writes
docs/performance.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench_core import ROOT, machine, say

sys.path.insert(0, str(ROOT / "tests"))
from browser import chromium
from made_up import full_study, record
from trialconv import __version__, coverage
from trialconv.catalog import TARGETS
from trialconv.cli.coverage_report import as_html
from trialconv.context import Options


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure the page of a ledger.")
    parser.add_argument("--sites", type=int, default=1000, help="how many sites the study has (default: 1000)")
    parser.add_argument("--rounds", type=int, default=5, help="how often the page is opened (default: 5)")
    given = parser.parse_args()
    tree = full_study()
    module = tree["protocolSection"]["contactsLocationsModule"]
    module["locations"] = [
        {**module["locations"][0], "facility": f"Made-up Clinic {number}"} for number in range(given.sites)
    ]
    start = time.perf_counter()
    study = record(tree)
    page = as_html([coverage([study], name) for name in TARGETS], study, Options())
    made = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder, "ledger.html")
        path.write_bytes(page)
        times = []
        for _ in range(given.rounds):
            tab = browser.new_page()
            start = time.perf_counter()
            tab.goto(path.as_uri())
            tab.wait_for_selector("html[data-ready]")
            times.append(time.perf_counter() - start)
            tab.close()
    figures = {
        "machine": machine(),
        "trialconv": __version__,
        "sites": given.sites,
        "targets": len(TARGETS),
        "mb": round(len(page) / 1e6, 2),
        "made_s": round(made, 1),
        "open_s": round(statistics.median(times), 2),
    }
    kept_in = ROOT / "docs" / "performance.json"
    kept = json.loads(kept_in.read_text(encoding="utf-8"))
    kept["ledger"] = figures
    kept_in.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    say(json.dumps(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
