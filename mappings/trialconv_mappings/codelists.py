"""The CDISC codelist behind each code table."""

from __future__ import annotations

from typing import Final, NamedTuple


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
    "usdm_age_unit": Codelist("C66781", "2026-03-27"),
    "usdm_design_characteristic": Codelist("C207416", "2026-03-27"),
    "usdm_document_type": Codelist("C215477", "2026-03-27"),
    "usdm_endpoint_level": Codelist("C188726", "2026-03-27"),
    "usdm_id_issuer_type": Codelist("C188724", "2026-03-27"),
    "usdm_intervention_role": Codelist("C207417", "2026-03-27"),
    "usdm_objective_level": Codelist("C188725", "2026-03-27"),
    "usdm_organization_type": Codelist("C188724", "2026-03-27"),
    "usdm_party_role": Codelist("C215480", "2026-03-27"),
    "usdm_sex": Codelist("C66732", "2026-03-27"),
    "usdm_title_type": Codelist("C207419", "2026-03-27"),
}

#: The codelists of `usdm_fixed`, which has a row for each code that every document of USDM uses.
FIXED: Final[dict[str, Codelist]] = {
    "registry": Codelist("C188724", "2026-03-27"),
    "issued": Codelist("C207413", "2026-03-27"),
    "global": Codelist("C207412", "2026-03-27"),
    "fixed reference": Codelist("C201264", "2026-03-27"),
    "start to start": Codelist("C201265", "2026-03-27"),
    "unknown": Codelist("C66742", "2026-03-27"),
    "other": Codelist("C207415", "2026-03-27"),
}
