"""How long converting takes, and whether every study at hand converts.

    python benchmarks/bench_core.py [--rounds N] [--corpus]

The studies are the real ones of the folder that TRIALCONV_SHARED names (default: `../shared` beside the checkout);
without it there is nothing to measure and a message says so. Prints tables and writes docs/performance.json, from
which `scripts/make_docs.py` makes the tables of docs/performance.md.

The floor is what parsing a study's JSON and writing it again costs with orjson: no converter that reads JSON and
writes JSON can be faster by much. The steps take turns on a hundred studies at a time, so that a busy machine is
as busy for the floor as for the other steps; the ratios are to the floor of the same round.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from trialconv import __version__
from trialconv.catalog import TARGETS, Target
from trialconv.context import Options
from trialconv.issues import TrialconvError
from trialconv.pipeline import collect_less, transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = SourceInfo("benchmark")
OPTIONS: Final = Options()
_RESULTS: Final = b'"resultsSection"'
_TURN: Final = 100

Work = Callable[[bytes], object]


class Step(NamedTuple):
    """Something to measure: its name and the work. `prepare` makes its input of a study and is not measured."""

    name: str
    work: Callable[[Any], object]
    prepare: Callable[[bytes], Any] = bytes


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure how long converting takes.")
    parser.add_argument("--rounds", type=int, default=5, help="how often each step is measured (default: 5)")
    parser.add_argument("--corpus", action="store_true", help="convert every study to every target, twice")
    given = parser.parse_args()
    studies = development_studies()
    if not studies:
        return 1
    figures = measure_corpus(studies) if given.corpus else measure_core(studies, given.rounds)
    path = ROOT / "docs" / "performance.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept["corpus" if given.corpus else "core"] = figures
    path.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


def development_studies() -> list[bytes]:
    """Return the JSON of every real study at hand, in the order of their names."""
    folder = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared"))
    path = folder / "corpus" / "ctg-studies-dev.json.zip"
    if not path.is_file():
        say(f"nothing to measure: no real studies at {path}; TRIALCONV_SHARED names the folder that holds corpus/")
        return []
    with zipfile.ZipFile(path) as archive:
        return [archive.read(name) for name in sorted(archive.namelist()) if name.endswith(".json")]


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "processor": _processor() or platform.machine(),
        "cores": os.cpu_count(),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


# times


def _steps() -> list[Step]:
    """Return what is measured; the first is the floor."""

    def converting(name: str) -> Work:
        return lambda data: transform(read_study(data, SOURCE), TARGETS[name], OPTIONS, check=False)

    def judging(target: Target) -> Callable[[Any], object]:
        return lambda made: target.check(made.document, made.data)

    r4, odm, usdm = TARGETS["fhir-r4"], TARGETS["odm-2.0"], TARGETS["usdm-4.0"]
    return [
        Step("the floor: JSON parsed and written again", lambda data: orjson.dumps(orjson.loads(data))),
        Step("read into a record", lambda data: read_study(data, SOURCE)),
        Step("read, mapped and written as FHIR R4", converting("fhir-r4")),
        Step("read, mapped and written as FHIR R5", converting("fhir-r5")),
        Step("read, mapped and written as ODM 2.0", converting("odm-2.0")),
        Step("read, mapped and written as ODM 1.3.2", converting("odm-1.3.2")),
        Step("read, mapped and written as USDM 4.0", converting("usdm-4.0")),
        Step("validation alone, of the FHIR R4 bundle", judging(r4), converting("fhir-r4")),
        Step("validation alone, of the ODM 2.0 document", judging(odm), converting("odm-2.0")),
        Step("validation alone, of the USDM 4.0 document", judging(usdm), converting("usdm-4.0")),
    ]


def measure_core(all_studies: list[bytes], rounds: int) -> dict[str, Any]:
    """Return the times per study of each step, with their ratios to the floor, and those of new processes."""
    studies = [data for data in all_studies if _RESULTS not in data]
    collect_less()  # as the commands do
    steps = _steps()
    for step in steps:  # tables are loaded and schemas compiled once in a process; that is measured below
        step.work(step.prepare(studies[0]))
    totals: list[list[float]] = []
    for number in range(1, rounds + 1):
        gc.collect()
        totals.append(_round(steps, studies))
        say(f"round {number} of {rounds}: {', '.join(f'{total:.2f}' for total in totals[-1])} s")
    measured = []
    for position, step in enumerate(steps):
        times = [total[position] / len(studies) * 1e3 for total in totals]
        ratios = [total[position] / total[0] for total in totals]
        measured.append({"step": step.name, "ms": _rounded(times), "ratio": _rounded(ratios)})
        say(f"{step.name:45} {measured[-1]['ms']:8.3f} ms  {measured[-1]['ratio']:7.2f}")
    start = measure_start(studies, rounds)
    say(", ".join(f"{name} {value:.1f}" for name, value in start.items()))
    return {
        "machine": machine(),
        "trialconv": __version__,
        "studies": len(studies),
        "mean_bytes": round(statistics.mean(len(data) for data in studies)),
        "rounds": rounds,
        "steps": measured,
        "start": start,
    }


def _rounded(values: list[float]) -> float:
    return round(statistics.median(values), 4)


def _round(steps: list[Step], studies: list[bytes]) -> list[float]:
    """Return the seconds that each step takes for all studies."""
    totals = [0.0] * len(steps)
    for start in range(0, len(studies), _TURN):
        for position, step in enumerate(steps):
            totals[position] += _turn(step, studies[start : start + _TURN])
    return totals


def _turn(step: Step, studies: list[bytes]) -> float:
    clock, seconds = time.perf_counter, 0.0
    for data in studies:
        given = step.prepare(data)
        before = clock()
        step.work(given)
        seconds += clock() - before
    return seconds


def measure_start(studies: list[bytes], rounds: int) -> dict[str, float]:
    """Return the milliseconds of new processes, and the peak of memory of converting one study of median size."""
    console = [sys.executable, "-c", "from trialconv.cli.main import main; main()"]
    nothing, helping = [], []
    for _ in range(3 * rounds):
        nothing.append(_process([sys.executable, "-c", "pass"])[0])
        helping.append(_process([*console, "--help"])[0])
    median_study = sorted(studies, key=len)[len(studies) // 2]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "study.json"
        path.write_bytes(median_study)
        converting = [_process([*console, "to-fhir", str(path)]) for _ in range(3 * rounds)]
    return {
        "help_ms": _rounded([(after - before) * 1e3 for before, after in zip(nothing, helping, strict=True)]),
        "one_study_ms": _rounded([seconds * 1e3 for seconds, _ in converting]),
        "peak_mib": _rounded([peak for _, peak in converting]),
    }


def _process(command: list[str]) -> tuple[float, float]:
    """Run a command to its end and return its seconds and its peak of resident memory in MiB."""
    wrapped = [sys.executable, "-S", "-c", _WRAPPER, *command]
    done = subprocess.run(wrapped, stdout=subprocess.PIPE, check=True)  # noqa: S603 - our own
    seconds, peak = done.stdout.split()
    # Kibibytes on Linux, bytes on macOS.
    return float(seconds), int(peak) / (1024 if sys.platform != "darwin" else 1024**2)


# A process starts with the peak of the one that started it, so that a small one has to stand between.
_WRAPPER = """
import resource, subprocess, sys, time
before = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
print(time.perf_counter() - before, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


# every study to every target


def measure_corpus(studies: list[bytes]) -> dict[str, Any]:
    """Return, per target, how many studies crash, give a document with errors, or differ on a second run."""
    targets = []
    for target in TARGETS.values():
        before = time.perf_counter()
        crashes = invalid = unequal = 0
        for problem in _problems(studies, target):
            crashes += problem == "crash"
            invalid += problem == "invalid"
            unequal += problem == "unequal"
        counts = {"crashes": crashes, "invalid": invalid, "unequal": unequal}
        say(f"{target.name:10} {counts}")
        targets.append({"target": target.title, **counts, "seconds": round(time.perf_counter() - before, 1)})
    return {
        "machine": machine(),
        "trialconv": __version__,
        "studies": len(studies),
        "with_results": sum(_RESULTS in data for data in studies),
        "targets": targets,
    }


def _problems(studies: list[bytes], target: Target) -> Iterator[str]:
    for data in studies:
        try:
            first = transform(read_study(data, SOURCE), target, OPTIONS)
            second = transform(read_study(data, SOURCE), target, OPTIONS, check=False)
        except (TrialconvError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            say(f"crash, {target.name}: {type(error).__name__}: {error}")
            yield "crash"
            continue
        if not first.valid:
            say(f"{first.record.nct_id}, {target.name}: {first.findings[0]}")
            yield "invalid"
        if first.data != second.data:
            say(f"{first.record.nct_id}, {target.name}: another document on the second run")
            yield "unequal"


if __name__ == "__main__":
    sys.exit(main())
