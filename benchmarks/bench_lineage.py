"""What lineage tells, and what it costs.

    python benchmarks/bench_lineage.py [--rounds N] [--studies N] [--dry]

The studies are real ones of the folder that TRIALCONV_SHARED names (default: `../shared` beside the checkout), or
the example page where there is none. The table has, for each target: the leaves of the documents by the way in
which they came about, the leaves without an origin (there must be none), the values of the records of which
neither a leaf nor a reason tells, the time of a conversion with a lineage, as a multiple of one without, and what
the verbs of lineage add to one without: it is measured beside the same mappings without them (without_lineage.py).

A conversion is all of it: read, mapped, validated, written. Both kinds take turns, and the time is the
processor's; for what the verbs add it is the least of each study. Writes docs/performance.json, but with --dry.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench_core import ROOT, machine, say
from without_lineage import Erased

from trialconv import __version__
from trialconv.catalog import TARGETS, Target
from trialconv.context import Options
from trialconv.issues import SourceError
from trialconv.pipeline import collect_less, read, trace_isolated, transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo
from trialconv.sinks.files import write_file
from trialconv.tracing.lines import as_json_lines
from trialconv.tracing.model import WAYS, Lineage

_OPTIONS: Final = Options()


def main() -> int:
    """Measure and write. Returns the exit code: 1 where a leaf has no origin."""
    parser = argparse.ArgumentParser(description="Measure what lineage tells and what it costs.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--studies", type=int, default=57)
    parser.add_argument("--dry", action="store_true", help="keep the figures to yourself")
    given = parser.parse_args()
    collect_less()
    raws = list(studies(given.studies))
    rows = [measured(raws, target, given.rounds) for target in TARGETS.values()]
    if not given.dry:
        path = ROOT / "docs" / "performance.json"
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        kept["lineage"] = {
            "machine": machine(),
            "trialconv": __version__,
            "studies": len(raws),
            "rounds": given.rounds,
            "targets": rows,
        }
        path.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=True)  # noqa: S603 - our own script
    return 1 if any(row["without_origin"] for row in rows) else 0


def measured(raws: list[bytes], target: Target, rounds: int) -> dict[str, Any]:
    """Return the figures of a target."""
    leaves, unaccounted = told(raws, target)
    counts = {way: leaves[way] for way in WAYS}
    row = {
        "target": target.name,
        "leaves": sum(counts.values()),
        "shares": {way: round(count / sum(counts.values()), 4) for way, count in counts.items()},
        "without_origin": leaves["without an origin"],
        "unaccounted": unaccounted,
        "times_as_long": round(statistics.median(cost(raws, target) for _ in range(rounds)), 2),
        "verbs_add": round(verbs_add(raws, target, 3 * rounds), 4),
    }
    say(str(row))
    return row


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


def verbs_add(raws: list[bytes], target: Target, rounds: int) -> float:
    """Return the part by which the verbs of lineage make a conversion longer when nobody asks for a lineage."""
    erased = Erased()
    documents = [transform(record_of(raw), target, _OPTIONS).data for raw in raws]
    with erased.in_place():
        if documents != [transform(record_of(raw), target, _OPTIONS).data for raw in raws]:
            raise RuntimeError(f"{target.name}: without the verbs the documents are others")
    usual, bare = [sys.maxsize] * len(raws), [sys.maxsize] * len(raws)
    for _ in range(rounds):
        usual = [*map(min, usual, times(raws, target))]
        with erased.in_place():
            bare = [*map(min, bare, times(raws, target))]
    return sum(usual) / sum(bare) - 1


def times(raws: list[bytes], target: Target) -> list[int]:
    """Return the time of the conversion of each study, in nanoseconds."""
    found = []
    for raw in raws:
        start = time.process_time_ns()
        transform(record_of(raw), target, _OPTIONS)
        found.append(time.process_time_ns() - start)
    return found


if __name__ == "__main__":
    sys.exit(main())
