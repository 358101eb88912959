"""What a study refers to: articles, web pages, shared data, documents, other records, and the source itself.

All of them are related artifacts. What kind an artifact is, the registry's own words tell in its classifier,
which R4 has as the official extension for that element of R5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import as_json, checked_date, derived
from trialconv.record.protocol import AvailIpd, Reference
from trialconv.record.sections import LargeDoc
from trialconv_mappings.fhir.parts import (
    Element,
    concept,
    exactly,
    extension,
    nested_extension,
    put_link,
    put_markdown,
    put_plain,
)
from trialconv_mappings.fhir.terms import ARTIFACT_IN_R4, DOCUMENTS, PUBMED, RETRACTION, STUDY_PAGE
from trialconv_mappings.fhir.versions import PROGRESS_STATUSES
from trialconv_mappings.tables import table

_P = "protocolSection."
_REFERENCES = f"{_P}referencesModule.references"
_SEE_ALSO = f"{_P}referencesModule.seeAlsoLinks"
_AVAILABLE = f"{_P}referencesModule.availIpds"
_DOCUMENTS = "documentSection.largeDocumentModule.largeDocs"
_TARGET = "ResearchStudy.relatedArtifact"
_DOCUMENT_TYPES: Final = table("fhir_large_document_type")
_REFERENCE_TYPES: Final = table("fhir_reference_type")
_PMID: Final = re.compile(r"[1-9][0-9]{0,8}")
_NCT: Final = re.compile(r"NCT[0-9]{8}")
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9._\-]+")


class Kinds(NamedTuple):
    """What an artifact is, in the words of its first classifier."""

    source: str = "Registry record"
    id_link: str = "Link of the organization's study id"
    secondary_link: str = "Link of a secondary id"
    see_also: str = "See also"
    available: str = "Available data or document"
    sharing: str = "IPD sharing"
    expanded_access: str = "Expanded access record"
    document: str = "Study document"


KINDS: Final = Kinds()
#: What is in a document: the attribute, the name before the truth value, and the registry's name.
CONTENTS: Final = (
    ("has_protocol", "Has protocol", "hasProtocol"),
    ("has_sap", "Has statistical analysis plan", "hasSap"),
    ("has_icf", "Has informed consent form", "hasIcf"),
)


def related_artifacts(ctx: Context) -> list[Element]:
    """Return the related artifacts of a study, the source first, each list in the registry's order."""
    protocol = ctx.record.study.protocol_section
    found = [_source(ctx), *_id_links(ctx)]
    references = protocol.references_module
    for number, item in enumerate(references.references):
        found.append(_reference(ctx, number, item))
    for number, link in enumerate(references.see_also_links):
        made = _linked(ctx, [{"text": KINDS.see_also}], link.url, f"{_SEE_ALSO}[{number}].url")
        if link.label:
            put_plain(ctx, made, "label", link.label)
        found.append(made)
    for number, data in enumerate(references.avail_ipds):
        found.append(_available(ctx, number, data))
    if url := protocol.ipd_sharing_statement_module.url:
        found.append(_linked(ctx, [{"text": KINDS.sharing}], url, f"{_P}ipdSharingStatementModule.url"))
    found.extend(_expanded_access(ctx))
    documents = ctx.record.study.document_section.large_document_module.large_docs
    found += [_document(ctx, number, document) for number, document in enumerate(documents)]
    return found


def _is_r5(ctx: Context) -> bool:
    return ctx.options.fhir_version == "R5"


def _classify(ctx: Context, made: Element, kinds: list[Element]) -> None:
    if _is_r5(ctx):
        made["classifier"] = kinds
    else:
        url = ARTIFACT_IN_R4 + "classifier"
        made["extension"] = [{"url": url, "valueCodeableConcept": kind} for kind in kinds]


def _address_holder(ctx: Context, made: Element) -> Element:
    """Return what has the address of an artifact: the artifact itself in R4, its document in R5."""
    if not _is_r5(ctx):
        return made
    holder: Element = made.setdefault("document", {})
    return holder


def _linked(ctx: Context, kinds: list[Element], link: str | None, source: str) -> Element:
    """Return an artifact of some kinds with its address."""
    made: Element = {"type": "documentation"}
    _classify(ctx, made, kinds)
    if link:
        put_link(ctx, _address_holder(ctx, made), "url", link, source, f"{_TARGET}.url")
    return made


def _source(ctx: Context) -> Element:
    """Return the registry's own record, from which all of this is derived."""
    made: Element = {"type": "derived-from"}
    _classify(ctx, made, [{"text": KINDS.source}])
    _address_holder(ctx, made)["url"] = STUDY_PAGE + ctx.record.nct_id
    return made


def _id_links(ctx: Context) -> Iterator[Element]:
    module = ctx.record.study.protocol_section.identification_module
    path = f"{_P}identificationModule"
    own = module.org_study_id_info
    if own.link:
        made = _linked(ctx, [{"text": KINDS.id_link}], own.link, f"{path}.orgStudyIdInfo.link")
        if own.id:
            made["label"] = own.id
        yield made
    for number, secondary in enumerate(module.secondary_id_infos):
        if secondary.link:
            made = _linked(
                ctx, [{"text": KINDS.secondary_link}], secondary.link, f"{path}.secondaryIdInfos[{number}].link"
            )
            if secondary.id:
                made["label"] = secondary.id
            yield made


