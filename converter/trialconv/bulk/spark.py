"""A bulk conversion on Apache Spark: the same functions, applied with mapInArrow to rows of units or of bytes.

Spark schedules the tasks, does them again when a machine is lost, and commits what they write. Paths are cut into
units by the driver and read where they are mounted; what has a scheme, such as hdfs: or s3a:, Spark reads itself.
The output is partitioned by target and by kind: the resource type, or the name of the file.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from trialconv.bulk.accounts import Version, older_versions, split_line
from trialconv.bulk.conversion import Conversion, study_line
from trialconv.bulk.inputs import Inputs
from trialconv.bulk.job import PARQUET, Job, RunReport, ShardReport
from trialconv.bulk.report import Reporter, report_json, write_report
from trialconv.issues import OutputError, Severity, SinkError, SourceError, UsageError
from trialconv.pipeline import Converted, collect_less, parse, raw_records
from trialconv.readers.sources import RawRecord, unpacked
from trialconv.record import SourceInfo

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

_IN: Final = "input int, row long, source string, unit binary, data binary"
_VERSIONS: Final = "study string, updated string, data_day string, input int, row long, place long"
_OUT: Final = "target string, kind string, study string, content binary, once string"
_ACCOUNTS: Final = "shards"
#: What Spark puts beside rows that are committed.
_COMMITTED: Final = "_SUCCESS"
_LINES: Final = (".ndjson", ".jsonl", ".ndjson.gz", ".jsonl.gz", ".ndjson.bz2", ".jsonl.bz2")
#: Rows of bytes that are in memory together: a record may be large.
_ROWS: Final = 64
#: Bytes of rows that leave a task together.
_BATCH: Final = 4 << 20
#: The inputs that are paths, cut into units, are the first input.
_PATHS: Final = 0

#: Which row of which input.
_Key = tuple[int, int]
#: Which records to leave out: their places in a row.
_Superseded = Mapping[_Key, frozenset[int]]


class _Row(NamedTuple):
    """A row of the output. Of those of a target and a kind that have the same `once` one stays."""

    target: str
    kind: str
    study: str
    content: bytes
    once: str


def run_on_spark(
    job: Job,
    inputs: Inputs,
    out: str,
    *,
    master: str | None = None,
    settings: Mapping[str, str] | None = None,
    fail_on: Severity | None = None,
) -> RunReport:
    """Convert all inputs on Spark and return the report, which is also written to the output.

    `out` is a path, or anything that Spark can write to; `master` and `settings` are Spark's, and those of
    spark-submit by default. Raises UsageError where the extra `spark` is not installed, OutputError for an output
    that is there already, SinkError when Spark gives up.
    """
    if "://" not in out and Path(out).exists():
        raise OutputError(_exists(out, Path(out)))
    session = _session(master, settings or {})
    try:
        from py4j.protocol import Py4JJavaError
        from pyspark.errors import AnalysisException, PySparkException

        reporter = Reporter(job, inputs, session.sparkContext.defaultParallelism, fail_on)
        try:
            rows = _rows(session, job)
            superseded = _superseded(rows, job)
            made = rows.mapInArrow(partial(_converted, job, superseded), _OUT)
            if job.options.shared_organizations:
                made = made.dropDuplicates(["target", "kind", "once"])
            _write(made.drop("once"), out, job)
            accounts = list(_accounts(session, out, job))
        except AnalysisException as error:
            if "PATH_ALREADY_EXISTS" in str(error):
                raise OutputError(f"{out} exists already; give a new one") from None
            raise SinkError(f"Spark: {_first_line(error)}") from error
        except (PySparkException, Py4JJavaError) as error:
            raise SinkError(f"Spark gave up: {_first_line(error)}") from error
        report = reporter.report(accounts)
        _write_report(session, report, out)
        return report
    finally:
        session.stop()


def _exists(out: str, folder: Path) -> str:
    begun = folder.is_dir() and any(path.name.startswith(("_temporary", "target=")) for path in folder.iterdir())
    if begun and not (folder / _COMMITTED).exists():
        return f"{out} is of a job that did not come to its end; remove it, or give a new one"
    return f"{out} exists already; give a new one"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    telling = [line.strip() for line in lines if "Error" in line or "Exception" in line]
    return (telling or lines or [type(error).__name__])[-1]


def _session(master: str | None, settings: Mapping[str, str]) -> SparkSession:
    try:
        import pyarrow  # noqa: F401 - Spark says nothing useful without it
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError(f"--engine spark needs the extra: pip install 'trialconv[spark]' ({error})") from None
    # The workers need this Python, or one like it, in which trialconv is installed.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("trialconv bulk")
    builder = builder.config("spark.sql.execution.arrow.maxRecordsPerBatch", str(_ROWS))
    builder = builder.config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    # Nothing of pandas is used here.
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    if master is not None:
        builder = builder.master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


# rows in


def _rows(session: SparkSession, job: Job) -> DataFrame:
    """Return the inputs as rows: of paths a row for each unit, of all else a row for each file or line."""
    paths = [source for source in job.sources if "://" not in source]
    frames = [_of_paths(session, job, paths)] if paths else []
    addresses = [source for source in job.sources if "://" in source]
    frames += [_of_address(session, number, source) for number, source in enumerate(addresses, start=_PATHS + 1)]
    rows = frames[0]
    for frame in frames[1:]:
        rows = rows.unionByName(frame)
    return rows


def _of_paths(session: SparkSession, job: Job, paths: list[str]) -> DataFrame:
    units = enumerate(job.reading.units(paths, job.size, None), start=1)
    rows = [(_PATHS, number, unit.name, pickle.dumps(unit), None) for number, unit in units]
    # One row is one task: it stands for some thousand studies.
    spread = session.sparkContext.parallelize(rows, max(1, len(rows)))
    return session.createDataFrame(spread, _IN)


def _of_address(session: SparkSession, number: int, source: str) -> DataFrame:
    from pyspark.sql import functions as column

    if source.endswith(_LINES):
        found, data = session.read.text(source), column.col("value").cast("binary")
    else:
        found = session.read.format("binaryFile").option("recursiveFileLookup", "true").load(source)
        data = column.col("content")
    return found.select(
        column.lit(number).alias("input"),
        column.monotonically_increasing_id().alias("row"),
        column.col("_metadata.file_path").alias("source"),
        column.lit(None).cast("binary").alias("unit"),
        data.alias("data"),
    )


class _InRow(NamedTuple):
    """A row of the inputs: a unit to read, or the bytes of a file or a line."""

    input: int
    row: int
    source: str
    unit: bytes | None
    data: bytes | None

    def records(self, job: Job) -> Iterator[RawRecord | SourceError]:
        if self.unit is not None:
            return job.reading.raw_records(pickle.loads(self.unit))  # noqa: S301 - the driver's own
        documents = unpacked(io.BytesIO(self.data or b""), SourceInfo(self.source))
        return raw_records(documents, job.reading.reader, job.reading.limit)


def _groups(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[list[_InRow]]:
    """Yield the rows that have one account together: each unit, and what else is in a batch."""
    collect_less()
    for batch in batches:
        rows = [_InRow(*values) for values in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
        for unit in (row for row in rows if row.unit is not None):
            yield [unit]
        if others := [row for row in rows if row.unit is None]:
            yield others


# which versions there are


def _superseded(rows: DataFrame, job: Job) -> _Superseded:
    """Find out, in a pass that only reads, of which studies there are several versions, and which to leave out."""
    from pyspark.sql import Window
    from pyspark.sql import functions as column

    versions = rows.mapInArrow(partial(_versions, job), _VERSIONS)
    times = column.count("*").over(Window.partitionBy("study"))
    found = versions.withColumn("times", times).where("times > 1").collect()
    keys: list[_Key] = sorted({(row.input, row.row) for row in found})
    order = {key: position for position, key in enumerate(keys)}
    older = older_versions(
        Version(row.study, row.updated, row.data_day, order[row.input, row.row], row.place) for row in found
    )
    return {keys[position]: places for position, places in older.items()}


def _versions(job: Job, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """Yield which version of which study each record is."""
    for group in _groups(batches):
        rows = [
            (*split_line(line), row.input, row.row, place)
            for row in group
            for place, raw in enumerate(row.records(job), start=1)
            if (line := study_line(raw if isinstance(raw, SourceError) else parse(raw)))
        ]
        if rows:
            yield _batch(rows, ["study", "updated", "data_day", "input", "row", "place"])


def _batch(rows: list[Any], names: list[str]) -> pyarrow.RecordBatch:
    import pyarrow

    kinds = {"input": pyarrow.int32(), "content": pyarrow.binary()}
    columns = [
        pyarrow.array(column, kinds.get(name)) for name, column in zip(names, zip(*rows, strict=True), strict=True)
    ]
    return pyarrow.RecordBatch.from_arrays(columns, names)


# rows out


def _converted(
    job: Job, superseded: _Superseded, batches: Iterable[pyarrow.RecordBatch]
) -> Iterator[pyarrow.RecordBatch]:
    """Yield what records became: a row for each resource or document, each rejected record, and each account."""
    for group in _groups(batches):
        rows = _Rows(job, f"{group[0].input}.{group[0].row}")
        left_out: set[int] = set()
        conversion = Conversion(job, left_out, rows)
        for row in group:
            before = conversion.records
            left_out.update(before + place for place in superseded.get((row.input, row.row), ()))
            for raw in row.records(job):
                conversion.take(raw)
                if rows.size >= _BATCH:
                    yield rows.batch()
        number = group[0].row if group[0].input == _PATHS else 0
        account = conversion.report(number, group[0].source, [])
        rows.put(_ACCOUNTS, "account", "", msgspec.json.encode(account))
        yield rows.batch()


class _Rows:
    """Rows that wait to leave the task."""

    def __init__(self, job: Job, name: str) -> None:
        self._job = job
        self._name = name
        self._count = 0
        self._resources = {name: job.target(name).suffix == ".ndjson" for name in job.layouts}
        self._rows: list[_Row] = []
        self.size = 0

    def put(self, target: str, kind: str, study: str, content: bytes, shared: str = "") -> None:
        """Take a row; `shared` is the id of what other studies may have, too."""
        self._count += 1
        # The same for a task that is done again.
        once = shared or f"{self._name}.{self._count}"
        self._rows.append(_Row(target, kind, "" if shared else study, content, once))
        self.size += len(content)

    def add(self, target: str, made: Converted) -> None:
        """Take a document."""
        study = made.record.nct_id
        if self._resources[target]:
            for entry, line in zip(made.document["entry"], made.data.split(b"\n"), strict=True):
                kind, id_ = entry["resource"]["resourceType"], entry["resource"]["id"]
                self.put(target, kind, study, line, "" if id_.startswith(study) else id_)
        elif made.files:
            for name, data in made.files.items():
                self.put(target, name, study, data)
        else:
            for _, _, data in self._job.parts(target, made):
                self.put(target, "document", study, data)

    def line(self, kind: str, content: dict[str, Any]) -> None:
        """Take a line of a kind."""
        self.put(kind, "line", content.get("record", ""), msgspec.json.encode(content))

    def batch(self) -> pyarrow.RecordBatch:
        """Return the rows, of which then none waits."""
        rows, self._rows, self.size = self._rows, [], 0
        return _batch(rows, list(_Row._fields))


def _write(made: DataFrame, out: str, job: Job) -> None:
    """Have Spark write and commit the rows: as text, a row a line, or as Parquet."""
    if PARQUET in job.layouts.values():
        made.write.partitionBy("target", "kind").parquet(out)
    else:
        lines = made.selectExpr("target", "kind", "cast(content as string) as value")
        lines.write.partitionBy("target", "kind").text(out)


def _accounts(session: SparkSession, out: str, job: Job) -> Iterator[ShardReport]:
    """Yield the accounts of all rows, which were committed with their output."""
    place = f"{out.rstrip('/')}/target={_ACCOUNTS}/kind=account"
    if PARQUET in job.layouts.values():
        found = session.read.parquet(place).select("content")
    else:
        found = session.read.text(place)
    for row in found.toLocalIterator():
        yield msgspec.json.decode(bytes(row[0]) if isinstance(row[0], bytearray) else row[0], type=ShardReport)


def _write_report(session: SparkSession, report: RunReport, out: str) -> None:
    if "://" not in out:
        write_report(report, Path(out))
        return
    line = msgspec.json.encode(msgspec.json.decode(report_json(report))).decode()
    session.createDataFrame([(line,)], "value string").coalesce(1).write.text(f"{out.rstrip('/')}/report")
