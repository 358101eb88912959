"""Where a bundle comes from: https://hl7.org/fhir/R4/provenance.html, of the same shape in R4B and R5."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Final

import trialconv
from trialconv.context import Context
from trialconv.lineage import derived
from trialconv_mappings.fhir.parts import Element, reference
from trialconv_mappings.fhir.terms import STUDY_PAGE

#: The system of identifiers that are URIs (https://hl7.org/fhir/R4/identifier-registry.html).
_URI: Final = "urn:ietf:rfc:3986"
_ASSEMBLER: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "assembler",
            "display": "Assembler",
        }
    ]
}


def provenance(ctx: Context, resources: list[Element]) -> Element:
    """Return the Provenance of a bundle's resources: made by trialconv, of the registry's record.

    Two entities stand for that record: its page at the registry, and its content as it was read, named by its
    SHA-256 hash (`Record.version`; the day of the download is no part of it). FHIR's own element for a hash,
    `Attachment.hash`, is for SHA-1; RFC 6920 makes a URI of any hash, and a URI can be an identifier.
    `recorded` is the instant of `Context.created`.
    """
    nct_id, version = ctx.record.nct_id, ctx.record.version
    digest = urlsafe_b64encode(bytes.fromhex(version.content_hash)).decode().rstrip("=")
    digest = derived(digest, version.content_hash)
    updated = ", last update " + version.date if version.date else ""
    return {
        "resourceType": "Provenance",
        "id": nct_id + "-provenance",
        "target": [reference(resource["resourceType"], resource["id"]) for resource in resources],
        "recorded": ctx.created("Provenance.recorded"),
        "agent": [
            {"type": _ASSEMBLER, "who": {"type": "Device", "display": f"trialconv {trialconv.__version__}"}},
        ],
        "entity": [
            _source(STUDY_PAGE + nct_id, nct_id + " at ClinicalTrials.gov" + updated),
            _source(
                "ni:///sha-256;" + digest,
                "the content of the record as it was read",
            ),
        ],
    }


def _source(uri: str, display: str) -> Element:
    return {"role": "source", "what": {"identifier": {"system": _URI, "value": uri}, "display": display}}
