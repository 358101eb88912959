"""The USDM mapping: where what a registry says stands, and what is filled in and marked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from made_up import Tree, converted, defects, noted, study
from trialconv import __version__
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from usdm_made_up import BASE, TYPES, build, full_study_of, objects

NOT_STATED = "Not stated in the registry record."


def version(tree: Tree, **options: Any) -> Tree:
    """Return the study version of a study's document, which is valid."""
    made: Tree = converted(tree, "usdm-4.0", **options).document["study"]["versions"][0]
    return made


def design(tree: Tree) -> Tree:
    """Return the study design of a study's document."""
    (made,) = version(tree)["studyDesigns"]
    return dict(made)


def filled_in(tree: Tree) -> dict[str, str]:
    """Return what was filled in for a study: the messages by their places."""
    made = converted(tree, "usdm-4.0")
    return {found.target_path: found.message for found in made.issues if found.code == "filled-in"}


def decodes(element: Tree, key: str) -> list[tuple[str, str]]:
    """Return code and decode of the codes of an attribute."""
    value = element.get(key, [])
    codes = value if isinstance(value, list) else [value.get("standardCode", value)]
    return [(code["code"], code["decode"]) for code in codes]


def words(element: Tree, name: str) -> list[Any]:
    """Return the values of the extension attributes of an object with a name."""
    return [
        next(value for key, value in each.items() if key.startswith("value"))
        for each in element.get("extensionAttributes", [])
        if each["url"] == BASE + name
    ]


def test_wrapper_names_version_and_system() -> None:
    """The wrapper names the version of USDM and the program; the study's id is a UUID of its own."""
    one, two = (converted(study(number), "usdm-4.0").document for number in ("NCT99999901", "NCT99999902"))
    assert (one["usdmVersion"], one["systemName"], one["systemVersion"]) == ("4.0.0", "trialconv", __version__)
    assert one["study"]["name"] == "NCT99999901"
    assert one["study"]["id"] != two["study"]["id"]


@pytest.mark.parametrize(
    ("kind", "name", "code"),
    [
        ("INTERVENTIONAL", "InterventionalStudyDesign", ("C98388", "Interventional Study")),
        ("OBSERVATIONAL", "ObservationalStudyDesign", ("C16084", "Observational Study")),
    ],
)
def test_type_of_study_decides_the_design(kind: str, name: str, code: tuple[str, str]) -> None:
    """An interventional and an observational study have designs of different classes."""
    made = design(study(designModule={"studyType": kind}))
    assert made["instanceType"] == name
    assert decodes(made, "studyType") == [code]


def test_patient_registry_is_a_type_of_study() -> None:
    """An observational study that is a patient registry has the type for that."""
    made = design(study(designModule={"studyType": "OBSERVATIONAL", "patientRegistry": True}))
    assert decodes(made, "studyType") == [("C129000", "Patient Registry Study")]


@pytest.mark.parametrize("kind", ["EXPANDED_ACCESS", "A_NEW_TYPE", None])
def test_without_a_design_all_is_carried(kind: str | None) -> None:
    """Expanded access, and a study of no known type, have no study design; what it would hold is carried."""
    tree = full_study_of("EXPANDED_ACCESS")
    tree["protocolSection"]["designModule"]["studyType"] = kind or "EXPANDED_ACCESS"
    if kind is None:
        del tree["protocolSection"]["designModule"]["studyType"]
    made = converted(tree, "usdm-4.0").document["study"]["versions"][0]
    assert "studyDesigns" not in made
    protocol = tree["protocolSection"]
    assert words(made, "conditionsModule.conditions") == protocol["conditionsModule"]["conditions"]
    assert words(made, "eligibilityModule.eligibilityCriteria") == [
        protocol["eligibilityModule"]["eligibilityCriteria"]
    ]
    assert len(objects({"study": made}, "StudyIntervention")) == 1


def test_single_group_is_not_parallel() -> None:
    """A study of a single group is one."""
    tree = study(designModule={"designInfo": {"interventionModel": "SINGLE_GROUP"}})
    assert decodes(design(tree), "model") == [("C82640", "Single Group Study")]


