"""`trialconv.diff`: two versions of one thing."""

from __future__ import annotations

from typing import Any

from trialconv.differences.formats import Limits
from trialconv.differences.model import Difference, Side
from trialconv.differences.records import compare_records
from trialconv.issues import UsageError
from trialconv.record import Record


def diff(before: Record | dict[str, Any], after: Record | dict[str, Any]) -> Difference:
    """Return what changed between two versions of a record, or between two FHIR Bundles.

    Both are records (of any formats, also of different ones), or both are Bundles as `convert` returns them. The
    day of the download is no change. Of records in different formats only what both formats can hold is compared;
    the rest is listed in `not_compared`. Raises UsageError for records of different trials, and for a record with
    a Bundle.
    """
    if isinstance(before, Record) and isinstance(after, Record):
        return _of_records(before, after)
    if isinstance(before, dict) and isinstance(after, dict):
        from trialconv.differences.documents import diff_bundles

        return diff_bundles(before, after)
    raise UsageError("a record and a document cannot be compared; give two records, or two FHIR Bundles")


def _of_records(before: Record, after: Record) -> Difference:
    if before.nct_id != after.nct_id:
        raise different_trials(before, after)
    limits = Limits(before.source.reader, after.source.reader)
    changes = compare_records(before, after, limits)
    return Difference(before.nct_id, side_of(before), side_of(after), changes, limits.skipped())


def different_trials(before: Record, after: Record) -> UsageError:
    """Return the exception that refuses to compare two trials."""
    message = (
        f"{before.source} is {before.nct_id} and {after.source} is {after.nct_id}: these are different trials, "
        "and diff compares two versions of one"
    )
    for one, other in ((before, after), (after, before)):
        if one.nct_id in other.study.protocol_section.identification_module.nct_id_aliases:
            message += f"; {one.nct_id} is an obsolete number of {other.nct_id}"
    return UsageError(message)


def side_of(record: Record) -> Side:
    """Return where a record came from and which version it is."""
    ids = record.study.protocol_section.identification_module
    title = ids.brief_title or ids.official_title or record.extras.get("title") or ""
    version = record.version
    return Side(str(record.source), record.source.reader, title, version.date, version.content_hash)
