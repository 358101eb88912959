"""Narratives: what the ResearchStudy, the PlanDefinition and the Group say, for people to read.

A narrative is made of its resource's own elements, and says no more (`Narrative.status` is `generated`,
https://hl7.org/fhir/R4/narrative.html). Every text in it is escaped; of XHTML there are only headings, paragraphs,
lists and plain tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Final

from trialconv.context import Context
from trialconv.lineage import derived, plain
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.terms import ARTIFACT_DESCRIPTION, STUDY_IN_R4

#: What neither FHIR nor XML can hold. The element that it comes from tells of it.
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DIV: Final = '<div xmlns="http://www.w3.org/1999/xhtml">'
_BEFORE_TEXT: Final = ("resourceType", "id", "meta")


def with_narratives(ctx: Context, resources: list[Element]) -> list[Element]:
    """Return the resources, those with a narrative that people look at: study, plan and eligible population."""
    countries = [_country(one) for one in resources if one["resourceType"] == "Location"]
    places = Counter(countries)
    # What R5 has as markdown is plain text in R4: the descriptions of arms.
    words = plain if ctx.options.fhir_version == "R5" else str
    writers: dict[str, Callable[[Element], str]] = {
        "ResearchStudy": lambda study: _study(study, places, words),
        "PlanDefinition": lambda plan: _plan(plan, words),
        "Group": _group,
    }
    return [
        _narrated(resource, derived(write(resource), resource, countries))
        if (write := writers.get(resource["resourceType"]))
        else resource
        for resource in resources
    ]


def _narrated(resource: Element, content: str) -> Element:
    made: Element = {key: resource[key] for key in _BEFORE_TEXT if key in resource}
    made["text"] = {"status": "generated", "div": _DIV + content + "</div>"}
    made.update(resource)
    return made


def _country(location: Element) -> str:
    return str(location.get("address", {}).get("country", "Country not stated"))


# the study


def _study(study: Element, places: Counter[str], words: Callable[[str], str]) -> str:
    facts = [
        ("Identifiers", ", ".join(one["value"] for one in study.get("identifier", ()) if "value" in one)),
        ("Status", _status(study)),
        ("Stopped because", _label(study.get("whyStopped") or study.get("reasonStopped"))),
        ("Phase", _label(study.get("phase"))),
        ("Primary purpose", _label(study.get("primaryPurposeType"))),
        ("Conditions", ", ".join(_own_words(one) for one in study.get("condition", ()))),
        ("Period", _period(study.get("period", {}))),
    ]
    arms = [
        (one.get("name", ""), _label(one.get("type")), words(one.get("description", "")))
        for one in study.get("arm") or study.get("comparisonGroup") or ()
    ]
    sites = [(country, str(count)) for country, count in sorted(places.items())]
    return "".join(
        (
            _heading(study.get("title", "")) or _heading(study["resourceType"]),
            _paragraphs(plain(_summary(study))),
            _table(("", ""), [fact for fact in facts if fact[1]]),
            _titled("Arms", _table(("Arm", "Type", "Description"), arms)),
            _titled("Sites", _table(("Country", "Sites"), sites)),
        )
    )


def _summary(study: Element) -> str:
    """Return the brief summary, which R4 has in an extension, or else the description."""
    summary = study.get("descriptionSummary") or _extended(study, STUDY_IN_R4 + "descriptionSummary")
    return summary or str(study.get("description", ""))


def _status(study: Element) -> str:
    """Return where the study stands: its progress, which R4 has in extensions, or else its status."""
    states = [one["state"] for one in study.get("progressStatus", ())]
    for one in study.get("extension", ()):
        if one["url"] == STUDY_IN_R4 + "progressStatus":
            states += [part["valueCodeableConcept"] for part in one["extension"] if part["url"] == "state"]
    progress = ", ".join(_label(one) for one in states if not _is_about_dates(one))
    return progress or str(study.get("status", "not stated"))


def _is_about_dates(state: Element) -> bool:
    return any(coding.get("code") == "overall-study" for coding in state.get("coding", ()))


def _period(period: Element) -> str:
    return " to ".join((period.get("start", "..."), period.get("end", "..."))) if period else ""


# the plan and the eligible population


def _plan(plan: Element, words: Callable[[str], str]) -> str:
    return _heading(plan.get("title", "") or plan["resourceType"]) + _actions(plan.get("action", ()), words)


def _actions(actions: Iterable[Element], words: Callable[[str], str]) -> str:
    items = (
        f"<li>{_inline(one.get('title', ''))}{_paragraphs(words(one.get('description', '')))}"
        f"{_actions(one.get('action', ()), words)}</li>"
        for one in actions
    )
    made = "".join(items)
    return f"<ul>{made}</ul>" if made else ""


def _group(group: Element) -> str:
    parts = [_heading(group.get("name", "") or group["resourceType"])]
    if "quantity" in group:
        parts.append(f"<p>Participants: {_inline(str(group['quantity']))}</p>")
    traits: dict[tuple[str, bool], list[str]] = {}
    for one in group.get("characteristic", ()):
        if "valueReference" in one:
            # The tree of the criteria, which is a resource of its own.
            continue
        key = _own_words(one.get("code", {})), one.get("exclude") is True
        traits.setdefault(key, []).append(_value(one))
    for (name, excludes), values in traits.items():
        title = f"{name} (excludes)" if excludes and "exclu" not in name.lower() else name
        if len(values) == 1:
            parts.append(f"<p><b>{_inline(title)}</b>: {_inline(values[0])}</p>")
        else:
            parts.append(_titled(title, f"<ul>{''.join(f'<li>{_inline(value)}</li>' for value in values)}</ul>"))
    if not any("criterion" in name for name, _ in traits):
        # The criteria were not split.
        description = group.get("description") or _extended(group, ARTIFACT_DESCRIPTION)
        parts.append(_titled("Criteria", _paragraphs(plain(description))))
    return "".join(parts)


def _extended(resource: Element, url: str) -> str:
    """Return the markdown of an extension, or nothing."""
    texts = (one["valueMarkdown"] for one in resource.get("extension", ()) if one["url"] == url)
    return str(next(texts, ""))


def _value(characteristic: Element) -> str:
    """Return the value of a characteristic in words."""
    for key, value in characteristic.items():
        if key == "valueCodeableConcept":
            return _own_words(value)
        if key == "valueBoolean":
            return "yes" if value else "no"
        if key == "valueQuantity":
            return _quantity(value)
        if key == "valueRange":
            return " to ".join(_quantity(value[end]) for end in ("low", "high") if end in value)
    return ""


def _quantity(quantity: Element) -> str:
    words = (quantity.get("comparator"), quantity.get("value"), quantity.get("unit") or quantity.get("code"))
    return " ".join(str(word) for word in words if word is not None)


# words and markup


def _label(concept: Element | None) -> str:
    """Return what the code of a concept is called, or its text where it has no code."""
    if not concept:
        return ""
    codings = [one["display"] for one in concept.get("coding", ()) if "display" in one]
    return str(codings[0] if codings else _own_words(concept))


def _own_words(concept: Element) -> str:
    """Return the text of a concept, or else what its code is called."""
    codings = (one.get("display") or one.get("code", "") for one in concept.get("coding", ()))
    return str(concept.get("text") or next(codings, ""))


def _inline(text: str) -> str:
    text = _NO_TEXT.sub("\ufffd", text)
    return escape(text, quote=False).replace("\r\n", "\n").replace("\n", "<br/>")


def _paragraphs(text: str) -> str:
    blocks = text.replace("\r\n", "\n").split("\n\n")
    return "".join(f"<p>{_inline(block.strip())}</p>" for block in blocks if block.strip())


def _heading(text: str) -> str:
    return f"<h2>{_inline(text)}</h2>" if text.strip() else ""


def _titled(title: str, content: str) -> str:
    return f"<h3>{_inline(title)}</h3>{content}" if content else ""


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_inline(name)}</th>" for name in heads)
    head = f"<tr>{head}</tr>" if any(heads) else ""
    body = "".join(f"<tr>{''.join(f'<td>{_inline(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}{body}</table>"