def test_unknown_model_is_unknown() -> None:
    """A model that the record does not give is Unknown; a word that no table has is Other, and an Issue."""
    assert decodes(design(study()), "model") == [("C17998", "Unknown")]
    tree = study(designModule={"designInfo": {"interventionModel": "SPIRAL"}})
    made = converted(tree, "usdm-4.0")
    assert decodes(made.document["study"]["versions"][0]["studyDesigns"][0], "model") == [("C17649", "Other")]
    assert noted(made, "no-code") == ["protocolSection.designModule.designInfo.interventionModel"]
    assert words(made.document["study"]["versions"][0], "designModule.designInfo.interventionModel") == ["SPIRAL"]


def test_two_phases_are_one_code() -> None:
    """Two phases of the registry are one phase, and the registry's words stay."""
    tree = study(designModule={"phases": ["PHASE1", "PHASE2"]})
    assert decodes(design(tree), "studyPhase") == [("C15693", "Phase I/II Trial")]
    assert words(version(tree), "designModule.phases") == ["PHASE1", "PHASE2"]
    assert "studyPhase" not in design(study(designModule={"phases": ["PHASE1/PHASE2"]}))


def test_masking_keeps_its_word() -> None:
    """Triple masking is double blind with the word beside it; who is masked are roles."""
    masking = {
        "masking": "TRIPLE",
        "whoMasked": ["PARTICIPANT", "INVESTIGATOR"],
        "maskingDescription": "Kits \\> 1",
    }
    tree = study(designModule={"designInfo": {"maskingInfo": masking}})
    made = version(tree)
    assert decodes(made["studyDesigns"][0], "blindingSchema") == [("C15228", "Double Blind Study")]
    assert words(made, "designModule.designInfo.maskingInfo.masking") == ["TRIPLE"]
    masked = [role for role in made["roles"] if "masking" in role]
    assert [role["code"]["decode"] for role in masked] == ["Study Subject", "Investigator"]
    assert {role["masking"]["text"] for role in masked} == {"Kits > 1"}


def test_purpose_without_a_term_has_no_code() -> None:
    """A purpose that the codelist does not have stays a word."""
    tree = study(designModule={"designInfo": {"primaryPurpose": "OTHER"}})
    assert "intentTypes" not in design(tree)
    assert words(version(tree), "designModule.designInfo.primaryPurpose") == ["OTHER"]


# ids and parties


def test_identifiers_have_scopes() -> None:
    """The NCT number is the registry's, the sponsor's id the sponsor's, other ids those of who gave them."""
    ids = {
        "orgStudyIdInfo": {"id": "MADE-UP-1"},
        "nctIdAliases": ["NCT99999909"],
        "secondaryIdInfos": [
            {"id": "2020-000001-01", "type": "EUDRACT_NUMBER"},
            {"id": "U1", "type": "NIH", "link": "https://example.org/U1"},
            {"id": "X-1", "type": "OTHER", "domain": "Made-up Fund"},
        ],
    }
    made = version(
        study(identificationModule=ids, sponsorCollaboratorsModule={"leadSponsor": {"name": "Made-up Inc"}})
    )
    organizations = {each["id"]: each for each in made["organizations"]}
    found = [
        (each["text"], organizations[each["scopeId"]]["label"], organizations[each["scopeId"]]["type"]["decode"])
        for each in made["studyIdentifiers"]
    ]
    assert found == [
        ("NCT99999901", "ClinicalTrials.gov", "Study Registry"),
        ("MADE-UP-1", "Made-up Inc", "Unknown"),
        ("NCT99999909", "ClinicalTrials.gov", "Study Registry"),
        ("2020-000001-01", "EUDRACT_NUMBER", "Study Registry"),
        ("U1", "NIH", "Governmental Agency or Group"),
        ("X-1", "Made-up Fund", "Other"),
    ]
    assert words(made["studyIdentifiers"][4], "identificationModule.secondaryIdInfos.link") == [
        "https://example.org/U1"
    ]


