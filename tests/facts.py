"""The same facts of a study from the documents of five standards, by what those standards themselves say.

A short extractor for each format, which knows the format's elements and nothing of trialconv's way back. Where a
standard has no element for a fact (the status and the days in ODM and USDM) it is read from where the
documentation of the target says that it stands.
"""

from __future__ import annotations

import html
import json
import re
from typing import Any, NamedTuple

from lxml import etree

from made_up import Tree

#: A phase by what each standard calls it: FHIR's code, CDISC's submission value, the NCI code.
_PHASES = {
    "NA": ("n-a", "NOT APPLICABLE", "C48660"),
    "EARLY_PHASE1": ("early-phase-1", "EARLY PHASE I", "C54721"),
    "PHASE1": ("phase-1", "PHASE I TRIAL", "C15600"),
    "PHASE1/PHASE2": ("phase-1-phase-2", "PHASE I/II TRIAL", "C15693"),
    "PHASE2": ("phase-2", "PHASE II TRIAL", "C15601"),
    "PHASE2/PHASE3": ("phase-2-phase-3", "PHASE II/III TRIAL", "C15694"),
    "PHASE3": ("phase-3", "PHASE III TRIAL", "C15602"),
    "PHASE4": ("phase-4", "PHASE IV TRIAL", "C15603"),
}
_PHASE_OF = {name: word for word, names in _PHASES.items() for name in names}


#: The formats that are compared.
TARGETS = ("fhir-r4", "fhir-r5", "odm-2.0", "odm-1.3.2", "usdm-4.0")


class Facts(NamedTuple):
    """What every format says of a study."""

    number: str | None
    status: str | None
    phase: str | None
    start: str | None
    completion: str | None
    arms: list[str]
    links: set[tuple[str, str]]
    criteria: list[tuple[str, str]]
    sites: list[str]
    sponsor: str | None
    enrollment: tuple[int | None, str | None]


def _line(text: str) -> str:
    """Return a text with single spaces: some formats have a text in paragraphs."""
    return " ".join(text.split())


# FHIR


def fhir_facts(bundle: Tree) -> Facts:
    """Return the facts of a bundle of R4 or R5."""
    by_type: dict[str, list[Tree]] = {}
    by_reference: dict[str, Tree] = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        by_type.setdefault(resource["resourceType"], []).append(resource)
        by_reference[f"{resource['resourceType']}/{resource['id']}"] = resource
    (study,), (group,) = by_type["ResearchStudy"], by_type["Group"]
    is_r5 = "comparisonGroup" in study or "associatedParty" in study or "progressStatus" in study
    states = (
        [each["state"] for each in study.get("progressStatus", [])]
        if is_r5
        else [_part(each, "state") for each in _extensions(study, "ResearchStudy.progressStatus")]
    )
    arms = study.get("comparisonGroup" if is_r5 else "arm", [])
    codes = [coding["code"] for coding in study.get("phase", {}).get("coding", [])]
    links = {
        (arm["title"], activity["title"])
        for plan in by_type["PlanDefinition"]
        for top in plan.get("action", [])
        if top["title"] == "Arms"
        for arm in top["action"]
        for activity in arm.get("action", [])
    }
    return Facts(
        number=next(each["value"] for each in study["identifier"] if each.get("use") == "official"),
        status=next((state["text"] for state in states if "text" in state), None),
        phase=_PHASE_OF[codes[0]] if codes else None,
        start=study.get("period", {}).get("start"),
        completion=study.get("period", {}).get("end"),
        arms=[each["name"] for each in arms],
        links=links,
        criteria=[
            ("exclusion" if each["exclude"] else "inclusion", _line(each["valueCodeableConcept"]["text"]))
            for each in group.get("characteristic", [])
            if each["code"].get("text") in ("Inclusion criterion", "Exclusion criterion")
        ],
        sites=[_fhir_site(by_reference[each["reference"]]) for each in study.get("site", [])],
        sponsor=_fhir_sponsor(study, by_reference),
        enrollment=_fhir_enrollment(study, group),
    )


