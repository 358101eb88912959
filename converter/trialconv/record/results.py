"""The results section. It is decoded only when somebody asks: see `Record.results`.

Numbers are strings here because the registry posts them as text ("NA", "<0.001", "26,300").
"""

from __future__ import annotations

import msgspec

from trialconv.record import enums
from trialconv.record.base import PartialDate, RegistryStruct


class FlowGroup(RegistryStruct):
    """`FlowGroup` of the OpenAPI."""

    id: str | None = None
    title: str | None = None
    description: str | None = None


class FlowStats(RegistryStruct):
    """`FlowStats` of the OpenAPI."""

    group_id: str | None = None
    comment: str | None = None
    num_subjects: str | None = None
    num_units: str | None = None


class FlowMilestone(RegistryStruct):
    """`FlowMilestone` of the OpenAPI."""

    type: str | None = None
    comment: str | None = None
    achievements: list[FlowStats] = []


class DropWithdraw(RegistryStruct):
    """`DropWithdraw` of the OpenAPI."""

    type: str | None = None
    comment: str | None = None
    reasons: list[FlowStats] = []


class FlowPeriod(RegistryStruct):
    """`FlowPeriod` of the OpenAPI."""

    title: str | None = None
    milestones: list[FlowMilestone] = []
    drop_withdraws: list[DropWithdraw] = []


class ParticipantFlowModule(RegistryStruct):
    """`ParticipantFlowModule` of the OpenAPI."""

    pre_assignment_details: str | None = None
    recruitment_details: str | None = None
    type_units_analyzed: str | None = None
    groups: list[FlowGroup] = []
    periods: list[FlowPeriod] = []


class MeasureGroup(RegistryStruct):
    """`MeasureGroup` of the OpenAPI."""

    id: str | None = None
    title: str | None = None
    description: str | None = None


class DenomCount(RegistryStruct):
    """`DenomCount` of the OpenAPI."""

    group_id: str | None = None
    value: str | None = None


class Denom(RegistryStruct):
    """`Denom` of the OpenAPI."""

    units: str | None = None
    counts: list[DenomCount] = []


class Measurement(RegistryStruct):
    """`Measurement` of the OpenAPI."""

    group_id: str | None = None
    value: str | None = None
    spread: str | None = None
    lower_limit: str | None = None
    upper_limit: str | None = None
    comment: str | None = None


class MeasureCategory(RegistryStruct):
    """`MeasureCategory` of the OpenAPI."""

    title: str | None = None
    measurements: list[Measurement] = []


class MeasureClass(RegistryStruct):
    """`MeasureClass` of the OpenAPI."""

    title: str | None = None
    denoms: list[Denom] = []
    categories: list[MeasureCategory] = []


class BaselineMeasure(RegistryStruct):
    """`BaselineMeasure` of the OpenAPI."""

    title: str | None = None
    description: str | None = None
    population_description: str | None = None
    param_type: enums.MeasureParam | None = None
    dispersion_type: enums.MeasureDispersionType | None = None
    unit_of_measure: str | None = None
    calculate_pct: bool | None = None
    denom_units_selected: str | None = None
    denoms: list[Denom] = []
    classes: list[MeasureClass] = []


class BaselineCharacteristicsModule(RegistryStruct):
    """`BaselineCharacteristicsModule` of the OpenAPI."""

    population_description: str | None = None
    type_units_analyzed: str | None = None
    groups: list[MeasureGroup] = []
    denoms: list[Denom] = []
    measures: list[BaselineMeasure] = []


class MeasureAnalysis(RegistryStruct):
    """`MeasureAnalysis` of the OpenAPI."""

    param_type: str | None = None
    param_value: str | None = None
    dispersion_type: enums.AnalysisDispersionType | None = None
    dispersion_value: str | None = None
    statistical_method: str | None = None
    statistical_comment: str | None = None
    p_value: str | None = None
    p_value_comment: str | None = None
    ci_num_sides: enums.ConfidenceIntervalNumSides | None = None
    ci_pct_value: str | None = None
    ci_lower_limit: str | None = None
    ci_upper_limit: str | None = None
    ci_lower_limit_comment: str | None = None
    ci_upper_limit_comment: str | None = None
    estimate_comment: str | None = None
    tested_non_inferiority: bool | None = None
    non_inferiority_type: enums.NonInferiorityType | None = None
    non_inferiority_comment: str | None = None
    other_analysis_description: str | None = None
    group_description: str | None = None
    group_ids: list[str] = []


