"""Which reader a document needs, told from its first bytes."""

from __future__ import annotations

import re
from typing import Final, Literal

from trialconv.readers.common import refusal
from trialconv.readers.sources import Document
from trialconv.record import SourceInfo

ReaderName = Literal["ctgov-json", "ctgov-xml", "ctgov-page", "fhir", "odm"]

_EXPECTED: Final = (
    "expected ClinicalTrials.gov API v2 JSON (one study, a page of studies, NDJSON), legacy <clinical_study> XML, "
    "a rendered text page, a FHIR Bundle, an ODM study definition, or a ZIP or gzip of these"
)
_V1 = re.compile(rb'"(?:FullStudiesResponse|FullStudy|StudyFieldsResponse|ProtocolSection)"\s*:')
# How the registry writes a study: nothing else begins so, and the rest need not be looked at.
_BEGINS = re.compile(rb'\{\s*"protocolSection"\s*:')
_STUDY = re.compile(rb'"protocolSection"\s*:')
_FHIR = re.compile(rb'"resourceType"\s*:')
_ODM = re.compile(rb'"fileOID"\s*:')
_PAGE = re.compile(rb"^[ \t]*NCT ID:[ \t]*\S", re.MULTILINE)
_CSV = re.compile(rb'^"?NCT Number"?[,\t]')
_ROOT = re.compile(rb"<(?![?!])\s*([A-Za-z_][\w.:-]*)")
_HTML = re.compile(rb"^\s*(?:<!doctype\s+html|<html\b)", re.IGNORECASE)


def detect(document: Document) -> ReaderName:
    """Return the name of the reader for a document.

    Raises SourceError that names what the document is instead, when it is nothing that can be read.
    """
    if document.first_line:
        return "ctgov-json"
    head, source = document.head, document.source
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head[:64]:
        raise refusal("unrecognised-format", source, f"the text is UTF-16 or binary, not UTF-8; {_EXPECTED}")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text:
        raise refusal("unrecognised-format", source, f"the input is empty; {_EXPECTED}")
    if _BEGINS.match(text):
        return "ctgov-json"
    if text[:1] in (b"{", b"["):
        if _V1.search(text):
            message = "API v1 JSON is not supported yet; expected API v2 JSON"
            raise refusal("unsupported-format", source, message)
        return _detect_json(text)
    if text[:1] == b"<":
        return _detect_markup(text, source)
    if _CSV.match(text):
        message = "the registry's CSV download is not supported yet; expected its JSON download"
        raise refusal("unsupported-format", source, message)
    if _PAGE.search(text):
        return "ctgov-page"
    raise refusal("unrecognised-format", source, f"the text is no known registry document; {_EXPECTED}")


def _detect_json(text: bytes) -> ReaderName:
    if _STUDY.search(text):
        return "ctgov-json"
    return "fhir" if _FHIR.search(text) else "odm" if _ODM.search(text) else "ctgov-json"


def _detect_markup(text: bytes, source: SourceInfo) -> ReaderName:
    if _HTML.match(text):
        raise refusal("unrecognised-format", source, f"this is an HTML page, often an error answer; {_EXPECTED}")
    root = _ROOT.search(text)
    if root is None:
        raise refusal("unrecognised-format", source, f"this starts like XML but has no root element; {_EXPECTED}")
    local = root[1].rpartition(b":")[2]
    if local == b"ODM":
        return "odm"
    if local in (b"Bundle", b"ResearchStudy") and b"http://hl7.org/fhir" in text:
        return "fhir"
    if root[1] != b"clinical_study":
        name = root[1].decode("ascii", "replace")[:60]
        raise refusal("unrecognised-format", source, f"this is XML with the root <{name}>; {_EXPECTED}")
    return "ctgov-xml"
