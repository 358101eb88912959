"""The facts that FHIR has no element for: classifiers of the study, each a text that begins with its name."""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

from trialconv.context import Context
from trialconv.record.protocol import ResponsibleParty
from trialconv_mappings.fhir.parties import is_investigator
from trialconv_mappings.fhir.parts import Element, put_markdown, put_plain

# The name of each fact, and where the study has it.
_FACTS: Final = (
    ("Has results", "has_results"),
    ("Delayed posting", "protocol_section.status_module.delayed_posting"),
    ("Results waived", "protocol_section.status_module.results_waived"),
    ("Has expanded access", "protocol_section.status_module.expanded_access_info.has_expanded_access"),
    ("Responsible party", "protocol_section.sponsor_collaborators_module.responsible_party.type"),
    (
        "Responsible party name and title",
        "protocol_section.sponsor_collaborators_module.responsible_party.old_name_title",
    ),
    (
        "Responsible party organization",
        "protocol_section.sponsor_collaborators_module.responsible_party.old_organization",
    ),
    ("Oversight has DMC", "protocol_section.oversight_module.oversight_has_dmc"),
    ("FDA regulated drug", "protocol_section.oversight_module.is_fda_regulated_drug"),
    ("FDA regulated device", "protocol_section.oversight_module.is_fda_regulated_device"),
    ("Unapproved device", "protocol_section.oversight_module.is_unapproved_device"),
    ("Pediatric postmarket surveillance", "protocol_section.oversight_module.is_ppsd"),
    ("US export", "protocol_section.oversight_module.is_us_export"),
    ("FDAAA 801 violation", "protocol_section.oversight_module.fdaaa801_violation"),
    ("Patient registry", "protocol_section.design_module.patient_registry"),
    ("Target duration", "protocol_section.design_module.target_duration"),
    ("Biospecimen retention", "protocol_section.design_module.bio_spec.retention"),
    ("Expanded access individual", "protocol_section.design_module.expanded_access_types.individual"),
    ("Expanded access intermediate", "protocol_section.design_module.expanded_access_types.intermediate"),
    ("Expanded access treatment", "protocol_section.design_module.expanded_access_types.treatment"),
    ("Records pointing to this expanded access", "protocol_section.design_module.n_ptrs_to_this_exp_acc_nct_id"),
    ("IPD sharing", "protocol_section.ipd_sharing_statement_module.ipd_sharing"),
    ("No statistical analysis plan", "document_section.large_document_module.no_sap"),
)
_NAMES: Final = tuple(name for name, _ in _FACTS)
_VALUES: Final = attrgetter(*(path for _, path in _FACTS))


def classifiers(ctx: Context) -> list[Element]:
    """Return the facts as CodeableConcepts, in a fixed order."""
    study = ctx.record.study
    protocol = study.protocol_section
    found = [
        _fact(name, value)
        for name, value in zip(_NAMES, _VALUES(study), strict=True)
        if value is not None and value != ""
    ]
    found += [
        _fact(name, value)
        for name, value in _investigator(protocol.sponsor_collaborators_module.responsible_party)
    ]
    enrollment = protocol.design_module.enrollment_info
    if enrollment.type and (enrollment.count is None or enrollment.type not in ("ACTUAL", "ESTIMATED")):
        found.append(_fact("Enrollment type", enrollment.type))
    found += [_fact("Age group", age) for age in protocol.eligibility_module.std_ages if age]
    found += [
        _fact("IPD sharing information type", word)
        for word in protocol.ipd_sharing_statement_module.info_types
        if word
    ]
    if protocol.design_module.bio_spec.description:
        made: Element = {}
        put_plain(ctx, made, "text", protocol.design_module.bio_spec.description, "Biospecimen description: ")
        found.append(made)
    return found


@lru_cache(maxsize=4_096, typed=True)
def _fact(name: str, value: Any) -> Element:
    """Return a fact; equal facts are one object. A number is no truth value, though Python takes 1 for True."""
    word = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return {"text": f"{name}: {word}"}


def _investigator(party: ResponsibleParty) -> list[tuple[str, str]]:
    """Return what the record says of the responsible person where it does not make them an investigator."""
    if is_investigator(party):
        return []
    said = (
        ("Responsible party investigator", party.investigator_full_name),
        ("Responsible party investigator title", party.investigator_title),
        ("Responsible party investigator affiliation", party.investigator_affiliation),
    )
    return [(name, value) for name, value in said if value]


def notes(ctx: Context) -> list[Element]:
    """Return the sponsor's statement on sharing data as Annotations: its texts, each after its name."""
    module = ctx.record.study.protocol_section.ipd_sharing_statement_module
    said = (
        ("IPD sharing description", module.description, "description"),
        ("IPD sharing time frame", module.time_frame, "timeFrame"),
        ("IPD sharing access criteria", module.access_criteria, "accessCriteria"),
    )
    found = []
    for name, text, field in said:
        if text:
            made: Element = {}
            source = f"protocolSection.ipdSharingStatementModule.{field}"
            put_markdown(ctx, made, "text", text, source, "ResearchStudy.note.text", f"{name}: ")
            found.append(made)
    return found
