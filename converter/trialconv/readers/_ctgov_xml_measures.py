"""What all tables of results in the registry's XML are made of: groups, numbers analyzed, classes and categories.

Before December 2016 a measure had its categories without classes, and the numbers analyzed as measures of their
own (change history of https://clinicaltrials.gov/ct2/html/images/info/public.xsd).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from trialconv.readers._ctgov_xml_values import Values, kept, markup_of, markup_text
from trialconv.readers._ctgov_xml_walk import Cursor

_LEGACY_ID = re.compile(r"[A-Z]([1-9]\d{0,2})")
_PARTICIPANTS: Final = "participants"


class Groups(NamedTuple):
    """The groups of a table, and API v2's id of each by its id in the XML."""

    listed: list[dict[str, Any]]
    ids: dict[str, str]

    def id_of(self, element: Cursor) -> str | None:
        """Return API v2's id of the group to which an element belongs."""
        return self.of(element.attribute("group_id"))

    def of(self, legacy: str | None) -> str | None:
        """Return API v2's id of a group; an id that the table does not list stays as it is."""
        return None if legacy is None else self.ids.get(legacy, legacy)


def items(parent: Cursor | None, list_name: str, name: str) -> Iterator[Cursor]:
    """Yield the items of a list element such as `group_list`, which may be absent."""
    listing = parent.one(list_name) if parent else None
    yield from listing.every(name) if listing else ()


def groups_of(parent: Cursor, prefix: str) -> Groups:
    """Return the groups of a table.

    Both formats number the groups of each table from its first on: P1, P2 in the XML are FG000, FG001 in API v2,
    so B is BG, O is OG and E is EG. Where an id of the table is not of that kind, or two of its ids would become
    one, all stay as they are.
    """
    elements = [(one.attribute("group_id"), one) for one in items(parent, "group_list", "group")]
    numbers = {legacy: _LEGACY_ID.fullmatch(legacy) for legacy, _ in elements if legacy}
    ids = {legacy: f"{prefix}{int(match[1]) - 1:03}" for legacy, match in numbers.items() if match}
    groups = Groups([], ids if len(set(ids.values())) == len(numbers) else {})
    for legacy, one in elements:
        title, description = one.text("title"), markup_text(one, "description")
        groups.listed.append(kept(id=groups.of(legacy), title=title, description=description))
    return groups


def denoms(parent: Cursor, groups: Groups, values: Values, scope: str) -> list[dict[str, Any]]:
    """Return the numbers analyzed. The scope, which says again where they stand, is held against the place."""
    found = []
    for one in items(parent, "analyzed_list", "analyzed"):
        stated = one.text("scope")
        if stated not in (None, scope):
            message = f"the scope {stated[:80]!r} has no field; expected {scope} here"
            values.note("field-not-mapped", message, f"{one.path}/scope")
        counts = [
            kept(groupId=groups.id_of(count), value=count.attribute("value"))
            for count in items(one, "count_list", "count")
        ]
        found.append(kept(units=one.text("units"), counts=counts))
    return found


def other_units(numbers: list[dict[str, Any]]) -> str | None:
    """Return the units that were analyzed beside participants; the XML names them with their numbers only."""
    found = {each["units"] for each in numbers if each.get("units", "").lower() not in ("", _PARTICIPANTS)}
    return found.pop() if len(found) == 1 else None


def measure(element: Cursor, groups: Groups, values: Values) -> dict[str, Any]:
    """Return what the measures of the baseline and of an outcome have in common."""
    return kept(
        paramType=values.code("measure_param", element.text("param")),
        unitOfMeasure=element.text("units"),
        denomUnitsSelected=element.text("units_analyzed"),
        denoms=denoms(element, groups, values, "Measure"),
        classes=_classes(element, groups, values),
    )


def _classes(element: Cursor, groups: Groups, values: Values) -> list[dict[str, Any]]:
    old = _categories(element, groups)
    if old:
        return [{"categories": old}]
    return [
        kept(
            title=one.text("title"),
            denoms=denoms(one, groups, values, "Class"),
            categories=_categories(one, groups),
        )
        for one in items(element, "class_list", "class")
    ]


def _categories(parent: Cursor, groups: Groups) -> list[dict[str, Any]]:
    return [
        kept(
            title=one.text("title") or one.text("sub_title"),
            measurements=[_measurement(each, groups) for each in items(one, "measurement_list", "measurement")],
        )
        for one in items(parent, "category_list", "category")
    ]


def _measurement(element: Cursor, groups: Groups) -> dict[str, Any]:
    return kept(
        groupId=groups.id_of(element),
        value=element.attribute("value"),
        spread=element.attribute("spread"),
        lowerLimit=element.attribute("lower_limit"),
        upperLimit=element.attribute("upper_limit"),
        comment=markup_of(element.own_text()),
    )
