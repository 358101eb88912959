"""The posted results in the registry's XML, `clinical_results`: who took part, the baseline, outcomes, agreements.

Element names and their meaning: https://clinicaltrials.gov/ct2/html/images/info/public.xsd (2019-02-14), and for
the fields https://clinicaltrials.gov/policy/results-definitions.
"""

from __future__ import annotations

import re
from typing import Any, Final

from trialconv.readers._ctgov_xml_events import adverse_events
from trialconv.readers._ctgov_xml_measures import Groups, denoms, groups_of, items, measure, other_units
from trialconv.readers._ctgov_xml_values import Values, kept, markup_of, markup_text
from trialconv.readers._ctgov_xml_walk import Cursor
from trialconv_mappings.tables import table


def results(element: Cursor | None, values: Values) -> dict[str, Any]:
    """Return `resultsSection`; an empty one without `clinical_results`."""
    if element is None:
        return {}
    return kept(
        participantFlowModule=_participant_flow(element.one("participant_flow")),
        baselineCharacteristicsModule=_baseline(element.one("baseline"), values),
        outcomeMeasuresModule=kept(
            outcomeMeasures=[_outcome(one, values) for one in items(element, "outcome_list", "outcome")]
        ),
        adverseEventsModule=adverse_events(element.one("reported_events"), values),
        moreInfoModule=kept(
            limitationsAndCaveats=kept(description=markup_text(element, "limitations_and_caveats")),
            certainAgreement=_agreement(element.one("certain_agreements"), values),
            pointOfContact=_point_of_contact(element.one("point_of_contact")),
        ),
    )


def _participant_flow(flow: Cursor | None) -> dict[str, Any]:
    if flow is None:
        return {}
    groups = groups_of(flow, "FG")
    return kept(
        preAssignmentDetails=markup_text(flow, "pre_assignment_details"),
        recruitmentDetails=markup_text(flow, "recruitment_details"),
        groups=groups.listed,
        periods=[
            kept(
                title=period.text("title"),
                milestones=[
                    kept(type=one.text("title"), achievements=_participants(one, groups))
                    for one in items(period, "milestone_list", "milestone")
                ],
                dropWithdraws=[
                    kept(type=one.text("title"), reasons=_participants(one, groups))
                    for one in items(period, "drop_withdraw_reason_list", "drop_withdraw_reason")
                ],
            )
            for period in items(flow, "period_list", "period")
        ],
    )


def _participants(parent: Cursor, groups: Groups) -> list[dict[str, Any]]:
    return [
        kept(groupId=groups.id_of(one), comment=markup_of(one.own_text()), numSubjects=one.attribute("count"))
        for one in items(parent, "participants_list", "participants")
    ]


def _baseline(baseline: Cursor | None, values: Values) -> dict[str, Any]:
    if baseline is None:
        return {}
    groups = groups_of(baseline, "BG")
    numbers = denoms(baseline, groups, values, "Overall")
    return kept(
        populationDescription=markup_text(baseline, "population"),
        typeUnitsAnalyzed=other_units(numbers),
        groups=groups.listed,
        denoms=numbers,
        measures=[
            kept(
                title=one.text("title"),
                description=markup_text(one, "description"),
                populationDescription=markup_text(one, "population"),
                dispersionType=values.code("measure_dispersion", one.text("dispersion")),
                **measure(one, groups, values),
            )
            for one in items(baseline, "measure_list", "measure")
        ],
    )


_POSTING_DATE = re.compile(r"(?:(?P<month>0[1-9]|1[0-2])/)?(?P<year>\d{4})")


def _outcome(outcome: Cursor, values: Values) -> dict[str, Any]:
    groups = groups_of(outcome, "OG")
    element = _measure_of(outcome)
    fields = measure(element, groups, values) if element else {}
    if element:
        _check_repeated(outcome, element, values)
    return kept(
        type=values.code("outcome_type", outcome.text("type")),
        title=outcome.text("title"),
        description=markup_text(outcome, "description"),
        populationDescription=markup_text(outcome, "population"),
        anticipatedPostingDate=_posting_date(outcome, values),
        # API v2 has the dispersion of an outcome in the words of the registry's form, as the XML has it.
        dispersionType=element.text("dispersion") if element else None,
        timeFrame=outcome.text("time_frame"),
        typeUnitsAnalyzed=other_units(fields.get("denoms", [])),
        groups=groups.listed,
        **fields,
        analyses=[_analysis(one, groups, values) for one in items(outcome, "analysis_list", "analysis")],
    )


def _measure_of(outcome: Cursor) -> Cursor | None:
    """Return the measure of an outcome.

    Before December 2016 there was a list, in which the numbers of participants and of units stood as measures.
    The one with the title of the outcome is read if it is alone; the others stay unread.
    """
    title = outcome.text("title")
    listing = outcome.one("measure_list")
    return outcome.one("measure") or (listing.only("measure", title=title) if listing else None)


