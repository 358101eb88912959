"""The code tables of the ODM mapping, and the table of countries."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from trialconv.record import enums
from trialconv.validators.sdtm_rules import NULL_FLAVORS
from trialconv_mappings.cdisc.codelists import CODELISTS
from trialconv_mappings.tables import Row, table, table_names

CDISC = "https://www.cdisc.org/standards/terminology"
ODM_TABLES = [name for name in table_names() if name.startswith("cdisc_")]

#: The words of the registry that each table must know.
ENUMS: dict[str, Any] = {
    "cdisc_allocation": enums.DesignAllocation,
    "cdisc_arm_type": enums.ArmGroupType,
    "cdisc_control_type": enums.ArmGroupType,
    "cdisc_intervention_model": enums.InterventionalAssignment,
    "cdisc_intervention_type": enums.InterventionType,
    "cdisc_masking": enums.DesignMasking,
    "cdisc_observational_model": enums.ObservationalModel,
    "cdisc_ongoing": enums.Status,
    "cdisc_odm_user_type": enums.ContactRole,
    "cdisc_primary_purpose": enums.PrimaryPurpose,
    "cdisc_sampling_method": enums.SamplingMethod,
    "cdisc_sex": enums.Sex,
    "cdisc_specimens_retained": enums.BioSpecRetention,
    "cdisc_specimens_with_dna": enums.BioSpecRetention,
    "cdisc_study_type": enums.StudyType,
    "cdisc_time_perspective": enums.DesignTimePerspective,
    "cdisc_trial_phase": enums.Phase,
    "cdisc_who_masked": enums.WhoMasked,
}

#: Names of countries that share a code with another name, each with a reason in its note.
ALIAS_NOTES = ("another name of the same place", "the largest part of the territory")


@pytest.mark.parametrize("name", sorted(ENUMS))
def test_every_word_has_a_row(name: str) -> None:
    """Every word that the OpenAPI lists for a coded field has a row, with a code or with "no code"."""
    assert set(get_args(ENUMS[name])) <= {row.source for row in table(name)}


@pytest.mark.parametrize("name", ODM_TABLES)
def test_rows_are_complete(name: str) -> None:
    """A row either has system, code, display and relation, or none of them and a note that says so."""
    for row in table(name):
        filled = {bool(row.system), bool(row.code), bool(row.display), bool(row.relation)}
        assert len(filled) == 1, row
        assert row.code or row.note.startswith("no code"), row


@pytest.mark.parametrize("name", ODM_TABLES)
def test_sources_stand_once(name: str) -> None:
    """A word has one code per CDISC codelist."""
    sources = [row.source for row in table(name)]
    assert len(sources) == len(set(sources))


def test_every_table_of_cdisc_terms_has_its_codelist() -> None:
    """Every table with CDISC codes names its codelist and version, and no other table does."""
    coded = {name for name in ODM_TABLES if any(row.system == CDISC for row in table(name))}
    assert coded == {name for name in CODELISTS if name.startswith("cdisc_")}


def published_terms(shared: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return submission value and effective date of every published term by codelist and code."""
    path = shared / "terminology" / "registry_codelists.tsv"
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            (row["codelist"], row["term"]): (row["submission_value"], row["effective_date"])
            for row in csv.DictReader(lines, delimiter="\t")
        }


@pytest.mark.parametrize(
    "name", sorted(name for name in CODELISTS if name.startswith("cdisc_") and name != "cdisc_parameter")
)
def test_codes_and_submission_values_are_those_published(name: str, shared: Path) -> None:
    """Code, submission value and version of every row are those of the published codelist."""
    published = published_terms(shared)
    codelist = CODELISTS[name]
    for row in table(name):
        if row.code:
            assert published[codelist.code, row.code] == (row.display, codelist.effective), row


def test_codelists_are_described_as_published(shared: Path) -> None:
    """Names, extensibility and package of every codelist are those of the published terminology."""
    path = shared / "terminology" / "registry_codelists.tsv"
    with path.open(encoding="utf-8", newline="") as lines:
        published = {row["codelist"]: row for row in csv.DictReader(lines, delimiter="\t")}
    for codelist in CODELISTS.values():
        row = published[codelist.code]
        assert (codelist.short_name, codelist.name) == (row["codelist_submission_value"], row["codelist_name"])
        assert (codelist.extensible, codelist.effective) == (row["extensible"] == "true", row["effective_date"])
        assert row["package"] == f"{codelist.package.lower()}ct"


