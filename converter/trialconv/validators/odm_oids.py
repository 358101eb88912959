"""What an ODM document may refer to: the reference attributes and identities of ODM and SDM-XML."""

from __future__ import annotations

from typing import Final

_CONDITION = ("ConditionDef",)
_ITEM = ("ItemDef",)
_CODE_LIST = ("CodeList",)
_ACTIVITY = ("ActivityDef",)
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

#: The attributes of type `oidref` or `IDREF` in the schemas of ODM and SDM-XML, with the kinds they may name.
#: `PriorFileOID` names another file and is not here; `StudyOID` and `MetaDataVersionOID` stand below.
REFERENCES: Final[dict[str, tuple[str, ...]]] = {
    "ActivityOID": _ACTIVITY,
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
    "PredecessorActivityOID": _ACTIVITY,
    "PredecessorOID": _STRUCTURE,
    "PresentationOID": ("Presentation",),
    "RoleCodeListOID": _CODE_LIST,
    "SegmentOID": ("SegmentDef",),
    "SignatureID": ("Signature",),
    "SignatureOID": ("SignatureDef",),
    "SourceActivityOID": _ACTIVITY,
    "SourceOID": _STRUCTURE,
    "StandardOID": ("Standard",),
    "StartConditionOID": _CONDITION,
    "StartOID": _STRUCTURE,
    "StructuralElementOID": (*_STRUCTURE, "ActivityDef", "CellDef", "SegmentDef", "Study"),
    "StudyEndPointOID": ("StudyEndPoint",),
    "StudyEventGroupOID": ("StudyEventGroupDef",),
    "StudyEventOID": ("StudyEventDef",),
    "StudyInterventionOID": ("StudyIntervention",),
    "StudyTargetPopulationOID": ("StudyTargetPopulation",),
    "SuccessorActivityOID": _ACTIVITY,
    "SuccessorOID": _STRUCTURE,
    "TargetActivityOID": _ACTIVITY,
    "TargetOID": _STRUCTURE,
    "TargetTransitionOID": ("Transition",),
    "TransitionDestinationOID": ("TransitionDestination", "TransitionDefault"),
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
SIBLINGS: Final = {"Context": "ODM-003", "OrderNumber": "ODM-004", "SequenceNumber": "ODM-004"}
#: Texts and values, the bulk of a document: neither they nor anything in them has an identity, an order or a
#: context, or refers to anything.
PASSED_OVER: Final = frozenset(
    {
        "Address",
        "Description",
        "Email",
        "FullName",
        "Phone",
        "Telecom",
        "TranslatedText",
        "sdm:Value",
    }
)
