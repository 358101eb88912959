"""StudySummary of ODM 2.0: the official trial summary parameters, then the registry's own.

Terms and short names are those of CDISC TSPARM and TSPARMCD; see
https://wiki.cdisc.org/display/PUB/StudyParameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import checked_date, code, joined, plain
from trialconv.odm_tree import Node
from trialconv.record.protocol import DesignModule, EligibilityModule, Outcome, ProtocolSection, StatusModule
from trialconv_mappings.durations import Duration, duration
from trialconv_mappings.odm.carried import Carrier, parameter
from trialconv_mappings.odm.codelists import coding
from trialconv_mappings.odm.text import clean
from trialconv_mappings.tables import Row, table

_PROTOCOL: Final = "protocolSection."
_DESIGN: Final = "protocolSection.designModule."
_STATUS: Final = "protocolSection.statusModule."
_ELIGIBILITY: Final = "protocolSection.eligibilityModule."

#: Types of secondary ids that a registry gave, as against grants and contracts.
_REGISTRY_IDS: Final = frozenset({"EUDRACT_NUMBER", "CTIS", "REGISTRY"})


def study_summary(ctx: Context) -> Node:
    """Return the `StudySummary` of a record."""
    summary = _Summary(ctx)
    protocol = ctx.record.study.protocol_section
    _identity(summary, protocol)
    _status(summary, protocol.status_module)
    _oversight(summary, protocol)
    _design(summary, protocol.design_module)
    _arms_and_interventions(summary, protocol)
    _outcomes(summary, protocol)
    _eligibility(summary, protocol.eligibility_module)
    _references(summary, protocol)
    Carrier(ctx, summary.parameters, _word_codings(ctx)).carry(ctx.record.study)
    _extras(summary, ctx.record.extras)
    return Node("StudySummary", {}, summary.parameters)


class _Summary:
    """The parameters so far."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.parameters: list[Node] = []

    def add(
        self, name: str, value: str | None, source: str, position: int = 0, codings: Iterable[Node] = ()
    ) -> None:
        """Add an official parameter; `position` counts the repeats of a parameter that may repeat."""
        if not value:
            return
        term, own_coding = _official(name)
        oid = f"PAR.{name}.{position}" if position else f"PAR.{name}"
        if not value.isprintable():
            value = clean(self.ctx, value, source, f"StudyParameter[@OID='{oid}']")
        parameter_value = Node("ParameterValue", {"Value": value}, tuple(codings))
        attributes = {"OID": oid, "Term": term, "ShortName": name}
        self.parameters.append(Node("StudyParameter", attributes, (parameter_value, own_coding)))

    def add_coded(self, name: str, table_name: str, word: str | None, source: str, position: int = 0) -> None:
        """Add an official parameter with the submission value of a coded word, if there is one."""
        if word is None:
            return
        for row in _rows(self.ctx, table_name, word, source, f"StudyParameter[@ShortName='{name}']"):
            self.add(name, row.display, source, position, (coding(table_name, row, label=False),))

    def add_flag(self, name: str, flag: bool | None, source: str) -> None:
        """Add an official parameter for yes or no."""
        if flag is not None:
            self.add_coded(name, "cdisc_yes_no", "true" if flag else "false", source)

    def add_date(self, name: str, date: str | None, source: str) -> None:
        """Add a date with the precision it has; what is no date stays as the registry's words."""
        if date is None:
            return
        checked = checked_date(self.ctx, date, source, f"StudyParameter[@ShortName='{name}']")
        if checked is not None:
            self.add(name, checked, source)
        else:
            short_name = "CTG." + source.removeprefix(_STATUS)
            value = clean(self.ctx, date, source, f"StudyParameter[@ShortName='{short_name}']")
            self.parameters.append(parameter(short_name, source, value))


def _rows(ctx: Context, table_name: str, word: str, source: str, target: str) -> tuple[Row, ...]:
    return code(ctx, table(table_name), word, source, target)


