"""What a record becomes in TS and TI."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_up import noted, study
from sdtm_made_up import converted, criteria_study, parameter, records, values
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import read, transform
from trialconv.xport import decode_xport
from trialconv_mappings.sdtm.ascii_text import ascii_text
from trialconv_mappings.sdtm.datasets import pieces, shortened, width

LONG = "made-up words " * 40


def test_coded_value_has_term_code_and_version_of_its_codelist() -> None:
    """A coded value is the submission value, beside its code, CDISC CT and the version of that very codelist."""
    made = converted(
        study(
            designModule={"studyType": "INTERVENTIONAL", "phases": ["PHASE2", "PHASE3"]},
            armsInterventionsModule={"armGroups": [{"label": "Made-up arm", "type": "PLACEBO_COMPARATOR"}]},
        )
    )
    (phase,) = parameter(made, "TPHASE")
    assert (phase["TSVAL"], phase["TSVALCD"]) == ("PHASE II/III TRIAL", "C15694")
    assert (phase["TSVCDREF"], phase["TSVCDVER"]) == ("CDISC CT", "2026-03-27")
    (control,) = parameter(made, "TCNTRL")
    assert (control["TSVAL"], control["TSVALCD"], control["TSVCDVER"]) == ("PLACEBO", "C49648", "2025-03-28")


def test_one_row_per_value_numbered_in_the_registrys_order() -> None:
    """Each condition has a row of its own, and TSSEQ is its place in the registry's list."""
    made = converted(study(conditionsModule={"conditions": ["Made-up Fever", "Made-up Cough", "A third one"]}))
    assert [(each["TSSEQ"], each["TSVAL"]) for each in parameter(made, "INDIC")] == [
        (1, "Made-up Fever"),
        (2, "Made-up Cough"),
        (3, "A third one"),
    ]


def test_rows_are_sorted_by_their_keys() -> None:
    """TS is sorted by TSPARMCD and TSSEQ, TI by IETESTCD."""
    made = converted(criteria_study("Made-up cough", "Made-up fever"))
    rows = records(made, "ts.json")
    assert rows == sorted(rows, key=lambda each: (each["TSPARMCD"], each["TSSEQ"]))
    names = [each["IETESTCD"] for each in records(made, "ti.json")]
    assert names == sorted(names)


def test_a_type_is_listed_once() -> None:
    """Three drugs and a device are two intervention types."""
    interventions = [{"type": kind, "name": f"Made-up {kind}"} for kind in ("DRUG", "DRUG", "DEVICE", "DRUG")]
    made = converted(study(armsInterventionsModule={"interventions": interventions}))
    assert [value for value, _ in values(made, "INTTYPE")] == ["DRUG", "DEVICE"]


def test_missing_parameters_have_null_flavors_and_nothing_else() -> None:
    """What the record does not say is a row with a null flavor, without value, code or terminology."""
    made = converted(study())
    (tested,) = parameter(made, "TTYPE")
    assert tested["TSVALNF"] == "NI"
    assert {tested[name] for name in ("TSVAL", "TSVALCD", "TSVCDREF", "TSVCDVER")} == {None}
    assert values(made, "SSTDTC") == [(None, "NA")]


@pytest.mark.parametrize("name", ["TBLIND", "RANDOM", "INTMODEL", "TCNTRL", "TPHASE", "NARMS"])
def test_what_is_asked_of_interventional_studies_only_is_not_applicable_to_others(name: str) -> None:
    """An observational study has no blinding that could be missing."""
    assert values(converted(study(designModule={"studyType": "OBSERVATIONAL"})), name) == [(None, "NA")]
    assert values(converted(study(designModule={"studyType": "INTERVENTIONAL"})), name) == [(None, "NI")]


def test_word_outside_of_a_codelist_is_other() -> None:
    """A purpose and a type that the codelists do not have are the null flavor OTH, and no term."""
    made = converted(
        study(
            designModule={"designInfo": {"primaryPurpose": "ECT"}},
            armsInterventionsModule={"interventions": [{"type": "OTHER"}, {"type": "DRUG"}]},
        )
    )
    assert values(made, "TINDTP") == [(None, "OTH")]
    assert values(made, "INTTYPE") == [(None, "OTH"), ("DRUG", None)]


