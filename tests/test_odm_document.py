"""The ODM mapping: where what a registry says stands in the document, and what becomes an Issue."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from lxml import etree

from odm_made_up import NCT, context, full_study, leaf_paths
from trialconv import __version__
from trialconv.context import Context, Options
from trialconv.formats import ODM_VERSIONS, OdmVersion
from trialconv.odm_tree import Node
from trialconv.record import Record, SourceInfo, study_from_tree
from trialconv.validators.odm import validate_odm_xml
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.cdisc.durations import duration
from trialconv_mappings.odm.document import build_odm
from trialconv_mappings.odm.homes import HOMES

#: The options for ODM 1.3.2 without SDM-XML.
PLAIN: dict[str, Any] = {"odm_version": "1.3.2", "odm_plain": True}
SYSTEM = "https://www.cdisc.org/standards/terminology"


def study(**modules: Any) -> dict[str, Any]:
    """Return a made-up study with the given modules of its protocol section."""
    modules.setdefault("identificationModule", {"nctId": NCT, "orgStudyIdInfo": {"id": "MADE-UP-1"}})
    return {"protocolSection": modules}


def built(tree: dict[str, Any], **options: Any) -> tuple[Node, Context]:
    """Return the document of a study and the context with its Issues."""
    ctx = context(tree, **options)
    return build_odm(ctx), ctx


def parameters(node: Node) -> dict[str, tuple[str, ...]]:
    """Return the values of every study parameter by short name."""
    found: dict[str, tuple[str, ...]] = {}
    for parameter in (*node.find_all("StudyParameter"), *node.find_all("sdm:Parameter")):
        value = parameter.elements[0]
        name = parameter.attributes["ShortName"]
        found[name] = (*found.get(name, ()), value.attributes.get("Value", value.text))
    return found


def codings(node: Node, short_name: str) -> list[tuple[str, str]]:
    """Return code and version of the codings of a parameter's value."""
    return [
        (coding.attributes["Code"], coding.attributes["SystemVersion"])
        for parameter in node.find_all("StudyParameter")
        if parameter.attributes["ShortName"] == short_name
        for value in parameter.find_all("ParameterValue")
        for coding in value.find_all("Coding")
    ]


def one(node: Node, name: str) -> Node:
    """Return the only element of a name."""
    (found,) = node.find_all(name)
    return found


def codes(ctx: Context) -> set[str]:
    """Return the codes of the Issues, without those that every document has."""
    return {found.code for found in ctx.issues} - {"filled-in"}


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_root_says_what_the_file_is(version: OdmVersion) -> None:
    """The root has the namespace and version, the clock's instant and the name and version of the program."""
    root, _ = built(full_study(), odm_version=version, created="2001-02-03T04:05:06Z")
    assert root.attributes["ODMVersion"] == version
    assert root.attributes["FileType"] == "Snapshot"
    assert root.attributes["Granularity"] == "Metadata"
    assert root.attributes["CreationDateTime"] == "2001-02-03T04:05:06Z"
    assert root.attributes["SourceSystem"] == "trialconv"
    assert root.attributes["SourceSystemVersion"] == __version__
    assert NCT in root.attributes["FileOID"]


def test_study_is_named_as_the_sponsor_names_it() -> None:
    """Study and protocol have the sponsor's id, no title and no status."""
    root, _ = built(study())
    attributes = one(root, "Study").attributes
    assert (attributes["StudyName"], attributes["ProtocolName"]) == ("MADE-UP-1", "MADE-UP-1")
    assert "Status" not in attributes


def test_study_without_an_id_of_the_sponsor_has_the_nct_number() -> None:
    """Without an id of the sponsor the NCT number stands in for it and is listed as filled in."""
    root, ctx = built(study(identificationModule={"nctId": NCT}))
    assert one(root, "Study").attributes["ProtocolName"] == NCT
    assert any("NCT number" in found.message for found in ctx.issues if found.code == "filled-in")


def test_version_is_that_of_the_record() -> None:
    """The metadata version is named after the day of the last update and the hash of the content."""
    tree = study(statusModule={"lastUpdatePostDateStruct": {"date": "2020-05-06"}})
    root, ctx = built(tree)
    label = f"2020-05-06.{ctx.record.version.content_hash[:12]}"
    assert one(root, "Study").attributes["VersionID"] == label
    assert one(root, "MetaDataVersion").attributes["OID"] == f"MDV.{label}"


