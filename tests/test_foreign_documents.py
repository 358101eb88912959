"""Documents that other programs wrote: read as far as the standard's elements go, and told what was not.

The studies are made up, in the shapes that are in use: resources inside of the study, R5's elements in R4 by way
of extensions, the registry's own pilot of R6, studies of an ODM tool.
"""

from __future__ import annotations

import json
from typing import Any

from made_up import Tree, record, study
from round_trip import only_record, outcomes, written
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.issues import SourceError
from trialconv.pipeline import transform
from trialconv.record import Record

_PHASES = "http://terminology.hl7.org/CodeSystem/research-study-phase"


def matching_service() -> Tree:
    """Return a study of R4 with everything inside of it, as services that match patients to trials give."""
    return {
        "resourceType": "ResearchStudy",
        "id": "1",
        "identifier": [
            {"use": "official", "system": "http://clinicaltrials.gov/", "value": "NCT99999901"},
            {"use": "secondary", "value": "MADE-UP-7"},
        ],
        "title": "A Made-up Study of Imaginary Fever",
        "status": "completed",
        "phase": {"coding": [{"system": _PHASES, "code": "phase-2-phase-3", "display": "phase 2/3"}]},
        "category": [{"text": "Study Type: Interventional"}],
        "condition": [
            {"text": "Imaginary Fever"},
            {"coding": [{"system": "urn:x", "code": "1", "display": "Cough"}]},
        ],
        "keyword": [{"text": "fever"}],
        "contact": [{"name": "Made-up Contact", "telecom": [{"system": "phone", "value": "1"}]}],
        "location": [{"text": "Norway"}],
        "description": "What it is about",
        "enrollment": [{"reference": "#group", "type": "Group", "display": "criteria"}],
        "period": {"start": "2020-01", "end": "2021-02-03"},
        "sponsor": {"reference": "#org"},
        "principalInvestigator": {"reference": "#pi"},
        "site": [{"reference": "#site"}, {"reference": "#gone"}],
        "arm": [{"name": "Arm A", "type": {"text": "EXPERIMENTAL"}, "description": "What it gets"}],
        "objective": [{"name": "To see whether it works"}],
        "contained": [
            {
                "resourceType": "Group",
                "id": "group",
                "type": "person",
                "actual": False,
                "quantity": 40,
                "characteristic": [
                    {
                        "code": {"text": "Minimum age"},
                        "valueQuantity": {
                            "value": 18,
                            "unit": "years",
                            "system": "http://unitsofmeasure.org",
                            "code": "a",
                        },
                        "exclude": False,
                    },
                    {"code": {"text": "Blood type"}, "valueBoolean": True, "exclude": False},
                ],
            },
            {"resourceType": "Organization", "id": "org", "name": "Made-up Sponsor"},
            {"resourceType": "Practitioner", "id": "pi", "name": [{"family": "Doe", "given": ["Jane", "Q."]}]},
            {
                "resourceType": "Location",
                "id": "site",
                "name": "Made-up Hospital",
                "address": {"city": "Oslo", "country": "Norway"},
                "telecom": [{"system": "phone", "value": "2"}],
            },
        ],
    }


def encoded(tree: Any) -> bytes:
    """Return the JSON of a document."""
    return json.dumps(tree).encode()


def told(found: Record) -> set[tuple[str, str]]:
    """Return the codes of a record's Issues with their places."""
    return {(each.code, each.source_path) for each in found.issues}


def test_contained_resources_are_read() -> None:
    """What stands inside of the study is found by its `#id`, and what the registry has no word for is named."""
    found = only_record(encoded(matching_service()))
    assert json.loads(found.to_json()) == {
        "protocolSection": {
            "identificationModule": {
                "nctId": "NCT99999901",
                "secondaryIdInfos": [{"id": "MADE-UP-7"}],
                "briefTitle": "A Made-up Study of Imaginary Fever",
            },
            "statusModule": {
                "overallStatus": "COMPLETED",
                "startDateStruct": {"date": "2020-01"},
                "completionDateStruct": {"date": "2021-02-03"},
            },
            "sponsorCollaboratorsModule": {"leadSponsor": {"name": "Made-up Sponsor"}},
            "descriptionModule": {"detailedDescription": "What it is about"},
            "conditionsModule": {"conditions": ["Imaginary Fever", "Cough"], "keywords": ["fever"]},
            "designModule": {"phases": ["PHASE2", "PHASE3"], "enrollmentInfo": {"count": 40}},
            "armsInterventionsModule": {
                "armGroups": [{"label": "Arm A", "type": "EXPERIMENTAL", "description": "What it gets"}]
            },
            "eligibilityModule": {"minimumAge": "18 Years"},
            "contactsLocationsModule": {
                "centralContacts": [{"name": "Made-up Contact", "phone": "1"}],
                "overallOfficials": [{"name": "Jane Q. Doe", "role": "PRINCIPAL_INVESTIGATOR"}],
                "locations": [{"facility": "Made-up Hospital", "city": "Oslo", "country": "Norway"}],
            },
        }
    }
    assert told(found) == {
        ("not-understood", "ResearchStudy.studyDesign"),
        ("not-understood", "ResearchStudy.objective.name"),
        ("not-understood", "Group.characteristic"),
        ("not-understood", "Location.telecom"),
        ("reference-unresolved", "ResearchStudy.site"),
    }


