"""The lineage put to the test: one value of a record is changed, and the document shows what came of it.

Mappings are pure, so that whatever differs between the two documents is due to that value. A leaf of the document that
changed has to name the value among its sources, before and after; of a part that came or went, at least one leaf has
to. No leaf that is called constant may change at all.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import cache
from typing import Any, NamedTuple

from msgspec import inspect

from made_up import Tree, record, typed_leaves
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.lineage.values import WHOLE_RECORD
from trialconv.odm_tree import Node
from trialconv.pipeline import transform
from trialconv.tracing.model import Leaf, Lineage, without_positions
from trialconv.tracing.run import traced


class Change(NamedTuple):
    """One value of a study changed: its path with positions, the old and the new value, the changed study."""

    path: str
    old: Any
    new: Any
    tree: Tree


class Traced(NamedTuple):
    """A document in the order of its leaves, and its lineage."""

    shape: Any
    lineage: Lineage


def traced_document(tree: Tree, target: str, **options: Any) -> Traced:
    """Convert a study with a trace."""
    made, chosen, given = record(tree), TARGETS[target], Options(**options)
    converted = transform(made, chosen, given, check=False)
    lineage = traced(made, chosen, given, converted.document, converted.issues)
    return Traced(_Shaping(lineage).shape(converted.document), lineage)


# what is changed


@cache
def _kinds() -> dict[str, Any]:
    return dict(typed_leaves())


def source_paths(tree: Any, path: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield the path of every value of a study but its results, and the keys that lead to it."""
    if isinstance(tree, dict):
        for key, item in tree.items():
            if key != "resultsSection":
                yield from (
                    (below, [key, *keys]) for below, keys in source_paths(item, f"{path}.{key}".strip("."))
                )
    elif isinstance(tree, list):
        for number, item in enumerate(tree):
            yield from ((below, [number, *keys]) for below, keys in source_paths(item, f"{path}[{number}]"))
    elif tree is not None and tree != "":
        yield path, []


def changes(tree: Tree) -> Iterator[Change]:
    """Yield a study with each value changed in turn, words of a list of words to several others."""
    for path, keys in source_paths(tree):
        if without_positions(path) not in _kinds():
            continue
        old = _at(tree, keys)
        for new in _others(without_positions(path), old):
            changed = copy.deepcopy(tree)
            _at(changed, keys[:-1])[keys[-1]] = new
            yield Change(path, old, new, changed)


def _at(tree: Any, keys: list[Any]) -> Any:
    for key in keys:
        tree = tree[key]
    return tree


def _others(path: str, old: Any) -> list[Any]:
    kind = _kinds()[path]
    if isinstance(kind, inspect.LiteralType):
        found = [word for word in kind.values if word != old]
        return [found[0], found[-1]] if len(found) > 1 else found
    if isinstance(old, bool):
        return [not old]
    if isinstance(old, int):
        return [old + 1]
    if isinstance(old, float):
        return [old + 0.5]
    if isinstance(kind, inspect.LiteralType | inspect.BoolType):
        return []
    name = path.rpartition(".")[2]
    if path.endswith("nctId") or "nctIdAliases" in path:
        return [f"NCT{(int(old[3:]) + 1) % 10**8:08}" if re.fullmatch(r"NCT\d{8}", old) else old + " changed"]
    if re.match(r"\d{4}(-\d\d)*", old) and "ate" in name:
        return [f"{int(old[:4]) + 1}{old[4:]}" if not old[4:].startswith("-02-29") else f"{old[:-2]}28"]
    if name in ("minimumAge", "maximumAge", "targetDuration") and (number := re.match(r"\d+", old)):
        rest = old[number.end() :]
        other = " Months" if "Year" in rest else " Years"
        return [f"{int(number[0]) + 1}{rest}", number[0] + other]
    if name == "country":
        return ["Sweden" if old != "Sweden" else "Norway", "Atlantis"]
    if name == "eligibilityCriteria":
        middle = len(old) // 2
        return [old + "\n* A changed criterion", old[:middle] + "changed" + old[middle:]]
    return [f"{old}1" if name in ("pmid", "email", "url", "link", "id") else f"{old} changed"]


# what came of it


