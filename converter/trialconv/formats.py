"""The versions of the targets, as their own publishers name them."""

from __future__ import annotations

from typing import Final, Literal, get_args

FhirVersion = Literal["R4", "R4B", "R5"]
OdmVersion = Literal["2.0", "1.3.2"]
SdtmFormat = Literal["dataset-json", "xport", "both"]

FHIR_VERSIONS: Final[tuple[FhirVersion, ...]] = get_args(FhirVersion)
ODM_VERSIONS: Final[tuple[OdmVersion, ...]] = get_args(OdmVersion)
SDTM_FORMATS: Final[tuple[SdtmFormat, ...]] = get_args(SdtmFormat)

#: The version of the USDM model and API, as its documents state it.
USDM_MODEL_VERSION: Final = "4.0.0"