def test_changed_record_has_another_version() -> None:
    """Another content has another version and file OID."""
    first, _ = built(study(descriptionModule={"briefSummary": "One"}))
    second, _ = built(study(descriptionModule={"briefSummary": "Two"}))
    assert first.attributes["FileOID"] != second.attributes["FileOID"]


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_equal_records_give_equal_bytes(version: OdmVersion) -> None:
    """The same record gives the same bytes on every run."""
    first, _ = built(full_study(), odm_version=version)
    second, _ = built(copy.deepcopy(full_study()), odm_version=version)
    assert write_odm_xml(first) == write_odm_xml(second)


def test_nothing_is_made_up() -> None:
    """A registry states no objectives, epochs, visits, timings or forms, and the document has none."""
    root, _ = built(full_study())
    for name in ("StudyObjectives", "Epoch", "StudyEventDef", "StudyTimings", "ItemGroupDef", "WorkflowDef"):
        assert list(root.find_all(name)) == []


@pytest.mark.parametrize(
    ("phases", "value", "code"),
    [
        (["NA"], "NOT APPLICABLE", "C48660"),
        (["EARLY_PHASE1"], "EARLY PHASE I", "C54721"),
        (["PHASE1", "PHASE2"], "PHASE I/II TRIAL", "C15693"),
        (["PHASE2", "PHASE3"], "PHASE II/III TRIAL", "C15694"),
        (["PHASE4"], "PHASE IV TRIAL", "C15603"),
    ],
)
def test_phase_is_coded(phases: list[str], value: str, code: str) -> None:
    """The phase has its CDISC term as trial phase and as parameter; two phases are one term."""
    root, ctx = built(study(designModule={"phases": phases}))
    assert one(root, "TrialPhase").attributes["Value"] == value
    assert parameters(root)["TPHASE"] == (value,)
    assert codings(root, "TPHASE") == [(code, "2026-03-27")]
    assert parameters(root)[f"CTG.phases.{len(phases)}"] == (phases[-1],)
    assert codes(ctx) == set()


def test_unusual_phases_stay_words() -> None:
    """Phases that have no term together are carried in the registry's words and noted."""
    root, ctx = built(study(designModule={"phases": ["PHASE1", "PHASE4"]}))
    assert list(root.find_all("TrialPhase")) == []
    assert "TPHASE" not in parameters(root)
    assert (parameters(root)["CTG.phases.1"], parameters(root)["CTG.phases.2"]) == (("PHASE1",), ("PHASE4",))
    assert codes(ctx) == {"no-code"}


def test_quadruple_masking_keeps_its_word() -> None:
    """Quadruple masking is DOUBLE BLIND in CDISC's terms; the word and who is masked stand beside it."""
    masking = {"masking": "QUADRUPLE", "whoMasked": ["PARTICIPANT", "INVESTIGATOR"]}
    root, _ = built(study(designModule={"designInfo": {"maskingInfo": masking}}))
    found = parameters(root)
    assert found["TBLIND"] == ("DOUBLE BLIND",)
    assert found["CTG.masking"] == ("QUADRUPLE",)
    assert (found["CTG.whoMasked.1"], found["CTG.whoMasked.2"]) == (("PARTICIPANT",), ("INVESTIGATOR",))
    assert codings(root, "CTG.whoMasked.2") == [("C25936", "2026-03-27")]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ACTUAL", {"ACTSUB": ("12",)}), ("ESTIMATED", {"PLANSUB": ("12",)}), (None, {})],
)
def test_enrollment_is_planned_or_actual_only_where_the_registry_says_so(
    kind: str | None, expected: dict[str, tuple[str]]
) -> None:
    """The number of subjects is planned or actual by its type, and without one only the registry's number."""
    enrollment = {"count": 12, "type": kind} if kind else {"count": 12}
    root, _ = built(study(designModule={"enrollmentInfo": enrollment}))
    found = parameters(root)
    assert {name: found[name] for name in ("ACTSUB", "PLANSUB") if name in found} == expected
    assert found["CTG.enrollmentInfo.count"] == ("12",)


