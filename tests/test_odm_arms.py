"""The arms of a study in ODM: their interventions, and what SDM-XML has of them. All studies are made up."""

from __future__ import annotations

import pytest

from odm_made_up import full_study
from test_odm_document import built, codes, parameters, study

ARMS = [
    {"label": "Made-up arm A", "interventionNames": ["Drug: Made-up drug"]},
    {"label": "Made-up arm B", "interventionNames": ["Drug: Made-up drug", "Dietary Supplement: Made-up tea"]},
]
INTERVENTIONS = [
    {"type": "DRUG", "name": "Made-up drug", "armGroupLabels": ["Made-up arm A", "Made-up arm B"]},
    {"type": "DIETARY_SUPPLEMENT", "name": "Made-up tea", "armGroupLabels": ["Made-up arm B"]},
]


def test_arms_name_their_interventions() -> None:
    """Which interventions an arm has is written out as their OIDs, whichever side of the link says so."""
    one_sided = [{**ARMS[0], "interventionNames": []}, {**ARMS[1], "interventionNames": []}]
    for arms in (ARMS, one_sided):
        module = {"armGroups": arms, "interventions": INTERVENTIONS}
        root, ctx = built(study(armsInterventionsModule=module))
        found = parameters(root)
        assert found["CTG.armGroups.1.interventionOIDs.1"] == ("INT.1",)
        assert found["CTG.armGroups.2.interventionOIDs.1"] == ("INT.1",)
        assert found["CTG.armGroups.2.interventionOIDs.2"] == ("INT.2",)
        assert "CTG.armGroups.1.interventionOIDs.2" not in found
        assert codes(ctx) == set()


def test_links_to_nothing_are_named() -> None:
    """An arm's unknown intervention and an intervention's unknown arm are Issues and make no link."""
    module = {
        "armGroups": [{"label": "A", "interventionNames": ["Drug: X"]}],
        "interventions": [{"type": "DRUG", "name": "Y", "armGroupLabels": ["B"]}],
    }
    root, ctx = built(study(armsInterventionsModule=module))
    assert not any("interventionOIDs" in name for name in parameters(root))
    assert codes(ctx) == {"unknown-arm", "unknown-intervention"}


def test_sdm_has_the_arms_and_criteria_without_codes() -> None:
    """SDM-XML has the parameters, the arms and the criteria of ODM 2.0 in its own namespace, and no codes."""
    second, _ = built(full_study())
    first, _ = built(full_study(), odm_version="1.3.2")
    for name in ("Arm", "Criterion"):
        mine = [each.attributes for each in first.find_all("sdm:" + name)]
        assert mine == [each.attributes for each in second.find_all(name)] != []
    assert list(first.find_all("Coding")) == []
    assert set(parameters(first)) > set(parameters(second))


@pytest.mark.parametrize("version", ["2.0", "1.3.2"])
def test_number_of_subjects_below_zero_is_none(version: str) -> None:
    """A negative enrolment is noted and is no number of subjects; the registry's number stays."""
    enrollment = {"count": -1, "type": "ACTUAL"}
    root, ctx = built(study(designModule={"enrollmentInfo": enrollment}), odm_version=version)
    assert codes(ctx) == {"number-out-of-range"}
    assert parameters(root)["CTG.enrollmentInfo.count"] == ("-1",)
    assert "ACTSUB" not in parameters(root)
