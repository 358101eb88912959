"""Rules ODM-007 to ODM-020: what a study definition says must agree with the terminology and with itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Final

from trialconv.odm_tree import Node
from trialconv.validators.odm_places import local
from trialconv.validators.odm_rules import Findings
from trialconv.validators.odm_terms import (
    CDISC,
    CRITERION_CODES,
    OLD_PHASES,
    PARAMETER_CODELISTS,
    codelists,
    parameter_terms,
)
from trialconv_mappings.tables import table

_SHORT_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{0,7}")
_DATE: Final = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2})?)?)?)?)?", re.ASCII)
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
# ISO 8601-2:2019 and SDTM allow neither an empty duration nor a sign.
_DURATION: Final = re.compile(
    r"P(?=.)(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?)", re.ASCII
)
_COUNT: Final = re.compile(r"\d+", re.ASCII)

_DATES: Final = frozenset({"SSTDTC", "SENDTC", "DCUTDTC", "CSRARDTC"})
_DURATIONS: Final = frozenset(
    {"AGEMIN", "AGEMAX", "TRGFUDUR", "LENGTH", "PLNTRDUR", "PTRTDUR", "CRMDUR", "SDMDUR"}
)
_COUNTS: Final = frozenset({"PLANSUB", "ACTSUB", "NARMS", "NCOHORT"})
_ARM_COUNTS: Final = frozenset({"NARMS", "NCOHORT"})
_TEXTS: Final = frozenset({"FullName", "Telecom", "Email", "Phone", "sdm:Value"})


def check_content(root: Node, findings: Findings) -> None:
    """Note the breaches of the rules in an ODM document of either version."""
    for study in _named(root, "Study"):
        for version in _named(study, "MetaDataVersion"):
            for protocol in _named(version, "Protocol"):
                _protocol(protocol, findings)
    open_nodes = [root]
    while open_nodes:
        node = open_nodes.pop()
        translated = 0
        for child in node.children:
            if isinstance(child, str):
                continue
            name = child.name
            if name == "TranslatedText":
                translated += 1
            elif name == "Coding":
                _coding(child, findings)
            elif name == "Country":
                _country(child, findings)
            elif child.children and name not in _TEXTS:
                open_nodes.append(child)
        if translated > 1:
            _translations(node, findings)


def _named(node: Node, name: str) -> Iterator[Node]:
    return (child for child in node.elements if child.name == name)


def _translations(text: Node, findings: Findings) -> None:
    seen: set[tuple[str | None, str | None]] = set()
    for translated in text.elements:
        key = (translated.attributes.get("xml:lang"), translated.attributes.get("Type"))
        if translated.name == "TranslatedText" and key in seen:
            message = f"Another translation beside this one is in the language {key[0] or 'of the document'!r}."
            findings.add("ODM-007", message, translated)
        seen.add(key)


def _country(country: Node, findings: Findings) -> None:
    if country.text not in _country_codes():
        findings.add("ODM-016", f"{country.text!r} is no code of ISO 3166-1 alpha-2.", country)


@cache
def _country_codes() -> frozenset[str]:
    return frozenset(row.code for row in table("countries") if row.code)


def _coding(coding: Node, findings: Findings) -> None:
    """Check the version and the label of a code of CDISC's terminology."""
    attributes = coding.attributes
    if attributes.get("System") != CDISC:
        return
    version = attributes.get("SystemVersion", "")
    if not _is_version(version):
        message = f"The version {version!r} of the terminology is no date." if version else "There is no version."
        findings.add("ODM-014", message, coding, "SystemVersion" if version else "")
    label = attributes.get("Label")
    values = _values_of_code().get(attributes.get("Code", ""))
    if label is not None and values is not None and label not in values:
        found = " or ".join(sorted(values))
        findings.add("ODM-011", f"{attributes['Code']} is {found}, not {label!r}.", coding, "Label")


@cache
def _is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None and _is_date(text)


@cache
def _values_of_code() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for codelist in codelists().values():
        for code, value in codelist.values.items():
            found.setdefault(code, set()).add(value)
    return {code: frozenset(values) for code, values in found.items()}


def _protocol(protocol: Node, findings: Findings) -> None:
    parts = {part.name: part for part in protocol.elements}
    summary = parts.get("StudySummary") or parts.get("sdm:Summary")
    phases: set[str] = set()
    counts: list[tuple[Node, str]] = []
    for parameter in summary.elements if summary else ():
        name = parameter.attributes.get("ShortName", "")
        if "." in name or not name:
            continue
        _names(parameter, name, findings)
        for holder, value in _values(parameter):
            _value(name, holder, value, findings)
            if name == "TPHASE":
                phases.add(value)
            elif name in _ARM_COUNTS:
                counts.append((holder, value))
    if "TrialPhase" in parts:
        _trial_phase(parts["TrialPhase"], phases, findings)
    structure = parts.get("StudyStructure") or parts.get("sdm:Structure")
    if structure:
        arms = sum(each.name in ("Arm", "sdm:Arm") for each in structure.elements)
        for holder, value in counts:
            if arms and value != str(arms):
                findings.add("ODM-020", f"The structure has {arms} arms, not {value}.", holder)
    for criteria in ("InclusionExclusionCriteria", "sdm:InclusionExclusionCriteria"):
        if criteria in parts:
            _criteria(parts[criteria], findings)


