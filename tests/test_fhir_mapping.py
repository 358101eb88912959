"""The FHIR mapping: what a registry says becomes what FHIR means by it, and never more than that."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from made_up import (
    FHIR_TARGETS,
    Tree,
    bundle,
    converted,
    extensions,
    full_study,
    leaves,
    noted,
    put,
    research_study,
    resources,
    study,
)
from trialconv.record import enums

_P = "protocolSection."

# Status

#: R4's code for each status of the registry, or the reason why there is none.
R4_STATUS = {
    "ACTIVE_NOT_RECRUITING": "closed-to-accrual",
    "COMPLETED": "completed",
    "ENROLLING_BY_INVITATION": "active",
    "NOT_YET_RECRUITING": "approved",
    "RECRUITING": "active",
    "SUSPENDED": "temporarily-closed-to-accrual",
    "TERMINATED": "administratively-completed",
    "WITHDRAWN": "withdrawn",
    "AVAILABLE": "active",
    "NO_LONGER_AVAILABLE": "closed-to-accrual",
    "TEMPORARILY_NOT_AVAILABLE": "temporarily-closed-to-accrual",
    "APPROVED_FOR_MARKETING": "completed",
    "WITHHELD": None,
    "UNKNOWN": None,
}
#: R5's code for the progress of a study, where it has one.
R5_PROGRESS = {
    "ACTIVE_NOT_RECRUITING": "active-but-not-recruiting",
    "COMPLETED": "completed",
    "ENROLLING_BY_INVITATION": "enrolling-by-invitation",
    "NOT_YET_RECRUITING": "not-yet-recruiting",
    "RECRUITING": "recruiting",
    "SUSPENDED": "temporarily-closed-to-accrual",
    "TERMINATED": "terminated",
    "WITHDRAWN": "withdrawn",
}


def absent_reason(resource: Tree) -> str:
    """Return the reason why R4's status is absent."""
    assert "status" not in resource
    (found,) = extensions(resource["_status"], "/data-absent-reason")
    reason: str = found["valueCode"]
    return reason


def test_status_tables_are_complete() -> None:
    """The expectations of these tests cover every status of the registry."""
    assert set(R4_STATUS) == set(get_args(enums.Status))


@pytest.mark.parametrize("status", get_args(enums.Status))
@pytest.mark.parametrize("target", ["fhir-r4", "fhir-r4b"])
def test_r4_status(status: str, target: str) -> None:
    """R4's status is the expected code; a status without one is marked as absent, with an Issue."""
    made = converted(study(statusModule={"overallStatus": status}), target)
    (resource,) = resources(made.document, "ResearchStudy")
    if R4_STATUS[status]:
        assert resource["status"] == R4_STATUS[status]
        assert "_status" not in resource
        assert noted(made, "status-not-stated") == []
    else:
        assert absent_reason(resource) == ("masked" if status == "WITHHELD" else "unknown")
        assert noted(made, "status-not-stated") == [f"{_P}statusModule.overallStatus"]


@pytest.mark.parametrize("status", get_args(enums.Status))
def test_r5_status_is_that_of_the_record(status: str) -> None:
    """R5's status tells that the record is in use; the study's own is a progress status."""
    made = converted(study(statusModule={"overallStatus": status}), "fhir-r5")
    (resource,) = resources(made.document, "ResearchStudy")
    assert resource["status"] == "active"
    state = resource["progressStatus"][0]["state"]
    assert state["text"] == status
    assert (
        {each["code"] for each in state.get("coding", [])} == {R5_PROGRESS[status]}
        if status in R5_PROGRESS
        else True
    )
    assert ("coding" in state) == (status in R5_PROGRESS)


