"""Codes in USDM: from the codelist of their attribute, with its preferred term, and consistent with one another.

The codelists are of one version. Where a document names another version, what differs is a warning: the term may
be right in that version.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from trialconv.issues import Severity
from trialconv.validators.usdm_scope import Element, Finding, Scope, facts, listed

_CDISC: Final = "http://www.cdisc.org"
#: Unknown and Other: what is left to say where a code is demanded and the closed codelist has none that is true.
_NO_TERM: Final = frozenset({"C17998", "C17649"})
_AGE_UNITS: Final = "C66781"
_LENGTH_OF_DATE: Final = 10

#: Attributes whose codes must be distinct: the class, the attribute, the rule.
_DISTINCT: Final = (
    ("StudyVersion", "businessTherapeuticAreas", "DDF00032"),
    ("AliasCode", "standardCodeAliases", "DDF00052"),
    ("Indication", "codes", "DDF00058"),
    ("StudyIntervention", "codes", "DDF00059"),
    ("InterventionalStudyDesign", "characteristics", "DDF00219"),
    ("ObservationalStudyDesign", "characteristics", "DDF00219"),
    ("InterventionalStudyDesign", "subTypes", "DDF00220"),
    ("ObservationalStudyDesign", "subTypes", "DDF00220"),
    ("InterventionalStudyDesign", "therapeuticAreas", "DDF00221"),
    ("ObservationalStudyDesign", "therapeuticAreas", "DDF00221"),
    ("InterventionalStudyDesign", "intentTypes", "DDF00222"),
)


def term_findings(scope: Scope) -> Iterator[Finding]:
    """Yield what is wrong with the codes of a study version."""
    yield from _consistency(scope)
    for kind, attributes in facts().codes.items():
        elements = scope.everything(kind)
        for key, (codelist, rule) in attributes.items() if elements else ():
            yield from _of_attribute(elements, key, codelist, rule)
    for element in scope.everything("StudyDesignPopulation", "StudyCohort"):
        yield from _age_units(element)
    for kind, key, rule in _DISTINCT:
        for element in scope.everything(kind):
            codes = [(code["codeSystem"], code["code"]) for code in listed(element, key)]
            if len(codes) != len(set(codes)):
                yield Finding(rule, element, key, "the same code stands more than once")


def _consistency(scope: Scope) -> Iterator[Finding]:
    """Yield codes with two decodes, decodes with two codes, and versions that are none or differ."""
    decodes: dict[tuple[str, str, str], str] = {}
    codes: dict[tuple[str, str, str], str] = {}
    versions: dict[str, str] = {}
    seen: set[tuple[str, str, str, str]] = set()
    for code in scope.everything("Code"):
        all_of_it = code["codeSystem"], code["codeSystemVersion"], code["code"], code["decode"]
        if all_of_it in seen:
            continue
        seen.add(all_of_it)
        system, version, own, decode = all_of_it
        before = versions.setdefault(system, version)
        if before != version:
            message = f"{system} stands here in version {version}, and elsewhere in version {before}"
            yield Finding("DDF00073", code, "codeSystemVersion", message, severity="warning")
        known = decodes.setdefault((system, version, own), decode)
        other = codes.setdefault((system, version, decode), own)
        if known != decode or other != own:
            message = f"{own} {decode!r} stands beside {other} {known!r}"
            yield Finding("DDF00035", code, "decode", message, severity="warning")
        if system == _CDISC and not _is_day(version):
            message = f"{version!r} is no date of a release of CDISC terminology, such as 2026-03-27"
            yield Finding("DDF00155", code, "codeSystemVersion", message)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == _LENGTH_OF_DATE


def _of_attribute(elements: list[Element], key: str, codelist: str, rule: str) -> Iterator[Finding]:
    """Yield what is wrong with an attribute of the objects of a class; those without a term are one Finding."""
    without_term = []
    for element in elements:
        value = element.get(key)
        if value:
            for one in value if type(value) is list else (value,):
                code = one.get("standardCode") or one
                if code["code"] in _NO_TERM and code["codeSystem"] == _CDISC:
                    without_term.append(element)
                else:
                    yield from _of_codelist(element, key, code, codelist, rule)
    known = facts().codelists[codelist]
    if without_term and not known.extensible and not _NO_TERM.intersection(known.terms):
        place = f"{without_term[0]['instanceType']}.{key}"
        message = (
            f"Unknown or Other stands there ({len(without_term)}); the closed codelist {codelist} has neither"
        )
        # Whoever wrote it had no other choice, so that this is no defect to mend.
        yield Finding(rule, None, place, message, "binding", "information")


def _of_codelist(element: Element, key: str, code: Element, codelist: str, rule: str) -> Iterator[Finding]:
    """Yield a Finding when a code is not in its codelist, or has another decode than its preferred term."""
    known = facts().codelists[codelist]
    own, decode, is_cdisc = code["code"], code["decode"], code["codeSystem"] == _CDISC
    severity: Severity = "error" if not is_cdisc or code["codeSystemVersion"] == known.version else "warning"
    term = known.terms.get(own) if is_cdisc else None
    if term is not None:
        if decode != term:
            message = f"{own} has the decode {decode!r}; its preferred term in {codelist} is {term!r}"
            yield Finding(rule, element, key, message, "binding", severity)
        return
    right = next((other for other, name in known.terms.items() if name == decode), None)
    if right is not None:
        message = f"{decode!r} has the code {own}; in {codelist} it is {right}"
        yield Finding(rule, element, key, message, "binding", severity)
    elif not known.extensible:
        message = f"{own} {decode!r} is not in the codelist {codelist}, which is closed"
        yield Finding(rule, element, key, message, "binding", severity)


def _age_units(element: Element) -> Iterator[Finding]:
    planned: Element = element.get("plannedAge") or {}
    for key, quantity in ((key, planned[key]) for key in ("minValue", "maxValue") if key in planned):
        unit = quantity.get("unit")
        code: Element | None = unit["standardCode"] if unit else None
        if code is None or code["code"] not in facts().codelists[_AGE_UNITS].terms:
            shown = code["code"] if code else "no unit"
            message = f"{shown} is not in the codelist of age units, {_AGE_UNITS}"
            yield Finding("DDF00237", element, f"plannedAge.{key}.unit", message, "binding")
        elif code["decode"] != facts().codelists[_AGE_UNITS].terms[code["code"]]:
            message = f"{code['code']} has the decode {code['decode']!r}"
            yield Finding("DDF00237", element, f"plannedAge.{key}.unit", message, "binding")
