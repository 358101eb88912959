"""The reader of the registry's legacy XML."""

from __future__ import annotations

import copy
import json
import time
import zipfile
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from lxml import etree

from legacy_made_up import STUDY
from trialconv.issues import SourceError
from trialconv.lineage import plain
from trialconv.readers._ctgov_xml_text import markup, unfolded
from trialconv.readers.ctgov_xml import read_ctgov_xml
from trialconv.record import Record, SourceInfo, enums
from trialconv_mappings.tables import table, table_names

SOURCE = SourceInfo("made-up.xml")


def _read(text: str) -> Record:
    return read_ctgov_xml(text.encode(), SOURCE)


def _tree(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(record.to_json())
    return found


def _minimal(*elements: str) -> str:
    """Return a study of an NCT number and the given elements."""
    return f"<clinical_study><id_info><nct_id>NCT99999901</nct_id></id_info>{''.join(elements)}</clinical_study>"


def _protocol(*elements: str) -> dict[str, Any]:
    found: dict[str, Any] = _tree(_read(_minimal(*elements)))["protocolSection"]
    return found


def _refused(data: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_ctgov_xml(data, SOURCE)
    return caught.value


# the whole of a study


def test_every_element_reaches_its_field() -> None:
    """A made-up study with every element of the schema becomes the API v2 study that says the same."""
    assert _tree(_read(STUDY)) == {
        "protocolSection": {
            "identificationModule": {
                "nctId": "NCT99999901",
                "nctIdAliases": ["NCT99999902"],
                "orgStudyIdInfo": {"id": "MADE-UP-1"},
                "secondaryIdInfos": [{"id": "MU-2"}, {"id": "MU-3"}],
                "briefTitle": "A Made-up Study of x < y",
                "officialTitle": "A Randomized Made-up Study",
                "acronym": "MADEUP",
                "organization": {"fullName": "Example University"},
            },
            "statusModule": {
                "statusVerifiedDate": "2019-03",
                "overallStatus": "UNKNOWN",
                "lastKnownStatus": "ACTIVE_NOT_RECRUITING",
                "whyStopped": "No more examples",
                "expandedAccessInfo": {"hasExpandedAccess": False},
                "startDateStruct": {"date": "2014-12-05", "type": "ACTUAL"},
                "primaryCompletionDateStruct": {"date": "2016-06", "type": "ESTIMATED"},
                "completionDateStruct": {"date": "2016-12", "type": "ESTIMATED"},
                "studyFirstSubmitDate": "2014-01-01",
                "studyFirstSubmitQcDate": "2014-01-02",
                "studyFirstPostDateStruct": {"date": "2014-01-03", "type": "ESTIMATED"},
                "dispFirstSubmitDate": "2017-02-01",
                "dispFirstSubmitQcDate": "2017-02-02",
                "dispFirstPostDateStruct": {"date": "2017-02-03", "type": "ACTUAL"},
                "lastUpdateSubmitDate": "2019-03-01",
                "lastUpdatePostDateStruct": {"date": "2019-03-02", "type": "ACTUAL"},
            },
            "sponsorCollaboratorsModule": {
                "responsibleParty": {
                    "type": "SPONSOR_INVESTIGATOR",
                    "investigatorFullName": "Ann B Example",
                    "investigatorTitle": "Professor",
                    "investigatorAffiliation": "Example University",
                },
                "leadSponsor": {"name": "Example University", "class": "OTHER"},
                "collaborators": [{"name": "Example Institute", "class": "FED"}, {"name": "Example Fund"}],
            },
            "oversightModule": {
                "oversightHasDmc": True,
                "isFdaRegulatedDrug": False,
                "isFdaRegulatedDevice": True,
                "isUnapprovedDevice": False,
                "isPpsd": False,
                "isUsExport": True,
            },
            "descriptionModule": {
                "briefSummary": "One short paragraph.",
                "detailedDescription": "First paragraph.\n\nSecond paragraph.",
            },
            "conditionsModule": {"conditions": ["Made-up Disease", "Other Disease"], "keywords": ["made up"]},
            "designModule": {
                "studyType": "INTERVENTIONAL",
                "expandedAccessTypes": {"individual": True, "intermediate": False, "treatment": True},
                "targetDuration": "5 Years",
                "phases": ["PHASE1", "PHASE2"],
                "designInfo": {
                    "allocation": "NON_RANDOMIZED",
                    "interventionModel": "CROSSOVER",
                    "interventionModelDescription": "One after the other",
                    "primaryPurpose": "ECT",
                    "observationalModel": "CASE_CONTROL",
                    "timePerspective": "CROSS_SECTIONAL",
                    "maskingInfo": {
                        "masking": "DOUBLE",
                        "maskingDescription": "Same look",
                        "whoMasked": ["PARTICIPANT", "OUTCOMES_ASSESSOR"],
                    },
                },
                "bioSpec": {"retention": "SAMPLES_WITHOUT_DNA", "description": "Spoons"},
                "enrollmentInfo": {"count": 12, "type": "ACTUAL"},
            },
            "armsInterventionsModule": {
                "armGroups": [
                    {
                        "label": "A",
                        "type": "SHAM_COMPARATOR",
                        "description": "Nothing real",
                        "interventionNames": ["Dietary Supplement: Made-up oil"],
                    },
                    {"label": "B", "interventionNames": ["Dietary Supplement: Made-up oil"]},
                ],
                "interventions": [
                    {
                        "type": "DIETARY_SUPPLEMENT",
                        "name": "Made-up oil",
                        "description": "By spoon",
                        "armGroupLabels": ["A", "B"],
                        "otherNames": ["Oil of nothing"],
                    }
                ],
            },
            "outcomesModule": {
                "primaryOutcomes": [
                    {"measure": "Change > 5", "description": "Counted if \\> 5", "timeFrame": "1 week"}
                ],
                "secondaryOutcomes": [{"measure": "Second"}],
                "otherOutcomes": [{"measure": "Third"}],
            },
            "eligibilityModule": {
                "eligibilityCriteria": "Inclusion Criteria:\n\n* age \\>= 18\n* well",
                "healthyVolunteers": True,
                "sex": "ALL",
                "genderBased": True,
                "genderDescription": "As stated",
                "minimumAge": "18 Years",
                "studyPopulation": "Everybody",
                "samplingMethod": "NON_PROBABILITY_SAMPLE",
            },
            "contactsLocationsModule": {
                "centralContacts": [
                    {
                        "name": "Front Desk",
                        "role": "CONTACT",
                        "phone": "555-0100",
                        "phoneExt": "7",
                        "email": "desk@example.org",
                    },
                    {"name": "Back Desk", "role": "CONTACT"},
                ],
                "overallOfficials": [
                    {"name": "Ann B Example, MD", "affiliation": "Example University", "role": "STUDY_CHAIR"}
                ],
                "locations": [
                    {
                        "facility": "Example Clinic",
                        "status": "ENROLLING_BY_INVITATION",
                        "city": "Springfield",
                        "state": "North",
                        "zip": "00000",
                        "country": "Utopia",
                        "contacts": [
                            {"name": "Clinic Desk", "role": "CONTACT"},
                            {"name": "Second Desk", "role": "CONTACT"},
                            {"name": "Cy Example", "role": "SUB_INVESTIGATOR"},
                        ],
                    }
                ],
            },
            "referencesModule": {
                "references": [
                    {"pmid": "1", "type": "BACKGROUND", "citation": "Made up A."},
                    {"type": "RESULT", "citation": "Made up B."},
                ],
                "seeAlsoLinks": [{"label": "See a\\_b", "url": "https://example.org/a_b"}],
                "availIpds": [
                    {"id": "D1", "type": "Study Protocol", "url": "https://example.org/doc", "comment": "Draft"}
                ],
            },
            "ipdSharingStatementModule": {
                "ipdSharing": "YES",
                "description": "All of it",
                "infoTypes": ["SAP", "ANALYTIC_CODE"],
                "timeFrame": "Later",
                "accessCriteria": "Ask",
                "url": "https://example.org/ipd",
            },
        },
        "annotationSection": {
            "annotationModule": {
                "unpostedAnnotation": {
                    "unpostedEvents": [
                        {"type": "RELEASE", "date": "2018-02-20"},
                        {"type": "UNRELEASE", "dateUnknown": True},
                        {"type": "RESET", "date": "2018-04-11"},
                    ]
                }
            }
        },
        "documentSection": {
            "largeDocumentModule": {
                "largeDocs": [
                    {
                        "typeAbbrev": "Prot_SAP",
                        "hasProtocol": True,
                        "hasSap": True,
                        "hasIcf": False,
                        "label": "Study Protocol and Statistical Analysis Plan",
                        "date": "2018-03-27",
                        "filename": "Prot_SAP_000.pdf",
                    }
                ]
            }
        },
        "derivedSection": {
            "miscInfoModule": {"removedCountries": ["Atlantis"]},
            "conditionBrowseModule": {"meshes": [{"term": "Disease"}]},
            "interventionBrowseModule": {"meshes": [{"term": "Oils"}]},
        },
        "hasResults": False,
    }


def test_elements_without_a_field_are_named() -> None:
    """What API v2 has no field for becomes an information Issue, once for each element."""
    issues = _read(STUDY).issues
    assert {(found.code, found.source_path, found.severity) for found in issues} == {
        ("field-not-mapped", "clinical_study/last_update_submitted_qc", "information"),
        ("field-not-mapped", "clinical_study/oversight_info/authority", "information"),
        ("field-not-mapped", "clinical_study/primary_outcome/safety_issue", "information"),
    }


def test_unknown_element_is_reported_at_every_place() -> None:
    """An element that nobody knows is reported with its path, inside whichever element it stands."""
    root = etree.fromstring(STUDY.encode(), etree.XMLParser(remove_comments=True))
    places = 0
    for position, place in enumerate(root.iter()):
        changed = copy.deepcopy(root)
        etree.SubElement(list(changed.iter())[position], "never_seen")
        record = read_ctgov_xml(etree.tostring(changed), SOURCE)
        paths = [found.source_path for found in record.issues if found.code == "unread-element"]
        assert len(paths) == 1, place.tag
        assert paths[0].endswith(f"{place.tag}/never_seen")
        places += 1
    assert places > 150


def test_repeated_element_attribute_and_stray_text_are_reported() -> None:
    """A second title, an attribute and text between elements are not dropped without notice."""
    text = _minimal("<brief_title lang='en'>A</brief_title><brief_title>B</brief_title> stray ")
    unread = {(found.source_path, found.message.partition(" (")[0]) for found in _read(text).issues}
    assert unread == {
        ("clinical_study/brief_title", "unknown element"),
        ("clinical_study/brief_title/@lang", "unknown attribute"),
        ("clinical_study", "unknown text beside the elements"),
    }


def test_markup_inside_a_text_keeps_its_words() -> None:
    """The words of unknown markup inside a text stay in the text, and the markup is reported."""
    record = _read(_minimal("<brief_title>A <b>bold</b> study</brief_title>"))
    assert record.study.protocol_section.identification_module.brief_title == "A bold study"
    assert [found.source_path for found in record.issues] == ["clinical_study/brief_title/b"]


# single values


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("December 5, 2024", "2024-12-05"),
        ("December 15, 2024", "2024-12-15"),
        ("December 2024", "2024-12"),
        ("2024", "2024"),
        ("Decembre 2024", None),
        ("2024-12-05", None),
    ],
)
def test_dates(text: str, date: str | None) -> None:
    """English dates become ISO dates of the same precision; anything else is an Issue and no date."""
    record = _read(_minimal(f"<start_date>{text}</start_date>"))
    assert record.study.protocol_section.status_module.start_date_struct.date == date
    assert [found.code for found in record.issues] == ([] if date else ["invalid-date"])


