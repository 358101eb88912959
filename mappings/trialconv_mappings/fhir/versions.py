"""The code tables that differ between the FHIR versions. R4B has R4's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trialconv.formats import FhirVersion
from trialconv_mappings.tables import CodeTable, table


def _by_version(name: str) -> Mapping[FhirVersion, CodeTable]:
    in_r4 = table(f"fhir_r4_{name}")
    return {"R4": in_r4, "R4B": in_r4, "R5": table(f"fhir_r5_{name}")}


OUTCOME_TYPES: Final = _by_version("outcome_type")
PHASES: Final = _by_version("phase")
PRIMARY_PURPOSES: Final = _by_version("primary_purpose")
PROGRESS_STATUSES: Final = _by_version("progress_status")
#: R4 only: the status of the study. In R5 the element holds the status of the record.
STUDY_STATUS_R4: Final = table("fhir_r4_status")
