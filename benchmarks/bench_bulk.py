"""How fast `trialconv bulk` converts, how that grows with the input, and how much memory its processes take.

    python benchmarks/bench_bulk.py [--quick]

Inputs are made of the real studies of the folder that TRIALCONV_SHARED names (default: `../shared` beside the
checkout): all of them once, and 4 and 16 times with numbers of their own. A made archive of 607,000 small studies
shows what a list of so many entries costs. --quick takes less of everything, to see that it works. Writes
docs/bulk.json, from which `scripts/make_docs.py` makes the tables of docs/bulk.md, and the plot docs/bulk.svg,
which needs the extra `bench`.

The conversions run as a user runs them, in processes of their own, one after the other; the memory of a process is
its peak (VmHWM), read from /proc while it runs, so that this needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from bench_core import ROOT, SOURCE, development_studies, machine, say

from trialconv import __version__
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import collect_less, transform
from trialconv.readers.ctgov_json import read_study

REGISTRY: Final = 607_000
_NUMBER: Final = re.compile(rb'"nctId"\s*:\s*"(NCT\d{8})"')
_SMALL: Final = (
    '{"protocolSection":{"identificationModule":{"nctId":"NCT%08d","briefTitle":"A Made-up Study"},'
    '"statusModule":{"overallStatus":"COMPLETED"},"designModule":{"studyType":"OBSERVATIONAL"}}}'
)
_TICK: Final = 0.05
_MIB: Final = 1024


def main() -> int:
    """Measure and write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Measure bulk conversions.")
    parser.add_argument("--quick", action="store_true", help="less of everything; the figures are not kept")
    quick = parser.parse_args().quick
    studies = development_studies()
    if not studies:
        return 1
    studies = studies[:200] if quick else studies
    with tempfile.TemporaryDirectory(prefix="trialconv-bench-") as folder:
        figures = measure(studies, Path(folder), 5_000 if quick else REGISTRY, 1 if quick else 3)
    if quick:
        say(json.dumps(figures, indent=2))
        return 0
    text = json.dumps(figures, indent=2, sort_keys=True) + "\n"
    (ROOT / "docs" / "bulk.json").write_text(text, encoding="utf-8")
    plot(figures, ROOT / "docs" / "bulk.svg")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