@cache
def _official(name: str) -> tuple[str, Node]:
    """Return the term and the coding of an official parameter."""
    rows = table("cdisc_parameter").get(name)
    if not rows:
        raise KeyError(name)
    return rows[0].display, coding("cdisc_parameter", rows[0], label=False)


def _identity(summary: _Summary, protocol: ProtocolSection) -> None:
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


def _status(summary: _Summary, status: StatusModule) -> None:
    summary.add_date("SSTDTC", status.start_date_struct.date, _STATUS + "startDateStruct.date")
    summary.add_date("SENDTC", status.completion_date_struct.date, _STATUS + "completionDateStruct.date")
    access = status.expanded_access_info
    summary.add("EXPASTAT", access.status_for_nct_id, _STATUS + "expandedAccessInfo.statusForNctId")
    summary.add("EXPARECN", access.nct_id, _STATUS + "expandedAccessInfo.nctId")


def _oversight(summary: _Summary, protocol: ProtocolSection) -> None:
    oversight = protocol.oversight_module
    path = _PROTOCOL + "oversightModule."
    summary.add_flag("DMCIND", oversight.oversight_has_dmc, path + "oversightHasDmc")
    summary.add_flag("FDADRIND", oversight.is_fda_regulated_drug, path + "isFdaRegulatedDrug")
    summary.add_flag("FDADEIND", oversight.is_fda_regulated_device, path + "isFdaRegulatedDevice")


def _design(summary: _Summary, design: DesignModule) -> None:
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


def _enrollment(summary: _Summary, design: DesignModule) -> None:
    """Add the number of subjects as planned or actual; without a type it is neither, and is carried only."""
    enrollment = design.enrollment_info
    name = {"ESTIMATED": "PLANSUB", "ACTUAL": "ACTSUB"}.get(enrollment.type or "")
    if name and enrollment.count is not None:
        summary.add(name, str(enrollment.count), _DESIGN + "enrollmentInfo.count")


def _arms_and_interventions(summary: _Summary, protocol: ProtocolSection) -> None:
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


def _outcomes(summary: _Summary, protocol: ProtocolSection) -> None:
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


def _eligibility(summary: _Summary, eligibility: EligibilityModule) -> None:
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


def _age(summary: _Summary, name: str, words: str | None, source: str) -> Duration | None:
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


def _references(summary: _Summary, protocol: ProtocolSection) -> None:
    module = protocol.references_module
    path = _PROTOCOL + "referencesModule."
    for position, reference in enumerate(module.references, 1):
        summary.add("PUBMEDID", reference.pmid, path + "references[].pmid", position)
        summary.add("CITNSTDY", reference.citation, path + "references[].citation", position)
    for position, link in enumerate(module.see_also_links, 1):
        summary.add("URLSTDY", link.url, path + "seeAlsoLinks[].url", position)
        label = plain(link.label) if link.label else link.label
        summary.add("URLSTDYD", label, path + "seeAlsoLinks[].label", position)


def _word_codings(ctx: Context) -> dict[str, Callable[[str], tuple[Node, ...]]]:
    """Return how to code the registry's words that have a CDISC term but no official parameter."""
    tables = {
        _PROTOCOL + "armsInterventionsModule.armGroups[].type": "cdisc_arm_type",
        _DESIGN + "designInfo.maskingInfo.whoMasked[]": "cdisc_who_masked",
    }
    return {path: partial(_codings, ctx, name, path) for path, name in tables.items()}


def _codings(ctx: Context, table_name: str, path: str, word: str) -> tuple[Node, ...]:
    rows = _rows(ctx, table_name, word, path, "StudyParameter/ParameterValue/Coding")
    return tuple(coding(table_name, row) for row in rows)


def _extras(summary: _Summary, extras: Any, path: str = "extras", short_name: str = "CTG.extras") -> None:
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
        value = clean(summary.ctx, extras, path, f"StudyParameter[@OID='PAR.{short_name}']")
        summary.parameters.append(parameter(short_name, path, value))
