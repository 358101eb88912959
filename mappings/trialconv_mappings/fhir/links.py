"""The references inside resources: which there are, and the same resource with others in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from trialconv.lineage import derived


def pointers(value: Any) -> Iterator[str]:
    """Yield what a part of a resource refers to, as it is written: by references, in actions by URLs."""
    if isinstance(value, list):
        for item in value:
            yield from pointers(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in ("reference", "definitionCanonical") and isinstance(item, str):
                yield item
            elif isinstance(item, dict | list):
                yield from pointers(item)


def relinked(value: Any, targets: Mapping[str, str]) -> Any:
    """Return a part of a resource with the references replaced that `targets` names.

    The part itself is not changed, and what holds no such reference is returned as it is: documents share equal
    parts.
    """
    if isinstance(value, list):
        items = [relinked(item, targets) if isinstance(item, dict | list) else item for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if not isinstance(value, dict):
        return value
    made = {}
    changed = False
    for key, item in value.items():
        new = item
        if isinstance(item, dict | list):
            new = relinked(item, targets)
        elif key == "reference":
            new = derived(targets[item], item) if item in targets else item
        changed = changed or new is not item
        made[key] = new
    return made if changed else value
