"""A program that uses trialconv as its documentation says, for the type checker: nothing here is untyped."""

from __future__ import annotations

from pathlib import Path

import trialconv
from trialconv.context import Options
from trialconv.issues import SourceError, at_or_above


def convert_all(source: Path) -> dict[str, bytes]:
    """Return the ODM document of each record of a source by the record's number."""
    refused: list[SourceError] = []
    records = trialconv.read(source, max_record_size=1_000_000, on_error=refused.append)
    made = {record.nct_id: bytes(trialconv.convert(record, "odm-2.0")) for record in records}
    for refusal in refused:
        issue: trialconv.Issue = refusal.issue
        severity: trialconv.Severity = issue.severity
        print(severity, issue.code, issue.source_path)  # noqa: T201
    return made


def share_kept(source: Path) -> float:
    """Return the share of the values of a source that stand in an R5 bundle."""
    made: trialconv.Coverage = trialconv.coverage(trialconv.read(source), "fhir-r5", Options(contacts=False))
    for field in made.fields:
        for reason in field.reasons:
            print(field.field, field.homes, reason.code, reason.reason, reason.count)  # noqa: T201
    return made.totals("protocolSection").placed_share or 0.0


def r5_title(record: trialconv.Record) -> str:
    """Return the title of a record's R5 ResearchStudy."""
    options = Options(bundle="collection", contacts=False, base="https://example.org/fhir")
    bundle = trialconv.convert(record, "fhir-r5", options)
    errors: list[trialconv.Issue] = at_or_above(trialconv.validate(bundle, fhir_version="R5"), "error")
    if errors:
        raise ValueError(str(errors[0]))
    model = trialconv.fhir_models(bundle, "R5")
    return str(model.entry[0].resource.title)


def update_day(record: trialconv.Record) -> str | None:
    """Return the day of a record's last update."""
    status = record.study.protocol_section.status_module
    posted: str | None = status.last_update_post_date_struct.date
    return posted or record.version.date