@pytest.mark.parametrize(
    ("words", "iso"),
    [
        ("18 Years", "P18Y"),
        ("1 Year", "P1Y"),
        ("6 Months", "P6M"),
        ("2 Weeks", "P2W"),
        ("3 Days", "P3D"),
        ("5 Hours", "PT5H"),
        ("18 Minutes", "PT18M"),
    ],
)
def test_age_is_a_duration(words: str, iso: str) -> None:
    """An age limit is an ISO 8601 duration, with the registry's words beside it."""
    root, ctx = built(study(eligibilityModule={"minimumAge": words}))
    assert parameters(root)["AGEMIN"] == (iso,)
    assert parameters(root)["CTG.minimumAge"] == (words,)
    assert codes(ctx) == set()


@pytest.mark.parametrize("words", ["N/A", "18", "eighteen Years", "18 Lustra", "", "18 Years "])
def test_other_words_are_no_duration(words: str) -> None:
    """Words that are not a number and a unit give no duration."""
    assert duration(words) is None


def test_age_that_is_not_understood_stays_words() -> None:
    """An age limit in other words is noted and carried as it stands."""
    root, ctx = built(study(eligibilityModule={"minimumAge": "from birth"}))
    assert "AGEMIN" not in parameters(root)
    assert parameters(root)["CTG.minimumAge"] == ("from birth",)
    assert codes(ctx) == {"age-not-understood"}


@pytest.mark.parametrize(("least", "expected"), [("2 Years", {"age-order"}), ("12 Months", set())])
def test_order_of_ages_is_checked(least: str, expected: set[str]) -> None:
    """A minimum above the maximum is noted, whatever the units."""
    _, ctx = built(study(eligibilityModule={"minimumAge": least, "maximumAge": "18 Months"}))
    assert codes(ctx) == expected


@pytest.mark.parametrize("date", ["2020", "2020-05", "2020-05-06"])
def test_dates_keep_their_precision(date: str) -> None:
    """A partial date stays as precise as it is."""
    status = {"startDateStruct": {"date": date}, "completionDateStruct": {"date": date}}
    root, ctx = built(study(statusModule=status))
    assert (parameters(root)["SSTDTC"], parameters(root)["SENDTC"]) == ((date,), (date,))
    assert codes(ctx) == set()


def test_wrong_date_stays_words() -> None:
    """What is no date is no start date; it is noted and carried in the registry's words."""
    root, ctx = built(study(statusModule={"startDateStruct": {"date": "2020-02-30"}}))
    assert "SSTDTC" not in parameters(root)
    assert parameters(root)["CTG.startDateStruct.date"] == ("2020-02-30",)
    assert codes(ctx) == {"invalid-date"}


def test_condition_is_coded_only_where_the_mesh_term_is_the_condition() -> None:
    """A MeSH code stands at the condition that its term equals but for case, and at no other."""
    tree = study(conditionsModule={"conditions": ["Made-up fever", "Made-up cough"]})
    meshes = [{"id": "D000001", "term": "Made-up Fever"}, {"id": "D000002", "term": "Cough"}]
    tree["derivedSection"] = {"conditionBrowseModule": {"meshes": meshes}}
    root, _ = built(tree)
    first, second = root.find_all("StudyIndication")
    coding = one(first, "Coding").attributes
    assert (coding["System"], coding["Code"]) == ("https://www.nlm.nih.gov/mesh", "D000001")
    assert list(second.find_all("Coding")) == []
    assert parameters(root)["INDIC"] == ("Made-up fever", "Made-up cough")


def test_repeated_parameters_have_numbered_oids() -> None:
    """A parameter has one value, so that a repeated one has OIDs with the position in the registry's list."""
    root, _ = built(study(conditionsModule={"keywords": ["one", "two"]}))
    oids = [
        parameter.attributes["OID"]
        for parameter in root.find_all("StudyParameter")
        if parameter.attributes["ShortName"] == "KEYWORD"
    ]
    assert oids == ["PAR.KEYWORD.1", "PAR.KEYWORD.2"]