def test_words_for_no_value_are_null_flavors() -> None:
    """A sponsor's "Unknown" or "N/A" is a null flavor and no value."""
    made = converted(study(conditionsModule={"conditions": ["Unknown", "N/A", "Unknown fever"]}))
    assert values(made, "INDIC") == [(None, "UNK"), (None, "NA"), ("Unknown fever", None)]
    assert made.findings == []


def test_term_that_says_less_is_named() -> None:
    """Where the codelist's term says less than the registry's word, an Issue has both."""
    made = converted(study(designModule={"designInfo": {"maskingInfo": {"masking": "QUADRUPLE"}}}))
    (found,) = [each for each in made.issues if each.code == "broader-term"]
    assert "QUADRUPLE" in found.message
    assert "DOUBLE BLIND" in found.message


def test_phase_that_does_not_apply_is_a_term() -> None:
    """The registry's NA is the term NOT APPLICABLE of the codelist and no null flavor."""
    assert values(converted(study(designModule={"phases": ["NA"]})), "TPHASE") == [("NOT APPLICABLE", None)]


@pytest.mark.parametrize(
    ("eligibility", "least", "most"),
    [
        ({"minimumAge": "18 Years", "maximumAge": "6 Months"}, ("P18Y", None), ("P6M", None)),
        ({"minimumAge": "18 Years"}, ("P18Y", None), (None, "PINF")),
        ({"minimumAge": "18 Years", "stdAges": ["ADULT", "OLDER_ADULT"]}, ("P18Y", None), (None, "PINF")),
        ({"minimumAge": "18 Years", "stdAges": ["ADULT"]}, ("P18Y", None), (None, "NI")),
        ({"maximumAge": "12 Hours"}, (None, "NINF"), ("PT12H", None)),
        ({"sex": "ALL"}, (None, "NINF"), (None, "PINF")),
        ({}, (None, "NI"), (None, "NI")),
        ({"minimumAge": "old enough"}, (None, "NI"), (None, "PINF")),
    ],
)
def test_ages_are_durations_or_without_limit(
    eligibility: dict[str, Any], least: tuple[Any, Any], most: tuple[Any, Any]
) -> None:
    """An age that is left out has no limit, unless nothing is said of ages or the age groups say otherwise."""
    made = converted(study(eligibilityModule=eligibility))
    assert values(made, "AGEMIN") == [least]
    assert values(made, "AGEMAX") == [most]


@pytest.mark.parametrize(
    ("kind", "date", "start", "end"),
    [
        ("ACTUAL", "2024-05", ("2024-05", None), ("2024-05", None)),
        ("ESTIMATED", "2024-05", (None, "NA"), (None, "NAV")),
        (None, "2024-05", ("2024-05", None), ("2024-05", None)),
        (None, "2025-02", ("2025-02", None), ("2025-02", None)),
        (None, "2025-03", (None, "NA"), (None, "NAV")),
        ("ACTUAL", "some day", (None, "NA"), (None, "NI")),
    ],
)
def test_only_dates_that_have_come_are_carried(
    kind: str | None, date: str, start: tuple[Any, Any], end: tuple[Any, Any]
) -> None:
    """SSTDTC and SENDTC are actual dates; without a type, those that had passed at the last update."""
    struct = {"date": date} | ({"type": kind} if kind else {})
    update = {"date": "2025-02-14"}
    made = converted(
        study(
            statusModule={
                "startDateStruct": struct,
                "completionDateStruct": struct,
                "lastUpdatePostDateStruct": update,
            }
        )
    )
    assert (values(made, "SSTDTC"), values(made, "SENDTC")) == ([start], [end])
    assert bool(noted(made, "date-not-actual")) == (start[1] == "NA" and date != "some day")


