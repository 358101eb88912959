"""A study as the registry gives it, and the record that a reader makes of it."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from trialconv.issues import Issue
from trialconv.record.base import TREE, RegistryStruct
from trialconv.record.protocol import ProtocolSection
from trialconv.record.results import ResultsSection
from trialconv.record.sections import AnnotationSection, DerivedSection, DocumentSection

_NO_NAME = re.compile(r"[^A-Za-z0-9.]+")
_NO_RESULTS = msgspec.Raw(b"{}")


class Study(RegistryStruct):
    """`Study` of the OpenAPI. The results section stays undecoded bytes until somebody asks for it."""

    protocol_section: ProtocolSection = msgspec.field(default_factory=ProtocolSection)
    results_section: msgspec.Raw = _NO_RESULTS
    annotation_section: AnnotationSection = msgspec.field(default_factory=AnnotationSection)
    document_section: DocumentSection = msgspec.field(default_factory=DocumentSection)
    derived_section: DerivedSection = msgspec.field(default_factory=DerivedSection)
    has_results: bool | None = None


class SourceInfo(NamedTuple):
    """Where a record came from: the input's name, the place in it, and the reader that read it."""

    name: str
    place: str = ""
    reader: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.place})" if self.place else self.name


class Version(NamedTuple):
    """The version of a record: the day of its last posted update, and a hash of what it says.

    The download date (`derivedSection.miscInfoModule.versionHolder`) is no part of either.
    """

    date: str | None
    content_hash: str


class Record:
    """One registry record as a reader delivers it.

    `study` holds what the registry says, in the registry's terms. `extras` holds what the source says and the
    registry's data structure has no place for (a page's unlabelled title: `title`; its unlabelled update date:
    `lastUpdated`; texts that could not be split, by section: `unread`). `issues` holds what the reader found.
    """

    def __init__(
        self,
        study: Study,
        source: SourceInfo,
        issues: list[Issue] | None = None,
        extras: dict[str, Any] | None = None,
    ) -> None:
        self.study = study
        self.source = source
        self.issues = issues if issues is not None else []
        self.extras = extras if extras is not None else {}
        #: False only where the reader made sure that no text holds a control character.
        self.has_unusual_characters = True

    def __repr__(self) -> str:
        return f"Record({self.nct_id!r}, source={str(self.source)!r}, issues={len(self.issues)})"

    @property
    def nct_id(self) -> str:
        """The NCT number; empty for a study that a FHIR or ODM document gave back without one."""
        return self.study.protocol_section.identification_module.nct_id or ""

    @property
    def name(self) -> str:
        """What files and messages call the record: the NCT number or, without one, another of its ids."""
        module = self.study.protocol_section.identification_module
        ids = (self.nct_id, module.org_study_id_info.id, *(other.id for other in module.secondary_id_infos))
        return next((name for each in ids if each and (name := _NO_NAME.sub("-", each).strip("-.")[:64])), "study")

    @property
    def last_update(self) -> str | None:
        """The day of the last posted update or, from a page, the date it calls "Last Updated"."""
        posted = self.study.protocol_section.status_module.last_update_post_date_struct.date
        return posted or self.extras.get("lastUpdated")

    @cached_property
    def results(self) -> ResultsSection:
        """The results section, decoded on the first call. What is wrong in it is added to `issues`."""
        from trialconv.record.decode import decode_results

        results, findings = decode_results(bytes(self.study.results_section))
        self.issues.extend(found.as_issue(self.nct_id) for found in findings)
        return results

    @cached_property
    def version(self) -> Version:
        """The version of the record; equal content gives an equal version whatever the day of the download."""
        misc = self.study.derived_section.misc_info_module
        downloaded, misc.version_holder = misc.version_holder, None
        try:
            content = msgspec.json.encode(msgspec.structs.replace(self.study, results_section=_NO_RESULTS))
        finally:
            misc.version_holder = downloaded
        # Undecoded bytes still have the white space and the order of keys of the source.
        content += msgspec.json.encode(TREE.decode(self.study.results_section), order="sorted")
        if self.extras:
            content += msgspec.json.encode(self.extras, order="sorted")
        return Version(self.last_update, hashlib.sha256(content).hexdigest())

    def to_json(self) -> bytes:
        """Return the study as API v2 JSON. Empty objects and lists are left out, as the registry does."""
        return msgspec.json.encode(_pruned(TREE.decode(msgspec.json.encode(self.study))))


def _pruned(value: Any) -> Any:
    """Return the JSON value without empty objects and lists at any depth."""
    if isinstance(value, dict):
        pairs = ((key, _pruned(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item not in ({}, [])}
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value
