"""Invariants of FHIR that no schema can state: the order of periods and ranges, narratives, contained resources.

Most documents are seen not to break any of them by a look at their text and by `schema.surely_valid`; in the
others everything is visited. Which other invariants there are, and where they are enforced, is listed in
`_generated/invariants.json`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, issue
from trialconv.validators.contained import unused_contained
from trialconv.validators.invariant_messages import PLAIN
from trialconv.validators.narrative import narrative_problem
from trialconv.validators.order import is_above, is_after
from trialconv.validators.provenance import provenance_issues
from trialconv.validators.reference_links import all_links
from trialconv.validators.schema import definitions, label, resources_in
from trialconv.validators.schema_messages import shortened

Resource = Mapping[str, Any]


#: A regular expression finds this faster than `split` does.
_END: Final = re.compile(rb'"end":')


def periods_are_in_order(text: bytes) -> bool:
    """Say whether each end in the text stands alone or right after its start, a date, in order; False in doubt."""
    for found in _END.finditer(text):
        begin, after = found.span()
        close = text.find(b'"', after + 1)
        if text[after : after + 1] != b'"':
            return False
        if text[begin - 1 : begin] == b"{":
            if text[close + 1 : close + 2] != b"}":
                return False
            continue
        start = text[text.rfind(b'"start":"', 0, begin) + 9 : begin - 2]
        length = min(len(start), close - after - 1)
        if length > 10 or text[begin - 2 : begin] != b'",' or b'"' in start:
            return False
        if start[:length] > text[after + 1 : after + 1 + length]:
            return False
    return True


def invariant_issues(document: Resource, version: FhirVersion) -> list[Issue]:
    """Return an Issue `invariant` for each invariant broken that no schema states.

    Takes nothing for granted about the document but that it is an object. Paths are as those of `check_schema`.
    """
    found: list[Issue] = []
    type_name = document.get("resourceType")
    top = shortened(type_name) if isinstance(type_name, str) else ""
    waiting: list[tuple[Resource, str, bool]] = [(document, top, False)]
    types = definitions(version).resource_types
    for resource, path, contained in waiting:
        type_name = resource.get("resourceType")
        if isinstance(type_name, str) and type_name in types:
            found.extend(_in_values(resource, type_name, path, version))
            if not contained:  # where contained resources contain others, dom-2 says so
                found.extend(unused_contained(resource, type_name, path, version))
        waiting.extend(
            (inner, f"{path}.{place}{label(inner)}", contained or place.startswith("contained"))
            for place, inner in resources_in(resource)
        )
    if version == "R5":
        found.extend(provenance_issues(document, ((resource, path) for resource, path, _ in waiting)))
    return found


def _in_values(resource: Resource, type_name: str, path: str, version: FhirVersion) -> Iterator[Issue]:
    """Yield what is wrong in the values of a resource, those of resources inside it apart."""
    checks = _CHECKS_OF_R4B if version == "R4B" else _CHECKS
    waiting: list[tuple[Any, str, str]] = [(resource, type_name, path)]
    for node, definition, place in waiting:
        check = checks.get(definition)
        if check is not None:
            yield from check(node, place)
        links = all_links(version, definition)
        for key, value in node.items():
            child = links.get(key, "")
            if not child or child == "ResourceList":
                continue
            if isinstance(value, dict):
                waiting.append((value, child, f"{place}.{key}"))
            elif isinstance(value, list):
                for position, one in enumerate(value):
                    if isinstance(one, dict):
                        waiting.append((one, child, f"{place}.{key}[{position}]"))


def _broken(key: str, path: str, shown: str = "") -> Issue:
    message = f"{shown}: {PLAIN[key]}" if shown else PLAIN[key]
    return issue("invariant", message, target_path=path, rule=key)


def _period(period: Resource, path: str) -> Iterator[Issue]:
    start, end = period.get("start"), period.get("end")
    if isinstance(start, str) and isinstance(end, str) and is_after(start, end):
        yield _broken("per-1", path, f"from {shortened(start)} to {shortened(end)}")


def _range(key: str, low_name: str, high_name: str) -> Callable[[Resource, str], Iterator[Issue]]:
    def check(value: Resource, path: str) -> Iterator[Issue]:
        low, high = value.get(low_name), value.get(high_name)
        if isinstance(low, dict) and isinstance(high, dict) and is_above(low, high):
            yield _broken(key, path, f"from {shortened(low['value'])} to {shortened(high['value'])}")

    return check


def _count(count: Resource, path: str) -> Iterator[Issue]:
    """Judge a Count: a value has the code 1 and is whole, as it is written: 1.0 is not."""
    value = count.get("value")
    has_value, has_code = "value" in count or "_value" in count, "code" in count or "_code" in count
    in_order = (
        (has_code or not has_value)
        and count.get("system", _UCUM) == _UCUM
        and count.get("code", "1") == "1"
        and not isinstance(value, float)
    )
    if not in_order:
        yield _broken("cnt-3", path)


_UCUM: Final = "http://unitsofmeasure.org"


def _narrative(narrative: Resource, path: str) -> Iterator[Issue]:
    div = narrative.get("div")
    if isinstance(div, str) and (problem := narrative_problem(div)):
        key, shown = problem
        yield _broken(key, f"{path}.div", shown)


_CHECKS: Final[dict[str, Callable[[Resource, str], Iterator[Issue]]]] = {
    "Count": _count,
    "Narrative": _narrative,
    "Period": _period,
    "Range": _range("rng-2", "low", "high"),
    "RatioRange": _range("ratrng-2", "lowNumerator", "highNumerator"),
}
#: R4B was the first to have ranges of ratios and called the rule otherwise.
_CHECKS_OF_R4B: Final = {**_CHECKS, "RatioRange": _range("inv-2", "lowNumerator", "highNumerator")}