def test_unknown_label_is_kept_as_text() -> None:
    """A label without a row in its table stays as it is, with an Issue."""
    record = _read(_minimal("<overall_status>Paused for tea</overall_status>"))
    assert record.study.protocol_section.status_module.overall_status == "Paused for tea"
    assert [found.code for found in record.issues] == ["unknown-enum-value"]


def test_old_design_string_is_split() -> None:
    """The design string of before 2017 gives the same fields as the structured design."""
    found = _protocol(
        "<study_design>Allocation: Randomized, Endpoint Classification: Efficacy Study, "
        "Intervention Model: Parallel Assignment, Masking: Double Blind (Subject, Caregiver), "
        "Primary Purpose: Treatment</study_design>"
    )
    assert found["designModule"]["designInfo"] == {
        "allocation": "RANDOMIZED",
        "interventionModel": "PARALLEL",
        "primaryPurpose": "TREATMENT",
        "maskingInfo": {"masking": "DOUBLE", "whoMasked": ["PARTICIPANT", "CARE_PROVIDER"]},
    }


def test_unknown_part_of_a_design_string_is_reported() -> None:
    """A part of the design string that has no known name becomes an Issue."""
    record = _read(_minimal("<study_design>Allocation: Randomized, Mood: Good</study_design>"))
    assert [found.code for found in record.issues] == ["unread-element"]


