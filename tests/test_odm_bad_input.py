"""What `trialconv validate` says of broken ODM: each defect with its line and its path. Made up."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from command_runner import run
from made_up import encoded, study

TREE = study(
    designModule={"studyType": "OBSERVATIONAL", "phases": ["PHASE2"]},
    eligibilityModule={"sex": "ALL", "eligibilityCriteria": "Inclusion Criteria:\n\n* Made-up criterion one"},
    contactsLocationsModule={"locations": [{"facility": "F", "country": "Norway", "city": "Oslo"}]},
)

Change = Callable[[str], str]


def replaced(old: str, new: str) -> Change:
    """Return a change of the first place of a text, which must be there."""

    def change(text: str) -> str:
        assert old in text, old
        return text.replace(old, new, 1)

    return change


def swapped(text: str) -> str:
    """Return the document with the trial phase before the summary, where the schema has it after the structure."""
    match = re.search(r"( *<TrialPhase [^\n]*\n)", text)
    assert match
    without = text.replace(match[1], "", 1)
    return without.replace("    <StudySummary>\n", match[1] + "    <StudySummary>\n", 1)


DEFECTS = [
    (replaced('ConditionOID="COND.INCL.1"', 'ConditionOID="COND.X"'), "ODM-001", "Criterion/@ConditionOID"),
    (swapped, "xsd:element-content", "Protocol/StudySummary"),
    (replaced('Value="BOTH"', 'Value="ALL"'), "ODM-012", "StudyParameter[@OID='PAR.SEXPOP']/ParameterValue"),
    (replaced("<Country>NO<", "<Country>NOR<"), "ODM-016", "Location/Address/Country"),
    (replaced("<StudySummary>", '<x:A xmlns:x="urn:x"/><StudySummary>'), "xsd:element-content", "Protocol/A"),
    (replaced("<StudySummary>", '<StudySummary xmlns:x="urn:x" x:a="1">'), "xsd:", "StudySummary"),
    (replaced("<ODM ", "<!DOCTYPE ODM><ODM "), "", "/"),
]


@pytest.mark.parametrize(("change", "rule", "path"), DEFECTS)
def test_defect_is_reported_with_line_and_path(change: Change, rule: str, path: str, tmp_path: Path) -> None:
    """A defect makes exit code 3, and its report has the line, the path and the rule."""
    source = tmp_path / "a.json"
    source.write_bytes(encoded(TREE))
    good = run("to-odm", source).out.decode()
    document = tmp_path / "study.xml"
    document.write_text(good, encoding="utf-8")
    assert run("validate", document).code == 0
    document.write_text(change(good), encoding="utf-8")
    ran = run("validate", document)
    assert ran.code == 3
    found = ran.out.decode()
    assert re.search(r"line \d+ -> ", found), found
    assert path in found
    assert rule in found