@pytest.mark.parametrize(("status", "value"), [("RECRUITING", "Y"), ("COMPLETED", "N"), ("UNKNOWN", None)])
def test_ongoing_is_said_where_it_is_known(status: str, value: str | None) -> None:
    """A status says whether the study is in progress, or there is no row."""
    made = converted(study(statusModule={"overallStatus": status}))
    assert [each for each, _ in values(made, "ONGOSIND")] == ([value] if value else [])


def test_subjects_are_planned_or_actual() -> None:
    """The number of subjects goes where its type says, and nowhere without one."""
    made = converted(study(designModule={"enrollmentInfo": {"count": 0, "type": "ACTUAL"}}))
    assert (values(made, "ACTSUB"), values(made, "PLANSUB")) == ([("0", None)], [(None, "NI")])
    made = converted(study(designModule={"enrollmentInfo": {"count": 80}}))
    assert (values(made, "ACTSUB"), values(made, "PLANSUB")) == ([(None, "NI")], [(None, "NI")])
    assert noted(made, "not-placed") == ["protocolSection.designModule.enrollmentInfo.count"]
    made = converted(study(designModule={"enrollmentInfo": {"count": -3, "type": "ACTUAL"}}))
    assert values(made, "ACTSUB") == [(None, "NI")]
    assert noted(made, "number-out-of-range") == ["protocolSection.designModule.enrollmentInfo.count"]


def test_registry_numbers_name_their_registry() -> None:
    """Numbers of registries are their own codes; other secondary numbers are none."""
    ids = [
        {"id": "2020-000000-00", "type": "EUDRACT_NUMBER"},
        {"id": "MADE-UP-7", "type": "REGISTRY", "domain": "Made-up Registry"},
        {"id": "GRANT-1", "type": "NIH"},
    ]
    made = converted(study(identificationModule={"nctIdAliases": ["NCT99999909"], "secondaryIdInfos": ids}))
    assert [(each["TSVAL"], each["TSVALCD"], each["TSVCDREF"]) for each in parameter(made, "REGID")] == [
        ("NCT99999901", "NCT99999901", "ClinicalTrials.gov"),
        ("NCT99999909", "NCT99999909", "ClinicalTrials.gov"),
        ("2020-000000-00", "2020-000000-00", "EudraCT"),
        ("MADE-UP-7", "MADE-UP-7", "Made-up Registry"),
    ]


@pytest.mark.parametrize("kind", ["both", "minimal"])
def test_numbers_that_are_no_numbers_break_nothing(kind: str) -> None:
    """Numbers and names of registries that are longer than a variable give valid files all the same."""
    ids = [{"id": LONG, "type": "REGISTRY", "domain": LONG}, {"id": "7", "type": "REGISTRY", "domain": LONG}]
    tree = study(identificationModule={"orgStudyIdInfo": {"id": LONG}, "secondaryIdInfos": ids})
    options: dict[str, Any] = {"sdtm_minimal": True} if kind == "minimal" else {"sdtm_format": kind}
    made = converted(tree, **options, study_id="SUBMITTED-1" if kind == "minimal" else None)
    assert made.findings == []
    if kind == "both":
        assert [each["TSVALCD"] for each in parameter(made, "REGID")] == ["NCT99999901", None, "7"]
        assert decode_xport(made.files["ts.xpt"])["records"] == made.document["ts.json"]["records"]


