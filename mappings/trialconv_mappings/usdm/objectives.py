"""Outcome measures as end points. USDM demands objectives around them, which a registry does not have.

There is one placeholder objective for each of the registry's lists of outcomes that is not empty.
"""

from __future__ import annotations

from typing import Final

from trialconv.lineage import plain
from trialconv.record.protocol import Outcome
from trialconv_mappings.usdm import placeholders
from trialconv_mappings.usdm.draft import Draft, Element, html

_MODULE: Final = "protocolSection.outcomesModule."


def objectives(draft: Draft) -> list[Element]:
    """Return the objectives with their end points; always a primary one, since USDM demands it."""
    module = draft.ctx.record.study.protocol_section.outcomes_module
    made = []
    for field, outcomes in (
        ("primaryOutcomes", module.primary_outcomes),
        ("secondaryOutcomes", module.secondary_outcomes),
        ("otherOutcomes", module.other_outcomes),
    ):
        if not outcomes and field == "primaryOutcomes":
            draft.fill.note("Endpoint", "one primary end point")
            outcomes = [Outcome()]
        if outcomes:
            made.append(_objective(draft, field, outcomes))
    return made


def _objective(draft: Draft, field: str, outcomes: list[Outcome]) -> Element:
    source = _MODULE + field
    return draft.make(
        "Objective",
        name=draft.name("OBJ"),
        text=html(draft.fill.text("Objective.text")),
        level=draft.required("usdm_objective_level", field, source, "Objective.level"),
        endpoints=[_endpoint(draft, field, outcome) for outcome in outcomes],
    )


def _endpoint(draft: Draft, field: str, outcome: Outcome) -> Element:
    source = f"{_MODULE}{field}[]"
    return draft.make(
        "Endpoint",
        extensionAttributes=draft.carried(source + ".timeFrame", outcome.time_frame),
        name=draft.name("END"),
        description=plain(outcome.description) if outcome.description else None,
        text=html(draft.text_or_placeholder(outcome.measure, "Endpoint.text")),
        purpose=draft.fill.text("Endpoint.purpose"),
        level=draft.required("usdm_endpoint_level", field, source, "Endpoint.level"),
    )


def timeline(draft: Draft, epoch_id: str) -> Element:
    """Return the main timeline that USDM demands: a placeholder with one event, from which it starts and ends.

    The registry's target duration, where it has one, is the planned duration.
    """
    target = "ScheduleTimeline"
    draft.fill.note(target, "one timeline of one event")
    exit_ = draft.make("ScheduleTimelineExit")
    event = draft.make(
        "ScheduledActivityInstance",
        name=draft.name("EVENT"),
        label=placeholders.NOT_STATED,
        epochId=epoch_id,
        timelineExitId=exit_["id"],
    )
    timing = draft.make(
        "Timing",
        name=draft.name("TIMING"),
        label=placeholders.NOT_STATED,
        type=draft.fixed("fixed reference"),
        value=placeholders.AT_ONCE,
        valueLabel=placeholders.NOT_STATED,
        relativeToFrom=draft.fixed("start to start"),
        relativeFromScheduledInstanceId=event["id"],
    )
    return draft.make(
        target,
        name=draft.name("TIMELINE"),
        label=placeholders.NOT_STATED,
        mainTimeline=True,
        entryCondition=draft.fill.text(target + ".entryCondition"),
        entryId=event["id"],
        exits=[exit_],
        timings=[timing],
        instances=[event],
        plannedDuration=_duration(draft),
    )


def _duration(draft: Draft) -> Element | None:
    words = draft.ctx.record.study.protocol_section.design_module.target_duration
    if not words:
        return None
    varies = draft.fill.false("Duration.durationWillVary")
    marks = draft.marked("durationWillVary")
    return draft.make("Duration", extensionAttributes=marks, text=words, durationWillVary=varies)
