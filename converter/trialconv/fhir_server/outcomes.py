"""What servers say, as Issues: https://hl7.org/fhir/R4/operationoutcome.html, with places in our own terms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal

from trialconv.formats import FhirVersion
from trialconv.issues import Issue, Severity, issue
from trialconv_mappings.fields import field_rows

_SEVERITIES: Final[dict[str, Severity]] = {
    "fatal": "error",
    "error": "error",
    "warning": "warning",
    "information": "information",
}
#: The longest message that is taken from a server.
_LONGEST: Final = 1000
#: More fields than this have one home between them; naming all of them would help nobody.
_MOST_FIELDS: Final = 3
_ENTRY: Final = re.compile(r"Bundle\.entry\[(\d+)\]")
_NO_STEP: Final = re.compile(r"/\*.*?\*/|\.ofType\(\w+\)|\.resource(?=\W|$)")
_EXTENSION: Final = re.compile(r"\.(?:modifierE|e)xtension\[(\d+)\]")

Target = Literal["fhir-r4", "fhir-r4b", "fhir-r5"]
TARGETS: Final[dict[FhirVersion, Target]] = {"R4": "fhir-r4", "R4B": "fhir-r4b", "R5": "fhir-r5"}


def _outcome_issues(resource: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
    if resource is not None and resource.get("resourceType") == "OperationOutcome":
        for found in resource.get("issue", ()):
            if isinstance(found, dict):
                yield found


def message_of(found: Mapping[str, Any]) -> str:
    """Return what an issue of an OperationOutcome says, for people."""
    details = found.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    said = [str(each) for each in (text, found.get("diagnostics")) if each]
    message = ": ".join(dict.fromkeys(said)) or f"({found.get('code', 'no reason given')})"
    message = " ".join(message.split())
    return message if len(message) <= _LONGEST else message[:_LONGEST] + " ..."


def reasons(resource: Mapping[str, Any] | None) -> list[str]:
    """Return the messages of an OperationOutcome, the errors alone where there are some."""
    found = list(_outcome_issues(resource))
    grave = [each for each in found if _SEVERITIES.get(str(each.get("severity"))) == "error"]
    return [message_of(each) for each in grave or found]


def outcome_issues(
    outcome: Mapping[str, Any] | None,
    entries: Sequence[Mapping[str, Any]],
    study: str,
    target: Target,
    *,
    entry: int | None = None,
) -> list[Issue]:
    """Return the Issues of an OperationOutcome about a study's entries.

    `entries` are those that were sent, in their order, each with its `resource` and its `request`. `entry` is the
    position of the one that the outcome is about, where the answer tells. The path in the bundle becomes
    `target_path`, the fields of the record that have their home there `source_path`.
    """
    made = []
    for found in _outcome_issues(outcome):
        severity = _SEVERITIES.get(str(found.get("severity")), "error")
        if severity == "information":
            continue
        place, resource = _place(found, entries, entry)
        made.append(
            issue(
                "server-refused" if severity == "error" else "server-warned",
                message_of(found),
                record=study,
                source_path=source_fields(place, resource, target),
                target_path=place,
                rule=str(found.get("code", "")),
            )
        )
    return made


def _place(
    found: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], entry: int | None
) -> tuple[str, Mapping[str, Any] | None]:
    """Return where in the bundle an issue is, and the resource there.

    Servers write `Bundle.entry[0].resource.status`, with the type or not, or `ResearchStudy.status`, or nothing.
    """
    written = [str(each) for each in (*found.get("expression", ()), *found.get("location", ()))]
    path = next((each for each in written if each), "")
    inside = _ENTRY.search(path) or _ENTRY.search(str(found.get("diagnostics", "")))
    if inside is not None and int(inside[1]) < len(entries):
        entry = int(inside[1])
    if entry is None or entry >= len(entries):
        return path, None
    sent = entries[entry]
    resource = sent.get("resource")
    kind = resource["resourceType"] if resource else ""
    start = _ENTRY.search(path)
    tail = _NO_STEP.sub("", path[start.end() :] if start else path)
    tail = tail.removeprefix(kind).lstrip(".")
    return f"Bundle.entry[{entry}].resource({kind})" + (f".{tail}" if tail else ""), resource


def source_fields(place: str, resource: Mapping[str, Any] | None, target: Target) -> str:
    """Return the fields of the record that have their home at a place of a bundle, with `; ` between them.

    Empty where the place is no home, or that of more fields than are worth naming.
    """
    if resource is None or "." not in (tail := place.partition("].resource")[2]):
        return ""
    home = f"{resource['resourceType']}.{_named_extensions(tail.partition('.')[2], resource)}"
    home = re.sub(r"\[\d+\]", "", home)
    homes = _fields_by_home(target)
    while "." in home:
        if fields := homes.get(home):
            return "; ".join(fields) if len(fields) <= _MOST_FIELDS else ""
        home = home.rpartition(".")[0]
    return ""


def _named_extensions(path: str, resource: Mapping[str, Any]) -> str:
    """Return a path of a resource with the names of its own extensions in the place of their numbers."""
    found = re.match(r"extension\[(\d+)\]", path)
    extensions = resource.get("extension", ())
    if found is None or int(found[1]) >= len(extensions):
        return path
    name = str(extensions[int(found[1])].get("url", "")).rpartition("/StructureDefinition/")
    short = name[2].removeprefix("extension-")
    version = "5.0 " if name[0].endswith("/5.0") else ""
    return f"extension({version}{short})"


@cache
def _fields_by_home(target: str) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for row in field_rows(target):
        for home in row.homes:
            made.setdefault(home, []).append(row.path)
    return made
