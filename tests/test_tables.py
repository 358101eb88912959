"""The code tables: complete for the registry's words, and right by the official code systems."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec import inspect

import official_packages
from made_up import typed_leaves
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.record import enums
from trialconv.validators.fhir import validate_fhir
from trialconv.validators.schema import definitions
from trialconv_mappings.extensions import package_folder
from trialconv_mappings.tables import CodeTable, Row, table, table_names

#: The statuses of a study, of a site and of another study's expanded access are words of one list.
STATUSES = (enums.Status, enums.RecruitmentStatus, enums.ExpandedAccessStatus)
PAIRS = {"PHASE1/PHASE2", "PHASE2/PHASE3"}
OUTCOMES = {"primaryOutcomes", "secondaryOutcomes", "otherOutcomes"}
#: What each FHIR table is for: enumerations of the registry, and words beside them.
MANIFEST: dict[str, tuple[tuple[Any, ...], set[str]]] = {
    "fhir_activity_kind": ((enums.InterventionType,), set()),
    "fhir_agency_class": ((enums.AgencyClass,), set()),
    "fhir_allocation": ((enums.DesignAllocation,), set()),
    "fhir_arm_type": ((enums.ArmGroupType,), set()),
    "fhir_biospec_retention": ((enums.BioSpecRetention,), set()),
    "fhir_date_type": ((enums.DateType,), set()),
    "fhir_enrollment_type": ((enums.EnrollmentType,), set()),
    "fhir_identifier_system": ((enums.SecondaryIdType,), set()),
    "fhir_intervention_model": ((enums.InterventionalAssignment,), set()),
    "fhir_selection_behavior": ((enums.InterventionalAssignment,), set()),
    "fhir_intervention_type": ((enums.InterventionType,), set()),
    "fhir_ipd_info_type": ((enums.IpdSharingInfoType,), set()),
    "fhir_ipd_sharing": ((enums.IpdSharing,), set()),
    # The registry has no enumeration of these abbreviations; they are those of real records.
    "fhir_large_document_type": ((), {"Prot", "SAP", "ICF", "Prot_SAP", "Prot_ICF", "Prot_SAP_ICF"}),
    "fhir_masking": ((enums.DesignMasking,), set()),
    "fhir_observational_model": ((enums.ObservationalModel,), set()),
    "fhir_org_study_id_type": ((enums.OrgStudyIdType,), set()),
    # Roles that the registry names, and places of a record that stand for a role.
    "fhir_party_role": (
        (enums.ContactRole, enums.OfficialRole, enums.ResponsiblePartyType),
        {"LEAD_SPONSOR", "COLLABORATOR", "ORGANIZATION"},
    ),
    "fhir_r4_outcome_type": ((), OUTCOMES),
    "fhir_r4_phase": ((enums.Phase,), PAIRS),
    "fhir_r4_primary_purpose": ((enums.PrimaryPurpose,), set()),
    "fhir_r4_progress_status": (STATUSES, set()),
    "fhir_r4_status": (STATUSES, set()),
    "fhir_r5_outcome_type": ((), OUTCOMES),
    "fhir_r5_phase": ((enums.Phase,), PAIRS),
    "fhir_r5_primary_purpose": ((enums.PrimaryPurpose,), set()),
    "fhir_r5_progress_status": (STATUSES, set()),
    "fhir_reference_type": ((enums.ReferenceType,), set()),
    "fhir_sampling_method": ((enums.SamplingMethod,), set()),
    "fhir_secondary_id_type": ((enums.SecondaryIdType,), set()),
    "fhir_sex": ((enums.Sex,), set()),
    "fhir_standard_age": ((enums.StandardAge,), set()),
    "fhir_study_type": ((enums.StudyType,), set()),
    "fhir_time_perspective": ((enums.DesignTimePerspective,), set()),
    "fhir_title_type": ((), {"officialTitle", "acronym"}),
    "fhir_unposted_event_type": ((enums.UnpostedEventType,), set()),
    "fhir_violation_event_type": ((enums.ViolationEventType,), set()),
    "fhir_who_masked": ((enums.WhoMasked,), set()),
}

RELATIONS = {"equivalent", "source-is-narrower-than-target", "source-is-broader-than-target", "related-to"}
NCIT = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"

FHIR_TABLES = [name for name in table_names() if name.startswith("fhir_")]


def sources(codes: CodeTable) -> set[str]:
    """Return the registry words that a table has rows for."""
    return {row.source for row in codes}


def expected(name: str) -> set[str]:
    """Return the words that a table must have rows for."""
    kinds, words = MANIFEST[name]
    return words.union(*(get_args(kind) for kind in kinds))


def test_manifest_names_every_table() -> None:
    """Every FHIR table has an entry that tells what it is for."""
    assert set(FHIR_TABLES) == set(MANIFEST)


@pytest.mark.parametrize("name", MANIFEST)
def test_table_has_a_row_for_each_word_and_no_other(name: str) -> None:
    """Every word that a table is for has a row, or a row that says there is no code; nothing else has one."""
    assert sources(table(name)) == expected(name)


SECTIONS = ("protocolSection.", "documentSection.", "annotationSection.")
CODED_FIELDS = [
    (path, frozenset(kind.values))
    for path, kind in typed_leaves()
    if isinstance(kind, inspect.LiteralType) and path.startswith(SECTIONS)
]


@pytest.mark.parametrize(("path", "words"), CODED_FIELDS, ids=[path for path, _ in CODED_FIELDS])
def test_every_enumerated_field_has_a_table(path: str, words: frozenset[str]) -> None:
    """Each field with an enumeration has a table with a row for each of its words, for each FHIR version."""
    fitting = {
        name for name, (kinds, _) in MANIFEST.items() if any(set(get_args(kind)) == words for kind in kinds)
    }
    versions = {name.split("_")[1] for name in fitting}
    assert {"r4", "r5"} <= versions or versions - {"r4", "r5"}, path


def test_enumerations_are_those_of_the_openapi(shared: Path) -> None:
    """The enumerations that the tables are checked against are the registry's, word by word."""
    path = shared / "corpus" / "schemas" / "ctg-oas-v2.0.5.json"
    schemas = json.loads(path.read_text(encoding="utf-8"))["components"]["schemas"]
    official = {name: set(schema["enum"]) for name, schema in schemas.items() if "enum" in schema}
    ours = {name: set(get_args(kind)) for name, kind in vars(enums).items() if get_args(kind)}
    # How the API describes its own fields is no part of a study.
    assert ours == {name: words for name, words in official.items() if name != "FieldStatsType"}


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


