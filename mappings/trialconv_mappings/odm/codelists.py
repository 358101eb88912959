"""The CDISC codelist behind each code table, and how a coded value is written in ODM 2.0."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from trialconv.odm_tree import Node
from trialconv_mappings.tables import Row

SYSTEM_NAME: Final = "CDISC/NCI CT"


class Codelist(NamedTuple):
    """A codelist of CDISC controlled terminology: its NCI code and the day from which this version holds."""

    code: str
    effective: str


#: From the CDISC terminology files that NCI EVS publishes
#: (https://evs.nci.nih.gov/ftp1/CDISC/): the SDTM package, and DDF for C174222 and C215480.
CODELISTS: Final[dict[str, Codelist]] = {
    "cdisc_allocation": Codelist("C66742", "2026-03-27"),
    "cdisc_arm_type": Codelist("C174222", "2026-03-27"),
    "cdisc_control_type": Codelist("C66785", "2025-03-28"),
    "cdisc_criterion_kind": Codelist("C66797", "2026-03-27"),
    "cdisc_intervention_model": Codelist("C99076", "2026-03-27"),
    "cdisc_intervention_type": Codelist("C99078", "2026-03-27"),
    "cdisc_masking": Codelist("C66735", "2026-03-27"),
    "cdisc_observational_model": Codelist("C127259", "2026-03-27"),
    "cdisc_parameter": Codelist("C66738", "2025-03-28"),
    "cdisc_patient_registry": Codelist("C99077", "2026-03-27"),
    "cdisc_primary_purpose": Codelist("C66736", "2026-03-27"),
    "cdisc_sampling_method": Codelist("C127260", "2026-03-27"),
    "cdisc_sex": Codelist("C66732", "2026-03-27"),
    "cdisc_specimens_retained": Codelist("C66742", "2026-03-27"),
    "cdisc_specimens_with_dna": Codelist("C66742", "2026-03-27"),
    "cdisc_study_type": Codelist("C99077", "2026-03-27"),
    "cdisc_time_perspective": Codelist("C127261", "2026-03-27"),
    "cdisc_trial_phase": Codelist("C66737", "2026-03-27"),
    "cdisc_who_masked": Codelist("C215480", "2026-03-27"),
    "cdisc_yes_no": Codelist("C66742", "2026-03-27"),
}


@cache
def coding(table_name: str, row: Row, *, label: bool = True) -> Node:
    """Return the `Coding` for a row of a code table of CDISC terms.

    The same row gives the same element. `label` False leaves out the term's words, where the coded element
    says them itself.

    See the examples in https://wiki.cdisc.org/display/PUB/StudyParameter for the form of these codings.
    """
    attributes = {
        "Code": row.code,
        "System": row.system,
        "SystemName": SYSTEM_NAME,
        "SystemVersion": CODELISTS[table_name].effective,
    }
    if label:
        attributes["Label"] = row.display
    return Node("Coding", attributes, shared={})
