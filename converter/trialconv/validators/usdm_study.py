"""The rules of USDM about a study version, and about single objects wherever they stand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from trialconv.validators.usdm_scope import Element, Finding, Scope, code_of, listed

_SPONSOR: Final = "C70793"
_OFFICIAL_TITLE: Final = "C207616"
_GLOBAL: Final = "C68846"
_DESIGNS: Final = ("InterventionalStudyDesign", "ObservationalStudyDesign")
_ADDRESS: Final = ("text", "lines", "city", "district", "state", "postalCode", "country")
#: Texts that USDM expects to be HTML.
_TEXTS: Final = {
    "NarrativeContentItem": "DDF00187",
    **dict.fromkeys(
        ("EligibilityCriterionItem", "Characteristic", "Condition", "Objective", "Endpoint", "IntercurrentEvent"),
        "DDF00247",
    ),
}
_HTML: Final = re.compile(r"\s*<[a-zA-Z][^>]*>.*</[a-zA-Z]+>\s*|\s*<[a-zA-Z][^>]*/>\s*|\s*", re.DOTALL)


def study_findings(scope: Scope) -> Iterator[Finding]:
    """Yield what is wrong with a study version."""
    yield from _titles(scope.version)
    yield from _sponsor(scope)
    yield from _identifiers(scope)
    yield from _roles(scope)
    yield from _dates(scope)
    yield from _items(scope)
    yield from _names(scope)
    yield from _texts(scope)
    yield from _single_objects(scope)
    yield from _quantities(scope)
    yield from _order(scope)


def _titles(version: Element) -> Iterator[Finding]:
    kinds = Counter(code_of(title, "type") for title in version["titles"])
    if _OFFICIAL_TITLE not in kinds:
        yield Finding("DDF00115", version, "titles", "there is no official study title")
    for kind, count in kinds.items():
        if count > 1:
            yield Finding("DDF00100", version, "titles", f"there are {count} titles of the type {kind}")


def _sponsor(scope: Scope) -> Iterator[Finding]:
    version = scope.version
    sponsors = [role for role in listed(version, "roles") if code_of(role, "code") == _SPONSOR]
    if len(sponsors) != 1:
        yield Finding(
            "DDF00201", version, "roles", f"there are {len(sponsors)} roles of the sponsor; expected one"
        )
        return
    (sponsor,) = sponsors
    organizations = listed(sponsor, "organizationIds")
    if len(organizations) != 1:
        message = f"the sponsor is {len(organizations)} organisations; expected one"
        yield Finding("DDF00202", sponsor, "organizationIds", message)
        return
    if version["id"] not in listed(sponsor, "appliesToIds"):
        yield Finding(
            "DDF00203", sponsor, "appliesToIds", "the role of the sponsor does not apply to the study version"
        )
    own = [each for each in version["studyIdentifiers"] if each["scopeId"] == organizations[0]]
    if len(own) != 1:
        message = f"{len(own)} identifiers are of the sponsor; expected one"
        yield Finding("DDF00172", version, "studyIdentifiers", message)


def _identifiers(scope: Scope) -> Iterator[Finding]:
    seen = set()
    kinds = ("StudyIdentifier", "ReferenceIdentifier", "AdministrableProductIdentifier", "MedicalDeviceIdentifier")
    for each in scope.everything(*kinds):
        key = each["scopeId"], each["text"]
        if key in seen:
            message = f"{each['text']!r} stands more than once for {each['scopeId']}"
            yield Finding("DDF00173", each, "text", message)
        seen.add(key)


def _roles(scope: Scope) -> Iterator[Finding]:
    open_label = any(code_of(design.roots[0], "blindingSchema") == "C49659" for design in scope.designs)
    for role in listed(scope.version, "roles"):
        if listed(role, "assignedPersons") and listed(role, "organizationIds"):
            yield Finding("DDF00190", role, "", "the role has both persons and organisations")
        kinds = {scope.ids[each]["instanceType"] for each in listed(role, "appliesToIds") if each in scope.ids}
        if not kinds or ("StudyVersion" in kinds and kinds.intersection(_DESIGNS)):
            message = "a role applies either to a study version or to study designs"
            yield Finding("DDF00189", role, "appliesToIds", message)
        masking = role.get("masking")
        if open_label and masking and masking["isMasked"]:
            message = "somebody is masked in a study of open label"
            yield Finding("DDF00191", role, "masking", message, severity="warning")


def _dates(scope: Scope) -> Iterator[Finding]:
    seen: dict[Any, set[tuple[Any, ...]]] = {}
    for each in listed(scope.version, "dateValues"):
        kind = code_of(each, "type")
        areas = ((code_of(one, "type"), code_of(one, "code")) for one in each["geographicScopes"])
        scopes = tuple(sorted(str(area) for area in areas))
        before = seen.setdefault(kind, set())
        if scopes in before:
            message = f"two dates have the type {kind} and the same scope"
            yield Finding("DDF00093", each, "type", message)
        before.add(scopes)
    for each in scope.everything("GovernanceDate"):
        kinds = [code_of(one, "type") for one in each["geographicScopes"]]
        if _GLOBAL in kinds and len(kinds) > 1:
            yield Finding("DDF00151", each, "geographicScopes", "a global scope stands beside others")
    for each in scope.everything("GeographicScope"):
        if (code_of(each, "type") == _GLOBAL) == bool(each.get("code")):
            message = "a scope has a code for its area unless it is global"
            yield Finding("DDF00261", each, "code", message, severity="warning")


def _items(scope: Scope) -> Iterator[Finding]:
    uses = Counter(each["criterionItemId"] for each in scope.everything("EligibilityCriterion"))
    for item in listed(scope.version, "eligibilityCriterionItems"):
        if not uses[item["id"]]:
            yield Finding("DDF00249", item, "", "no criterion of a study design uses the item", severity="warning")


def _names(scope: Scope) -> Iterator[Finding]:
    """Yield siblings of one class with the same name."""
    for group in (scope, *scope.designs):
        for element, key, siblings in group.siblings:
            yield from _same_names(element, key, siblings)


def _same_names(element: Element, key: str, siblings: list[Element]) -> Iterator[Finding]:
    names = [(each["instanceType"], each["name"]) for each in siblings]
    if len(names) != len(set(names)):
        ((_, name), _) = Counter(names).most_common(1)[0]
        yield Finding("DDF00010", element, key, f"two objects have the name {name!r}")


def _texts(scope: Scope) -> Iterator[Finding]:
    for kind, rule in _TEXTS.items():
        for element in scope.everything(kind):
            if not _HTML.fullmatch(element["text"]):
                yield Finding(rule, element, "text", "the text is not HTML", severity="warning")


def _single_objects(scope: Scope) -> Iterator[Finding]:
    for each in scope.everything("PersonName"):
        if not each.get("text") and not each.get("familyName"):
            yield Finding("DDF00030", each, "text", "the name has neither a text nor a family name")
    for each in scope.everything("Address"):
        if not any(each.get(key) for key in _ADDRESS):
            yield Finding("DDF00194", each, "", "the address says nothing")
    for each in scope.everything("Duration"):
        yield from _duration(each)
    for each in scope.everything("BiospecimenRetention"):
        if each["isRetained"] and each.get("includesDNA") is None:
            yield Finding(
                "DDF00231", each, "includesDNA", "specimens are retained; expected whether they include DNA"
            )


def _duration(each: Element) -> Iterator[Finding]:
    if not each.get("text") and not each.get("quantity"):
        yield Finding("DDF00033", each, "text", "the duration has neither a text nor a quantity")
    if each["durationWillVary"] != bool(each.get("reasonDurationWillVary")):
        message = "a duration has a reason if, and only if, it will vary"
        yield Finding("DDF00034", each, "reasonDurationWillVary", message)


def _quantities(scope: Scope) -> Iterator[Finding]:
    for each in scope.everything("Range"):
        least, most = each["minValue"], each["maxValue"]
        units = code_of(least, "unit"), code_of(most, "unit")
        if (units[0] is None) != (units[1] is None):
            yield Finding("DDF00242", each, "", "one end of the range has a unit, the other has none")
        if units[0] == units[1] and least["value"] >= most["value"]:
            message = f"the least value, {least['value']}, is not less than the greatest, {most['value']}"
            # A registry states a single year of age as a range of that year to that year.
            is_same = least["value"] == most["value"]
            yield Finding("DDF00241", each, "minValue", message, severity="information" if is_same else "error")
    for each in scope.everything("StudyDesignPopulation", "StudyCohort"):
        for key, rule in (("plannedEnrollmentNumber", "DDF00234"), ("plannedCompletionNumber", "DDF00235")):
            value = each.get(key)
            parts = (value, value.get("minValue", {}), value.get("maxValue", {})) if value else ()
            if any(part.get("unit") for part in parts):
                yield Finding(rule, each, key, "a number of persons has no unit")
        planned = each.get("plannedAge")
        if planned and planned["isApproximate"]:
            message = "a range of planned ages is not expected to be approximate"
            yield Finding("DDF00042", each, "plannedAge", message, severity="warning")


def _order(scope: Scope) -> Iterator[Finding]:
    """Yield what is wrong with previous and next, where objects name them."""
    for kind in ("Activity", "EligibilityCriterion", "Encounter", "NarrativeContent", "StudyEpoch"):
        seen = set()
        for each in scope.everything(kind):
            for key, rule, back in (("previousId", "DDF00021", "nextId"), ("nextId", "DDF00022", "previousId")):
                other = each.get(key)
                if not other:
                    continue
                if other == each["id"]:
                    yield Finding(rule, each, key, "the object refers to itself")
                elif scope.ids.get(other, each).get(back) != each["id"]:
                    yield Finding("DDF00023", each, key, f"{other} does not refer back as its {back}")
                if (key, other) in seen:
                    yield Finding("DDF00027", each, key, f"{other} is so for another object, too")
                seen.add((key, other))
