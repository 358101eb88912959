"""`trialconv bulk`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from trialconv.catalog import TARGETS
from trialconv.cli.conversion import fhir_options, many_records_options, rpe_options
from trialconv.context import Options
from trialconv.formats import SDTM_FORMATS
from trialconv.issues import Severity, UsageError

if TYPE_CHECKING:
    from trialconv.bulk.inputs import Inputs
    from trialconv.bulk.job import Job, RunReport

_LAYOUTS: Final = {"local": ("resources", "folders", "lines", "zip"), "spark": ("resources", "lines", "parquet")}
#: How many shards an input becomes, as far as that leaves them a size that is worth it.
_SHARDS: Final = 64
_SMALLEST: Final = 100
_LARGEST: Final = 5000
_SHOWN: Final = 8


class Share(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A machine among several: `3/8`."""

    name = "i/n"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return the number of the machine, from 1, and how many there are."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d+)/(\d+)", value)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            self.fail(f"{value!r} is not a share such as 3/8", param, ctx)
        return int(found[1]), int(found[2])


@click.command("bulk")
@many_records_options
@click.option("--out", "-o", "folder", required=True, help="The output folder.")
@click.option(
    "--target",
    "-t",
    "targets",
    type=click.Choice(list(TARGETS)),
    multiple=True,
    required=True,
    help="What to convert to; may be given several times.",
)
@click.option(
    "--layout",
    "layouts",
    metavar="[TARGET=]LAYOUT",
    multiple=True,
    help="resources (FHIR bulk data, the default for FHIR), folders (a file per study, the default for others), "
    "lines (a JSON document a line) or zip; for all targets, or for one. On Spark resources, lines or parquet.",
)
@click.option("--workers", type=click.IntRange(min=0), help="Processes. Default: one per processor; 0: this one.")
@click.option("--resume", is_flag=True, help="Go on with the run in the output folder.")
@click.option("--shard-size", type=click.IntRange(min=1), help="Records per shard.  [default: 100 to 5000]")
@click.option("--shard", "part", type=Share(), default=(1, 1), help="Do the i-th of n shares of the work.")
@click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Processes of this machine, or Apache Spark (the extra `spark`).",
)
@click.option(
    "--master", metavar="URL", help="Spark: the cluster, such as spark://host:7077. Default: Spark's own."
)
@click.option("--conf", "settings", metavar="NAME=VALUE", multiple=True, help="Spark: a setting of the session.")
@click.option("--issues", is_flag=True, help="Write every Issue, into the folder issues.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "information"]),
    help="Exit with 3 when an Issue is this grave or graver. Default: a document that fails validation.",
)
@fhir_options
@click.option(
    "--sdtm-format",
    type=click.Choice(SDTM_FORMATS),
    default="dataset-json",
    show_default=True,
    help="SDTM: the format of the datasets.",
)
@rpe_options
def command(
    sources: tuple[str, ...],
    folder: str,
    targets: tuple[str, ...],
    layouts: tuple[str, ...],
    shard_size: int | None,
    engine: str,
    fail_on: Severity | None,
    **values: Any,
) -> None:
    """Convert many records to one or more targets, over all cores, and again from where it was interrupted.

    SOURCE is a file, a folder, a ZIP, gzip of any, or - for standard input. The output folder gets a folder per
    target, what could not be converted in `rejected`, and report.json. It may be stopped at any moment; --resume
    goes on, and ends with the same files.

    \b
    Examples:
      trialconv bulk ctg-studies.json.zip --out registry/ --target fhir-r4
      trialconv bulk ctg-studies.json.zip --out registry/ --target fhir-r4 --resume
      trialconv bulk ctg-studies.json.zip --out all/ -t fhir-r5 -t odm-2.0 --layout odm-2.0=zip
      trialconv bulk /mnt/studies.zip --out /mnt/out -t fhir-r4 --engine spark --master spark://host:7077
    """
    from trialconv.bulk.inputs import Inputs
    from trialconv.bulk.job import Job
    from trialconv.parallel import Reading

    inputs = Inputs(sources)
    reading = Reading(values.pop("reader"), values.pop("max_record_size"))
    engine_values = {name: values.pop(name) for name in ("workers", "resume", "master", "settings")}
    run_values = {name: values.pop(name) for name in ("part", "check", "keep_invalid", "issues", "max_entries")}
    job = Job(
        sources=sources,
        folder=Path(folder),
        layouts=_layouts(dict.fromkeys(targets), layouts, engine),
        options=Options(**values),
        reading=reading,
        size=shard_size or min(_LARGEST, max(_SMALLEST, -(-inputs.expected // _SHARDS))),
        **run_values,
    )
    run = _run_local if engine == "local" else _run_spark
    sys.exit(run(job, inputs, folder, fail_on, **engine_values))


def _layouts(targets: dict[str, None], wanted: tuple[str, ...], engine: str) -> dict[str, str]:
    """Return the layout of each target: the default, or what was asked for."""
    from trialconv.bulk.job import PARQUET, default_layout

    layouts = {target: default_layout(target) for target in targets}
    if engine == "spark" and set(layouts.values()) != {"resources"}:
        layouts = dict.fromkeys(targets, PARQUET)
    for text in sorted(wanted, key=lambda text: "=" in text):
        target, equals, layout = text.rpartition("=")
        if layout not in _LAYOUTS[engine]:
            raise UsageError(f"no layout is called {layout!r}; there are {', '.join(_LAYOUTS[engine])}")
        if equals and target not in layouts:
            raise UsageError(f"--layout {text}: {target!r} is no --target of this call")
        layouts.update({target: layout} if equals else dict.fromkeys(layouts, layout))
    if PARQUET in layouts.values() and len({*layouts.values()}) > 1:
        raise UsageError("parquet goes with no other layout: Spark writes one format in a run")
    return layouts


def _run_spark(
    job: Job,
    inputs: Inputs,
    out: str,
    fail_on: Severity | None,
    *,
    workers: int | None,
    resume: bool,
    master: str | None,
    settings: tuple[str, ...],
) -> int:
    from trialconv.bulk.spark import run_on_spark

    if workers is not None or resume or job.part != (1, 1):
        raise UsageError("--workers, --resume and --shard are of the local engine; Spark has its own ways")
    if "-" in job.sources:
        raise UsageError("standard input is on one machine only; Spark needs files")
    if wrong := [text for text in settings if "=" not in text]:
        raise UsageError(f"--conf {wrong[0]}: expected NAME=VALUE")
    named = dict(text.split("=", 1) for text in settings)
    report = run_on_spark(job, inputs, out, master=master, settings=named, fail_on=fail_on)
    for line in _summary(report, f"{out}/target=rejected"):
        click.echo(line, err=True)
    return report.exit_code


def _run_local(
    job: Job,
    inputs: Inputs,
    out: str,
    fail_on: Severity | None,
    *,
    workers: int | None,
    resume: bool,
    master: str | None,
    settings: tuple[str, ...],
) -> int:
    from trialconv.bulk.run import run
    from trialconv.cli.progress import Progress

    if master is not None or settings:
        raise UsageError("--master and --conf are for --engine spark")
    progress = Progress()
    begun: list[int] = []

    def tell(count: int, expected: int) -> None:
        begun.append(count) if not begun else None
        progress.bar(count, expected, begun[0])

    try:
        report = run(job, inputs, workers=workers, resume=resume, fail_on=fail_on, progress=tell)
    except KeyboardInterrupt:
        progress.say(f"what is complete stays in {out}; --resume goes on with it")
        raise
    progress.done()
    for line in _summary(report, f"{out.rstrip('/')}/rejected"):
        progress.say(line)
    return report.exit_code


def _summary(report: RunReport, rejected: str) -> list[str]:
    """Return what is said at the end: counts by target, what is missing and why, the rate, and where it all is."""
    lines = []
    for name, count in report.targets.items():
        parts = [f"{count.converted:,} converted"]
        parts += [f"{count.invalid:,} invalid"] if count.invalid else []
        parts += [f"{count.failed:,} failed"] if count.failed else []
        lines.append(f"{name}: {', '.join(parts)}")
    if report.unread:
        lines.append(f"{report.unread:,} could not be read; {rejected} says why")
    if report.superseded:
        lines.append(f"{report.superseded:,} left out, since the input has another version of the same study")
    lines += [f"error: {message}" for message in report.lost[:_SHOWN]]
    lines.append(
        f"{report.records:,} records; {report.records_this_run:,} of them in {report.seconds:,.1f} s "
        f"({report.records_per_second:,.0f}/s, {report.workers} workers)"
    )
    if not report.locked:
        lines.append("the file system of the output has no locks: nothing has kept other runs out of the folder")
    if report.reason:
        lines.append(f"trialconv: stopped: {report.reason}; --resume goes on when that is put right")
    return lines