def test_identifier_stands_once() -> None:
    """An id that a record lists twice for one organisation stands once, and an Issue tells of the other."""
    twice = [{"id": "X-1", "type": "OTHER"}, {"id": "X-1", "type": "OTHER", "link": "https://example.org"}]
    made = converted(study(identificationModule={"secondaryIdInfos": twice}), "usdm-4.0")
    texts = [each["text"] for each in made.document["study"]["versions"][0]["studyIdentifiers"]]
    assert texts.count("X-1") == 1
    (told,) = (found for found in made.issues if found.code == "field-not-mapped")
    assert "https://example.org" in told.message


def test_missing_sponsor_id_is_a_placeholder() -> None:
    """USDM demands an id of the sponsor; where there is none, the text says so."""
    made = version(study())
    assert [each["text"] for each in made["studyIdentifiers"]] == ["NCT99999901", NOT_STATED]
    assert "StudyIdentifier.text" in filled_in(study())


def test_titles_have_types() -> None:
    """Titles have their types; a missing official title is a placeholder and not the brief one."""
    made = version(study(identificationModule={"acronym": "MADE"}))
    assert [(each["text"], each["type"]["decode"]) for each in made["titles"]] == [
        (NOT_STATED, "Official Study Title"),
        ("A Made-up Study of Imaginary Fever", "Brief Study Title"),
        ("MADE", "Study Acronym"),
    ]


def test_sponsor_is_a_role_of_one_organisation() -> None:
    """The lead sponsor is the one sponsor, collaborators are co-sponsors; a class decides what it says only."""
    module = {
        "leadSponsor": {"name": "Made-up Institute", "class": "NIH"},
        "collaborators": [
            {"name": "Made-up Inc", "class": "INDUSTRY"},
            {"name": "Made-up Institute", "class": "FED"},
        ],
    }
    made = version(study(sponsorCollaboratorsModule=module))
    organizations = {each["id"]: each for each in made["organizations"]}
    sponsor, partner = made["roles"]
    assert (sponsor["code"]["decode"], partner["code"]["decode"]) == ("Clinical Study Sponsor", "Study Co-Sponsor")
    (institute,) = (organizations[id_] for id_ in sponsor["organizationIds"])
    (company,) = (organizations[id_] for id_ in partner["organizationIds"])
    assert (institute["label"], institute["type"]["decode"]) == (
        "Made-up Institute",
        "Governmental Agency or Group",
    )
    assert (company["label"], company["type"]["decode"]) == ("Made-up Inc", "Unknown")
    assert words(institute, "sponsorCollaboratorsModule.leadSponsor.class") == ["NIH"]
    assert words(institute, "sponsorCollaboratorsModule.collaborators.class") == ["FED"]


def test_responsible_person_has_a_title_and_a_place() -> None:
    """A responsible party that is a person is a role with the person's own title and organisation."""
    party = {
        "type": "PRINCIPAL_INVESTIGATOR",
        "investigatorFullName": "Jane Madeup",
        "investigatorTitle": "Professor",
        "investigatorAffiliation": "Made-up Clinic",
    }
    module = {"leadSponsor": {"name": "Made-up Clinic"}, "responsibleParty": party}
    made = version(study(sponsorCollaboratorsModule=module))
    role = next(role for role in made["roles"] if role["code"]["code"] == "C19924")
    (person,) = role["assignedPersons"]
    assert (person["personName"]["text"], person["jobTitle"]) == ("Jane Madeup", "Professor")
    assert person["organizationId"] == made["roles"][0]["organizationIds"][0]


def test_contacts_can_be_left_out() -> None:
    """Without contacts no name, address or number of one is in the document; officials stay."""
    contact = {"name": "Jane Secretname", "role": "CONTACT", "phone": "555-0100", "email": "jane@example.org"}
    module = {
        "centralContacts": [contact],
        "overallOfficials": [{"name": "Joe Official", "role": "STUDY_CHAIR"}],
        "locations": [{"facility": "Made-up Hospital", "contacts": [contact]}],
    }
    made = converted(study(contactsLocationsModule=module), "usdm-4.0")
    assert made.data.count(b"jane@example.org") == 2
    without = converted(study(contactsLocationsModule=module), "usdm-4.0", contacts=False)
    for secret in (b"Secretname", b"555-0100", b"jane@example.org"):
        assert secret not in without.data
    assert b"Joe Official" in without.data
    assert noted(without, "withheld-contact")


