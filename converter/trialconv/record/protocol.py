"""The protocol section: what the sponsor registered.

Attribute names are the registry's field names in snake_case; the structs mirror the schemas of the
ClinicalTrials.gov API OpenAPI 2.0.5 (https://clinicaltrials.gov/data-api/api) one to one.
"""

from __future__ import annotations

import msgspec

from trialconv.record import enums
from trialconv.record.base import Date, PartialDate, RegistryStruct


class OrgStudyIdInfo(RegistryStruct):
    """`OrgStudyIdInfo` of the OpenAPI."""

    id: str | None = None
    type: enums.OrgStudyIdType | None = None
    link: str | None = None


class SecondaryIdInfo(RegistryStruct):
    """`SecondaryIdInfo` of the OpenAPI."""

    id: str | None = None
    type: enums.SecondaryIdType | None = None
    domain: str | None = None
    link: str | None = None


class Organization(RegistryStruct):
    """`Organization` of the OpenAPI."""

    full_name: str | None = None
    class_: enums.AgencyClass | None = msgspec.field(default=None, name="class")


class IdentificationModule(RegistryStruct):
    """`IdentificationModule` of the OpenAPI."""

    nct_id: str | None = None
    nct_id_aliases: list[str] = []
    org_study_id_info: OrgStudyIdInfo = msgspec.field(default_factory=OrgStudyIdInfo)
    secondary_id_infos: list[SecondaryIdInfo] = []
    brief_title: str | None = None
    official_title: str | None = None
    acronym: str | None = None
    organization: Organization = msgspec.field(default_factory=Organization)


class ExpandedAccessInfo(RegistryStruct):
    """`ExpandedAccessInfo` of the OpenAPI."""

    has_expanded_access: bool | None = None
    nct_id: str | None = None
    status_for_nct_id: enums.ExpandedAccessStatus | None = None


class PartialDateStruct(RegistryStruct):
    """`PartialDateStruct` of the OpenAPI."""

    date: PartialDate | None = None
    type: enums.DateType | None = None


class DateStruct(RegistryStruct):
    """`DateStruct` of the OpenAPI."""

    date: Date | None = None
    type: enums.DateType | None = None


class StatusModule(RegistryStruct):
    """`StatusModule` of the OpenAPI."""

    status_verified_date: PartialDate | None = None
    overall_status: enums.Status | None = None
    last_known_status: enums.Status | None = None
    delayed_posting: bool | None = None
    why_stopped: str | None = None
    expanded_access_info: ExpandedAccessInfo = msgspec.field(default_factory=ExpandedAccessInfo)
    start_date_struct: PartialDateStruct = msgspec.field(default_factory=PartialDateStruct)
    primary_completion_date_struct: PartialDateStruct = msgspec.field(default_factory=PartialDateStruct)
    completion_date_struct: PartialDateStruct = msgspec.field(default_factory=PartialDateStruct)
    study_first_submit_date: Date | None = None
    study_first_submit_qc_date: Date | None = None
    study_first_post_date_struct: DateStruct = msgspec.field(default_factory=DateStruct)
    results_waived: bool | None = None
    results_first_submit_date: Date | None = None
    results_first_submit_qc_date: Date | None = None
    results_first_post_date_struct: DateStruct = msgspec.field(default_factory=DateStruct)
    disp_first_submit_date: Date | None = None
    disp_first_submit_qc_date: Date | None = None
    disp_first_post_date_struct: DateStruct = msgspec.field(default_factory=DateStruct)
    last_update_submit_date: Date | None = None
    last_update_post_date_struct: DateStruct = msgspec.field(default_factory=DateStruct)


class ResponsibleParty(RegistryStruct):
    """`ResponsibleParty` of the OpenAPI."""

    type: enums.ResponsiblePartyType | None = None
    investigator_full_name: str | None = None
    investigator_title: str | None = None
    investigator_affiliation: str | None = None
    old_name_title: str | None = None
    old_organization: str | None = None


class Sponsor(RegistryStruct):
    """`Sponsor` of the OpenAPI."""

    name: str | None = None
    class_: enums.AgencyClass | None = msgspec.field(default=None, name="class")


