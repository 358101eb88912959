"""What an ODM document may refer to: the reference attributes and identities of the official schemas."""

from __future__ import annotations

from typing import Final

_CONDITION = ("ConditionDef",)
_ITEM = ("ItemDef",)
_CODE_LIST = ("CodeList",)
# What ODM 2.0 calls the structural elements, which workflows and timings run between.
_STRUCTURE = (
    "Arm",
    "Branching",
    "Epoch",
    "ItemGroupDef",
    "StudyEventDef",
    "StudyEventGroupDef",
    "Transition",
    "WorkflowDef",
)

#: The attributes of type `oidref` or `IDREF` in the two schemas, with the kinds of definitions they may name.
#: `PriorFileOID` names another file and is not here; `StudyOID` and `MetaDataVersionOID` stand below.
REFERENCES: Final[dict[str, tuple[str, ...]]] = {
    "AnnotationID": ("Annotation",),
    "ArchiveLayoutOID": ("ArchiveLayout",),
    "ArchiveLocationID": ("Leaf",),
    "ArmOID": ("Arm",),
    "AuditRecordID": ("AuditRecord",),
    "CodeListOID": _CODE_LIST,
    "CollectionExceptionConditionOID": _CONDITION,
    "CommentOID": ("CommentDef",),
    "ConditionOID": _CONDITION,
    "EndConditionOID": _CONDITION,
    "EndOID": _STRUCTURE,
    "EpochOID": ("Epoch",),
    "FormOID": ("FormDef",),
    "ImputationMethodOID": ("ImputationMethod",),
    "ItemGroupOID": ("ItemGroupDef",),
    "ItemOID": _ITEM,
    "LeafID": ("Leaf",),
    "LocationOID": ("Location",),
    "MeasurementUnitOID": ("MeasurementUnit",),
    "MethodOID": ("MethodDef",),
    "OrganizationOID": ("Organization",),
    "PartOfOrganizationOID": ("Organization",),
    "PredecessorOID": _STRUCTURE,
    "PresentationOID": ("Presentation",),
    "RoleCodeListOID": _CODE_LIST,
    "SignatureID": ("Signature",),
    "SignatureOID": ("SignatureDef",),
    "SourceOID": _STRUCTURE,
    "StandardOID": ("Standard",),
    "StartConditionOID": _CONDITION,
    "StartOID": _STRUCTURE,
    "StructuralElementOID": _STRUCTURE,
    "StudyEndPointOID": ("StudyEndPoint",),
    "StudyEventGroupOID": ("StudyEventGroupDef",),
    "StudyEventOID": ("StudyEventDef",),
    "StudyInterventionOID": ("StudyIntervention",),
    "StudyTargetPopulationOID": ("StudyTargetPopulation",),
    "SuccessorOID": _STRUCTURE,
    "TargetOID": _STRUCTURE,
    "TargetTransitionOID": ("Transition",),
    "TransitionOID": ("Transition",),
    "UnitsItemOID": _ITEM,
    "UserOID": ("User",),
    "ValueListOID": ("ValueListDef",),
    "WhereClauseOID": ("WhereClauseDef",),
    "WorkflowOID": ("WorkflowDef",),
    "leafID": ("Leaf",),
}

#: A study and one of its metadata versions are named together; they are looked up as a pair.
PAIRED: Final[dict[str, tuple[str, ...]]] = {
    "MetaDataVersionOID": ("MetaDataVersion",),
    "StudyOID": ("Study",),
}
#: Kinds that are named by the attribute ID; all others by OID.
BY_ID: Final = frozenset({"Annotation", "AuditRecord", "Leaf", "Signature"})
#: Kinds that are defined for the whole document.
DOCUMENT_KINDS: Final = frozenset({"Location", "Organization", "SignatureDef", "User"})
#: Elements that point to other files, or may do so.
FOREIGN: Final = frozenset({"Include", "SourceItem"})
#: The parts of a document that hold data of a study.
DATA: Final = ("ReferenceData", "ClinicalData", "Association")
#: What must differ among siblings, with the rule that says so.
SIBLINGS: Final = {
    "Context": "odm-alias-context",
    "OrderNumber": "odm-order-number",
    "SequenceNumber": "odm-order-number",
}
#: The commonest element of a registry study. It defines an OID and holds nothing else that a rule speaks of.
PARAMETER: Final = "StudyParameter"
#: The elements of either schema that a rule may speak of: they have an identity, a reference, an order or a
#: context. Texts and values, the bulk of a document, are passed over.
# fmt: off
ELEMENTS: Final = (
    "AbsoluteTimingConstraint", "AdminData", "Alias", "Annotation", "ArchiveLayout", "ArchiveLayoutRef", "Arm",
    "Association", "AuditRecord", "Branching", "ClinicalData", "CodeList", "CodeListItem", "CodeListRef",
    "Coding", "CommentDef", "ConditionDef", "Criterion", "DefaultTransition", "DocumentRef",
    "DurationTimingConstraint", "EnumeratedItem", "Epoch", "FlagType", "FlagValue", "FormData", "FormDef",
    "FormRef", "ImputationMethod", "Include", "InvestigatorRef", "ItemData", "ItemDataAny",
    "ItemDataBase64Binary", "ItemDataBase64Float", "ItemDataBoolean", "ItemDataDate", "ItemDataDatetime",
    "ItemDataDouble", "ItemDataDurationDatetime", "ItemDataFloat", "ItemDataHexBinary", "ItemDataHexFloat",
    "ItemDataIncompleteDate", "ItemDataIncompleteDatetime", "ItemDataIncompleteTime", "ItemDataInteger",
    "ItemDataIntervalDatetime", "ItemDataPartialDate", "ItemDataPartialDatetime", "ItemDataPartialTime",
    "ItemDataString", "ItemDataTime", "ItemDataURI", "ItemDef", "ItemGroupData", "ItemGroupDef", "ItemGroupRef",
    "ItemRef", "KeySet", "Leaf", "Location", "LocationRef", "MeasurementUnit", "MeasurementUnitRef",
    "MetaDataVersion", "MetaDataVersionRef", "MethodDef", "Organization", "Parameter", "Presentation", "Query",
    "RangeCheck", "ReferenceData", "RelativeTimingConstraint", "ReturnValue", "Signature", "SignatureDef",
    "SignatureRef", "SiteRef", "SourceItem", "Standard", "Study", "StudyEndPoint", "StudyEndPointRef",
    "StudyEstimand", "StudyEventData", "StudyEventDef", "StudyEventGroupDef", "StudyEventGroupRef",
    "StudyEventRef", "StudyIndication", "StudyIntervention", "StudyInterventionRef", "StudyObjective",
    "StudyParameter", "StudyTargetPopulation", "StudyTargetPopulationRef", "StudyTiming", "TargetTransition",
    "Transition", "TransitionTimingConstraint", "User", "UserRef", "ValueListDef", "ValueListRef",
    "WhereClauseDef", "WhereClauseRef", "WorkflowDef", "WorkflowEnd", "WorkflowRef", "WorkflowStart",
)
# fmt: on
