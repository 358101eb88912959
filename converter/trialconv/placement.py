"""Where the values of records stand in a target: natively, in an extension, or not at all and why.

The homes are those of the target's field table. What a mapping could not place in one record, although the field
has a home, it says with an Issue; such a value counts as not placed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from trialconv.coded import coder_of
from trialconv.issues import CATALOGUE, Issue
from trialconv.odm_tree import Node
from trialconv.record import Record, Study
from trialconv.record.leaves import Values, field_paths, values_at
from trialconv_mappings.fields import FieldRow, Standing, field_row, withheld_fields

#: Issues of a reader: what the source says and the record does not hold.
_UNREAD: Final = ("unknown-field", "unread-element", "wrong-type")
#: Those of them that name a field which nobody accounts for.
_UNKNOWN: Final = ("unknown-field", "unread-element")
#: Issues that name a value, which some targets keep all the same, as the registry's words.
_MAYBE_KEPT: Final = (
    "age-not-understood",
    "country-without-code",
    "invalid-date",
    "no-code",
    "number-out-of-range",
    "unknown-arm",
    "unknown-intervention",
)
#: Paths of unknown fields come from the source: so many are told apart, the others are counted together.
_MOST_PATHS: Final = 1000


class NotPlaced(msgspec.Struct, rename="camel", kw_only=True):
    """Why values of a field are not placed: the code of an Issue, what it said first, and how many values."""

    code: str
    reason: str
    count: int = 0


class Unread(msgspec.Struct, rename="camel", kw_only=True):
    """What did not come from the source into the record: the code of an Issue, where, what it said first."""

    code: str
    path: str
    reason: str
    count: int = 0


class Totals(msgspec.Struct, rename="camel", kw_only=True):
    """How many values there are, and where they stand.

    `values` is the sum of `native`, `extension` and `not_placed`. `coded` are those of the placed values that
    carry a code, `unaccounted` those of the others for which the field table has neither a home nor a reason.
    """

    values: int = 0
    native: int = 0
    extension: int = 0
    not_placed: int = 0
    coded: int = 0
    unaccounted: int = 0

    @property
    def native_share(self) -> float | None:
        """The share of the values that stand in a native element; None without a value."""
        return self.native / self.values if self.values else None

    @property
    def placed_share(self) -> float | None:
        """The share of the values that stand in the document; None without a value."""
        return (self.native + self.extension) / self.values if self.values else None


class FieldCoverage(Totals):
    """The totals of one field, with its homes in the target and the reasons for values that are not placed."""

    field: str
    homes: tuple[str, ...] = ()
    standing: Standing | None = None
    reasons: list[NotPlaced] = []


class Coverage(msgspec.Struct, rename="camel", kw_only=True):
    """Where the values of some records stand in one target.

    `fields` has an entry for each leaf field of the registry's OpenAPI, in its order. `failed` records could not
    be read or converted and are in no other number.
    """

    target: str
    records: int = 0
    failed: int = 0
    fields: list[FieldCoverage] = []
    unread: list[Unread] = []

    def totals(self, above: str = "") -> Totals:
        """Return the sum over the fields of a section or object (`protocolSection`), by default over all."""
        made = Totals()
        for each in self.fields:
            if not above or each.field == above or each.field.startswith(above + "."):
                for name in Totals.__struct_fields__:
                    setattr(made, name, getattr(made, name) + getattr(each, name))
        return made

    def groups(self, steps: int) -> dict[str, list[FieldCoverage]]:
        """Return the fields by the first steps of their paths: 1 for the sections, 2 for the modules.

        A field with no more steps than that is a group by itself: `hasResults`.
        """
        found: dict[str, list[FieldCoverage]] = {}
        for each in self.fields:
            found.setdefault(".".join(each.field.split(".")[:steps]), []).append(each)
        return found

    @property
    def accounted(self) -> bool:
        """Tell whether every value has a home or a reason, and the records have no unknown field."""
        unknown = any(each.code in _UNKNOWN for each in self.unread)
        return not unknown and not any(each.unaccounted for each in self.fields)


class Tally:
    """Counts for one target, record by record. It takes the same memory for any number of records."""

    def __init__(self, target: str) -> None:
        self.target = target
        self._records = self._failed = 0
        self._rows = {path: field_row(target, path) for path in field_paths()}
        self._coders = {path: coder for path, row in self._rows.items() if row and (coder := coder_of(row))}
        self._fields = {path: _empty(path, row) for path, row in self._rows.items()}
        self._reasons: dict[tuple[str, str], NotPlaced] = {}
        self._unread: dict[tuple[str, str], Unread] = {}

    def fail(self) -> None:
        """Count a record that could not be read or converted."""
        self._failed += 1

    def add(self, record: Record, values: Values, issues: list[Issue], document: Any) -> None:
        """Count the values of a record, given the Issues of its mapping (without the losses) and the document."""
        for found in record.issues:
            if found.code in _UNREAD:
                self._add_unread(found)
        left_out = self._left_out(record.study, values, issues, document)
        for path, items in values.items():
            count, row, field = len(items), self._rows[path], self._fields[path]
            field.values += count
            if row is None or not row.home:
                field.not_placed += count
                if row is None or not row.reason:
                    field.unaccounted += count
                else:
                    self._not_placed(path, "field-not-mapped", row.reason, count)
                continue
            gone = 0
            for code, (number, message) in left_out.get(path, {}).items():
                number = min(number, count - gone)
                gone += number
                self._not_placed(path, code, message, number)
            field.not_placed += gone
            if field.standing == "native":
                field.native += count - gone
            else:
                field.extension += count - gone
            coder = self._coders.get(path)
            if coder is not None:
                field.coded += min(coder(record.study, items), count - gone)
        self._records += 1

    def coverage(self) -> Coverage:
        """Return what was counted so far."""
        copied, fields = msgspec.structs.replace, []
        for path, field in self._fields.items():
            reasons = [copied(reason) for (where, _), reason in self._reasons.items() if where == path]
            fields.append(copied(field, reasons=reasons))
        return Coverage(
            target=self.target,
            records=self._records,
            failed=self._failed,
            fields=fields,
            unread=[copied(each) for each in self._unread.values()],
        )

    def _not_placed(self, path: str, code: str, message: str, count: int) -> None:
        if count:
            reason = self._reasons.get((path, code))
            if reason is None:
                reason = self._reasons[path, code] = NotPlaced(code=code, reason=message)
            reason.count += count

    def _add_unread(self, found: Issue) -> None:
        path = _without_positions(found.source_path)
        if (found.code, path) not in self._unread and len(self._unread) >= _MOST_PATHS:
            path = "(other paths)"
        entry = self._unread.get((found.code, path))
        if entry is None:
            entry = self._unread[found.code, path] = Unread(code=found.code, path=path, reason=found.message)
        entry.count += 1

    def _left_out(
        self, study: Study, values: Values, issues: list[Issue], document: Any
    ) -> dict[str, dict[str, tuple[int, str]]]:
        """Return how many values of which fields are not in this document, and what the mapping said of it."""
        found: dict[str, dict[str, tuple[int, str]]] = {}
        told: set[Issue] = set()
        texts: set[str] | None = None
        for each in issues:
            if not CATALOGUE[each.code].left_out:
                continue
            below = values_at(study, each.source_path)
            if each.code == "withheld-contact":
                numbers = {path: len(values.get(path, ())) for path in withheld_fields(self.target)}
            elif each.code in _MAYBE_KEPT:
                texts = set(_texts(document)) if texts is None else texts
                numbers = _named(each, below, texts)
            elif _is_one_of_several(each, below):
                numbers = dict.fromkeys(below, 1)
            elif each not in told:
                told.add(each)
                numbers = {path: len(items) for path, items in below.items()}
            else:
                continue
            for path, number in numbers.items():
                codes = found.setdefault(path, {})
                before, message = codes.get(each.code, (0, each.message))
                codes[each.code] = (before + number, message)
        return found


def _is_one_of_several(found: Issue, below: Values) -> bool:
    """Tell whether an Issue means one value of a list, which its message alone tells, and not the whole place."""
    return "[]" in found.source_path or _without_positions(found.source_path) + "[]" in below


def _named(found: Issue, below: Values, texts: set[str]) -> dict[str, int]:
    """Return what an Issue means that names the value: nothing, if the value stands in the document all the same.

    What else the object says which holds the value (a date's type) goes with it, if the Issue is about the object.
    """
    named = {
        path: 1
        for path, items in below.items()
        if any(repr(item) in found.message and str(item) not in texts for item in items)
    }
    if _without_positions(found.source_path) not in named:
        objects = {path.rpartition(".")[0] for path in named}
        named |= {
            path: 1 for path, items in below.items() if path.rpartition(".")[0] in objects and len(items) == 1
        }
    return named


def _empty(path: str, row: FieldRow | None) -> FieldCoverage:
    if row is None:
        return FieldCoverage(field=path)
    return FieldCoverage(field=path, homes=row.homes, standing=row.standing)


def _without_positions(path: str) -> str:
    """Return a path without the positions in lists: `a[3].b` is `a[].b`."""
    head, *rest = path.split("[")
    return head + "".join("[]" + part.partition("]")[2] for part in rest)


def _texts(part: Any) -> Iterator[str]:
    """Yield every value of a document as text: of dictionaries, lists and ODM's light tree."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _texts(value)
    elif isinstance(part, Node):
        yield from part.attributes.values()
        yield from _texts(part.children)
    elif part is not None:
        yield str(part)
