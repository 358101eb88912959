"""The reader of the registry's legacy XML: posted results."""

from __future__ import annotations

import copy
import time
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lxml import etree

from legacy_made_up_results import RESULTS
from trialconv.lineage import plain
from trialconv.readers.ctgov_xml import read_ctgov_xml
from trialconv.record import Record, SourceInfo
from trialconv_mappings.tables import table, table_names

SOURCE = SourceInfo("made-up.xml")


def _read(results: str) -> Record:
    """Return the record of a study of an NCT number and results."""
    ids = "<id_info><nct_id>NCT99999901</nct_id></id_info>"
    return read_ctgov_xml(f"<clinical_study>{ids}{results}</clinical_study>".encode(), SOURCE)


def _section(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(record.to_json())["resultsSection"]
    return found


def _codes(record: Record) -> list[str]:
    """Return the Issues of a record, those of its results among them."""
    assert record.results
    return sorted(found.code for found in record.issues)


def _of(*elements: str) -> str:
    return f"<clinical_results>{''.join(elements)}</clinical_results>"


def _outcome(*elements: str) -> str:
    groups = '<group_list><group group_id="O1"><title>Oil</title></group></group_list>'
    return _of(f"<outcome_list><outcome><title>Spoons</title>{groups}{''.join(elements)}</outcome></outcome_list>")


# the whole of the results


def test_participant_flow() -> None:
    """Groups, periods, milestones and reasons, with their numbers and comments."""
    assert _section(_read(RESULTS))["participantFlowModule"] == {
        "preAssignmentDetails": "One\ntwo",
        "recruitmentDetails": "In 2 towns, aged \\> 17",
        "groups": [
            {"id": "FG000", "title": "Oil", "description": "By spoon \\> 5 mL"},
            {"id": "FG001", "title": "Water"},
        ],
        "periods": [
            {
                "title": "Overall Study",
                "milestones": [
                    {
                        "type": "STARTED",
                        "achievements": [
                            {"groupId": "FG000", "comment": "One came late", "numSubjects": "6"},
                            {"groupId": "FG001", "numSubjects": "6"},
                        ],
                    }
                ],
                "dropWithdraws": [
                    {
                        "type": "Death",
                        "reasons": [{"groupId": "FG001", "comment": "Of age", "numSubjects": "1"}],
                    }
                ],
            }
        ],
    }


def test_baseline() -> None:
    """Numbers analyzed at all three levels, units beside participants, classes, categories and measurements."""
    assert _section(_read(RESULTS))["baselineCharacteristicsModule"] == {
        "populationDescription": "All of them",
        "typeUnitsAnalyzed": "Spoons",
        "groups": [{"id": "BG000", "title": "Oil"}, {"id": "BG001", "title": "Total"}],
        "denoms": [
            {
                "units": "Participants",
                "counts": [{"groupId": "BG000", "value": "6"}, {"groupId": "BG001", "value": "12"}],
            },
            {"units": "Spoons", "counts": [{"groupId": "BG000", "value": "7"}]},
        ],
        "measures": [
            {
                "title": "Age",
                "description": "In years \\< 99",
                "populationDescription": "Those who knew it",
                "paramType": "MEAN",
                "dispersionType": "INTER_QUARTILE_RANGE",
                "unitOfMeasure": "years",
                "denomUnitsSelected": "Participants",
                "denoms": [{"units": "Participants", "counts": [{"groupId": "BG000", "value": "5"}]}],
                "classes": [
                    {
                        "title": "Morning",
                        "denoms": [{"units": "Participants", "counts": [{"groupId": "BG000", "value": "4"}]}],
                        "categories": [
                            {
                                "title": "Early",
                                "measurements": [
                                    {
                                        "groupId": "BG000",
                                        "value": "NA",
                                        "spread": "0.5",
                                        "lowerLimit": "1",
                                        "upperLimit": "2",
                                        "comment": "Not\nknown",
                                    }
                                ],
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_outcomes() -> None:
    """An outcome with its measure and a statistical analysis, and one without."""
    assert _section(_read(RESULTS))["outcomeMeasuresModule"]["outcomeMeasures"] == [
        {
            "type": "POST_HOC",
            "title": "Spoons Left",
            "description": "Counted",
            "populationDescription": "Those with spoons",
            "anticipatedPostingDate": "2017-05",
            "paramType": "LEAST_SQUARES_MEAN",
            "dispersionType": "84% Confidence Interval",
            "unitOfMeasure": "spoons",
            "timeFrame": "1 week",
            "groups": [{"id": "OG000", "title": "Oil"}, {"id": "OG001", "title": "Water"}],
            "denoms": [{"units": "Participants", "counts": [{"groupId": "OG000", "value": "6"}]}],
            "classes": [{"categories": [{"measurements": [{"groupId": "OG001", "value": "3.0"}]}]}],
            "analyses": [
                {
                    "paramType": "Mean Difference (Net)",
                    "paramValue": "1.5",
                    "dispersionType": "STANDARD_ERROR_OF_MEAN",
                    "dispersionValue": "0.2",
                    "statisticalMethod": "ANOVA",
                    "statisticalComment": "Two ways",
                    "pValue": "<0.001",
                    "pValueComment": "Not adjusted",
                    "ciNumSides": "TWO_SIDED",
                    "ciPctValue": "95",
                    "ciLowerLimit": "1.0",
                    "ciUpperLimit": "NA",
                    "ciUpperLimitComment": "Not reached",
                    "estimateComment": "Oil minus water",
                    "testedNonInferiority": True,
                    "nonInferiorityType": "NON_INFERIORITY_OR_EQUIVALENCE",
                    "nonInferiorityComment": "Margin 1",
                    "otherAnalysisDescription": "By hand",
                    "groupDescription": "Both",
                    "groupIds": ["OG000", "OG001"],
                }
            ],
        },
        {"type": "OTHER_PRE_SPECIFIED", "title": "Mood", "anticipatedPostingDate": "2018"},
    ]


def test_adverse_events() -> None:
    """Totals go to the groups; vocabulary and assessment of a table hold where an event has none of its own."""
    assert _section(_read(RESULTS))["adverseEventsModule"] == {
        "frequencyThreshold": "5",
        "timeFrame": "1 week",
        "description": "Asked for \\[daily\\]",
        "eventGroups": [
            {
                "id": "EG000",
                "title": "Oil",
                "deathsNumAffected": 0,
                "deathsNumAtRisk": 6,
                "seriousNumAffected": 2,
                "seriousNumAtRisk": 6,
            },
            {
                "id": "EG001",
                "title": "Water",
                "seriousNumAffected": 1,
                "seriousNumAtRisk": 5,
                "otherNumAffected": 4,
                "otherNumAtRisk": 5,
            },
        ],
        "seriousEvents": [
            {
                "term": "Headache",
                "organSystem": "Nervous system disorders",
                "sourceVocabulary": "MedDRA (20.0)",
                "assessmentType": "SYSTEMATIC_ASSESSMENT",
                "stats": [
                    {"groupId": "EG000", "numEvents": 3, "numAffected": 2, "numAtRisk": 6},
                    {"groupId": "EG001", "numAtRisk": 5},
                ],
            },
            {
                "term": "Dizzy",
                "organSystem": "Nervous system disorders",
                "sourceVocabulary": "Own words",
                "assessmentType": "NON_SYSTEMATIC_ASSESSMENT",
                "notes": "After noon",
                "stats": [{"groupId": "EG001", "numAffected": 1, "numAtRisk": 5}],
            },
        ],
        "otherEvents": [
            {"term": "Wet", "organSystem": "Investigations", "stats": [{"groupId": "EG001", "numEvents": 1}]}
        ],
    }


def test_more_information() -> None:
    """Limitations, agreements and the point of contact."""
    assert _section(_read(RESULTS))["moreInfoModule"] == {
        "limitationsAndCaveats": {"description": "Few \\*spoons\\*"},
        "certainAgreement": {
            "piSponsorEmployee": False,
            "restrictionType": "OTHER",
            "restrictiveAgreement": True,
            "otherDetails": "Ask first.",
        },
        "pointOfContact": {
            "title": "Front Desk",
            "organization": "Example University",
            "email": "desk@example.org",
            "phone": "555-0100",
        },
    }


def test_the_only_issue_is_the_abandoned_question() -> None:
    """Every element of the results is read but the question of safety, which the registry gave up."""
    record = _read(RESULTS)
    assert record.study.has_results is True
    assert _codes(record) == ["field-not-mapped"]
    assert record.issues[0].source_path == "clinical_study/clinical_results/outcome_list/outcome/safety_issue"


def test_unknown_parts_are_reported_at_every_place() -> None:
    """An unknown element and an unknown attribute are reported at whichever place of the results they stand."""
    root = etree.fromstring(f"<clinical_study>{RESULTS}</clinical_study>")
    etree.SubElement(etree.SubElement(root, "id_info"), "nct_id").text = "NCT99999901"
    results = root.find("clinical_results")
    assert results is not None
    places = [root.getroottree().getpath(element) for element in results.iter()]
    for place in places:
        changed = copy.deepcopy(root)
        (element,) = changed.xpath(place)
        element.set("odd", "1")
        etree.SubElement(element, "never_seen")
        unread = [
            found.source_path or ""
            for found in read_ctgov_xml(etree.tostring(changed), SOURCE).issues
            if found.code == "unread-element"
        ]
        assert sorted(path.rpartition("/")[2] for path in unread) == ["@odd", "never_seen"], place
    assert len(places) > 150


# words and numbers that are not as expected


def test_unknown_words_stay_as_text() -> None:
    """A word without a row in its table stays, with an Issue, wherever it stands."""
    changed = RESULTS
    for word in (
        "Post-Hoc",
        "Least Squares Mean",
        "Inter-Quartile Range",
        "Non-Inferiority or Equivalence",
        "Standard Error of the Mean",
        "2-Sided",
        "Non-systematic Assessment",
    ):
        assert changed.count(f">{word}<") == 1
        changed = changed.replace(f">{word}<", f">Odd {word}<")
    record = _read(changed)
    assert _codes(record) == ["field-not-mapped", *["unknown-enum-value"] * 7]
    outcome = record.results.outcome_measures_module.outcome_measures[0]
    assert outcome.type == "Odd Post-Hoc"
    assert outcome.analyses[0].ci_num_sides == "Odd 2-Sided"


def test_a_scope_elsewhere_and_texts_that_differ_are_reported() -> None:
    """A scope that is not that of the place, and a measure that is called other than its outcome, leave Issues."""
    scope = RESULTS.replace("<scope>Overall</scope>", "<scope>Class</scope>", 1)
    assert _codes(_read(scope)) == ["field-not-mapped"] * 2
    record = _read(_outcome("<measure><title>Forks</title></measure>"))
    assert _codes(record) == ["field-not-mapped"]
    assert "'Forks'" in record.issues[0].message


def test_numbers_dates_and_answers_in_other_forms() -> None:
    """What is no whole number, date or answer gives an Issue and no value."""
    record = _read(RESULTS.replace('events="3"', 'events="many"').replace("05/2017", "13/2017"))
    assert _codes(record) == ["field-not-mapped", "invalid-date", "wrong-type"]
    assert record.results.adverse_events_module.serious_events[0].stats[0].num_events is None
    record = _read(_of("<certain_agreements><pi_employee>Some</pi_employee></certain_agreements>"))
    assert _codes(record) == ["wrong-type"]


_NO_AGREEMENT = (
    "There is NOT an agreement between Principal Investigators and the Sponsor (or its agents) that restricts the "
    "PI's rights to discuss or publish trial results after the trial is completed. "
)


@pytest.mark.parametrize(
    ("text", "agreement", "codes"),
    [
        (_NO_AGREEMENT, {"restrictiveAgreement": False}, []),
        *(
            (row.source, {"restrictionType": row.code, "restrictiveAgreement": True}, [])
            for row in table("ctgov_legacy_restriction")
        ),
        (
            "Not for *a* year.",
            {
                "restrictionType": "OTHER",
                "restrictiveAgreement": True,
                "otherDetails": "Not for \\*a\\* year.",
            },
            [],
        ),
        (
            "There IS an agreement between Principal Investigators and the Sponsor (or its agents) of some kind.",
            {
                "otherDetails": "There IS an agreement between Principal Investigators and the Sponsor (or its "
                "agents) of some kind."
            },
            ["unknown-enum-value"],
        ),
    ],
)
def test_agreements(text: str, agreement: dict[str, Any], codes: list[str]) -> None:
    """The registry's sentences are answers; any other text is what a sponsor wrote under Other."""
    part = f"<restrictive_agreement>{text}</restrictive_agreement>"
    record = _read(_of(f"<certain_agreements>{part}</certain_agreements>"))
    assert _section(record)["moreInfoModule"]["certainAgreement"] == agreement
    assert _codes(record) == codes


# groups and totals


def test_ids_of_another_kind_stay() -> None:
    """A table with an id of another kind keeps all its ids, and so does what refers to a group not listed."""
    for ids in (("P1", "first"), ("FG000", "FG001"), ("P1", "Q1")):
        groups = "".join(f'<group group_id="{id_}"/>' for id_ in ids)
        flow = f"<participant_flow><group_list>{groups}</group_list></participant_flow>"
        found = _read(_of(flow)).results.participant_flow_module.groups
        assert [group.id for group in found] == list(ids)
    analysis = "<analysis><group_id_list><group_id>O1</group_id><group_id>O7</group_id></group_id_list></analysis>"
    record = _read(_outcome(f"<analysis_list>{analysis}</analysis_list>"))
    assert record.results.outcome_measures_module.outcome_measures[0].analyses[0].group_ids == ["OG000", "O7"]


def test_totals_that_contradict_are_reported() -> None:
    """A second, other total of a group, and one of a group that is not listed, are not taken."""
    second = RESULTS.replace(
        '"E2" subjects_affected="1" subjects_at_risk="5"/>', '"E1" subjects_affected="9"/>', 1
    )
    unlisted = RESULTS.replace('<counts group_id="E2" subjects_affected="4"', '<counts subjects_affected="4"', 1)
    for changed in (second, unlisted):
        record = _read(changed)
        assert _codes(record) == ["field-not-mapped"] * 2
        assert record.results.adverse_events_module.event_groups[0].serious_num_affected == 2


def test_an_event_in_a_category_called_total_stays_an_event() -> None:
    """Only the three totals of the registry are totals."""
    record = _read(RESULTS.replace("Total, other adverse events", "Total, odd events"))
    assert [event.term for event in record.results.adverse_events_module.other_events] == [
        "Total, odd events",
        "Wet",
    ]


# results of before December 2016


def test_categories_without_classes() -> None:
    """The categories of an older measure are those of one class."""
    record = _read(
        _outcome(
            "<measure_list><measure><title>Number of Participants</title></measure><measure><title>Spoons</title>"
            "<units>spoons</units><category_list><category><sub_title>Big</sub_title><measurement_list>"
            '<measurement group_id="O1" value="1"/></measurement_list></category></category_list></measure>'
            "</measure_list>"
        )
    )
    (outcome,) = _section(record)["outcomeMeasuresModule"]["outcomeMeasures"]
    assert outcome["unitOfMeasure"] == "spoons"
    assert outcome["classes"] == [
        {"categories": [{"title": "Big", "measurements": [{"groupId": "OG000", "value": "1"}]}]}
    ]
    # The numbers of participants stood as a measure of their own.
    (found,) = record.issues
    assert (found.code, (found.source_path or "").rpartition("/")[2]) == ("unread-element", "measure")


def test_measures_that_cannot_be_told_apart_stay_unread() -> None:
    """Of two measures with the title of the outcome none is taken for it."""
    measures = "<measure><title>Spoons</title></measure>" * 2
    record = _read(_outcome(f"<measure_list>{measures}</measure_list>"))
    assert _codes(record) == ["unread-element"]


def test_empty_and_repeated_results() -> None:
    """Empty results give no section; what a second one holds is reported."""
    assert "resultsSection" not in msgspec.json.decode(_read(_of()).to_json())
    record = _read(_of() + _of("<point_of_contact/>"))
    assert _codes(record) == ["unread-element"]


def test_large_tables_take_little_time() -> None:
    """Time grows with the size of a table, not with its square."""
    number = 20_000
    groups = "".join(f'<group group_id="g{n}"/>' for n in range(number))
    counts = "".join(f'<counts group_id="g{n}" subjects_affected="1"/>' for n in range(number))
    events = (
        "<category_list><category><title>Total</title><event_list><event>"
        f"<sub_title>Total, serious adverse events</sub_title>{counts}"
        "</event></event_list></category></category_list>"
    )
    begun = time.process_time()
    record = _read(
        _of(
            f"<reported_events><group_list>{groups}</group_list><serious_events>{events}</serious_events>"
            "</reported_events>"
        )
    )
    assert time.process_time() - begun < 10
    assert record.issues == []


# real records


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    else:
        yield " ".join(plain(str(value)).split())


def test_results_of_real_records_are_read_to_the_end(shared: Path) -> None:
    """Real results leave no Issue, their ids are numbered from 0, and each of their texts and numbers is there."""
    with zipfile.ZipFile(shared / "corpus" / "ctgov_xml-dev.zip") as archive:
        documents = [archive.read(name) for name in archive.namelist()]
    labels = {row.source for name in table_names() if name.startswith("ctgov_legacy_") for row in table(name)}
    said_otherwise = ("scope", "posting_date", "pi_employee", "restrictive_agreement", "group_id")
    read = 0
    for data in (each for each in documents if b"<clinical_results>" in each):
        record = read_ctgov_xml(data, SOURCE)
        assert record.results
        places = [found.source_path or "" for found in record.issues]
        assert not [place for place in places if "clinical_results" in place or place.startswith("resultsSection")]
        section = _section(record)
        held = set(_leaves(section))
        root = etree.fromstring(data).find("clinical_results")
        assert root is not None
        for element in root.iter(etree.Element):
            attributes = [str(value) for name, value in element.attrib.items() if name != "group_id"]
            text = (element.text or "") if not len(element) and element.tag not in said_otherwise else ""
            for value in (*attributes, text):
                words = " ".join(value.split())
                total = words == "Total" or words.startswith("Total, ")
                assert not words or words in held or words in labels or total, (record.nct_id, element.tag, words)
        for name, letter in (("participantFlowModule", "F"), ("baselineCharacteristicsModule", "B")):
            groups = section[name]["groups"]
            assert [each["id"] for each in groups] == [f"{letter}G{n:03}" for n in range(len(groups))]
        read += 1
    assert read > 10


def test_results_that_are_also_at_hand_in_api_v1_agree(shared: Path) -> None:
    """The results of the study that is there in both forms are the same, ids of groups and counts among them."""
    with (
        zipfile.ZipFile(shared / "corpus" / "ctgov_xml-dev.zip") as xml,
        zipfile.ZipFile(shared / "corpus" / "ctgov_v1_json-dev.zip") as json,
    ):
        names = {Path(each).stem.partition(".")[0]: each for each in json.namelist() if each.endswith(".json")}
        both = [each for each in xml.namelist() if Path(each).stem in names]
        assert both
        for name in both:
            wanted = Counter(_leaves(_v1_results(msgspec.json.decode(json.read(names[Path(name).stem])))))
            found = Counter(_leaves(_section(read_ctgov_xml(xml.read(name), SOURCE))))
            spoken = Counter(_WORDS.get(each, each) for each in found.elements())
            # API v1 says that a measure is posted and which age it is, and had no field for limitations yet.
            assert set(wanted - spoken) == {"Posted", "Age, Continuous"}
            assert len(spoken - wanted) == 2


#: API v1 has the words of the registry's forms, as the XML has them, and Yes and No.
_WORDS = {"True": "Yes", "False": "No"} | {
    row.code: row.source
    for name in ("measure_param", "measure_dispersion", "outcome_type", "non_inferiority", "assessment")
    for row in table(f"ctgov_legacy_{name}")
}


def _v1_results(tree: Any) -> Any:
    """Return the results in an answer of API v1, wherever they stand in it."""
    if isinstance(tree, dict):
        if "ResultsSection" in tree:
            return tree["ResultsSection"]
        return next((found for item in tree.values() if (found := _v1_results(item))), None)
    return next((found for item in tree if (found := _v1_results(item))), None) if isinstance(tree, list) else None


def test_the_tables_have_the_words_of_the_schema(shared: Path) -> None:
    """Each table of the results has the words that the registry's schema lists, and no other."""
    tree = etree.parse(shared / "corpus" / "schemas" / "ctgov_public.xsd", etree.XMLParser(no_network=True))
    for name, kind in (
        ("measure_param", "measure_param_enum"),
        ("measure_dispersion", "measure_dispersion_enum"),
        ("outcome_type", "outcome_type_enum"),
        ("non_inferiority", "non_inferiority_type_enum"),
        ("analysis_dispersion", "analysis_dispersion_enum"),
        ("ci_sides", "n_sides_enum"),
        ("assessment", "event_assessment_enum"),
    ):
        (listed,) = (each for each in tree.getroot().iter("{*}simpleType") if each.get("name") == kind)
        words = {each.get("value") for each in listed.iter("{*}enumeration")}
        assert {row.source for row in table(f"ctgov_legacy_{name}")} == words, name
