"""Nothing is lost: the record comes back from every document that has a home for its fields, value by value."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings

from made_up import Tree, encoded, full_study, record
from round_trip import FORMS, differences, only_record, said, written
from strategies import studies
from trialconv.context import Options
from trialconv.issues import CATALOGUE, Issue
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo

_STEADY = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
#: The forms that differ from another one in their bytes alone.
_SPELLINGS = {form for form in FORMS if form.endswith(("-xml", "-json")) or form == "fhir-r4b"}


@pytest.mark.parametrize("form", FORMS)
def test_real_studies_come_back(smoke_studies: list[tuple[str, bytes]], form: str) -> None:
    """Every value of a real study comes back, lists in their order, and nothing of the document is unread."""
    for name, data in smoke_studies[:: 6 if form in _SPELLINGS else 1]:
        made = read_study(data, SourceInfo(name))
        back = only_record(written(made, form))
        assert differences(said(made, form), said(back, form)) == {}, name
        assert [str(found) for found in back.issues] == [], name


@pytest.mark.parametrize("form", FORMS)
def test_full_study_comes_back(form: str) -> None:
    """A study with a value in every field comes back whole."""
    made = record(full_study())
    back = only_record(written(made, form))
    assert differences(said(made, form), said(back, form)) == {}
    assert back.issues == []


@pytest.mark.parametrize("options", [{"bundle": "collection"}, {"bundle": "batch"}, {"narrative": True}])
@pytest.mark.parametrize("form", ["fhir-r4", "fhir-r5"])
def test_full_study_comes_back_however_it_is_sent(form: str, options: Tree) -> None:
    """The type of a Bundle, its order and its texts for people change nothing of the record."""
    made = record(full_study())
    back = only_record(written(made, form, provenance=True, shared_organizations=True, **options))
    assert differences(said(made, form), said(back, form)) == {}
    assert back.issues == []


@pytest.mark.parametrize("request_kind", ["conditional-create", "conditional-update"])
def test_full_study_comes_back_from_conditional_requests(request_kind: str) -> None:
    """References to UUIDs lead to the resources that have them as their fullUrl."""
    made = record(full_study())
    back = only_record(written(made, "fhir-r4", request=request_kind))
    assert differences(said(made, "fhir-r4"), said(back, "fhir-r4")) == {}
    assert back.issues == []


def test_last_known_status_is_not_the_status() -> None:
    """A status of R4 that was taken from the last known one does not change the status of the record."""
    tree = full_study()
    assert tree["protocolSection"]["statusModule"]["overallStatus"] == "UNKNOWN"
    made = record(tree)
    back = only_record(written(made, "fhir-r4", unknown_status="last-known"))
    assert back.study.protocol_section.status_module.overall_status == "UNKNOWN"
    assert back.issues == []


@pytest.mark.parametrize("form", FORMS)
def test_any_study_comes_back(form: str) -> None:
    """Generated studies with most fields and any text come back; what does not was said to be left out."""

    @settings(_STEADY, max_examples=8 if form in _SPELLINGS else 40)
    @given(studies())
    def check(tree: Tree) -> None:
        made = record(tree)
        there = transform(made, FORMS[form], Options(), check=False)
        back = only_record(there.data)
        one, other = said(made, form), said(back, form)
        unexplained = {
            place: pair
            for place, pair in differences(one, other).items()
            if not any(_explains(found, place) for found in there.issues)
            # A link between an arm and an intervention comes back on both sides.
            and not (pair[0] is None and re.search(r"\.(interventionNames|armGroupLabels)\[", place))
        }
        assert unexplained == {}
        # Nothing that trialconv writes is unknown to it.
        assert {found.code for found in back.issues} <= {"unknown-enum-value"}

    check()


def _explains(found: Issue, place: str) -> bool:
    """Tell whether an Issue of the way there says that the value at a place, or some of its list, is left out."""
    if not CATALOGUE[found.code].left_out or not found.source_path:
        return False
    said_of = found.source_path.replace("[]", "").split("[")[0]
    return place.replace("[", ".").startswith(said_of.rstrip("."))


def test_texts_survive_exactly() -> None:
    """Escapes, white space at the ends, line ends, controls, and what looks like markup come back as they were."""
    odd = [
        r"a \> b \\ \* &gt; &amp;lt; \&",
        "  spaces around  ",
        "cr\r\nlf\ntab\tend\r",
        "<b>bold</b> <br/> <3 a<b",
        "\U0001f600 é \u2028 \u00a0 ]]> \ufffd",
        "\x00\x0b\x1f",
        "\ufffe\uffff",
        r"`code` [a](b) _x_ 1\. ",
    ]
    for text in odd:
        tree = full_study()
        fields = {
            "descriptionModule": ("briefSummary", "detailedDescription"),
            "identificationModule": ("briefTitle", "officialTitle", "acronym"),
            "statusModule": ("whyStopped",),
            "eligibilityModule": ("eligibilityCriteria", "studyPopulation", "genderDescription"),
        }
        for module, names in fields.items():
            tree["protocolSection"][module] |= dict.fromkeys(names, text)
        tree["protocolSection"]["conditionsModule"] = {"conditions": [text], "keywords": [text, "b"]}
        tree["protocolSection"]["outcomesModule"]["primaryOutcomes"] = [
            {"measure": text, "description": text, "timeFrame": text}
        ]
        arms = tree["protocolSection"]["armsInterventionsModule"]
        arms["armGroups"] = [{"label": text, "description": text, "interventionNames": [f"Drug: {text}"]}]
        arms["interventions"] = [{"type": "DRUG", "name": text, "description": text, "armGroupLabels": [text]}]
        made = read_study(encoded(tree), SourceInfo("odd"))
        for form in FORMS:
            back = only_record(written(made, form))
            assert differences(said(made, form), said(back, form)) == {}, (form, text)
