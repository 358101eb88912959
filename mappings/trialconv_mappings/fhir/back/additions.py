"""Related artifacts, annotations, MeSH headings and the rest of the registry's additions, read back."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.fhir.additions import SUBMISSION, TRACKED, UNPOSTED_EVENT, VIOLATION_EVENT
from trialconv_mappings.fhir.artifacts import CONTENTS, KINDS
from trialconv_mappings.fhir.back.bundles import exact, first, named, put, texts, value_of, without_none
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.terms import DOCUMENTS, PUBMED

_P = "protocolSection."
_CONTENT_FIELDS: Final = {name: field for _, name, field in CONTENTS}


def read_artifacts(study: Element, tree: dict[str, Any]) -> None:
    """Put references, links, shared data, documents and the expanded access record into the tree."""
    for artifact in study.get("relatedArtifact", ()):
        document = artifact.get("document", {})
        kinds = list(texts(artifact.get("classifier", [])))
        url = exact(document, "url")
        label = exact(artifact, "label")
        if artifact.get("type") == "citation":
            put(tree, f"{_P}referencesModule.references[]", _reference(artifact, kinds, url, label))
        elif not kinds:
            continue
        elif kinds[0] == KINDS.id_link:
            put(tree, f"{_P}identificationModule.orgStudyIdInfo.link", url)
        elif kinds[0] == KINDS.secondary_link:
            _secondary_link(tree, label, url)
        elif kinds[0] == KINDS.see_also:
            put(tree, f"{_P}referencesModule.seeAlsoLinks[]", without_none(label=label, url=url))
        elif kinds[0] == KINDS.available:
            comment = exact(artifact, "display")
            made = without_none(id=label, type=next(iter(kinds[1:]), None), url=url, comment=comment)
            put(tree, f"{_P}referencesModule.availIpds[]", made)
        elif kinds[0] == KINDS.sharing:
            put(tree, f"{_P}ipdSharingStatementModule.url", url)
        elif kinds[0] == KINDS.expanded_access:
            put(tree, f"{_P}statusModule.expandedAccessInfo.nctId", label)
            put(tree, f"{_P}statusModule.expandedAccessInfo.statusForNctId", next(iter(kinds[1:]), None))
        elif kinds[0] == KINDS.document:
            put(tree, "documentSection.largeDocumentModule.largeDocs[]", _document(artifact, kinds[1:]))


def _reference(artifact: Element, kinds: list[str], url: str | None, label: str | None) -> dict[str, Any]:
    made: dict[str, Any] = without_none(
        pmid=url.removeprefix(PUBMED) if url else label,
        type=kinds[0] if kinds else None,
        citation=exact(artifact, "citation"),
    )
    retractions = [
        {part["url"]: value_of(part) for part in found["extension"]} for found in named(artifact, "retraction")
    ]
    if retractions:
        made["retractions"] = retractions
    return made


def _secondary_link(tree: dict[str, Any], label: str | None, url: str | None) -> None:
    """Give a link to the first secondary id of its name that has none."""
    module = tree.get("protocolSection", {}).get("identificationModule", {})
    for secondary in module.get("secondaryIdInfos", ()):
        if secondary.get("id") == label and "link" not in secondary:
            put(secondary, "link", url)
            return


def _document(artifact: Element, kinds: list[str]) -> dict[str, Any]:
    attachment = artifact.get("document", {})
    made: dict[str, Any] = {}
    for text in kinds:
        name, found, word = text.partition(": ")
        if found and name in _CONTENT_FIELDS:
            made[_CONTENT_FIELDS[name]] = word
        else:
            made["typeAbbrev"] = text
    url = exact(attachment, "url")
    return made | without_none(
        label=exact(attachment, "title"),
        date=exact(attachment, "creation"),
        uploadDate=exact(artifact, "publicationDate"),
        filename=url.rpartition("/")[2] if url and url.startswith(DOCUMENTS) else url,
        size=attachment.get("size"),
    )


def read_additions(study: Element, tree: dict[str, Any]) -> None:
    """Put annotations, removed countries, the tracking of results and the MeSH headings into the tree."""
    annotations = "annotationSection.annotationModule."
    for found in named(study, "unposted-results"):
        path = annotations + "unpostedAnnotation."
        put(tree, path + "unpostedResponsibleParty", first(found, "responsibleParty"))
        put(tree, path + "unpostedEvents", _events(found, "event", UNPOSTED_EVENT))
    violations = _events(study, "fdaaa-violation-event", VIOLATION_EVENT)
    put(tree, annotations + "violationAnnotation.violationEvents", violations)
    misc = "derivedSection.miscInfoModule."
    for found in named(study, "removed-country"):
        put(tree, misc + "removedCountries[]", (value_of(found) or {}).get("text"))
    for found in named(study, "submission-tracking"):
        for part in found["extension"]:
            if part["url"] in TRACKED:
                put(tree, f"{misc}submissionTracking.{TRACKED[part['url']]}", value_of(part))
        infos = _events(found, "submissionInfo", SUBMISSION)
        put(tree, misc + "submissionTracking.submissionInfos", infos)
    _headings(study, tree)


def _events(holder: Element, name: str, plan: Any) -> list[dict[str, Any]]:
    known = {part.name for part in plan}
    return [
        {part["url"]: value_of(part) for part in found["extension"] if part["url"] in known}
        for found in named(holder, name)
    ]


def _headings(study: Element, tree: dict[str, Any]) -> None:
    for module, what in (("conditionBrowseModule", "conditions"), ("interventionBrowseModule", "interventions")):
        path = f"derivedSection.{module}."
        for keyword in study.get("keyword", ()):
            if first(keyword, "derived-from") == what:
                put(tree, path + "meshes[]", _heading(keyword["coding"][0]))
        for found in named(study, f"{what[:-1]}-mesh-ancestor"):
            put(tree, path + "ancestors[]", _heading(value_of(found)))


def _heading(coding: Element) -> dict[str, Any]:
    return without_none(id=exact(coding, "code"), term=exact(coding, "display"))
