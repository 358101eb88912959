"""The reader of rendered text pages."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from page_compare import differences
from page_renderer import Absent, render_page
from trialconv.issues import SourceError
from trialconv.readers._page_layout import SENTENCES
from trialconv.readers.ctgov_page import read_ctgov_page
from trialconv.record import Record, SourceInfo

SOURCE = SourceInfo("made-up.txt")


def _page(*sections: tuple[str, str], head: str = "A Made-up Study\n\nNCT ID: NCT99999901\n") -> str:
    """Return a made-up page of a head and sections (heading, body)."""
    bodies = (f"{heading}\n\n{SENTENCES[heading]}\n\n{body}\n" for heading, body in sections)
    return "\n".join([head, *bodies])


def _read(text: str) -> Record:
    return read_ctgov_page(text.encode(), SOURCE)


def _tree(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(record.to_json())["protocolSection"]
    return found


def _codes(record: Record) -> list[str]:
    return [found.code for found in record.issues if found.code != "not-in-source"]


def _refused(data: bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read_ctgov_page(data, SOURCE)
    return caught.value


# the real page


def test_real_page_is_read_without_any_doubt(example_page: Path) -> None:
    """The real page raises no Issue but the one about what no page carries, and no text is left unread."""
    record = read_ctgov_page(example_page.read_bytes(), SOURCE)
    assert [found.code for found in record.issues] == ["not-in-source"]
    assert sorted(record.extras) == ["lastUpdated", "title"]
    assert record.last_update == "2025-01-21"
    assert record.extras["title"].startswith(
        "Evaluation of the Efficacy and Safety of Interleucin-2 Combined With"
    )
    assert record.study.has_results is False


def test_real_page_gives_every_value(example_page: Path) -> None:
    """Every value of the real page reaches its field, and nothing is added to it."""
    found = _tree(read_ctgov_page(example_page.read_bytes(), SOURCE))
    texts, criteria = found.pop("descriptionModule"), found["eligibilityModule"].pop("eligibilityCriteria")
    name, hospital = (
        "Sintilimab with Interleukin-2+CAPOX",
        "The First Affiliated Hospital with Nanjing Medical University",
    )
    assert found == {
        "identificationModule": {"nctId": "NCT06108596", "orgStudyIdInfo": {"id": "PRSYM202310"}},
        "statusModule": {
            "overallStatus": "COMPLETED",
            "startDateStruct": {"date": "2023-10-21"},
            "completionDateStruct": {"date": "2024-12-31"},
        },
        "sponsorCollaboratorsModule": {
            "responsibleParty": {"type": "SPONSOR"},
            "leadSponsor": {"name": hospital, "class": "OTHER"},
        },
        "conditionsModule": {"conditions": ["Locally Advanced Rectal Adenocarcinoma"]},
        "designModule": {
            "studyType": "INTERVENTIONAL",
            "phases": ["PHASE2"],
            "designInfo": {
                "allocation": "NA",
                "interventionModel": "SINGLE_GROUP",
                "primaryPurpose": "TREATMENT",
                "maskingInfo": {"masking": "NONE"},
            },
            "enrollmentInfo": {"count": 33},
        },
        "armsInterventionsModule": {
            "armGroups": [
                {
                    "label": "Experimental group",
                    "type": "EXPERIMENTAL",
                    "description": name,
                    "interventionNames": [f"Drug: {name}"],
                }
            ],
            "interventions": [
                {"type": "DRUG", "name": name, "description": name, "armGroupLabels": ["Experimental group"]}
            ],
        },
        "eligibilityModule": {
            "healthyVolunteers": False,
            "sex": "ALL",
            "minimumAge": "18 Years",
            "maximumAge": "75 Years",
        },
        "contactsLocationsModule": {
            "overallOfficials": [{"name": "Yueming Sun", "affiliation": hospital, "role": "STUDY_DIRECTOR"}],
            "locations": [
                {
                    "facility": "Jiangsu Province Hospital",
                    "city": "Nanjing",
                    "state": "Jiangsu",
                    "country": "China",
                }
            ],
        },
    }
    assert texts["briefSummary"].startswith("Evaluation of the efficacy and safety of interleucin-2 combined")
    paragraphs = texts["detailedDescription"].split("\n\n")
    assert [text[:20] for text in paragraphs] == [
        "The global incidence",
        "The emergence of imm",
        "In this population, ",
        "IL-2 (Interleukin-2)",
    ]
    blocks = criteria.split("\n\n")
    assert blocks[0] == "Inclusion Criteria:"
    assert blocks[2] == "Exclusion Criteria:"
    assert [len(blocks[1].split("\n")), len(blocks[3].split("\n"))] == [7, 7]
    assert blocks[3].endswith("\n7. Pregnant or breastfeeding women.")


@pytest.mark.parametrize("change", ["crlf", "cr", "bom", "trailing"])
def test_line_ends_and_spaces_do_not_matter(example_page: Path, change: str) -> None:
    """CRLF, CR, a byte order mark and spaces at line ends give the same record."""
    data = example_page.read_bytes()
    changed = {
        "crlf": data.replace(b"\n", b"\r\n"),
        "cr": data.replace(b"\n", b"\r"),
        "bom": b"\xef\xbb\xbf" + data,
        "trailing": data.replace(b"\n", b"  \n"),
    }[change]
    assert read_ctgov_page(changed, SOURCE).to_json() == read_ctgov_page(data, SOURCE).to_json()


# ambiguity


def test_two_untyped_groups_with_descriptions_are_ambiguous() -> None:
    """Labels and descriptions without type lines have several readings; none of them is taken."""
    body = "Cohort A\n\nPeople with asthma\n\nCohort B\n\nPeople without asthma"
    record = _read(_page(("Study Groups", body)))
    assert _codes(record) == ["ambiguous-page"]
    assert record.extras["unread"] == {"Study Groups": body}
    assert "armsInterventionsModule" not in _tree(record)


def test_one_untyped_group_of_one_line_has_one_reading() -> None:
    """A single line can only be a label."""
    record = _read(_page(("Study Groups", "Everybody")))
    assert _codes(record) == []
    assert _tree(record)["armsInterventionsModule"]["armGroups"] == [{"label": "Everybody"}]


def test_empty_type_lines_delimit_groups() -> None:
    """A group type line without a type still ends the description."""
    record = _read(_page(("Study Groups", "A\n\nfirst\n\nGroup Type\n\nB\n\nGroup Type -")))
    assert _codes(record) == []
    assert _tree(record)["armsInterventionsModule"]["armGroups"] == [
        {"label": "A", "description": "first"},
        {"label": "B"},
    ]


def test_intervention_description_in_a_group_ends_where_the_interventions_say() -> None:
    """The description below an intervention type is told from the next label by the interventions section."""
    groups = (
        "A\n\nGroup Type EXPERIMENTAL\n\nPill\n\nIntervention Type DRUG\n\nOnce a day:\n\n* in the morning\n"
        "B\n\nwaits\n\nGroup Type NO_INTERVENTION"
    )
    interventions = "Pill\n\nOnce a day:\n\n* in the morning\nIntervention Type DRUG"
    record = _read(_page(("Study Groups", groups), ("Interventions", interventions)))
    assert _codes(record) == []
    assert _tree(record)["armsInterventionsModule"] == {
        "armGroups": [
            {"label": "A", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Pill"]},
            {"label": "B", "type": "NO_INTERVENTION", "description": "waits"},
        ],
        "interventions": [
            {
                "type": "DRUG",
                "name": "Pill",
                "description": "Once a day:\n\n* in the morning",
                "armGroupLabels": ["A"],
            }
        ],
    }


def test_groups_that_contradict_the_interventions_are_not_read() -> None:
    """A group's intervention that the interventions section lacks leaves both sections unread."""
    groups = "A\n\nGroup Type EXPERIMENTAL\n\nPill\n\nIntervention Type DRUG"
    interventions = "Other Names: a, b\n\nPill\n\nwhite\n\nIntervention Type DRUG"
    record = _read(_page(("Study Groups", groups), ("Interventions", interventions)))
    assert _codes(record) == ["unread-page-text", "unread-page-text"]
    assert record.extras["unread"] == {"Study Groups": groups, "Interventions": interventions}