def test_treatments_are_placed_by_their_arms() -> None:
    """What an experimental arm gets is tried, what only comparators get is compared; of others nothing is said."""
    arms = [
        {"label": "A", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Made-up pill"]},
        {"label": "B", "type": "ACTIVE_COMPARATOR"},
        {"label": "C", "type": "PLACEBO_COMPARATOR"},
    ]
    interventions = [
        {"type": "DRUG", "name": "Made-up pill"},
        {"type": "DRUG", "name": "Old pill", "armGroupLabels": ["B"]},
        {"type": "DRUG", "name": "Both pills", "armGroupLabels": ["A", "B"]},
        {"type": "DRUG", "name": "Sugar pill", "armGroupLabels": ["C"]},
    ]
    made = converted(study(armsInterventionsModule={"armGroups": arms, "interventions": interventions}))
    assert [value for value, _ in values(made, "TRT")] == ["Made-up pill", "Both pills"]
    assert [value for value, _ in values(made, "COMPTRT")] == ["Old pill"]
    assert noted(made, "not-placed") == ["protocolSection.armsInterventionsModule.interventions[].name"]


def test_countries_are_alpha_3_and_listed_once() -> None:
    """Countries are listed once, by their alpha-3 codes; a name without a code is named by an Issue."""
    places = [{"country": name} for name in ("Norway", "Turkey (Türkiye)", "Norway", "Atlantis", "Kosovo")]
    made = converted(study(contactsLocationsModule={"locations": places}))
    assert [value for value, _ in values(made, "FCNTRY")] == ["NOR", "TUR"]
    assert len(noted(made, "country-without-code")) == 2


def test_groups_tie_rows_together() -> None:
    """Number and citation of a reference share a TSGRPID, and so do the details of a contact."""
    references = [{"citation": "A made-up citation"}, {"pmid": "1", "citation": "Another"}]
    contacts = [{"name": "Made-up Person", "email": "made.up@example.org"}]
    tree = study(
        referencesModule={"references": references}, contactsLocationsModule={"centralContacts": contacts}
    )
    made = converted(tree)
    assert [(each["TSSEQ"], each["TSGRPID"]) for each in parameter(made, "CITNSTDY")] == [(1, "REF1"), (2, "REF2")]
    assert [(each["TSSEQ"], each["TSGRPID"]) for each in parameter(made, "PUBMEDID")] == [(1, "REF2")]
    assert parameter(made, "CONNAME")[0]["TSGRPID"] == parameter(made, "CONEMAIL")[0]["TSGRPID"] == "CONTACT1"
    without = converted(tree, contacts=False)
    assert parameter(without, "CONNAME") == []
    assert b"made.up@example.org" not in without.data


def test_mesh_code_stands_beside_one_spelling() -> None:
    """A condition that is a MeSH heading has its code; another spelling of it has none."""
    tree = study(conditionsModule={"conditions": ["Made-Up Fever", "Made-up fever", "Cough"]})
    tree["derivedSection"] = {"conditionBrowseModule": {"meshes": [{"id": "D999999", "term": "Made-up Fever"}]}}
    found = [(each["TSVALCD"], each["TSVCDREF"]) for each in parameter(converted(tree), "INDIC")]
    assert found == [("D999999", "MeSH"), (None, None), (None, None)]


def test_title_is_the_official_one_or_what_stands_in(example_page: Path) -> None:
    """Without an official title the brief one is the title, and on a page the one above it."""
    both = study(identificationModule={"briefTitle": "Brief", "officialTitle": "Official"})
    assert values(converted(both), "TITLE") == [("Official", None)]
    assert values(converted(study(identificationModule={"briefTitle": "Brief"})), "TITLE") == [("Brief", None)]
    (record,) = read(example_page)
    made = transform(record, TARGETS["sdtm"], Options())
    (title,) = parameter(made, "TITLE")
    parts = [value for name, value in title.items() if re.fullmatch(r"TSVAL[0-9]*", name) and value]
    assert " ".join(parts) == record.extras["title"]


def test_study_id_is_the_sponsors_number() -> None:
    """STUDYID is the option, the sponsor's own number, or the NCT number."""
    own = study(identificationModule={"orgStudyIdInfo": {"id": "MADE-UP-1"}})
    assert {each["STUDYID"] for each in records(converted(own), "ts.json")} == {"MADE-UP-1"}
    assert {each["STUDYID"] for each in records(converted(own, study_id="X-1"), "ts.json")} == {"X-1"}
    bare = study()
    bare["protocolSection"]["identificationModule"].pop("orgStudyIdInfo", None)
    assert {each["STUDYID"] for each in records(converted(bare), "ts.json")} == {"NCT99999901"}


# texts


def test_long_text_goes_on_between_words() -> None:
    """A text over 200 bytes goes on in TSVAL1 and so on; joined with blanks the pieces are the text."""
    made = converted(study(identificationModule={"officialTitle": LONG.strip()}))
    (title,) = parameter(made, "TITLE")
    parts = [title[name] for name in ("TSVAL", "TSVAL1", "TSVAL2")]
    assert " ".join(parts) == LONG.strip()
    assert max(map(len, parts)) <= 200
    assert "TSVAL3" not in title
    assert {each["TSVAL1"] for each in records(made, "ts.json")} == {None, parts[1]}


@given(st.text(max_size=900))
@settings(max_examples=200, deadline=None)
def test_pieces_fit_and_hold_the_whole_text(text: str) -> None:
    """Pieces take at most 200 bytes in either format, and hold every character but white space at the cuts."""
    text = text.strip()
    made = pieces(text)
    assert "".join("".join(made).split()) == "".join(text.split())
    for piece in made:
        assert len(piece.encode("utf-8", "surrogatepass")) <= 200
        assert len(ascii_text(piece)) <= 200
        assert width(piece) <= 200 or not piece
    assert width(shortened(text)) <= 200


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("≥ 18 µg/m²", ">= 18 ug/m^2"),
        ("10⁹/L and 10⁻¹²", "10^9/L and 10^-12"),
        ("2½ tablets, ½ more", "2 1/2 tablets, 1/2 more"),
        ("TNF-\u03b1, \u0394 and \u03b22", "TNF-alpha, Delta and beta2"),
        ("CO₂ ± 3 \u00d7 4", "CO2 +/- 3 x 4"),
        ("“naïve” \u2013 Österreich", '"naive" - Osterreich'),
        ("\ufffd", "?"),
        ("e\u0301\u200b", "e"),
        ("plain", "plain"),
    ],
)
def test_characters_are_spelled_without_changing_the_meaning(text: str, spelled: str) -> None:
    """Raised figures, fractions and Greek letters keep their meaning in ASCII."""
    assert ascii_text(text) == spelled


