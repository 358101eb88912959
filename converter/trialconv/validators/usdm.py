"""USDM JSON, judged by the schema of the USDM v4 API and by the rules that the schema cannot say.

The schema and the facts beside it are made by scripts/generate_usdm_schema.py. Rules are those of CDISC's list of
conformance rules for USDM v4 (https://github.com/cdisc-org/DDF-RA); their ids stand in the Issues. They are looked
at only in documents that the schema finds nothing wrong with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs
import orjson

from trialconv.issues import SEVERITIES, Issue, issue
from trialconv.validators.schema_messages import TYPE_NAMES, shortened
from trialconv.validators.usdm_design import design_findings
from trialconv.validators.usdm_scope import Finding, Scope, paths
from trialconv.validators.usdm_study import study_findings
from trialconv.validators.usdm_terms import term_findings

#: Of many errors the first are listed and the others counted.
_MOST: Final = 200


def is_usdm(document: Any) -> bool:
    """Tell whether a JSON document means to be USDM: an object with a study and the version of USDM."""
    return isinstance(document, Mapping) and "study" in document and "usdmVersion" in document


def validate_usdm(document: Any) -> list[Issue]:
    """Judge a USDM v4 document.

    Returns no Issues for a valid document, and otherwise one for each defect: `schema`, `binding` (a code that its
    codelist does not have), `reference-unresolved`, `reference-type`, `duplicate-id` and `conformance`, each with
    the id of the rule. Never raises for what the document holds. `target_path` is the path from the wrapper, with
    positions from 0 and the ids of objects in brackets.
    """
    validator = _validator()
    try:
        if not validator.is_valid(document):
            return _listed([_schema_issue(error) for error in validator.iter_errors(document)])
    except (ValueError, RecursionError) as problem:
        return [issue("schema", f"the document cannot be judged as JSON: {shortened(str(problem))}", rule="json")]
    found = [finding for scope in _scopes(document["study"]) for finding in _rule_findings(scope)]
    if not found:
        return []
    wanted = {id(finding.element) for finding in found if finding.element is not None}
    places = paths(document, wanted) if wanted else {}
    return _listed([_rule_issue(finding, places) for finding in found])


@cache
def _validator() -> jsonschema_rs.Validator:
    text = files("trialconv.validators").joinpath("_generated", "usdm-4.0.schema.json").read_bytes()
    return jsonschema_rs.Draft202012Validator(orjson.loads(text), validate_formats=True)


def _scopes(study: Mapping[str, Any]) -> Iterator[Scope]:
    """Yield a scope for each version of the study; the documents of the study belong to each."""
    documents = study.get("documentedBy") or []
    for version in study.get("versions") or []:
        yield Scope(version, documents)


def _rule_findings(scope: Scope) -> Iterator[Finding]:
    yield from scope.findings
    yield from term_findings(scope)
    yield from study_findings(scope)
    for design in scope.designs:
        yield from design_findings(design, scope)


def _listed(found: list[Issue]) -> list[Issue]:
    distinct = list(dict.fromkeys(found))
    if len(distinct) <= _MOST:
        return distinct
    # The gravest come first, so that no error hides behind warnings.
    distinct.sort(key=lambda found: SEVERITIES.index(found.severity))
    rest = distinct[_MOST:]
    more = f"{len(rest)} more findings are not listed"
    return [*distinct[:_MOST], issue("conformance", more, severity=rest[0].severity)]


def _rule_issue(finding: Finding, places: dict[int, str]) -> Issue:
    path = "" if finding.element is None else places[id(finding.element)]
    return issue(
        finding.code,
        finding.message,
        target_path=".".join(part for part in (path, finding.attribute) if part),
        rule=finding.rule,
        severity=finding.severity,
    )


def _schema_issue(error: jsonschema_rs.ValidationError) -> Issue:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{shortened(step)}" for step in error.instance_path)
    path = path.removeprefix(".")
    rule, message = _explained(error)
    return issue("schema", message, target_path=path, rule=rule)


def _explained(error: jsonschema_rs.ValidationError) -> tuple[str, str]:
    """Return the rule that an error of the schema breaks, and the error in words."""
    keyword, details = error.kind.name, error.kind.as_dict()
    found: Any = error.instance
    if keyword == "additionalProperties":
        names = ", ".join(shortened(name) for name in details["unexpected"][:20])
        return "DDF00125", f"{names}; the class has no such attribute"
    if keyword == "required":
        return "DDF00125", f"the attribute {details['property']} is missing; it is required"
    if keyword == "type":
        expected = " or ".join(TYPE_NAMES[name] for name in details["types"])
        return "DDF00082", f"{shortened(found)}; expected {expected}"
    if keyword in ("const", "enum"):
        allowed = details.get("options") or [details.get("expected_value")]
        return "DDF00081", f"{shortened(found)}; expected {' or '.join(str(one) for one in allowed)}"
    if keyword in ("minItems", "maxItems"):
        limit = "at least" if keyword == "minItems" else "at most"
        return "DDF00126", f"a list of {len(found)}; expected {limit} {details['limit']}"
    if keyword == "format":
        return "DDF00082", f"{shortened(found)} is no {details['format']}"
    if keyword == "minLength":
        return "DDF00125", "an empty text; expected at least one character"
    return keyword, f"{shortened(found)}; {shortened(str(error.message))}"