@pytest.mark.parametrize("last_known", [None, "RECRUITING", "WITHHELD"])
@pytest.mark.parametrize("option", ["absent", "last-known"])
def test_unknown_status(last_known: str | None, option: str) -> None:
    """An unknown status has no R4 code; the last known one is used only where asked for, and said to be so."""
    tree = study(statusModule={"overallStatus": "UNKNOWN", "lastKnownStatus": last_known})
    made = converted(tree, unknown_status=option)
    (resource,) = resources(made.document, "ResearchStudy")
    if option == "last-known" and last_known == "RECRUITING":
        assert resource["status"] == "active"
        assert noted(made, "status-from-last-known") == [f"{_P}statusModule.lastKnownStatus"]
        assert noted(made, "status-not-stated") == []
    else:
        assert absent_reason(resource) == "unknown"
        assert noted(made, "status-not-stated") == [f"{_P}statusModule.overallStatus"]
        assert noted(made, "status-from-last-known") == []
    found = extensions(resource, "/last-known-status")
    assert [each["valueCodeableConcept"]["text"] for each in found] == ([last_known] if last_known else [])


def test_last_known_status_of_a_known_one_is_not_used() -> None:
    """The option for unknown statuses changes nothing for a status that is known."""
    tree = study(statusModule={"overallStatus": "SUSPENDED", "lastKnownStatus": "RECRUITING"})
    assert research_study(tree, unknown_status="last-known")["status"] == "temporarily-closed-to-accrual"


def test_missing_status() -> None:
    """A study without a status is marked so in R4, and R5 has no progress status for it."""
    tree = study()
    del tree["protocolSection"]["statusModule"]["overallStatus"]
    assert absent_reason(research_study(tree)) == "unknown"
    assert "progressStatus" not in research_study(tree, "fhir-r5")


# Phases

#: The codes of the phases that have one. R4 and R5 have the same words in different systems.
PHASE_CODES = {
    ("NA",): "n-a",
    ("EARLY_PHASE1",): "early-phase-1",
    ("PHASE1",): "phase-1",
    ("PHASE1", "PHASE2"): "phase-1-phase-2",
    ("PHASE2",): "phase-2",
    ("PHASE2", "PHASE3"): "phase-2-phase-3",
    ("PHASE3",): "phase-3",
    ("PHASE4",): "phase-4",
}
COMBINATIONS = [
    combination
    for length in (1, 2, 3)
    for combination in itertools.combinations([*get_args(enums.Phase), "PHASE5"], length)
]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_phases(target: str) -> None:
    """Every combination of phases is text, with a code where there is one, else with an Issue."""
    for phases in COMBINATIONS:
        made = converted(study(designModule={"phases": list(phases)}), target)
        (resource,) = resources(made.document, "ResearchStudy")
        assert resource["phase"]["text"] == "/".join(phases)
        codes = {each["code"] for each in resource["phase"].get("coding", [])}
        assert codes == ({PHASE_CODES[phases]} if phases in PHASE_CODES else set()), phases
        assert (noted(made, "no-code") == [f"{_P}designModule.phases"]) == (phases not in PHASE_CODES), phases


def test_no_phase() -> None:
    """A study without phases has no phase."""
    assert "phase" not in research_study(study(designModule={"phases": []}))


# Dates


@pytest.mark.parametrize("target", FHIR_TARGETS)
@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2019", None, {"start": "2019"}),
        ("2019-03", "2021", {"start": "2019-03", "end": "2021"}),
        ("2019-03-04", "2021-05-06", {"start": "2019-03-04", "end": "2021-05-06"}),
        (None, "2021-05", {"end": "2021-05"}),
        ("2021-05-06", "2021-05", {"start": "2021-05-06", "end": "2021-05"}),
        ("2021-05-06", "2021-05-06", {"start": "2021-05-06", "end": "2021-05-06"}),
        (None, None, None),
    ],
)
def test_period(target: str, start: str | None, end: str | None, expected: Tree | None) -> None:
    """A period has the dates as exactly as they were registered, and is absent without any."""
    tree = study(statusModule={"startDateStruct": {"date": start}, "completionDateStruct": {"date": end}})
    assert research_study(tree, target).get("period") == expected


