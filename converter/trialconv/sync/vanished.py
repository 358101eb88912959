"""Which records the registry has no more: found by comparing all of its ids with those that are there.

A question for what has changed cannot see them. Nothing is deleted; a study is marked, and the mark goes when the
record comes back.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection
from datetime import date
from typing import Final, Literal, NamedTuple

from trialconv.issues import SourceError, issue
from trialconv.registry.client import Registry
from trialconv.registry.listing import Query, pages
from trialconv.sinks.known import KnownStudies
from trialconv.sinks.warehouse import Warehouse

Check = Literal["auto", "always", "never"]
#: More studies than these, and a larger share of all, are not believed to have vanished at once.
_MOST: Final = 10
_LARGEST_SHARE: Final = 0.1


class Comparison(NamedTuple):
    """Stored ids that are not listed, listed ones that are not stored, listed ones that are marked as vanished.

    `stored` is the number of all studies that are there, `day` that of the last update of a listed one.
    """

    unlisted: list[str]
    unstored: list[str]
    returned: list[str]
    stored: int
    day: str


def is_due(check: Check, last: str, today: str, every: int) -> bool:
    """Tell whether the ids are to be compared today, having last been compared on some day."""
    if check != "auto":
        return check == "always"
    try:
        return (date.fromisoformat(today) - date.fromisoformat(last)).days >= every
    except ValueError:
        return True


def listed_ids(registry: Registry, query: Query) -> list[str]:
    """Return the ids of all records of a query. Raises SourceError, also when there are fewer than announced."""
    numbers = array("I")
    total = None
    wanted = query._replace(since=None, fields="NCTId,LastUpdatePostDate")
    for page, position in pages(registry, wanted):
        numbers.extend(int(study.nct_id.removeprefix("NCT")) for study in page.studies)
        total = position.total
        if page.refused:
            raise SourceError(page.refused[0])
    found = sorted(set(numbers))
    if total is not None and len(found) < total:
        message = f"the registry counts {total:,} records and lists {len(found):,}; nothing is marked"
        raise SourceError(issue("incomplete-listing", message, record="studies", source_path=registry.url))
    return [f"NCT{number:08}" for number in found]


def compared(warehouse: Warehouse, listed: Collection[str], seen: KnownStudies) -> Comparison:
    """Compare listed ids with the studies that are there.

    Those that were `seen` in this run count as listed, and are on their way into the warehouse if they are not
    there yet.
    """
    there, known = KnownStudies(), KnownStudies()
    for nct_id in listed:
        there.add(nct_id)
    unlisted, returned, stored, day = [], [], 0, ""
    for version in warehouse.stored_versions():
        stored += 1
        known.add(version.nct_id)
        is_marked = version.registry_state == "vanished"
        if version.nct_id not in there and version.nct_id not in seen:
            if not is_marked:
                unlisted.append(version.nct_id)
            continue
        day = max(day, version.date or "")
        if is_marked:
            returned.append(version.nct_id)
    unstored = [nct_id for nct_id in listed if nct_id not in known and nct_id not in seen]
    return Comparison(unlisted, unstored, returned, stored, day)


def is_plausible(vanished: int, stored: int) -> bool:
    """Tell whether so many studies may have vanished at once, and it is not rather the listing that is wrong."""
    return vanished <= _MOST or vanished <= stored * _LARGEST_SHARE
