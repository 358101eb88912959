"""The URIs that the FHIR documents use, by who defines them."""

from __future__ import annotations

from typing import Final

# The registry. The identifier system is the NamingSystem of terminology.hl7.org for NCT numbers.
NCT_SYSTEM: Final = "https://clinicaltrials.gov/nctid"
STUDY_PAGE: Final = "https://clinicaltrials.gov/study/"
#: Where the registry keeps the documents of a study, by the last two digits of its number and by its number.
DOCUMENTS: Final = "https://cdn.clinicaltrials.gov/large-docs/"
PUBMED: Final = "https://pubmed.ncbi.nlm.nih.gov/"

# HL7
DATA_ABSENT_REASON: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
ARTIFACT_DESCRIPTION: Final = "http://hl7.org/fhir/StructureDefinition/artifact-description"
STUDY_REGISTRATION: Final = "http://hl7.org/fhir/StructureDefinition/researchStudy-studyRegistration"
REGISTRATION_ACTIVITY: Final = "http://hl7.org/fhir/research-study-registration-activity"
DATATYPE: Final = "http://hl7.org/fhir/StructureDefinition/_datatype"
BLINDED_ROLE: Final = "http://hl7.org/fhir/StructureDefinition/blinded-role"
CONTACTPOINT_EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/contactpoint-extension"
PLAN_DEFINITION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/plan-definition-type"
STUDY_STATUS_R5: Final = "http://hl7.org/fhir/research-study-status"
STUDY_STATUS_THO: Final = "http://terminology.hl7.org/CodeSystem/research-study-status"
# The extensions that carry R5 elements in R4 (package hl7.fhir.uv.xver-r5.r4).
IN_R4: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-"
STUDY_IN_R4: Final = IN_R4 + "ResearchStudy."
ARTIFACT_IN_R4: Final = IN_R4 + "RelatedArtifact."

# Others
NCIT: Final = "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl"
ISO_3166: Final = "urn:iso:std:iso:3166"
UCUM: Final = "http://unitsofmeasure.org"

# trialconv, below the base
EXACT_TEXT: Final = "/StructureDefinition/exact-text"
FILLED_FROM: Final = "/StructureDefinition/filled-from"
DERIVED_FROM: Final = "/StructureDefinition/derived-from"
CONDITION_ANCESTOR: Final = "/StructureDefinition/condition-mesh-ancestor"
INTERVENTION_ANCESTOR: Final = "/StructureDefinition/intervention-mesh-ancestor"
REMOVED_COUNTRY: Final = "/StructureDefinition/removed-country"
RETRACTION: Final = "/StructureDefinition/retraction"
UNPOSTED_RESULTS: Final = "/StructureDefinition/unposted-results"
SUBMISSION_TRACKING: Final = "/StructureDefinition/submission-tracking"
VIOLATION: Final = "/StructureDefinition/fdaaa-violation-event"
HALF_POSITION: Final = "/StructureDefinition/incomplete-position"
DATA_VERSION: Final = "/StructureDefinition/registry-data-version"
SITE_STATUS: Final = "/StructureDefinition/site-recruitment-status"
LAST_KNOWN_STATUS: Final = "/StructureDefinition/last-known-status"
OTHER_NAME: Final = "/StructureDefinition/intervention-other-name"
ARM_LABEL: Final = "/StructureDefinition/arm-group-label"
INTERVENTION_NAME: Final = "/StructureDefinition/intervention-name"
TIME_FRAME: Final = "/StructureDefinition/outcome-time-frame"
CONTACT_ROLE: Final = "/StructureDefinition/contact-role"
ELIGIBILITY_CRITERION: Final = "/StructureDefinition/eligibility-criterion"