def test_old_names_stand_in_for_new_ones() -> None:
    """The date elements of before 2018 and the old responsible party fill the same fields."""
    found = _protocol(
        "<firstreceived_date>May 1, 2001</firstreceived_date><lastchanged_date>May 2, 2001</lastchanged_date>"
        "<responsible_party><name_title>Dr. Example</name_title><organization>Example Inc.</organization>"
        "</responsible_party>"
    )
    assert found["statusModule"] == {"studyFirstSubmitDate": "2001-05-01", "lastUpdateSubmitDate": "2001-05-02"}
    assert found["sponsorCollaboratorsModule"]["responsibleParty"] == {
        "oldNameTitle": "Dr. Example",
        "oldOrganization": "Example Inc.",
    }


def test_patient_registry_and_phase_of_observational_studies() -> None:
    """A patient registry is observational; the N/A phase of such a study says nothing."""
    found = _protocol("<phase>N/A</phase><study_type>Observational [Patient Registry]</study_type>")
    assert found["designModule"] == {"studyType": "OBSERVATIONAL", "patientRegistry": True}


def test_numbers_and_answers_in_other_forms_are_reported() -> None:
    """A number that is none and an answer other than Yes and No give no value."""
    record = _read(
        _minimal(
            "<enrollment>many</enrollment><has_expanded_access>Perhaps</has_expanded_access>"
            "<number_of_arms>2</number_of_arms>"
        )
    )
    assert sorted(found.code for found in record.issues) == ["field-not-mapped", "wrong-type", "wrong-type"]


