"""Changes that each break one invariant of FHIR, and the Issue that each must give."""

from __future__ import annotations

from typing import Any, Final

from fhir_defects import ALL, BEFORE_R5, ONLY_R5, REMOVED, Defect
from fhir_valid import BASE, STUDY, extension, organization, valid_resources
from trialconv.formats import FhirVersion

ONLY_R4B: Final[tuple[FhirVersion, ...]] = ("R4B",)
NOT_R4B: Final[tuple[FhirVersion, ...]] = ("R4", "R5")

_UCUM = "http://unitsofmeasure.org"
_HOUR: dict[str, Any] = {"code": "h", "system": _UCUM}
_INNER = {"resourceType": "Basic", "id": "inside", "code": {"text": "x"}}
_HELD = "contained[0](Organization/inner)"
_NOW = "2023-01-02T03:04:05Z"
_HOME = {"telecom": [{"use": "home"}]}
_ADDRESS = {"address": {"use": "home"}}
_DATA = {"type": "Patient"}
_TWO = {"requirement": _DATA, "relatedData": "x"}
_STEP = "PlanDefinition.action[0].action[0]"
_PART = {"name": "b", "valueString": "x"}
_SPONSOR = f"Organization/{STUDY}-sponsor"
_AGENT = "entry.0.resource.agent.0"
_AGENT_PATH = "Bundle.entry[0].resource(Provenance/made-up-8).agent[0]"
_STUDY_ENTRY = f"Bundle.entry[0].resource(ResearchStudy/{STUDY})"
_ALL_DAY = {"allDay": True, "availableStartTime": "08:00:00"}
_ODD_HOUR = {**_HOUR, "value": 1, "system": f"{BASE}/unit"}
_BOTH = {"path": "x", "searchParam": "x"}
_DATE = {"valueDateTime": "2023"}
_EXPRESSION = {"language": "text/cql", "expression": "x"}
_RATIOS = {"lowNumerator": {"value": 2}, "highNumerator": {"value": 1}, "denominator": {"value": 1}}
_SAMPLED: dict[str, Any] = {"origin": {"value": 0}, "dimensions": 1, "intervalUnit": "h", "data": "1 2"}
_SUBSCRIPTION = {
    "resourceType": "SubscriptionStatus",
    "id": "x",
    "type": "heartbeat",
    "subscription": {"display": "x"},
}
_HEADER = valid_resources("R4")["message"]["entry"][0]
_NOTHING_MORE = [_HEADER, {"fullUrl": "urn:y"}]
_NOTHING_SECOND = [{"fullUrl": "urn:x", "resource": _SUBSCRIPTION}, {"fullUrl": "urn:y"}]
_XHTML = 'xmlns="http://www.w3.org/1999/xhtml"'


def _value(
    key: str, type_name: str, value: Any, inner: str = "", versions: tuple[FhirVersion, ...] = ALL, name: str = ""
) -> Defect:
    """Return a defect in a value of a data type, which an extension carries."""
    changes = {"extension.0": extension(**{f"value{type_name}": value})}
    path = f"Basic.extension[0].value{type_name}{inner}"
    return Defect(name or f"{key} of {type_name}", "basic", changes, key, path, "invariant", versions)


def _change(
    key: str,
    base: str,
    changes: dict[str, Any],
    path: str,
    versions: tuple[FhirVersion, ...] = ALL,
    name: str = "",
) -> Defect:
    return Defect(name or f"{key} of {base}", base, changes, key, path, "invariant", versions)


def _repeat(key: str, name: str = "", inner: str = "", **content: Any) -> Defect:
    return _value(key, "Timing", {"repeat": content}, f".repeat{inner}", name=name)


def _outcome(severity: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "informational"}]}


def _narrative(key: str, content: str, name: str, whole: bool = False) -> Defect:
    div = content if whole else f"<div {_XHTML}>{content}</div>"
    return _change(key, "patient", {"text.div": div}, "Patient.text.div", name=name)


def _period(start: str, end: str, name: str) -> Defect:
    return _value("per-1", "Period", {"start": start, "end": end}, name=name)


def _range(low: dict[str, Any], high: dict[str, Any], name: str) -> Defect:
    return _value("rng-2", "Range", {"low": low, "high": high}, name=name)


