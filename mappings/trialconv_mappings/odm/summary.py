"""The summary of a study: the official trial summary parameters, then the registry's own."""

from __future__ import annotations

from typing import Any, Final

from trialconv.lineage import joined, plain
from trialconv.record.protocol import DesignModule, EligibilityModule, Outcome, ProtocolSection, StatusModule
from trialconv_mappings.durations import Duration, duration
from trialconv_mappings.odm.carried import Carrier
from trialconv_mappings.odm.parameters import Parameters
from trialconv_mappings.odm.text import clean

_PROTOCOL: Final = "protocolSection."
_DESIGN: Final = "protocolSection.designModule."
_STATUS: Final = "protocolSection.statusModule."
_ELIGIBILITY: Final = "protocolSection.eligibilityModule."

#: Types of secondary ids that a registry gave, as against grants and contracts.
_REGISTRY_IDS: Final = frozenset({"EUDRACT_NUMBER", "CTIS", "REGISTRY"})


def fill_summary(summary: Parameters) -> None:
    """Add the parameters of a record to those that its elements needed."""
    ctx = summary.ctx
    protocol = ctx.record.study.protocol_section
    _identity(summary, protocol)
    _status(summary, protocol.status_module)
    _oversight(summary, protocol)
    _design(summary, protocol.design_module)
    _arms_and_interventions(summary, protocol)
    _outcomes(summary, protocol)
    _eligibility(summary, protocol.eligibility_module)
    _references(summary, protocol)
    Carrier(summary).carry(ctx.record.study)
    _extras(summary, ctx.record.extras)


def _identity(summary: Parameters, protocol: ProtocolSection) -> None:
    ids = protocol.identification_module
    path = _PROTOCOL + "identificationModule."
    summary.add("TITLE", ids.official_title, path + "officialTitle")
    summary.add("SPREFID", ids.org_study_id_info.id, path + "orgStudyIdInfo.id")
    registered = [(ids.nct_id, path + "nctId")]
    registered += [(alias, path + "nctIdAliases[]") for alias in ids.nct_id_aliases]
    registered += [
        (other.id, path + "secondaryIdInfos[].id")
        for other in ids.secondary_id_infos
        if other.type in _REGISTRY_IDS
    ]
    for position, (number, source) in enumerate(registered, 1):
        summary.add("REGID", number, source, position)
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


def _status(summary: Parameters, status: StatusModule) -> None:
    for name, date, field in (
        ("SSTDTC", status.start_date_struct.date, "startDateStruct.date"),
        ("SENDTC", status.completion_date_struct.date, "completionDateStruct.date"),
    ):
        summary.add_date(name, date, _STATUS + field, "CTG." + field)
    access = status.expanded_access_info
    summary.add("EXPASTAT", access.status_for_nct_id, _STATUS + "expandedAccessInfo.statusForNctId")
    summary.add("EXPARECN", access.nct_id, _STATUS + "expandedAccessInfo.nctId")


def _oversight(summary: Parameters, protocol: ProtocolSection) -> None:
    oversight = protocol.oversight_module
    path = _PROTOCOL + "oversightModule."
    summary.add_flag("DMCIND", oversight.oversight_has_dmc, path + "oversightHasDmc")
    summary.add_flag("FDADRIND", oversight.is_fda_regulated_drug, path + "isFdaRegulatedDrug")
    summary.add_flag("FDADEIND", oversight.is_fda_regulated_device, path + "isFdaRegulatedDevice")


def _design(summary: Parameters, design: DesignModule) -> None:
    info = design.design_info
    summary.add_coded("STYPE", "cdisc_study_type", design.study_type, _DESIGN + "studyType", 1)
    if design.patient_registry is not None:
        word = "true" if design.patient_registry else "false"
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


def _enrollment(summary: Parameters, design: DesignModule) -> None:
    """Add the number of subjects as planned or actual; without a type it is neither, and is carried only."""
    enrollment = design.enrollment_info
    name = {"ESTIMATED": "PLANSUB", "ACTUAL": "ACTSUB"}.get(enrollment.type or "")
    if not name or enrollment.count is None:
        return
    source = _DESIGN + "enrollmentInfo.count"
    if enrollment.count < 0:
        target = f"StudyParameter[@OID='PAR.{name}']"
        summary.ctx.note("number-out-of-range", f"{enrollment.count} is no number of subjects", source, target)
    else:
        summary.add(name, str(enrollment.count), source)


