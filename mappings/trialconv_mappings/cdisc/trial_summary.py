"""The walk from a record to the CDISC trial summary parameters: which field answers which parameter.

Each CDISC target writes a parameter in its own form, in a class of its own below `TrialSummary`; which parameters
there are, from which field and with which code table, is said here once. Terms and short names are those of CDISC
TSPARM and TSPARMCD; see https://wiki.cdisc.org/display/PUB/StudyParameter.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from trialconv.context import Context
from trialconv.lineage import as_json, code, derived, distinct, joined, parsed, plain
from trialconv.record.protocol import (
    DesignModule,
    EligibilityModule,
    Outcome,
    PartialDateStruct,
    ProtocolSection,
    StatusModule,
)
from trialconv_mappings.cdisc.durations import Duration, duration
from trialconv_mappings.tables import Row, table

_PROTOCOL: Final = "protocolSection."
_DESIGN: Final = "protocolSection.designModule."
_STATUS: Final = "protocolSection.statusModule."
_ELIGIBILITY: Final = "protocolSection.eligibilityModule."

#: Types of secondary ids that a registry gave, as against grants and contracts, and the registry's name where the
#: type tells it.
_REGISTRIES: Final = {"EUDRACT_NUMBER": "EudraCT", "CTIS": "CTIS", "REGISTRY": None}


class TrialSummary(ABC):
    """The parameters of a record in the form of one target. `collect` fills it."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    @abstractmethod
    def add(self, name: str, value: str | None, source: str, position: int = 0) -> None:
        """Add a parameter, if it has a value; `position` counts the repeats of a parameter that may repeat."""

    @abstractmethod
    def add_row(self, name: str, table_name: str, row: Row, source: str, position: int = 0) -> None:
        """Add a parameter with a term of a code table."""

    @abstractmethod
    def add_date(self, name: str, date: PartialDateStruct, source: str) -> None:
        """Add a parameter with a date, in the precision that it has."""

    @abstractmethod
    def place(self, name: str) -> str:
        """Return where the parameter stands in the target, for Issues."""

    def add_registration(self, number: str | None, registry: str | None, source: str, position: int) -> None:
        """Add the number that a registry gave; `registry` is what is known of the registry."""
        self.add("REGID", number, source, position)

    def add_coded(self, name: str, table_name: str, word: str | None, source: str, position: int = 0) -> None:
        """Add a parameter with the submission value of a coded word, if there is one."""
        if word is None:
            return
        for row in code(self.ctx, table(table_name), word, source, self.place(name)):
            self.add_row(name, table_name, row, source, position)

    def add_flag(self, name: str, flag: bool | None, source: str) -> None:
        """Add a parameter for yes or no."""
        if flag is not None:
            self.add_coded(name, "cdisc_yes_no", as_json(flag), source)

    def collect(self) -> None:
        """Add every parameter that the record fills, in a fixed order."""
        protocol = self.ctx.record.study.protocol_section
        _identity(self, protocol)
        _status(self, protocol.status_module)
        _oversight(self, protocol)
        _design(self, protocol.design_module)
        _arms_and_interventions(self, protocol)
        _outcomes(self, protocol)
        _eligibility(self, protocol.eligibility_module)
        _references(self, protocol)


def _identity(summary: TrialSummary, protocol: ProtocolSection) -> None:
    ids = protocol.identification_module
    path = _PROTOCOL + "identificationModule."
    summary.add("TITLE", ids.official_title, path + "officialTitle")
    summary.add("SPREFID", ids.org_study_id_info.id, path + "orgStudyIdInfo.id")
    registered: list[tuple[str | None, str | None, str]] = [(ids.nct_id, "ClinicalTrials.gov", path + "nctId")]
    registered += [(alias, "ClinicalTrials.gov", path + "nctIdAliases[]") for alias in ids.nct_id_aliases]
    registered += [
        (other.id, _REGISTRIES[other.type] or other.domain, path + "secondaryIdInfos[].id")
        for other in ids.secondary_id_infos
        if other.type in _REGISTRIES
    ]
    for position, (number, registry, source) in enumerate(registered, 1):
        summary.add_registration(number, registry, source, position)
    summary.add(
        "SPONSOR",
        protocol.sponsor_collaborators_module.lead_sponsor.name,
        _PROTOCOL + "sponsorCollaboratorsModule.leadSponsor.name",
    )
    conditions = protocol.conditions_module
    for position, condition in enumerate(conditions.conditions, 1):
        summary.add("INDIC", condition, _PROTOCOL + "conditionsModule.conditions[]", position)
    for position, keyword in enumerate(conditions.keywords, 1):
        summary.add("KEYWORD", keyword, _PROTOCOL + "conditionsModule.keywords[]", position)


