"""Two records, field by field, in the order of the registry's data structure.

The records are compared as the trees of their JSON. Nothing is compared of `versionHolder`, the day of the
download. Groups of results are numbered by the registry anew for each version; they are matched by their titles,
and what refers to them follows.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from trialconv.differences import criteria, texts
from trialconv.differences.formats import Limits
from trialconv.differences.lists import key_functions, listed
from trialconv.differences.matching import Matching, match
from trialconv.differences.model import INSIDE, Change, Kind
from trialconv.differences.words import in_words, label_of, shortened, title_of
from trialconv.lineage import plain
from trialconv.record import Record, Study
from trialconv.record.base import RegistryStruct
from trialconv.record.decode import FieldShape, struct_fields
from trialconv.record.results import ResultsSection

_CRITERIA: Final = "protocolSection.eligibilityModule.eligibilityCriteria"
_DOWNLOADED: Final = "derivedSection.miscInfoModule.versionHolder"
#: Texts from this length on are compared word by word.
_LONG: Final = 40

_Tree = dict[str, Any]


def tree_of(record: Record) -> _Tree:
    """Return a record as the tree of its JSON, what its results hold checked as the rest is."""
    tree: _Tree = msgspec.json.decode(record.to_json())
    if "resultsSection" in tree:
        tree["resultsSection"] = msgspec.to_builtins(record.results)
    return tree


def compare_records(before: Record, after: Record, limits: Limits) -> list[Change]:
    """Return what changed between two versions of a record."""
    comparison = _Comparison(limits)
    comparison.struct(Study, tree_of(before), tree_of(after), _Place())
    if before.source.reader == after.source.reader:
        _compare_extras(before.extras, after.extras, comparison.changes)
    return comparison.changes


def _compare_extras(before: _Tree, after: _Tree, changes: list[Change]) -> None:
    """Compare what the sources say and the registry's structure has no place for."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old != new:
            path = f"extras.{name}"
            kind: Kind = "added" if old is None else "removed" if new is None else "changed"
            one, other = ("" if value is None else shortened(str(value)) for value in (old, new))
            note = "said by the source outside of the registry's data structure"
            changes.append(Change(kind, path, name, "", path, path, old, new, one, other, note=note))


class _Place(msgspec.Struct, frozen=True):
    """Where a comparison stands: the field's path, the places in both versions, the items of lists on the way."""

    path: str = ""
    before: str = ""
    after: str = ""
    items: tuple[str, ...] = ()

    def field(self, key: str, *, is_list: bool = False) -> _Place:
        """Return the place of a field of the object here."""
        return _Place(
            _joined(self.path, key + "[]" * is_list),
            _joined(self.before, key),
            _joined(self.after, key),
            self.items,
        )

    def item(self, i: int | None, j: int | None, title: str) -> _Place:
        """Return the place of an item of the list here; None for a version that does not have it."""
        before = f"{self.before}[{i}]" if i is not None else ""
        after = f"{self.after}[{j}]" if j is not None else ""
        return _Place(self.path, before, after, (*self.items, title) if title else self.items)


def _joined(above: str, key: str) -> str:
    return f"{above}.{key}" if above else key


