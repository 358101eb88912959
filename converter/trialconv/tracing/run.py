"""One traced conversion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trialconv.catalog import Target
from trialconv.context import Options
from trialconv.issues import Issue
from trialconv.lineage.records import TracedContext, TracedRecord, tracing
from trialconv.record import Record
from trialconv.scrub import scrubbed
from trialconv.tracing.model import Lineage, Subject
from trialconv.tracing.sources import ways
from trialconv.tracing.walk import document_leaves

#: Cuts what a study becomes, given its id, into what is written of it, each part with its name.
Cut = Callable[[str, Any], list[tuple[str, Any]]]


def traced(
    record: Record,
    target: Target,
    options: Options,
    document: Any,
    issues: Sequence[Issue],
    cut: Cut | None = None,
) -> Lineage:
    """Return the lineage of a document that a record became; `issues` are those of that conversion.

    `cut` is for a document that is not written as one. Raises TraceError when the traced conversion makes another
    document, which is a defect of trialconv.
    """
    with tracing():
        known = TracedRecord(record)
        ctx = TracedContext(known, target.options(options))
        twin = scrubbed(ctx, target.build(ctx), for_xml=target.suffix == ".xml")
        parts = [("", document, twin)] if cut is None else _parts(cut, record.nct_id, document, twin)
        subject = Subject(record.nct_id, target.name)
        leaves = tuple(leaf for name, one, other in parts for leaf in document_leaves(subject, one, other, name))
        found = ways(known, subject, leaves, issues)
    return Lineage(record.nct_id, target.name, leaves, tuple(found))


def _parts(cut: Cut, record: str, document: Any, twin: Any) -> list[tuple[str, Any, Any]]:
    pairs = zip(cut(record, document), cut(record, twin), strict=True)
    return [(name, part, other) for (name, part), (_, other) in pairs]
