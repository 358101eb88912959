"""The inverse of a trace: where each value of a record went, or why it went nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trialconv.issues import CATALOGUE, Issue
from trialconv.lineage.records import TracedRecord, has_results, source_leaves
from trialconv.lineage.values import bare
from trialconv.tracing.model import Leaf, SourceLeaf, path_matcher, paths_to, without_positions
from trialconv_mappings.fields import CARRIED_EXTRAS, field_row

_RESULTS: Final = "resultsSection"


def ways(record: TracedRecord, target: str, leaves: tuple[Leaf, ...], issues: Sequence[Issue]) -> list[SourceLeaf]:
    """Return every leaf of a record with where it went; `issues` are those of its mapping.

    Why a value went nowhere, the mapping's Issue about it tells, or else the target's field table.
    """
    went = paths_to(leaves)
    told = _Told(issues)
    found = []
    for path, value in source_leaves(record):
        targets = tuple(went.get(path, ()))
        reason = "" if targets else told.reason(path) or _of_table(target, path)
        found.append(SourceLeaf(path, _plain(value), targets, reason))
    if has_results(record.study):
        found.append(SourceLeaf(_RESULTS, None, (), _of_table(target, _RESULTS)))
    return found


def _plain(value: object) -> str | int | float | bool:
    """Return a traced value as the one it stands for."""
    if isinstance(value, str):
        return bare(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return bool(value) if type(value).__name__ == "Truth" else int(value)
    raise TypeError(type(value))


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
