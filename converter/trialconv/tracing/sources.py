"""The inverse of a trace: where each value of a record went, or why it went nowhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from trialconv.issues import CATALOGUE, Issue
from trialconv.lineage.records import TracedRecord, has_results
from trialconv.tracing.model import Leaf, SourceLeaf, Subject, elements_by_source, path_matcher, without_positions
from trialconv_mappings.fields import field_row

_RESULTS: Final = "resultsSection"


def ways(
    record: TracedRecord, subject: Subject, leaves: tuple[Leaf, ...], issues: Sequence[Issue]
) -> list[SourceLeaf]:
    """Return every leaf of a record with where it went; `issues` are those of its mapping.

    Why a value went nowhere, the target's field table tells, or else the mapping's Issue about it.
    """
    went = elements_by_source(leaves)
    reasons = _Reasons(subject.target, issues)
    found = []
    for path, value in record.leaves:
        elements = tuple(went.get(path, ()))
        found.append(SourceLeaf(*subject, path, value, elements, "" if elements else reasons.of(path)))
    if has_results(record.study):
        found.append(SourceLeaf(*subject, _RESULTS, None, (), reasons.of(_RESULTS)))
    return found


class _Reasons:
    """Why values are not in a document: what the target's field table says, and the Issues of the mapping."""

    def __init__(self, target: str, issues: Sequence[Issue]) -> None:
        self._target = target
        about = (each for each in issues if CATALOGUE[each.code].left_out and each.source_path)
        told = dict.fromkeys((each.source_path, each.message) for each in about)
        self._told = [(path_matcher(path), message) for path, message in told]

    def of(self, path: str) -> str:
        """Return why the value at a path is not there."""
        row = field_row(self._target, without_positions(path))
        if row is not None and not row.home:
            return row.reason
        for holds, message in self._told:
            if holds(path):
                return message
        home = row.home if row is not None else "the parameters of the document"
        return f"nothing in this document is made of it; such values go to {home}"