def _status(summary: TrialSummary, status: StatusModule) -> None:
    summary.add_date("SSTDTC", status.start_date_struct, _STATUS + "startDateStruct.date")
    summary.add_date("SENDTC", status.completion_date_struct, _STATUS + "completionDateStruct.date")
    access = status.expanded_access_info
    summary.add("EXPASTAT", access.status_for_nct_id, _STATUS + "expandedAccessInfo.statusForNctId")
    summary.add("EXPARECN", access.nct_id, _STATUS + "expandedAccessInfo.nctId")


def _oversight(summary: TrialSummary, protocol: ProtocolSection) -> None:
    oversight = protocol.oversight_module
    path = _PROTOCOL + "oversightModule."
    summary.add_flag("DMCIND", oversight.oversight_has_dmc, path + "oversightHasDmc")
    summary.add_flag("FDADRIND", oversight.is_fda_regulated_drug, path + "isFdaRegulatedDrug")
    summary.add_flag("FDADEIND", oversight.is_fda_regulated_device, path + "isFdaRegulatedDevice")


def _design(summary: TrialSummary, design: DesignModule) -> None:
    info = design.design_info
    summary.add_coded("STYPE", "cdisc_study_type", design.study_type, _DESIGN + "studyType", 1)
    if design.patient_registry is not None:
        word = as_json(design.patient_registry)
        summary.add_coded("STYPE", "cdisc_patient_registry", word, _DESIGN + "patientRegistry", 2)
    # Two phases of the registry have one code together.
    summary.add_coded("TPHASE", "cdisc_trial_phase", joined(design.phases) or None, _DESIGN + "phases")
    path = _DESIGN + "designInfo."
    summary.add_coded("RANDOM", "cdisc_allocation", info.allocation, path + "allocation")
    summary.add_coded("INTMODEL", "cdisc_intervention_model", info.intervention_model, path + "interventionModel")
    summary.add_coded("TINDTP", "cdisc_primary_purpose", info.primary_purpose, path + "primaryPurpose")
    summary.add_coded(
        "OBSMODEL", "cdisc_observational_model", info.observational_model, path + "observationalModel"
    )
    summary.add_coded("OBSTIMP", "cdisc_time_perspective", info.time_perspective, path + "timePerspective")
    summary.add_coded("TBLIND", "cdisc_masking", info.masking_info.masking, path + "maskingInfo.masking")
    retention = design.bio_spec.retention
    path = _DESIGN + "bioSpec."
    summary.add_coded("BRIND", "cdisc_specimens_retained", retention, path + "retention")
    summary.add_coded("BRDNAIND", "cdisc_specimens_with_dna", retention, path + "retention")
    specimens = design.bio_spec.description
    summary.add("RTSPCDES", plain(specimens) if specimens else None, path + "description")
    follow_up = duration(design.target_duration or "")
    summary.add("TRGFUDUR", follow_up.iso if follow_up else None, _DESIGN + "targetDuration")
    _enrollment(summary, design)


def _enrollment(summary: TrialSummary, design: DesignModule) -> None:
    """Add the number of subjects as planned or actual; without a type it is neither, and is carried only."""
    enrollment = design.enrollment_info
    name = derived({"ESTIMATED": "PLANSUB", "ACTUAL": "ACTSUB"}.get(enrollment.type or ""), enrollment.type)
    if not name or enrollment.count is None:
        return
    source = _DESIGN + "enrollmentInfo.count"
    if enrollment.count < 0:
        message = f"{enrollment.count} is no number of subjects"
        summary.ctx.note("number-out-of-range", message, source, summary.place(name))
    else:
        summary.add(name, derived(str(enrollment.count), enrollment.type), source)