def test_same_named_interventions_are_not_tied_to_groups() -> None:
    """Two interventions of the same type, name and description cannot be told apart."""
    groups = (
        "A\n\nGroup Type EXPERIMENTAL\n\nPill\n\nIntervention Type DRUG\n\n"
        "B\n\nGroup Type OTHER\n\nPill\n\nIntervention Type DRUG"
    )
    record = _read(
        _page(
            ("Study Groups", groups),
            ("Interventions", "Pill\n\nIntervention Type DRUG\n\nPill\n\nIntervention Type DRUG"),
        )
    )
    assert _codes(record) == ["ambiguous-page"]
    module = _tree(record)["armsInterventionsModule"]
    assert [arm["interventionNames"] for arm in module["armGroups"]] == [["Drug: Pill"], ["Drug: Pill"]]
    assert module["interventions"] == [{"type": "DRUG", "name": "Pill"}, {"type": "DRUG", "name": "Pill"}]


def test_country_of_a_place_is_told_by_the_countries_section() -> None:
    """A country's name may hold a comma."""
    body = "Hospital\n\nSeoul, Korea, Republic of\n\nSite Status RECRUITING"
    record = _read(_page(("Locations", body), ("Countries", "Korea, Republic of")))
    assert _codes(record) == []
    assert _tree(record)["contactsLocationsModule"]["locations"] == [
        {"facility": "Hospital", "status": "RECRUITING", "city": "Seoul", "country": "Korea, Republic of"}
    ]


