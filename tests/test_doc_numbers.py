"""Numbers with a unit in the pages: made by a command, or accounted for in doc_numbers.csv."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_PAGES: Final = ("README.md", "ARCHITECTURE.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")))
_GENERATED: Final = re.compile(r"<!-- generated: ([a-z0-9-]+) -->.*?<!-- end of \1 -->", re.DOTALL)
_FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_UNITS: Final = (
    r"ms|µs|s|seconds?|minutes?|hours?|[KMG]i?B|kB|bytes|%|studies|records|bundles|documents|resources|times"
)
_NUMBER: Final = re.compile(rf"(?<![\w.])\d[\d.,]*\s*(?:{_UNITS})(?!\w)(?:/\w+| an? \w+)?")


def accounted() -> dict[tuple[str, str], str]:
    """Return where each number comes from that is no measurement of ours: by its page and its words."""
    with (ROOT / "tests" / "doc_numbers.csv").open(encoding="utf-8", newline="") as stream:
        return {(row["page"], row["words"]): row["source"] for row in csv.DictReader(stream)}


def numbers(page: str) -> set[str]:
    """Return the numbers with a unit that stand in the prose of a page."""
    prose = _FENCE.sub("", _GENERATED.sub("", (ROOT / page).read_text(encoding="utf-8")))
    return {" ".join(found.split()) for found in _NUMBER.findall(prose)}


def test_every_number_comes_from_somewhere() -> None:
    """A number in prose is a limit, a rule or a fact of others; what we measure stands in a generated block."""
    found = {(page, words) for page in _PAGES for words in numbers(page)}
    known = accounted()
    assert all(known.values())
    told = "measure it with a command whose figures a generated block shows, or name its source in doc_numbers.csv"
    assert found - known.keys() == set(), told
    assert known.keys() - found == set(), "doc_numbers.csv has what no page says any more"


def test_measurements_are_found() -> None:
    """The pattern finds what a measurement looks like."""
    text = "It takes 12 ms a study, 1.5 s in all and 300\nMiB, 7 % more, at 1,200 studies a second. R4 3.11"
    assert [" ".join(found.split()) for found in _NUMBER.findall(text)] == [
        "12 ms a study",
        "1.5 s",
        "300 MiB",
        "7 %",
        "1,200 studies a second",
    ]
