"""What a page can carry of a study, compared with what was read from it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from trialconv.record import Record

_HEADING = re.compile(r"^((?:In|Ex)clusion Criteria)[ \t]*:?$", re.MULTILINE)


def differences(study: dict[str, Any], record: Record) -> list[tuple[str, str, Any, Any]]:
    """Return section, field, value of the study and value read, for each field that differs.

    Blank lines in a row, spaces at the ends of lines and the colon after a heading of the criteria are not
    visible in a page, and the order of an intervention's groups is not either.
    """
    read = msgspec.json.decode(record.to_json())
    found = []
    for (section, field), wanted in _carried(study).items():
        got = _carried(read).get((section, field))
        if got != wanted and not (field == "hasResults" and wanted):
            found.append((section, field, wanted, got))
    return found


def _carried(study: dict[str, Any]) -> dict[tuple[str, str], Any]:
    """Return the fields of an API v2 study that the page shows, under the section that shows them."""
    protocol = study["protocolSection"]
    ids, status = protocol["identificationModule"], protocol.get("statusModule", {})
    design, sponsors = protocol.get("designModule", {}), protocol.get("sponsorCollaboratorsModule", {})
    places = protocol.get("contactsLocationsModule", {})
    eligibility, text = protocol.get("eligibilityModule", {}), protocol.get("descriptionModule", {})
    arms = protocol.get("armsInterventionsModule", {})
    basic, other = "Basic Information", "Other Identifiers"
    return {
        ("Header", "nctId"): ids["nctId"],
        ("Study Results", "hasResults"): study.get("hasResults"),
        (basic, "overallStatus"): status.get("overallStatus"),
        (basic, "phases"): design.get("phases"),
        (basic, "enrollment"): design.get("enrollmentInfo", {}).get("count"),
        (basic, "studyType"): design.get("studyType"),
        (basic, "start"): status.get("startDateStruct", {}).get("date"),
        (basic, "completion"): status.get("completionDateStruct", {}).get("date"),
        ("Brief Summary", "briefSummary"): _text(text.get("briefSummary")),
        ("Detailed Description", "detailedDescription"): _text(text.get("detailedDescription")),
        ("Conditions", "conditions"): _lines(protocol.get("conditionsModule", {}).get("conditions")),
        **{("Study Design", key): value for key, value in _design(design.get("designInfo", {})).items()},
        ("Study Groups", "armGroups"): _picked(
            arms.get("armGroups"), "label", "type", "description", "interventionNames"
        ),
        ("Interventions", "interventions"): _picked(arms.get("interventions"), "type", "name", "description"),
        ("Study Groups|Interventions", "armGroupLabels"): [
            sorted(map(_text, item.get("armGroupLabels", []))) for item in arms.get("interventions", [])
        ],
        ("Eligibility Criteria", "criteria"): _criteria(eligibility.get("eligibilityCriteria")),
        **{
            ("Eligibility Criteria", key): eligibility.get(key)
            for key in ("minimumAge", "maximumAge", "sex", "healthyVolunteers")
        },
        ("Sponsors", "lead"): _picked([sponsors.get("leadSponsor", {})], "name", "class"),
        ("Sponsors", "collaborators"): _picked(sponsors.get("collaborators"), "name", "class"),
        ("Responsible Party", "type"): sponsors.get("responsibleParty", {}).get("type"),
        ("Principal Investigators", "officials"): _picked(
            places.get("overallOfficials"), "name", "role", "affiliation"
        ),
        ("Locations", "locations"): _picked(
            places.get("locations"), "facility", "city", "state", "country", "status"
        ),
        (other, "own"): _picked([ids.get("orgStudyIdInfo", {})], "id", "type"),
        (other, "others"): _picked(ids.get("secondaryIdInfos"), "id", "type"),
        (other, "aliases"): ids.get("nctIdAliases"),
    }


def _design(info: dict[str, Any]) -> dict[str, Any]:
    masking = info.get("maskingInfo", {})
    fields = {key: info.get(key) for key in ("allocation", "interventionModel", "primaryPurpose")}
    return {**fields, "masking": masking.get("masking"), "whoMasked": masking.get("whoMasked")}


def _picked(items: list[dict[str, Any]] | None, *keys: str) -> list[dict[str, Any]]:
    return [{key: _text(item[key]) for key in keys if item.get(key)} for item in items or []]


def _lines(items: list[str] | None) -> list[Any]:
    return [_text(item) for item in items or []]


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return _lines(value)
    if not isinstance(value, str):
        return value
    lines = "\n".join(line.rstrip() for line in value.replace("\r", "").split("\n"))
    return re.sub(r"\n{2,}", "\n\n", lines).strip()


def _criteria(text: str | None) -> str | None:
    if text is None:
        return None
    return str(_text(_HEADING.sub(r"\n\n\1:\n\n", text)))
