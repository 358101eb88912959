"""How many criteria texts of real studies have a certain reading, and how long reading takes.

    python benchmarks/bench_criteria.py

The studies are those of `bench_core.py`. Writes docs/eligibility.json, from which `scripts/make_docs.py` makes the
tables of docs/eligibility.md.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections import Counter
from typing import Any

from bench_core import ROOT, development_studies, machine, say

from trialconv_mappings.criteria import CriteriaTree, cohorts, read_criteria, walk
from trialconv_mappings.criteria.lines import split_lines

_ROUNDS = 5


def main() -> int:
    """Measure and write. Returns the exit code."""
    modules = [json.loads(data)["protocolSection"].get("eligibilityModule", {}) for data in development_studies()]
    texts = [module["eligibilityCriteria"] for module in modules if module.get("eligibilityCriteria")]
    if not texts:
        return 1
    figures = {**measure(texts), "microseconds": microseconds(texts), "processor": machine()["processor"]}
    say(json.dumps(figures, indent=2))
    path = ROOT / "docs" / "eligibility.json"
    path.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


def measure(texts: list[str]) -> dict[str, Any]:
    """Return how many texts were taken apart, and for how many of them each doubt was the reason."""
    doubts: Counter[str] = Counter()
    certain = whole = limited = together = 0
    for text in texts:
        tree = read_criteria(text)
        if tree.source() != text:
            raise AssertionError("a text did not come back")
        doubts.update(set(tree.doubts))
        certain += tree.certain
        whole += tree.is_whole
        limited += bool(cohorts(tree))
        together += keeps_together(tree)
    return {
        "texts": len(texts),
        "mean_characters": round(sum(map(len, texts)) / len(texts)),
        "certain": certain,
        "partly": len(texts) - certain - whole,
        "whole": whole,
        "cohorts": limited,
        "together": together,
        "doubts": dict(sorted(doubts.items())),
    }


def keeps_together(tree: CriteriaTree) -> bool:
    """Tell whether a criterion of a tree holds marked lines that were not taken apart."""
    return any(
        node.role == "criterion" and any(mark for _, mark, _ in split_lines(node.source)[1:])
        for node in walk(tree.nodes)
        if "\n" in node.source
    )


def microseconds(texts: list[str]) -> float:
    """Return the shortest mean time of reading a text, of a few rounds."""
    times = []
    gc.disable()
    for _ in range(_ROUNDS):
        start = time.process_time()
        for text in texts:
            read_criteria(text)
        times.append(time.process_time() - start)
    gc.enable()
    return round(min(times) / len(texts) * 1e6, 1)


if __name__ == "__main__":
    sys.exit(main())
