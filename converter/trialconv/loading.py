"""Records into a warehouse: what is made of each in a worker, and what becomes of it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import orjson

from trialconv.catalog import TARGETS
from trialconv.context import Context, Options
from trialconv.issues import Issue, SinkError, SourceError, issue
from trialconv.parallel import Reading, map_units
from trialconv.pipeline import isolated, parse, transform
from trialconv.readers.sources import RawRecord
from trialconv.readers.units import Unit
from trialconv.record import Record
from trialconv.scrub import scrubbed
from trialconv.sinks.known import KnownStudies
from trialconv.sinks.warehouse.model import MergeRules, StudyVersion, Verdict, Warehouse, merge
from trialconv.sinks.warehouse.settled import Settled, SettledStudies, settled_in
from trialconv_mappings.warehouse.values import period
from trialconv_mappings.warehouse_tables import RESOURCES, SCHEMA_VERSION, STUDIES, VERSIONS

if TYPE_CHECKING:
    from trialconv.sinks.warehouse.model import Batch

#: What became of a record: a verdict of the warehouse, or why it did not get there.
Fate = Verdict | Literal["invalid", "not written"]

#: The escape of NUL in JSON, behind whole escapes of backslashes.
_NUL: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
#: So many records are worked on, and written, at once.
BATCH: Final = 250


class Preparation(NamedTuple):
    """How records become rows. `fhir` names the target whose resources go along, None for none.

    `check` has the rows and the resources judged, and `keep_invalid` loads what is not valid, too. `history` keeps
    the whole record with its version.
    """

    options: Options = Options()
    fhir: str | None = "fhir-r4"
    check: bool = True
    keep_invalid: bool = False
    history: bool = False


class Prepared(NamedTuple):
    """A record as rows: its version, the rows by table, and what reading, mapping and judging found."""

    version: StudyVersion
    rows: dict[str, list[dict[str, Any]]]
    issues: list[Issue]
    findings: list[Issue]

    @property
    def valid(self) -> bool:
        """Tell whether nothing of it has an error."""
        return not any(found.severity == "error" for found in self.findings)


def prepare(record: Record, how: Preparation) -> Prepared:
    """Make the rows of a record, with those that the warehouse itself keeps of a version."""
    made = transform(record, TARGETS["warehouse"], how.options, check=how.check)
    rows, issues, findings = made.document, made.issues, made.findings
    if how.fhir is not None:
        target = TARGETS[how.fhir]
        ctx = Context(record, target.options(how.options))
        bundle = scrubbed(ctx, target.build(ctx))
        rows = {**rows, RESOURCES: _resource_rows(record, bundle, ctx.options.fhir_version)}
        issues = _together(issues, ctx.issues)
        if how.check:
            findings = findings + target.check(bundle, target.write(bundle))
    version = _version(record)
    kept = {"version_date": version.date, "content_hash": version.content_hash}
    (study,) = rows[STUDIES]
    rows[STUDIES] = [{**study, **kept, "registry_state": "present", "schema_version": SCHEMA_VERSION}]
    rows[VERSIONS] = [{"nct_id": version.nct_id, **kept, "record": _history(record) if how.history else None}]
    return Prepared(version, rows, issues, findings)


def _version(record: Record) -> StudyVersion:
    date, content_hash = record.version
    day = period(date) if date else None
    return StudyVersion(record.nct_id, day[0] if day and day[0] == day[1] else None, content_hash)


def _resource_rows(record: Record, bundle: dict[str, Any], version: str) -> list[dict[str, Any]]:
    return [
        {
            "nct_id": record.nct_id,
            "resource_type": resource["resourceType"],
            "resource_id": resource["id"],
            "fhir_version": version,
            "resource": orjson.dumps(resource),
        }
        for resource in (entry["resource"] for entry in bundle["entry"])
    ]


def _together(issues: list[Issue], others: list[Issue]) -> list[Issue]:
    """Return the Issues of two conversions of one record, those of the second that say nothing new left out."""
    told = {(each.code, each.source_path) for each in issues}
    return issues + [
        each for each in others if each.code != "filled-in" and (each.code, each.source_path) not in told
    ]


def _history(record: Record) -> bytes:
    """Return the whole record as JSON, in which databases hold no NUL."""
    return _NUL.sub(rb"\1\\ufffd", record.to_json())


class Outcome(NamedTuple):
    """What became of a record on the way into the warehouse: its study and Issues, or why there is none."""

    nct_id: str
    issues: list[Issue]
    findings: list[Issue] = []
    refusal: Issue | None = None
    valid: bool = True


class Portion(NamedTuple):
    """What a worker made of some records: the outcome of each, and the rows of those that go in.

    Of the studies that are `unchanged` nothing was made.
    """

    outcomes: list[Outcome]
    versions: list[StudyVersion]
    tables: dict[str, bytes]
    unchanged: list[str]


def prepare_unit(
    how: Preparation, unit: Unit, raws: Iterator[RawRecord | SourceError], *, settled: Path | None = None
) -> list[Portion]:
    """Make portions of the records of a unit. A study is in a portion once: its next version begins another.

    `settled` is the file of the studies that need not be converted when they say what they said. It tells nothing
    of a study that the unit has twice.
    """
    there = settled_in(settled) if settled else None
    gathered = _Gathered()
    seen: set[str] = set()
    portions = []
    for raw in raws:
        made = _prepared(raw, how, there, seen)
        nct_id = _study_of(made)
        if nct_id in gathered.studies or len(gathered.studies) == BATCH:
            portions.append(gathered.portion())
            gathered = _Gathered()
        gathered.add(made, keep_invalid=how.keep_invalid)
        seen.add(nct_id)
    portions.append(gathered.portion())
    return portions


def _study_of(made: Prepared | StudyVersion | SourceError) -> str:
    if isinstance(made, SourceError):
        return ""
    return made.version.nct_id if isinstance(made, Prepared) else made.nct_id


def _prepared(
    raw: RawRecord | SourceError, how: Preparation, there: Settled | None, seen: Collection[str]
) -> Prepared | StudyVersion | SourceError:
    """Return what is made of a record: its rows, or its version alone when that is there."""
    record = raw if isinstance(raw, SourceError) else parse(raw)
    if isinstance(record, SourceError):
        return record

    def work() -> Prepared | StudyVersion:
        known = there.hash_of(record.nct_id) if there and record.nct_id not in seen else None
        if known is not None and (version := _version(record)).content_hash == known:
            return version
        return prepare(record, how)

    return isolated(record, work, "; into a warehouse")


class _Gathered:
    """Prepared records on their way to a portion."""

    def __init__(self) -> None:
        self.studies: set[str] = set()
        self._outcomes: list[Outcome] = []
        self._versions: list[StudyVersion] = []
        self._unchanged: list[str] = []
        self._rows: dict[str, list[dict[str, Any]]] = {}

    def add(self, made: Prepared | StudyVersion | SourceError, *, keep_invalid: bool) -> None:
        """Add a record, the version of one that is there, or why there is none."""
        if isinstance(made, SourceError):
            self._outcomes.append(Outcome(made.issue.record, [], refusal=made.issue))
            return
        if isinstance(made, StudyVersion):
            self.studies.add(made.nct_id)
            self._outcomes.append(Outcome(made.nct_id, []))
            self._unchanged.append(made.nct_id)
            return
        wanted = made.valid or keep_invalid
        self._outcomes.append(Outcome(made.version.nct_id, made.issues, made.findings, valid=wanted))
        if wanted:
            self.studies.add(made.version.nct_id)
            self._versions.append(made.version)
            for table, rows in made.rows.items():
                self._rows.setdefault(table, []).extend(rows)

    def portion(self) -> Portion:
        """Return what was added."""
        from trialconv.sinks.warehouse.arrow import batch_of, packed

        tables = packed(batch_of(self._versions, self._rows))
        return Portion(self._outcomes, self._versions, tables, self._unchanged)


def batch_of_records(prepared: Sequence[Prepared]) -> Batch:
    """Return prepared records, each of another study, as a batch for `merge`."""
    from trialconv.sinks.warehouse.arrow import batch_of

    rows: dict[str, list[dict[str, Any]]] = {}
    for each in prepared:
        for table, found in each.rows.items():
            rows.setdefault(table, []).extend(found)
    return batch_of([each.version for each in prepared], rows)


class Loaded(NamedTuple):
    """A record that was read, and what became of it; `fate` is None for one that could not be read."""

    outcome: Outcome
    fate: Fate | None


def load(
    warehouse: Warehouse,
    sources: Sequence[str],
    how: Preparation,
    *,
    rules: MergeRules,
    reading: Reading,
    workers: int | None,
    tell: Callable[[Loaded], None],
) -> None:
    """Put the records of some inputs into a warehouse, portion by portion, and tell what becomes of each.

    Raises SinkError when the warehouse refuses: what was written until then stays, and what was told is what is
    there. The load has to be begun, and to be finished, by the caller.
    """
    with tempfile.TemporaryDirectory(prefix="trialconv-") as folder:
        settled = SettledStudies(Path(folder) / "settled", warehouse.stored_versions(), rules)
        units = reading.units(sources, BATCH, Path(folder))
        load_units(
            warehouse, units, how, settled=settled, rules=rules, reading=reading, workers=workers, tell=tell
        )


def load_units(
    warehouse: Warehouse,
    units: Iterable[Unit],
    how: Preparation,
    *,
    settled: SettledStudies,
    rules: MergeRules,
    reading: Reading,
    workers: int | None,
    tell: Callable[[Loaded], None],
    written: Callable[[Unit], None] = lambda _: None,
) -> None:
    """Put the records of units into a warehouse, in their order, as `load` does.

    Records that are `settled` are not converted. `written` is called with each unit when all of its records are
    where they belong.
    """
    known = KnownStudies()
    keyed = ((unit, unit) for unit in units)
    work = partial(prepare_unit, how, settled=settled.path)
    for done in map_units(work, keyed, workers=workers, reading=reading):
        result = done.result
        if not isinstance(result, SourceError) and not all(settled.are(portion.unchanged) for portion in result):
            result = _once_more(done.key, how, reading, workers)
        if isinstance(result, SourceError):
            tell(Loaded(Outcome(result.issue.record, [], refusal=result.issue), None))
            continue
        for portion in result:
            with _told_when_refused(portion, tell):
                verdicts = _merge(warehouse, portion, rules)
            settled.note(verdicts)
            for outcome in portion.outcomes:
                tell(_loaded(outcome, verdicts, known))
        written(done.key)


def _once_more(unit: Unit, how: Preparation, reading: Reading, workers: int | None) -> list[Portion] | SourceError:
    """Convert all of a unit: another version of one of its studies was written since the load began."""
    one = 0 if workers == 0 else 1
    (done,) = map_units(partial(prepare_unit, how), [(unit, unit)], workers=one, reading=reading, keep_spools=True)
    return done.result


def _merge(warehouse: Warehouse, portion: Portion, rules: MergeRules) -> dict[str, Verdict]:
    from trialconv.sinks.warehouse.arrow import unpacked

    if not portion.versions and not portion.unchanged:
        return {}
    return merge(warehouse, unpacked(portion.versions, portion.tables), rules, portion.unchanged)


@contextmanager
def _told_when_refused(portion: Portion, tell: Callable[[Loaded], None]) -> Iterator[None]:
    try:
        yield
    except SinkError:
        for outcome in portion.outcomes:
            tell(Loaded(outcome, None if outcome.refusal else "not written" if outcome.valid else "invalid"))
        raise


def _loaded(outcome: Outcome, verdicts: dict[str, Verdict], known: KnownStudies) -> Loaded:
    """Return what became of a record, with an Issue where its study has another version."""
    if outcome.refusal is not None:
        return Loaded(outcome, None)
    if not outcome.valid:
        return Loaded(outcome, "invalid")
    fate = verdicts[outcome.nct_id]
    found = []
    if outcome.nct_id in known:
        found.append(issue("duplicate-study", _DUPLICATES[fate], record=outcome.nct_id))
    elif fate == "older":
        message = "the warehouse has a newer version of the study; this one was not written"
        found.append(issue("older-version", message, record=outcome.nct_id))
    known.add(outcome.nct_id)
    return Loaded(outcome._replace(issues=outcome.issues + found), fate)


_DUPLICATES: Final[dict[Verdict, str]] = {
    "new": "the input has the study twice",
    "changed": "the input has the study twice; this version took the place of the one before",
    "unchanged": "the input has the study twice, in the same version",
    "older": "the input has the study twice; this version is older and was not written",
}
