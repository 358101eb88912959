"""The status of a study and its dates, read back from a ResearchStudy in the shape of R5."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.back import Notes, one_of, put, words
from trialconv_mappings.fhir.back.element import Part
from trialconv_mappings.fhir.status import EXPANDED_ACCESS
from trialconv_mappings.fhir.study_dates import EVENTS
from trialconv_mappings.fhir.terms import LAST_KNOWN_STATUS

_S: Final = "protocolSection.statusModule."
_DATE_TYPES: Final = {"true": "ACTUAL", "false": "ESTIMATED"}
_OVERALL: Final = "overall-study"
_STRUCTS: Final = frozenset(event.field for event in EVENTS if event.field.endswith("Struct"))
_PROGRESS: Final = ("fhir_r4_progress_status", "fhir_r5_progress_status")
_STATUS: Final = "fhir_r4_status"
_ACCESS: Final = "EXPANDED_ACCESS"
_BY_CODE: Final = {event.activity["valueCodeableConcept"]["coding"][0]["code"]: event.field for event in EVENTS}


def read_status(study: Part, tree: dict[str, Any], notes: Notes, *, is_r4: bool) -> None:
    """Put the status and all dates into the tree, which has the facts of the study already."""
    period = study.part("period")
    put(tree, _S + "startDateStruct.date", period.exact("start"))
    put(tree, _S + "completionDateStruct.date", period.exact("end"))
    status = None
    for progress in study.parts("progressStatus"):
        state = progress.part("state")
        if any(code == _OVERALL for _, code in state.codes()):
            _overall(progress, tree)
        elif status is None:
            status = progress_word(state, notes, "ResearchStudy.progressStatus")
    last_known = progress_word(study.extension(LAST_KNOWN_STATUS).held(), notes, "ResearchStudy.extension")
    put(tree, _S + "lastKnownStatus", last_known)
    if is_r4:
        design = tree.get("protocolSection", {}).get("designModule", {})
        status = _r4_status(study, status, last_known, notes, is_access=design.get("studyType") == _ACCESS)
    else:
        study.ask("status")
    put(tree, _S + "overallStatus", status)
    put(tree, _S + "whyStopped", study.part("whyStopped").words())
    _registrations(study, tree, notes)
    put(tree, _S + "lastUpdatePostDateStruct.date", study.exact("date"))


def progress_word(state: Part, notes: Notes, place: str) -> str | None:
    """Return the registry's word of a progress status."""
    return words(*_PROGRESS).word(state.codes(), state.exact("text"), notes, place)


def _r4_status(
    study: Part, said: str | None, last_known: str | None, notes: Notes, *, is_access: bool
) -> str | None:
    """Return the status of a study in R4, whose own element has fewer codes than the registry has words.

    Some words are only for records of expanded access, which `is_access` tells from studies.
    """
    code = study.text("status")
    study.beside("status").ask_all()
    if code is None:
        return said
    possible = words(_STATUS).with_code(code)
    # With an option the last known status stands for one that is unknown.
    if said in possible or (said == "UNKNOWN" and last_known in possible):
        return said
    fitting = [word for word in possible if (word in EXPANDED_ACCESS) == is_access]
    return one_of(fitting or possible, code, said, notes, "ResearchStudy.status")


def _overall(progress: Part, tree: dict[str, Any]) -> None:
    """Read the study's dates as its overall state: whether they are actual, and what the period cannot hold."""
    status = tree.setdefault("protocolSection", {}).setdefault("statusModule", {})
    period, kind = progress.part("period"), _DATE_TYPES.get(progress.value("actual") or "")
    for edge, field in (("start", "startDateStruct"), ("end", "completionDateStruct")):
        day = period.exact(edge)
        if day is not None:
            struct = status.setdefault(field, {})
            struct.setdefault("date", day)
            if kind is not None:
                struct["type"] = kind


def _registrations(study: Part, tree: dict[str, Any], notes: Notes) -> None:
    for found in study.extensions("researchStudy-studyRegistration"):
        parts = {part.text("url"): part for part in found.parts("extension")}
        empty = study.extension("-")
        codes = parts.get("activity", empty).held().codes()
        field = next((_BY_CODE[code] for _, code in codes if code in _BY_CODE), None)
        period = parts.get("period", empty).held()
        day = period.exact("start") or period.exact("end")
        if field is None:
            shown = ", ".join(code for _, code in codes)
            place = "ResearchStudy.extension(researchStudy-studyRegistration)"
            notes.note("not-understood", f"no date of the registry is called {shown[:100]!r}", place)
        elif field in _STRUCTS:
            put(tree, f"{_S}{field}.date", day)
            actual = parts.get("actual", empty).said()
            put(tree, f"{_S}{field}.type", _DATE_TYPES.get(actual or ""))
        else:
            put(tree, _S + field, day)
