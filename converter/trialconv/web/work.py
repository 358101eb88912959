"""What a request asks for, done in a process of its own: bytes in, plain data out.

A process can be ended when it takes too long, and what a hostile record does to it does not reach the server.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any, Final, NamedTuple

import msgspec

from trialconv.context import Options
from trialconv.formats import FhirVersion
from trialconv.issues import SEVERITIES, Issue, SourceError, issue
from trialconv.record import Record

#: The date that entries of a ZIP bear, so that equal input gives equal bytes. It is the first that the format has.
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)
#: So many findings an answer has at most: a few bytes of a document can give one, and nobody reads thousands.
MOST_FINDINGS: Final = 1000


class Conversion(NamedTuple):
    """What became of a record: its number, the document's bytes (None without one), and the Issues."""

    nct_id: str
    data: bytes | None
    issues: list[Issue]
    findings: list[Issue]
    refused: bool = False

    @property
    def valid(self) -> bool:
        """Tell whether the validator found no error."""
        return not any(found.severity == "error" for found in self.findings)


def convert_bytes(
    data: bytes, name: str, reader: str | None, target: str, options: dict[str, Any], *, xml: bool, max_record: int
) -> Conversion:
    """Convert the one record that the bytes hold. `xml` asks for FHIR as XML."""
    from trialconv.catalog import fhir_in_xml
    from trialconv.pipeline import target_named, transform_isolated

    chosen = target_named(target)
    record = only_record(data, name, reader, max_record)
    if isinstance(record, Issue):
        return Conversion("", None, [record], [], refused=True)
    if xml:
        chosen = fhir_in_xml(chosen, chosen.versions["fhir_version"])
    made = transform_isolated(record, chosen, Options(**options))
    if isinstance(made, SourceError):
        return Conversion(record.nct_id, None, [made.issue], [], refused=True)
    body = _zipped(record.nct_id, made.files) if made.files else made.data
    return Conversion(record.nct_id, body, made.issues, made.findings)


class Shown(NamedTuple):
    """What the page shows of a record in one target, as JSON; or the Issues that say why it shows nothing."""

    data: bytes | None
    issues: list[Issue]


def show_bytes(data: bytes, name: str, target: str, *, max_record: int) -> Shown:
    """Return the view of the one record that the bytes hold, beside its document of a target."""
    from trialconv.ledger.build import ledger
    from trialconv.pipeline import target_named, transform_isolated
    from trialconv.web.view import study_view

    record = only_record(data, name, None, max_record)
    if isinstance(record, Issue):
        return Shown(None, [record])
    chosen = target_named(target)
    made = transform_isolated(record, chosen, Options())
    if isinstance(made, SourceError):
        return Shown(None, [made.issue])
    shown = {
        "study": study_view(record),
        "ledger": ledger(record, [(chosen, made)], Options()),
        "valid": made.valid,
        "issues": [str(found) for found in dict.fromkeys(made.issues)],
    }
    return Shown(msgspec.json.encode(shown), [])


def only_record(data: bytes, name: str, reader: str | None, max_record: int) -> Record | Issue:
    """Return the one record that the bytes hold, or why there is not exactly one."""
    from trialconv.pipeline import outcomes_of_stream

    outcomes = outcomes_of_stream(io.BytesIO(data), name, reader, max_record)
    first = next(outcomes, None)
    if first is None:
        return issue("not-a-study", "the body holds no record")
    if isinstance(first, SourceError):
        return first.issue
    if next(outcomes, None) is not None:
        return issue("several-records", "the body holds more than one record; send them one by one")
    return first


class Findings(NamedTuple):
    """What is wrong with a document, and how many findings more there are."""

    issues: list[Issue]
    more: int


def validate_bytes(data: bytes, fhir_version: FhirVersion | None, *, extensions: bool) -> Findings:
    """Return what is wrong with a document; of very many findings the gravest."""
    from trialconv.judging import validate

    found = validate(data, fhir_version=fhir_version, extensions=extensions)
    if len(found) > MOST_FINDINGS:
        found.sort(key=lambda each: SEVERITIES.index(each.severity))
    return Findings(found[:MOST_FINDINGS], max(0, len(found) - MOST_FINDINGS))


def _zipped(nct_id: str, files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{nct_id}/{name}", _ZIP_DATE), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