@given(st.text(max_size=60))
@settings(max_examples=200, deadline=None)
def test_every_text_has_a_spelling(text: str) -> None:
    """Whatever a text holds, its spelling is ASCII."""
    assert ascii_text(text).isascii()


def test_transport_file_is_ascii_and_dataset_json_exact() -> None:
    """Dataset-JSON keeps the words as they are; the transport file spells them, and an Issue counts them."""
    tree = study(identificationModule={"officialTitle": "A study of ≥ 2 µg\nof made-up \u03b1"})
    made = converted(tree, sdtm_format="both")
    assert parameter(made, "TITLE")[0]["TSVAL"] == "A study of ≥ 2 µg\nof made-up \u03b1"
    assert parameter(made, "TITLE", "ts.xpt")[0]["TSVAL"] == "A study of >= 2 ug of made-up alpha"
    assert [found.target_path for found in made.issues if found.code == "transliterated"] == ["ts.xpt"]


def test_character_without_a_spelling_is_counted() -> None:
    """A character that cannot be spelled is a question mark, and a warning says so."""
    made = converted(study(conditionsModule={"conditions": ["Made-up \ue000 fever"]}), sdtm_format="xport")
    assert parameter(made, "INDIC", "ts.xpt")[0]["TSVAL"] == "Made-up ? fever"
    assert any(found.code == "character-replaced" and found.severity == "warning" for found in made.issues)


# criteria


