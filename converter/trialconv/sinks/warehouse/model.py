"""What a warehouse is asked, and which studies of a batch it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, Self

from trialconv_mappings.warehouse_tables import SCHEMA_VERSION

if TYPE_CHECKING:
    import pyarrow as pa

#: What the registry does with a study: it is there, was taken back by the registry, or is no longer found.
RegistryState = Literal["present", "withdrawn", "vanished"]
#: What becomes of a study of a batch.
Verdict = Literal["new", "changed", "unchanged", "older"]


class StudyVersion(NamedTuple):
    """A study in a version: the day of its last posted update (`yyyy-MM-dd`), and the hash of what it says."""

    nct_id: str
    date: str | None
    content_hash: str


class StoredVersion(NamedTuple):
    """A study as a warehouse has it: its version, its state, and the version of the schema of its rows."""

    nct_id: str
    date: str | None
    content_hash: str
    registry_state: str
    schema_version: int


class Batch(NamedTuple):
    """Studies on their way into a warehouse, each once: their versions, and their rows by table."""

    versions: Sequence[StudyVersion]
    tables: Mapping[str, pa.RecordBatch]


class MergeRules(NamedTuple):
    """Which studies are written although they would not be: older ones, and those in the version that is there."""

    allow_older: bool = False
    reload: bool = False


class LoadStart(NamedTuple):
    """What a load says of itself in the table `loads`."""

    started_at: str
    trialconv_version: str
    fhir_version: str | None


class Warehouse(Protocol):
    """A place for the rows of studies. All methods raise SinkError for what the place refuses.

    Nothing is written before the first `replace` or `mark`, and each of those is all there or not at all. A
    warehouse that cannot do that study by study (Parquet) shows everything at `finish`, and nothing without it.
    Closing without `finish` leaves what was shown so far, and a load that is not finished in `loads`.
    """

    def stored_versions(self) -> Iterator[StoredVersion]:
        """Yield every study that is there, in the order of the NCT numbers."""
        ...

    def versions_of(self, nct_ids: Collection[str]) -> dict[str, StoredVersion]:
        """Return those of some studies that are there."""
        ...

    def state(self) -> dict[str, str]:
        """Return the values that `keep` was given in loads before, by name."""
        ...

    def keep(self, state: Mapping[str, str]) -> None:
        """Keep values, together with what is written next, or with the end of the load."""
        ...

    def begin(self, load: LoadStart) -> None:
        """Say which load the next rows are of. Its row in `loads` comes with the first study that is written."""
        ...

    def replace(self, batch: Batch, verdicts: Mapping[str, Verdict]) -> None:
        """Write the studies of a batch in the place of what is there of them, and count all `verdicts`."""
        ...

    def mark(self, nct_ids: Collection[str], state: RegistryState, day: str | None) -> int:
        """Set the state of studies that are there. Returns how many were not in that state before."""
        ...

    def finish(self, failed: int) -> int | None:
        """End the load, of which so many records failed. Returns its number, None when it wrote nothing."""
        ...

    def close(self) -> None:
        """Let go of the place."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def merge(
    warehouse: Warehouse, batch: Batch, rules: MergeRules, unchanged: Sequence[str] = ()
) -> dict[str, Verdict]:
    """Put into a warehouse what is new or changed of a batch. Returns the verdict on each study.

    A study is written when it is not there, or there in another version that is not newer. `unchanged` are others
    that are known to be there, and are counted. Raises SinkError.
    """
    from trialconv.sinks.warehouse.arrow import only

    stored = warehouse.versions_of([version.nct_id for version in batch.versions]) if batch.versions else {}
    verdicts: dict[str, Verdict] = {
        each.nct_id: verdict(stored.get(each.nct_id), each, rules) for each in batch.versions
    }
    verdicts.update(dict.fromkeys(unchanged, "unchanged"))
    chosen = {nct_id for nct_id, found in verdicts.items() if found in ("new", "changed")}
    warehouse.replace(only(batch, chosen), verdicts)
    return verdicts


def verdict(stored: StoredVersion | None, version: StudyVersion, rules: MergeRules) -> Verdict:
    """Return what becomes of a study, given what is there of it.

    A version without a date is older than one that has one, since nothing says that it is newer.
    """
    if stored is None:
        return "new"
    if stored.content_hash == version.content_hash:
        is_current = stored.registry_state == "present" and stored.schema_version == SCHEMA_VERSION
        return "unchanged" if is_current and not rules.reload else "changed"
    if (version.date or "") < (stored.date or "") and not rules.allow_older:
        return "older"
    return "changed"


class Counts(NamedTuple):
    """How many studies a load wrote, found unchanged, and found older than what is there."""

    written: int = 0
    unchanged: int = 0
    older: int = 0

    def __add__(self, other: tuple[object, ...]) -> Counts:
        """Return the sum of two counts."""
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(self.written + other.written, self.unchanged + other.unchanged, self.older + other.older)


def counts_of(verdicts: Mapping[str, Verdict]) -> Counts:
    """Count verdicts."""
    found = Counter(verdicts.values())
    return Counts(found["new"] + found["changed"], found["unchanged"], found["older"])
