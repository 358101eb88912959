"""The facts that FHIR has no element for: classifiers of the study, each a text that begins with its name."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import TRUTH, as_json, derived, remembered
from trialconv.record import Study
from trialconv.record.decode import attribute_names
from trialconv_mappings.fhir.parties import is_investigator
from trialconv_mappings.fhir.parts import Element, concept, put_markdown, put_plain
from trialconv_mappings.tables import table

_STATUS = "protocolSection.statusModule"
_PARTY = "protocolSection.sponsorCollaboratorsModule.responsibleParty"
_OVERSIGHT = "protocolSection.oversightModule"
_DESIGN = "protocolSection.designModule"
_IPD = "protocolSection.ipdSharingStatementModule"
_INFORMATION: Final = table("fhir_ipd_info_type")

#: The name of each fact, and the field that says it.
FACTS: Final = (
    ("Has results", "hasResults"),
    ("Delayed posting", f"{_STATUS}.delayedPosting"),
    ("Results waived", f"{_STATUS}.resultsWaived"),
    ("Has expanded access", f"{_STATUS}.expandedAccessInfo.hasExpandedAccess"),
    ("Responsible party", f"{_PARTY}.type"),
    ("Responsible party name and title", f"{_PARTY}.oldNameTitle"),
    ("Responsible party organization", f"{_PARTY}.oldOrganization"),
    ("Oversight has DMC", f"{_OVERSIGHT}.oversightHasDmc"),
    ("FDA regulated drug", f"{_OVERSIGHT}.isFdaRegulatedDrug"),
    ("FDA regulated device", f"{_OVERSIGHT}.isFdaRegulatedDevice"),
    ("Unapproved device", f"{_OVERSIGHT}.isUnapprovedDevice"),
    ("Pediatric postmarket surveillance", f"{_OVERSIGHT}.isPpsd"),
    ("US export", f"{_OVERSIGHT}.isUsExport"),
    ("FDAAA 801 violation", f"{_OVERSIGHT}.fdaaa801Violation"),
    ("Patient registry", f"{_DESIGN}.patientRegistry"),
    ("Target duration", f"{_DESIGN}.targetDuration"),
    ("Biospecimen retention", f"{_DESIGN}.bioSpec.retention"),
    ("Expanded access individual", f"{_DESIGN}.expandedAccessTypes.individual"),
    ("Expanded access intermediate", f"{_DESIGN}.expandedAccessTypes.intermediate"),
    ("Expanded access treatment", f"{_DESIGN}.expandedAccessTypes.treatment"),
    ("Records pointing to this expanded access", f"{_DESIGN}.nPtrsToThisExpAccNctId"),
    ("IPD sharing", f"{_IPD}.ipdSharing"),
    ("No statistical analysis plan", "documentSection.largeDocumentModule.noSap"),
)
#: The facts of a responsible party that is no investigator.
INVESTIGATOR: Final = (
    ("Responsible party investigator", f"{_PARTY}.investigatorFullName"),
    ("Responsible party investigator title", f"{_PARTY}.investigatorTitle"),
    ("Responsible party investigator affiliation", f"{_PARTY}.investigatorAffiliation"),
)
#: The texts that are notes, each after its name.
NOTES: Final = (
    ("IPD sharing description", f"{_IPD}.description"),
    ("IPD sharing time frame", f"{_IPD}.timeFrame"),
    ("IPD sharing access criteria", f"{_IPD}.accessCriteria"),
)
#: The facts that are said under a condition of their own, or more than once.
OTHERS: Final = (
    ("Enrollment type", f"{_DESIGN}.enrollmentInfo.type"),
    ("Age group", "protocolSection.eligibilityModule.stdAges[]"),
    ("IPD sharing information type", f"{_IPD}.infoTypes[]"),
    ("Biospecimen description", f"{_DESIGN}.bioSpec.description"),
)

_NAMES: Final = tuple(name for name, _ in FACTS)


def _values(said: tuple[tuple[str, str], ...]) -> Callable[[Study], tuple[Any, ...]]:
    return attrgetter(*(".".join(attribute_names(Study, path)) for _, path in said))


_VALUES: Final = _values(FACTS)
_INVESTIGATOR_VALUES: Final = _values(INVESTIGATOR)
_NOTE_VALUES: Final = _values(NOTES)


def classifiers(ctx: Context) -> list[Element]:
    """Return the facts as CodeableConcepts, in a fixed order."""
    study = ctx.record.study
    protocol = study.protocol_section
    said = zip(_NAMES, _VALUES(study), strict=True)
    found = [_fact(name, value) for name, value in said if value is not None and value != ""]
    party = protocol.sponsor_collaborators_module.responsible_party
    if not is_investigator(party):
        said = zip((name for name, _ in INVESTIGATOR), _INVESTIGATOR_VALUES(study), strict=True)
        found += [_fact(name, derived(value, party.type)) for name, value in said if value]
    enrollment = protocol.design_module.enrollment_info
    if enrollment.type and (enrollment.count is None or enrollment.type not in ("ACTUAL", "ESTIMATED")):
        found.append(_fact("Enrollment type", enrollment.type))
    found += [_fact("Age group", age) for age in protocol.eligibility_module.std_ages if age]
    source, target = f"{_IPD}.infoTypes", "ResearchStudy.classifier"
    for word in protocol.ipd_sharing_statement_module.info_types:
        if word:
            text = "IPD sharing information type: " + word
            found.append(concept(ctx, _INFORMATION, word, source, target, text))
    if protocol.design_module.bio_spec.description:
        made: Element = {}
        put_plain(ctx, made, "text", protocol.design_module.bio_spec.description, "Biospecimen description: ")
        found.append(made)
    return found


@remembered(4_096, typed=True)
def _fact(name: str, value: Any) -> Element:
    """Return a fact; equal facts are one object. A number is no truth value, though Python takes 1 for True."""
    word = as_json(value) if isinstance(value, TRUTH) else str(value)
    return {"text": name + ": " + word}


def notes(ctx: Context) -> list[Element]:
    """Return the sponsor's statement on sharing data as Annotations: its texts, each after its name."""
    found = []
    for (name, source), text in zip(NOTES, _NOTE_VALUES(ctx.record.study), strict=True):
        if text:
            made: Element = {}
            put_markdown(ctx, made, "text", text, source, "ResearchStudy.note.text", f"{name}: ")
            found.append(made)
    return found
