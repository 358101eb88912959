"""Rows of identifiers, references, documents, and of what the registry itself adds to a record."""

from __future__ import annotations

from typing import Final

from trialconv.context import Context
from trialconv.lineage import numbered
from trialconv.record.sections import SubmissionInfo, UnpostedEvent, ViolationEvent
from trialconv_mappings.warehouse.design import Row, Rows
from trialconv_mappings.warehouse.values import day, plain_or_none, whole_number

_DOCS: Final = "documentSection.largeDocumentModule.largeDocs"
_UNPOSTED: Final = "annotationSection.annotationModule.unpostedAnnotation.unpostedEvents"
_VIOLATIONS: Final = "annotationSection.annotationModule.violationAnnotation.violationEvents"
_SUBMISSIONS: Final = "derivedSection.miscInfoModule.submissionTracking.submissionInfos"


def _numbered(ctx: Context, rows: list[Row]) -> list[Row]:
    """Give rows the study's number and their places."""
    nct_id = ctx.record.nct_id
    return [{"nct_id": nct_id, "position": place, **row} for place, row in numbered(rows)]


def identifier_rows(ctx: Context) -> Rows:
    """Return the rows of the identifiers, the NCT number first."""
    module = ctx.record.study.protocol_section.identification_module

    def row(kind: str, identifier: str | None, **others: str | None) -> Row:
        return {"kind": kind, "identifier": identifier, "type": None, "domain": None, "link": None, **others}

    rows = [row("NCT", module.nct_id)]
    rows += [row("NCT_ALIAS", alias) for alias in module.nct_id_aliases]
    own = module.org_study_id_info
    if (own.id, own.type, own.link) != (None, None, None):
        rows.append(row("ORG_STUDY_ID", own.id, type=own.type, link=own.link))
    rows += [
        row("SECONDARY_ID", each.id, type=each.type, domain=each.domain, link=each.link)
        for each in module.secondary_id_infos
    ]
    return {"identifiers": _numbered(ctx, rows)}


_REFERENCE: Final[Row] = dict.fromkeys(
    ("kind", "type", "pmid", "citation", "label", "identifier", "url", "comment")
)


def reference_rows(ctx: Context) -> Rows:
    """Return the rows of publications with their retractions, of links, and of data sets."""
    module = ctx.record.study.protocol_section.references_module
    rows: list[Row] = [
        {**_REFERENCE, "kind": "REFERENCE", "type": each.type, "pmid": each.pmid, "citation": each.citation}
        for each in module.references
    ]
    rows += [
        {**_REFERENCE, "kind": "SEE_ALSO", "label": plain_or_none(each.label), "url": each.url}
        for each in module.see_also_links
    ]
    rows += [
        {
            **_REFERENCE,
            "kind": "AVAILABLE_IPD",
            "type": each.type,
            "identifier": each.id,
            "url": each.url,
            "comment": plain_or_none(each.comment),
        }
        for each in module.avail_ipds
    ]
    retractions = [
        {
            "nct_id": ctx.record.nct_id,
            "reference_position": place,
            "position": number,
            "pmid": retraction.pmid,
            "source": retraction.source,
        }
        for place, each in numbered(module.references)
        for number, retraction in numbered(each.retractions)
    ]
    return {"study_references": _numbered(ctx, rows), "retractions": retractions}


def mesh_rows(ctx: Context) -> Rows:
    """Return the rows of the headings that the registry derived."""
    derived = ctx.record.study.derived_section
    modules = (
        ("condition", derived.condition_browse_module),
        ("intervention", derived.intervention_browse_module),
    )
    return {
        "mesh_terms": [
            {
                "nct_id": ctx.record.nct_id,
                "about": about,
                "relation": relation,
                "position": place,
                "mesh_id": each.id,
                "term": each.term,
            }
            for about, module in modules
            for relation, headings in (("term", module.meshes), ("ancestor", module.ancestors))
            for place, each in numbered(headings)
        ]
    }


def document_rows(ctx: Context) -> Rows:
    """Return the rows of the documents."""
    rows: list[Row] = [
        {
            "type": each.type_abbrev,
            "has_protocol": each.has_protocol,
            "has_sap": each.has_sap,
            "has_icf": each.has_icf,
            "label": each.label,
            "date": day(ctx, each.date, f"{_DOCS}[{place}].date", "documents.date"),
            "upload_time": each.upload_date,
            "filename": each.filename,
            "size": whole_number(ctx, each.size, f"{_DOCS}[{place}].size", "documents.size"),
        }
        for place, each in enumerate(ctx.record.study.document_section.large_document_module.large_docs)
    ]
    return {"documents": _numbered(ctx, rows)}


def event_rows(ctx: Context) -> Rows:
    """Return the rows of what happened to unposted results, of violations, and of submissions of results."""
    annotations = ctx.record.study.annotation_section.annotation_module
    tracking = ctx.record.study.derived_section.misc_info_module.submission_tracking
    unposted = annotations.unposted_annotation.unposted_events
    violations = annotations.violation_annotation.violation_events
    return {
        "unposted_events": _numbered(ctx, [_unposted(ctx, each, place) for place, each in enumerate(unposted)]),
        "violation_events": _numbered(
            ctx, [_violation(ctx, each, place) for place, each in enumerate(violations)]
        ),
        "results_submissions": _numbered(
            ctx, [_submission(ctx, each, place) for place, each in enumerate(tracking.submission_infos)]
        ),
    }


def _unposted(ctx: Context, event: UnpostedEvent, place: int) -> Row:
    days = _days(ctx, "unposted_events", f"{_UNPOSTED}[{place}]", date=event.date)
    return {"type": event.type, "date_unknown": event.date_unknown, **days}


def _violation(ctx: Context, event: ViolationEvent, place: int) -> Row:
    days = _days(
        ctx,
        "violation_events",
        f"{_VIOLATIONS}[{place}]",
        creation_date=event.creation_date,
        issued_date=event.issued_date,
        release_date=event.release_date,
        posted_date=event.posted_date,
    )
    return {"type": event.type, "description": event.description, **days}


def _submission(ctx: Context, info: SubmissionInfo, place: int) -> Row:
    table, source = "results_submissions", f"{_SUBMISSIONS}[{place}]"
    number = whole_number(ctx, info.mcp_release_n, f"{source}.mcpReleaseN", f"{table}.mcp_release_number")
    days = _days(
        ctx,
        table,
        source,
        release_date=info.release_date,
        unrelease_date=info.unrelease_date,
        reset_date=info.reset_date,
    )
    return {"unrelease_date_unknown": info.unrelease_date_unknown, "mcp_release_number": number, **days}


def _days(ctx: Context, table: str, source: str, **values: str | None) -> Row:
    """Return the days of an object by their columns, from which the names of its fields follow."""
    return {
        column: day(ctx, value, f"{source}.{_camel(column)}", f"{table}.{column}")
        for column, value in values.items()
    }


def _camel(column: str) -> str:
    head, *rest = column.split("_")
    return head + "".join(word.title() for word in rest)