def test_interventions_are_coded_by_type() -> None:
    """An intervention has its name and description as text and its type as code; OTHER has no code."""
    items = [
        {"type": "DRUG", "name": "Made-up drug", "description": "5 mg \\> 3 mg"},
        {"type": "OTHER", "name": "Made-up other"},
    ]
    root, ctx = built(study(armsInterventionsModule={"interventions": items}))
    drug, other = root.find_all("StudyIntervention")
    assert one(drug, "TranslatedText").text == "Made-up drug\n\n5 mg > 3 mg"
    assert one(drug, "Coding").attributes["Code"] == "C1909"
    assert list(other.find_all("Coding")) == []
    assert parameters(root)["INTTYPE"] == ("DRUG",)
    assert codes(ctx) == set()


def test_other_outcomes_have_no_level() -> None:
    """Primary and secondary outcomes have their level; other ones have none, since Exploratory is not said."""
    outcome = [{"measure": "Made-up measure"}]
    module = {"primaryOutcomes": outcome, "secondaryOutcomes": outcome, "otherOutcomes": outcome}
    root, _ = built(study(outcomesModule=module))
    levels = [(point.attributes["OID"], point.attributes.get("Level")) for point in root.find_all("StudyEndPoint")]
    assert levels == [("EP.PRI.1", "Primary"), ("EP.SEC.1", "Secondary"), ("EP.OTH.1", None)]


def test_criteria_refer_to_their_conditions() -> None:
    """Each criterion refers to a condition with its text, and the whole text is carried as well."""
    text = "Inclusion Criteria:\n\n* Age \\>= 18\n* Fever\n\nExclusion Criteria:\n\n* Cough"
    root, ctx = built(study(eligibilityModule={"eligibilityCriteria": text}))
    criteria = [
        (each.attributes["OID"], each.attributes["ConditionOID"], one(each, "TranslatedText").text)
        for each in root.find_all("Criterion")
    ]
    assert criteria == [
        ("CRIT.INCL.1", "COND.INCL.1", "Age >= 18"),
        ("CRIT.INCL.2", "COND.INCL.2", "Fever"),
        ("CRIT.EXCL.1", "COND.EXCL.1", "Cough"),
    ]
    conditions = {
        each.attributes["OID"]: one(each, "TranslatedText").text for each in root.find_all("ConditionDef")
    }
    assert conditions == {condition: words for _, condition, words in criteria}
    assert parameters(root)["CTG.eligibilityCriteria"] == (text.replace("\\", ""),)
    assert codes(ctx) == set()


@pytest.mark.parametrize(
    ("options", "conditions"),
    [({"odm_version": "2.0"}, []), ({"odm_version": "1.3.2"}, []), (PLAIN, ["COND.ELIG"])],
)
def test_text_without_a_kind_stays_whole(options: dict[str, Any], conditions: list[str]) -> None:
    """Criteria of no stated kind make no criterion; a parameter or one condition carries the text."""
    root, ctx = built(study(eligibilityModule={"eligibilityCriteria": "Any\\_body."}), **options)
    assert list(root.find_all("Criterion")) == []
    assert codes(ctx) == {"criteria-not-study-wide"}
    assert [each.attributes["OID"] for each in root.find_all("ConditionDef")] == conditions
    if not conditions:
        found = parameters(root)
        assert found["CTG.eligibilityCriteria"] == ("Any_body.",)
        assert found["CTG.eligibilityCriteria.markup"] == ("Any\\_body.",)
    assert b"Any_body." in write_odm_xml(root)


def test_criteria_of_a_cohort_are_one() -> None:
    """The criteria of a cohort are one criterion that begins with its words."""
    text = "Inclusion Criteria:\n\n* Adult\n\nExclusion Criteria for Cohort B:\n\n* one\n* two"
    root, ctx = built(study(eligibilityModule={"eligibilityCriteria": text}))
    found = [one(each, "TranslatedText").text for each in root.find_all("Criterion")]
    assert found == ["Adult", "Exclusion Criteria for Cohort B:\n* one\n* two"]
    assert codes(ctx) == {"criteria-not-study-wide"}