def _values(parameter: Node) -> Iterator[tuple[Node, str]]:
    """Yield each value of a parameter with the element that holds it."""
    for holder in parameter.elements:
        if holder.name == "ParameterValue":
            # A missing value is the schema's business.
            if "Value" in holder.attributes:
                yield holder, holder.attributes["Value"]
        elif holder.name == "sdm:Value":
            yield holder, holder.text


def _names(parameter: Node, name: str, findings: Findings) -> None:
    """Check the short name of a parameter, its term and its own code."""
    official = parameter_terms().get(name)
    if official is None:
        if _SHORT_NAME.fullmatch(name):
            findings.add("ODM-009", f"{name!r} is no term of TSPARMCD.", parameter, "ShortName")
        return
    code, term = official
    found = parameter.attributes.get("Term", term)
    if found != term:
        findings.add("ODM-008", f"The term of {name} is {term!r}, not {found!r}.", parameter, "Term")
    for coding in parameter.elements:
        if coding.name == "Coding" and coding.attributes.get("System") == CDISC:
            own = coding.attributes.get("Code")
            if own != code:
                findings.add("ODM-010", f"The code of {name} is {code}, not {own}.", coding, "Code")


def _value(name: str, holder: Node, value: str, findings: Findings) -> None:
    """Check the value of an official parameter, and the codes beside it."""
    if name in PARAMETER_CODELISTS:
        _coded_value(name, holder, value, findings)
    elif name in _DATES:
        if not _is_date(value):
            findings.add("ODM-017", f"{value!r} is no date of ISO 8601.", holder)
    elif name in _DURATIONS:
        if not _DURATION.fullmatch(value):
            findings.add("ODM-018", f"{value!r} is no duration of ISO 8601.", holder)
    elif name in _COUNTS and not _COUNT.fullmatch(value):
        findings.add("ODM-019", f"{value!r} is no whole number.", holder)


def _coded_value(name: str, holder: Node, value: str, findings: Findings) -> None:
    codelist = codelists()[PARAMETER_CODELISTS[name]]
    if value not in codelist.values.values() and not (name == "TPHASE" and value in OLD_PHASES):
        message = f"{value!r} is no term of the codelist {codelist.code} for {name}."
        findings.add("ODM-012", message, holder, severity="warning" if codelist.extensible else "error")
    for coding in holder.elements:
        if coding.attributes.get("System") != CDISC:
            continue
        code = coding.attributes.get("Code", "")
        term = codelist.values.get(code)
        if term is None:
            message = f"{code} is no code of the codelist {codelist.code} for {name}."
            findings.add("ODM-011", message, coding, "Code", "warning" if codelist.extensible else None)
        elif term != value:
            findings.add("ODM-011", f"{code} is {term!r}, not {value!r}.", coding, "Code")


def _trial_phase(phase: Node, parameters: set[str], findings: Findings) -> None:
    value = phase.attributes.get("Value")
    if value is None:
        return
    if value not in codelists()[PARAMETER_CODELISTS["TPHASE"]].values.values() and value not in OLD_PHASES:
        findings.add("ODM-013", f"{value!r} is no term of the codelist of phases.", phase, "Value", "warning")
    if parameters and value not in parameters:
        message = f"The parameter TPHASE says {' and '.join(sorted(parameters))}, not {value!r}."
        findings.add("ODM-013", message, phase, "Value")


def _criteria(criteria: Node, findings: Findings) -> None:
    for kind in criteria.elements:
        expected = CRITERION_CODES.get(local(kind.name))
        for criterion in kind.elements if expected else ():
            for coding in criterion.elements:
                code = coding.attributes.get("Code")
                if (
                    coding.attributes.get("System") == CDISC
                    and code in CRITERION_CODES.values()
                    and code != expected
                ):
                    findings.add("ODM-015", f"{code} is not the code of {local(kind.name)}.", coding, "Code")


def _is_date(text: str) -> bool:
    """Tell whether a text is a date of ISO 8601, of the precision it has, that is in the calendar."""
    if not _DATE.fullmatch(text):
        return False
    day, _, time = text.partition("T")
    try:
        date.fromisoformat(f"{day}-01-01"[:10])
    except ValueError:
        return False
    parts = [int(part) for part in time.split(":")] if time else []
    return all(part <= most for part, most in zip(parts, (24, 59, 59), strict=False))