_BUNDLES: Final = (
    _change("bdl-1", "bundle", {"total": 6}, "Bundle"),
    _change("bdl-2", "document", {"entry.1.search": {"mode": "match"}}, "Bundle.entry[1].search"),
    _change(
        "bdl-3", "answer", {"entry.0.request": {"method": "GET", "url": "x"}}, "Bundle.entry[0].request", BEFORE_R5
    ),
    _change("bdl-3a", "document", {"entry.1.response": {"status": "200"}}, "Bundle.entry[1].response", ONLY_R5),
    _change("bdl-3b", "history", {"entry.0.response": REMOVED}, "Bundle.entry[0]", ONLY_R5),
    _change(
        "bdl-3d",
        "answer",
        {"entry.0": {"fullUrl": "urn:x", "resource": organization()}},
        "Bundle.entry[0]",
        ONLY_R5,
    ),
    _change("bdl-4", "bundle", {"entry.3.response": {"status": "200"}}, "Bundle.entry[3].response", BEFORE_R5),
    _change(
        "bdl-4", "answer", {"entry.0": {"resource": organization()}}, "Bundle.entry[0]", BEFORE_R5, "no response"
    ),
    _change(
        "bdl-8", "document", {"entry.1.fullUrl": f"{BASE}/Organization/x/_history/1"}, "Bundle.entry[1].fullUrl"
    ),
    _change("bdl-9", "document", {"identifier.system": REMOVED}, "Bundle.identifier"),
    _change("bdl-9", "document", {"identifier": REMOVED}, "Bundle", name="no identifier"),
    _change("bdl-10", "document", {"timestamp": REMOVED}, "Bundle"),
    _change("bdl-11", "document", {"entry.0": REMOVED}, "Bundle.entry[0].resource.resourceType"),
    _change("bdl-11", "document", {"entry": REMOVED}, "Bundle", name="an empty document"),
    _change("bdl-12", "message", {"entry": REMOVED}, "Bundle"),
    _change("bdl-13", "notification", {"entry": REMOVED}, "Bundle", ONLY_R5),
    _change("bdl-15", "document", {"entry.1.fullUrl": REMOVED}, "Bundle.entry[1]", ONLY_R5),
    _change("bdl-18", "searchset", {"link": REMOVED}, "Bundle", ONLY_R5),
    _change("bdl-18", "searchset", {"link.0.relation": "next"}, "Bundle.link", ONLY_R5, "only a next link"),
    _change("bdl-5", "message", {"entry": _NOTHING_MORE}, "Bundle.entry[1]", BEFORE_R5),
    _change(
        "bdl-5", "notification", {"entry": _NOTHING_SECOND}, "Bundle.entry[1]", ONLY_R5, "nothing in an entry"
    ),
    _change("bdl-14", "history", {"entry.0.request.method": "PATCH"}, "Bundle.entry[0].request", ONLY_R5),
    _change("bdl-16", "searchset", {"issues": _outcome("error")}, "Bundle.issues.issue[0]", ONLY_R5),
    _change("bdl-17", "document", {"issues": _outcome("information")}, "Bundle", ONLY_R5),
)

_CONTAINED: Final = (
    _change("dom-2", "patient", {"contained.0.contained": [_INNER]}, "Patient.contained[0]"),
    _change("dom-3", "patient", {"managingOrganization": REMOVED}, "Patient.contained[0](Organization/inner)"),
    _change(
        "dom-3", "patient", {"managingOrganization.reference": "Organization/inner"}, f"Patient.{_HELD}", name="a"
    ),
    _change("dom-4", "patient", {"contained.0.meta": {"versionId": "1"}}, "Patient.contained[0].meta"),
    _change(
        "dom-4", "patient", {"contained.0.meta": {"lastUpdated": _NOW}}, "Patient.contained[0].meta", name="time"
    ),
    _change("dom-5", "patient", {"contained.0.meta": {"security": [{"code": "R"}]}}, "Patient.contained[0].meta"),
    _change(
        "dom-3", "study", {"contained": [_INNER]}, "ResearchStudy.contained[0](Basic/inside)", name="in a study"
    ),
    _change(
        "dom-3",
        "variable",
        {"contained": [_INNER]},
        "EvidenceVariable.contained[0](Basic/inside)",
        name="inherited",
    ),
)

