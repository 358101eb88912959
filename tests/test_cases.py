"""The golden cases: small made-up studies with what they become. `make accept` rewrites them."""

from __future__ import annotations

from pathlib import Path

import pytest

from accept import CASES, expected, folders

CASE_FOLDERS = folders()


def test_every_reader_has_cases() -> None:
    """There are cases of each reader."""
    assert {folder.parent.name for folder in CASE_FOLDERS} == {"ctgov_json", "ctgov_page", "ctgov_xml"}


@pytest.mark.parametrize("folder", CASE_FOLDERS, ids=lambda folder: str(folder.relative_to(CASES)))
def test_case_becomes_what_it_should(folder: Path) -> None:
    """The documents and the issues of a case are the expected ones; `make accept` shows what has changed."""
    made = dict(expected(folder))
    for name, content in made.items():
        assert (folder / name).read_text(encoding="utf-8") == content.decode(), name
    assert {path.name for path in folder.iterdir() if not path.name.startswith("input.")} == {*made, "WHY.md"}


@pytest.mark.parametrize("folder", CASE_FOLDERS, ids=lambda folder: str(folder.relative_to(CASES)))
def test_case_says_why_it_is_there(folder: Path) -> None:
    """Each case says what it is for, and that it is made up."""
    assert "made up" in (folder / "WHY.md").read_text(encoding="utf-8").lower().replace("made-up", "made up")
