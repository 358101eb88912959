"""Long answers of the registry, page by page, so that a reader can stop anywhere and go on later.

Records come in the order of their last update. So nothing is missed when records change meanwhile: a changed one
comes once more, at the end. And a page token that is no longer known costs little: the listing goes on from the
day that was reached, and whoever takes the records passes over those that are there.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

import msgspec

from trialconv.http_client import TooLargeError
from trialconv.issues import SourceError, UsageError, issue
from trialconv.registry.client import LARGEST_PAGE, NO_VALIDATORS, Page, RefusedCallError, Registry, Validators

_PARAMETER: Final = re.compile(r"(?:query|filter|postFilter)\.[A-Za-z]+|aggFilters|geoDecay", re.ASCII)
_ONLY_IDS: Final = re.compile(r"(?:NCT\d+[\s,]*)+", re.ASCII | re.IGNORECASE)
_ADVANCED: Final = "filter.advanced"


class Query(NamedTuple):
    """What to ask for: parameters of the API by name, and the first day of the last update."""

    parameters: Mapping[str, str]
    since: str | None = None
    fields: str | None = None

    def sent(self, first_day: str, size: int) -> dict[str, str]:
        """Return the parameters of a call for a page, from the later one of `since` and `first_day` on."""
        sent = dict(self.parameters)
        if first := max(self.since or "", first_day):
            updated = f"AREA[LastUpdatePostDate]RANGE[{first},MAX]"
            others = sent.get(_ADVANCED)
            sent[_ADVANCED] = f"({others}) AND {updated}" if others else updated
        if self.fields:
            sent["fields"] = self.fields
        return {**sent, "sort": "LastUpdatePostDate:asc", "pageSize": str(size)}

    @property
    def key(self) -> str:
        """A name for the query: equal for equal queries."""
        return hashlib.sha256(msgspec.json.encode(tuple(self), order="sorted")).hexdigest()


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a listing is.

    `token` is that of the next page, of a listing that began with `first_day`; `day` is the last one that was
    reached; `pages` are those so far, and `total` the records that the registry counted at the beginning.
    """

    token: str | None = None
    first_day: str = ""
    day: str = ""
    pages: int = 0
    total: int | None = None
    done: bool = False

    def after(self, page: Page) -> Position:
        """Return the position after a page."""
        return Position(
            page.next_token,
            self.first_day,
            max([self.day, *(study.updated for study in page.studies)]),
            self.pages + 1,
            page.total if self.total is None else self.total,
            page.next_token is None,
        )

    def anew(self) -> Position:
        """Return the position from which a listing goes on by the day that it has reached, without a token."""
        return msgspec.structs.replace(self, token=None, first_day=self.day)


def checked_query(parameters: Mapping[str, str], since: str | None) -> Query:
    """Return a query. Raises UsageError for a parameter that is not one to pass on, and for a day that is none."""
    for name, value in parameters.items():
        if not _PARAMETER.fullmatch(name):
            raise UsageError(f"{name!r} is no parameter to pass on; those of query., filter. and postFilter. are")
        if not value.strip():
            raise UsageError(f"the parameter {name} is empty")
        if since and name.startswith("query.") and _ONLY_IDS.fullmatch(value.strip()):
            raise UsageError(
                f"{name} has only ids, with which the registry ignores --since; give them as arguments"
            )
    if since is not None:
        try:
            since = date.fromisoformat(since).isoformat()
        except ValueError:
            raise UsageError(f"{since!r} is no day such as 2026-01-31") from None
    return Query(dict(parameters), since)


def pages(
    registry: Registry,
    query: Query,
    start: Position | None = None,
    *,
    size: int = LARGEST_PAGE,
    known: Validators = NO_VALIDATORS,
) -> Iterator[tuple[Page, Position]]:
    """Yield the pages of a query from a position on, each with the position after it.

    Nothing is yielded for a first page that still is the one that is `known`. Raises SourceError as Registry does.
    """
    position = start or Position()
    begun_anew: set[str] = set()
    while not position.done:
        try:
            page = registry.page(
                query.sent(position.first_day, size), position.token, NO_VALIDATORS if position.pages else known
            )
        except TooLargeError as error:
            if size == 1:
                raise SourceError(issue("record-too-large", str(error), record="studies")) from None
            size = (size + 1) // 2
            continue
        except RefusedCallError:
            if position.token is None or position.day in begun_anew:
                raise
            begun_anew.add(position.day)
            position = position.anew()
            continue
        if page is None:
            return
        if page.next_token is not None and page.next_token == position.token:
            message = "the registry gives the token of a page again as that of the page after it"
            raise SourceError(issue("registry-failed", message, record="studies", source_path=registry.url))
        position = position.after(page)
        yield page, position