def differing(documents: dict[str, bytes]) -> dict[str, dict[str, object]]:
    """Return the facts that differ between documents of one study, as each of them says them.

    ODM and USDM list the criteria of a cohort, too, with its words in front; those of FHIR are the ones that hold
    for everybody.
    """
    bundle = json.loads(documents["fhir-r4"])
    found = {
        "fhir-r4": fhir_facts(bundle),
        "fhir-r5": fhir_facts(json.loads(documents["fhir-r5"])),
        "odm-2.0": odm_facts(documents["odm-2.0"]),
        "odm-1.3.2": odm_facts(documents["odm-1.3.2"]),
        "usdm-4.0": usdm_facts(json.loads(documents["usdm-4.0"])),
    }
    if b'"url":"cohort"' in documents["fhir-r4"]:
        everybody = found["fhir-r4"].criteria
        for name, facts in found.items():
            common = [each for each in facts.criteria if each in everybody]
            found[name] = facts._replace(criteria=common)
    return {
        name: {target: getattr(facts, name) for target, facts in found.items()}
        for name in Facts._fields
        if any(getattr(facts, name) != getattr(found["fhir-r4"], name) for facts in found.values())
    }


def _extensions(element: Tree, name: str) -> list[Tree]:
    return [each for each in element.get("extension", []) if each["url"].endswith(name)]


def _part(extension: Tree, name: str) -> Any:
    for each in extension["extension"]:
        if each["url"] == name:
            return next(value for key, value in each.items() if key.startswith("value"))
    return None


def _fhir_site(location: Tree) -> str:
    address = location.get("address", {})
    place = [address[key] for key in ("city", "state", "country") if key in address]
    return str(location.get("name") or ", ".join(place))


def _fhir_sponsor(study: Tree, by_reference: dict[str, Tree]) -> str | None:
    if "sponsor" in study:
        return str(by_reference[study["sponsor"]["reference"]]["name"])
    for party in study.get("associatedParty", []):
        if "lead-sponsor" in [coding["code"] for coding in party["role"].get("coding", [])]:
            return str(party["name"])
    return None


def _fhir_enrollment(study: Tree, group: Tree) -> tuple[int | None, str | None]:
    said = dict(study.get("recruitment", {}))
    for key in ("actualNumber", "targetNumber"):
        for each in _extensions(study, f"ResearchStudy.recruitment.{key}"):
            said[key] = each["valueUnsignedInt"]
    for key, kind in (("actualNumber", "ACTUAL"), ("targetNumber", "ESTIMATED")):
        if key in said:
            return said[key], kind
    return group.get("quantity"), None


# ODM


def odm_facts(data: bytes) -> Facts:
    """Return the facts of an ODM 2.0 document, or of ODM 1.3.2 with SDM-XML."""
    root = etree.fromstring(data)
    parameters: dict[str, list[str]] = {}
    for each in root.iterfind(".//{*}StudyParameter"):
        parameters.setdefault(each.get("ShortName", ""), []).append(each.find("{*}ParameterValue").get("Value"))
    for each in root.iterfind(".//{*}Parameter"):
        parameters.setdefault(each.get("ShortName", ""), []).append(each.findtext("{*}Value") or "")

    def only(name: str) -> str | None:
        return parameters.get(name, [None])[0]

    arms = {each.get("OID"): each.get("Name", "") for each in root.iterfind(".//{*}Arm")}
    planned, actual = only("PLANSUB"), only("ACTSUB")
    count = planned or actual or only("CTG.enrollmentInfo.count")
    return Facts(
        number=next(each.get("Name") for each in root.iterfind(".//{*}Alias[@Context='ClinicalTrials.gov']")),
        status=only("CTG.overallStatus"),
        phase=_PHASE_OF[only("TPHASE") or ""] if "TPHASE" in parameters else None,
        start=only("SSTDTC"),
        completion=only("SENDTC"),
        arms=list(arms.values()),
        links=_odm_links(parameters, list(arms.values())),
        criteria=[
            (kind.lower(), _line("".join(each.find("{*}Description").itertext())))
            for kind in ("Inclusion", "Exclusion")
            for each in root.iterfind(f".//{{*}}{kind}Criteria/{{*}}Criterion")
        ],
        sites=[each.get("Name", "") for each in root.iterfind(".//{*}Location")],
        sponsor=only("SPONSOR"),
        enrollment=(int(count) if count else None, "ESTIMATED" if planned else "ACTUAL" if actual else None),
    )


