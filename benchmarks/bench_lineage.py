"""What lineage tells, and what it costs.

    python benchmarks/bench_lineage.py [--rounds N] [--studies N]

The studies are real ones of the folder that TRIALCONV_SHARED names (default: `../shared` beside the checkout), or
the example page where there is none. The table has, for each target: the leaves of the documents by the way in
which they came about, the leaves without an origin (there must be none), the values of the records of which
neither a leaf nor a reason tells, and the time of a conversion with a lineage, as a multiple of one without.

A conversion is all of it: read, mapped, validated, written to a file. Both kinds take turns, study by study, and
the time is the processor's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from trialconv.catalog import TARGETS, Target
from trialconv.context import Options
from trialconv.issues import SourceError
from trialconv.pipeline import collect_less, read, trace_isolated, transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo
from trialconv.sinks.files import write_file
from trialconv.tracing.lines import as_json_lines
from trialconv.tracing.model import WAYS, Lineage

ROOT: Final = Path(__file__).resolve().parent.parent
_OPTIONS: Final = Options()


def main() -> int:
    """Measure and print. Returns the exit code: 1 where a leaf has no origin."""
    parser = argparse.ArgumentParser(description="Measure what lineage tells and what it costs.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--studies", type=int, default=57)
    given = parser.parse_args()
    collect_less()
    raws = list(studies(given.studies))
    sys.stdout.write(f"{len(raws)} studies, the median of {given.rounds} rounds\n\n")
    sys.stdout.write(f"| target | leaves | {' | '.join(WAYS)} | no origin | unaccounted | times as long |\n")
    sys.stdout.write("|---|" + "---:|" * (len(WAYS) + 4) + "\n")
    missing = 0
    for target in TARGETS.values():
        leaves, unaccounted = told(raws, target)
        without = leaves["without an origin"]
        missing += without
        counts = [leaves[way] for way in WAYS]
        total = sum(counts)
        shares = " | ".join(f"{count / total:.1%}" for count in counts)
        ratio = statistics.median(cost(raws, target) for _ in range(given.rounds))
        row = f"{target.name} | {total:,} | {shares} | {without} | {unaccounted} | {ratio:.2f}"
        sys.stdout.write(f"| {row} |\n")
        sys.stdout.flush()
    return 1 if missing else 0


def studies(count: int) -> Iterator[bytes]:
    """Yield the JSON of some real studies, or of the example."""
    folder = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared")) / "corpus" / "smoke"
    found = sorted(folder.glob("*.json"))[:count]
    if found:
        yield from (path.read_bytes() for path in found)
        return
    sys.stdout.write(f"no real records at {folder}; the example is measured\n")
    yield from (record.to_json() for record in read(ROOT / "examples" / "NCT06108596.txt"))


def record_of(raw: bytes) -> Record:
    """Read a study."""
    return read_study(raw, SourceInfo("benchmark", reader="ctgov-json"))


def lineage_of(record: Record, target: Target) -> Lineage:
    """Return the lineage of a record. Raises SourceError where there is none."""
    made = trace_isolated(transform(record, target, _OPTIONS, check=False), target, _OPTIONS)
    if isinstance(made, SourceError):
        raise made
    return made


def told(raws: list[bytes], target: Target) -> tuple[Counter[str], int]:
    """Return the leaves by their ways, and how many values neither a leaf nor a reason tells of."""
    counts: Counter[str] = Counter()
    unaccounted = 0
    for raw in raws:
        lineage = lineage_of(record_of(raw), target)
        counts.update(lineage.counts())
        silent = (
            leaf for leaf in lineage.leaves if leaf.how in ("copied", "parsed", "derived") and not leaf.sources
        )
        counts["without an origin"] += sum(1 for _ in silent)
        unaccounted += sum(not each.elements and not each.reason for each in lineage.sources)
    return counts, unaccounted


def cost(raws: list[bytes], target: Target) -> float:
    """Return how many times as long conversions with a lineage take as those without."""
    off = on = 0.0
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lineage.jsonl").open("wb") as lines:
        for raw in raws:
            start = time.process_time()
            record = record_of(raw)
            made = transform(record, target, _OPTIONS)
            for name, data in (made.files or {"document": made.data}).items():
                write_file(Path(folder) / name, data)
            off += time.process_time() - start
            start = time.process_time()
            lineage = trace_isolated(made, target, _OPTIONS)
            if isinstance(lineage, SourceError):
                raise lineage
            lines.write(as_json_lines(lineage))
            on += time.process_time() - start
    return (off + on) / off


if __name__ == "__main__":
    sys.exit(main())