class _Shaping:
    """Makes a tree of dicts, lists and numbered leaves of a document, in the order of its trace."""

    def __init__(self, lineage: Lineage) -> None:
        self._leaves = lineage.leaves
        self._count = 0

    def shape(self, value: Any) -> Any:
        """Return a part of a document."""
        if isinstance(value, Node):
            attributes = {
                "@" + name: self.shape(text) for name, text in value.attributes.items() if name[:5] != "xmlns"
            }
            return {"<": value.name, **attributes, "children": [self.shape(child) for child in value.children]}
        if isinstance(value, dict):
            if "datasetJSONVersion" in value:
                head = {key: self.shape(item) for key, item in value.items() if key != "rows"}
                return {**head, "rows": [[self.shape(cell) for cell in row] for row in value["rows"]]}
            return {key: self.shape(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.shape(item) for item in value]
        if value is None:
            return None
        self._count += 1
        leaf = self._leaves[self._count - 1]
        assert leaf.value == value
        return (self._count - 1, value, leaf.sources == (WHOLE_RECORD,))


class Difference(NamedTuple):
    """A leaf that changed (a number in either document), or parts that came or went (several in one of them)."""

    before: list[int]
    after: list[int]
    is_change: bool = False


def differences(old: Any, new: Any) -> Iterator[Difference]:
    """Yield how two documents differ."""
    if isinstance(old, tuple) and isinstance(new, tuple):
        if (old[1], type(old[1])) != (new[1], type(new[1])):
            yield Difference([old[0]], [new[0]], is_change=True)
    elif isinstance(old, dict) and isinstance(new, dict) and old.get("<") == new.get("<"):
        for key in {**old, **new}:
            if key not in old or key not in new:
                yield _unpaired(old.get(key), new.get(key))
            elif key != "<":
                yield from differences(old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _in_lists(old, new)
    elif old is not new:
        yield _unpaired(old, new)


def _unpaired(old: Any, new: Any) -> Difference:
    return Difference(list(_numbers(old)), list(_numbers(new)))


def _in_lists(old: list[Any], new: list[Any]) -> Iterator[Difference]:
    """Yield how two lists differ. What is the same in both tells which items belong together."""
    said_before, said_after = [_said(item) for item in old], [_said(item) for item in new]
    matcher = SequenceMatcher(None, said_before, said_after, autojunk=False)
    for _, start, end, start_after, end_after in matcher.get_opcodes():
        gone, came = old[start:end], new[start_after:end_after]
        if len(gone) == len(came):
            for before, after in zip(gone, came, strict=True):
                yield from differences(before, after)
        else:
            yield from (_unpaired(item, None) for item in gone)
            yield from (_unpaired(None, item) for item in came)


def _said(shape: Any) -> str:
    if isinstance(shape, tuple):
        # Numbers by count differ where everything else is the same.
        return "#" if shape[2] else repr(shape[1])
    if isinstance(shape, dict):
        return "{" + ",".join(f"{key}:{_said(item) if key != '<' else item}" for key, item in shape.items()) + "}"
    if isinstance(shape, list):
        return "[" + ",".join(map(_said, shape)) + "]"
    return repr(shape)


def _numbers(shape: Any) -> Iterator[int]:
    if isinstance(shape, tuple):
        yield shape[0]
    elif isinstance(shape, dict):
        for key, item in shape.items():
            if key != "<":
                yield from _numbers(item)
    elif isinstance(shape, list):
        for item in shape:
            yield from _numbers(item)


class Lie(NamedTuple):
    """A leaf, or a part, of which the lineage does not tell what was found out by the change."""

    change: Change
    leaf: Leaf
    is_change: bool

    def __str__(self) -> str:
        leaf, source = self.leaf, self.change
        what = "changed" if self.is_change else "came or went"
        return (
            f"{leaf.element} = {str(leaf.value)[:60]!r} ({leaf.how} of {', '.join(leaf.sources[:3]) or 'nothing'}) {what} "
            f"with {source.path}: {str(source.old)[:40]!r} -> {str(source.new)[:40]!r}"
        )


def lies(base: Traced, change: Change, target: str, **options: Any) -> list[Lie]:
    """Return what the lineage of a study does not tell of a change."""
    after = traced_document(change.tree, target, **options)
    found: list[Lie] = []
    for difference in differences(base.shape, after.shape):
        before = [base.lineage.leaves[number] for number in difference.before]
        now = [after.lineage.leaves[number] for number in difference.after]
        if difference.is_change:
            # A value that is not there any more cannot be named; the other document names it.
            told = any(_names(leaf, change.path) or WHOLE_RECORD in leaf.sources for leaf in (*before, *now))
            told = told and not any(leaf.how == "constant" for leaf in (*before, *now))
            found += [] if told else [Lie(change, before[0], True)]
            continue
        # What is filled in is there because the record does not say something.
        parts = [part for part in (before, now) if part and not any(leaf.how == "filled-in" for leaf in part)]
        found += [
            Lie(change, part[0], False) for part in parts if not any(_names(leaf, change.path) for leaf in part)
        ]
    return found


def _names(leaf: Leaf, path: str) -> bool:
    return path in leaf.sources