@pytest.mark.parametrize("target", FHIR_TARGETS)
@pytest.mark.parametrize(
    ("start", "end"), [("2021-05-07", "2021-05-06"), ("2021-06", "2021-05-06"), ("2022", "2021")]
)
def test_period_that_ends_before_it_starts(target: str, start: str, end: str) -> None:
    """FHIR forbids such a period (per-1): it has its start only, the end stands apart, and an Issue tells."""
    tree = study(statusModule={"startDateStruct": {"date": start}, "completionDateStruct": {"date": end}})
    made = converted(tree, target)
    (resource,) = resources(made.document, "ResearchStudy")
    assert resource["period"] == {"start": start}
    assert noted(made, "date-order") == [f"{_P}statusModule.completionDateStruct.date"]
    values = [value for _, value in leaves(resource)]
    assert end in values


@pytest.mark.parametrize("target", FHIR_TARGETS)
@pytest.mark.parametrize("date", ["2021-02-30", "2021-13", "May 2021", "20210506", "2021-5-6", "2021-05-06T10:00"])
def test_date_that_is_none(target: str, date: str) -> None:
    """What is no date of the calendar is left out with an Issue that shows it."""
    for field in (
        "startDateStruct",
        "completionDateStruct",
        "primaryCompletionDateStruct",
        "lastUpdatePostDateStruct",
    ):
        made = converted(study(statusModule={field: {"date": date}}), target)
        assert date not in [value for _, value in leaves(made.document)], field
        assert any(path.startswith(f"{_P}statusModule") for path in noted(made, "invalid-date")), field


def test_actual_and_estimated_dates() -> None:
    """Dates of one kind are one state of the study, dates of two kinds are two."""
    dates = {"startDateStruct": {"date": "2019", "type": "ACTUAL"}, "completionDateStruct": {"date": "2031"}}
    for kind, expected in (
        ("ACTUAL", [(True, {"start": "2019", "end": "2031"})]),
        ("ESTIMATED", [(True, {"start": "2019"}), (False, {"end": "2031"})]),
        (None, [(True, {"start": "2019"}), (None, {"end": "2031"})]),
    ):
        dates["completionDateStruct"]["type"] = kind  # type: ignore[assignment]
        found = research_study(study(statusModule=dates), "fhir-r5")["progressStatus"][1:]
        assert [(each.get("actual"), each["period"]) for each in found] == expected


# Eligibility


def characteristics(tree: Tree, target: str = "fhir-r4") -> list[Tree]:
    """Return the characteristics of the eligible population."""
    (group,) = resources(bundle(tree, target), "Group")
    found: list[Tree] = group.get("characteristic", [])
    return found


@pytest.mark.parametrize(
    ("age", "value", "unit"),
    [
        ("1 Year", 1, "a"),
        ("18 Years", 18, "a"),
        ("1 Month", 1, "mo"),
        ("6 Months", 6, "mo"),
        ("1 Week", 1, "wk"),
        ("2 Weeks", 2, "wk"),
        ("1 Day", 1, "d"),
        ("0 Days", 0, "d"),
        ("1 Hour", 1, "h"),
        ("48 Hours", 48, "h"),
        ("1 Minute", 1, "min"),
        ("30 Minutes", 30, "min"),
        ("2.5 Years", 2.5, "a"),
        ("999 Years", 999, "a"),
    ],
)
def test_ages(age: str, value: float, unit: str) -> None:
    """An age limit is a number with the UCUM code of its unit and the registry's word for the unit."""
    low, high = characteristics(study(eligibilityModule={"minimumAge": age, "maximumAge": age}))
    for found, comparator in ((low, ">="), (high, "<=")):
        assert found["valueQuantity"] == {
            "value": value,
            "comparator": comparator,
            "unit": age.partition(" ")[2],
            "system": "http://unitsofmeasure.org",
            "code": unit,
        }
        assert found["exclude"] is False
    assert (low["code"]["text"], high["code"]["text"]) == ("Minimum age", "Maximum age")


@pytest.mark.parametrize(
    "age", ["N/A", "18", "Years", "18 years old", "eighteen Years", "-1 Years", "18 Decades", "1e3 Days"]
)
def test_age_that_is_none(age: str) -> None:
    """What is no number and unit of time is carried as text, with an Issue."""
    made = converted(study(eligibilityModule={"minimumAge": age}))
    (group,) = resources(made.document, "Group")
    assert [found["valueCodeableConcept"] for found in group["characteristic"]] == [{"text": age}]
    assert noted(made, "age-not-understood") == [f"{_P}eligibilityModule.minimumAge"]


