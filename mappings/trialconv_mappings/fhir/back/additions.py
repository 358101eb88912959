"""Related artifacts, annotations, MeSH headings and the rest of the registry's additions, read back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from trialconv_mappings.back import Notes, put, typed, without_none, words
from trialconv_mappings.fhir.additions import SUBMISSION, TRACKED, UNPOSTED_EVENT, VIOLATION_EVENT
from trialconv_mappings.fhir.additions import Part as Column
from trialconv_mappings.fhir.artifacts import CONTENTS, KINDS
from trialconv_mappings.fhir.back.dates import progress_word
from trialconv_mappings.fhir.back.element import Part
from trialconv_mappings.fhir.terms import DERIVED_FROM, DOCUMENTS, PUBMED, STUDY_PAGE

_P = "protocolSection."
_REFERENCES = f"{_P}referencesModule."
_CONTENT_FIELDS: Final = {name: field for _, name, field in CONTENTS}
_PLACE: Final = "ResearchStudy.relatedArtifact"


def read_artifacts(study: Part, tree: dict[str, Any], notes: Notes) -> None:
    """Put references, links, shared data, documents and the expanded access record into the tree."""
    for artifact in study.parts("relatedArtifact"):
        kinds = artifact.parts("classifier")
        what = kinds[0].exact("text") if kinds else None
        document = artifact.part("document")
        url, label = document.exact("url"), artifact.exact("label")
        if artifact.text("type") == "citation":
            put(tree, _REFERENCES + "references[]", _reference(artifact, kinds, url, label, notes))
        elif what == KINDS.source or (artifact.raw.get("type") == "derived-from" and _is_page(url)):
            continue
        elif what == KINDS.id_link:
            put(tree, f"{_P}identificationModule.orgStudyIdInfo.link", url)
        elif what == KINDS.secondary_link:
            _secondary_link(tree, label, url)
        elif what == KINDS.see_also or (what is None and url is not None):
            label = label if label is not None else artifact.exact("display") or document.exact("title")
            put(tree, _REFERENCES + "seeAlsoLinks[]", without_none(label=label, url=url))
        elif what == KINDS.available:
            type_ = next((text for kind in kinds[1:] if (text := kind.words())), None)
            made = without_none(id=label, type=type_, url=url, comment=artifact.exact("display"))
            put(tree, _REFERENCES + "availIpds[]", made)
        elif what == KINDS.sharing:
            put(tree, f"{_P}ipdSharingStatementModule.url", url)
        elif what == KINDS.expanded_access:
            put(tree, f"{_P}statusModule.expandedAccessInfo.nctId", label)
            status = next((progress_word(kind, notes, f"{_PLACE}.classifier") for kind in kinds[1:]), None)
            put(tree, f"{_P}statusModule.expandedAccessInfo.statusForNctId", status)
        elif what == KINDS.document:
            made = _document(artifact, document, kinds[1:], notes)
            put(tree, "documentSection.largeDocumentModule.largeDocs[]", made)
        else:
            notes.note("not-understood", f"an artifact of the kind {(what or artifact.raw.get('type'))!r}", _PLACE)


def _is_page(url: str | None) -> bool:
    return url is not None and url.startswith(STUDY_PAGE)


def _reference(
    artifact: Part, kinds: list[Part], url: str | None, label: str | None, notes: Notes
) -> dict[str, Any]:
    known, place = words("fhir_reference_type"), f"{_PLACE}.classifier"
    types = [known.word(kind.codes(), kind.exact("text"), notes, place) for kind in kinds]
    if url is not None and not url.startswith(PUBMED):
        notes.note("not-understood", f"the address of a citation outside of PubMed: {url[:100]!r}", _PLACE)
        url = None
    made: dict[str, Any] = without_none(
        pmid=url.removeprefix(PUBMED).strip("/") if url else label,
        type=types[0] if types else None,
        citation=artifact.exact("citation"),
    )
    retractions = [
        {part.text("url") or "": part.said() for part in found.parts("extension")}
        for found in artifact.extensions("retraction")
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


def _document(artifact: Part, attachment: Part, kinds: list[Part], notes: Notes) -> dict[str, Any]:
    made: dict[str, Any] = {}
    path = "documentSection.largeDocumentModule.largeDocs[]."
    for kind in kinds:
        name, found, word = (kind.exact("text") or "").partition(": ")
        if found and name in _CONTENT_FIELDS:
            field = _CONTENT_FIELDS[name]
            made[field] = typed(path + field, word)
        else:
            known, place = words("fhir_large_document_type"), f"{_PLACE}.classifier"
            put(made, "typeAbbrev", known.word(kind.codes(), kind.exact("text"), notes, place))
    url, size = attachment.exact("url"), attachment.value("size")
    attachment.ask("contentType")
    return made | without_none(
        label=attachment.exact("title"),
        date=attachment.exact("creation"),
        uploadDate=artifact.exact("publicationDate"),
        filename=url.rpartition("/")[2] if url and url.startswith(DOCUMENTS) else url,
        size=typed(path + "size", size) if size is not None else None,
    )


def read_additions(study: Part, tree: dict[str, Any]) -> None:
    """Put annotations, removed countries, the tracking of results and the MeSH headings into the tree."""
    annotations = "annotationSection.annotationModule."
    for found in study.extensions("unposted-results"):
        path = annotations + "unpostedAnnotation."
        for part in found.parts("extension"):
            if part.text("url") == "responsibleParty":
                put(tree, path + "unpostedResponsibleParty", part.said())
        put(tree, path + "unpostedEvents", _events(found.parts("extension"), "event", UNPOSTED_EVENT))
    violations = _events(study.extensions("fdaaa-violation-event"), None, VIOLATION_EVENT)
    put(tree, annotations + "violationAnnotation.violationEvents", violations)
    misc = "derivedSection.miscInfoModule."
    for found in study.extensions("removed-country"):
        put(tree, misc + "removedCountries[]", found.held().words())
    for found in study.extensions("submission-tracking"):
        for part in found.parts("extension"):
            name = part.text("url") or ""
            if name in TRACKED:
                put(tree, f"{misc}submissionTracking.{TRACKED[name]}", part.said())
        infos = _events(found.parts("extension"), "submissionInfo", SUBMISSION)
        put(tree, misc + "submissionTracking.submissionInfos", infos)
    _headings(study, tree)


def _events(found: Iterable[Part], name: str | None, plan: tuple[Column, ...]) -> list[dict[str, Any]]:
    """Return the events of extensions with a name, or of all of them, with the parts of a plan."""
    keys = {column.name: column.key for column in plan}
    events = []
    for each in found:
        if name is not None and each.text("url") != name:
            continue
        made: dict[str, Any] = {}
        for part in each.parts("extension"):
            field = part.text("url") or ""
            text = part.said()
            if field in keys and text is not None:
                made[field] = _as(keys[field], text)
        events.append(made)
    return [made for made in events if made]


def _as(key: str, text: str) -> Any:
    """Return the value of an extension in the type that its key names."""
    if key == "valueBoolean":
        return {"true": True, "false": False}.get(text, text)
    if key == "valueInteger":
        return int(text) if text.removeprefix("-").isdecimal() else text
    return text


def _headings(study: Part, tree: dict[str, Any]) -> None:
    for module, what in (("conditionBrowseModule", "conditions"), ("interventionBrowseModule", "interventions")):
        path = f"derivedSection.{module}."
        for keyword in study.parts("keyword"):
            if keyword.extension(DERIVED_FROM).said() == what:
                keyword.ask("text")
                put(tree, path + "meshes[]", _heading(keyword.part("coding")))
        for found in study.extensions(f"{what[:-1]}-mesh-ancestor"):
            put(tree, path + "ancestors[]", _heading(found.held()))


def _heading(coding: Part) -> dict[str, Any]:
    coding.ask("system")
    return without_none(id=coding.exact("code"), term=coding.exact("display"))
