"""The code tables of the USDM mapping, against the published terminology."""

from __future__ import annotations

import csv
import re
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from trialconv.record import enums
from trialconv.validators.usdm_scope import facts
from trialconv_mappings.cdisc.codelists import CODELISTS, FIXED
from trialconv_mappings.tables import table, table_names
from trialconv_mappings.usdm.terms import CDISC, Term, country, fixed, terms

USDM_TABLES = [name for name in table_names() if name.startswith("usdm_")]
#: The tables of words that ODM and USDM share; USDM takes the preferred terms of their codes.
SHARED_TABLES = (
    "cdisc_arm_type",
    "cdisc_criterion_kind",
    "cdisc_intervention_model",
    "cdisc_intervention_type",
    "cdisc_masking",
    "cdisc_observational_model",
    "cdisc_patient_registry",
    "cdisc_primary_purpose",
    "cdisc_sampling_method",
    "cdisc_study_type",
    "cdisc_time_perspective",
    "cdisc_trial_phase",
    "cdisc_who_masked",
)
#: The words of the registry that each table must know, and words beside them.
WORDS: dict[str, tuple[Any, set[str]]] = {
    "usdm_design_characteristic": (enums.DesignAllocation, set()),
    "usdm_id_issuer_type": (enums.SecondaryIdType, set()),
    "usdm_intervention_role": (enums.ArmGroupType, set()),
    "usdm_organization_type": (enums.AgencyClass, set()),
    "usdm_party_role": (
        enums.ContactRole,
        {"LEAD_SPONSOR", "COLLABORATOR", "SPONSOR_INVESTIGATOR", "DATA_MONITORING_COMMITTEE"},
    ),
    "usdm_sex": (enums.Sex, set()),
}


@cache
def published(path: Path) -> dict[tuple[str, str], tuple[str, str]]:
    """Return preferred term and effective date of every published term by codelist and code."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {
            (row["codelist"], row["term"]): (row["preferred_term"], row["effective_date"])
            for row in csv.DictReader(lines, delimiter="\t")
        }


def terms_of(name: str) -> dict[str, tuple[Term, ...]]:
    """Return the terms of each word of a table; none for a word that was decided to have none."""
    codes = table(name)
    return {row.source: terms(name, codes.get(row.source) or ()) for row in codes}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_every_word_has_a_row_and_nothing_else(name: str) -> None:
    """Every word that the OpenAPI lists has a row, with a code or with "no code"."""
    kind, more = WORDS[name]
    assert {row.source for row in table(name)} == {*get_args(kind), *more}


@pytest.mark.parametrize("name", USDM_TABLES)
def test_rows_without_a_code_say_so(name: str) -> None:
    """A row without a code says "no code" and why."""
    for row in table(name):
        assert row.code or row.note.startswith("no code: "), row


@pytest.mark.parametrize("name", [name for name in CODELISTS if name.startswith("usdm_")])
def test_codes_and_preferred_terms_are_those_published(name: str, shared: Path) -> None:
    """Code, preferred term and version of every row are those of the published codelist."""
    known = published(shared / "terminology" / "registry_codelists.tsv")
    for word, found in terms_of(name).items():
        for term in found:
            assert known[CODELISTS[name].code, term.code] == (term.decode, term.version), word
            assert term.system == CDISC


@pytest.mark.parametrize("name", SHARED_TABLES)
def test_shared_tables_have_preferred_terms(name: str, shared: Path) -> None:
    """Every code of a table of ODM's has the published preferred term in USDM."""
    known = published(shared / "terminology" / "registry_codelists.tsv")
    for word, found in terms_of(name).items():
        for term in found:
            assert known[CODELISTS[name].code, term.code] == (term.decode, term.version), word


def test_fixed_terms_are_those_published(shared: Path) -> None:
    """Every term that does not depend on the record is in its codelist."""
    known = published(shared / "terminology" / "registry_codelists.tsv")
    assert {row.source for row in table("usdm_fixed")} == set(FIXED)
    for name, codelist in FIXED.items():
        term = fixed(name)
        assert known[codelist.code, term.code] == (term.decode, term.version), name


def test_no_preferred_term_is_left_over() -> None:
    """The table of preferred terms has the codes of the shared tables, and no other."""
    used = {term.code for name in SHARED_TABLES for found in terms_of(name).values() for term in found}
    assert {row.source for row in table("usdm_preferred_term")} == used
    assert all(row.source == row.code for row in table("usdm_preferred_term"))


def test_terms_have_one_version() -> None:
    """All terms of USDM documents are of one version, as USDM expects (DDF00073)."""
    names = [*SHARED_TABLES, *(name for name in CODELISTS if name.startswith("usdm_"))]
    versions = {term.version for name in names for found in terms_of(name).values() for term in found}
    assert versions | {fixed(name).version for name in FIXED} == {"2026-03-27"}
    assert {known.version for known in facts().codelists.values()} == versions


def test_single_group_is_single_group() -> None:
    """A single group is C82640 and never the parallel C82639."""
    ((single,), (parallel,)) = (
        terms_of("cdisc_intervention_model")[word] for word in ("SINGLE_GROUP", "PARALLEL")
    )
    assert (single.code, parallel.code) == ("C82640", "C82639")


def test_every_country_has_an_alpha_3_code() -> None:
    """Every alpha-2 code of the table of countries has one alpha-3 code, and no two share one."""
    alpha_2 = {row.code for row in table("countries") if row.code}
    found = {code: country(code) for code in alpha_2}
    assert len(alpha_2) == len({term.code for term in found.values()}) == 249
    assert all(re.fullmatch("[A-Z]{3}", term.code) for term in found.values())
    assert {row.source for row in table("usdm_country")} == alpha_2
    expected = {
        "DE": "DEU",
        "CH": "CHE",
        "GB": "GBR",
        "US": "USA",
        "SE": "SWE",
        "SI": "SVN",
        "SK": "SVK",
        "NE": "NER",
    }
    assert {code: found[code].code for code in expected} == expected


def test_codes_stand_in_the_workbook_of_usdm(shared: Path) -> None:
    """The workbook of USDM knows the same codes, but for the acronym, which has got one of its own since."""
    with zipfile.ZipFile(shared / "schemas" / "usdm-4.0" / "USDM_CT.xlsx") as book:
        text = book.read("xl/sharedStrings.xml").decode()
    for name in CODELISTS:
        if name.startswith("usdm_") and name not in ("usdm_sex", "usdm_age_unit"):
            codes = {term.code for found in terms_of(name).values() for term in found}
            assert {code for code in codes if f">{code}<" not in text} <= {"C207646"}, name
