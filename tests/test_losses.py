"""What a target cannot carry is named, or left out on request, and never coded by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_up import FHIR_TARGETS, converted, noted, research_study, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.issues import UsageError
from trialconv.pipeline import read, transform


@pytest.mark.parametrize(
    ("target", "lost"),
    [
        *((name, {"extras.unread"}) for name in FHIR_TARGETS),
        ("odm-2.0", set()),
        ("odm-1.3.2", set()),
        ("odm-1.3.2-plain", {"extras.title", "extras.lastUpdated", "extras.unread"}),
        ("sdtm", {"extras.unread"}),
        ("rpe", {"extras.lastUpdated", "extras.unread"}),
        ("usdm-4.0", set()),
    ],
)
def test_what_a_page_says_beside_the_fields_is_carried_or_named(target: str, lost: set[str]) -> None:
    """The title, the date and the unread texts of a page are in the document, or an Issue names them."""
    (record,) = read(Path(__file__).parent / "cases" / "ctgov_page" / "cohorts" / "input.txt")
    made = transform(record, TARGETS[target], Options())
    assert {path for path in noted(made, "field-not-mapped") if path.startswith("extras")} == lost


@pytest.mark.parametrize("target", list(TARGETS))
def test_text_that_was_not_understood_goes_with_the_contacts(
    tmp_path: Path, example_page: Path, target: str
) -> None:
    """Without contacts no text is carried of which nobody knows whether it names one."""
    page = tmp_path / "page.txt"
    text = example_page.read_text(encoding="utf-8").replace(
        "Site Status\n", "Site Status\n\nContact\n\nJane Secretname\n\njane@example.org\n"
    )
    page.write_text(text, encoding="utf-8")
    (record,) = read(page)
    assert "Secretname" in str(record.extras)
    assert b"Secretname" not in transform(record, TARGETS[target], Options(contacts=False)).data


def test_one_word_that_looks_like_two_phases_gets_no_code() -> None:
    """Only two words of the registry are two phases; one that holds the separator is an unknown word."""
    tree = study(designModule={"phases": ["PHASE1/PHASE2"]})
    assert "coding" not in research_study(tree)["phase"]
    made = converted(tree, "odm-2.0")
    assert b"C15693" not in made.data
    assert noted(made, "no-code") == ["protocolSection.designModule.phases"]


@pytest.mark.parametrize("target", list(TARGETS))
@pytest.mark.parametrize("age", ["\uff12\uff10 Years", "9" * 5000 + " Years"])
def test_odd_numbers_are_text(target: str, age: str) -> None:
    """Digits of other scripts, and more digits than a number has, are no age."""
    made = converted(study(eligibilityModule={"maximumAge": age}), target)
    if target not in ("odm-1.3.2-plain", "rpe"):
        assert "protocolSection.eligibilityModule.maximumAge" in noted(made, "age-not-understood")


def test_clock_refuses_what_no_format_can_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """An offset beyond 14 hours and an epoch beyond the calendar are wrong options, not broken records."""
    with pytest.raises(UsageError, match="instant"):
        Options(created="2025-01-21T00:00:00+23:00")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "99999999999999")
    with pytest.raises(UsageError, match="calendar"):
        converted(study(), "odm-2.0")