class SponsorCollaboratorsModule(RegistryStruct):
    """`SponsorCollaboratorsModule` of the OpenAPI."""

    responsible_party: ResponsibleParty = msgspec.field(default_factory=ResponsibleParty)
    lead_sponsor: Sponsor = msgspec.field(default_factory=Sponsor)
    collaborators: list[Sponsor] = []


class OversightModule(RegistryStruct):
    """`OversightModule` of the OpenAPI."""

    oversight_has_dmc: bool | None = None
    is_fda_regulated_drug: bool | None = None
    is_fda_regulated_device: bool | None = None
    is_unapproved_device: bool | None = None
    is_ppsd: bool | None = None
    is_us_export: bool | None = None
    fdaaa801_violation: bool | None = None


class DescriptionModule(RegistryStruct):
    """`DescriptionModule` of the OpenAPI."""

    brief_summary: str | None = None
    detailed_description: str | None = None


class ConditionsModule(RegistryStruct):
    """`ConditionsModule` of the OpenAPI."""

    conditions: list[str] = []
    keywords: list[str] = []


class ExpandedAccessTypes(RegistryStruct):
    """`ExpandedAccessTypes` of the OpenAPI."""

    individual: bool | None = None
    intermediate: bool | None = None
    treatment: bool | None = None


class MaskingBlock(RegistryStruct):
    """`MaskingBlock` of the OpenAPI."""

    masking: enums.DesignMasking | None = None
    masking_description: str | None = None
    who_masked: list[enums.WhoMasked] = []


class DesignInfo(RegistryStruct):
    """`DesignInfo` of the OpenAPI."""

    allocation: enums.DesignAllocation | None = None
    intervention_model: enums.InterventionalAssignment | None = None
    intervention_model_description: str | None = None
    primary_purpose: enums.PrimaryPurpose | None = None
    observational_model: enums.ObservationalModel | None = None
    time_perspective: enums.DesignTimePerspective | None = None
    masking_info: MaskingBlock = msgspec.field(default_factory=MaskingBlock)


class BioSpec(RegistryStruct):
    """`BioSpec` of the OpenAPI."""

    retention: enums.BioSpecRetention | None = None
    description: str | None = None


class EnrollmentInfo(RegistryStruct):
    """`EnrollmentInfo` of the OpenAPI."""

    count: int | None = None
    type: enums.EnrollmentType | None = None


class DesignModule(RegistryStruct):
    """`DesignModule` of the OpenAPI."""

    study_type: enums.StudyType | None = None
    n_ptrs_to_this_exp_acc_nct_id: int | None = None
    expanded_access_types: ExpandedAccessTypes = msgspec.field(default_factory=ExpandedAccessTypes)
    patient_registry: bool | None = None
    target_duration: str | None = None
    phases: list[enums.Phase] = []
    design_info: DesignInfo = msgspec.field(default_factory=DesignInfo)
    bio_spec: BioSpec = msgspec.field(default_factory=BioSpec)
    enrollment_info: EnrollmentInfo = msgspec.field(default_factory=EnrollmentInfo)


class ArmGroup(RegistryStruct):
    """`ArmGroup` of the OpenAPI."""

    label: str | None = None
    type: enums.ArmGroupType | None = None
    description: str | None = None
    intervention_names: list[str] = []


class Intervention(RegistryStruct):
    """`Intervention` of the OpenAPI."""

    type: enums.InterventionType | None = None
    name: str | None = None
    description: str | None = None
    arm_group_labels: list[str] = []
    other_names: list[str] = []


class ArmsInterventionsModule(RegistryStruct):
    """`ArmsInterventionsModule` of the OpenAPI."""

    arm_groups: list[ArmGroup] = []
    interventions: list[Intervention] = []


class Outcome(RegistryStruct):
    """`Outcome` of the OpenAPI."""

    measure: str | None = None
    description: str | None = None
    time_frame: str | None = None


class OutcomesModule(RegistryStruct):
    """`OutcomesModule` of the OpenAPI."""

    primary_outcomes: list[Outcome] = []
    secondary_outcomes: list[Outcome] = []
    other_outcomes: list[Outcome] = []