class OutcomeMeasure(RegistryStruct):
    """`OutcomeMeasure` of the OpenAPI."""

    type: enums.OutcomeMeasureType | None = None
    title: str | None = None
    description: str | None = None
    population_description: str | None = None
    reporting_status: enums.ReportingStatus | None = None
    anticipated_posting_date: PartialDate | None = None
    param_type: enums.MeasureParam | None = None
    dispersion_type: str | None = None
    unit_of_measure: str | None = None
    calculate_pct: bool | None = None
    time_frame: str | None = None
    type_units_analyzed: str | None = None
    denom_units_selected: str | None = None
    groups: list[MeasureGroup] = []
    denoms: list[Denom] = []
    classes: list[MeasureClass] = []
    analyses: list[MeasureAnalysis] = []


class OutcomeMeasuresModule(RegistryStruct):
    """`OutcomeMeasuresModule` of the OpenAPI."""

    outcome_measures: list[OutcomeMeasure] = []


class EventGroup(RegistryStruct):
    """`EventGroup` of the OpenAPI."""

    id: str | None = None
    title: str | None = None
    description: str | None = None
    deaths_num_affected: int | None = None
    deaths_num_at_risk: int | None = None
    serious_num_affected: int | None = None
    serious_num_at_risk: int | None = None
    other_num_affected: int | None = None
    other_num_at_risk: int | None = None


class EventStats(RegistryStruct):
    """`EventStats` of the OpenAPI."""

    group_id: str | None = None
    num_events: int | None = None
    num_affected: int | None = None
    num_at_risk: int | None = None


class AdverseEvent(RegistryStruct):
    """`AdverseEvent` of the OpenAPI."""

    term: str | None = None
    organ_system: str | None = None
    source_vocabulary: str | None = None
    assessment_type: enums.EventAssessment | None = None
    notes: str | None = None
    stats: list[EventStats] = []


class AdverseEventsModule(RegistryStruct):
    """`AdverseEventsModule` of the OpenAPI."""

    frequency_threshold: str | None = None
    time_frame: str | None = None
    description: str | None = None
    all_cause_mortality_comment: str | None = None
    event_groups: list[EventGroup] = []
    serious_events: list[AdverseEvent] = []
    other_events: list[AdverseEvent] = []


class LimitationsAndCaveats(RegistryStruct):
    """`LimitationsAndCaveats` of the OpenAPI."""

    description: str | None = None


class CertainAgreement(RegistryStruct):
    """`CertainAgreement` of the OpenAPI."""

    pi_sponsor_employee: bool | None = None
    restriction_type: enums.AgreementRestrictionType | None = None
    restrictive_agreement: bool | None = None
    other_details: str | None = None


class PointOfContact(RegistryStruct):
    """`PointOfContact` of the OpenAPI."""

    title: str | None = None
    organization: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_ext: str | None = None


class MoreInfoModule(RegistryStruct):
    """`MoreInfoModule` of the OpenAPI."""

    limitations_and_caveats: LimitationsAndCaveats = msgspec.field(default_factory=LimitationsAndCaveats)
    certain_agreement: CertainAgreement = msgspec.field(default_factory=CertainAgreement)
    point_of_contact: PointOfContact = msgspec.field(default_factory=PointOfContact)


class ResultsSection(RegistryStruct):
    """`ResultsSection` of the OpenAPI."""

    participant_flow_module: ParticipantFlowModule = msgspec.field(default_factory=ParticipantFlowModule)
    baseline_characteristics_module: BaselineCharacteristicsModule = msgspec.field(
        default_factory=BaselineCharacteristicsModule
    )
    outcome_measures_module: OutcomeMeasuresModule = msgspec.field(default_factory=OutcomeMeasuresModule)
    adverse_events_module: AdverseEventsModule = msgspec.field(default_factory=AdverseEventsModule)
    more_info_module: MoreInfoModule = msgspec.field(default_factory=MoreInfoModule)
