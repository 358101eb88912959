"""What is pushed: studies that are converted on the way, and bundles that somebody has converted before."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.fhir_server.entries import Entry, Unit, entries_of, joined, study_of
from trialconv.formats import FhirVersion
from trialconv.issues import Issue, SourceError, UsageError, issue
from trialconv.pipeline import read_documents, transform_isolated
from trialconv.readers.sources import READ_ERRORS, Document, documents
from trialconv.record import Record

_FHIR: Final = re.compile(rb'"resourceType"\s*:')


class Prepared(NamedTuple):
    """A study ready to be pushed, and the Issues of its conversion and of its validation."""

    unit: Unit
    issues: list[Issue]
    findings: list[Issue]

    @property
    def valid(self) -> bool:
        """Tell whether the validator found no error."""
        return not any(found.severity == "error" for found in self.findings)


class Inputs(NamedTuple):
    """What is given to be pushed, and how it is to be read and converted: to `options.fhir_version`."""

    sources: tuple[str, ...]
    options: Options
    reader: str | None
    limit: int
    check: bool

    def prepared(self) -> Iterator[Prepared | SourceError]:
        """Yield every study, or why one cannot be had, in the order of the input."""
        for source in self.sources:
            for document in documents(source):
                if isinstance(document, SourceError):
                    yield document
                    continue
                try:
                    yield from self._of(document)
                except SourceError as error:
                    yield error

    def studies(self) -> Iterator[str | SourceError]:
        """Yield the number of every study, without converting it."""
        for source in self.sources:
            for document in documents(source):
                if isinstance(document, SourceError):
                    yield document
                    continue
                try:
                    yield from self._numbers(document)
                except SourceError as error:
                    yield error

    def _of(self, document: Document) -> Iterator[Prepared | SourceError]:
        if is_fhir(document):
            for unit in self._units(document):
                yield Prepared(unit, [], _judged(unit, self.options.fhir_version) if self.check else [])
            return
        target = TARGETS[f"fhir-{self.options.fhir_version.lower()}"]
        for record in self._records(document):
            if isinstance(record, SourceError):
                yield record
                continue
            made = transform_isolated(record, target, self.options, check=self.check)
            if isinstance(made, SourceError):
                yield made
            else:
                unit = Unit(record.nct_id, entries_of(json.loads(made.data)))
                yield Prepared(unit, made.issues, made.findings)

    def _numbers(self, document: Document) -> Iterator[str | SourceError]:
        if is_fhir(document):
            yield from (unit.study for unit in self._units(document))
            return
        for record in self._records(document):
            yield record if isinstance(record, SourceError) else record.nct_id

    def _records(self, document: Document) -> Iterator[Record | SourceError]:
        return read_documents([document], self.reader, self.limit)

    def _units(self, document: Document) -> Iterator[Unit]:
        """Yield the studies of a document with bundles. Parts of one study are put together."""
        name, parts = document.source.name, list[list[Entry]]()
        for bundle in _bundles(document, self.limit):
            _check_version(bundle, self.options.fhir_version, name)
            try:
                parts.append(entries_of(bundle))
            except UsageError as error:
                raise _unsuited(name, str(error)) from error
            if (study := study_of(parts[-1])) is not None:
                yield Unit(study, joined(parts))
                parts = []
        if parts:
            # Resources without a study: a part whose study comes in another file, or none of ours.
            yield Unit(name, joined(parts))


def is_fhir(document: Document) -> bool:
    """Tell whether a document holds FHIR in JSON and no registry record."""
    head = document.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return head[:1] == b"{" and _FHIR.search(head) is not None and b'"protocolSection"' not in head


def _bundles(document: Document, limit: int) -> Iterator[dict[str, Any]]:
    """Yield the bundles of a document: one, or one on each line."""
    name = document.source.name
    try:
        first = document.stream.readline(limit + 1)
        found = _parsed(first)
        if found is None:
            yield _bundle(_parsed(first + document.stream.read(limit + 1)), name)
            return
        yield _bundle(found, name)
        while line := document.stream.readline(limit + 1):
            if line.strip():
                yield _bundle(_parsed(line), name)
    except READ_ERRORS as error:
        raise SourceError(issue("unreadable-source", f"cannot be read: {error}", record=name)) from error


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _bundle(found: Any, name: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise SourceError(issue("malformed-source", "this is no JSON, or is larger than the limit", record=name))
    if found.get("resourceType") != "Bundle":
        raise _unsuited(name, f"this is a {found.get('resourceType')}; only Bundles and records are pushed")
    return found


def _unsuited(name: str, message: str) -> SourceError:
    return SourceError(issue("not-to-push", message, record=name))


def _check_version(bundle: dict[str, Any], version: FhirVersion, name: str) -> None:
    from trialconv.validators.fhir import fitting_versions, infer_version

    fitting = fitting_versions(bundle)
    if version not in fitting:
        found, why = infer_version(bundle)
        raise _unsuited(
            name, f"the bundle is {found} and the server {version}: {why}; convert the record for {version}"
        )


def _judged(unit: Unit, version: FhirVersion) -> list[Issue]:
    from trialconv.validators.fhir import validate_fhir

    entries = [{"fullUrl": entry.name, "resource": entry.resource} for entry in unit.entries]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return validate_fhir(bundle, version)
