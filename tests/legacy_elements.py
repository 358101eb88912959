"""The elements of the registry's legacy XML, for tests that write it: texts, dates, labels and text blocks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any, Final

from lxml import etree

from trialconv_mappings.tables import table

_MONTHS: Final = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)
_NO_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_ESCAPED: Final = re.compile(r"\\([!-/:-@\[-`{-~])")
_ITEM: Final = re.compile(r"( *)(\*|-|\d{1,3}\.) (.*)")


def label(name: str, word: str) -> str:
    """Return the label of a word of API v2, the first one where the legacy XML had several over the years."""
    return next((row.source for row in table(f"ctgov_legacy_{name}") if row.code == word), word)


def plain(text: str) -> str:
    """Return a text of API v2 without the escapes of markdown."""
    return _ESCAPED.sub(r"\1", text)


def day(iso: str) -> str:
    """Return a date as the legacy XML writes it."""
    year, *rest = iso.split("-")
    month = f"{_MONTHS[int(rest[0]) - 1]} " if rest else ""
    return f"{month}{int(rest[1])}, {year}" if len(rest) > 1 else f"{month}{year}"


def folded(markup: str) -> str:
    """Return markdown as a text block: folded to lines, an item of a list in a paragraph of its own."""
    made = []
    for block in re.split(r"\n\s*\n", markup.replace("\r", "")):
        for line in block.split("\n"):
            item = _ITEM.fullmatch(line)
            if item:
                mark = "-" if item[2] in "*-" else item[2]
                lead = " " * (10 + len(item[1]) * 2) + f"{mark} ".ljust(3)
                made.append(_fold(plain(item[3]), lead, " " * len(lead)))
            elif made and line.startswith("  ") and _ITEM.match(block):
                made[-1] += "\n" + _fold(plain(line.strip()), " " * 13, " " * 13)
            elif made and line is not block.split("\n")[0] and not _ITEM.fullmatch(block.split("\n")[0]):
                made[-1] += "\n" + _fold(plain(line.strip()), "      ", "      ")
            else:
                made.append(_fold(plain(line.strip()), "      ", "      "))
    return "\n" + "\n\n".join(made) + "\n    "


def _fold(text: str, first: str, rest: str) -> str:
    return textwrap.fill(
        text, 99, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


class Element:
    """An element that is being filled, in the order of the schema."""

    def __init__(self, element: etree._Element) -> None:
        self.element = element

    def add(self, name: str, text: Any, **attributes: str | None) -> None:
        """Add a child with a text, if there is one."""
        if text in (None, ""):
            return
        child = etree.SubElement(self.element, name)
        child.text = _NO_XML.sub("\ufffd", str(text))
        for key, value in attributes.items():
            if value is not None:
                child.set(key, value)

    def texts(self, name: str, texts: Iterable[str]) -> None:
        """Add a child for each text."""
        for text in texts:
            self.add(name, text)

    def block(self, name: str, markup: str | None) -> None:
        """Add a child with a text block."""
        if markup:
            self.inner(name).add("textblock", folded(markup))

    def code(self, name: str, table_name: str, word: str | None) -> None:
        """Add a child with the label of a word."""
        self.add(name, label(table_name, word) if word else None)

    def answer(self, name: str, value: bool | None) -> None:
        """Add a child with Yes or No."""
        self.add(name, None if value is None else "Yes" if value else "No")

    def date(self, name: str, value: Any) -> None:
        """Add a child with a date, from a text or from an object with a type."""
        held = value if isinstance(value, dict) else {"date": value}
        kind = held.get("type")
        estimated = "Estimate" if name.endswith("_posted") else "Anticipated"
        shown = None if kind is None else "Actual" if kind == "ACTUAL" else estimated
        self.add(name, day(held["date"]) if held.get("date") else None, type=shown)

    def inner(self, name: str) -> Element:
        """Add a child for more children."""
        return Element(etree.SubElement(self.element, name))

    def filled(self, name: str, *, of: Any) -> Iterator[Element]:
        """Add a child for more children if there is something to say."""
        if of:
            yield self.inner(name)

    def listed(self, list_name: str, name: str, of: Iterable[Any]) -> Iterator[tuple[Element, Any]]:
        """Add a list element and in it a child for each item; no items, no list."""
        items = list(of)
        for listing in self.filled(list_name, of=items):
            for item in items:
                yield listing.inner(name), item

    def own(self, text: Any, **attributes: Any) -> None:
        """Set the element's text and attributes, those that have a value."""
        if text not in (None, ""):
            self.element.text = _NO_XML.sub("\ufffd", str(text))
        for key, value in attributes.items():
            if value is not None:
                self.element.set(key, _NO_XML.sub("\ufffd", str(value)))