class EligibilityModule(RegistryStruct):
    """`EligibilityModule` of the OpenAPI."""

    eligibility_criteria: str | None = None
    healthy_volunteers: bool | None = None
    sex: enums.Sex | None = None
    gender_based: bool | None = None
    gender_description: str | None = None
    minimum_age: str | None = None
    maximum_age: str | None = None
    std_ages: list[enums.StandardAge] = []
    study_population: str | None = None
    sampling_method: enums.SamplingMethod | None = None


class Contact(RegistryStruct):
    """`Contact` of the OpenAPI."""

    name: str | None = None
    role: enums.ContactRole | None = None
    phone: str | None = None
    phone_ext: str | None = None
    email: str | None = None


class Official(RegistryStruct):
    """`Official` of the OpenAPI."""

    name: str | None = None
    affiliation: str | None = None
    role: enums.OfficialRole | None = None


class GeoPoint(RegistryStruct):
    """`GeoPoint` of the OpenAPI."""

    lat: float | None = None
    lon: float | None = None


class Location(RegistryStruct):
    """`Location` of the OpenAPI."""

    facility: str | None = None
    status: enums.RecruitmentStatus | None = None
    city: str | None = None
    state: str | None = None
    zip: str | None = None
    country: str | None = None
    contacts: list[Contact] = []
    geo_point: GeoPoint = msgspec.field(default_factory=GeoPoint)


class ContactsLocationsModule(RegistryStruct):
    """`ContactsLocationsModule` of the OpenAPI."""

    central_contacts: list[Contact] = []
    overall_officials: list[Official] = []
    locations: list[Location] = []


class Retraction(RegistryStruct):
    """`Retraction` of the OpenAPI."""

    pmid: str | None = None
    source: str | None = None


class Reference(RegistryStruct):
    """`Reference` of the OpenAPI."""

    pmid: str | None = None
    type: enums.ReferenceType | None = None
    citation: str | None = None
    retractions: list[Retraction] = []


class SeeAlsoLink(RegistryStruct):
    """`SeeAlsoLink` of the OpenAPI."""

    label: str | None = None
    url: str | None = None


class AvailIpd(RegistryStruct):
    """`AvailIpd` of the OpenAPI."""

    id: str | None = None
    type: str | None = None
    url: str | None = None
    comment: str | None = None


class ReferencesModule(RegistryStruct):
    """`ReferencesModule` of the OpenAPI."""

    references: list[Reference] = []
    see_also_links: list[SeeAlsoLink] = []
    avail_ipds: list[AvailIpd] = []


class IpdSharingStatementModule(RegistryStruct):
    """`IpdSharingStatementModule` of the OpenAPI."""

    ipd_sharing: enums.IpdSharing | None = None
    description: str | None = None
    info_types: list[enums.IpdSharingInfoType] = []
    time_frame: str | None = None
    access_criteria: str | None = None
    url: str | None = None


class ProtocolSection(RegistryStruct):
    """`ProtocolSection` of the OpenAPI."""

    identification_module: IdentificationModule = msgspec.field(default_factory=IdentificationModule)
    status_module: StatusModule = msgspec.field(default_factory=StatusModule)
    sponsor_collaborators_module: SponsorCollaboratorsModule = msgspec.field(
        default_factory=SponsorCollaboratorsModule
    )
    oversight_module: OversightModule = msgspec.field(default_factory=OversightModule)
    description_module: DescriptionModule = msgspec.field(default_factory=DescriptionModule)
    conditions_module: ConditionsModule = msgspec.field(default_factory=ConditionsModule)
    design_module: DesignModule = msgspec.field(default_factory=DesignModule)
    arms_interventions_module: ArmsInterventionsModule = msgspec.field(default_factory=ArmsInterventionsModule)
    outcomes_module: OutcomesModule = msgspec.field(default_factory=OutcomesModule)
    eligibility_module: EligibilityModule = msgspec.field(default_factory=EligibilityModule)
    contacts_locations_module: ContactsLocationsModule = msgspec.field(default_factory=ContactsLocationsModule)
    references_module: ReferencesModule = msgspec.field(default_factory=ReferencesModule)
    ipd_sharing_statement_module: IpdSharingStatementModule = msgspec.field(
        default_factory=IpdSharingStatementModule
    )
