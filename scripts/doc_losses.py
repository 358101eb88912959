"""Tables of what is kept and lost: docs/losses.json, which `benchmarks/measure_losses.py` writes, as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trialconv.catalog import TARGETS

_NONE_YET = "No figures yet; `python benchmarks/measure_losses.py` counts them."


def _counted(root: Path) -> list[dict[str, Any]]:
    path = root / "docs" / "losses.json"
    return json.loads(path.read_text(encoding="utf-8"))["targets"] if path.exists() else []


def shares(root: Path) -> str:
    """Return which share of the values of real studies, without their results, stands where in each target."""
    targets = _counted(root)
    if not targets:
        return _NONE_YET
    first = targets[0]
    lines = [
        f"{first['records']:,} real studies have {first['values']:,} values outside of their results.",
        "",
        "| target | native | extension | not placed | not placed and without a reason |",
        "|---|---:|---:|---:|---:|",
        *(_row(one) for one in targets),
    ]
    return "\n".join(lines)


def _row(one: dict[str, Any]) -> str:
    parts = (f"{one[name] / one['values']:.1%}" for name in ("native", "extension", "not_placed"))
    return f"| {TARGETS[one['target']].title} | {' | '.join(parts)} | {one['unaccounted']:,} |"


def results(root: Path) -> str:
    """Return how many values of the results sections stand in each target."""
    targets = _counted(root)
    if not targets:
        return _NONE_YET
    lines = ["| target | values of posted results | placed |", "|---|---:|---:|"]
    for one in targets:
        found = one["results"]
        lines.append(
            f"| {TARGETS[one['target']].title} | {found['values']:,} | {found['native'] + found['extension']:,} |"
        )
    return "\n".join(lines)


def reasons(root: Path) -> str:
    """Return the most frequent reasons for which values of real studies, without their results, are not placed."""
    targets = _counted(root)
    if not targets:
        return _NONE_YET
    grouped: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for one in targets:
        grouped.setdefault(tuple(map(tuple, one["reasons"])), []).append(TARGETS[one["target"]].title)
    lines = ["| target | values | why they are not placed |", "|---|---:|---|"]
    for why, titles in grouped.items():
        names = "; ".join(titles)
        for number, (reason, count) in enumerate(why):
            cell = reason.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
            lines.append(f"| {'' if number else names} | {count:,} | {cell} |")
    return "\n".join(lines)