def test_site_belongs_to_an_organisation_with_an_address() -> None:
    """A location is a site of its facility, with the ISO 3166-1 alpha-3 code of its country and its name."""
    place = {
        "facility": "Made-up Hospital",
        "city": "Oslo",
        "zip": "0001",
        "country": "Norway",
        "status": "RECRUITING",
    }
    module = {"locations": [place, place, {"country": "Nowhere"}, {"city": "Bern", "geoPoint": {"lat": 46.9}}]}
    made = converted(study(contactsLocationsModule=module), "usdm-4.0")
    sites = [each for each in made.document["study"]["versions"][0]["organizations"] if "managedSites" in each]
    assert [each["label"] for each in sites] == ["Made-up Hospital", "Made-up Hospital", "Nowhere", "Bern"]
    (site,) = sites[0]["managedSites"]
    assert (site["country"]["code"], site["country"]["decode"]) == ("NOR", "Norway")
    assert words(site, "contactsLocationsModule.locations.status") == ["RECRUITING"]
    assert (sites[0]["legalAddress"]["city"], sites[0]["legalAddress"]["postalCode"]) == ("Oslo", "0001")
    assert sites[2]["managedSites"][0]["country"]["decode"] == "Unknown"
    assert "legalAddress" not in sites[2]
    assert noted(made, "country-without-code") == ["protocolSection.contactsLocationsModule.locations[].country"]


# arms and interventions


def arms_and_interventions(*arms: tuple[str, str, list[str]], names: str = "ABC") -> Tree:
    """Return a study with interventions of some names and arms: label, type and the names of its interventions."""
    groups = [
        {"label": label, "type": kind, "interventionNames": [f"Drug: {name}" for name in has]}
        for label, kind, has in arms
    ]
    listed = [{"type": "DRUG", "name": name} for name in names]
    return study(armsInterventionsModule={"armGroups": groups, "interventions": listed})


def test_arm_has_its_interventions() -> None:
    """An arm's cell leads to the interventions that the record gives it, and to no other."""
    tree = arms_and_interventions(("One", "EXPERIMENTAL", ["A", "B"]), ("Two", "NO_INTERVENTION", []))
    made = version(tree)
    given = {each["id"]: each["label"] for each in made["studyInterventions"]}
    plan = made["studyDesigns"][0]
    elements = {each["id"]: each for each in plan["elements"]}
    cells = {cell["armId"]: cell for cell in plan["studyCells"]}
    found = {
        arm["label"]: [
            given[id_]
            for element in cells[arm["id"]]["elementIds"]
            for id_ in elements[element].get("studyInterventionIds", [])
        ]
        for arm in plan["arms"]
    }
    assert found == {"One": ["A", "B"], "Two": []}
    assert [decodes(arm, "type")[0][1] for arm in plan["arms"]] == ["Investigational Arm", "No Intervention Arm"]


def test_role_is_known_only_of_an_arm_with_one_intervention() -> None:
    """The type of an arm is an intervention's role where the arm has no other one, and all its arms agree."""
    tree = arms_and_interventions(
        ("One", "EXPERIMENTAL", ["A"]),
        ("Two", "ACTIVE_COMPARATOR", ["B"]),
        ("Three", "EXPERIMENTAL", ["C", "D"]),
        ("Four", "PLACEBO_COMPARATOR", ["E"]),
        ("Five", "ACTIVE_COMPARATOR", ["F"]),
        ("Six", "EXPERIMENTAL", ["F"]),
        names="ABCDEF",
    )
    roles = {each["label"]: each["role"]["decode"] for each in version(tree)["studyInterventions"]}
    assert roles == {
        "A": "Protocol Agent",
        "B": "Active Comparator",
        "C": "Unknown",
        "D": "Unknown",
        "E": "Placebo",
        "F": "Unknown",
    }


def test_names_that_nothing_bears_are_told() -> None:
    """A link to an arm or an intervention that the study does not have is an Issue."""
    tree = arms_and_interventions(("One", "EXPERIMENTAL", ["Z"]), names="A")
    tree["protocolSection"]["armsInterventionsModule"]["interventions"][0]["armGroupLabels"] = ["Nine"]
    made = converted(tree, "usdm-4.0")
    assert noted(made, "unknown-arm")
    assert noted(made, "unknown-intervention")


