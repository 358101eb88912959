"""Tables of figures: docs/performance.json and the like, which the benchmarks write, as Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

#: What stands where a benchmark has not run yet.
NONE_YET = "No figures yet; `make bench` measures them."


def figures_of(root: Path, name: str) -> dict[str, Any]:
    """Return what a benchmark has written into docs/; nothing when it has not run yet."""
    path = root / "docs" / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def performance(root: Path) -> str:
    """Return what was measured, on what, and the times per study with their ratios to the floor."""
    figures = figures_of(root, "performance").get("core")
    if figures is None:
        return NONE_YET
    start = figures["start"]
    studies = f"{figures['studies']:,} studies without results, {figures['mean_bytes']:,} bytes of JSON on average"
    lines = [
        machine_line(figures),
        f"Studies: {studies}. The median of {figures['rounds']} rounds.",
        "",
        "| step | ms per study | times the floor |",
        "|---|---:|---:|",
        *(f"| {one['step']} | {one['ms']:.3f} | {one['ratio']:.2f} |" for one in figures["steps"]),
        "",
        "| a new process | |",
        "|---|---:|",
        f"| `trialconv --help`, beyond what Python itself takes | {start['help_ms']:.0f} ms |",
        f"| one study to a validated R4 bundle, all in all | {start['one_study_ms']:.0f} ms |",
        f"| its peak of resident memory | {start['peak_mib']:.0f} MiB |",
    ]
    return "\n".join(lines)


def corpus(root: Path) -> str:
    """Return what came of converting and validating all studies at hand."""
    figures = figures_of(root, "performance").get("corpus")
    if figures is None:
        return NONE_YET
    lines = [
        machine_line(figures),
        f"Studies: {figures['studies']:,}, of which {figures['with_results']:,} have results.",
        "",
        "| target | crashes | documents with errors | unequal on a second run | seconds, both runs |",
        "|---|---:|---:|---:|---:|",
        *(_corpus_row(one) for one in figures["targets"]),
    ]
    return "\n".join(lines)


def load(root: Path) -> str:
    """Return how fast records go into each warehouse, and in how much memory."""
    figures = figures_of(root, "performance").get("load")
    if figures is None:
        return "No figures yet; `python benchmarks/bench_load.py` measures them."
    head = "| warehouse | studies/s | processor ms per study | studies/s by processor time, two cores | MiB |"
    sums = f"Counts and sums over {figures['warehouses'][0]['sums']} columns are those of the source, in each."
    lines = [
        machine_line(figures),
        f"Studies: {figures['studies']:,}. {sums}",
        "",
        head,
        "|---|---:|---:|---:|---:|",
        *(
            f"| {one['name']} | {one['per_second']:,} | {one['processor_ms']:.2f} | {one['per_second_alone']:,} "
            f"| {one['peak_mib']:,} |"
            for one in figures["warehouses"]
        ),
    ]
    return "\n".join(lines)


def _corpus_row(one: dict[str, Any]) -> str:
    counts = f"{one['crashes']:,} | {one['invalid']:,} | {one['unequal']:,}"
    return f"| {one['target']} | {counts} | {one['seconds']:.1f} |"


def odmlib(root: Path) -> str:
    """Return how ODM 2.0 by trialconv compares with odmlib alone."""
    figures = figures_of(root, "performance").get("odmlib")
    if figures is None:
        return NONE_YET
    lines = [
        machine_line(figures),
        f"Studies: {figures['studies']:,}. The median of {figures['rounds']} rounds.",
        "",
        "| ODM 2.0, built, written and validated | ms per study |",
        "|---|---:|",
        f"| trialconv, from the record on | {figures['ms']:.1f} |",
        f"| odmlib alone, from the finished content on | {figures['odmlib_ms']:.1f} |",
        f"| ratio | {figures['ratio']:.1f} |",
    ]
    return "\n".join(lines)


def ledger(root: Path) -> str:
    """Return how large the page of a ledger is, and how long a browser takes to open it."""
    figures = figures_of(root, "performance").get("ledger")
    if figures is None:
        return NONE_YET
    return (
        f"The page of a made-up study with {figures['sites']:,} sites and {figures['targets']} documents has "
        f"{figures['mb']:.1f} MB, is made in {figures['made_s']:.1f} s, and is open in Chromium after "
        f"{figures['open_s']:.1f} s."
    )


def lineage(root: Path) -> str:
    """Return what lineages tell of the leaves of documents, and what they cost."""
    figures = figures_of(root, "performance").get("lineage")
    if figures is None:
        return "No figures yet; `python benchmarks/bench_lineage.py` measures them."
    ways = list(figures["targets"][0]["shares"])
    lines = [
        f"{machine_line(figures)} {figures['studies']} studies.",
        "",
        f"| target | leaves | {' | '.join(ways)} | without an origin | times as long | verbs add |",
        "|---|" + "---:|" * (len(ways) + 4),
        *map(_lineage_row, figures["targets"]),
    ]
    return "\n".join(lines)


def _lineage_row(row: dict[str, Any]) -> str:
    shares = " | ".join(f"{share:.1%}" for share in row["shares"].values())
    costs = f"{row['times_as_long']:.1f} | {row['verbs_add']:.1%}"
    return f"| {row['target']} | {row['leaves']:,} | {shares} | {row['without_origin']} | {costs} |"


def web(root: Path) -> str:
    """Return how the server does."""
    figures = figures_of(root, "performance").get("web")
    if figures is None:
        return NONE_YET
    first, last = figures["memory_mib"]
    lines = [
        machine_line(figures),
        "",
        "| what | |",
        "|---|---:|",
        f"| the page shows a study with 100 sites after | {figures['page_100_s']:.2f} s |",
        f"| the page shows a study with 1,000 sites after | {figures['page_1000_s']:.2f} s |",
        f"| 50 studies at once are all answered after | {figures['parallel_s']:.1f} s |",
        f"| of them with an error | {figures['parallel_errors']} |",
        f"| an upload of 50 MB is refused ({figures['upload_status']}) after | {figures['upload_s']:.2f} s |",
        f"| memory of all processes after {figures['requests'] // 10:,} requests | {first} MiB |",
        f"| memory of all processes after {figures['requests']:,} requests | {last} MiB |",
    ]
    return "\n".join(lines)


def validation(root: Path) -> str:
    """Return what came of judging HL7's examples and the made-up defects."""
    figures = figures_of(root, "validation")
    if not figures:
        return "No figures yet; `make evidence` measures them."
    rows = []
    for version, found in figures.items():
        examples, defects = found["examples"], found["defects"]
        right = f"{examples['rightlyFlagged']:,} ({examples['ourRightlyFlagged']:,})"
        alarms = f"{examples['falseAlarms']:,} ({examples['ourFalseAlarms']:,})"
        exact = f"{defects['foundExactly']:,} of {defects['defects']:,}"
        rows.append(
            f"| {version} | {examples['files']:,} ({examples['ourFiles']:,}) | {right} | {alarms} | {exact} |"
        )
    head = [
        "| version | official examples (of a study's types) | with real errors | false alarms | defects found |",
        "|---|---:|---:|---:|---:|",
    ]
    return "\n".join([*head, *rows])


