"""FHIR as NDJSON, one resource on each line: https://hl7.org/fhir/R5/nd-json.html."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from trialconv.issues import Issue, issue

#: What judges one resource, with the references that earlier lines answer.
Judge = Callable[[dict[str, Any], set[str]], list[Issue]]


def resources_on_lines(data: bytes) -> list[tuple[int, Any]] | None:
    """Return what stands on each line that is not empty, with its number from 1; None if this is no NDJSON.

    It is when there are several such lines and the first holds a resource. A line that is no JSON gives an Issue
    in the place of a resource.
    """
    lines = [(number, line) for number, line in enumerate(data.splitlines(), start=1) if line.strip()]
    if len(lines) < 2:
        return None
    first = _resource(*lines[0])
    if not isinstance(first, dict) or not isinstance(first.get("resourceType"), str):
        return None
    return [(number, _resource(number, line)) for number, line in lines]


def _resource(number: int, line: bytes) -> Any:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        return issue("invalid-document", f"the line is no JSON: {error}", source_path=f"line {number}")
    if isinstance(found, dict) and isinstance(found.get("resourceType"), str):
        return found
    message = "expected a JSON object with a resourceType on each line"
    return issue("invalid-document", message, source_path=f"line {number}")


def judge_lines(lines: list[tuple[int, Any]], judge: Judge) -> Iterator[Issue]:
    """Yield the Issues of all lines, each with its line as `source_path`.

    A bundle may refer to the resources in bundles on earlier lines: they are the parts of a split one.
    """
    known: set[str] = set()
    for number, resource in lines:
        if isinstance(resource, Issue):
            yield resource
            continue
        for found in judge(resource, known):
            yield msgspec.structs.replace(found, source_path=f"line {number}")
        known.update(_instances(resource))


def _instances(bundle: dict[str, Any]) -> Iterator[str]:
    entries = bundle.get("entry") if bundle["resourceType"] == "Bundle" else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and "id" in resource:
            yield f"{resource.get('resourceType')}/{resource['id']}"