@pytest.mark.parametrize(
    ("places", "split"),
    [
        (["Springfield, North, Utopia"], True),
        (["Spring, Field, North, Utopia"], False),
        (["Springfield, North, Utopia", "Summerfield, Utopia"], False),
        (["Springfield , North, Utopia"], False),
    ],
)
def test_place_with_several_readings_is_not_split(places: list[str], split: bool) -> None:
    """Three parts, or two where the country also goes without a state, leave city and state open."""
    body = "\n\n".join(f"Clinic\n\n{place}\n\nSite Status" for place in places)
    record = _read(_page(("Locations", body), ("Countries", "Utopia")))
    first = _tree(record)["contactsLocationsModule"]["locations"][0]
    if split:
        assert first == {"facility": "Clinic", "city": "Springfield", "state": "North", "country": "Utopia"}
        assert _codes(record) == []
    else:
        assert first == {"facility": "Clinic", "country": "Utopia"}
        assert _codes(record) == ["ambiguous-page"]
        assert places[0] in record.extras["unread"]["Locations"]


def test_countries_without_locations_are_kept_apart() -> None:
    """Countries of a page without locations are no locations."""
    record = _read(_page(("Countries", "Utopia\n\nAtlantis")))
    assert record.extras["countries"] == ["Utopia", "Atlantis"]
    assert "contactsLocationsModule" not in _tree(record)


def test_country_without_location_is_reported() -> None:
    """A listed country that no location has is an Issue."""
    body = "Clinic\n\nSpringfield, Utopia\n\nSite Status"
    record = _read(_page(("Locations", body), ("Countries", "Utopia\nAtlantis")))
    assert _codes(record) == ["unread-page-text"]
    assert record.extras["countries"] == ["Atlantis"]


# parties, ids, labels


