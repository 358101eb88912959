"""The status of a study: R4's required code, and the progress status that R5 has and R4 carries along.

R4's `ResearchStudy.status` is the status of the trial; R5's is that of the record and is no concern of this
module.
"""

from __future__ import annotations

from typing import Final

from trialconv.context import Context
from trialconv.lineage import code, derived
from trialconv_mappings.fhir.parts import Element, concept, extension
from trialconv_mappings.fhir.terms import DATA_ABSENT_REASON
from trialconv_mappings.fhir.versions import PROGRESS_STATUSES, STUDY_STATUS_R4

_OVERALL = "protocolSection.statusModule.overallStatus"
_LAST_KNOWN = "protocolSection.statusModule.lastKnownStatus"
_TARGET = "ResearchStudy.status"
_ABSENT_REASONS: Final = {"WITHHELD": "masked"}


def r4_status(ctx: Context) -> tuple[str | None, Element | None]:
    """Return R4's `status` and `_status`: a code, or the reason why there is none.

    A study of unknown status gets no code, unless the option asks for the last known one; then an Issue says so.
    """
    module = ctx.record.study.protocol_section.status_module
    status = module.overall_status
    if status == "UNKNOWN" and ctx.options.unknown_status == "last-known" and module.last_known_status:
        rows = code(ctx, STUDY_STATUS_R4, module.last_known_status, _LAST_KNOWN, _TARGET)
        if rows:
            message = f"the status is unknown; {module.last_known_status} is the last known one"
            ctx.note("status-from-last-known", message, _LAST_KNOWN, _TARGET)
            return rows[0].code, None
    rows = code(ctx, STUDY_STATUS_R4, status, _OVERALL, _TARGET) if status else ()
    if rows:
        return rows[0].code, None
    reason = derived(_ABSENT_REASONS.get(status or "", "unknown"), status)
    message = f"the registry gives {status or 'no status'}; marked as absent ({reason})"
    ctx.note("status-not-stated", message, _OVERALL, _TARGET)
    return None, {"extension": [extension(DATA_ABSENT_REASON, valueCode=reason)]}


def progress_state(ctx: Context) -> Element | None:
    """Return the registry's own status as the state of a progress status."""
    status = ctx.record.study.protocol_section.status_module.overall_status
    return _state(ctx, status, _OVERALL) if status else None


def last_known_status(ctx: Context) -> Element | None:
    """Return the status that the study had before it became unknown."""
    status = ctx.record.study.protocol_section.status_module.last_known_status
    return _state(ctx, status, _LAST_KNOWN) if status else None


def _state(ctx: Context, status: str, source: str) -> Element:
    codes = PROGRESS_STATUSES[ctx.options.fhir_version]
    return concept(ctx, codes, status, source, "ResearchStudy.progressStatus.state")
