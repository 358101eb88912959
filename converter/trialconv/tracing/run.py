"""One traced conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trialconv.catalog import Target
from trialconv.context import Options
from trialconv.issues import Issue
from trialconv.lineage.records import TracedContext, TracedRecord, tracing
from trialconv.record import Record
from trialconv.scrub import scrubbed
from trialconv.tracing.model import Lineage
from trialconv.tracing.sources import ways
from trialconv.tracing.walk import document_leaves


def traced(record: Record, target: Target, options: Options, document: Any, issues: Sequence[Issue]) -> Lineage:
    """Return the lineage of a document that a record became; `issues` are those of that conversion.

    Raises TraceError when the traced conversion makes another document, which is a defect of trialconv.
    """
    with tracing():
        ctx = TracedContext(record, target.options(options))
        twin = scrubbed(ctx, target.build(ctx), for_xml=target.suffix == ".xml")
        leaves = tuple(document_leaves(document, twin))
        assert isinstance(ctx.record, TracedRecord)  # noqa: S101
        found = ways(ctx.record, target.name, leaves, issues)
    return Lineage(record.nct_id, target.name, leaves, tuple(found))