def test_countries_without_a_location_are_kept_apart() -> None:
    """Listed countries in which no location is stay in the extras."""
    assert _read(_minimal("<location_countries><country>Utopia</country></location_countries>")).extras == {
        "countries": ["Utopia"]
    }


def test_every_label_of_the_tables_leads_to_an_enum_value() -> None:
    """Each legacy table names values of one enum of the record, and each of its values is a member."""
    names = [name for name in table_names() if name.startswith("ctgov_legacy_")]
    assert len(names) > 15
    for name in names:
        for row in table(name):
            if row.code:
                members = get_args(getattr(enums, row.system.removeprefix("ctgov:")))
                assert row.code in members, f"{name}: {row.source}"


# text blocks


def test_folded_lines_become_one_paragraph() -> None:
    """Lines that were folded at 99 characters are joined; a line that ended early keeps its end."""
    long = "word " * 18 + "next"
    block = f"\n      {long}\n      follows here\n\n      short\n      line\n"
    assert unfolded(block) == f"{long} follows here\n\nshort\nline"


def test_lists_keep_their_items_and_levels() -> None:
    """List items become markdown items, nested ones after a blank line, numbered ones with their numbers."""
    block = (
        "\n        Inclusion:\n\n          -  first\n\n          -  second\n\n               -  inner\n\n"
        "               -  inner too\n\n          -  third\n\n        After\n\n"
        "          1. one\n\n          2. two\n"
    )
    assert unfolded(block) == (
        "Inclusion:\n\n* first\n* second\n\n  * inner\n  * inner too\n* third\n\nAfter\n\n1. one\n2. two"
    )


@pytest.mark.parametrize("text", ["a < b & c", r"back\slash \> it", "x^2 ~ [y] *z* a_b | `c`", "plain"])
def test_markup_reads_back_as_the_text(text: str) -> None:
    """Escaping a text and undoing the escapes gives the text."""
    assert plain(markup(text)) == text


# refusals