def _reference(ctx: Context, number: int, item: Reference) -> Element:
    """Return an article that the study cites, or that reports on it, with its retractions."""
    source = f"{_REFERENCES}[{number}]"
    made: Element = {"type": "citation"}
    if item.type:
        kind = concept(ctx, _REFERENCE_TYPES, item.type, f"{source}.type", f"{_TARGET}.classifier")
        _classify(ctx, made, [kind])
    if item.pmid:
        if _PMID.fullmatch(item.pmid):
            _address_holder(ctx, made)["url"] = PUBMED + item.pmid
        else:
            made["label"] = item.pmid
    if item.citation:
        put_markdown(ctx, made, "citation", item.citation, f"{source}.citation", f"{_TARGET}.citation")
    url = ctx.options.base + RETRACTION
    for retraction in item.retractions:
        said = (("pmid", retraction.pmid), ("source", retraction.source))
        if parts := [extension(key, valueString=value) for key, value in said if value]:
            made.setdefault("extension", []).append(nested_extension(url, parts))
    return made


def _available(ctx: Context, number: int, data: AvailIpd) -> Element:
    kinds: list[Element] = [{"text": text} for text in (KINDS.available, data.type) if text]
    made = _linked(ctx, kinds, data.url, f"{_AVAILABLE}[{number}].url")
    if data.id:
        made["label"] = data.id
    if data.comment:
        put_plain(ctx, made, "display", data.comment)
    return made


def _expanded_access(ctx: Context) -> Iterator[Element]:
    """Yield the record of the expanded access to the study's treatment, with its status."""
    access = ctx.record.study.protocol_section.status_module.expanded_access_info
    if not access.nct_id and not access.status_for_nct_id:
        return
    kinds: list[Element] = [{"text": KINDS.expanded_access}]
    if access.status_for_nct_id:
        source = f"{_P}statusModule.expandedAccessInfo.statusForNctId"
        status = access.status_for_nct_id
        codes = PROGRESS_STATUSES[ctx.options.fhir_version]
        kinds.append(concept(ctx, codes, status, source, f"{_TARGET}.classifier"))
    made = _linked(ctx, kinds, None, "")
    if access.nct_id:
        made["label"] = access.nct_id
        if _NCT.fullmatch(access.nct_id):
            _address_holder(ctx, made)["url"] = STUDY_PAGE + access.nct_id
    yield made


def _document(ctx: Context, number: int, document: LargeDoc) -> Element:
    """Return a document that the sponsor uploaded: its kind, what is in it, its dates, and where it is."""
    source = f"{_DOCUMENTS}[{number}]"
    made: Element = {"type": "documentation"}
    kinds: list[Element] = [{"text": KINDS.document}]
    if document.type_abbrev:
        word, target = document.type_abbrev, f"{_TARGET}.classifier"
        kinds.append(concept(ctx, _DOCUMENT_TYPES, word, f"{source}.typeAbbrev", target))
    for attribute, name, _ in CONTENTS:
        said = getattr(document, attribute)
        if said is not None:
            kinds.append({"text": name + ": " + as_json(said)})
    _classify(ctx, made, kinds)
    if attachment := _attachment(ctx, document, source):
        made["document"] = attachment
    if document.upload_date:
        _put_upload_date(ctx, made, document.upload_date, f"{source}.uploadDate")
    return made


def _attachment(ctx: Context, document: LargeDoc, source: str) -> Element:
    made: Element = {}
    name = document.filename
    if name:
        if name.lower().endswith(".pdf"):
            made["contentType"] = derived("application/pdf", name)
        if _FILE_NAME.fullmatch(name):
            nct = ctx.record.nct_id
            made["url"] = DOCUMENTS + nct[-2:] + "/" + nct + "/" + name
        else:
            made["_url"] = exactly(ctx, name)
    if document.size is not None:
        _put_size(ctx, made, document.size, f"{source}.size")
    if document.label:
        made["title"] = document.label
    if document.date and (
        day := checked_date(ctx, document.date, f"{source}.date", f"{_TARGET}.document.creation")
    ):
        made["creation"] = day
    return made


def _put_size(ctx: Context, made: Element, size: int, source: str) -> None:
    """Put the size of a document: a text in R5, which has 64 bits for it, and a number of 31 bits in R4."""
    largest = 2**63 - 1 if _is_r5(ctx) else 2**31 - 1
    if not 0 <= size <= largest:
        message = f"a size of {size} bytes cannot be carried"
        ctx.note("number-out-of-range", message, source, f"{_TARGET}.document.size")
        return
    made["size"] = str(size) if _is_r5(ctx) else size


def _put_upload_date(ctx: Context, made: Element, moment: str, source: str) -> None:
    """Put the day of an upload; its time has no zone, so that FHIR cannot hold it but as text."""
    day = checked_date(ctx, moment.partition("T")[0], source, f"{_TARGET}.publicationDate")
    holder: Element = {}
    if _is_r5(ctx):
        holder, key = made, "publicationDate"
    else:
        holder, key = extension(ARTIFACT_IN_R4 + "publicationDate"), "valueDate"
        made["extension"].append(holder)
    if day:
        holder[key] = day
    if day != moment:
        holder["_" + key] = exactly(ctx, moment)