class _Comparison:
    """One comparison: the changes so far, and the titles of the groups of results that are in sight."""

    def __init__(self, limits: Limits) -> None:
        self.changes: list[Change] = []
        self._limits = limits
        self._groups: dict[str, str] = {}

    def struct(self, kind: type[RegistryStruct], before: _Tree, after: _Tree, place: _Place) -> None:
        """Compare two objects of the registry."""
        outer = self._groups
        for name in ("groups", "eventGroups"):
            if name in struct_fields(kind):
                after, self._groups = _with_same_groups(name, before, after, place)
        for key, field in struct_fields(kind).items():
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            below = place.field(key, is_list=field.is_list)
            if below.path != _DOWNLOADED and not self._limits.absent(below.path, old, new):
                self._field(field, old, new, below)
        self._groups = outer

    def _field(self, field: FieldShape, old: Any, new: Any, place: _Place) -> None:
        inner = ResultsSection if field.is_raw else field.struct
        if inner is None and not field.is_list:
            self._value(old, new, place)
        elif inner is None:
            self._values(old or [], new or [], place)
        elif field.is_list:
            self._objects(inner, old or [], new or [], place)
        else:
            self.struct(inner, old or {}, new or {}, place)

    def _value(self, old: Any, new: Any, place: _Place) -> None:
        if self._limits.same(place.path, old, new):
            return
        if old is None or new is None:
            self._add("added" if old is None else "removed", place, old, new)
        elif place.path == _CRITERIA:
            parts, note = criteria.compare(old, new)
            self._add("changed", place, old, new, parts=parts, note=note)
        elif isinstance(old, str) and isinstance(new, str):
            note = "only white space differs" if old.split() == new.split() else ""
            long = not note and max(len(old), len(new)) >= _LONG
            found = texts.pieces(plain(old), plain(new)) if long else []
            self._add("changed", place, old, new, words=found, note=note)
        else:
            self._add("changed", place, old, new)

    def _values(self, old: list[Any], new: list[Any], place: _Place) -> None:
        """Compare two lists of plain values: each value is there or is not."""
        found = match(old, new, [_fold], similar=False)
        for i, j in found.pairs:
            if old[i] != new[j] and not self._limits.same(place.path, old[i], new[j]):
                self._add("changed", place.item(i, j, ""), old[i], new[j])
        for i in found.removed:
            if not self._limits.absent(place.path, old[i], None):
                self._add("removed", place.item(i, None, ""), old[i], None)
        for j in found.added:
            if not self._limits.absent(place.path, None, new[j]):
                self._add("added", place.item(None, j, ""), None, new[j])
        self._order(found, [in_words(value, place.path) for value in old], place)

    def _objects(self, kind: type[RegistryStruct], old: list[_Tree], new: list[_Tree], place: _Place) -> None:
        """Compare two lists of objects."""
        how = listed(place.path)
        found = match(old, new, key_functions(how), similar=how.similar)
        titles = [title_of(item, place.path, self._groups) for item in old]
        partner = dict(found.pairs)
        for i, item in enumerate(old):
            if i not in partner:
                if not self._limits.absent(place.path, item, None):
                    self._add("removed", place.item(i, None, titles[i]), item, None)
            elif item != new[partner[i]]:
                j = partner[i]
                self.struct(
                    kind, item, new[j], place.item(i, j, titles[i] and f"{label_of(place.path)} “{titles[i]}”")
                )
        for j in found.added:
            if self._limits.absent(place.path, None, new[j]):
                continue
            self._add("added", place.item(None, j, title_of(new[j], place.path, self._groups)), None, new[j])
        self._order(found, titles, place)

    def _order(self, found: Matching, titles: list[str], place: _Place) -> None:
        """Note that items of a list, which are in both versions, stand in another order."""
        if not found.moved or self._limits.order_is_lost(place.path):
            return
        old = {i: place for place, (i, _) in enumerate(found.pairs, 1)}
        new = {j: place for place, (_, j) in enumerate(sorted(found.pairs, key=lambda pair: pair[1]), 1)}
        moves = [f"{titles[i]} ({old[i]} to {new[j]})" for i, j in found.moved]
        shown = "; ".join(moves[:5]) + (f"; and {len(moves) - 5} more" if len(moves) > 5 else "")
        alike = "the same items" if not found.removed and not found.added else "the items of both versions"
        note = f"{alike} in another order; moved: {shown}"
        self._add("reordered", place, None, None, note=note)

    def _add(self, kind: Kind, place: _Place, old: Any, new: Any, **more: Any) -> None:
        self.changes.append(
            Change(
                kind,
                place.path,
                label_of(place.path),
                INSIDE.join(place.items),
                place.before if kind != "added" else "",
                place.after if kind != "removed" else "",
                old,
                new,
                in_words(old, place.path),
                in_words(new, place.path),
                **more,
            )
        )


def _fold(value: Any) -> Any:
    return " ".join(value.lower().split()) if isinstance(value, str) else value


def _with_same_groups(name: str, before: _Tree, after: _Tree, place: _Place) -> tuple[_Tree, dict[str, str]]:
    """Return the newer object with the ids of groups as the older one has them, and the titles of all groups.

    A group that only the newer one has keeps its id, unless the older one has that id for another group.
    """
    old, new = before.get(name) or [], after.get(name) or []
    path = place.field(name, is_list=True).path
    ids: dict[str, str] = {}
    taken = {group.get("id") for group in old}
    how = listed(path)._replace(keys=(("title", "description"), ("title",), ("id",)))
    found = match(old, new, key_functions(how), similar=False)
    for i, j in found.pairs:
        if old[i].get("id") and new[j].get("id"):
            ids[new[j]["id"]] = old[i]["id"]
    for j in found.added:
        own = fresh = new[j].get("id")
        while fresh and fresh in taken:
            fresh += "'"
        if own:
            ids[own] = fresh
            taken.add(fresh)
    titles = {group["id"]: group.get("title", group["id"]) for group in old if group.get("id")}
    made = after if all(own == other for own, other in ids.items()) else _renamed(after, ids)
    for group in made.get(name) or []:
        titles.setdefault(group.get("id", ""), group.get("title", ""))
    return made, titles


def _renamed(value: Any, ids: dict[str, str], key: str = "") -> Any:
    """Return a tree with other ids of groups."""
    if isinstance(value, dict):
        return {name: _renamed(item, ids, name) for name, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, ids, key) for item in value]
    return ids.get(value, value) if key in ("id", "groupId", "groupIds") else value