_RESOURCES: Final = (
    _change("org-1", "organization", {"name": REMOVED}, "Organization"),
    _change("org-2", "organization", {"address": [{"use": "home"}]}, "Organization.address[0]", BEFORE_R5),
    _change("org-3", "organization", {"telecom": [{"use": "home"}]}, "Organization.telecom[0]", BEFORE_R5),
    _change(
        "org-3", "organization", {"contact": [_HOME]}, "Organization.contact[0].telecom[0]", ONLY_R5, "telecom"
    ),
    _change("org-4", "organization", {"contact": [_ADDRESS]}, "Organization.contact[0].address", ONLY_R5),
    _change(
        "evv-1", "variable", {"characteristic.0.definitionId": "x"}, "EvidenceVariable.characteristic[0]", ONLY_R5
    ),
    _change("pld-0", "plan", {"action.0.input": [{"title": "x"}]}, "PlanDefinition.action[0].input[0]", ONLY_R5),
    _change("pld-0", "plan", {"action.0.action.0.input": [_TWO]}, f"{_STEP}.input[0]", ONLY_R5, "two in a step"),
    _change("pld-1", "plan", {"action.0.output": [{"title": "x"}]}, "PlanDefinition.action[0].output[0]", ONLY_R5),
    _change("inv-1", "parameters", {"parameter.0.part": [_PART]}, "Parameters.parameter[0]"),
    _change(
        "inv-1", "parameters", {"parameter.0.valueString": REMOVED}, "Parameters.parameter[0]", name="nothing"
    ),
    _change("prov-1", "provenance", {f"{_AGENT}.who.reference": _SPONSOR}, _AGENT_PATH, ONLY_R5),
    _change(
        "prov-2", "provenance", {f"{_AGENT}.onBehalfOf.reference": "Practitioner/person"}, _AGENT_PATH, ONLY_R5
    ),
    _change(
        "prov-3",
        "provenance",
        {f"{_AGENT}.who.reference": _SPONSOR, f"{_AGENT}.onBehalfOf.reference": "PractitionerRole/role"},
        _AGENT_PATH,
        ONLY_R5,
    ),
    _change(
        "tim-2", "activity", {"timingTiming.repeat.periodUnit": REMOVED}, "ActivityDefinition.timingTiming.repeat"
    ),
    _change("per-1", "study", {"period.end": "2022-12"}, "ResearchStudy.period"),
    _change("per-1", "bundle", {"entry.0.resource.period.start": "2026"}, f"{_STUDY_ENTRY}.period"),
)

_TYPES: Final = (
    _value("age-1", "Age", {"value": 1, "unit": "a"}),
    _value("age-1", "Age", {"value": -1, "code": "a", "system": _UCUM}, name="negative age"),
    _value("age-1", "Age", {"value": 1, "code": "a", "system": f"{BASE}/unit"}, name="age in another system"),
    _value("att-1", "Attachment", {"data": "YQ=="}),
    _value("av-1", "Availability", {"availableTime": [_ALL_DAY]}, ".availableTime[0]", ONLY_R5),
    _value("cnt-3", "Count", {"value": 1.5, "code": "1", "system": _UCUM}),
    _value("cnt-3", "Count", {"value": 1}, name="count without a code"),
    _value("cnt-3", "Count", {"value": 1, "code": "h", "system": _UCUM}, name="count in hours"),
    _value("cpt-2", "ContactPoint", {"value": "+1 555 0100"}),
    _value("dis-1", "Distance", {"value": 1}),
    _value("dis-1", "Distance", {"value": 1, "code": "m", "system": f"{BASE}/unit"}, name="distance elsewhere"),
    _value("dos-1", "Dosage", {"asNeeded": False, "asNeededFor": [{"text": "x"}]}, versions=ONLY_R5),
    _value(
        "drq-1",
        "DataRequirement",
        {"type": "Patient", "codeFilter": [{"code": [{"code": "x"}]}]},
        ".codeFilter[0]",
    ),
    _value("drq-1", "DataRequirement", {"type": "Patient", "codeFilter": [_BOTH]}, ".codeFilter[0]", name="both"),
    _value("drq-2", "DataRequirement", {"type": "Patient", "dateFilter": [_DATE]}, ".dateFilter[0]"),
    _value("drt-1", "Duration", _HOUR, versions=NOT_R4B),
    _value("drt-1", "Duration", {"value": 1}, versions=ONLY_R4B, name="duration without a code"),
    _value("drt-1", "Duration", _ODD_HOUR, ".system", name="duration in another system"),
    _value("exp-1", "Expression", {"language": "text/cql"}),
    _value("exp-2", "Expression", {**_EXPRESSION, "name": "1 x"}, ".name", versions=ONLY_R5),
    _value("qty-3", "Quantity", {"value": 1, "code": "h"}),
    _value("qty-3", "Age", {"value": 1, "code": "a"}),
    _value("rat-1", "Ratio", {"numerator": {"value": 1}}),
    _value("rat-1", "Ratio", {"id": "x"}, name="ratio of nothing"),
    _value("ratrng-1", "RatioRange", {"lowNumerator": {"value": 1}}, versions=ONLY_R5),
    _value("inv-1", "RatioRange", {"lowNumerator": {"value": 1}}, versions=ONLY_R4B),
    _value("ratrng-2", "RatioRange", _RATIOS, versions=ONLY_R5),
    _value("inv-2", "RatioRange", _RATIOS, versions=ONLY_R4B),
    _value("ref-2", "Reference", {"type": "Patient"}, versions=ONLY_R5),
    _value("sdd-1", "SampledData", {**_SAMPLED, "interval": 1, "offsets": "1 2"}, versions=ONLY_R5),
    _value("sdd-1", "SampledData", _SAMPLED, versions=ONLY_R5, name="neither interval nor offsets"),
    _period("2023-01-02", "2023-01-01", "a day too late"),
    _period("2024", "2023-12", "a year after a month"),
    _period("2023-01-02T00:00:00Z", "2023-01-02T00:30:00+01:00", "another zone"),
    _period("2023-01-03T12:00:00.5Z", "2023-01-03T12:00:00.4Z", "a tenth of a second"),
    _period("2023-01-02T15:00:00Z", "2023-01-01", "a time after a day"),
    _range({"value": 2}, {"value": 1}, "plain numbers"),
    _range({"value": 2, "unit": "years"}, {"value": 1.5, "unit": "years"}, "units in words"),
    _range({**_HOUR, "value": 2}, {**_HOUR, "value": 90, "code": "min"}, "hours and minutes"),
    _range({**_HOUR, "value": 1, "code": "kg"}, {**_HOUR, "value": 90, "code": "g"}, "kilograms and grams"),
)

