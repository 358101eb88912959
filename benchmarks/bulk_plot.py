"""Draws the figures of `bench_bulk.py`."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any, Final

from bench_core import say

_LIMIT: Final = 300
_COLOURS: Final = {"read": "#88aacc", "map": "#336699", "validate": "#dd8844", "write": "#77aa66"}


def plot(figures: dict[str, Any], path: Path) -> None:
    """Draw the stages, the time over the size of the input, the rate over that of a record, and the memory."""
    try:
        import matplotlib as mpl
    except ImportError:
        say("no plot: matplotlib is not installed")
        return
    mpl.use("svg")
    mpl.rcParams.update(
        {"svg.hashsalt": "trialconv", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    )
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(10, 7))
    _stages(axes[0][0], figures["stages"])
    _growth(axes[0][1], figures["growth"])
    _sizes(axes[1][0], figures["sizes"])
    _memory(axes[1][1], figures)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def _stages(axis: Any, found: dict[str, Any]) -> None:
    targets = found["targets"][::-1]
    names = [one["target"] for one in targets]
    left = [0.0] * len(targets)
    for stage, colour in _COLOURS.items():
        widths = [one[stage] for one in targets]
        axis.barh(names, widths, left=left, label=stage, color=colour)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axis.axvline(found["floor"], color="black", linestyle=":", label="JSON alone")
    axis.set(xlabel="CPU, ms per study", title="Stages, one process")
    axis.legend(fontsize=8)


def _growth(axis: Any, found: dict[str, Any]) -> None:
    by_records: dict[int, list[float]] = {}
    for run in found["runs"]:
        by_records.setdefault(run["records"], []).append(run["seconds"])
    sizes = sorted(by_records)
    seconds = [median(by_records[size]) for size in sizes]
    start = median(found["start"])
    slope = (seconds[0] - start) / sizes[0]
    axis.plot(sizes, seconds, "o", label="measured", zorder=3)
    axis.plot([0, sizes[-1]], [start, start + slope * sizes[-1]], ":", color="grey", label="as the first")
    axis.set(
        xlabel="studies", ylabel="seconds", title="Size of the input, 2 workers", xlim=(0, None), ylim=(0, None)
    )
    axis.legend(fontsize=8)


def _sizes(axis: Any, found: list[dict[str, Any]]) -> None:
    axis.plot([one["mean"] / 1e3 for one in found], [one["mb_per_second"] for one in found], "o-")
    axis.set(
        xscale="log",
        xlabel="mean size of a record, kB (log)",
        ylabel="MB of JSON a second",
        title="Size of the records, 1 worker",
        ylim=(0, None),
    )


def _memory(axis: Any, figures: dict[str, Any]) -> None:
    runs = [*figures["growth"]["runs"], figures["many"]]
    parents = sorted((run["records"], run["parent_mib"]) for run in runs)
    workers = sorted((run["records"], run["worker_mib"]) for run in runs)
    axis.plot(*zip(*workers, strict=True), "o", label="a worker")
    axis.plot(*zip(*parents, strict=True), "s", label="the parent")
    large = [(run["records"], run["worker_mib"]) for run in figures["sizes"]]
    axis.plot(*zip(*large, strict=True), "x", label="a worker, records of one size")
    axis.axhline(_LIMIT, linestyle=":", color="grey", label=f"{_LIMIT} MiB")
    axis.set(xscale="log", xlabel="studies (log)", ylabel="MiB", title="Peak of memory", ylim=(0, _LIMIT * 1.1))
    axis.legend(fontsize=8)