#: Systems that only one version has. R4 and R4B documents use those of R5 where R4 has none of its own. Of the
#: kinds of activities documents have the bare code; another test looks it up in each version's value set.
ONLY_IN = {
    "http://hl7.org/fhir/request-resource-types": "R4",
    "http://hl7.org/fhir/research-study-arm-type": "R5",
    "http://hl7.org/fhir/research-study-party-organization-type": "R5",
    "http://hl7.org/fhir/research-study-party-role": "R5",
    "http://hl7.org/fhir/study-design": "R5",
    "http://hl7.org/fhir/title-type": "R5",
}


@cache
def official_codes(version: str) -> dict[str, dict[str, set[str]]]:
    """Return the codes of a FHIR version's code systems with their displays, by the system's url."""
    wanted = {row.system for name in FHIR_TABLES for row in table(name) if row.system}
    found: dict[str, dict[str, set[str]]] = {}
    for archive in official_packages.files(version):
        for system in official_packages.resources(archive, "CodeSystem-"):
            if system.get("url") in wanted:
                for code, display in _concepts(system.get("concept", [])):
                    found.setdefault(system["url"], {}).setdefault(code, set()).add(display)
    return found


def _concepts(concepts: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield each code with its display, and with each of its other names."""
    for concept in concepts:
        yield concept["code"], concept.get("display") or ""
        for other in concept.get("designation", ()):
            yield concept["code"], other["value"]
        yield from _concepts(concept.get("concept", []))


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_fhir_codes_exist_in_their_version_with_their_displays(version: str) -> None:
    """Every code of HL7 is in its code system of the FHIR version, under the display that the table gives."""
    other = "r4_" if version == "R5" else "r5_"
    names = [name for name in FHIR_TABLES if not name.startswith(f"fhir_{other}")]
    rows = [row for name in names for row in table(name) if "hl7.org" in row.system]
    assert len(rows) > 50
    known = official_codes(version)
    for row in rows:
        codes = known.get(row.system)
        if codes is None:
            codes = official_codes(ONLY_IN[row.system])[row.system]
        assert row.code in codes, row
        assert row.display in codes[row.code], row


@pytest.mark.parametrize("version", ["R4", "R4B"])
def test_systems_of_r5_come_with_the_definitions_for_r4(version: FhirVersion) -> None:
    """A code system that only R5 has is in the package of definitions for R4, valid and with all codes in use."""
    found = {}
    included = set()
    for file in package_folder(version).iterdir():
        if file.name.startswith("CodeSystem-"):
            system = json.loads(file.read_text(encoding="utf-8"))
            assert validate_fhir(system, version) == []
            found[system["url"]] = set(_concepts(system["concept"]))
        elif file.name.startswith("ValueSet-"):
            value_set = json.loads(file.read_text(encoding="utf-8"))
            assert validate_fhir(value_set, version) == []
            included |= {one["system"] for one in value_set["compose"]["include"]}
    assert included
    assert included <= set(found) == {system for system, home in ONLY_IN.items() if home == "R5"}
    rows = [row for name in FHIR_TABLES for row in table(name) if row.system in found]
    assert rows
    assert all((row.code, row.display) in found[row.system] for row in rows)


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_bare_codes_are_in_the_value_sets_of_each_version(version: FhirVersion) -> None:
    """The codes of elements that have no system are in the value sets that these elements require."""
    for name, value_set in (
        ("fhir_activity_kind", "request-resource-types"),
        ("fhir_reference_type", "related-artifact-type"),
    ):
        assert {row.code for row in table(name) if row.code} <= set(
            definitions(version)[f"code({value_set})"]["enum"]
        )


def test_systems_of_identifiers_are_published_ones() -> None:
    """Every identifier system in the table is an identifier of a NamingSystem in the terminology package."""
    uris = {row.code for row in table("fhir_identifier_system") if row.code}
    published = {
        one.get("value")
        for system in official_packages.resources(official_packages.files("R5")[1], "NamingSystem-")
        for one in system.get("uniqueId", ())
    }
    assert len(published) > 100
    assert uris <= published


def test_no_table_has_codes_of_snomed_ct() -> None:
    """SNOMED CT needs a licence that users may not have; no table uses it."""
    assert not any("snomed" in row.system for name in table_names() for row in table(name))


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