def test_several_parties_and_identifiers_are_read() -> None:
    """Blocks of lines follow each other without a mark and are told by their last line."""
    record = _read(
        _page(
            ("Sponsors", "X Inc.\n\nINDUSTRY\n\nSponsor Role lead\n\nY\n\n-\n\nSponsor Role collaborator"),
            ("Principal Investigators", "Ann\n\nRole: STUDY_CHAIR\n\nBob\n\nRole: STUDY_DIRECTOR\n\nX Inc."),
            (
                "Other Identifiers",
                (
                    "A-1\n\nIdentifier Type: -\n\nIdentifier Source: org_study_id\n\n"
                    "2020-1\n\nIdentifier Type: EUDRACT_NUMBER\n\nIdentifier Source: secondary_id\n\n"
                    "NCT99999902\n\nIdentifier Type: -\n\nIdentifier Source: nct_alias"
                ),
            ),
        )
    )
    found = _tree(record)
    assert _codes(record) == []
    assert found["sponsorCollaboratorsModule"] == {
        "leadSponsor": {"name": "X Inc.", "class": "INDUSTRY"},
        "collaborators": [{"name": "Y"}],
    }
    assert found["contactsLocationsModule"]["overallOfficials"] == [
        {"name": "Ann", "role": "STUDY_CHAIR"},
        {"name": "Bob", "role": "STUDY_DIRECTOR", "affiliation": "X Inc."},
    ]
    assert found["identificationModule"] == {
        "nctId": "NCT99999901",
        "nctIdAliases": ["NCT99999902"],
        "orgStudyIdInfo": {"id": "A-1"},
        "secondaryIdInfos": [{"id": "2020-1", "type": "EUDRACT_NUMBER"}],
    }


def test_several_phases_and_masked_roles_are_read() -> None:
    """A cell may hold several enum words."""
    record = _read(
        _page(
            ("Basic Information", "Clinical Phase\n\nPHASE1, PHASE2\n\nTotal Enrollment\n\n1,200 participants"),
            ("Study Design", "Blinding Strategy\n\nDOUBLE (PARTICIPANT, INVESTIGATOR)"),
        )
    )
    design = _tree(record)["designModule"]
    assert _codes(record) == []
    assert design["phases"] == ["PHASE1", "PHASE2"]
    assert design["enrollmentInfo"] == {"count": 1200}
    assert design["designInfo"]["maskingInfo"] == {
        "masking": "DOUBLE",
        "whoMasked": ["PARTICIPANT", "INVESTIGATOR"],
    }


def test_dash_and_nothing_are_no_values() -> None:
    """A dash, or nothing, below a label asserts nothing and is no Issue."""
    record = _read(_page(("Basic Information", "Recruitment Status\n\n-\n\nClinical Phase\n\nStudy Start Date")))
    assert _codes(record) == []
    assert sorted(_tree(record)) == ["identificationModule"]


def test_unknown_enum_word_is_kept_as_text() -> None:
    """A status that the registry's OpenAPI does not list is kept, with an Issue."""
    record = _read(_page(("Basic Information", "Recruitment Status\n\nHALTED_FOR_NOW")))
    assert _codes(record) == ["unknown-enum-value"]
    assert _tree(record)["statusModule"]["overallStatus"] == "HALTED_FOR_NOW"


@pytest.mark.parametrize(
    ("section", "body"),
    [
        ("Basic Information", "Why Stopped\n\nNo money"),
        ("Basic Information", "Study Start Date\n\nsoon"),
        ("Basic Information", "Total Enrollment\n\nabout 30"),
        ("Study Design", "Allocation Method\n\nRANDOMIZED\n\nsomething else"),
        ("Sponsors", "X\n\nINDUSTRY\n\nan extra line\n\nSponsor Role lead"),
        ("Responsible Party", "Ann Example"),
        ("Principal Investigators", "Ann"),
        ("Other Identifiers", "A-1\n\nIdentifier Source: org_study_id"),
        ("Locations", "Clinic\n\nSpringfield, Utopia"),
        ("Interventions", "Pill without a type"),
        ("Conditions", "Keywords\n\nWords that make the study easier to find in a search."),
        ("More Related Trials", "Other\nNCT99999903 COMPLETED PHASE1\n\nCopyright"),
    ],
)
def test_text_that_does_not_fit_is_kept_with_its_line(section: str, body: str) -> None:
    """Lines that a section cannot hold become an Issue with their place, and stay in the extras."""
    record = _read(_page((section, body)))
    assert _codes(record) == ["unread-page-text"]
    (found,) = (found for found in record.issues if found.code == "unread-page-text")
    assert found.source_path.startswith("line")
    (kept,) = record.extras["unread"].values()
    assert kept.split("\n")[-1] == body.split("\n")[-1]