def test_a_foreign_study_can_be_converted() -> None:
    """A record that was read out of a foreign document becomes the documents of other standards."""
    found = only_record(encoded(matching_service()))
    for form in ("fhir-r5", "odm-2.0"):
        back = only_record(written(found, form))
        assert back.to_json() == found.to_json()


def test_extensions_of_r5_in_r4_under_another_spelling() -> None:
    """R5's elements in extensions are read whether their addresses begin with http or https."""
    made = json.loads(written(record(study(statusModule={"whyStopped": "why"})), "fhir-r4"))
    text = json.dumps(made).replace("http://hl7.org/fhir/5.0", "https://hl7.org/fhir/5.0")
    assert only_record(text.encode()).to_json() == only_record(encoded(made)).to_json()


def test_two_studies_give_two_records() -> None:
    """A Bundle with two studies gives a record for each, with what belongs to each."""
    arms = {
        "armGroups": [{"label": "A", "interventionNames": ["Drug: X"]}],
        "interventions": [{"type": "DRUG", "name": "X", "armGroupLabels": ["A"]}],
    }
    one = study("NCT99999901", armsInterventionsModule=arms, eligibilityModule={"sex": "ALL"})
    other = study("NCT99999902", eligibilityModule={"sex": "MALE"})
    bundles = [json.loads(written(record(each), "fhir-r4")) for each in (one, other)]
    bundle = {**bundles[0], "entry": bundles[0]["entry"] + bundles[1]["entry"]}
    found = outcomes(encoded(bundle))
    for each, tree in zip(found, (one, other), strict=True):
        assert isinstance(each, Record)
        assert json.loads(each.to_json()) == tree
        assert told(each) == {("several-studies", "Bundle")}


def test_lines_and_lists() -> None:
    """A Bundle a line gives a record each; resources a line, as bulk data has them, are one Bundle together."""
    bundles = [json.loads(written(record(study(f"NCT9999990{number}")), "fhir-r5")) for number in (1, 2)]
    lines = "\n".join(map(json.dumps, bundles)).encode()
    assert [each.nct_id for each in outcomes(lines)] == ["NCT99999901", "NCT99999902"]
    assert [each.nct_id for each in outcomes(encoded(bundles))] == ["NCT99999901", "NCT99999902"]
    resources = [entry["resource"] for entry in bundles[0]["entry"]]
    (found,) = outcomes("\n".join(map(json.dumps, resources)).encode())
    assert found.to_json() == only_record(encoded(bundles[0])).to_json()
    assert [each.source.place for each in outcomes(lines)] == ["", "line 2"]
    broken = lines.replace(b'{"resourceType": "Bundle"', b"{", 2).replace(b"\n{", b"\n{{")
    assert {type(each) for each in outcomes(lines + b"\n{{\n")} == {Record, SourceError}
    assert all(isinstance(each, SourceError) for each in outcomes(broken))


def test_a_resource_without_its_neighbours() -> None:
    """A study alone is read; what it refers to and is not there is named once for each kind of place."""
    bundle = json.loads(
        written(record(study(sponsorCollaboratorsModule={"leadSponsor": {"name": "S"}})), "fhir-r4")
    )
    found = only_record(encoded(bundle["entry"][0]["resource"]))
    assert found.nct_id == "NCT99999901"
    assert ("reference-unresolved", "ResearchStudy.sponsor") in told(found)