def test_part_that_cannot_be_split_is_one() -> None:
    """A part without a certain reading is one criterion, with an Issue."""
    text = "Inclusion Criteria:\n\n* Adult\n* One of the following:\n* fever\n* cough"
    root, ctx = built(study(eligibilityModule={"eligibilityCriteria": text}))
    found = [one(each, "TranslatedText").text for each in root.find_all("Criterion")]
    assert found == ["Adult", "One of the following:\n* fever\n* cough"]
    assert codes(ctx) == {"criteria-partly-split"}


def test_secondary_ids_have_contexts_of_their_own() -> None:
    """Two secondary ids of one type stand under different contexts, as an Alias demands."""
    ids = [{"id": "1", "type": "OTHER"}, {"id": "2", "type": "OTHER"}, {"id": "3"}]
    root, _ = built(study(identificationModule={"nctId": NCT, "secondaryIdInfos": ids}))
    aliases = {each.attributes["Context"]: each.attributes["Name"] for each in root.find_all("Alias")}
    assert aliases == {
        "ClinicalTrials.gov": NCT,
        "secondaryId:1:OTHER": "1",
        "secondaryId:2:OTHER": "2",
        "secondaryId:3": "3",
    }


def contacts_study() -> dict[str, Any]:
    """Return a made-up study with an official, a central contact and a site with a contact."""
    contact = {"name": "Made-up Person", "role": "CONTACT", "phone": "555-0100", "email": "one@example.org"}
    place = {
        "facility": "Made-up Hospital",
        "city": "Oslo",
        "country": "Norway",
        "contacts": [{**contact, "name": "Made-up Site Person"}],
        "geoPoint": {"lat": 59.9, "lon": 0.00001},
    }
    official = {"name": "Made-up Official", "affiliation": "Made-up Institute", "role": "PRINCIPAL_INVESTIGATOR"}
    return study(
        contactsLocationsModule={
            "centralContacts": [contact],
            "overallOfficials": [official],
            "locations": [place],
        },
        sponsorCollaboratorsModule={"leadSponsor": {"name": "Made-up Institute", "class": "OTHER"}},
    )


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_contacts_are_persons_of_their_site(version: OdmVersion) -> None:
    """Contacts have name, e-mail and telephone, and those of a site refer to it."""
    root, _ = built(contacts_study(), odm_version=version)
    users = {user.attributes["OID"]: user for user in root.find_all("User")}
    assert set(users) == {"USR.OFF.1", "USR.CEN.1", "USR.LOC.1.1"}
    text = write_odm_xml(users["USR.LOC.1.1"]).decode()
    for value in ("Made-up Site Person", "one@example.org", "555-0100", 'LocationOID="LOC.1"'):
        assert value in text


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_contacts_can_be_withheld(version: OdmVersion) -> None:
    """Without contacts no name, e-mail or telephone of a contact stands in the document; officials stay."""
    root, ctx = built(contacts_study(), odm_version=version, contacts=False)
    text = write_odm_xml(root).decode()
    for value in ("Made-up Person", "Made-up Site Person", "one@example.org", "555-0100"):
        assert value not in text
    assert "Made-up Official" in text
    assert [found.code for found in ctx.issues].count("withheld-contact") == 1


def test_no_contact_detail_of_the_full_study_passes_when_withheld() -> None:
    """Without contacts none of the values of the contacts' fields stands in the document, but for their roles."""
    tree = full_study()
    module = tree["protocolSection"]["contactsLocationsModule"]
    contacts = [*module["centralContacts"], *module["locations"][0]["contacts"]]
    text = write_odm_xml(built(tree, contacts=False)[0]).decode()
    details = [value for contact in contacts for key, value in contact.items() if key != "role"]
    assert len(details) == 8
    assert [value for value in details if value in text] == []


def test_official_belongs_to_the_organisation_of_the_same_name() -> None:
    """An affiliation that is exactly the sponsor's name refers to the sponsor's organisation."""
    root, _ = built(contacts_study())
    (organization,) = (node for node in root.find_all("Organization"))
    official = next(user for user in root.find_all("User") if user.attributes["OID"] == "USR.OFF.1")
    assert organization.attributes["Type"] == "Sponsor"
    assert official.attributes["OrganizationOID"] == organization.attributes["OID"]
    assert official.attributes["UserType"] == "Investigator"