def test_results_in_other_words_are_not_interpreted() -> None:
    """Only "Results pending" says something about results."""
    head = "A Made-up Study\n\nNCT ID: NCT99999901\n\nStudy Results\n\nResults are available\n"
    record = _read(_page(("Conditions", "Asthma"), head=head))
    assert _codes(record) == ["unread-page-text"]
    assert record.study.has_results is None
    assert record.extras["unread"] == {"Study Results": "Results are available"}


# criteria


def test_label_inside_the_criteria_is_text() -> None:
    """A line of the criteria that equals a label is text as long as the label proper follows."""
    criteria = "Inclusion Criteria\n\nEligible Sex\n\nsee below"
    body = f"{criteria}\n\nMinimum Eligible Age\n\n18 Years\n\nEligible Sex\n\nALL"
    record = _read(_page(("Eligibility Criteria", body)))
    assert _codes(record) == []
    assert _tree(record)["eligibilityModule"] == {
        "eligibilityCriteria": "Inclusion Criteria:\n\nEligible Sex\n\nsee below",
        "sex": "ALL",
        "minimumAge": "18 Years",
    }


def test_age_in_an_unknown_form_is_not_swallowed_by_the_criteria() -> None:
    """A label whose value has another form still ends the criteria."""
    record = _read(
        _page(("Eligibility Criteria", "Be well\n\nMinimum Eligible Age\n\neighteen\n\nEligible Sex\n\nALL"))
    )
    assert _codes(record) == ["unread-page-text"]
    assert _tree(record)["eligibilityModule"] == {"eligibilityCriteria": "Be well", "sex": "ALL"}


# headings


def test_heading_inside_a_description_is_text() -> None:
    """A heading counts only with its fixed sentence."""
    record = _read(_page(("Brief Summary", "First\n\nConditions\n\nSecond"), ("Conditions", "Asthma")))
    assert _codes(record) == []
    assert _tree(record)["descriptionModule"]["briefSummary"] == "First\n\nConditions\n\nSecond"


def test_heading_without_its_sentence_makes_the_section_ambiguous() -> None:
    """A lone heading line whose section is nowhere else may be that section."""
    record = _read(_page(("Brief Summary", "First\n\nConditions\n\nAsthma")))
    assert _codes(record) == ["ambiguous-page"]
    assert "descriptionModule" not in _tree(record)


def test_repeated_heading_is_ambiguous() -> None:
    """Of two sections with one heading neither is read, and both are kept."""
    record = _read(_page(("Conditions", "Asthma"), ("Conditions", "Gout")))
    assert _codes(record) == ["ambiguous-page", "ambiguous-page"]
    assert record.extras["unread"] == {"Conditions": "Asthma\n\nGout"}


# refusals


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        (b"", "not-a-study", ""),
        (b" \n\n", "not-a-study", ""),
        (b"A title\n\nLast Updated: 2025-01-01\n", "not-a-study", ""),
        (b"A\n\nNCT ID: 123\n", "not-a-study", ""),
        (b"A\nNCT ID: NCT99999901\nNCT ID: NCT99999902\n", "malformed-source", "line 3"),
        (b"A\nNCT ID: NCT99999901\n\xff\xfe", "malformed-source", "line 3"),
        (b"A\n\x00\nNCT ID: NCT99999901\n", "malformed-source", "line 2"),
    ],
)
def test_hopeless_input_is_refused(data: bytes, code: str, place: str) -> None:
    """Input that is no page is refused with a code and, where it has one, a place."""
    found = _refused(data).issue
    assert (found.code, found.source_path) == (code, place)