def registry_pilot() -> Tree:
    """Return a study in the shape of the registry's own pilot, a draft of R6."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {
                "resource": {
                    "resourceType": "ResearchStudy",
                    "id": "NCT99999901",
                    "meta": {"profile": ["http://hl7.org/fhir/uv/ebm/StructureDefinition/study-registry-record"]},
                    "identifier": [{"system": "https://clinicaltrials.gov", "value": "NCT99999901"}],
                    "title": "A Made-up Study",
                    "citeAs": "Made-up citation",
                    "status": "active",
                    "phase": {"coding": [{"system": _PHASES, "code": "phase-4"}]},
                    "progressStatus": [{"state": {"text": "COMPLETED"}}],
                    "comparisonGroup": [{"linkId": "a", "name": "Arm A"}],
                    "objective": [
                        {
                            "name": "Objective",
                            "outcomeMeasure": [
                                {
                                    "name": "Measure",
                                    "type": [
                                        {
                                            "coding": [
                                                {
                                                    "system": "http://hl7.org/fhir/research-study-objective-type",
                                                    "code": "primary",
                                                }
                                            ]
                                        }
                                    ],
                                }
                            ],
                        }
                    ],
                    "recruitment": {"targetNumber": 10, "eligibility": {"reference": "Group/g"}},
                }
            },
            {"resource": {"resourceType": "Group", "id": "g", "description": "Inclusion Criteria:\n\n* One"}},
            {"resource": {"resourceType": "Evidence", "id": "e", "status": "active"}},
        ],
    }


def test_r6_is_told_and_read_as_far_as_it_goes() -> None:
    """The registry's pilot of R6 is said to be R6, and what R5 has, too, is read."""
    found = only_record(encoded(registry_pilot()))
    protocol = found.study.protocol_section
    assert protocol.status_module.overall_status == "COMPLETED"
    assert protocol.design_module.phases == ["PHASE4"]
    assert protocol.design_module.enrollment_info.type == "ESTIMATED"
    assert [each.measure for each in protocol.outcomes_module.primary_outcomes] == ["Measure"]
    assert protocol.eligibility_module.eligibility_criteria == "Inclusion Criteria:\n\n* One"
    codes = {each.code: each.message for each in found.issues}
    assert "this is FHIR R6" in codes["fhir-version-not-read"]
    assert {
        ("not-understood", "ResearchStudy.citeAs"),
        ("not-understood", "ResearchStudy.objective.name"),
        ("not-understood", "Evidence"),
    } <= told(found)


def test_a_study_without_an_nct_number() -> None:
    """A study that no number of the registry is known of keeps its other ids, and becomes no other document."""
    tree = matching_service() | {"identifier": [{"system": "https://example.org/ids", "value": "../X 1"}]}
    found = only_record(encoded(tree))
    assert found.nct_id == ""
    assert found.name == "X-1"
    assert found.study.protocol_section.identification_module.org_study_id_info.id == "../X 1"
    assert ("no-registry-number", "") in told(found)
    wrong = only_record(
        encoded(tree | {"identifier": [{"system": "https://clinicaltrials.gov/nctid", "value": "NCT12/../x"}]})
    )
    assert wrong.nct_id == ""


def test_unknown_codes_are_not_guessed() -> None:
    """A code of another system, or a new one, gives no word; the text beside one is kept as a text."""
    tree = matching_service()
    tree["phase"] = {"coding": [{"system": "urn:x", "code": "2"}]}
    tree["arm"] = [{"name": "A", "type": {"coding": [{"system": "urn:x", "code": "2"}], "text": "Odd arm"}}]
    found = only_record(encoded(tree))
    assert found.study.protocol_section.design_module.phases == []
    assert found.study.protocol_section.arms_interventions_module.arm_groups[0].type == "Odd arm"
    assert ("no-word", "ResearchStudy.phase") in told(found)
    assert "unknown-enum-value" in {each.code for each in found.issues}


# ODM