def test_design_without_arms_has_a_placeholder() -> None:
    """USDM demands an arm; where the record has none, it has one that says so, and an Issue."""
    (arm,) = design(study())["arms"]
    assert (arm["label"], arm["type"]["decode"]) == (NOT_STATED, "Unknown")
    assert filled_in(study())["StudyArm"].startswith("one arm")


def test_mesh_codes_stand_where_the_term_is_the_same() -> None:
    """A condition and an intervention have the MeSH code of the heading that is the same word, and no other."""
    tree = study(
        conditionsModule={"conditions": ["Fever", "Imaginary Fever"]},
        armsInterventionsModule={"interventions": [{"type": "DRUG", "name": "aspirin"}]},
    )
    tree["derivedSection"] = {
        "conditionBrowseModule": {"meshes": [{"id": "D005334", "term": "Fever"}]},
        "interventionBrowseModule": {"meshes": [{"id": "D001241", "term": "Aspirin"}]},
    }
    made = version(tree)
    indications = made["studyDesigns"][0]["indications"]
    assert [decodes(each, "codes") for each in indications] == [[("D005334", "Fever")], []]
    assert decodes(made["studyInterventions"][0], "codes") == [("D001241", "Aspirin")]
    assert {words(each, "filledIn")[0] for each in indications} == {"isRareDisease"}


# outcomes


def test_outcomes_are_end_points_of_placeholder_objectives() -> None:
    """Outcomes are end points of their level; the objective around them is a placeholder and says so."""
    outcome = {"measure": "Fever < 38", "description": "Measured \\> once", "timeFrame": "1 day"}
    module = {"primaryOutcomes": [outcome], "secondaryOutcomes": [outcome, outcome], "otherOutcomes": [outcome]}
    made = design(study(outcomesModule=module))["objectives"]
    assert [each["level"]["decode"] for each in made] == [
        "Trial Primary Objective",
        "Trial Secondary Objective",
        "Other",
    ]
    assert {each["text"] for each in made} == {f"<p>{NOT_STATED}</p>"}
    assert [len(each["endpoints"]) for each in made] == [1, 2, 1]
    endpoint = made[0]["endpoints"][0]
    assert (endpoint["text"], endpoint["description"]) == ("<p>Fever &lt; 38</p>", "Measured > once")
    assert words(endpoint, "outcomesModule.primaryOutcomes.timeFrame") == ["1 day"]


def test_other_outcomes_are_not_exploratory() -> None:
    """An other pre-specified outcome is not called exploratory, which the registry does not say."""
    made = converted(study(outcomesModule={"otherOutcomes": [{"measure": "Made up"}]}), "usdm-4.0")
    assert b"C170559" not in made.data
    assert b"C163559" not in made.data


# population and criteria


def population(**eligibility: Any) -> Tree:
    """Return the population of a study with some eligibility."""
    made: Tree = design(study(eligibilityModule=eligibility))["population"]
    return made


def ages(made: Tree) -> list[tuple[float, str]]:
    """Return the limits of a population's age."""
    limits = (made["plannedAge"][key] for key in ("minValue", "maxValue"))
    return [(limit["value"], limit["unit"]["standardCode"]["decode"]) for limit in limits]


def test_all_sexes_are_two_codes() -> None:
    """All sexes are the codes of both; the code for both, which USDM forbids, is not used."""
    assert [decode for _, decode in decodes(population(sex="ALL"), "plannedSex")] == ["Female", "Male"]
    assert [decode for _, decode in decodes(population(sex="MALE"), "plannedSex")] == ["Male"]
    assert [decode for _, decode in decodes(population(), "plannedSex")] == ["Unknown"]


