"""Studies of API v2 as the registry's legacy XML, for tests: what the reader has to find there again.

Written after the schema (https://clinicaltrials.gov/ct2/html/images/info/public.xsd), apart from the reader. Only
the labels are looked up in the tables that the reader uses, from the other side.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from legacy_elements import Element, label, plain
from legacy_results_renderer import render_results

Tree = dict[str, Any]

_PHASES: Final = {
    "NA": "N/A",
    "EARLY_PHASE1": "Early Phase 1",
    **{f"PHASE{n}": f"Phase {n}" for n in (1, 2, 3, 4)},
}
_COARSE: Final = {"INDIV", "NETWORK", "OTHER_GOV", "AMBIG", "UNKNOWN"}


def legacy_xml(study: Tree) -> bytes:
    """Return a study as legacy XML."""
    protocol: dict[str, Any] = study["protocolSection"]
    root = Element(etree.Element("clinical_study"))
    get = _modules(protocol)
    _head(root, get)
    _status(root, get("status"))
    _design(root, protocol)
    _eligibility(root, get("eligibility"))
    _places(root, get("contactsLocations"), study.get("derivedSection", {}).get("miscInfoModule", {}))
    _references(root, get("references"))
    _dates(root, get("status"))
    _end(root, study, get)
    return bytes(etree.tostring(root.element, encoding="UTF-8", xml_declaration=True))


def _modules(protocol: Tree) -> Any:
    return lambda name: protocol.get(f"{name}Module", {})


def _head(root: Element, get: Any) -> None:
    ids, sponsors, oversight = get("identification"), get("sponsorCollaborators"), get("oversight")
    header = root.inner("required_header")
    header.add("download_date", "ClinicalTrials.gov processed this data on April 19, 2019")
    header.add("link_text", "Link to the current ClinicalTrials.gov record.")
    header.add("url", f"https://clinicaltrials.gov/show/{ids['nctId']}")
    info = root.inner("id_info")
    info.add("org_study_id", ids.get("orgStudyIdInfo", {}).get("id"))
    info.texts("secondary_id", [each["id"] for each in ids.get("secondaryIdInfos", []) if "id" in each])
    info.add("nct_id", ids["nctId"])
    info.texts("nct_alias", ids.get("nctIdAliases", []))
    for name, key in (("brief_title", "briefTitle"), ("acronym", "acronym"), ("official_title", "officialTitle")):
        root.add(name, ids.get(key))
    group = root.inner("sponsors")
    for name, party in (
        ("lead_sponsor", sponsors.get("leadSponsor", {})),
        *(("collaborator", each) for each in sponsors.get("collaborators", [])),
    ):
        made = group.inner(name)
        made.add("agency", party.get("name"))
        word = party.get("class")
        made.code("agency_class", "agency_class", "OTHER" if word in _COARSE else word)
    root.add("source", ids.get("organization", {}).get("fullName"))
    for made in root.filled("oversight_info", of=oversight.keys() - {"fdaaa801Violation"}):
        made.answer("has_dmc", oversight.get("oversightHasDmc"))
        for name, key in (
            ("is_fda_regulated_drug", "isFdaRegulatedDrug"),
            ("is_fda_regulated_device", "isFdaRegulatedDevice"),
            ("is_unapproved_device", "isUnapprovedDevice"),
            ("is_ppsd", "isPpsd"),
            ("is_us_export", "isUsExport"),
        ):
            made.answer(name, oversight.get(key))
    root.block("brief_summary", get("description").get("briefSummary"))
    root.block("detailed_description", get("description").get("detailedDescription"))


def _status(root: Element, status: Tree) -> None:
    root.code("overall_status", "status", status.get("overallStatus"))
    root.code("last_known_status", "status", status.get("lastKnownStatus"))
    root.add("why_stopped", status.get("whyStopped"))
    root.date("start_date", status.get("startDateStruct"))
    root.date("completion_date", status.get("completionDateStruct"))
    root.date("primary_completion_date", status.get("primaryCompletionDateStruct"))


def _design(root: Element, protocol: Tree) -> None:
    get = _modules(protocol)
    design, arms, outcomes = get("design"), get("armsInterventions"), get("outcomes")
    info, masking = design.get("designInfo", {}), design.get("designInfo", {}).get("maskingInfo", {})
    phases = design.get("phases", [])
    root.add("phase", "/".join(_PHASES[word] for word in phases))
    kind = label("study_type", design["studyType"]) if "studyType" in design else None
    root.add("study_type", f"{kind} [Patient Registry]" if design.get("patientRegistry") else kind)
    root.answer("has_expanded_access", get("status").get("expandedAccessInfo", {}).get("hasExpandedAccess"))
    access = design.get("expandedAccessTypes", {})
    for made in root.filled("expanded_access_info", of=access):
        for name in ("individual", "intermediate", "treatment"):
            made.answer(f"expanded_access_type_{name}", access.get(name))
    for made in root.filled("study_design_info", of=info):
        made.code("allocation", "allocation", info.get("allocation"))
        made.code("intervention_model", "intervention_model", info.get("interventionModel"))
        made.add("intervention_model_description", plain(info.get("interventionModelDescription", "")))
        made.code("primary_purpose", "primary_purpose", info.get("primaryPurpose"))
        made.code("observational_model", "observational_model", info.get("observationalModel"))
        made.code("time_perspective", "time_perspective", info.get("timePerspective"))
        who = ", ".join(label("who_masked", word) for word in masking.get("whoMasked", []))
        shown = label("masking", masking["masking"]) if "masking" in masking else None
        made.add("masking", f"{shown} ({who})" if who else shown)
        made.add("masking_description", plain(masking.get("maskingDescription", "")))
    root.add("target_duration", design.get("targetDuration"))
    for name in ("primary", "secondary", "other"):
        for each in outcomes.get(f"{name}Outcomes", []):
            made = root.inner(f"{name}_outcome")
            made.add("measure", each.get("measure"))
            made.add("time_frame", each.get("timeFrame"))
            made.add("description", plain(each.get("description", "")))
    enrollment = design.get("enrollmentInfo", {})
    kind = enrollment.get("type")
    shown = None if kind is None else "Actual" if kind == "ACTUAL" else "Anticipated"
    root.add("enrollment", enrollment.get("count"), type=shown)
    root.texts("condition", get("conditions").get("conditions", []))
    for each in arms.get("armGroups", []):
        made = root.inner("arm_group")
        made.add("arm_group_label", each.get("label"))
        made.code("arm_group_type", "arm_type", each.get("type"))
        made.add("description", plain(each.get("description", "")))
    for each in arms.get("interventions", []):
        made = root.inner("intervention")
        made.code("intervention_type", "intervention_type", each.get("type"))
        made.add("intervention_name", each.get("name"))
        made.add("description", plain(each.get("description", "")))
        made.texts("arm_group_label", each.get("armGroupLabels", []))
        made.texts("other_name", each.get("otherNames", []))
    root.code("biospec_retention", "biospec_retention", design.get("bioSpec", {}).get("retention"))
    root.block("biospec_descr", design.get("bioSpec", {}).get("description"))


def _eligibility(root: Element, eligibility: Tree) -> None:
    for made in root.filled("eligibility", of=eligibility):
        made.block("study_pop", eligibility.get("studyPopulation"))
        made.code("sampling_method", "sampling_method", eligibility.get("samplingMethod"))
        made.block("criteria", eligibility.get("eligibilityCriteria"))
        made.code("gender", "sex", eligibility.get("sex"))
        made.answer("gender_based", eligibility.get("genderBased"))
        made.add("gender_description", plain(eligibility.get("genderDescription", "")))
        made.add("minimum_age", eligibility.get("minimumAge", "N/A"))
        made.add("maximum_age", eligibility.get("maximumAge", "N/A"))
        healthy = {True: "Accepts Healthy Volunteers", False: "No"}
        made.add("healthy_volunteers", healthy.get(eligibility.get("healthyVolunteers")))


def _contact(made: Element, contact: Tree) -> None:
    made.add("last_name", contact.get("name"))
    made.add("phone", contact.get("phone"))
    made.add("phone_ext", contact.get("phoneExt"))
    made.add("email", contact.get("email"))


def _places(root: Element, places: Tree, misc: Tree) -> None:
    for each in places.get("overallOfficials", []):
        made = root.inner("overall_official")
        made.add("last_name", each.get("name"))
        made.code("role", "role", each.get("role"))
        made.add("affiliation", each.get("affiliation"))
    for name, each in zip(
        ("overall_contact", "overall_contact_backup"), places.get("centralContacts", []), strict=False
    ):
        _contact(root.inner(name), each)
    for each in places.get("locations", []):
        made = root.inner("location")
        facility = made.inner("facility")
        facility.add("name", each.get("facility"))
        address = facility.inner("address")
        for name in ("city", "state", "zip", "country"):
            address.add(name, each.get(name))
        made.code("status", "status", each.get("status"))
        contacts = [one for one in each.get("contacts", []) if one.get("role", "CONTACT") == "CONTACT"]
        for name, one in zip(("contact", "contact_backup"), contacts, strict=False):
            _contact(made.inner(name), one)
        for one in each.get("contacts", []):
            if one.get("role", "CONTACT") != "CONTACT":
                person = made.inner("investigator")
                person.add("last_name", one.get("name"))
                person.code("role", "role", one.get("role"))
    countries = list(dict.fromkeys(each["country"] for each in places.get("locations", []) if "country" in each))
    for name, listed in (
        ("location_countries", countries),
        ("removed_countries", misc.get("removedCountries", [])),
    ):
        for made in root.filled(name, of=listed):
            made.texts("country", listed)


def _references(root: Element, references: Tree) -> None:
    for each in references.get("seeAlsoLinks", []):
        made = root.inner("link")
        made.add("url", each.get("url"))
        made.add("description", plain(each.get("label", "")))
    for name, kind in (("reference", "BACKGROUND"), ("results_reference", "RESULT")):
        for each in references.get("references", []):
            if each.get("type") == kind:
                made = root.inner(name)
                made.add("citation", each.get("citation"))
                made.add("PMID", each.get("pmid"))


def _dates(root: Element, status: Tree) -> None:
    root.date("verification_date", status.get("statusVerifiedDate"))
    for name, key in (
        ("study_first", "studyFirst"),
        ("results_first", "resultsFirst"),
        ("disposition_first", "dispFirst"),
    ):
        root.date(f"{name}_submitted", status.get(f"{key}SubmitDate"))
        root.date(f"{name}_submitted_qc", status.get(f"{key}SubmitQcDate"))
        root.date(f"{name}_posted", status.get(f"{key}PostDateStruct"))
    root.date("last_update_submitted", status.get("lastUpdateSubmitDate"))
    root.date("last_update_posted", status.get("lastUpdatePostDateStruct"))


def _end(root: Element, study: Tree, get: Any) -> None:
    party = get("sponsorCollaborators").get("responsibleParty", {})
    for made in root.filled("responsible_party", of=party):
        made.add("name_title", party.get("oldNameTitle"))
        made.add("organization", party.get("oldOrganization"))
        made.code("responsible_party_type", "responsible_party", party.get("type"))
        made.add("investigator_affiliation", party.get("investigatorAffiliation"))
        made.add("investigator_full_name", party.get("investigatorFullName"))
        made.add("investigator_title", party.get("investigatorTitle"))
    root.texts("keyword", get("conditions").get("keywords", []))
    derived = study.get("derivedSection", {})
    for name in ("condition", "intervention"):
        terms = [
            each["term"] for each in derived.get(f"{name}BrowseModule", {}).get("meshes", []) if "term" in each
        ]
        for made in root.filled(f"{name}_browse", of=terms):
            made.texts("mesh_term", terms)
    data = get("ipdSharingStatement")
    for made in root.filled("patient_data", of=data):
        made.code("sharing_ipd", "ipd_sharing", data.get("ipdSharing"))
        made.add("ipd_description", plain(data.get("description", "")))
        made.texts("ipd_info_type", [label("ipd_info_type", word) for word in data.get("infoTypes", [])])
        made.add("ipd_time_frame", plain(data.get("timeFrame", "")))
        made.add("ipd_access_criteria", plain(data.get("accessCriteria", "")))
        made.add("ipd_url", data.get("url"))
    for docs in root.filled("study_docs", of=get("references").get("availIpds")):
        for each in get("references")["availIpds"]:
            made = docs.inner("study_doc")
            made.add("doc_id", each.get("id"))
            made.add("doc_type", each.get("type"))
            made.add("doc_url", each.get("url"))
            made.add("doc_comment", plain(each.get("comment", "")))
    _documents(root, study)


_EVENTS: Final = {"RELEASE": "submitted", "RESET": "returned", "UNRELEASE": "submission_canceled"}


def _documents(root: Element, study: Tree) -> None:
    large = study.get("documentSection", {}).get("largeDocumentModule", {}).get("largeDocs", [])
    for section in root.filled("provided_document_section", of=large):
        for each in large:
            made = section.inner("provided_document")
            made.add("document_type", each.get("label"))
            made.answer("document_has_protocol", each.get("hasProtocol"))
            made.answer("document_has_icf", each.get("hasIcf"))
            made.answer("document_has_sap", each.get("hasSap"))
            made.date("document_date", each.get("date"))
            if "filename" in each:
                made.add("document_url", f"https://clinicaltrials.gov/ProvidedDocs/01/{each['filename']}")
    annotation = study.get("annotationSection", {}).get("annotationModule", {}).get("unpostedAnnotation", {})
    for made in root.filled("pending_results", of=annotation.get("unpostedEvents")):
        for each in annotation["unpostedEvents"]:
            if each.get("dateUnknown"):
                made.add(_EVENTS[each["type"]], "Unknown")
            else:
                made.date(_EVENTS[each["type"]], each.get("date"))
    if study.get("hasResults") or study.get("resultsSection"):
        render_results(root.inner("clinical_results"), study.get("resultsSection", {}))
