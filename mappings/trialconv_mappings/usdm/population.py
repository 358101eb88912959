"""Who may take part: the population of a study design, and the eligibility criteria."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.lineage import derived, filled, looked_up, plain
from trialconv.record.protocol import EligibilityModule, EnrollmentInfo
from trialconv_mappings.cdisc.durations import Span, span
from trialconv_mappings.criteria import listed_criteria
from trialconv_mappings.tables import table
from trialconv_mappings.usdm import placeholders
from trialconv_mappings.usdm.draft import LARGEST_INTEGER, Draft, Element, html
from trialconv_mappings.usdm.terms import terms

_MODULE: Final = "protocolSection.eligibilityModule."
_CRITERIA: Final = _MODULE + "eligibilityCriteria"
_MINUTES_OF_HOUR: Final = 60
_UNITS: Final = "usdm_age_unit"


class Criterion(NamedTuple):
    """One criterion: `inclusion`, `exclusion`, or None where the text is not split; and the text."""

    kind: str | None
    text: str


class Criteria(NamedTuple):
    """The criteria of a design, and the items that hold their texts."""

    elements: list[Element]
    items: list[Element]


def _read(draft: Draft, markup: str | None) -> list[Criterion]:
    """Return the criteria of the registry's text, or the whole text where none of it can be taken apart."""
    if not markup:
        return []
    found = [Criterion(each.kind, each.text) for each in listed_criteria(draft.ctx, "EligibilityCriterion")]
    return found or [Criterion(None, plain(markup))]


def criteria(draft: Draft) -> Criteria:
    """Return the criteria one by one, or the whole text as one where it cannot be split for certain."""
    read = _read(draft, draft.ctx.record.study.protocol_section.eligibility_module.eligibility_criteria)
    if not read:
        draft.fill.note("EligibilityCriterion", "one criterion")
        read = [Criterion(None, draft.fill.text("EligibilityCriterionItem.text"))]
    made = Criteria([], [])
    for each in read:
        name = draft.name({"inclusion": "IN", "exclusion": "EX"}.get(each.kind or "", "ELIG"))
        item = draft.make("EligibilityCriterionItem", name=name, text=html(each.text))
        made.items.append(item)
        made.elements.append(
            draft.make(
                "EligibilityCriterion",
                name=name,
                category=draft.required(
                    "cdisc_criterion_kind", each.kind, _CRITERIA, "EligibilityCriterion.category"
                ),
                identifier=name,
                criterionItemId=item["id"],
            )
        )
    return made


def population(draft: Draft, found: Criteria, id_: str) -> Element:
    """Return the population of the design."""
    protocol = draft.ctx.record.study.protocol_section
    eligibility = protocol.eligibility_module
    healthy, marks = eligibility.healthy_volunteers, []
    if healthy is None:
        healthy = draft.fill.false("StudyDesignPopulation.includesHealthySubjects")
        marks = draft.marked("includesHealthySubjects")
    text = eligibility.study_population
    return draft.make(
        "StudyDesignPopulation",
        id=id_,
        extensionAttributes=marks,
        name=draft.name("POP"),
        description=plain(text) if text else None,
        includesHealthySubjects=healthy,
        plannedEnrollmentNumber=_planned_number(draft, protocol.design_module.enrollment_info),
        plannedSex=_sex(draft, eligibility.sex),
        criterionIds=[each["id"] for each in found.elements],
        plannedAge=_age(draft, eligibility),
    )


def _planned_number(draft: Draft, enrollment: EnrollmentInfo) -> Element | None:
    """Return the number of participants if it is a planned one; that of those who took part is not."""
    count = enrollment.count
    if enrollment.type != "ESTIMATED" or count is None:
        return None
    if not 0 <= count <= LARGEST_INTEGER:
        source = "protocolSection.designModule.enrollmentInfo.count"
        target = "StudyDesignPopulation.plannedEnrollmentNumber"
        draft.ctx.note("number-out-of-range", f"{str(count)[:40]} participants cannot be planned", source, target)
        return None
    return draft.make("Quantity", value=count)


def _sex(draft: Draft, word: str | None) -> list[Element]:
    """Return the planned sexes; where the record says none, the code Unknown, since USDM demands one."""
    target = "StudyDesignPopulation.plannedSex"
    return draft.coded("usdm_sex", word, _MODULE + "sex", target) or [draft.required("usdm_sex", word, "", target)]


def _age(draft: Draft, eligibility: EligibilityModule) -> Element:
    """Return the range of ages. USDM demands both of its ends; an end that is not stated is a placeholder."""
    target = "StudyDesignPopulation.plannedAge"
    least = _limit(draft, eligibility.minimum_age, "minimumAge", target)
    most = _limit(draft, eligibility.maximum_age, "maximumAge", target)
    if least is not None and most is not None and least.minutes > most.minutes:
        message = f"{eligibility.minimum_age} lies above {eligibility.maximum_age}"
        draft.ctx.note("age-order", message, _MODULE + "minimumAge", target)
        least = most = None
    marks, limits = [], (eligibility.minimum_age, eligibility.maximum_age)
    if least is None:
        least = filled(Span(placeholders.YOUNGEST, most.unit if most else placeholders.AGE_UNIT), *limits)
        draft.fill.note(target + ".minValue", str(placeholders.YOUNGEST))
        marks.append("minValue")
    if most is None:
        most = filled(Span(placeholders.OLDEST, placeholders.AGE_UNIT), *limits)
        if least.minutes >= most.minutes:
            # Nobody is so old, but the range has to go on.
            most = filled(Span(least.number + 1, least.unit), *limits)
        draft.fill.note(target + ".maxValue", f"{most.number} {most.unit}s")
        marks.append("maxValue")
    return draft.make(
        "Range",
        extensionAttributes=draft.marked(*marks),
        minValue=_quantity(draft, least),
        maxValue=_quantity(draft, most),
        isApproximate=False,
    )


def _limit(draft: Draft, words: str | None, field: str, target: str) -> Span | None:
    if words is None:
        return None
    found = span(words)
    if found is None:
        draft.ctx.note("age-not-understood", f"{words!r} is not a number and a unit", _MODULE + field, target)
    return found


def _quantity(draft: Draft, age: Span) -> Element:
    """Return an age; the codelist of its units has no minutes, so that these are written in hours."""
    value: float = age.number
    rows = looked_up(table(_UNITS), age.unit)
    if not rows:
        value = derived(age.number / _MINUTES_OF_HOUR, age)
        rows = looked_up(table(_UNITS), derived("Hour", age)) or ()
    return draft.make("Quantity", value=value, unit=draft.alias([draft.code(terms(_UNITS, rows)[0])]))