def test_site_has_its_address() -> None:
    """A site has its place, the code of its country, the registry's name of it, and its position as decimals."""
    root, _ = built(contacts_study())
    address = one(root, "Address")
    found = {child.name: child.text for child in address.children if isinstance(child, Node)}
    assert found == {"City": "Oslo", "Country": "NO", "GeoPosition": "", "OtherText": "Norway"}
    assert one(address, "GeoPosition").attributes == {"Longitude": "0.00001", "Latitude": "59.9"}


@pytest.mark.parametrize(("country", "expected"), [("Atlantis", {"country-without-code"}), ("Kosovo", set())])
def test_country_without_a_code_stays_a_name(country: str, expected: set[str]) -> None:
    """A country without a code has its name only; it is noted unless the table says that there is no code."""
    root, ctx = built(study(contactsLocationsModule={"locations": [{"facility": "F", "country": country}]}))
    assert list(root.find_all("Country")) == []
    assert one(root, "OtherText").text == country
    assert codes(ctx) == expected


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_site_without_a_facility_is_named_by_its_place(version: OdmVersion) -> None:
    """A site without a name is named by its place, and the name is listed as filled in."""
    places = [{"city": "Oslo", "country": "Norway"}, {}]
    root, ctx = built(study(contactsLocationsModule={"locations": places}), odm_version=version)
    names = [location.attributes["Name"] for location in root.find_all("Location")]
    assert names == ["Oslo, Norway", "Site 2"]
    filled = [found.source_path for found in ctx.issues if found.code == "filled-in" and "name" in found.message]
    assert filled == ["protocolSection.contactsLocationsModule.locations[].facility"] * 2
    assert validate_odm_xml(write_odm_xml(root)) == []


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_character_that_xml_cannot_hold_is_replaced(version: OdmVersion) -> None:
    """A control character becomes U+FFFD, and an Issue names the field and the place."""
    root, ctx = built(study(descriptionModule={"briefSummary": "a\x0bb\ufffec\n"}), odm_version=version)
    assert "a\ufffdb\ufffdc\n" in write_odm_xml(root).decode()
    (found,) = (each for each in ctx.issues if each.code == "character-replaced")
    assert found.source_path == "protocolSection.descriptionModule.briefSummary"
    assert "U+000B" in found.message
    assert validate_odm_xml(write_odm_xml(root)) == []


def test_character_in_a_carried_field_is_replaced() -> None:
    """The same holds for a field that is carried as a parameter."""
    root, ctx = built(study(statusModule={"whyStopped": "a\x00b"}))
    assert parameters(root)["CTG.whyStopped"] == ("a\ufffdb",)
    (found,) = (each for each in ctx.issues if each.code == "character-replaced")
    assert found.source_path == "protocolSection.statusModule.whyStopped"
    assert found.target_path == "StudyParameter[@OID='PAR.CTG.whyStopped']"


def test_every_text_passes_the_replacement() -> None:
    """A control character in any text of the full study leaves a document that can be read."""
    tree = with_control_characters(full_study())
    tree["protocolSection"]["identificationModule"]["nctId"] = NCT
    for version in ODM_VERSIONS:
        study_context = context_of_any(tree, version)
        etree.fromstring(write_odm_xml(build_odm(study_context)))