def _check_repeated(outcome: Cursor, element: Cursor, values: Values) -> None:
    """Compare what a measure repeats of its outcome. Another text there has no field of its own."""
    for name in ("title", "description", "population"):
        again = element.text(name)
        if again is not None and again != outcome.text(name):
            message = f"the measure's {name} differs from that of its outcome and has no field: {again[:80]!r}"
            values.note("field-not-mapped", message, f"{element.path}/{name}")


def _posting_date(outcome: Cursor, values: Values) -> str | None:
    """Return a date such as `05/2017` or `2017`."""
    text = outcome.text("posting_date")
    match = _POSTING_DATE.fullmatch(text) if text else None
    if match:
        return "-".join(part for part in (match["year"], match["month"]) if part)
    if text:
        message = f"{text[:80]!r} is not a date such as 05/2017"
        values.note("invalid-date", message, f"{outcome.path}/posting_date")
    return None


def _analysis(analysis: Cursor, groups: Groups, values: Values) -> dict[str, Any]:
    listing = analysis.one("group_id_list")
    return kept(
        paramType=analysis.text("param_type"),
        paramValue=analysis.text("param_value"),
        dispersionType=values.code("analysis_dispersion", analysis.text("dispersion_type")),
        dispersionValue=analysis.text("dispersion_value"),
        statisticalMethod=analysis.text("method"),
        statisticalComment=markup_text(analysis, "method_desc"),
        pValue=analysis.text("p_value"),
        pValueComment=markup_text(analysis, "p_value_desc"),
        ciNumSides=values.code("ci_sides", analysis.text("ci_n_sides")),
        ciPctValue=analysis.text("ci_percent"),
        ciLowerLimit=analysis.text("ci_lower_limit"),
        ciUpperLimit=analysis.text("ci_upper_limit"),
        ciUpperLimitComment=markup_text(analysis, "ci_upper_limit_na_comment"),
        estimateComment=markup_text(analysis, "estimate_desc"),
        # The question of before 2017, which the type replaced.
        testedNonInferiority=values.yes_no(analysis, "non_inferiority"),
        nonInferiorityType=values.code("non_inferiority", analysis.text("non_inferiority_type")),
        nonInferiorityComment=markup_text(analysis, "non_inferiority_desc"),
        otherAnalysisDescription=markup_text(analysis, "other_analysis_desc"),
        groupDescription=markup_text(analysis, "groups_desc"),
        groupIds=[groups.of(legacy) for legacy in (listing.texts("group_id") if listing else [])],
    )


_EMPLOYED: Final = {
    "All Principal Investigators ARE employed by the organization sponsoring the study.": True,
    "Principal Investigators are NOT employed by the organization sponsoring the study.": False,
}
_NO_AGREEMENT: Final = (
    "There is NOT an agreement between Principal Investigators and the Sponsor (or its agents) that restricts the "
    "PI's rights to discuss or publish trial results after the trial is completed."
)
#: Sentences that may be the registry's own in another wording than the two above and those of the table. All other
#: texts are what a sponsor wrote under "Other".
_MAY_BE_THE_REGISTRYS: Final = re.compile(
    "There (?:is|IS) (?:an|NOT an) agreement between Principal Investigators and the Sponsor .*"
    "|The only disclosure restriction on the PI is that the sponsor .* more than 60 days .*"
)


def _agreement(agreements: Cursor | None, values: Values) -> dict[str, Any]:
    if agreements is None:
        return {}
    employed = agreements.text("pi_employee")
    if employed is not None and employed not in _EMPLOYED:
        message = f"expected one of the two sentences of the registry, found {employed[:80]!r}"
        values.note("wrong-type", message, f"{agreements.path}/pi_employee")
    employee = _EMPLOYED.get(employed) if employed else None
    return kept(piSponsorEmployee=employee, **_restriction(agreements, values))


def _restriction(agreements: Cursor, values: Values) -> dict[str, Any]:
    """Return whether, and how, an agreement restricts what investigators may publish.

    The XML has a sentence for each answer of the form, and what the sponsor wrote where the answer is "Other".
    """
    text = agreements.text("restrictive_agreement")
    if text is None:
        return {}
    sentence = " ".join(text.split())
    if sentence == _NO_AGREEMENT:
        return {"restrictiveAgreement": False}
    if table("ctgov_legacy_restriction").get(sentence):
        return {"restrictiveAgreement": True, "restrictionType": values.code("restriction", sentence)}
    if _MAY_BE_THE_REGISTRYS.fullmatch(sentence):
        message = f"the kind of agreement is not known; kept as text: {sentence[:120]!r}"
        values.note("unknown-enum-value", message, f"{agreements.path}/restrictive_agreement")
        return {"otherDetails": markup_of(text)}
    return {"restrictiveAgreement": True, "restrictionType": "OTHER", "otherDetails": markup_of(text)}


def _point_of_contact(contact: Cursor | None) -> dict[str, Any]:
    if contact is None:
        return {}
    return kept(
        title=contact.text("name_or_title"),
        organization=contact.text("organization"),
        email=contact.text("email"),
        phone=contact.text("phone"),
    )
