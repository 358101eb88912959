"""What all readers share: from a tree with the registry's keys to a record, or to one clear refusal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from trialconv.issues import Issue, SourceError, issue
from trialconv.record import Finding, Record, SourceInfo, Study, study_from_tree

_NCT = re.compile(r"NCT\d{8}")


def record_from_tree(
    tree: dict[str, Any],
    source: SourceInfo,
    issues: list[Issue] | None = None,
    extras: dict[str, Any] | None = None,
) -> Record:
    """Make a record of a tree that has the registry's keys (API v2 names and enum values).

    What the OpenAPI does not list becomes Issues of the record. Raises SourceError for a tree without an NCT
    number.
    """
    study, findings = study_from_tree(tree)
    return record_from_study(study, findings, source, issues, extras)


def rebuilt_record(
    tree: dict[str, Any], source: SourceInfo, issues: list[Issue], extras: dict[str, Any]
) -> Record:
    """Make a record of the tree that a document of a target gave back, and of what is to be said of the document.

    A study without an NCT number is a record without one, and an Issue says so: its other ids are kept.
    """
    study, findings = study_from_tree(tree)
    module = study.protocol_section.identification_module
    number = module.nct_id
    if number is None or not _NCT.fullmatch(number):
        found = "there is no NCT number" if number is None else f"{number[:40]!r} is no NCT number and is left out"
        issues = [*issues, issue("no-registry-number", found)]
        module.nct_id = None
    record = Record(study, source, extras=extras)
    issues = [*issues, *(finding.as_issue("") for finding in findings)]
    record.issues += [msgspec.structs.replace(each, record=record.name) for each in issues]
    return record


def record_from_study(
    study: Study,
    findings: list[Finding],
    source: SourceInfo,
    issues: list[Issue] | None = None,
    extras: dict[str, Any] | None = None,
) -> Record:
    """Make a record of a decoded study and what was found while decoding it."""
    nct_id = study.protocol_section.identification_module.nct_id
    if nct_id is None or not _NCT.fullmatch(nct_id):
        found = "no NCT number" if nct_id is None else f"{nct_id[:40]!r} instead of an NCT number"
        raise refusal("not-a-study", source, f"{found} at protocolSection.identificationModule.nctId")
    found_issues = [finding.as_issue(nct_id) for finding in findings]
    return Record(study, source, [*(issues or []), *found_issues], extras)


def broken_characters(record: Record) -> list[Issue]:
    """Return an Issue for each text of a record that holds U+FFFD, which stands for a lost character."""
    message = "the text holds U+FFFD in the place of a character that was lost at the source"
    return [
        issue("broken-character", message, record=record.nct_id, source_path=path)
        for path, value in _texts(msgspec.json.decode(record.to_json()), "")
        if "\ufffd" in value
    ]


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(item, f"{path}[{position}]")
    elif isinstance(value, str):
        yield path, value


def refusal(code: str, source: SourceInfo, message: str) -> SourceError:
    """Return the exception that refuses a source or a record in it, naming the input and the place."""
    return SourceError(issue(code, message, record=source.name, source_path=source.place))