@pytest.mark.parametrize(
    ("least", "most", "expected", "marks"),
    [
        ("18 Years", "64 Years", [(18, "Year"), (64, "Year")], []),
        ("6 Months", "5 Years", [(6, "Month"), (5, "Year")], []),
        ("18 Years", None, [(18, "Year"), (150, "Year")], ["maxValue"]),
        ("150 Years", None, [(150, "Year"), (151, "Year")], ["maxValue"]),
        (None, "30 Days", [(0, "Day"), (30, "Day")], ["minValue"]),
        (None, None, [(0, "Year"), (150, "Year")], ["minValue", "maxValue"]),
        ("30 Minutes", "1 Hour", [(0.5, "Hour"), (1, "Hour")], []),
        ("18 Years", "18 Years", [(18, "Year"), (18, "Year")], []),
        ("18 Years", "18 Months", [(0, "Year"), (150, "Year")], ["minValue", "maxValue"]),
    ],
)
def test_ages_are_a_range_with_marked_placeholders(
    least: str | None, most: str | None, expected: list[tuple[float, str]], marks: list[str]
) -> None:
    """An age limit that is not stated is a placeholder with a mark; the registry's words stay in any case."""
    given = {key: value for key, value in (("minimumAge", least), ("maximumAge", most)) if value}
    made = version(study(eligibilityModule=given))
    people = made["studyDesigns"][0]["population"]
    assert ages(people) == expected
    assert words(people["plannedAge"], "filledIn") == marks
    for key, value in given.items():
        assert words(made, f"eligibilityModule.{key}") == [value]


@pytest.mark.parametrize(("kind", "planned"), [("ESTIMATED", 120), ("ACTUAL", None), (None, None)])
def test_only_planned_numbers_are_planned(kind: str | None, planned: int | None) -> None:
    """The number of participants is planned only where the record calls it an estimate; it is carried always."""
    tree = study(designModule={"enrollmentInfo": {"count": 120, **({"type": kind} if kind else {})}})
    assert design(tree)["population"].get("plannedEnrollmentNumber", {}).get("value") == planned
    assert words(version(tree), "designModule.enrollmentInfo.count") == [120]


@pytest.mark.parametrize("count", [10**30, -5])
def test_impossible_numbers_are_carried_and_told(count: int) -> None:
    """A number of participants that nobody can plan is an Issue, and stays beside."""
    tree = study(designModule={"enrollmentInfo": {"count": count, "type": "ESTIMATED"}})
    source = read_study(json.dumps(tree).encode(), SourceInfo("made up"))
    done = transform(source, TARGETS["usdm-4.0"], Options())
    assert defects(done.findings) == []
    assert "plannedEnrollmentNumber" not in objects(done.document, "StudyDesignPopulation")[0]
    assert str(count).encode() in done.data
    assert noted(done, "number-out-of-range") == ["protocolSection.designModule.enrollmentInfo.count"]


def test_healthy_subjects_that_nobody_speaks_of_are_marked() -> None:
    """A missing answer about healthy subjects is false, as a placeholder with a mark."""
    assert population(healthyVolunteers=True)["includesHealthySubjects"] is True
    made = population()
    assert made["includesHealthySubjects"] is False
    assert words(made, "filledIn") == ["includesHealthySubjects"]


def test_criteria_are_split_and_written_as_html() -> None:
    """Criteria stand one by one with their category, and the population has them all."""
    text = "Inclusion Criteria:\n\n* Age \\>= 18\n* Fever & cough\n\nExclusion Criteria:\n\n* Pregnancy"
    made = version(study(eligibilityModule={"eligibilityCriteria": text}))
    plan = made["studyDesigns"][0]
    items = {each["id"]: each["text"] for each in made["eligibilityCriterionItems"]}
    found = [
        (each["identifier"], each["category"]["code"], items[each["criterionItemId"]])
        for each in plan["eligibilityCriteria"]
    ]
    assert found == [
        ("IN1", "C25532", "<p>Age &gt;= 18</p>"),
        ("IN2", "C25532", "<p>Fever &amp; cough</p>"),
        ("EX1", "C25370", "<p>Pregnancy</p>"),
    ]
    assert plan["population"]["criterionIds"] == [each["id"] for each in plan["eligibilityCriteria"]]


def test_criteria_that_cannot_be_split_stay_whole() -> None:
    """A text without a certain reading is one criterion of an unknown category, and an Issue."""
    made = converted(study(eligibilityModule={"eligibilityCriteria": "Ask us.\nReally."}), "usdm-4.0")
    ((criterion,), (item,)) = (
        objects(made.document, kind) for kind in ("EligibilityCriterion", "EligibilityCriterionItem")
    )
    assert (item["text"], criterion["category"]["decode"]) == ("<p>Ask us.</p><p>Really.</p>", "Unknown")
    assert noted(made, "criteria-not-study-wide")


