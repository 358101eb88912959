"""How fast `trialconv bulk` converts, how that grows with the input, and how much memory its processes take.

    python benchmarks/bench_bulk.py [--quick] [--out FOLDER]

Inputs are made of the real studies of the folder that TRIALCONV_SHARED names (default: `../shared` beside the
checkout): all of them once, and 4 and 16 times with numbers of their own, and those of some sizes apart. A made
archive of 607,000 small studies shows what a list of so many entries costs.

Measured are: the stages of each target beside parsing and writing the JSON alone (`bulk_stages.py`); the same
bundles by the models of fhir.resources, one process against one, and as whole pipelines (`bulk_peer.py`); and runs
of the command with one and two workers, by size of the records, and by size of the input (`bulk_runs.py`).

Writes bulk.json and, with matplotlib of the extra `dev`, the plot bulk.svg into docs/, and has
`scripts/make_docs.py` make the tables. --quick takes less of everything, to see that it works, and writes only
where --out says. All of it takes about 20 minutes on two cores; nothing else should run beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench_core import ROOT, development_studies, machine, say
from bulk_peer import TARGET
from bulk_plot import plot
from bulk_runs import archive, by_models, converted, copies
from bulk_stages import beside_models, stages

from trialconv import __version__

#: About how many studies the registry has.
REGISTRY: Final = 607_000
#: Where records are cut into classes by size, in bytes.
SIZES: Final = (4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 1 << 30)
_SMALL: Final = (
    '{"protocolSection":{"identificationModule":{"nctId":"NCT%08d","briefTitle":"A Made-up Study"},'
    '"statusModule":{"overallStatus":"COMPLETED"},"designModule":{"studyType":"OBSERVATIONAL"}}}'
)


class Extent(NamedTuple):
    """How much: rounds, the bytes of an input of records of one size, made-up studies, those for the models."""

    rounds: int
    size_bytes: int
    many: int
    models: int


_ENOUGH: Final = 16_000
#: The shortest time that such runs tell apart.
_TICK: Final = 0.05
FULL: Final = Extent(3, 200_000_000, REGISTRY, 200)
QUICK: Final = Extent(1, 1_000_000, 5_000, 20)


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure bulk conversions.")
    parser.add_argument("--quick", action="store_true", help="less of everything; nothing goes into docs/")
    parser.add_argument("--out", type=Path, help="the folder for bulk.json and bulk.svg (default: docs/)")
    given = parser.parse_args()
    studies = development_studies()
    if not studies:
        return 1
    studies = studies[::20] if given.quick else studies
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trialconv-bench-") as folder:
        figures = measure(studies, Path(folder), QUICK if given.quick else FULL)
    say(f"{time.monotonic() - begun:,.0f} s in all")
    place = given.out or (None if given.quick else ROOT / "docs")
    if place is None:
        return 0
    place.mkdir(parents=True, exist_ok=True)
    (place / "bulk.json").write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    plot(figures, place / "bulk.svg")
    if place != ROOT / "docs":
        return 0
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


def measure(studies: list[bytes], folder: Path, extent: Extent) -> dict[str, Any]:
    """Return all figures."""
    started = time.strftime("%Y-%m-%d")
    load = round(os.getloadavg()[0], 1)
    inputs = {times: archive(folder / f"times-{times}.zip", copies(studies, times)) for times in (1, 4, 16)}
    parts: dict[str, Callable[[], Any]] = {
        "stages": lambda: stages(studies, extent.rounds),
        "models": lambda: beside_models(studies[:: max(1, len(studies) // extent.models)], extent.rounds),
        "runs": lambda: beside_pipeline(inputs[1], folder, 1 if extent is QUICK else 2),
        "speed": lambda: by_workers(inputs, folder, extent.rounds),
        "sizes": lambda: by_size(studies, folder, extent.size_bytes),
        "growth": lambda: by_growth(inputs, folder, extent.rounds),
        "many": lambda: many_entries(folder, extent.many),
    }
    figures: dict[str, Any] = {}
    for number, (name, part) in enumerate(parts.items(), start=1):
        say(f"{name}, {number} of {len(parts)}")
        begun = time.monotonic()
        figures[name] = part()
        say(f"  {time.monotonic() - begun:,.0f} s")
    return {
        "machine": machine(),
        "day": started,
        "load": load,
        "trialconv": __version__,
        "registry": REGISTRY,
        "packed_bytes": inputs[1].stat().st_size,
        **figures,
    }


def beside_pipeline(source: Path, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Return whole runs with two workers, each beside one of the pipeline of fhir.resources, in turns."""
    return [
        {"ours": converted(source, folder, TARGET, 2), "models": by_models(source, folder)} for _ in range(rounds)
    ]


def by_workers(inputs: dict[int, Path], folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Return runs with one and two workers, which take turns."""
    return [
        converted(inputs[times], folder, target, workers)
        for target, times in (("fhir-r4", 4), ("odm-2.0", 1), ("usdm-4.0", 1))
        for _ in range(rounds)
        for workers in (1, 2)
    ]


def by_size(studies: list[bytes], folder: Path, size: int) -> list[dict[str, Any]]:
    """Return a run for the records of each class of size, with one worker, and how large they are.

    What a run takes that has nothing to do is not counted in `net_seconds`.
    """
    start = converted(archive(folder / "one.zip", [_SMALL % 1]), folder, "fhir-r4", 1)["seconds"]
    found = []
    smallest = 0
    for largest in SIZES:
        some = [study for study in studies if smallest <= len(study) < largest]
        smallest = largest
        if not some:
            continue
        # More than so many small ones would only take longer.
        times = max(1, min(size // sum(map(len, some)), _ENOUGH // len(some)))
        source = archive(folder / "size.zip", copies(some, times))
        run = converted(source, folder, "fhir-r4", 1)
        mean, net = sum(map(len, some)) / len(some), max(run["seconds"] - start, _TICK)
        found.append(
            {
                "smallest": min(map(len, some)),
                "largest": max(map(len, some)),
                "mean": round(mean),
                "net_seconds": round(net, 2),
                "net_ms": round(net / run["records"] * 1e3, 3),
                "mb_per_second": round(run["records"] * mean / net / 1e6, 2),
                **run,
            }
        )
    return found


def by_growth(inputs: dict[int, Path], folder: Path, rounds: int) -> dict[str, Any]:
    """Return runs over inputs of several sizes, which take turns, and what a run takes that has nothing to do."""
    nothing = archive(folder / "one.zip", [_SMALL % 1])
    start = [converted(nothing, folder, "fhir-r4", 2)["seconds"] for _ in range(rounds)]
    runs = [
        {"times": times, **converted(path, folder, "fhir-r4", 2)}
        for _ in range(rounds)
        for times, path in inputs.items()
    ]
    return {"start": start, "runs": runs}


def many_entries(folder: Path, many: int) -> dict[str, Any]:
    """Return a run over an archive of many small made-up studies."""
    made = archive(folder / "many.zip", (_SMALL % number for number in range(1, many + 1)))
    return {"bytes": made.stat().st_size, **converted(made, folder, "fhir-r4", 2)}


if __name__ == "__main__":
    sys.exit(main())