def test_criteria_are_split() -> None:
    """Each criterion is a characteristic that includes or excludes, in plain text; the whole text is kept."""
    text = "Inclusion Criteria:\n\n* Age \\>= 18\n* Fever \\[imaginary\\]\n\nExclusion Criteria:\n\n* None of it"
    for target in FHIR_TARGETS:
        tree = study(eligibilityModule={"eligibilityCriteria": text})
        assert [
            (each["valueCodeableConcept"]["text"], each["exclude"])
            for each in characteristics(tree, target)
            if "valueCodeableConcept" in each
        ] == [
            ("Age >= 18", False),
            ("Fever [imaginary]", False),
            ("None of it", True),
        ]
        (group,) = resources(bundle(tree, target), "Group")
        whole = group.get("description") or extensions(group, "/artifact-description")[0]["valueMarkdown"]
        assert whole == text


def criterion(made: Tree) -> Tree:
    """Return what an eligibility-criterion extension says: its parts by name, and the nodes below it."""
    parts = {part["url"]: next(value for key, value in part.items() if key != "url") for part in made["extension"]}
    below = [criterion(part) for part in extensions(made, "/eligibility-criterion")]
    return {**{name: value for name, value in parts.items() if "/" not in name}, "below": below}


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_criteria_that_cannot_be_split(target: str) -> None:
    """A text that can be read in several ways stays whole, with an Issue and no characteristic of its own."""
    text = "Inclusion:\n\n* fever\n\nExclusion:\n\n* cough\n\nInclusion:\n\n* made up"
    made = converted(study(eligibilityModule={"eligibilityCriteria": text}), target)
    (group,) = resources(made.document, "Group")
    assert [each["code"]["text"] for each in group.get("characteristic", [])] in ([], ["Eligibility criteria"])
    assert text in [value for _, value in leaves(group)]
    assert noted(made, "criteria-not-split") == [f"{_P}eligibilityModule.eligibilityCriteria"]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_parts_of_criteria_that_cannot_be_split(target: str) -> None:
    """A part without a certain reading is one characteristic, with an Issue, and the rest is split."""
    text = "Inclusion Criteria:\n\n* Adult\n* One of the following:\n* fever\n* cough"
    made = converted(study(eligibilityModule={"eligibilityCriteria": text}), target)
    (group,) = resources(made.document, "Group")
    texts = [each["valueCodeableConcept"]["text"] for each in group["characteristic"][:2]]
    assert texts == ["Adult", "One of the following:\n* fever\n* cough"]
    assert noted(made, "criteria-partly-split") == [f"{_P}eligibilityModule.eligibilityCriteria"]


COHORTS = (
    "Inclusion Criteria:\n\n* Adult\n* Any of the following:\n\n  * fever\n  * cough\n\n"
    "Exclusion Criteria:\n\n* Sleep, except:\n\n  * at night\n* None\n\n"
    "Exclusion Criteria for Cohort B:\n\n* Made up\n"
)


@pytest.mark.parametrize("target", ["fhir-r4", "fhir-r4b"])
def test_tree_of_criteria_before_r5(target: str) -> None:
    """Before R5 the Group has an extension for each section, which nests as the text does."""
    made = converted(study(eligibilityModule={"eligibilityCriteria": COHORTS}), target)
    (group,) = resources(made.document, "Group")
    found = [criterion(each) for each in extensions(group, "/eligibility-criterion")]
    assert [(each["role"], each["kind"], each.get("cohort")) for each in found] == [
        ("section", "inclusion", None),
        ("section", "exclusion", None),
        ("section", "exclusion", "Cohort B"),
    ]
    alternatives = found[0]["below"][1]
    assert alternatives["joiner"] == "any-of"
    assert [each["text"] for each in alternatives["below"]] == ["fever", "cough"]
    exception, nothing = found[1]["below"]
    assert "joiner" not in exception
    assert exception["below"][0]["kind"] == "not-stated"
    assert nothing["role"] == "nothing"
    assert noted(made, "criteria-not-study-wide") == [f"{_P}eligibilityModule.eligibilityCriteria"]