def _odm_links(parameters: dict[str, list[str]], arms: list[str]) -> set[tuple[str, str]]:
    """Return the links, for which ODM has no element: by the labels that an intervention's parameters name."""
    found = set()
    for name, values in parameters.items():
        match = re.fullmatch(r"CTG\.interventions\.(\d+)\.armGroupLabels\.\d+", name)
        if match and values[0] in arms:
            found.add((values[0], parameters[f"CTG.interventions.{match[1]}.name"][0]))
    return found


# USDM


_CATEGORIES = {"C25532": "inclusion", "C25370": "exclusion"}
#: USDM demands arms; this is the one of a study that states none.
_NOT_STATED = "Not stated in the registry record."


def usdm_facts(document: Tree) -> Facts:
    """Return the facts of a USDM document."""
    (version,) = document["study"]["versions"]
    designs = version.get("studyDesigns", [])
    design = designs[0] if designs else {}
    interventions = {each["id"]: each.get("label") for each in version.get("studyInterventions", [])}
    elements = {each["id"]: each for each in design.get("elements", [])}
    arms = {each["id"]: each.get("label") for each in design.get("arms", [])}
    items = {each["id"]: each["text"] for each in version.get("eligibilityCriterionItems", [])}
    organizations = {each["id"]: each for each in version.get("organizations", [])}
    sponsor_ids = [
        role["organizationIds"][0] for role in version.get("roles", []) if role["code"]["code"] == "C70793"
    ]
    phase = design.get("studyPhase")
    said = {
        each["url"].rpartition("/")[2]: next(value for key, value in each.items() if key.startswith("value"))
        for each in version.get("extensionAttributes", [])
    }
    registry = [key for key, each in organizations.items() if each["type"]["code"] == "C93453"]
    population = design.get("population", {})
    planned = population.get("plannedEnrollmentNumber", {}).get("value")
    kind = said.get("designModule.enrollmentInfo.type")
    return Facts(
        number=next(each["text"] for each in version["studyIdentifiers"] if each["scopeId"] in registry),
        status=said.get("statusModule.overallStatus"),
        phase=_PHASE_OF[phase["standardCode"]["code"]] if phase else None,
        start=said.get("statusModule.startDateStruct.date"),
        completion=said.get("statusModule.completionDateStruct.date"),
        arms=[label for label in arms.values() if label and label != _NOT_STATED],
        links={
            (arms[cell["armId"]], interventions[one])
            for cell in design.get("studyCells", [])
            if cell["armId"] in arms
            for element in cell["elementIds"]
            for one in elements[element].get("studyInterventionIds", [])
        },
        criteria=[
            (_CATEGORIES[each["category"]["code"]], _of_html(items[each["criterionItemId"]]))
            for each in design.get("eligibilityCriteria", [])
            # A text that is not taken apart is one criterion of no category that is known.
            if each["category"]["code"] in _CATEGORIES
        ],
        sites=[
            site.get("label", "")
            for each in version.get("organizations", [])
            for site in each.get("managedSites", [])
        ],
        sponsor=organizations[sponsor_ids[0]]["label"] if sponsor_ids else None,
        enrollment=(planned if planned is not None else said.get("designModule.enrollmentInfo.count"), kind),
    )


def _of_html(text: str) -> str:
    return _line(html.unescape(re.sub(r"</?p>", "\n", text)))