_LAUGHS = (
    '<!DOCTYPE clinical_study [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    "<clinical_study><id_info><nct_id>&b;</nct_id></id_info></clinical_study>"
)
_EXTERNAL = (
    '<?xml version="1.0"?><!DOCTYPE clinical_study [<!ENTITY a SYSTEM "file:///etc/hostname">]>'
    "<clinical_study><id_info><nct_id>&a;</nct_id></id_info></clinical_study>"
)


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", "malformed-source", "empty"),
        (b"<clinical_study><id_info>", "malformed-source", "not well-formed"),
        (b"no xml at all", "malformed-source", "not well-formed"),
        (b"\xff\xfe\x00", "malformed-source", "not well-formed"),
        (_LAUGHS.encode(), "malformed-source", "DOCTYPE"),
        (_LAUGHS.encode("utf-16"), "malformed-source", ""),
        (_EXTERNAL.encode(), "malformed-source", "DOCTYPE"),
        (b'<!DOCTYPE clinical_study SYSTEM "x.dtd"><clinical_study/>', "malformed-source", "DOCTYPE"),
        (b"<clinical_study>&nbsp;</clinical_study>", "malformed-source", "not well-formed"),
        (b"<a>" * 5000, "malformed-source", "not well-formed"),
        (b"<trials/>", "not-a-study", "<trials>"),
        (b"<clinical_study/>", "not-a-study", "nct_id"),
        (_minimal().replace("NCT99999901", "12").encode(), "not-a-study", "12"),
    ],
)
def test_hopeless_input_is_refused(data: bytes, code: str, message: str) -> None:
    """Input that is no record is refused with a code and a reason."""
    found = _refused(data).issue
    assert found.code == code
    assert message in found.message


def test_broken_xml_is_refused_with_its_place() -> None:
    """The refusal of broken XML names line and column."""
    found = _refused(b"<clinical_study>\n  <id_info>\n</clinical_study>").issue
    assert found.source_path.startswith("line 3, column ")


def test_doctype_inside_a_text_is_text() -> None:
    """Only a real DOCTYPE is refused, not the word in a CDATA section."""
    record = _read(_minimal("<brief_title><![CDATA[The <!DOCTYPE study]]></brief_title>"))
    assert record.study.protocol_section.identification_module.brief_title == "The <!DOCTYPE study"


def test_many_unknown_elements_take_linear_time() -> None:
    """A hundred thousand unknown elements are one Issue and take little time."""
    begun = time.perf_counter()
    record = _read(_minimal("<never_seen/>" * 100_000))
    assert time.perf_counter() - begun < 20
    (found,) = record.issues
    assert "100000 times" in found.message


# real records


@pytest.fixture(scope="module")
def xml_records(shared: Path) -> list[tuple[str, bytes]]:
    """All real legacy records at hand."""
    with zipfile.ZipFile(shared / "corpus" / "ctgov_xml-dev.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".xml"))
        return [(name, archive.read(name)) for name in names]


def test_real_records_are_read_without_unknown_parts(xml_records: list[tuple[str, bytes]]) -> None:
    """No element of a real record is unknown, no label without its enum value, no date unread."""
    # Two records hold a broken comment, whose rest is text beside the elements.
    broken = 0
    for name, data in xml_records:
        record = read_ctgov_xml(data, SourceInfo(name))
        worse = [found for found in record.issues if found.severity != "information"]
        assert all("text beside the elements" in found.message for found in worse), f"{name}: {worse}"
        broken += len(worse)
    assert broken <= 2


def test_every_word_of_a_real_record_is_in_the_study(xml_records: list[tuple[str, bytes]]) -> None:
    """The words of every text block are in the study, in the same order."""
    for name, data in xml_records:
        study = read_ctgov_xml(data, SourceInfo(name)).study.protocol_section
        root = etree.fromstring(data)
        for path, text in (
            ("brief_summary/textblock", study.description_module.brief_summary),
            ("detailed_description/textblock", study.description_module.detailed_description),
            ("eligibility/criteria/textblock", study.eligibility_module.eligibility_criteria),
        ):
            block = root.findtext(path) or ""
            assert _words(plain(text or "")) == _words(block), f"{name}: {path}"


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word not in ("-", "*")]


def test_record_that_is_also_at_hand_as_json_agrees(
    xml_records: list[tuple[str, bytes]], development_studies: list[tuple[str, bytes]]
) -> None:
    """Where the same study is at hand in both formats, what no later update touched is the same."""
    as_json = {name.partition(".")[0]: data for name, data in development_studies}
    pairs = [(data, as_json[Path(name).stem]) for name, data in xml_records if Path(name).stem in as_json]
    assert pairs
    for xml, other in pairs:
        wanted = json.loads(other)["protocolSection"]
        found = _tree(read_ctgov_xml(xml, SOURCE))["protocolSection"]
        for module in ("descriptionModule", "conditionsModule", "armsInterventionsModule", "oversightModule"):
            assert found[module] == wanted[module], module
        assert found["eligibilityModule"].items() <= wanted["eligibilityModule"].items()
        assert found["designModule"]["designInfo"] == wanted["designModule"]["designInfo"]
        assert found["identificationModule"]["officialTitle"] == wanted["identificationModule"]["officialTitle"]
