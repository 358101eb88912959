"""Values of the registry's XML in the words of API v2: labels to enum values, dates, yes and no, numbers."""

from __future__ import annotations

import re
from typing import Any, Final

from trialconv.issues import Issue, issue
from trialconv.readers._ctgov_xml_text import markup, unfolded
from trialconv.readers._ctgov_xml_walk import Cursor
from trialconv_mappings.tables import table

_MONTHS: Final = {
    name: f"{number:02}"
    for number, name in enumerate(
        (
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
        start=1,
    )
}
_DATE = re.compile(r"(?:(?P<month>[A-Z][a-z]+) (?:(?P<day>\d{1,2}), )?)?(?P<year>\d{4})")
_NUMBER = re.compile(r"[0-9]{1,12}")
_YES_NO: Final = {"Yes": True, "No": False}


class Values:
    """Reads values and collects the Issues about them."""

    def __init__(self, record: str) -> None:
        self.record = record
        self.issues: list[Issue] = []

    def note(self, code: str, message: str, path: str) -> None:
        """Add an Issue about a place of the document."""
        self.issues.append(issue(code, message, record=self.record, source_path=path))

    def codes(self, name: str, label: str | None) -> list[str]:
        """Return the enum values of a label by the table `ctgov_legacy_<name>`.

        A label without a row stays as it is, so that the record's decoding raises an Issue about it.
        """
        if label is None:
            return []
        rows = table(f"ctgov_legacy_{name}").get(label)
        return [label] if rows is None else [row.code for row in rows]

    def code(self, name: str, label: str | None) -> str | None:
        """Return the one enum value of a label."""
        return next(iter(self.codes(name, label)), None)

    def yes_no(self, parent: Cursor, name: str) -> bool | None:
        """Return the answer in the child of a name; another word than Yes and No becomes an Issue."""
        child = parent.one(name)
        text = child.own_text() if child else None
        if child is None or text is None:
            return None
        if text not in _YES_NO:
            self.note("wrong-type", f"expected Yes or No, found {text[:80]!r}", child.path)
        return _YES_NO.get(text)

    def date(self, parent: Cursor, name: str) -> str | None:
        """Return the date in the child of a name, such as `December 5, 2024`, as `2024-12-05`."""
        child = parent.one(name)
        return self.date_of(child) if child else None

    def date_of(self, element: Cursor) -> str | None:
        """Return the date in an element."""
        text = element.own_text()
        match = _DATE.fullmatch(" ".join(text.split())) if text else None
        if text is None:
            return None
        if match is None or (match["month"] and match["month"] not in _MONTHS):
            self.note("invalid-date", f"{text[:80]!r} is not a date such as December 5, 2024", element.path)
            return None
        parts = [match["year"]]
        if match["month"]:
            parts.append(_MONTHS[match["month"]])
        if match["day"]:
            parts.append(match["day"].zfill(2))
        return "-".join(parts)

    def date_struct(self, parent: Cursor, name: str) -> dict[str, Any]:
        """Return date and type of the child of a name."""
        child = parent.one(name)
        if child is None:
            return {}
        return kept(date=self.date_of(child), type=self.code("date_type", child.attribute("type")))

    def number(self, parent: Cursor, name: str) -> int | None:
        """Return the whole number in the child of a name; anything else becomes an Issue."""
        child = parent.one(name)
        return self._number(child.own_text(), child) if child else None

    def whole(self, element: Cursor, name: str) -> int | None:
        """Return the whole number in an attribute; anything else becomes an Issue."""
        return self._number(element.attribute(name), element, f"/@{name}")

    def _number(self, text: str | None, element: Cursor, part: str = "") -> int | None:
        if text is None:
            return None
        if not _NUMBER.fullmatch(text.strip()):
            self.note("wrong-type", f"expected a whole number, found {text[:80]!r}", f"{element.path}{part}")
            return None
        return int(text)


def kept(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value: no None, no empty text, list or object."""
    return {
        name.rstrip("_"): value
        for name, value in fields.items()
        if value is not None and value != "" and value != [] and value != {}
    }


def markup_text(parent: Cursor, name: str) -> str | None:
    """Return the text of the child of a name as markup."""
    return markup_of(parent.text(name))


def markup_of(text: str | None) -> str | None:
    """Return a text as markup, with line ends as API v2 has them."""
    return None if text is None else markup(text.replace("\r\n", "\n").replace("\r", "\n"))


def text_block(parent: Cursor, name: str) -> str | None:
    """Return the markup of the `textblock` in the child of a name."""
    child = parent.one(name)
    block = child.one("textblock") if child else None
    return unfolded(block.own_block()) or None if block else None
