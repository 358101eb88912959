"""Who, when and where in the registry's XML: ids, parties, status, dates, contacts, places, documents.

Element names and their meaning: https://clinicaltrials.gov/ct2/html/images/info/public.xsd (2019-02-14) and the
change history in it, which also tells what older elements became.
"""

from __future__ import annotations

from typing import Any, Final

from trialconv.readers._ctgov_xml_values import Values, kept, markup_text
from trialconv.readers._ctgov_xml_walk import Cursor


def identification(study: Cursor, nct_id: str) -> dict[str, Any]:
    """Return `identificationModule`."""
    ids = study.one("id_info")
    own = ids.text("org_study_id") if ids else None
    return kept(
        nctId=nct_id,
        nctIdAliases=ids.texts("nct_alias") if ids else [],
        orgStudyIdInfo=kept(id=own),
        secondaryIdInfos=[{"id": text} for text in ids.texts("secondary_id")] if ids else [],
        briefTitle=study.text("brief_title"),
        officialTitle=study.text("official_title"),
        acronym=study.text("acronym"),
        organization=kept(fullName=study.text("source")),
    )


def status(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `statusModule`. The element names before 2018-05-03 stand in for their successors."""
    return kept(
        statusVerifiedDate=values.date(study, "verification_date"),
        overallStatus=values.code("status", study.text("overall_status")),
        lastKnownStatus=values.code("status", study.text("last_known_status")),
        whyStopped=study.text("why_stopped"),
        expandedAccessInfo=kept(hasExpandedAccess=values.yes_no(study, "has_expanded_access")),
        startDateStruct=values.date_struct(study, "start_date"),
        primaryCompletionDateStruct=values.date_struct(study, "primary_completion_date"),
        completionDateStruct=values.date_struct(study, "completion_date"),
        studyFirstSubmitDate=_either(study, values, "study_first_submitted", "firstreceived_date"),
        studyFirstSubmitQcDate=values.date(study, "study_first_submitted_qc"),
        studyFirstPostDateStruct=values.date_struct(study, "study_first_posted"),
        resultsFirstSubmitDate=_either(study, values, "results_first_submitted", "firstreceived_results_date"),
        resultsFirstSubmitQcDate=values.date(study, "results_first_submitted_qc"),
        resultsFirstPostDateStruct=values.date_struct(study, "results_first_posted"),
        dispFirstSubmitDate=_either(
            study, values, "disposition_first_submitted", "firstreceived_results_disposition_date"
        ),
        dispFirstSubmitQcDate=values.date(study, "disposition_first_submitted_qc"),
        dispFirstPostDateStruct=values.date_struct(study, "disposition_first_posted"),
        lastUpdateSubmitDate=_either(study, values, "last_update_submitted", "lastchanged_date"),
        lastUpdatePostDateStruct=values.date_struct(study, "last_update_posted"),
    )


def _either(study: Cursor, values: Values, name: str, older: str) -> str | None:
    """Return the date under the newer name, else under the older one; two that differ leave an Issue."""
    date, old = values.date(study, name), values.date(study, older)
    if date and old and date != old:
        values.note("unread-element", f"<{older}> is {old}, but its successor <{name}> is {date}", study.path)
    return date or old


def sponsors(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `sponsorCollaboratorsModule`."""
    group = study.one("sponsors")
    lead = group.one("lead_sponsor") if group else None
    return kept(
        responsibleParty=_responsible_party(study, values),
        leadSponsor=_sponsor(lead, values) if lead else {},
        collaborators=[_sponsor(one, values) for one in group.every("collaborator")] if group else [],
    )


def _sponsor(party: Cursor, values: Values) -> dict[str, Any]:
    agency_class = values.code("agency_class", party.text("agency_class"))
    return kept(name=party.text("agency"), class_=agency_class)


def _responsible_party(study: Cursor, values: Values) -> dict[str, Any]:
    party = study.one("responsible_party")
    if party is None:
        return {}
    return kept(
        type=values.code("responsible_party", party.text("responsible_party_type")),
        investigatorFullName=party.text("investigator_full_name"),
        investigatorTitle=party.text("investigator_title"),
        investigatorAffiliation=party.text("investigator_affiliation"),
        oldNameTitle=party.text("name_title"),
        oldOrganization=party.text("organization"),
    )


def oversight(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `oversightModule`."""
    info = study.one("oversight_info")
    if info is None:
        return {}
    return kept(
        oversightHasDmc=values.yes_no(info, "has_dmc"),
        isFdaRegulatedDrug=values.yes_no(info, "is_fda_regulated_drug"),
        isFdaRegulatedDevice=values.yes_no(info, "is_fda_regulated_device"),
        isUnapprovedDevice=values.yes_no(info, "is_unapproved_device"),
        isPpsd=values.yes_no(info, "is_ppsd"),
        isUsExport=values.yes_no(info, "is_us_export"),
    )


def contacts_and_locations(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `contactsLocationsModule`."""
    central = [*study.every("overall_contact"), *study.every("overall_contact_backup")]
    return kept(
        centralContacts=[_contact(one) for one in central],
        overallOfficials=[
            kept(
                name=_person(one),
                affiliation=one.text("affiliation"),
                role=values.code("role", one.text("role")),
            )
            for one in study.every("overall_official")
        ],
        locations=[_location(one, values) for one in study.every("location")],
    )


def _person(person: Cursor) -> str | None:
    """Return the name as API v2 writes it: given names, family name, and the degrees after a comma."""
    names = [person.text(part) for part in ("first_name", "middle_name", "last_name")]
    name = " ".join(part for part in names if part)
    return ", ".join(part for part in (name, person.text("degrees")) if part) or None


def _contact(contact: Cursor) -> dict[str, Any]:
    return kept(
        name=_person(contact),
        role="CONTACT",
        phone=contact.text("phone"),
        phoneExt=contact.text("phone_ext"),
        email=contact.text("email"),
    )


def _location(location: Cursor, values: Values) -> dict[str, Any]:
    facility = location.one("facility")
    address = facility.one("address") if facility else None
    contacts = [_contact(one) for name in ("contact", "contact_backup") for one in location.every(name)]
    for one in location.every("investigator"):
        role = values.code("role", one.text("role"))
        contacts.append(kept(name=_person(one), role=role))
        affiliation = one.text("affiliation")
        if affiliation:
            message = f"the affiliation of an investigator at a location, {affiliation[:80]!r}, has no field"
            values.note("field-not-mapped", message, f"{one.path}/affiliation")
    return kept(
        facility=facility.text("name") if facility else None,
        status=values.code("status", location.text("status")),
        city=address.text("city") if address else None,
        state=address.text("state") if address else None,
        zip=address.text("zip") if address else None,
        country=address.text("country") if address else None,
        contacts=contacts,
    )


def references(study: Cursor) -> dict[str, Any]:
    """Return `referencesModule`."""
    kinds = (("reference", "BACKGROUND"), ("results_reference", "RESULT"))
    docs = study.one("study_docs")
    return kept(
        references=[
            kept(pmid=one.text("PMID"), type=kind, citation=one.text("citation"))
            for name, kind in kinds
            for one in study.every(name)
        ],
        seeAlsoLinks=[
            kept(label=markup_text(one, "description"), url=one.text("url")) for one in study.every("link")
        ],
        availIpds=[
            kept(
                id=one.text("doc_id"),
                type=one.text("doc_type"),
                url=one.text("doc_url"),
                comment=markup_text(one, "doc_comment"),
            )
            for one in (docs.every("study_doc") if docs else [])
        ],
    )


def ipd_sharing(study: Cursor, values: Values) -> dict[str, Any]:
    """Return `ipdSharingStatementModule`."""
    data = study.one("patient_data")
    if data is None:
        return {}
    return kept(
        ipdSharing=values.code("ipd_sharing", data.text("sharing_ipd")),
        description=markup_text(data, "ipd_description"),
        infoTypes=[code for text in data.texts("ipd_info_type") for code in values.codes("ipd_info_type", text)],
        timeFrame=markup_text(data, "ipd_time_frame"),
        accessCriteria=markup_text(data, "ipd_access_criteria"),
        url=data.text("ipd_url"),
    )


#: API v2's word for each element of `pending_results`.
_UNPOSTED: Final = {"submitted": "RELEASE", "returned": "RESET", "submission_canceled": "UNRELEASE"}
_UNKNOWN_DATE = "Unknown"


def unposted_events(study: Cursor, values: Values) -> list[dict[str, Any]]:
    """Return `unpostedEvents` of the annotation section, in the document's order."""
    pending = study.one("pending_results")
    events: list[dict[str, Any]] = []
    for event in pending.children(frozenset(_UNPOSTED)) if pending else []:
        unknown = event.own_text() == _UNKNOWN_DATE
        date = {"dateUnknown": True} if unknown else kept(date=values.date_of(event))
        events.append({"type": _UNPOSTED[event.name], **date})
    return events


#: The flags of a document, in the order in which API v2 abbreviates them.
_DOCUMENT_FLAGS: Final = (("has_protocol", "Prot"), ("has_sap", "SAP"), ("has_icf", "ICF"))


def documents(study: Cursor, values: Values) -> list[dict[str, Any]]:
    """Return `largeDocs` of the document section. The file name is the last part of the document's URL."""
    section = study.one("provided_document_section")
    found: list[dict[str, Any]] = []
    for one in section.every("provided_document") if section else []:
        flags = {name: values.yes_no(one, f"document_{name}") for name, _ in _DOCUMENT_FLAGS}
        url = one.text("document_url")
        found.append(
            kept(
                typeAbbrev="_".join(short for name, short in _DOCUMENT_FLAGS if flags[name]),
                hasProtocol=flags["has_protocol"],
                hasSap=flags["has_sap"],
                hasIcf=flags["has_icf"],
                label=one.text("document_type"),
                date=values.date(one, "document_date"),
                filename=url.rpartition("/")[2] if url else None,
            )
        )
    return found


def derived(study: Cursor) -> dict[str, Any]:
    """Return `derivedSection`: removed countries, and the MeSH terms that the registry found, without ids."""
    removed = study.one("removed_countries")
    return kept(
        miscInfoModule=kept(removedCountries=removed.texts("country") if removed else []),
        conditionBrowseModule=_browse(study, "condition_browse"),
        interventionBrowseModule=_browse(study, "intervention_browse"),
    )


def _browse(study: Cursor, name: str) -> dict[str, Any]:
    browse = study.one(name)
    return kept(meshes=[{"term": term} for term in browse.texts("mesh_term")] if browse else [])
