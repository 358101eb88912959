"""The files of trial design datasets: each by itself, and what one says of another."""

from __future__ import annotations

from typing import Any

from trialconv.issues import Issue, issue
from trialconv.validators.dataset_json import validate_dataset_json
from trialconv.validators.odm import validate_odm_xml
from trialconv.validators.sdtm_rules import check_rules
from trialconv.xport import decode_xport


def validate_xport(data: bytes) -> list[Issue]:
    """Return what is wrong with a SAS transport file: layout, characters beyond ASCII, the rules for TS and TI."""
    try:
        dataset = decode_xport(data)
    except ValueError as error:
        return [issue("invalid-document", f"The file is no SAS transport file: {error}.")]
    found = [
        issue(
            "conformance",
            f"{name} is not in ASCII",
            target_path=f"{dataset['name']} row {number + 1}",
            rule="XPORT",
        )
        for number, row in enumerate(dataset["rows"])
        for name, value in zip((column["name"] for column in dataset["columns"]), row, strict=True)
        if isinstance(value, str) and not value.isascii()
    ]
    return found + check_rules(dataset)


def validate_sdtm_files(documents: dict[str, Any], files: dict[str, bytes]) -> list[Issue]:
    """Return what is wrong with the files of a study, as plain documents and as bytes; the file stands first."""
    found = []
    for name, document in documents.items():
        if name.endswith(".json"):
            each = validate_dataset_json(document)
        elif name.endswith(".xpt"):
            each = validate_xport(files[name])
        else:
            each = validate_odm_xml(files[name])
        found += [within(name, one) for one in each]
    return found


def within(name: str, found: Issue) -> Issue:
    """Return a finding with the name of the file before its place."""
    place = f"{name}: {found.target_path}" if found.target_path else name
    return issue(
        found.code,
        found.message,
        source_path=found.source_path,
        target_path=place,
        rule=found.rule,
        severity=found.severity,
    )
