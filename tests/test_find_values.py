"""The tables of fields at scale: the values of real records stand at the homes that the tables name."""

from __future__ import annotations

import pytest
from find_values import NOT_FOUND, PLAIN_ONLY, Missing, missing_values

from made_up import full_study, record, study
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo

TITLE = "protocolSection.identificationModule.officialTitle"
TARGETS = ("fhir-r4", "fhir-r5", "odm-2.0", "odm-1.3.2", "odm-1.3.2-plain")


@pytest.mark.parametrize("target", TARGETS)
def test_values_of_real_records_stand_at_their_homes(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """Every value of the small set of real records stands at a home of its field, or an Issue tells why not."""
    missing = {
        (found.field, str(found.value)[:60], found.record)
        for name, data in smoke_studies
        for found in missing_values(read_study(data, SourceInfo(name)), target)
        if found.wrong == NOT_FOUND
    }
    assert len(smoke_studies) > 50
    assert missing == set()


@pytest.mark.parametrize("target", ["fhir-r4", "fhir-r5", "odm-2.0", "odm-1.3.2"])
def test_no_text_of_a_real_record_loses_its_markup(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """Beside a plain text, FHIR and ODM have the registry's exact string."""
    missing = {
        (found.field, found.record)
        for name, data in smoke_studies
        for found in missing_values(read_study(data, SourceInfo(name)), target)
        if found.wrong == PLAIN_ONLY
    }
    assert missing == set()


def test_a_value_elsewhere_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search sees a home that is a lie: a value that stands somewhere else in the document is not found."""
    import find_values

    real = find_values.field_row

    def lying(target: str, path: str) -> object:
        row = real(target, path)
        assert row is not None
        return row._replace(home="ResearchStudy.whyStopped") if path == TITLE else row

    made = record(study(identificationModule={"officialTitle": "A Made-up Official Title"}))
    assert list(missing_values(made, "fhir-r5")) == []
    monkeypatch.setattr(find_values, "field_row", lying)
    find_values._homes.cache_clear()
    find_values._fields_at.cache_clear()
    try:
        assert list(missing_values(made, "fhir-r5")) == [
            Missing(TITLE, NOT_FOUND, "A Made-up Official Title", "NCT99999901")
        ]
    finally:
        find_values._homes.cache_clear()
        find_values._fields_at.cache_clear()


def test_a_text_without_its_markup_is_told() -> None:
    """A text of which plain ODM 1.3.2 has only the plain text is told as that."""
    tree = full_study()
    tree["protocolSection"]["descriptionModule"]["briefSummary"] = "Made-up patients \\>= 18"
    found = [(each.field, each.wrong) for each in missing_values(record(tree), "odm-1.3.2-plain")]
    assert ("protocolSection.descriptionModule.briefSummary", PLAIN_ONLY) in found
    assert list(missing_values(record(tree), "odm-1.3.2")) == []
