"""One traced conversion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from trialconv.catalog import Target
from trialconv.context import Options
from trialconv.issues import Issue
from trialconv.lineage.records import TracedContext, tracing
from trialconv.record import Record
from trialconv.scrub import scrubbed
from trialconv.tracing.model import Leaf, Lineage
from trialconv.tracing.sources import ways
from trialconv.tracing.walk import document_leaves

#: Cuts what a study becomes into what is written of it, each part with its name.
Cut = Callable[[Any], list[tuple[str, Any]]]


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
        ctx = TracedContext(record, target.options(options))
        twin = scrubbed(ctx, target.build(ctx), for_xml=target.suffix == ".xml")
        leaves = tuple(document_leaves(document, twin) if cut is None else _leaves_of_parts(cut, document, twin))
        found = ways(ctx.record, target.name, leaves, issues)
    return Lineage(record.nct_id, target.name, leaves, tuple(found))


def _leaves_of_parts(cut: Cut, document: Any, twin: Any) -> Iterator[Leaf]:
    for (name, part), (_, other) in zip(cut(document), cut(twin), strict=True):
        yield from document_leaves(part, other, name)