def _arms_and_interventions(summary: TrialSummary, protocol: ProtocolSection) -> None:
    module = protocol.arms_interventions_module
    path = _PROTOCOL + "armsInterventionsModule."
    study_type = protocol.design_module.study_type
    if module.arm_groups and study_type in ("INTERVENTIONAL", "OBSERVATIONAL"):
        # The registry asks for arms of an interventional study and for groups or cohorts of an observational one.
        name = derived("NARMS" if study_type == "INTERVENTIONAL" else "NCOHORT", study_type)
        summary.add(name, derived(str(len(module.arm_groups)), [arm.label for arm in module.arm_groups], study_type), path + "armGroups")
    controls = distinct(arm.type for arm in module.arm_groups if arm.type)
    for position, arm_type in enumerate(controls, 1):
        summary.add_coded("TCNTRL", "cdisc_control_type", arm_type, path + "armGroups[].type", position)
    for position, intervention in enumerate(module.interventions, 1):
        source = path + "interventions[].type"
        summary.add_coded("INTTYPE", "cdisc_intervention_type", intervention.type, source, position)


def _outcomes(summary: TrialSummary, protocol: ProtocolSection) -> None:
    module = protocol.outcomes_module
    # OUTMSADD: "Additional key measures ... not used to assess primary or secondary objectives".
    lists: tuple[tuple[str, list[Outcome], str], ...] = (
        ("OUTMSPRI", module.primary_outcomes, "primaryOutcomes"),
        ("OUTMSSEC", module.secondary_outcomes, "secondaryOutcomes"),
        ("OUTMSADD", module.other_outcomes, "otherOutcomes"),
    )
    for name, outcomes, field in lists:
        source = f"{_PROTOCOL}outcomesModule.{field}[].measure"
        for position, outcome in enumerate(outcomes, 1):
            summary.add(name, outcome.measure, source, position)


def _eligibility(summary: TrialSummary, eligibility: EligibilityModule) -> None:
    summary.add_coded("SEXPOP", "cdisc_sex", eligibility.sex, _ELIGIBILITY + "sex")
    least = _age(summary, "AGEMIN", eligibility.minimum_age, _ELIGIBILITY + "minimumAge")
    most = _age(summary, "AGEMAX", eligibility.maximum_age, _ELIGIBILITY + "maximumAge")
    if least is not None and most is not None and least.minutes > most.minutes:
        summary.ctx.note(
            "age-order",
            f"{eligibility.minimum_age} lies above {eligibility.maximum_age}",
            _ELIGIBILITY + "minimumAge",
            summary.place("AGEMIN"),
        )
    summary.add_flag("HLTSUBJI", eligibility.healthy_volunteers, _ELIGIBILITY + "healthyVolunteers")
    population = eligibility.study_population
    summary.add("OBSTPOPD", plain(population) if population else None, _ELIGIBILITY + "studyPopulation")
    summary.add_coded(
        "OBSTSMM", "cdisc_sampling_method", eligibility.sampling_method, _ELIGIBILITY + "samplingMethod"
    )


def _age(summary: TrialSummary, name: str, words: str | None, source: str) -> Duration | None:
    """Add an age limit; the registry's words are carried beside it in any case."""
    if words is None:
        return None
    age = duration(words)
    if age is None:
        message = f"{words!r} is not a number and a unit"
        summary.ctx.note("age-not-understood", message, source, summary.place(name))
        return None
    summary.add(name, age.iso, source)
    return age


def _references(summary: TrialSummary, protocol: ProtocolSection) -> None:
    module = protocol.references_module
    path = _PROTOCOL + "referencesModule."
    for position, reference in enumerate(module.references, 1):
        summary.add("PUBMEDID", reference.pmid, path + "references[].pmid", position)
        summary.add("CITNSTDY", reference.citation, path + "references[].citation", position)
    for position, link in enumerate(module.see_also_links, 1):
        summary.add("URLSTDY", link.url, path + "seeAlsoLinks[].url", position)
        label = plain(link.label) if link.label else link.label
        summary.add("URLSTDYD", label, path + "seeAlsoLinks[].label", position)