def test_tree_of_criteria_in_r5() -> None:
    """In R5 an EvidenceVariable combines what the text combines; a cohort is in none of its characteristics."""
    document = bundle(study(eligibilityModule={"eligibilityCriteria": COHORTS}), "fhir-r5")
    (variable,) = resources(document, "EvidenceVariable")
    included, excluded = variable["characteristic"]
    assert included["description"] == "Inclusion Criteria:"
    assert included["definitionByCombination"]["code"] == "all-of"
    adult, alternatives = included["definitionByCombination"]["characteristic"]
    assert adult == {"definitionCodeableConcept": {"text": "Adult"}}
    assert alternatives["description"] == "Any of the following:"
    assert alternatives["definitionByCombination"] == {
        "code": "any-of",
        "characteristic": [
            {"definitionCodeableConcept": {"text": "fever"}},
            {"definitionCodeableConcept": {"text": "cough"}},
        ],
    }
    (exception,) = excluded["definitionByCombination"]["characteristic"]
    assert exception["exclude"] is True
    assert exception["definitionCodeableConcept"] == {"text": "Sleep, except:\n  * at night"}
    assert [criterion(each)["text"] for each in exception["extension"]] == ["at night"]
    assert excluded["note"] == [{"text": "None"}]
    assert [criterion(each)["cohort"] for each in variable["extension"]] == ["Cohort B"]
    (group,) = resources(document, "Group")
    reference = {"reference": f"EvidenceVariable/{variable['id']}"}
    assert group["characteristic"][-1] == {
        "code": {"text": "Eligibility criteria"},
        "valueReference": reference,
        "exclude": False,
    }


def test_population_as_a_whole() -> None:
    """Sex, healthy volunteers and the basis on gender are characteristics, also where they restrict nothing."""
    module = {"sex": "ALL", "healthyVolunteers": True, "genderBased": True}
    for target in FHIR_TARGETS:
        sex, healthy, gender = characteristics(study(eligibilityModule=module), target)
        assert sex["code"]["coding"][0]["code"] == "C49696"
        assert sex["valueCodeableConcept"]["text"] == "ALL"
        assert [each["code"] for each in sex["valueCodeableConcept"]["coding"]] == ["C49636"]
        assert (healthy["code"]["coding"][0]["code"], healthy["valueBoolean"]) == ("C98737", True)
        assert (gender["code"]["text"], gender["valueBoolean"]) == ("Eligibility is based on gender", True)
        (resource,) = resources(bundle(study(eligibilityModule=module), target), "ResearchStudy")
        assert "Sex: " not in str(resource)
        assert "healthy" not in str(resource)


def test_minimum_age_above_the_maximum() -> None:
    """Limits in the wrong order are both kept, with an Issue."""
    module = {"minimumAge": "2 Years", "maximumAge": "18 Months"}
    made = converted(study(eligibilityModule=module))
    (group,) = resources(made.document, "Group")
    assert [each["valueQuantity"]["value"] for each in group["characteristic"]] == [2, 18]
    assert noted(made, "age-order") == [f"{_P}eligibilityModule.minimumAge"]


# Texts


