"""The code tables: complete for the registry's words, and right by the official code systems."""

from __future__ import annotations

import csv
import json
import os
import tarfile
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from trialconv.record import enums
from trialconv_mappings.tables import CodeTable, Row, table, table_names

#: The enumeration of the registry that each table is for.
ENUMS = {
    "fhir_activity_kind": enums.InterventionType,
    "fhir_agency_class": enums.AgencyClass,
    "fhir_allocation": enums.DesignAllocation,
    "fhir_arm_type": enums.ArmGroupType,
    "fhir_intervention_model": enums.InterventionalAssignment,
    "fhir_intervention_type": enums.InterventionType,
    "fhir_masking": enums.DesignMasking,
    "fhir_observational_model": enums.ObservationalModel,
    "fhir_r4_primary_purpose": enums.PrimaryPurpose,
    "fhir_r5_primary_purpose": enums.PrimaryPurpose,
    "fhir_r4_progress_status": enums.Status,
    "fhir_r5_progress_status": enums.Status,
    "fhir_r4_status": enums.Status,
    "fhir_sampling_method": enums.SamplingMethod,
    "fhir_sex": enums.Sex,
    "fhir_study_type": enums.StudyType,
    "fhir_time_perspective": enums.DesignTimePerspective,
    "fhir_who_masked": enums.WhoMasked,
}
#: Tables for enumerations and for words beside them: the roles of parties that the registry names by their place.
MORE = {
    "fhir_party_role": (
        enums.ContactRole,
        {"LEAD_SPONSOR", "COLLABORATOR", "ORGANIZATION", "SPONSOR_INVESTIGATOR"},
    )
}

RELATIONS = {"equivalent", "source-is-narrower-than-target", "source-is-broader-than-target", "related-to"}
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"

FHIR_TABLES = [name for name in table_names() if name.startswith("fhir_")]


def sources(codes: CodeTable) -> set[str]:
    """Return the registry words that a table has rows for."""
    return {row.source for row in codes}


@pytest.mark.parametrize("name", ENUMS)
def test_table_has_a_row_for_each_word_and_no_other(name: str) -> None:
    """Every member of the enumeration has a row, or a row that says there is no code; nothing else has one."""
    assert sources(table(name)) == set(get_args(ENUMS[name]))


@pytest.mark.parametrize("name", MORE)
def test_table_of_roles_has_each_role_and_each_place(name: str) -> None:
    """Every role of the registry has a row, and every place that stands for a role."""
    kind, words = MORE[name]
    assert sources(table(name)) == {*get_args(kind), *words}


@pytest.mark.parametrize("name", ["fhir_r4_phase", "fhir_r5_phase", "cdisc_trial_phase"])
def test_phases_have_rows_alone_and_in_the_registrys_pairs(name: str) -> None:
    """Each phase has a row, and so has each pair that the registry knows."""
    assert sources(table(name)) >= {*get_args(enums.Phase), "PHASE1/PHASE2", "PHASE2/PHASE3"}


@pytest.mark.parametrize("name", table_names())
def test_rows_are_complete(name: str) -> None:
    """A row with a code has a system and a relation; one without says why in its note. No coding stands twice."""
    rows = list(table(name))
    assert len({(row.source, row.system, row.code) for row in rows}) == len(rows)
    for row in rows:
        if row.code:
            assert row.system, row
            assert row.relation in RELATIONS, row
        else:
            assert row.note, row
            assert not row.system, row
            assert not row.relation, row


def test_r4_status_is_what_was_reviewed() -> None:
    """The status of a study in R4 is written out once more here, so that no row changes unnoticed."""
    assert {row.source: row.code for row in table("fhir_r4_status")} == {
        "RECRUITING": "active",
        "NOT_YET_RECRUITING": "approved",
        "ENROLLING_BY_INVITATION": "active",
        "ACTIVE_NOT_RECRUITING": "closed-to-accrual",
        "SUSPENDED": "temporarily-closed-to-accrual",
        "TERMINATED": "administratively-completed",
        "WITHDRAWN": "withdrawn",
        "COMPLETED": "completed",
        "AVAILABLE": "active",
        "NO_LONGER_AVAILABLE": "closed-to-accrual",
        "TEMPORARILY_NOT_AVAILABLE": "temporarily-closed-to-accrual",
        "APPROVED_FOR_MARKETING": "completed",
        "WITHHELD": "",
        "UNKNOWN": "",
    }


# against the official code systems


@pytest.fixture(scope="module")
def official_codes() -> dict[str, dict[str, set[str]]]:
    """Return the codes of the official code systems with their displays, by the system's url."""
    folder = Path(
        os.environ.get("TRIALCONV_FHIR_PACKAGES", Path.home() / ".cache" / "trialconv" / "fhir-packages")
    )
    archives = sorted(folder.glob("hl7.*.tgz")) if folder.is_dir() else []
    if not archives:
        pytest.skip(f"no definition packages at {folder}; `make schemas` fetches them")
    found: dict[str, dict[str, set[str]]] = {}
    for archive in archives:
        for url, codes in _code_systems(archive).items():
            for code, display in codes:
                found.setdefault(url, {}).setdefault(code, set()).add(display.strip())
    return found


@cache
def _code_systems(archive: Path) -> dict[str, list[tuple[str, str]]]:
    wanted = {row.system for name in FHIR_TABLES for row in table(name) if row.system}
    found = {}
    with tarfile.open(archive) as files:
        for member in files:
            if "/CodeSystem-" not in member.name or not member.name.endswith(".json"):
                continue
            stream = files.extractfile(member)
            system = json.load(stream) if stream else {}
            if system.get("url") in wanted:
                found[system["url"]] = _concepts(system.get("concept", []))
    return found


def _concepts(concepts: list[dict[str, object]]) -> list[tuple[str, str]]:
    found = []
    for concept in concepts:
        found.append((str(concept["code"]), str(concept.get("display") or "")))
        inner = concept.get("concept")
        found += _concepts(inner) if isinstance(inner, list) else []
    return found


def test_fhir_codes_exist_with_their_displays(official_codes: dict[str, dict[str, set[str]]]) -> None:
    """Every code of HL7 is in its code system, under the display that the table gives."""
    rows = [row for name in FHIR_TABLES for row in table(name) if "hl7.org" in row.system]
    assert len(rows) > 50
    for row in rows:
        assert row.code in official_codes[row.system], row
        assert row.display in official_codes[row.system][row.code], row


def test_ncit_codes_exist_with_their_preferred_terms(shared: Path) -> None:
    """Every code of the NCI Thesaurus is in the CDISC or ICH terminology, under its preferred term."""
    terms: dict[str, set[str]] = {}
    for name in ("registry_codelists.tsv", "m11_codelists.tsv"):
        with (shared / "terminology" / name).open(encoding="utf-8") as lines:
            for line in csv.DictReader(lines, delimiter="\t"):
                terms.setdefault(line["term"], set()).add(line["preferred_term"])
    rows: list[Row] = [row for name in FHIR_TABLES for row in table(name) if row.system == NCIT]
    assert len(rows) > 20
    for row in rows:
        assert row.display in terms.get(row.code, set()), row
