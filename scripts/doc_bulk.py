"""Tables of docs/bulk.json, which `benchmarks/bench_bulk.py` writes, as Markdown."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any, Final

from doc_performance import NONE_YET, figures_of, machine_line

#: What reads all versions first, as a part of the whole, when Spark converts.
_PASS: Final = 1.2
#: Seconds that a Spark session, its executors and their processes take to begin, about.
_SPARK_START: Final = 20
#: What a Python process may take.
_MIB: Final = 300
#: Where the registry is converted: cores, how much longer than without the pass, and the seconds of the start.
_PLACES: Final = (
    ("one machine, local engine", 2, 1, 1),
    ("", 8, 1, 1),
    ("a cluster", 16, _PASS, _SPARK_START),
    ("", 64, _PASS, _SPARK_START),
    ("", 256, _PASS, _SPARK_START),
)


def bulk(root: Path) -> str:
    """Return how fast bulk conversions were, how they grew with the input, and what memory they took."""
    figures = figures_of(root, "bulk")
    if not figures:
        return NONE_YET
    parts = [
        f"{machine_line(figures)} The load of the machine was {figures['load']} when the measuring began.",
        _stages(figures["stages"]),
        _models(figures["models"], figures["runs"]),
        _speed(figures["speed"]),
        _sizes(figures["sizes"]),
        _growth(figures["growth"]),
        _memory(figures),
    ]
    if (root / "docs" / "bulk.svg").exists():
        parts.append("![Stages, time and peak of memory by the size of the input and of the records](bulk.svg)")
    return "\n\n".join(parts)


def _stages(found: dict[str, Any]) -> str:
    rows = (
        f"| `{one['target']}` | {one['read']:.2f} | {one['map']:.2f} | {one['validate']:.2f} | {one['write']:.2f} "
        f"| {one['sum']:.2f} | {one['floors']:.1f} |"
        for one in found["targets"]
    )
    text = (
        f"In one process, milliseconds of CPU per study, over {found['studies']:,} studies of "
        f"{found['bytes'] / found['studies']:,.0f} bytes on average (rounds: {found['rounds']}, their median). "
        "The "
        f"floor, {found['floor']:.3f} ms, is parsing and writing the JSON with orjson and nothing else."
    )
    head = [
        "| target | read | map | validate | write | sum | times the floor |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    return "\n".join([text, "", *head, *rows])


def _models(found: dict[str, Any], runs: list[dict[str, Any]]) -> str:
    ours, models = (median(run[key]["seconds"] for run in runs) for key in ("ours", "models"))
    ratio = median(run["models"]["seconds"] / run["ours"]["seconds"] for run in runs)
    records, refused = runs[0]["ours"]["records"], runs[0]["models"]["refused"]
    alone = f"{found['ms']:.2f} | {found['models_ms']:.1f} | {found['ratio']:.0f}"
    table = [
        "| | trialconv | fhir.resources | times |",
        "|---|---:|---:|---:|",
        f"| one process each, ms of CPU per study | {alone} |",
        f"| whole pipelines, seconds for {records:,} studies | {ours:.1f} | {models:.1f} | {ratio:.0f} |",
    ]
    text = (
        f"In the first line ({found['studies']} studies) trialconv begins with the registry's JSON and reads, "
        "maps, "
        "validates and writes; the models begin with the finished content, and are built and validated "
        f"({found['build_ms']:.1f} ms) and written ({found['write_ms']:.1f} ms). The second is `trialconv bulk` "
        "with "
        "two workers, from the ZIP to NDJSON on the disk, beside a program in one process that reads the ZIP, "
        "maps "
        "as trialconv does, has the models build and validate, and writes NDJSON (`benchmarks/bulk_peer.py`). The "
        f"models refused {found['refused']} Bundles more in the first, which neither side counts, and "
        f"{refused:,} in "
        "the second: they have no place for some extensions of simple values."
    )
    return "\n".join(["Beside fhir.resources, to FHIR R4B:", "", *table, "", text])


def _speed(runs: list[dict[str, Any]]) -> str:
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for run in runs:
        found.setdefault((run["target"], run["workers"]), []).append(run)
    lines = ["| studies, to | workers | studies a second | times one worker | CPU, ms per study |"]
    lines.append("|---|---:|---:|---:|---:|")
    for (target, workers), some in found.items():
        rate, alone = (median(one["rate"] for one in found[target, count]) for count in (workers, 1))
        cpu = median(one["cpu_ms"] for one in some)
        name = f"{some[0]['records']:,}, `{target}`"
        lines.append(f"| {name} | {workers} | {rate:,.0f} | {rate / alone:.2f} | {cpu:.2f} |")
    return "\n".join(["The whole command, its start included:", "", *lines])


def _sizes(runs: list[dict[str, Any]]) -> str:
    table = [
        "| kB of JSON | studies | ms per study | MB of JSON a second | a worker, MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    for one in runs:
        size = f"{one['smallest'] / 1e3:,.1f} to {one['largest'] / 1e3:,.1f}"
        speed = f"{one['net_ms']:.2f} | {one['mb_per_second']:.1f}"
        table.append(f"| {size} | {one['records']:,} | {speed} | {one['worker_mib']} |")
    text = "By the size of the records, to FHIR R4 with one worker, without the start:"
    return "\n".join([text, "", *table])


def _growth(found: dict[str, Any]) -> str:
    by_times: dict[int, list[dict[str, Any]]] = {}
    for run in found["runs"]:
        by_times.setdefault(run["times"], []).append(run)
    start = median(found["start"])
    first = median(run["seconds"] for run in by_times[1])
    lines = []
    before = 0, start
    for times, some in by_times.items():
        seconds = median(run["seconds"] for run in some)
        memory = f"{max(run['worker_mib'] for run in some)} | {max(run['parent_mib'] for run in some)}"
        records, factor = some[0]["records"], (seconds - start) / (first - start)
        further = (seconds - before[1]) / (records - before[0]) * 1e3
        before = records, seconds
        lines.append(f"| {times} | {records:,} | {seconds:,.1f} | {factor:.1f} | {further:.2f} | {memory} |")
    return "\n".join(
        [
            (
                "By the size of the input, to FHIR R4 with two workers: all studies once, and several times under "
                f"numbers of their own. The start of the processes, {start:.1f} s, is left out of the factor."
            ),
            "",
            (
                "| times | studies | seconds | times the first | ms, each further study | a worker, MiB "
                "| the parent, MiB |"
            ),
            "|---:|---:|---:|---:|---:|---:|---:|",
            *lines,
        ]
    )


def _memory(figures: dict[str, Any]) -> str:
    many = figures["many"]
    runs = [*figures["speed"], *figures["sizes"], *figures["growth"]["runs"], many]
    most = max(max(run["worker_mib"], run["parent_mib"]) for run in runs)
    return (
        f"A made archive of {many['records']:,} small studies: {many['seconds']:,.0f} s; a worker took "
        f"{many['worker_mib']} MiB at most, the parent {many['parent_mib']} MiB. The most that any process took "
        "in "
        f"all of these runs is {most} MiB."
    )


# the arithmetic for the whole registry


def cluster(root: Path) -> str:
    """Return how long the whole registry takes on some numbers of cores, by what was measured."""
    figures = figures_of(root, "bulk")
    if not figures:
        return NONE_YET
    runs = [run for run in figures["speed"] if run["target"] == "fhir-r4"]
    alone, both = (median(run["rate"] for run in runs if run["workers"] == count) for count in (1, 2))
    rate, registry = both / 2, figures["registry"]
    text = (
        f"Measured ({machine_line(figures).rstrip('.')}): to FHIR R4 R = {rate:,.0f} studies a second and core "
        "with "
        f"two at work, {alone:,.0f} with one. For the registry that is:"
    )
    table = ["| to FHIR R4 | cores | seconds | with the start |", "|---|---:|---:|---|"]
    for name, cores, factor, start in _PLACES:
        seconds = registry * factor / (rate * cores)
        table.append(f"| {name} | {cores} | {seconds:,.0f} | {_about(seconds + start)} |")
    more = (
        f"Only R is measured, on {figures['machine']['cores']} cores; the rest is worked out, as if more cores "
        "were "
        "as fast and nothing else were in the way. What is in the way, at 64 cores:"
    )
    return "\n".join([text, "", *table, "", more, "", *_limits(figures, rate * 64)])


def _limits(figures: dict[str, Any], rate: float) -> list[str]:
    """Return what so many studies a second ask of disks and memory, if the registry is as the studies at hand."""
    registry, stages = figures["registry"], figures["stages"]
    plain, packed = (size / stages["studies"] for size in (stages["bytes"], figures["packed_bytes"]))
    whole = next(run for run in figures["growth"]["runs"] if run["times"] == 1)
    written = whole["written_bytes"] / whole["records"]
    reading = (
        f"{registry * plain / 1e9:.0f} GB of JSON are some {registry * packed / 1e9:.1f} GB as a ZIP, if the "
        "registry "
        f"is as the studies at hand. {rate:,.0f} studies a second are {rate * packed / 1e6:,.0f} MB of it a "
        "second, "
        "which the shared disk has to give."
    )
    writing = (
        f"FHIR R4 is {registry * written / 1e9:.0f} GB in all, so {rate * written / 1e6:,.0f} MB a second. Here "
        "the "
        "file system is the limit first; add cores only as far as it can follow."
    )
    memory = f"{64 * _MIB / 1024:.0f} GiB of Python over the cluster, and 2 GiB for each executor."
    return [f"- **Reading.** {reading}", f"- **Writing.** {writing}", f"- **Memory.** {memory}"]


def _about(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    return f"about {seconds / 60:.0f} minutes"