def test_criteria_are_numbered_within_their_category() -> None:
    """Inclusion and exclusion criteria have names of their own and the categories of the codelist."""
    tree = criteria_study("Made-up fever", "Made-up cough")
    tree["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] += "\nExclusion Criteria:\n\n* Allergy\n"
    assert [(each["IETESTCD"], each["IETEST"], each["IECAT"]) for each in records(converted(tree), "ti.json")] == [
        ("EXCL001", "Allergy", "EXCLUSION"),
        ("INCL001", "Made-up fever", "INCLUSION"),
        ("INCL002", "Made-up cough", "INCLUSION"),
    ]


def test_long_criterion_is_shortened_and_whole_in_the_define_xml() -> None:
    """A criterion over 200 bytes is cut between words in TI; the Define-XML has all of it."""
    made = converted(criteria_study(LONG))
    (criterion,) = records(made, "ti.json")
    assert criterion["IETEST"].endswith("made-up...") or criterion["IETEST"].endswith("words...")
    assert len(criterion["IETEST"]) <= 200
    assert LONG.strip().encode() in made.files["define.xml"]
    assert noted(made, "text-shortened")
    assert made.findings == []


def test_criteria_that_begin_alike_stay_apart() -> None:
    """Two long criteria that differ at their ends only have different texts in TI."""
    made = converted(criteria_study(LONG + "one", LONG + "two"))
    first, second = (each["IETEST"] for each in records(made, "ti.json"))
    assert first != second
    assert second.endswith("... (INCL002)")
    assert made.findings == []


def test_criteria_that_are_spelled_alike_stay_apart() -> None:
    """Two criteria that differ in a character beyond ASCII only have different texts in the transport file."""
    made = converted(criteria_study("Age ≥ 18", "Age >= 18"), sdtm_format="both")
    assert [each["IETEST"] for each in records(made, "ti.xpt")] == ["Age >= 18", "Age >= 18... (INCL002)"]
    assert made.findings == []


def test_criterion_that_is_given_twice() -> None:
    """Equal criteria of a category are one row, those that include and exclude are two; Issues name both."""
    tree = criteria_study("Made-up fever", "Made-up fever")
    tree["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] += (
        "\nExclusion Criteria:\n\n* Made-up fever\n"
    )
    made = converted(tree)
    assert [each["IETESTCD"] for each in records(made, "ti.json")] == ["EXCL001", "INCL001"]
    assert len(noted(made, "duplicate-criterion")) == 2
    assert made.findings == []


def test_criteria_that_cannot_be_listed_leave_ti_out() -> None:
    """A text without a certain reading as a list gives no TI, no part of it in the Define-XML, and a warning."""
    made = converted(study(eligibilityModule={"eligibilityCriteria": "Made-up people of any kind."}))
    assert list(made.files) == ["ts.json", "define.xml"]
    assert b"IETEST" not in made.files["define.xml"]
    assert noted(made, "dataset-left-out") == ["protocolSection.eligibilityModule.eligibilityCriteria"]


# the minimum that FDA asks for


def test_minimal_ts_has_the_start_date() -> None:
    """The minimal TS has four variables and the start of the study."""
    tree = study(statusModule={"startDateStruct": {"date": "2024-05-06", "type": "ACTUAL"}})
    made = converted(tree, sdtm_minimal=True)
    assert list(made.files) == ["ts.xpt"]
    assert [list(each) for each in records(made, "ts.xpt")] == [["STUDYID", "TSPARMCD", "TSVAL", "TSVALNF"]]
    assert records(made, "ts.xpt")[0]["TSVAL"] == "2024-05-06"
    assert made.findings == []


def test_minimal_ts_without_a_start_says_so() -> None:
    """Without an actual start date the minimal TS has the null flavor that FDA asks for."""
    tree = study(statusModule={"startDateStruct": {"date": "2099-01", "type": "ESTIMATED"}})
    (row,) = records(converted(tree, sdtm_minimal=True), "ts.xpt")
    assert (row["TSVAL"], row["TSVALNF"]) == (None, "NA")


def test_minimal_ts_names_the_sponsors_number_beside_another_study_id() -> None:
    """With a STUDYID of its own the minimal TS has the sponsor's number as SPREFID."""
    tree = study(identificationModule={"orgStudyIdInfo": {"id": "MADE-UP-1"}})
    found = records(converted(tree, sdtm_minimal=True, study_id="SUBMITTED-1"), "ts.xpt")
    assert [(each["STUDYID"], each["TSPARMCD"]) for each in found] == [
        ("SUBMITTED-1", "SSTDTC"),
        ("SUBMITTED-1", "SPREFID"),
    ]
