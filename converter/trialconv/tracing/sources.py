"""The inverse of a trace: where each value of a record went, or why it went nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trialconv.issues import CATALOGUE, Issue
from trialconv.lineage.records import TracedRecord, has_results
from trialconv.tracing.model import Leaf, SourceLeaf, Subject, elements_by_source, path_matcher, without_positions
from trialconv_mappings.fields import CARRIED_EXTRAS, field_row

_RESULTS: Final = "resultsSection"


def ways(
    record: TracedRecord, subject: Subject, leaves: tuple[Leaf, ...], issues: Sequence[Issue]
) -> list[SourceLeaf]:
    """Return every leaf of a record with where it went; `issues` are those of its mapping.

    Why a value went nowhere, the mapping's Issue about it tells, or else the target's field table.
    """
    went = elements_by_source(leaves)
    told = _Told(issues)
    found = []
    for path, value in record.leaves:
        elements = tuple(went.get(path, ()))
        reason = "" if elements else told.reason(path) or _of_table(subject.target, path)
        found.append(SourceLeaf(*subject, path, value, elements, reason))
    if has_results(record.study):
        found.append(SourceLeaf(*subject, _RESULTS, None, (), _of_table(subject.target, _RESULTS)))
    return found


class _Told:
    """What the Issues of a mapping say of values that are not in the document."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        told = dict.fromkeys(
            (each.source_path, each.message)
            for each in issues
            if CATALOGUE[each.code].left_out and each.source_path
        )
        self._told = [(path_matcher(path), message) for path, message in told]

    def reason(self, path: str) -> str:
        """Return what the first Issue says that is about a value."""
        return next((message for holds, message in self._told if holds(path)), "")


def _of_table(target: str, path: str) -> str:
    if path.startswith("extras."):
        carried = CARRIED_EXTRAS[target]
        if carried is not None and path.split(".")[1].partition("[")[0] not in carried:
            return "the source says it beside the registry's own fields"
        return ""
    row = field_row(target, without_positions(path))
    if row is None or not row.home:
        return row.reason if row is not None else ""
    return f"nothing in this document is made of it; such values go to {row.home}"