# texts, dates, documents


def test_description_and_narrative() -> None:
    """The summary describes the study; the detailed description is a narrative content item."""
    made = build(full_study_of("INTERVENTIONAL"))
    assert made["study"]["description"].startswith("Made-up briefSummary")
    names = [each["name"] for each in objects(made, "NarrativeContentItem")]
    assert names == ["Detailed description", "Intervention model description"]


def test_only_whole_dates_are_governance_dates() -> None:
    """The day of the last update is the issued date of the version; part of a date is not made a whole one."""
    (date,) = version(study())["dateValues"]
    assert (date["type"]["decode"], date["dateValue"]) == ("Issued Date", "2021-03-02")
    tree = study(
        statusModule={"lastUpdatePostDateStruct": {"date": "2021-03"}, "startDateStruct": {"date": "2020-05"}}
    )
    made = version(tree)
    assert "dateValues" not in made
    assert words(made, "statusModule.lastUpdatePostDateStruct.date") == ["2021-03"]
    assert words(made, "statusModule.startDateStruct.date") == ["2020-05"]


def test_objects_in_lists_are_extension_classes() -> None:
    """A reference of the record is one extension attribute, which holds one for each of its fields."""
    tree = study(referencesModule={"references": [{"pmid": "1", "type": "BACKGROUND"}, {"citation": "Made up"}]})
    held = words(version(tree), "referencesModule.references")
    assert [[each["valueString"] for each in one["extensionAttributes"]] for one in held] == [
        ["1", "BACKGROUND"],
        ["Made up"],
    ]


def test_documents_of_the_record() -> None:
    """A protocol that the registry holds is a document of the study; its details are carried with it."""
    tree = study()
    doc = {"typeAbbrev": "Prot", "hasProtocol": True, "label": "Study Protocol", "filename": "Prot_000.pdf"}
    tree["documentSection"] = {"largeDocumentModule": {"largeDocs": [doc, {"hasSap": True}]}}
    one, two = converted(tree, "usdm-4.0").document["study"]["documentedBy"]
    assert (one["label"], one["type"]["decode"], two["type"]["decode"]) == (
        "Study Protocol",
        "Study Protocol",
        "Other",
    )
    assert "Prot_000.pdf" in str(one)


# what holds for every document


@pytest.mark.parametrize("kind", TYPES)
def test_texts_of_placeholders_are_issues(kind: str) -> None:
    """Whatever says that it is a placeholder is named by an Issue at its place."""
    made = converted(study(designModule={"studyType": kind}), "usdm-4.0")
    told = {found.target_path.partition(".")[0] for found in made.issues if found.code == "filled-in"}
    assert "StudyVersion" in told
    marked = [
        element["instanceType"]
        for group in ("StudyArm", "Endpoint", "Objective", "StudyEpoch", "ScheduleTimeline", "StudyTitle")
        for element in objects(made.document, group)
        if NOT_STATED in str(list(element.values()))
    ]
    assert set(marked) <= told


def test_base_stands_before_extension_urls() -> None:
    """The option for the base moves the urls of the extension attributes, and the id of the study with them."""
    usual, other = (
        converted(study(), "usdm-4.0", **options) for options in ({}, {"base": "https://example.org/x"})
    )
    assert b"https://w3id.org" not in other.data
    assert b"https://example.org/x/usdm/statusModule.overallStatus" in other.data
    assert usual.document["study"]["id"] != other.document["study"]["id"]


def test_ids_are_the_class_and_a_count() -> None:
    """Ids are counted by class from 1, without gaps."""
    made = build(full_study_of("INTERVENTIONAL"))
    for kind in ("Code", "ExtensionAttribute", "Organization", "StudyArm", "StudyRole", "Quantity"):
        numbers = sorted(int(each["id"].removeprefix(kind + "_")) for each in objects(made, kind))
        assert numbers == list(range(1, len(numbers) + 1)), kind
