"""Where the registry's own strings stand beside texts that ODM holds in another form. All studies are made up."""

from __future__ import annotations

import base64

import pytest

from test_odm_document import built, parameters, study
from trialconv.formats import ODM_VERSIONS, OdmVersion


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_exact_string_stands_beside_a_text_whose_escapes_were_undone(version: OdmVersion) -> None:
    """The registry's own string is carried where the plain text is another one, and only there."""
    descriptions = {"briefSummary": "a \\> b", "detailedDescription": "a > b"}
    arms = {"armGroups": [{"label": "A", "description": "x &lt; y"}, {"label": "B", "description": "x < y"}]}
    root, _ = built(study(descriptionModule=descriptions, armsInterventionsModule=arms), odm_version=version)
    found = parameters(root)
    assert found["CTG.briefSummary.markup"] == ("a \\> b",)
    assert found["CTG.armGroups.1.description.markup"] == ("x &lt; y",)
    assert [name for name in found if name.endswith(".markup")] == [
        "CTG.briefSummary.markup",
        "CTG.armGroups.1.description.markup",
    ]


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_string_with_a_replaced_character_is_carried_encoded(version: OdmVersion) -> None:
    """Beside a text with a replaced character the registry's own string is carried, as UTF-8 in base64."""
    contact = {"name": "Made-up\x01name"}
    modules = {
        "descriptionModule": {"briefSummary": "a\x0bb"},
        "contactsLocationsModule": {"centralContacts": [contact]},
    }
    root, _ = built(study(**modules), odm_version=version)
    found = parameters(root)
    assert base64.b64decode(found["CTG.briefSummary.base64"][0]) == b"a\x0bb"
    assert base64.b64decode(found["CTG.centralContacts.1.name.base64"][0]) == b"Made-up\x01name"
    root, _ = built(study(**modules), odm_version=version, contacts=False)
    assert [name for name in parameters(root) if name.endswith(".base64")] == ["CTG.briefSummary.base64"]


def test_names_that_look_filled_in_are_told_apart() -> None:
    """A label or a facility of the registry that looks as if it had been filled in is carried as well."""
    modules = {
        "armsInterventionsModule": {"armGroups": [{"label": "Arm 1"}, {}]},
        "contactsLocationsModule": {"locations": [{"facility": "Oslo", "city": "Oslo"}, {"city": "Oslo"}]},
        "outcomesModule": {"primaryOutcomes": [{"measure": "M", "description": "M"}, {"measure": "M"}]},
    }
    root, _ = built(study(**modules))
    found = parameters(root)
    assert (found["CTG.armGroups.1.label"], "CTG.armGroups.2.label" in found) == (("Arm 1",), False)
    assert (found["CTG.locations.1.facility"], "CTG.locations.2.facility" in found) == (("Oslo",), False)
    assert found["CTG.primaryOutcomes.1.description"] == ("M",)
    assert "CTG.primaryOutcomes.2.description" not in found