_TIMES: Final = (
    _repeat("tim-1", duration=1),
    _repeat("tim-2", period=1),
    _repeat("tim-4", inner=".duration", duration=-1, durationUnit="h"),
    _repeat("tim-5", inner=".period", period=-1, periodUnit="h"),
    _repeat("tim-6", periodMax=1),
    _repeat("tim-7", durationMax=1),
    _repeat("tim-8", countMax=1),
    _repeat("tim-9", offset=1),
    _repeat("tim-9", "offset of a meal", offset=1, when=["AC", "CM"]),
    _repeat("tim-10", timeOfDay=["08:00:00"], when=["AC"]),
    _value("trd-1", "TriggerDefinition", {"type": "data-added", "data": [_DATA], "timingDate": "2023"}),
    _value("trd-2", "TriggerDefinition", {"type": "named-event", "name": "x", "condition": _EXPRESSION}),
    _value("trd-3", "TriggerDefinition", {"type": "named-event"}),
    _value("trd-3", "TriggerDefinition", {"type": "periodic"}, name="periodic without timing"),
    _value("trd-3", "TriggerDefinition", {"type": "data-added"}, name="data event without data"),
)

_NARRATIVES: Final = (
    _narrative("txt-1", "<script>x</script>", "a script"),
    _narrative("txt-1", "<p onclick='x'>x</p>", "an event"),
    _narrative("txt-1", "<a href=' JavaScript:x'>x</a>", "a script in a link"),
    _narrative("txt-1", "<form>x</form>", "a form"),
    _narrative("txt-1", "<p>x", "an open paragraph"),
    _narrative("txt-1", "&made-up;", "an entity"),
    _narrative("txt-1", "<?made up?>x", "a processing instruction"),
    _narrative("txt-1", "<div>x</div>", "no namespace", whole=True),
    _narrative("txt-1", f"<p {_XHTML}>x</p>", "no div", whole=True),
    _narrative("txt-1", f"<!DOCTYPE div><div {_XHTML}>x</div>", "a document type", whole=True),
    _narrative("txt-2", "<p> </p><!-- x -->", "nothing said"),
)

#: Defects of every invariant; those in fhir_defects.py come before.
RULE_DEFECTS: Final[tuple[Defect, ...]] = (
    *_BUNDLES,
    *_CONTAINED,
    *_RESOURCES,
    *_TYPES,
    *_TIMES,
    *_NARRATIVES,
)
