"""Annotation, document and derived sections: what the registry itself adds to a record."""

from __future__ import annotations

import msgspec

from trialconv.record import enums
from trialconv.record.base import Date, DateTimeMinutes, RegistryStruct
from trialconv.record.protocol import DateStruct


class UnpostedEvent(RegistryStruct):
    """`UnpostedEvent` of the OpenAPI."""

    type: enums.UnpostedEventType | None = None
    date: Date | None = None
    date_unknown: bool | None = None


class UnpostedAnnotation(RegistryStruct):
    """`UnpostedAnnotation` of the OpenAPI."""

    unposted_responsible_party: str | None = None
    unposted_events: list[UnpostedEvent] = []


class ViolationEvent(RegistryStruct):
    """`ViolationEvent` of the OpenAPI."""

    type: enums.ViolationEventType | None = None
    description: str | None = None
    creation_date: Date | None = None
    issued_date: Date | None = None
    release_date: Date | None = None
    posted_date: Date | None = None


class ViolationAnnotation(RegistryStruct):
    """`ViolationAnnotation` of the OpenAPI."""

    violation_events: list[ViolationEvent] = []


class AnnotationModule(RegistryStruct):
    """`AnnotationModule` of the OpenAPI."""

    unposted_annotation: UnpostedAnnotation = msgspec.field(default_factory=UnpostedAnnotation)
    violation_annotation: ViolationAnnotation = msgspec.field(default_factory=ViolationAnnotation)


class AnnotationSection(RegistryStruct):
    """`AnnotationSection` of the OpenAPI."""

    annotation_module: AnnotationModule = msgspec.field(default_factory=AnnotationModule)


class LargeDoc(RegistryStruct):
    """`LargeDoc` of the OpenAPI."""

    type_abbrev: str | None = None
    has_protocol: bool | None = None
    has_sap: bool | None = None
    has_icf: bool | None = None
    label: str | None = None
    date: Date | None = None
    upload_date: DateTimeMinutes | None = None
    filename: str | None = None
    size: int | None = None


class LargeDocumentModule(RegistryStruct):
    """`LargeDocumentModule` of the OpenAPI."""

    no_sap: bool | None = None
    large_docs: list[LargeDoc] = []


class DocumentSection(RegistryStruct):
    """`DocumentSection` of the OpenAPI."""

    large_document_module: LargeDocumentModule = msgspec.field(default_factory=LargeDocumentModule)


class FirstMcpInfo(RegistryStruct):
    """`FirstMcpInfo` of the OpenAPI."""

    post_date_struct: DateStruct = msgspec.field(default_factory=DateStruct)


class SubmissionInfo(RegistryStruct):
    """`SubmissionInfo` of the OpenAPI."""

    release_date: Date | None = None
    unrelease_date: Date | None = None
    unrelease_date_unknown: bool | None = None
    reset_date: Date | None = None
    mcp_release_n: int | None = None


class SubmissionTracking(RegistryStruct):
    """`SubmissionTracking` of the OpenAPI."""

    estimated_results_first_submit_date: Date | None = None
    first_mcp_info: FirstMcpInfo = msgspec.field(default_factory=FirstMcpInfo)
    submission_infos: list[SubmissionInfo] = []


class MiscInfoModule(RegistryStruct):
    """`MiscInfoModule` of the OpenAPI."""

    version_holder: Date | None = None
    removed_countries: list[str] = []
    submission_tracking: SubmissionTracking = msgspec.field(default_factory=SubmissionTracking)


class Mesh(RegistryStruct):
    """`Mesh` of the OpenAPI."""

    id: str | None = None
    term: str | None = None


class BrowseLeaf(RegistryStruct):
    """`BrowseLeaf` of the OpenAPI."""

    id: str | None = None
    name: str | None = None
    as_found: str | None = None
    relevance: enums.BrowseLeafRelevance | None = None


class BrowseBranch(RegistryStruct):
    """`BrowseBranch` of the OpenAPI."""

    abbrev: str | None = None
    name: str | None = None


class BrowseModule(RegistryStruct):
    """`BrowseModule` of the OpenAPI."""

    meshes: list[Mesh] = []
    ancestors: list[Mesh] = []
    browse_leaves: list[BrowseLeaf] = []
    browse_branches: list[BrowseBranch] = []


class DerivedSection(RegistryStruct):
    """`DerivedSection` of the OpenAPI."""

    misc_info_module: MiscInfoModule = msgspec.field(default_factory=MiscInfoModule)
    condition_browse_module: BrowseModule = msgspec.field(default_factory=BrowseModule)
    intervention_browse_module: BrowseModule = msgspec.field(default_factory=BrowseModule)
