"""Synthetic pages: a study in the layout of `examples/NCT06108596.txt`, to test the page reader at scale.

Only one real page is known, so what this renderer does for studies unlike that one is an assumption: a block
of lines for each of several things, and one of three ways to write a value that the registry does not have.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from trialconv.readers._page_layout import RESULTS_SENTENCE, SENTENCES

Absent = Literal["omit", "dash", "empty"]

_LIST_ITEM = re.compile(r"\s*(?:[-*•]|\d+\.)\s")


class _Page:
    """The blocks of a page, and how they write a missing value."""

    def __init__(self, absent: Absent) -> None:
        self.absent = absent
        self.blocks: list[str] = []

    def add(self, text: str | None) -> None:
        """Add a block; a missing one as a dash, or not at all."""
        if text:
            self.blocks.append(text)
        elif self.absent == "dash":
            self.blocks.append("-")

    def heading(self, name: str) -> None:
        self.blocks += [name, SENTENCES[name]]

    def value(self, label: str, text: str | None) -> None:
        """Add a label and its value as two blocks."""
        if text or self.absent != "omit":
            self.blocks.append(label)
            self.add(text)

    def marker(self, label: str, text: str | None) -> None:
        """Add a label and its value as one line."""
        if text:
            self.blocks.append(f"{label} {text}")
        elif self.absent != "omit":
            self.blocks.append(f"{label} -" if self.absent == "dash" else label)

    def text(self) -> str:
        """Join the blocks; as in the real page, there is no blank line below a list."""
        page = ""
        for block in self.blocks:
            last = page.rstrip("\n").rpartition("\n")[2]
            page += ("" if not page else "\n" if _LIST_ITEM.match(last) else "\n\n") + block.strip("\n")
        return page + "\n"


def render_page(study: dict[str, Any], absent: Absent = "omit") -> str:
    """Return the synthetic page of an API v2 study."""
    page = _Page(absent)
    protocol = study["protocolSection"]
    _head(page, study)
    _basics(page, protocol)
    for name, field in (("Brief Summary", "briefSummary"), ("Detailed Description", "detailedDescription")):
        text = protocol.get("descriptionModule", {}).get(field)
        if text:
            page.heading(name)
            page.add(text)
    page.heading("Conditions")
    for condition in protocol.get("conditionsModule", {}).get("conditions", []):
        page.add(condition)
    _design(page, protocol)
    _arms(page, protocol.get("armsInterventionsModule", {}))
    _eligibility(page, protocol.get("eligibilityModule", {}))
    _parties(page, protocol)
    _places(page, protocol.get("contactsLocationsModule", {}).get("locations", []))
    _identifiers(page, protocol["identificationModule"])
    page.heading("More Related Trials")
    page.blocks.append("A Made-up Study of Something Similar\nNCT99999998 COMPLETED PHASE2")
    return page.text()


def _head(page: _Page, study: dict[str, Any]) -> None:
    ids = study["protocolSection"]["identificationModule"]
    updated = study["protocolSection"]["statusModule"].get("lastUpdatePostDateStruct", {}).get("date")
    page.add(ids.get("officialTitle") or ids["briefTitle"])
    page.add(f"NCT ID: {ids['nctId']}")
    page.add(f"Last Updated: {updated or '-'}")
    page.add("Study Results")
    if study.get("hasResults"):
        page.add("Results are available")
    else:
        page.blocks += ["Results pending", RESULTS_SENTENCE]


def _basics(page: _Page, protocol: dict[str, Any]) -> None:
    status, design = protocol["statusModule"], protocol.get("designModule", {})
    count = design.get("enrollmentInfo", {}).get("count")
    page.heading("Basic Information")
    page.value("Recruitment Status", status.get("overallStatus"))
    page.value("Clinical Phase", ", ".join(design.get("phases", [])))
    page.value("Total Enrollment", None if count is None else f"{count} participants")
    page.value("Study Classification", design.get("studyType"))
    page.value("Study Start Date", status.get("startDateStruct", {}).get("date"))
    page.value("Study Completion Date", status.get("completionDateStruct", {}).get("date"))


def _design(page: _Page, protocol: dict[str, Any]) -> None:
    info = protocol.get("designModule", {}).get("designInfo", {})
    masking = info.get("maskingInfo", {})
    page.heading("Study Design")
    page.value("Allocation Method", info.get("allocation"))
    page.value("Intervention Model", info.get("interventionModel"))
    page.value("Primary Study Purpose", info.get("primaryPurpose"))
    page.value("Blinding Strategy", " ".join([masking.get("masking", ""), *masking.get("whoMasked", [])]).strip())


def _arms(page: _Page, module: dict[str, Any]) -> None:
    interventions = module.get("interventions", [])
    page.heading("Study Groups")
    for arm in module.get("armGroups", []):
        page.blocks.append(arm["label"])
        page.add(arm.get("description"))
        page.marker("Group Type", arm.get("type"))
        for name in arm.get("interventionNames", []):
            for item in interventions:
                if _reference(item) == name and arm["label"] in item.get("armGroupLabels", []):
                    page.blocks += [item["name"], f"Intervention Type {item['type']}"]
                    page.add(item.get("description"))
    page.heading("Interventions")
    for item in interventions:
        page.blocks.append(item["name"])
        page.add(item.get("description"))
        page.blocks.append(f"Intervention Type {item['type']}")


def _reference(intervention: dict[str, Any]) -> str:
    return f"{intervention['type'].replace('_', ' ').title()}: {intervention['name']}"


def _eligibility(page: _Page, module: dict[str, Any]) -> None:
    healthy = module.get("healthyVolunteers")
    page.heading("Eligibility Criteria")
    for line_or_heading in _criteria_blocks(module.get("eligibilityCriteria", "")):
        page.add(line_or_heading)
    page.value("Minimum Eligible Age", module.get("minimumAge"))
    page.value("Maximum Eligible Age", module.get("maximumAge"))
    page.value("Eligible Sex", module.get("sex"))
    page.value("Accepts Healthy Volunteers", None if healthy is None else "Yes" if healthy else "No")


def _criteria_blocks(criteria: str) -> list[str]:
    """Cut the criteria at the registry's headings, and write those without their colons."""
    pieces = re.split(r"^((?:In|Ex)clusion Criteria):$", criteria, flags=re.MULTILINE)
    return [piece.strip("\n") for piece in pieces if piece.strip()]