def dependencies(root: Path) -> str:
    """Return the versions, licences, sizes and import times of the packages that trialconv needs."""
    figures = figures_of(root, "dependencies")
    if not figures:
        return NONE_YET
    rows = [_dependency_row(one) for one in figures["packages"]]
    head = [
        "| package | version | licence | MiB | MiB with what it needs | import, ms |",
        "|---|---|---|---:|---:|---:|",
    ]
    return "\n".join([machine_line(figures), "", *head, *rows])


def _dependency_row(one: dict[str, Any]) -> str:
    importing = "not imported" if one["import_ms"] is None else f"{one['import_ms']:.0f}"
    sizes = f"{one['mib']:.1f} | {one['with_mib']:.1f}"
    return f"| {one['name']} | {one['version']} | {one['licence']} | {sizes} | {importing} |"


def machine_line(figures: dict[str, Any]) -> str:
    """Return a sentence about what figures were measured on."""
    machine = figures["machine"]
    on = f"{machine['cores']} cores of {machine['processor']}"
    return f"trialconv {figures['trialconv']}, {machine['python']}, {on}."


def eligibility(root: Path) -> str:
    """Return how many criteria texts have a certain reading, why others have not, and how long reading takes."""
    figures = figures_of(root, "eligibility")
    if not figures:
        return "No figures yet; `python benchmarks/bench_criteria.py` measures them."
    texts = figures["texts"]
    doubts = sorted(figures["doubts"].items(), key=lambda pair: (-pair[1], pair[0]))
    return "\n".join(
        [
            f"Of {texts:,} studies with a criteria text, {figures['mean_characters']:,} characters on average:",
            "",
            "| | studies | % |",
            "|---|---:|---:|",
            *(
                f"| {name} | {figures[key]:,} | {figures[key] / texts:.1%} |"
                for key, name in (
                    ("certain", "every part has a certain reading"),
                    ("partly", "some part was not taken apart"),
                    ("whole", "nothing could be taken apart"),
                    ("together", "a criterion holds lines that were kept together"),
                    ("cohorts", "some criteria are of a cohort"),
                )
            ),
            "",
            "| why a part was not taken apart | studies |",
            "|---|---:|",
            *(f"| {doubt} | {count} |" for doubt, count in doubts),
            "",
            f"Reading a text takes {figures['microseconds']:.0f} µs on average ({figures['processor']}).",
        ]
    )
