"""How much of real studies stands where in each target, and why the rest does not.

    python benchmarks/measure_losses.py

The studies are the real ones of the folder that TRIALCONV_SHARED names (default: `../shared` beside the checkout);
without it there is nothing to count and a message says so. Counts as `trialconv coverage` does, and writes
docs/losses.json, from which `scripts/make_docs.py` makes the tables of docs/losses.md.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any, Final

import trialconv
from trialconv.catalog import TARGETS
from trialconv.pipeline import collect_less

ROOT: Final = Path(__file__).resolve().parent.parent
_RESULTS: Final = "resultsSection"
#: So many reasons are kept of each target.
_REASONS: Final = 5


def main() -> int:
    """Count and write. Returns the exit code."""
    shared = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared"))
    studies = shared / "corpus" / "ctg-studies-dev.json.zip"
    if not studies.exists():
        sys.stderr.write(f"no real studies: {studies} is not there; TRIALCONV_SHARED names the folder\n")
        return 1
    collect_less()
    targets = []
    for name in TARGETS:
        targets.append(counted(trialconv.coverage(trialconv.read(studies), name)))
        sys.stdout.write(f"{name}: {targets[-1]['native']:,} native of {targets[-1]['values']:,}\n")
    figures = {"trialconv": trialconv.__version__, "targets": targets}
    text = json.dumps(figures, indent=2, sort_keys=True, ensure_ascii=False)
    (ROOT / "docs" / "losses.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")
    return 0


def counted(found: trialconv.Coverage) -> dict[str, Any]:
    """Return the sums of a target without the results, those of the results, and the reasons."""
    everything, results = found.totals(), found.totals(_RESULTS)
    reasons: Counter[str] = Counter()
    for field in found.fields:
        if not field.field.startswith(f"{_RESULTS}."):
            for one in field.reasons:
                reasons[one.reason] += one.count
    names = ("values", "native", "extension", "not_placed", "coded", "unaccounted")
    return {
        "target": found.target,
        "records": found.records,
        "failed": found.failed,
        **{name: getattr(everything, name) - getattr(results, name) for name in names},
        "results": {name: getattr(results, name) for name in ("values", "native", "extension", "not_placed")},
        "reasons": sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))[:_REASONS],
    }


if __name__ == "__main__":
    sys.exit(main())