def _parties(page: _Page, protocol: dict[str, Any]) -> None:
    module = protocol["sponsorCollaboratorsModule"]
    page.heading("Sponsors")
    for role, sponsors in (("lead", [module["leadSponsor"]]), ("collaborator", module.get("collaborators", []))):
        for sponsor in sponsors:
            page.blocks.append(sponsor["name"])
            page.add(sponsor.get("class"))
            page.blocks.append(f"Sponsor Role {role}")
    page.heading("Responsible Party")
    page.marker("Responsibility Role", module.get("responsibleParty", {}).get("type"))
    page.heading("Principal Investigators")
    for official in protocol.get("contactsLocationsModule", {}).get("overallOfficials", []):
        page.blocks.append(official["name"])
        page.blocks.append(f"Role: {official.get('role', '-')}")
        page.add(official.get("affiliation"))


def _places(page: _Page, locations: list[dict[str, Any]]) -> None:
    page.heading("Locations")
    for location in locations:
        page.add(location.get("facility"))
        parts = (location.get(key) for key in ("city", "state", "country"))
        page.blocks.append(", ".join(part for part in parts if part))
        page.blocks.append(f"Site Status {location.get('status', '')}".strip())
    page.heading("Countries")
    for country in dict.fromkeys(location["country"] for location in locations):
        page.blocks.append(country)


def _identifiers(page: _Page, module: dict[str, Any]) -> None:
    rows = [("org_study_id", module["orgStudyIdInfo"])] if "orgStudyIdInfo" in module else []
    rows += [("secondary_id", other) for other in module.get("secondaryIdInfos", [])]
    rows += [("nct_alias", {"id": alias}) for alias in module.get("nctIdAliases", [])]
    page.heading("Other Identifiers")
    for source, row in rows:
        if "id" in row:
            kind = row.get("type", "-")
            page.blocks += [row["id"], f"Identifier Type: {kind}", f"Identifier Source: {source}"]