def test_escapes_of_markup() -> None:
    """Markdown stays markdown where FHIR has markdown; elsewhere its escapes are undone."""
    marked, plain = "A \\> B, 5\\. \\*c\\* \\\\ d", "A > B, 5. *c* \\ d"
    tree = study(
        descriptionModule={"briefSummary": marked, "detailedDescription": marked + "!"},
        armsInterventionsModule={
            "armGroups": [{"label": "A", "description": marked}],
            "interventions": [{"type": "DRUG", "name": "X", "description": marked}],
        },
        outcomesModule={"primaryOutcomes": [{"measure": "M", "description": marked}]},
        eligibilityModule={"studyPopulation": marked, "genderDescription": marked},
    )
    r4, r5 = bundle(tree), bundle(tree, "fhir-r5")
    for document in (r4, r5):
        (activity,) = resources(document, "ActivityDefinition")
        assert activity["description"] == marked
        (group,) = resources(document, "Group")
        assert [each["valueCodeableConcept"]["text"] for each in group["characteristic"]] == [plain, plain]
        (resource,) = resources(document, "ResearchStudy")
        assert resource["description"] == marked + "!"
    (resource,) = resources(r4, "ResearchStudy")
    assert resource["arm"][0]["description"] == plain
    assert resources(r4, "PlanDefinition")[0]["action"][0]["action"][0]["description"] == plain
    (resource,) = resources(r5, "ResearchStudy")
    assert resource["comparisonGroup"][0]["description"] == marked
    assert resource["outcomeMeasure"][0]["description"] == marked
    assert resource["descriptionSummary"] == marked
    assert resources(r5, "PlanDefinition")[0]["action"][0]["action"][0]["description"] == marked


def test_control_characters_are_replaced() -> None:
    """A character that FHIR cannot hold becomes U+FFFD, with an Issue that says where."""
    made = converted(study(identificationModule={"briefTitle": "Made\u0000up\u001f study\ttab"}))
    (resource,) = resources(made.document, "ResearchStudy")
    assert resource["title"] == "Made\ufffdup\ufffd study\ttab"
    found = [each for each in made.issues if each.code == "character-replaced"]
    assert {each.target_path for each in found} == {
        "entry[0].resource.title",
        "entry[1].resource.title",
    }


# Words that nobody knows

#: The fields whose words become codes, in the FHIR mapping.
CODED = [
    ("statusModule.overallStatus", "no-code"),
    ("statusModule.lastKnownStatus", "no-code"),
    ("sponsorCollaboratorsModule.leadSponsor.class", "no-code"),
    ("sponsorCollaboratorsModule.collaborators[].class", "no-code"),
    ("designModule.studyType", "no-code"),
    ("designModule.designInfo.allocation", "no-code"),
    ("designModule.designInfo.interventionModel", "no-code"),
    ("designModule.designInfo.primaryPurpose", "no-code"),
    ("designModule.designInfo.observationalModel", "no-code"),
    ("designModule.designInfo.timePerspective", "no-code"),
    ("designModule.designInfo.maskingInfo.masking", "no-code"),
    ("designModule.designInfo.maskingInfo.whoMasked[]", "no-code"),
    ("armsInterventionsModule.armGroups[].type", "no-code"),
    ("armsInterventionsModule.interventions[].type", "no-code"),
    ("eligibilityModule.sex", "no-code"),
    ("eligibilityModule.samplingMethod", "no-code"),
    ("contactsLocationsModule.locations[].status", "no-code"),
    ("contactsLocationsModule.overallOfficials[].role", "no-code"),
    ("contactsLocationsModule.locations[].contacts[].role", "no-code"),
    ("contactsLocationsModule.locations[].country", "country-without-code"),
]


@pytest.mark.parametrize("target", FHIR_TARGETS)
@pytest.mark.parametrize(("field", "code"), CODED, ids=[field for field, _ in CODED])
def test_unknown_word_is_text(target: str, field: str, code: str) -> None:
    """A word that no table has is carried as text with an Issue that names its field; no code is made of it."""
    tree = full_study()
    put(tree, _P + field, "NOVEL_WORD")
    made = converted(tree, target)
    paths = {path.replace("[0]", "[]") for path in noted(made, code)}
    assert {_P + field, _P + field.removesuffix("[]")} & paths
    texts = [value for path, value in leaves(made.document) if path.endswith(".text")]
    assert any("NOVEL_WORD" in text for text in texts)
    coded = [value for path, value in leaves(made.document) if path.endswith((".code", ".display", "Code"))]
    assert not any("novel" in str(value).lower() for value in coded)