def test_two_pages_in_one_are_refused() -> None:
    """A second page after the related studies is not passed over as one of them."""
    text = _page(("More Related Trials", "Other\nNCT99999903 COMPLETED"))
    assert _refused((text + "\n" + text).encode()).issue.code == "malformed-source"


@pytest.mark.parametrize("section", ["Study Groups", "Interventions", "Locations", "Conditions", "Brief Summary"])
def test_endless_sections_take_linear_time(section: str) -> None:
    """A section of 100,000 paragraphs neither overflows the stack nor takes long."""
    text = _page((section, "\n\n".join(f"paragraph {number}" for number in range(100_000))))
    begun = time.perf_counter()
    _read(text)
    assert time.perf_counter() - begun < 20


def test_nct_number_among_the_related_studies_is_not_this_one() -> None:
    """A page without an NCT number at its head is refused, whatever follows."""
    text = _page(("More Related Trials", "NCT ID: NCT99999902"), head="A Made-up Study\n")
    assert _refused(text.encode()).issue.code == "not-a-study"


@pytest.mark.parametrize("how", ["insert", "replace"])
def test_no_line_of_a_page_vanishes(example_page: Path, how: str) -> None:
    """A strange line anywhere in the page is in the study or in the extras, or the page is refused."""
    # Only the titles of related studies, which are no part of the study, may hold it unseen.
    lines = example_page.read_text(encoding="utf-8").split("\n")
    strange = "A strange made-up line"
    for position in range(lines.index("More Related Trials")):
        changed = [*lines[:position], strange, *lines[position + (how == "replace") :]]
        try:
            record = read_ctgov_page("\n".join(changed).encode(), SOURCE)
        except SourceError:
            assert lines[position].startswith("NCT ID:")
            continue
        kept = record.to_json() + msgspec.json.encode(record.extras)
        assert strange.encode() in kept, f"{how} at line {position + 1}"


def test_groups_tell_interventions_where_their_list_is_unread() -> None:
    """Type, name and description of a group's intervention survive an unreadable list of interventions."""
    groups = "A\n\nGroup Type OTHER\n\nPill\n\nIntervention Type DRUG\n\nOnce\n\na day"
    record = _read(_page(("Study Groups", groups), ("Interventions", "Pill")))
    assert _codes(record) == ["unread-page-text"]
    assert _tree(record)["armsInterventionsModule"]["interventions"] == [
        {"type": "DRUG", "name": "Pill", "description": "Once\n\na day", "armGroupLabels": ["A"]}
    ]


# at scale


@pytest.mark.parametrize("absent", ["omit", "dash", "empty"])
def test_synthetic_pages_of_real_studies_read_back(
    development_studies: list[tuple[str, bytes]], absent: Absent, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is read from a page equals the study, or an Issue names the section that holds the difference."""
    # The one exception is a city with a comma in its name, in a country that the page always writes with one.
    ambiguous, silent = 0, []
    for name, data in development_studies:
        study = json.loads(data)
        record = _read(render_page(study, absent))
        ambiguous += "ambiguous-page" in _codes(record)
        named = {found.message.partition(":")[0] for found in record.issues}
        differing = [found for found in differences(study, record) if not named & set(found[0].split("|"))]
        if differing:
            assert [field for _, field, _, _ in differing] == ["locations"], name
            assert [_joined(one) for one in differing[0][2]] == [_joined(one) for one in differing[0][3]], name
            silent.append(name)
    with capsys.disabled():
        total = len(development_studies)
        print(f"\n{absent}: {ambiguous} of {total} pages ambiguous, cities with commas in {silent}")  # noqa: T201
    assert ambiguous < total * 0.16
    assert len(silent) <= total * 0.002


def _joined(location: dict[str, str]) -> dict[str, str]:
    place = ", ".join(location[key] for key in ("city", "state") if key in location)
    return {**{key: text for key, text in location.items() if key not in ("city", "state")}, "place": place}
