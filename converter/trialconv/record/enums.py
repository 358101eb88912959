"""The enumerations of the OpenAPI, spelled as the registry spells them.

A decoded field of these types may hold a word that is not listed here: the registry may add values before
this file learns of them. The reader then raises an `unknown-enum-value` Issue and keeps the word, so that
mappings can carry it as text. Never treat these types as a closed set; look values up in a code table.
"""

from __future__ import annotations

from typing import Literal

Status = Literal[
    "ACTIVE_NOT_RECRUITING",
    "COMPLETED",
    "ENROLLING_BY_INVITATION",
    "NOT_YET_RECRUITING",
    "RECRUITING",
    "SUSPENDED",
    "TERMINATED",
    "WITHDRAWN",
    "AVAILABLE",
    "NO_LONGER_AVAILABLE",
    "TEMPORARILY_NOT_AVAILABLE",
    "APPROVED_FOR_MARKETING",
    "WITHHELD",
    "UNKNOWN",
]
StudyType = Literal["EXPANDED_ACCESS", "INTERVENTIONAL", "OBSERVATIONAL"]
Phase = Literal["NA", "EARLY_PHASE1", "PHASE1", "PHASE2", "PHASE3", "PHASE4"]
Sex = Literal["FEMALE", "MALE", "ALL"]
StandardAge = Literal["CHILD", "ADULT", "OLDER_ADULT"]
SamplingMethod = Literal["PROBABILITY_SAMPLE", "NON_PROBABILITY_SAMPLE"]
IpdSharing = Literal["YES", "NO", "UNDECIDED"]
IpdSharingInfoType = Literal["STUDY_PROTOCOL", "SAP", "ICF", "CSR", "ANALYTIC_CODE"]
OrgStudyIdType = Literal["NIH", "FDA", "VA", "CDC", "AHRQ", "SAMHSA"]
SecondaryIdType = Literal[
    "NIH",
    "FDA",
    "VA",
    "CDC",
    "AHRQ",
    "SAMHSA",
    "OTHER_GRANT",
    "EUDRACT_NUMBER",
    "CTIS",
    "REGISTRY",
    "OTHER",
]
AgencyClass = Literal["NIH", "FED", "OTHER_GOV", "INDIV", "INDUSTRY", "NETWORK", "AMBIG", "OTHER", "UNKNOWN"]
ExpandedAccessStatus = Literal[
    "AVAILABLE",
    "NO_LONGER_AVAILABLE",
    "TEMPORARILY_NOT_AVAILABLE",
    "APPROVED_FOR_MARKETING",
]
DateType = Literal["ACTUAL", "ESTIMATED"]
ResponsiblePartyType = Literal["SPONSOR", "PRINCIPAL_INVESTIGATOR", "SPONSOR_INVESTIGATOR"]
DesignAllocation = Literal["RANDOMIZED", "NON_RANDOMIZED", "NA"]
InterventionalAssignment = Literal["SINGLE_GROUP", "PARALLEL", "CROSSOVER", "FACTORIAL", "SEQUENTIAL"]
PrimaryPurpose = Literal[
    "TREATMENT",
    "PREVENTION",
    "DIAGNOSTIC",
    "ECT",
    "SUPPORTIVE_CARE",
    "SCREENING",
    "HEALTH_SERVICES_RESEARCH",
    "BASIC_SCIENCE",
    "DEVICE_FEASIBILITY",
    "OTHER",
]
ObservationalModel = Literal[
    "COHORT",
    "CASE_CONTROL",
    "CASE_ONLY",
    "CASE_CROSSOVER",
    "ECOLOGIC_OR_COMMUNITY",
    "FAMILY_BASED",
    "DEFINED_POPULATION",
    "NATURAL_HISTORY",
    "OTHER",
]
DesignTimePerspective = Literal["RETROSPECTIVE", "PROSPECTIVE", "CROSS_SECTIONAL", "OTHER"]
BioSpecRetention = Literal["NONE_RETAINED", "SAMPLES_WITH_DNA", "SAMPLES_WITHOUT_DNA"]
EnrollmentType = Literal["ACTUAL", "ESTIMATED"]
ArmGroupType = Literal[
    "EXPERIMENTAL",
    "ACTIVE_COMPARATOR",
    "PLACEBO_COMPARATOR",
    "SHAM_COMPARATOR",
    "NO_INTERVENTION",
    "OTHER",
]
InterventionType = Literal[
    "BEHAVIORAL",
    "BIOLOGICAL",
    "COMBINATION_PRODUCT",
    "DEVICE",
    "DIAGNOSTIC_TEST",
    "DIETARY_SUPPLEMENT",
    "DRUG",
    "GENETIC",
    "PROCEDURE",
    "RADIATION",
    "OTHER",
]
ContactRole = Literal[
    "STUDY_CHAIR",
    "STUDY_DIRECTOR",
    "PRINCIPAL_INVESTIGATOR",
    "SUB_INVESTIGATOR",
    "CONTACT",
]
OfficialRole = Literal["STUDY_CHAIR", "STUDY_DIRECTOR", "PRINCIPAL_INVESTIGATOR", "SUB_INVESTIGATOR"]
RecruitmentStatus = Literal[
    "ACTIVE_NOT_RECRUITING",
    "COMPLETED",
    "ENROLLING_BY_INVITATION",
    "NOT_YET_RECRUITING",
    "RECRUITING",
    "SUSPENDED",
    "TERMINATED",
    "WITHDRAWN",
    "AVAILABLE",
]
ReferenceType = Literal["BACKGROUND", "RESULT", "DERIVED"]
MeasureParam = Literal[
    "GEOMETRIC_MEAN",
    "GEOMETRIC_LEAST_SQUARES_MEAN",
    "LEAST_SQUARES_MEAN",
    "LOG_MEAN",
    "MEAN",
    "MEDIAN",
    "NUMBER",
    "COUNT_OF_PARTICIPANTS",
    "COUNT_OF_UNITS",
]
MeasureDispersionType = Literal[
    "NA",
    "STANDARD_DEVIATION",
    "STANDARD_ERROR",
    "INTER_QUARTILE_RANGE",
    "FULL_RANGE",
    "CONFIDENCE_80",
    "CONFIDENCE_90",
    "CONFIDENCE_95",
    "CONFIDENCE_975",
    "CONFIDENCE_99",
    "CONFIDENCE_OTHER",
    "GEOMETRIC_COEFFICIENT",
]
OutcomeMeasureType = Literal["PRIMARY", "SECONDARY", "OTHER_PRE_SPECIFIED", "POST_HOC"]
ReportingStatus = Literal["NOT_POSTED", "POSTED"]
EventAssessment = Literal["NON_SYSTEMATIC_ASSESSMENT", "SYSTEMATIC_ASSESSMENT"]
AgreementRestrictionType = Literal["LTE60", "GT60", "OTHER"]
BrowseLeafRelevance = Literal["LOW", "HIGH"]
DesignMasking = Literal["NONE", "SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE"]
WhoMasked = Literal["PARTICIPANT", "CARE_PROVIDER", "INVESTIGATOR", "OUTCOMES_ASSESSOR"]
AnalysisDispersionType = Literal["STANDARD_DEVIATION", "STANDARD_ERROR_OF_MEAN"]
ConfidenceIntervalNumSides = Literal["ONE_SIDED", "TWO_SIDED"]
NonInferiorityType = Literal[
    "SUPERIORITY",
    "NON_INFERIORITY",
    "EQUIVALENCE",
    "OTHER",
    "NON_INFERIORITY_OR_EQUIVALENCE",
    "SUPERIORITY_OR_OTHER",
    "NON_INFERIORITY_OR_EQUIVALENCE_LEGACY",
    "SUPERIORITY_OR_OTHER_LEGACY",
]
UnpostedEventType = Literal["RESET", "RELEASE", "UNRELEASE"]
ViolationEventType = Literal[
    "VIOLATION_IDENTIFIED",
    "CORRECTION_CONFIRMED",
    "PENALTY_IMPOSED",
    "ISSUES_IN_LETTER_ADDRESSED_CONFIRMED",
]