def _arms_and_interventions(summary: Parameters, protocol: ProtocolSection) -> None:
    module = protocol.arms_interventions_module
    path = _PROTOCOL + "armsInterventionsModule."
    study_type = protocol.design_module.study_type
    if module.arm_groups and study_type in ("INTERVENTIONAL", "OBSERVATIONAL"):
        # The registry asks for arms of an interventional study and for groups or cohorts of an observational one.
        name = "NARMS" if study_type == "INTERVENTIONAL" else "NCOHORT"
        summary.add(name, str(len(module.arm_groups)), path + "armGroups")
    controls = dict.fromkeys(arm.type for arm in module.arm_groups if arm.type)
    for position, arm_type in enumerate(controls, 1):
        summary.add_coded("TCNTRL", "cdisc_control_type", arm_type, path + "armGroups[].type", position)
    for position, intervention in enumerate(module.interventions, 1):
        source = path + "interventions[].type"
        summary.add_coded("INTTYPE", "cdisc_intervention_type", intervention.type, source, position)


def _outcomes(summary: Parameters, protocol: ProtocolSection) -> None:
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


def _eligibility(summary: Parameters, eligibility: EligibilityModule) -> None:
    summary.add_coded("SEXPOP", "cdisc_sex", eligibility.sex, _ELIGIBILITY + "sex")
    least = _age(summary, "AGEMIN", eligibility.minimum_age, _ELIGIBILITY + "minimumAge")
    most = _age(summary, "AGEMAX", eligibility.maximum_age, _ELIGIBILITY + "maximumAge")
    if least is not None and most is not None and least.minutes > most.minutes:
        summary.ctx.note(
            "age-order",
            f"{eligibility.minimum_age} lies above {eligibility.maximum_age}",
            _ELIGIBILITY + "minimumAge",
            "StudyParameter[@OID='PAR.AGEMIN']",
        )
    summary.add_flag("HLTSUBJI", eligibility.healthy_volunteers, _ELIGIBILITY + "healthyVolunteers")
    population = eligibility.study_population
    summary.add("OBSTPOPD", plain(population) if population else None, _ELIGIBILITY + "studyPopulation")
    summary.add_coded(
        "OBSTSMM", "cdisc_sampling_method", eligibility.sampling_method, _ELIGIBILITY + "samplingMethod"
    )


def _age(summary: Parameters, name: str, words: str | None, source: str) -> Duration | None:
    """Add an age limit; the registry's words are carried beside it in any case."""
    if words is None:
        return None
    age = duration(words)
    if age is None:
        target = f"StudyParameter[@OID='PAR.{name}']"
        summary.ctx.note("age-not-understood", f"{words!r} is not a number and a unit", source, target)
        return None
    summary.add(name, age.iso, source)
    return age


def _references(summary: Parameters, protocol: ProtocolSection) -> None:
    module = protocol.references_module
    path = _PROTOCOL + "referencesModule."
    for position, reference in enumerate(module.references, 1):
        summary.add("PUBMEDID", reference.pmid, path + "references[].pmid", position)
        summary.add("CITNSTDY", reference.citation, path + "references[].citation", position)
    for position, link in enumerate(module.see_also_links, 1):
        summary.add("URLSTDY", link.url, path + "seeAlsoLinks[].url", position)
        label = plain(link.label) if link.label else link.label
        summary.add("URLSTDYD", label, path + "seeAlsoLinks[].label", position)


def _extras(summary: Parameters, extras: Any, path: str = "extras", short_name: str = "CTG.extras") -> None:
    """Carry the texts of a source that the registry's data structure has no field for."""
    if isinstance(extras, dict):
        for key, value in extras.items():
            if key == "unread" and not summary.ctx.options.contacts:
                # Nobody can tell whether a text that was not understood holds contacts.
                summary.ctx.note("withheld-contact", "texts not understood were left out", "extras.unread")
                continue
            name = clean(summary.ctx, str(key), path, "StudyParameter/@ShortName")
            _extras(summary, value, f"{path}.{name}", f"{short_name}.{name}")
    elif isinstance(extras, list):
        for position, value in enumerate(extras, 1):
            _extras(summary, value, path + "[]", f"{short_name}.{position}")
    elif isinstance(extras, str):
        summary.carry(short_name, path, extras)
