"""Rules ODM-007 to ODM-020: what a study definition says must agree with the terminology and with itself."""

from __future__ import annotations

import re
from datetime import date
from functools import cache, lru_cache
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
_COMMENTED: Final = "CommentOID"
_ARM_COUNTS: Final = ("NARMS", "NCOHORT")
_COMPARED: Final = frozenset({"TPHASE", *_ARM_COUNTS})
#: What holds nothing but translations of one text, wherever it stands.
_TEXTS: Final = frozenset({"Description", "Question", "Decode", "ErrorMessage", "Symbol"})
#: What is looked at elsewhere, or holds a text alone.
_DONE: Final = frozenset({"StudySummary", "sdm:Summary", "FullName", "Email", "Phone", "GlobalVariables"})


def check_content(root: Node, findings: Findings) -> bool:
    """Note the breaches of the rules in an ODM document of either version.

    Returns whether a coding of a parameter refers to a comment.
    """
    has_comments = False
    for study in _named(root, "Study"):
        for version in _named(study, "MetaDataVersion"):
            for protocol in _named(version, "Protocol"):
                has_comments |= _protocol(protocol, findings)
    open_nodes = [root]
    while open_nodes:
        for child in open_nodes.pop().children:
            if isinstance(child, str):
                continue
            name = child.name
            if name == "Coding":
                _coding(child, findings)
            elif name == "Country":
                _country(child, findings)
            elif name in _TEXTS:
                if len(child.children) > 1:
                    _translations(child, findings)
            elif child.children and name not in _DONE:
                open_nodes.append(child)
    return has_comments


def _named(node: Node, name: str) -> list[Node]:
    return [child for child in node.elements if child.name == name]


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
    if attributes.get("System") == CDISC:
        said = attributes.get("SystemVersion", ""), attributes.get("Code", ""), attributes.get("Label")
        for rule, message, attribute in _wrong(*said):
            findings.add(rule, message, coding, attribute)


@lru_cache(maxsize=4096)
def _wrong(version: str, code: str, label: str | None) -> tuple[tuple[str, str, str], ...]:
    """Return the rules that a CDISC code breaks by itself, with the message and the attribute."""
    found = []
    if not _is_version(version):
        message = f"The version {version!r} of the terminology is no date." if version else "There is no version."
        found.append(("ODM-014", message, "SystemVersion" if version else ""))
    values = _values_of_code().get(code)
    if label is not None and values is not None and label not in values:
        found.append(("ODM-011", f"{code} is {' or '.join(sorted(values))}, not {label!r}.", "Label"))
    return tuple(found)


def _is_version(text: str) -> bool:
    return _VERSION.fullmatch(text) is not None and _is_date(text)


@cache
def _values_of_code() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for codelist in codelists().values():
        for code, value in codelist.values.items():
            found.setdefault(code, set()).add(value)
    return {code: frozenset(values) for code, values in found.items()}


def _protocol(protocol: Node, findings: Findings) -> bool:
    parts = {part.name: part for part in protocol.elements}
    summary = parts.get("StudySummary") or parts.get("sdm:Summary")
    values = _summary(summary, findings) if summary else {}
    if "TrialPhase" in parts:
        _trial_phase(parts["TrialPhase"], {value for _, value in values.get("TPHASE", ())}, findings)
    structure = parts.get("StudyStructure") or parts.get("sdm:Structure")
    arms = sum(each.name in ("Arm", "sdm:Arm") for each in structure.elements) if structure else 0
    for name in _ARM_COUNTS if arms else ():
        for holder, value in values.get(name, ()):
            if value != str(arms):
                findings.add("ODM-020", f"The structure has {arms} arms, not {value}.", holder)
    criteria = parts.get("InclusionExclusionCriteria")
    if criteria:
        _criteria(criteria, findings)
    return _COMMENTED in values


def _summary(summary: Node, findings: Findings) -> dict[str, list[tuple[Node, str]]]:
    """Check the parameters; return the values of those that others must agree with, and their elements.

    The name CommentOID is among them when a coding refers to a comment.
    """
    found: dict[str, list[tuple[Node, str]]] = {}
    for parameter in summary.children:
        if isinstance(parameter, str):
            continue
        name = parameter.attributes.get("ShortName", "")
        is_official = name and "." not in name
        parts = parameter.children
        if not is_official and len(parts) == 1 and (isinstance(parts[0], str) or not parts[0].children):
            continue  # nearly all of the registry's own
        for part in parts:
            if isinstance(part, str):
                continue
            for coding in (part, *part.children) if part.children else (part,):
                if not isinstance(coding, str) and coding.name == "Coding":
                    _coding(coding, findings)
                    if _COMMENTED in coding.attributes:
                        found.setdefault(_COMMENTED, [])
        if is_official:
            _names(parameter, name, findings)
            for holder, value in _values(parameter):
                _value(name, holder, value, findings)
                if name in _COMPARED:
                    found.setdefault(name, []).append((holder, value))
    return found


def _values(parameter: Node) -> list[tuple[Node, str]]:
    """Return each value of a parameter with the element that holds it; a missing one is the schema's business."""
    return [
        (holder, holder.text if holder.name == "sdm:Value" else holder.attributes["Value"])
        for holder in parameter.elements
        if holder.name == "sdm:Value" or (holder.name == "ParameterValue" and "Value" in holder.attributes)
    ]


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
