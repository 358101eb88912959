"""Answers that are no document: OperationOutcomes, of Issues or of what is wrong with a request.

A program that speaks FHIR reads them as they are (https://hl7.org/fhir/R4/operationoutcome.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from starlette.responses import Response

from trialconv.context import BASE
from trialconv.issues import CATALOGUE, Issue

FHIR_JSON: Final = "application/fhir+json"
#: The system of the codes of docs/issues.md.
ISSUE_SYSTEM: Final = f"{BASE}/CodeSystem/issue"

#: The codes of https://hl7.org/fhir/R4/valueset-issue-type.html for our own; for all others it is `processing`.
_TYPES: Final = {
    "unreadable-source": "structure",
    "unrecognised-format": "structure",
    "unsupported-format": "not-supported",
    "malformed-source": "structure",
    "not-a-study": "invalid",
    "record-too-large": "too-long",
    "invalid-document": "structure",
    "internal-error": "exception",
    "schema": "structure",
    "no-code": "code-invalid",
    "unknown-enum-value": "code-invalid",
}
# What FHIRPath's simple paths look like; a path of ODM or of a registry record is no FHIRPath.
_ELEMENT: Final = re.compile(r"[A-Z][A-Za-z]+(?:\.[a-z]\w*(?:\[\d+\])?)*", re.ASCII)


class RefusedError(Exception):
    """A request that is answered with an OperationOutcome and a status of its own."""

    def __init__(
        self, status: int, type_: str, message: str, *, advice: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.type = type_
        self.message = message
        self.advice = advice
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        entry: dict[str, Any] = {"severity": "error", "code": self.type, "details": {"text": self.message}}
        if self.advice:
            entry["diagnostics"] = self.advice
        return outcome_response([entry], self.status, self.headers)


def outcome(issues: Iterable[Issue], more: int = 0) -> list[dict[str, Any]]:
    """Return Issues as the entries of an OperationOutcome; without any, one that says that all is well.

    `more` is the number of those that were left out, which the last entry tells.
    """
    found = [_entry(each) for each in issues]
    if more:
        left_out = f"{more:,} findings more are left out; the command `trialconv validate` lists all."
        found.append({"severity": "information", "code": "informational", "details": {"text": left_out}})
    return found or [
        {"severity": "information", "code": "informational", "details": {"text": "Nothing was found."}}
    ]


def refusal(issues: Iterable[Issue]) -> list[dict[str, Any]]:
    """Return the Issues for which a request is refused: one is an error, whatever it is to the commands."""
    found = outcome(issues)
    if all(entry["severity"] != "error" for entry in found):
        found[0]["severity"] = "error"
    return found


def _entry(found: Issue) -> dict[str, Any]:
    places = " -> ".join(place for place in (found.source_path, found.target_path) if place)
    rule = f"[{found.rule}] " if found.rule else ""
    entry: dict[str, Any] = {
        "severity": found.severity,
        "code": _TYPES.get(found.code, "processing"),
        "details": {"coding": [{"system": ISSUE_SYSTEM, "code": found.code}], "text": rule + found.message},
        "diagnostics": f"{places}: {CATALOGUE[found.code].action}" if places else CATALOGUE[found.code].action,
    }
    if _ELEMENT.fullmatch(found.target_path):
        entry["expression"] = [found.target_path]
    return entry


def outcome_response(
    entries: list[dict[str, Any]], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer that holds an OperationOutcome."""
    import orjson

    body = orjson.dumps({"resourceType": "OperationOutcome", "issue": entries})
    return Response(body, status, headers, media_type=FHIR_JSON)