def test_unknown_kind_of_enrolment() -> None:
    """An unknown word for the kind of an enrolment makes neither an actual nor a planned one."""
    tree = study(designModule={"enrollmentInfo": {"count": 5, "type": "GUESSED"}})
    resource = research_study(tree, "fhir-r5")
    assert "actualNumber" not in resource["recruitment"]
    assert "targetNumber" not in resource["recruitment"]
    assert resources(bundle(tree), "Group")[0]["quantity"] == 5


# The versions


def test_r4b_is_r4() -> None:
    """R4B's resources for a study are those of R4."""
    assert bundle(full_study(), "fhir-r4b") == bundle(full_study(), "fhir-r4")


def test_r4_and_r5_have_their_own_elements() -> None:
    """R5 has elements for what R4 carries in the official extensions for them."""
    r4, r5 = research_study(full_study(), "fhir-r4"), research_study(full_study(), "fhir-r5")
    only_r4 = {"category", "contact", "location", "enrollment", "sponsor", "principalInvestigator", "arm"}
    carried = {"date", "label", "descriptionSummary", "classifier", "associatedParty", "progressStatus"}
    only_r5 = carried | {"url", "studyDesign", "region", "whyStopped", "comparisonGroup", "outcomeMeasure"}
    assert only_r4 <= set(r4) - set(r5)
    assert only_r5 <= set(r5) - set(r4)
    urls = {each["url"].rpartition("extension-ResearchStudy.")[2].partition(".")[0] for each in r4["extension"]}
    assert carried | {"recruitment", "outcomeMeasure"} <= urls
    assert not any("/5.0/" in str(value) for _, value in leaves(bundle(full_study(), "fhir-r5")))


def test_small_numbers_and_flags_are_carried() -> None:
    """A count of zero and a flag that is false are facts, and not absent."""
    tree = study(
        designModule={"enrollmentInfo": {"count": 0, "type": "ACTUAL"}},
        eligibilityModule={"healthyVolunteers": False},
        oversightModule={"oversightHasDmc": False},
    )
    tree["hasResults"] = False
    resource = research_study(tree, "fhir-r5")
    assert resource["recruitment"]["actualNumber"] == 0
    texts = [each["text"] for each in resource["classifier"]]
    assert {"Has results: false", "Oversight has DMC: false"} <= set(texts)
    (group,) = resources(bundle(tree), "Group")
    assert group["quantity"] == 0


def test_almost_nothing() -> None:
    """A record with nothing but its number converts to valid bundles."""
    tree: dict[str, Any] = {"protocolSection": {"identificationModule": {"nctId": "NCT99999901"}}}
    for target in FHIR_TARGETS:
        document = bundle(tree, target)
        kinds = [entry["resource"]["resourceType"] for entry in document["entry"]]
        assert kinds == ["ResearchStudy", "PlanDefinition", "Group"]


# Contradictions, and what stands in for what is missing


def test_contradictions_are_told() -> None:
    """Arms of one label, and a site without a country, are told with their places, and the document is valid."""
    tree = study(
        armsInterventionsModule={"armGroups": [{"label": "A"}, {"label": "A"}]},
        contactsLocationsModule={"locations": [{"city": "Nowhere"}]},
    )
    made = converted(tree)
    assert noted(made, "repeated-arm-label") == [f"{_P}armsInterventionsModule.armGroups[1].label"]
    assert noted(made, "location-without-country") == [f"{_P}contactsLocationsModule.locations[0]"]
    assert made.valid


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_description_filled_from_the_summary_says_so(target: str) -> None:
    """R4 shows the summary where there is no detailed description, and marks it as filled in; R5 has both."""
    resource = research_study(study(descriptionModule={"briefSummary": "Short."}), target)
    if target == "fhir-r5":
        assert "description" not in resource
    else:
        assert resource["description"] == "Short."
        (mark,) = extensions(resource["_description"], "/filled-from")
        assert mark["valueString"] == f"{_P}descriptionModule.briefSummary"
    full = research_study(
        study(descriptionModule={"briefSummary": "Short.", "detailedDescription": "Long."}), target
    )
    assert full["description"] == "Long."
    assert "_description" not in full
