"""The registry's legacy XML, `<clinical_study>`, which ClinicalTrials.gov published until 2024.

Schema: https://clinicaltrials.gov/ct2/html/images/info/public.xsd (2019-02-14). Elements from before that
version are read as well. All has its place in API v2, or an Issue.
"""

from __future__ import annotations

from typing import Any, Final

from trialconv.readers import _ctgov_xml_admin as admin
from trialconv.readers import _ctgov_xml_protocol as protocol
from trialconv.readers._ctgov_xml_results import results
from trialconv.readers._ctgov_xml_values import Values, kept
from trialconv.readers._ctgov_xml_walk import Cursor, Walk, parse
from trialconv.readers.common import record_from_tree, refusal
from trialconv.record import Record, SourceInfo

READER = "ctgov-xml"

#: The header: a sentence with the day of the download, and a link to the record. It says nothing of the study.
HEADER: Final = ("download_date", "link_text", "url")
#: The posted results.
RESULTS: Final = "clinical_results"
#: Elements without a field in API v2, by their path in the study, with the reason. Each becomes an Issue.
WITHOUT_FIELD: Final[dict[str, str]] = {
    "last_update_submitted_qc": "API v2 has no such date",
    "is_fda_regulated": "abandoned by the registry in 2017, when drug and device were told apart",
    "is_section_801": "abandoned by the registry in 2017",
    "oversight_info/authority": "abandoned by the registry in 2017",
    "primary_outcome/safety_issue": "abandoned by the registry in 2017",
    "secondary_outcome/safety_issue": "abandoned by the registry in 2017",
    "other_outcome/safety_issue": "abandoned by the registry in 2017",
    f"{RESULTS}/outcome_list/outcome/safety_issue": "abandoned by the registry in 2017",
}


def read_ctgov_xml(data: bytes, source: SourceInfo) -> Record:
    """Make a record of one legacy XML document.

    The record's extras hold `countries`: listed countries in which no location is. Raises SourceError for XML
    that is not well-formed or has a DOCTYPE (`malformed-source`), and for another root element or a study
    without an NCT number (`not-a-study`).
    """
    source = source._replace(reader=READER)
    walk = parse(data, source)
    study = walk.root
    ids = study.one("id_info")
    nct_id = ids.text("nct_id") if ids else None
    if nct_id is None:
        raise refusal("not-a-study", source, "expected an NCT number at clinical_study/id_info/nct_id")
    values = Values(nct_id)
    tree = _tree(study, values, nct_id)
    extras = _countries(study, tree)
    _account_for_the_rest(walk, values)
    return record_from_tree(tree, source, values.issues, extras)


def _tree(study: Cursor, values: Values, nct_id: str) -> dict[str, Any]:
    """Return the study with the keys and enum values of API v2."""
    # The rank is the study's place in a list of search results.
    study.attribute("rank")
    section = kept(
        identificationModule=admin.identification(study, nct_id),
        statusModule=admin.status(study, values),
        sponsorCollaboratorsModule=admin.sponsors(study, values),
        oversightModule=admin.oversight(study, values),
        descriptionModule=protocol.description(study),
        conditionsModule=protocol.conditions(study),
        designModule=protocol.design(study, values),
        armsInterventionsModule=protocol.arms_and_interventions(study, values),
        outcomesModule=protocol.outcomes(study),
        eligibilityModule=protocol.eligibility(study, values),
        contactsLocationsModule=admin.contacts_and_locations(study, values),
        referencesModule=admin.references(study),
        ipdSharingStatementModule=admin.ipd_sharing(study, values),
    )
    events = admin.unposted_events(study, values)
    documents = admin.documents(study, values)
    return kept(
        protocolSection=section,
        resultsSection=results(study.one(RESULTS), values),
        annotationSection={"annotationModule": {"unpostedAnnotation": {"unpostedEvents": events}}}
        if events
        else {},
        documentSection=kept(largeDocumentModule=kept(largeDocs=documents)),
        derivedSection=admin.derived(study),
        hasResults=_has_results(study, section),
    )


def _has_results(study: Cursor, section: dict[str, Any]) -> bool | None:
    """Tell whether results are posted: the document has them exactly then.

    Nothing is said of a document that has no results but the day on which they were first posted.
    """
    if study.every(RESULTS):
        return True
    return None if "resultsFirstPostDateStruct" in section.get("statusModule", {}) else False


def _countries(study: Cursor, tree: dict[str, Any]) -> dict[str, Any]:
    """Return, as extras, the listed countries in which no location is; the others stand at the locations."""
    listed = study.one("location_countries")
    locations = tree["protocolSection"].get("contactsLocationsModule", {}).get("locations", [])
    used = {location.get("country") for location in locations}
    alone = [country for country in (listed.texts("country") if listed else []) if country not in used]
    return kept(countries=list(dict.fromkeys(alone)))


def _account_for_the_rest(walk: Walk, values: Values) -> None:
    """Raise an Issue for everything in the document that was not read."""
    for header in walk.root.every("required_header"):
        for name in HEADER:
            header.text(name)
    for path, reason in WITHOUT_FIELD.items():
        elements = _at(walk.root, path)
        for element in elements:
            element.own_text()
        if elements:
            values.note("field-not-mapped", f"<{path}> has no field: {reason}", f"clinical_study/{path}")
    for left in walk.left_over():
        times = f", {left.times} times" if left.times > 1 else ""
        values.note("unread-element", f"unknown {left.what} (line {left.line}{times})", left.path)


def _at(study: Cursor, path: str) -> list[Cursor]:
    """Return the elements at a path of names below the study."""
    found = [study]
    for name in path.split("/"):
        found = [child for element in found for child in element.every(name)]
    return found
