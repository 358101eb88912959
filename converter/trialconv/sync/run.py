"""One run: what changed at the registry since the last one comes into the warehouse, and what vanished is marked.

Whatever ends a run, the next one goes on: rows are written study by study or not at all, how far the registry was
followed is written with them, and a record that is there already in its version is not written again.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import Final, NamedTuple

from trialconv import __version__
from trialconv.issues import Issue, SourceError, UsageError, issue
from trialconv.loading import BATCH, Loaded, Preparation, load_units
from trialconv.parallel import Reading
from trialconv.readers.units import Unit
from trialconv.registry.client import LARGEST_PAGE, Registry
from trialconv.registry.ids import nct_number
from trialconv.registry.listing import Query
from trialconv.sinks.known import KnownStudies
from trialconv.sinks.warehouse import LoadStart, MergeRules, StoredVersion, Warehouse
from trialconv.sinks.warehouse.settled import SettledStudies
from trialconv.sync.spooling import Pages
from trialconv.sync.state import SyncState, state_of
from trialconv.sync.vanished import Check, compared, is_due, is_plausible, listed_ids

_CHUNK: Final = 1 << 20


class Plan(NamedTuple):
    """What to follow, and how.

    `check` and `every` say when the list of ids is compared: in `auto` after so many days. `full` begins anew, as
    if nothing had been followed before.
    """

    query: Query
    how: Preparation = Preparation()
    rules: MergeRules = MergeRules()
    reading: Reading = Reading()
    workers: int | None = None
    page_size: int = LARGEST_PAGE
    check: Check = "auto"
    every: int = 7
    full: bool = False


class Told(NamedTuple):
    """What became of a record, and what was noticed.

    `what` is a fate of the load (`new`, `changed`, `unchanged`, `older`, `invalid`, `not written`), or
    `unreadable`, `vanished`, `returned`.
    """

    nct_id: str
    what: str
    issues: Sequence[Issue] = ()


class Outcome(NamedTuple):
    """What a run came to.

    `skipped`: the registry, or the bulk file, is as it was last time. `failure` is why the run ended early.
    """

    since: str | None
    data: str | None
    skipped: bool = False
    checked: bool = False
    failure: Issue | None = None
    load_id: int | None = None


class Run:
    """A run on its way. `tell` is given what becomes of each record."""

    def __init__(self, warehouse: Warehouse, plan: Plan, tell: Callable[[Told], None]) -> None:
        self._warehouse = warehouse
        self._plan = plan
        self._tell = tell
        self._state = state_of(warehouse)
        self._rejected = set(self._state.rejected)
        self._rejected_now: set[str] = set()
        self._seen = KnownStudies()
        self._today = ""
        self._has_lost = False
        self._returned: set[str] = set()
        self._failed = 0

    def from_registry(self, registry: Registry, start: LoadStart) -> Outcome:
        """Follow the registry.

        Raises SinkError when the warehouse refuses, SourceError when the registry fails before anything was begun,
        and UsageError when the warehouse follows another query.
        """
        state, plan = self._state, self._plan
        if state.query not in ("", plan.query.key) and not plan.full:
            raise UsageError(
                "the warehouse follows another query of the registry; --full makes it follow this one"
            )
        if plan.full or not state.query:
            state = self._state = SyncState(plan.query.key, checked="", bulk=state.bulk)
        data = registry.version()
        since = state.since
        today = self._today = (data or start.started_at)[:10]
        is_same = data is not None and (data, __version__) == (state.data, state.version)
        due = is_due(plan.check, state.checked, today, plan.every) and not (is_same and plan.check == "auto")
        if is_same and not due:
            return Outcome(since, data, skipped=True)
        self._warehouse.begin(start)
        with tempfile.TemporaryDirectory(prefix="trialconv-") as folder:
            self._settled = SettledStudies(Path(folder) / "settled", self._stored(), plan.rules)
            failure = self._follow(Pages(registry, Path(folder), plan.page_size, self._refused), since)
            if failure is None and due:
                failure = self._check(registry, Path(folder), is_listed=since is None)
        if failure is None:
            state.data, state.version = data or "", __version__
            if self._has_lost:
                state.data = ""
            if due:
                state.checked = today
        return Outcome(since, data, False, due and failure is None, failure, self._finish())

    def from_bulk(self, source: str, start: LoadStart) -> Outcome:
        """Load a bulk file, unless it is the one that was loaded last.

        With the check `always` it is taken as complete. Raises SinkError when the warehouse refuses.
        """
        self._today = start.started_at[:10]
        mark = _hash_of(source)
        due = self._plan.check == "always"
        if mark and mark == self._state.bulk and not due and not self._plan.full:
            return Outcome(None, None, skipped=True)
        self._warehouse.begin(start)
        names: set[str] = set()

        def tell(loaded: Loaded) -> None:
            self._loaded(loaded)
            if nct_number(loaded.outcome.nct_id) != loaded.outcome.nct_id:
                names.add(loaded.outcome.nct_id)

        plan = self._plan
        with tempfile.TemporaryDirectory(prefix="trialconv-") as folder:
            load_units(
                self._warehouse,
                plan.reading.units([source], BATCH, Path(folder)),
                plan.how,
                settled=SettledStudies(Path(folder) / "settled", self._stored(), plan.rules),
                rules=plan.rules,
                reading=plan.reading,
                workers=plan.workers,
                tell=tell,
            )
        failure = None
        if due:
            failure = self._compare_with(source, names)
        if failure is None:
            self._state.bulk = mark
        return Outcome(None, None, False, due and failure is None, failure, self._finish())

    # -- the steps -------------------------------------------------------------------------------------------

    def _follow(self, found: Pages, since: str | None) -> Issue | None:
        """Load what changed, and try again what was rejected. Returns why the registry failed, if it did."""
        self._load(found.of_query(self._plan.query._replace(since=since)), found)
        if found.failure is not None:
            return found.failure
        self._reached(found.day)
        again = sorted(self._rejected - self._rejected_now)
        there: set[str] = set()
        self._load(found.of_ids(again, there), found)
        if found.failure is None:
            # What the registry has no more cannot be tried again.
            self._rejected -= set(again) - there
        return found.failure

    def _load(self, units: Iterator[Unit], found: Pages) -> None:
        def written(unit: Unit) -> None:
            self._reached(found.day_after(unit) or "")
            self._keep()

        plan = self._plan
        first = list(islice(units, 2))
        load_units(
            self._warehouse,
            chain(first, units),
            plan.how,
            settled=self._settled,
            rules=plan.rules,
            reading=plan.reading,
            # One unit is through before worker processes have started.
            workers=plan.workers if first[1:] else 0,
            tell=self._loaded,
            written=written,
        )

    def _reached(self, day: str) -> None:
        """Note a day up to which everything is there, unless something is not that nobody knows of.

        A day to come is a mistake of a record, and would hide all changes until then.
        """
        if not self._has_lost:
            self._state.day = max(self._state.day, min(day, self._today))

    def _check(self, registry: Registry, folder: Path, *, is_listed: bool) -> Issue | None:
        """Compare all ids, fetch what is not there, mark what vanished. Returns why that failed, if it did.

        When everything was asked for (`is_listed`), it has been listed already.
        """
        try:
            listed = [] if is_listed else listed_ids(registry, self._plan.query)
        except SourceError as error:
            return error.issue
        found = compared(self._warehouse, listed, self._seen)
        if not self._plan.query.parameters and (failure := self._doubted(len(found.unlisted), found.stored)):
            return failure
        pages = Pages(registry, folder, self._plan.page_size, self._refused)
        there: set[str] = set()
        wanted = [nct_id for nct_id in (*found.unstored, *found.returned) if nct_id not in self._rejected]
        self._load(pages.of_ids([*wanted, *found.unlisted], there), pages)
        if pages.failure is not None:
            return pages.failure
        gone = [nct_id for nct_id in found.unlisted if nct_id not in there]
        return self._mark(gone, found.stored)

    def _compare_with(self, source: str, unreadable: set[str]) -> Issue | None:
        """Mark what a complete bulk file lacks. From then on the registry is followed from its last day on."""
        if unreadable:
            message = f"{len(unreadable):,} of its parts could not be read, so that it does not tell what is gone"
            return issue("incomplete-listing", message, record=source)
        found = compared(self._warehouse, (), self._seen)
        failure = self._mark(found.unlisted, found.stored)
        if failure is None and self._state.query in ("", self._plan.query.key):
            self._state.query = self._plan.query.key
            self._state.checked = self._today
            self._reached(found.day)
        return failure

    def _doubted(self, gone: int, stored: int) -> Issue | None:
        """Return an Issue where so many studies are not believed to be gone."""
        if self._plan.check == "always" or is_plausible(gone, stored):
            return None
        message = f"the list of ids lacks {gone:,} of the {stored:,} studies that are there"
        return issue("implausible-listing", message)

    def _mark(self, gone: list[str], stored: int) -> Issue | None:
        if failure := self._doubted(len(gone), stored):
            return failure
        for begin in range(0, len(gone), BATCH):
            part = gone[begin : begin + BATCH]
            self._keep()
            self._warehouse.mark(part, "vanished", self._today)
            for nct_id in part:
                found = issue("vanished-record", f"not in the registry on {self._today}", record=nct_id)
                self._tell(Told(nct_id, "vanished", [found]))
        return None

    # -- the account -----------------------------------------------------------------------------------------

    def _stored(self) -> Iterator[StoredVersion]:
        """Yield what is there, and remember which studies are marked as vanished, to tell which of them return."""
        for version in self._warehouse.stored_versions():
            if version.registry_state == "vanished":
                self._returned.add(version.nct_id)
            yield version

    def _loaded(self, loaded: Loaded) -> None:
        outcome, fate = loaded
        if nct_number(outcome.nct_id) == outcome.nct_id:
            self._seen.add(outcome.nct_id)
        if outcome.refusal is not None:
            self._refused(outcome.refusal)
            return
        found = outcome.issues + outcome.findings
        if fate == "invalid":
            self._reject(outcome.nct_id, "invalid", found)
            return
        self._rejected.discard(outcome.nct_id)
        what: str = fate or "unreadable"
        if what == "changed" and outcome.nct_id in self._returned:
            self._returned.discard(outcome.nct_id)
            what = "returned"
        self._tell(Told(outcome.nct_id, what, found))

    def _refused(self, found: Issue) -> None:
        self._has_lost = self._has_lost or found.code == "worker-died"
        self._reject(found.record, "unreadable", [found])

    def _reject(self, name: str, what: str, found: Sequence[Issue]) -> None:
        self._failed += 1
        if nct_number(name) == name:
            self._rejected.add(name)
            self._rejected_now.add(name)
        self._tell(Told(name, what, found))

    def _keep(self) -> None:
        self._state.rejected = sorted(self._rejected)
        self._state.keep_in(self._warehouse)

    def _finish(self) -> int | None:
        self._keep()
        return self._warehouse.finish(self._failed)


def _hash_of(source: str) -> str:
    """Return a hash of a file, which tells it from other files; nothing for what is no file."""
    digest = hashlib.sha256()
    with suppress(OSError):
        if Path(source).is_file():
            with Path(source).open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    digest.update(chunk)
            return digest.hexdigest()
    return ""