def with_control_characters(tree: Any) -> Any:
    """Return the tree with a control character at the end of every text that is no word of the OpenAPI."""
    if isinstance(tree, dict):
        return {key: with_control_characters(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [with_control_characters(value) for value in tree]
    return f"{tree}\x01" if isinstance(tree, str) else tree


def context_of_any(tree: dict[str, Any], version: OdmVersion) -> Context:
    """Return a context for a study that may hold words which the OpenAPI does not list."""
    made, _ = study_from_tree(tree)
    return Context(
        Record(made, SourceInfo("made up")), Options(odm_version=version, created="2001-01-01T00:00:00Z")
    )


def test_unknown_words_stay_words() -> None:
    """A word that the OpenAPI does not list is carried as text, without a code, and noted."""
    tree = study(
        designModule={"studyType": "MADE_UP_TYPE", "phases": ["PHASE9"]}, eligibilityModule={"sex": "ANY"}
    )
    ctx = context_of_any(tree, "2.0")
    root = build_odm(ctx)
    found = parameters(root)
    assert found["CTG.studyType"] == ("MADE_UP_TYPE",)
    assert found["CTG.sex"] == ("ANY",)
    assert {"STYPE", "SEXPOP", "TPHASE"} & set(found) == set()
    assert [each.code for each in ctx.issues if each.code != "filled-in"] == ["no-code"] * 3
    assert validate_odm_xml(write_odm_xml(root)) == []


def test_texts_outside_of_the_data_structure_are_carried() -> None:
    """What a source says beyond the registry's data structure is carried under its name."""
    ctx = context(study())
    ctx.record.extras.update({"title": "Made-up title", "unread": {"Made-up section": ["a", "b"]}})
    found = parameters(build_odm(ctx))
    assert found["CTG.extras.title"] == ("Made-up title",)
    assert found["CTG.extras.unread.Made-up section.2"] == ("b",)


def test_no_short_name_stands_for_two_fields() -> None:
    """Each parameter of the full study has an OID of its own, and each of the registry's a short name."""
    root, _ = built(full_study())
    oids = [parameter.attributes["OID"] for parameter in root.find_all("StudyParameter")]
    assert len(oids) == len(set(oids))
    names = [each.attributes["ShortName"] for each in root.find_all("StudyParameter")]
    own = [name for name in names if name.startswith("CTG.")]
    assert len(own) == len(set(own)) == len(set(leaf_paths()) - HOMES["2.0"])


def test_official_parameters_are_coded() -> None:
    """Every official parameter has the term and the code of TSPARMCD, with the version of its codelist."""
    root, _ = built(full_study())
    official = [each for each in root.find_all("StudyParameter") if "." not in each.attributes["ShortName"]]
    assert len(official) > 35
    for parameter in official:
        coding = parameter.children[-1]
        assert isinstance(coding, Node)
        assert coding.attributes["System"] == SYSTEM
        assert coding.attributes["SystemVersion"] == "2025-03-28"
        assert len(parameter.attributes["ShortName"]) <= 8


def test_plain_document_has_what_odm_1_3_2_can_hold() -> None:
    """Plain ODM 1.3.2 holds names, texts, ids, conditions, persons and sites, and no parameters."""
    root, _ = built(full_study(), **PLAIN)
    names = {child.name: child.text for child in one(root, "GlobalVariables").children if isinstance(child, Node)}
    ids = full_study()["protocolSection"]["identificationModule"]
    assert names["StudyName"] == names["ProtocolName"] == ids["orgStudyIdInfo"]["id"]
    assert one(root, "Location").attributes["LocationType"] == "Site"
    assert parameters(root) == {}
    assert b"studydesign" not in write_odm_xml(root)
    assert [each.attributes["OID"] for each in root.find_all("ConditionDef")] == [
        "COND.INCL.1",
        "COND.EXCL.1",
        "COND.ELIG",
    ]


def test_study_without_a_summary_has_an_empty_description() -> None:
    """ODM 1.3.2 demands a description: without a summary it is empty, and listed as filled in."""
    root, ctx = built(study(), odm_version="1.3.2")
    assert one(root, "StudyDescription").text == ""
    assert any(found.target_path == "GlobalVariables/StudyDescription" for found in ctx.issues)
    assert validate_odm_xml(write_odm_xml(root)) == []


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_smallest_study_is_valid(version: OdmVersion) -> None:
    """A study with nothing but its number gives a valid document."""
    root, _ = built(study(identificationModule={"nctId": NCT}), odm_version=version)
    assert validate_odm_xml(write_odm_xml(root)) == []


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_names_that_the_registry_leaves_out_are_filled_in(version: OdmVersion) -> None:
    """Arms, outcomes and persons without a name still give a valid document."""
    tree = study(
        armsInterventionsModule={"armGroups": [{}], "interventions": [{}]},
        outcomesModule={"primaryOutcomes": [{}]},
        contactsLocationsModule={"centralContacts": [{}], "overallOfficials": [{}]},
        conditionsModule={"conditions": [""]},
    )
    root, _ = built(tree, odm_version=version)
    assert validate_odm_xml(write_odm_xml(root)) == []