def measure(studies: list[bytes], folder: Path, many: int, rounds: int) -> dict[str, Any]:
    """Return all figures."""
    sizes = {times: archive(folder / f"times-{times}.zip", copies(studies, times)) for times in (1, 4, 16)}
    speed = []
    for target, times in (("fhir-r4", 4), ("odm-2.0", 1)):
        for _ in range(rounds):
            # One and two workers take turns, so that a busy machine is as busy for both.
            speed += [converted(sizes[times], folder, target, workers) for workers in (1, 2)]
    growth = [{"times": times, **converted(path, folder, "fhir-r4", 2)} for times, path in sizes.items()]
    made = archive(folder / "many.zip", (_SMALL % number for number in range(1, many + 1)))
    return {
        "machine": machine(),
        "load": round(os.getloadavg()[0], 1),
        "trialconv": __version__,
        "speed": speed,
        "growth": growth,
        "many": {"bytes": made.stat().st_size, **converted(made, folder, "fhir-r4", 2)},
        "peer": beside_models(studies[:: max(1, len(studies) // 200)], rounds),
    }


def archive(path: Path, studies: Iterable[bytes | str]) -> Path:
    """Write studies as the registry's bulk download has them, and return the path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as made:
        for position, study in enumerate(studies):
            made.writestr(f"{position:07}.json", study)
    return path


def copies(studies: list[bytes], times: int) -> Iterator[bytes]:
    """Yield the studies so many times, each with a number of its own."""
    for position, study in enumerate(studies * times):
        found = _NUMBER.search(study)
        yield study.replace(found[1], b"NCT%08d" % (10_000_000 + position)) if found else study


def converted(source: Path, folder: Path, target: str, workers: int) -> dict[str, Any]:
    """Convert an input in processes of its own; return the time, the rate, and the memory of the processes."""
    out = folder / "out"
    command = [sys.executable, "-c", "from trialconv.cli.main import main; main()", "bulk", str(source)]
    options = ["--out", str(out), "--target", target, "--workers", str(workers)]
    before = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - our own
        [*command, *options], stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        peaks, cpu = watched(process)
    seconds = time.perf_counter() - before
    report = json.loads((out / "report.json").read_bytes())
    shutil.rmtree(out)
    found = {
        "target": target,
        "workers": workers,
        "records": report["records"],
        "seconds": round(seconds, 2),
        "rate": round(report["records"] / seconds, 1),
        "cpu_ms": round(cpu / report["records"] * 1e3, 3),
        "parent_mib": round(peaks.pop(process.pid, 0) / _MIB),
        "worker_mib": round(max(peaks.values(), default=0) / _MIB),
        "exit_code": process.returncode,
    }
    say(str(found))
    return found


def watched(process: subprocess.Popen[bytes]) -> tuple[dict[int, int], float]:
    """Wait for a process; return the peaks of memory in its session, in KiB, and the CPU seconds of all of it."""
    peaks: dict[int, int] = {}
    ticks: dict[int, int] = {}
    while process.poll() is None:
        for path in Path("/proc").glob("[0-9]*"):
            try:
                status = (path / "stat").read_text().rpartition(")")[2].split()
                if int(status[3]) == process.pid:
                    ticks[int(path.name)] = int(status[11]) + int(status[12])
                    high = re.search(r"VmHWM:\s+(\d+)", (path / "status").read_text())
                    peaks[int(path.name)] = max(peaks.get(int(path.name), 0), int(high[1]) if high else 0)
            except (OSError, ValueError):
                continue
        time.sleep(_TICK)
    return peaks, sum(ticks.values()) / os.sysconf("SC_CLK_TCK")


def beside_models(studies: list[bytes], rounds: int) -> dict[str, Any]:
    """Return the CPU time of one process for a study to R4B, beside that of the models of fhir.resources.

    The models get the finished content and build, validate and write the same bundles of it. Bundles that they
    refuse (they have no place for some extensions of simple values) are counted, and left out on both sides.
    """
    from fhir.resources.R4B.bundle import Bundle

    collect_less()
    target, clock = TARGETS["fhir-r4b"], time.process_time
    given = len(studies)
    studies = [
        study for study in studies if _takes(Bundle, transform(read_study(study, SOURCE), target, Options()).data)
    ]
    ours, theirs = [], []
    for _ in range(rounds):
        mine = models = 0.0
        for study in studies:
            before = clock()
            made = transform(read_study(study, SOURCE), target, Options())
            middle = clock()
            Bundle.model_validate_json(made.data).model_dump_json()
            mine, models = mine + middle - before, models + clock() - middle
        ours.append(mine / len(studies) * 1e3)
        theirs.append(models / len(studies) * 1e3)
    found = {
        "studies": len(studies),
        "refused": given - len(studies),
        "ms": round(statistics.median(ours), 3),
        "models_ms": round(statistics.median(theirs), 3),
        "ratio": round(statistics.median(b / a for a, b in zip(ours, theirs, strict=True)), 1),
    }
    say(str(found))
    return found


def _takes(model: Any, bundle: bytes) -> bool:
    try:
        model.model_validate_json(bundle)
    except ValueError:
        return False
    return True


def plot(figures: dict[str, Any], path: Path) -> None:
    """Draw the time and the memory over the size of the input."""
    try:
        import matplotlib as mpl
    except ImportError:
        say("no plot: matplotlib is not installed")
        return
    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "trialconv"
    from matplotlib import pyplot

    growth = figures["growth"]
    sizes = [one["records"] for one in growth]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2))
    left.plot(sizes, [one["seconds"] for one in growth], "o-")
    left.set(xlabel="studies", ylabel="seconds", title="Time", xlim=(0, None), ylim=(0, None))
    right.plot(sizes, [one["worker_mib"] for one in growth], "o-", label="a worker")
    right.plot(sizes, [one["parent_mib"] for one in growth], "s-", label="the parent")
    right.axhline(300, linestyle=":", color="grey", label="300 MiB")
    right.set(xlabel="studies", ylabel="MiB", title="Peak of memory", xlim=(0, None), ylim=(0, 330))
    right.legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    sys.exit(main())
