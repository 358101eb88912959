"""Fetching: the records of some ids, or of a query, into a store, so that an interrupted fetch can go on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import msgspec

from trialconv.issues import Issue, SourceError, issue
from trialconv.registry.client import LARGEST_PAGE, Listed, Page, Registry, Validators
from trialconv.registry.listing import Position, Query, pages
from trialconv.registry.memory import Memory

#: The most ids in one call: a longer address is more than some proxies let through.
BATCH: Final = 200


class Store(Protocol):
    """Where records go, with how to go on after them."""

    progress: bytes | None

    def add(self, records: Iterable[tuple[str, bytes]], progress: bytes) -> int:
        """Add records, each with its id, and return how many of them were new or newer."""


class _Progress(msgspec.Struct, omit_defaults=True):
    """How far a fetch is: of a query the position, of ids the number of batches and those that are not there."""

    position: Position = Position()
    batches: int = 0
    missing: list[str] = []
    unchanged: int = 0


class Outcome(msgspec.Struct):
    """What a fetch came to, all its calls together: ids that are not there, and records that are as they were."""

    missing: list[str]
    unchanged: int


def query_key(registry: Registry, query: Query) -> str:
    """Return a name for the task of fetching a query: equal for equal ones."""
    return _digest(registry.url, query.key)


def ids_key(registry: Registry, ids: Iterable[str]) -> str:
    """Return a name for the task of fetching ids: equal for equal ones."""
    return _digest(registry.url, *ids)


def fetch_query(
    registry: Registry,
    query: Query,
    store: Store,
    *,
    size: int = LARGEST_PAGE,
    on_issue: Callable[[Issue], None],
    on_page: Callable[[int, int | None], None],
) -> Outcome:
    """Fetch the records of a query, from where the store was left.

    `on_page` is told after each page how many records are new and how many there will be in all. Raises
    SourceError when the registry fails; the store then has the pages so far.
    """
    start = _begun(store)
    for page, position in pages(registry, query, start.position, size=size):
        for found in page.refused:
            on_issue(found)
        on_page(store.add(_named(page.studies), msgspec.json.encode(_Progress(position))), position.total)
    return Outcome([], 0)


def fetch_ids(
    registry: Registry,
    ids: list[str],
    store: Store,
    *,
    memory: Memory | None = None,
    on_issue: Callable[[Issue], None],
    on_page: Callable[[int, int | None], None],
) -> Outcome:
    """Fetch the records of ids, each given once, from where the store was left; several in a call.

    `memory` knows answers of earlier fetches, which are not sent again while they stay the same. Otherwise as
    `fetch_query`.
    """
    done = _begun(store)
    batches = [ids[begin : begin + BATCH] for begin in range(0, len(ids), BATCH)]
    for batch in batches[done.batches :]:
        known = memory.validators(registry.url, batch) if memory else Validators()
        answer = _of_batch(registry, batch, known)
        done.batches += 1
        studies: list[Listed] = []
        if answer is None:
            done.unchanged += len(batch)
        else:
            studies, validators, refused = answer
            for found in refused:
                on_issue(found)
            missing = _missing(batch, studies, on_issue)
            done.missing += missing
            if memory:
                # An answer that is not sent again would not tell what is missing.
                memory.keep(registry.url, batch, Validators() if missing else validators, _named(studies))
        on_page(store.add(_named(studies), msgspec.json.encode(done)), len(ids))
    return Outcome(done.missing, done.unchanged)


def _of_batch(
    registry: Registry, batch: list[str], known: Validators
) -> tuple[list[Listed], Validators, list[Issue]] | None:
    """Return the records of some ids; None where they still are those of an answer that is known."""
    if len(batch) == 1:
        try:
            study, validators = registry.study(batch[0], known)
        except SourceError as error:
            if error.issue.code != "not-in-registry":
                raise
            return [], Validators(), []
        return None if study is None else ([study], validators, [])
    found: list[Page] = [page for page, _ in pages(registry, Query({"filter.ids": ",".join(batch)}), known=known)]
    if not found:
        return None
    studies = [study for page in found for study in page.studies]
    # An answer of several pages would have to be asked for page by page.
    validators = found[0].validators if len(found) == 1 else Validators()
    return studies, validators, [one for page in found for one in page.refused]


def _missing(batch: list[str], studies: list[Listed], on_issue: Callable[[Issue], None]) -> list[str]:
    """Return the ids of a batch that no record has, and say of which a record has another id now."""
    present = {study.nct_id for study in studies}
    older = {alias: study.nct_id for study in studies for alias in study.aliases}
    missing = []
    for nct_id in batch:
        if nct_id in present:
            continue
        if nct_id in older:
            on_issue(issue("older-id", f"the record is {older[nct_id]} now", record=nct_id))
        else:
            missing.append(nct_id)
    return missing


def _named(studies: Iterable[Listed]) -> list[tuple[str, bytes]]:
    return [(study.nct_id, study.data) for study in studies]


def _begun(store: Store) -> _Progress:
    return msgspec.json.decode(store.progress, type=_Progress) if store.progress else _Progress()


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