def test_null_flavors_are_of_parameters() -> None:
    """Every row is of a parameter, alone or with a study type, and has a null flavor of ISO 21090."""
    for row in table("sdtm_null_flavor"):
        name, _, study_type = row.source.partition("/")
        assert table("cdisc_parameter").get(name), row
        assert study_type in ("", *get_args(enums.StudyType)), row
        assert row.code in NULL_FLAVORS, row


def test_every_country_has_its_alpha_3() -> None:
    """The alpha-3 codes are those of the 249 countries, each once, under the same names."""
    countries = {row.code: row.display for row in country_rows() if row.code}
    alpha_3 = {row.source: row for row in table("sdtm_country")}
    assert alpha_3.keys() == countries.keys()
    assert len({row.code for row in alpha_3.values()}) == 249
    for row in alpha_3.values():
        assert re.fullmatch("[A-Z]{3}", row.code)
        assert row.display in {each.display for each in country_rows() if each.code == row.source}


@pytest.mark.parametrize(
    ("alpha_2", "alpha_3"),
    [("US", "USA"), ("GB", "GBR"), ("DE", "DEU"), ("CH", "CHE"), ("CN", "CHN"), ("AT", "AUT"), ("AU", "AUS")],
)
def test_well_known_countries_have_the_right_alpha_3(alpha_2: str, alpha_3: str) -> None:
    """Codes that are easily confused are right."""
    rows = table("sdtm_country").get(alpha_2)
    assert rows is not None
    assert [row.code for row in rows] == [alpha_3]


def test_parameters_are_those_published(shared: Path) -> None:
    """Code and term of every trial summary parameter are those of TSPARMCD and TSPARM."""
    with (shared / "terminology" / "tsparm.tsv").open(encoding="utf-8", newline="") as lines:
        published = {row["tsparmcd"]: row for row in csv.DictReader(lines, delimiter="\t")}
    for row in table("cdisc_parameter"):
        assert (row.code, row.display) == (published[row.source]["c_code"], published[row.source]["tsparm"])
    assert published_terms(shared)["C66738", "C49802"][1] == CODELISTS["cdisc_parameter"].effective


def country_rows() -> list[Row]:
    """Return the rows of the table of countries."""
    return list(table("countries"))


def test_country_codes_have_the_form_of_alpha_2() -> None:
    """Every code is two capital letters of the system for ISO 3166, outside the user-assigned ranges."""
    for row in country_rows():
        if row.code:
            assert row.system == "urn:iso:std:iso:3166"
            assert re.fullmatch(r"[A-Z]{2}", row.code)
            assert not re.fullmatch(r"AA|Q[M-Z]|X[A-Z]|ZZ", row.code)
        else:
            assert (row.system, row.display, row.relation) == ("", "", "")
            assert row.note.startswith("no code: text only; ")


def test_country_names_stand_once() -> None:
    """Every name of a country has one row."""
    names = [row.source for row in country_rows()]
    assert len(names) == len(set(names))


def test_every_country_code_has_one_name_of_its_own() -> None:
    """Each of the 249 codes of ISO 3166-1 stands once beside the name that it displays; all others are aliases."""
    own = [row for row in country_rows() if row.code and row.source == row.display]
    aliases = [row for row in country_rows() if row.code and row.source != row.display]
    assert len(own) == len({row.code for row in own}) == 249
    displays = {row.code: row.display for row in own}
    for row in aliases:
        assert row.note in ALIAS_NOTES, row
        assert displays[row.code] == row.display, row


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Russia", "RU"),
        ("Russian Federation", "RU"),
        ("Turkey (Türkiye)", "TR"),
        ("Korea, Republic of", "KR"),
        ("South Korea", "KR"),
        ("Congo, The Democratic Republic of the", "CD"),
        ("Congo", "CG"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("United Kingdom", "GB"),
        ("Netherlands", "NL"),
    ],
)
def test_registry_names_of_countries_have_their_codes(name: str, code: str) -> None:
    """Names that the registry uses, and that are easily confused, have the right code."""
    rows = table("countries").get(name)
    assert rows is not None
    assert [row.code for row in rows] == [code]


@pytest.mark.parametrize("name", ["Former Yugoslavia", "Former Serbia and Montenegro", "Kosovo"])
def test_places_without_a_code_are_decided(name: str) -> None:
    """A place that ISO 3166-1 has no code for is in the table, as text only."""
    assert table("countries").get(name) == ()


def test_every_country_of_the_real_records_is_in_the_table(shared: Path) -> None:
    """Every name of a country in the real records has a row."""
    path = shared / "corpus" / "ctgov_v2_string_vocab.tsv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.reader(lines, delimiter="\t") if row[0] == "location.country" and row[2]]
    assert len(rows) > 100
    assert [row[2] for row in rows if row[2] not in table("countries")] == []
