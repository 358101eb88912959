"""The changes of posted results in sum: one line for each outcome measure, and for each other module.

Results have thousands of values, and a correction of one table changes many of them. Who looks at what changed
wants to know which measure it was, and for which groups; all changes are there for who asks for them.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from trialconv.differences.model import INSIDE, Change
from trialconv.differences.words import label_of

_RESULTS: Final = "resultsSection."
_OUTCOME: Final = "resultsSection.outcomeMeasuresModule.outcomeMeasures[]"


class ResultsSummary(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """The changes of an outcome measure or of a module of the results.

    `fields` names what changed in it, the commonest first. The counts are those of values or, where a whole row,
    group or measure was added or removed, of those.
    """

    path: str
    label: str
    item: str = ""
    added: int = 0
    removed: int = 0
    changed: int = 0
    reordered: int = 0
    fields: list[str] = []


def is_result(change: Change) -> bool:
    """Tell whether a change is one of the posted results."""
    return change.field.startswith(_RESULTS)


def summarised(changes: list[Change]) -> list[ResultsSummary]:
    """Return the changes of the results in sum, in the order of the results."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        if is_result(change):
            groups.setdefault(_group(change), []).append(change)
    return [_summary(path, item, found) for (path, item), found in groups.items()]


def _group(change: Change) -> tuple[str, str]:
    if change.field.startswith(_OUTCOME):
        return _OUTCOME, change.item.partition(INSIDE)[0].removeprefix(f"{label_of(_OUTCOME)} “").removesuffix("”")
    return ".".join(change.field.split(".")[:2]), ""


def _summary(path: str, item: str, changes: list[Change]) -> ResultsSummary:
    kinds = Counter(change.kind for change in changes)
    labels = Counter(change.label for change in changes)
    names = sorted(labels, key=lambda label: -labels[label])
    return ResultsSummary(
        path,
        label_of(path),
        item,
        added=kinds["added"],
        removed=kinds["removed"],
        changed=kinds["changed"],
        reordered=kinds["reordered"],
        fields=names,
    )