_ODM_1 = """<?xml version="1.0"?>
<ODM xmlns="http://www.cdisc.org/ns/odm/v1.3" xmlns:sdm="http://www.cdisc.org/ns/studydesign/v1.0"
  xmlns:own="http://example.org/own" FileType="Snapshot" FileOID="F" CreationDateTime="2020-01-01T00:00:00Z"
  ODMVersion="1.3.2">
  <Study OID="S.1">
    <GlobalVariables>
      <StudyName>Made-up Fever Study</StudyName>
      <StudyDescription>What it is about</StudyDescription>
      <ProtocolName>MUF-1</ProtocolName>
    </GlobalVariables>
    <BasicDefinitions/>
    <MetaDataVersion OID="M.1" Name="Version 1">
      <Protocol>
        <Description><TranslatedText xml:lang="en">More of it</TranslatedText></Description>
        <sdm:Summary>
          <sdm:Parameter OID="P.1" Term="Trial Phase Classification" ShortName="TPHASE">
            <sdm:Value>PHASE II TRIAL</sdm:Value></sdm:Parameter>
          <sdm:Parameter OID="P.2" Term="Registry Identifier" ShortName="REGID">
            <sdm:Value>NCT99999901</sdm:Value></sdm:Parameter>
          <sdm:Parameter OID="P.3" Term="Registry Identifier" ShortName="REGID">
            <sdm:Value>2020-000000-00</sdm:Value></sdm:Parameter>
          <sdm:Parameter OID="P.4" Term="Trial is Randomized" ShortName="RANDOM"><sdm:Value>Y</sdm:Value>
          </sdm:Parameter>
          <sdm:Parameter OID="P.5" Term="Adaptive Design" ShortName="ADAPT">
            <sdm:Value>N</sdm:Value></sdm:Parameter>
        </sdm:Summary>
        <sdm:InclusionExclusionCriteria>
          <sdm:InclusionCriteria>
            <sdm:Criterion OID="C.7" Name="Age" ConditionOID="K.7"/>
          </sdm:InclusionCriteria>
        </sdm:InclusionExclusionCriteria>
        <sdm:Structure>
          <sdm:Arm OID="ARM.101" Name="Low dose"/>
          <sdm:Arm OID="ARM.102" Name="High dose">
            <Description><TranslatedText>Twice</TranslatedText></Description></sdm:Arm>
          <sdm:Epoch OID="E.1" Name="Screening" OrderNumber="1"/>
        </sdm:Structure>
      </Protocol>
      <StudyEventDef OID="SE.1" Name="Visit 1" Repeating="No" Type="Scheduled"/>
      <ConditionDef OID="K.7" Name="Age"><Description><TranslatedText>18 or older</TranslatedText></Description>
      </ConditionDef>
    </MetaDataVersion>
  </Study>
  <AdminData>
    <User OID="U.1" UserType="Investigator"><FullName>Made-up Person</FullName></User>
    <Location OID="L.9" Name="Made-up Hospital" LocationType="Site">
      <MetaDataVersionRef StudyOID="S.1" MetaDataVersionOID="M.1" EffectiveDate="2020-01-01"/></Location>
    <Location OID="L.10" Name="Made-up Lab" LocationType="Lab"/>
  </AdminData>
  <own:Thing/>
  <ClinicalData StudyOID="S.1" MetaDataVersionOID="M.1"/>
</ODM>
"""


def test_foreign_odm() -> None:
    """The names, texts, parameters, arms, criteria and sites of another tool's ODM are read; the rest is named."""
    found = only_record(_ODM_1.encode())
    assert json.loads(found.to_json()) == {
        "protocolSection": {
            "identificationModule": {
                "nctId": "NCT99999901",
                "orgStudyIdInfo": {"id": "MUF-1"},
                "secondaryIdInfos": [{"id": "2020-000000-00"}],
                "briefTitle": "Made-up Fever Study",
            },
            "descriptionModule": {"briefSummary": "What it is about", "detailedDescription": "More of it"},
            "designModule": {"phases": ["PHASE2"], "designInfo": {"allocation": "RANDOMIZED"}},
            "armsInterventionsModule": {
                "armGroups": [{"label": "Low dose"}, {"label": "High dose", "description": "Twice"}]
            },
            "eligibilityModule": {"eligibilityCriteria": "Inclusion Criteria:\n\n* 18 or older"},
            "contactsLocationsModule": {"locations": [{"facility": "Made-up Hospital"}]},
        }
    }
    assert told(found) == {
        ("not-understood", "StudyParameter[ADAPT]"),
        ("not-understood", "ODM/Study/MetaDataVersion/Protocol/sdm:Structure/sdm:Epoch"),
        ("not-understood", "ODM/Study/MetaDataVersion/StudyEventDef"),
        ("not-understood", "AdminData/User"),
        ("not-understood", "AdminData/Location"),
        ("not-understood", "ODM/{http://example.org/own}Thing"),
        ("not-understood", "ODM/ClinicalData"),
    }


def test_odm_with_two_studies() -> None:
    """Each study of an ODM document becomes a record."""
    two = _ODM_1.replace(
        "<AdminData>", _ODM_1[_ODM_1.index("<Study ") : _ODM_1.index("<AdminData>")] + "<AdminData>"
    )
    found = outcomes(two.replace("NCT99999901", "NCT99999902", 1).encode())
    assert [each.nct_id for each in found] == ["NCT99999902", "NCT99999901"]
    assert all(("several-studies", "ODM") in told(each) for each in found)


def test_plain_odm_is_read_as_far_as_it_goes() -> None:
    """ODM 1.3.2 without a study design gives names, texts, criteria and sites."""
    tree = study(
        eligibilityModule={"eligibilityCriteria": "Anybody"},
        descriptionModule={"briefSummary": "S"},
        contactsLocationsModule={"locations": [{"facility": "F"}]},
    )
    data = transform(record(tree), TARGETS["odm-1.3.2-plain"], Options()).data
    back = only_record(data).study.protocol_section
    assert back.identification_module.nct_id == "NCT99999901"
    assert back.description_module.brief_summary == "S"
    assert back.eligibility_module.eligibility_criteria == "Anybody"
    assert [site.facility for site in back.contacts_locations_module.locations] == ["F"]
