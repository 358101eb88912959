"""What a mapping may know besides the record: the options, the clock, and a place to put Issues."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from trialconv.formats import FhirVersion, OdmVersion, SdtmFormat
from trialconv.issues import Issue, UsageError, issue
from trialconv.record import Record

BundleType = Literal["transaction", "batch", "collection"]
RequestKind = Literal["put", "conditional-create", "conditional-update"]
UnknownStatus = Literal["absent", "last-known"]

#: Everything that trialconv itself mints (urls, extensions, identifier systems) hangs under this. It names
#: things and is no server.
BASE: Final = "https://w3id.org/trialconv"

#: The instant for a format that demands one when nothing else is known.
EPOCH: Final = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to convert. The same options give the same bytes for the same record.

    `odm_plain` leaves the study design of SDM-XML out of ODM 1.3.2. `base` stands before every url and
    identifier system that trialconv mints. `contacts` False leaves out names, e-mail addresses and telephone
    numbers of contacts. `unknown_status` says what an R4 status becomes for a study whose status the registry
    calls UNKNOWN. `created` overrides the clock (an ISO 8601 instant).
    `sdtm_minimal` asks for nothing but the ts.xpt of a study without data; `study_id` is its STUDYID, for SDTM,
    where the sponsor's own study number is not the one to use. `soap_to` is the address for which an IHE RPE
    message is put into a SOAP envelope.

    Of a FHIR bundle, `bundle` is its type and `request` how its entries ask a server to store them: under ids of
    ours (put), or under ids of the server's, found by an identifier. `narrative` adds texts for people,
    `provenance` a Provenance, and `shared_organizations` lets studies have the same Organization where they say
    the same of it.
    """

    fhir_version: FhirVersion = "R4"
    odm_version: OdmVersion = "2.0"
    odm_plain: bool = False
    bundle: BundleType = "transaction"
    request: RequestKind = "put"
    narrative: bool = False
    provenance: bool = False
    shared_organizations: bool = False
    base: str = BASE
    unknown_status: UnknownStatus = "absent"
    contacts: bool = True
    created: str | None = None
    sdtm_format: SdtmFormat = "dataset-json"
    sdtm_minimal: bool = False
    study_id: str | None = None
    soap_to: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", self.base.rstrip("/"))
        if self.created is not None and not _is_instant(self.created):
            raise UsageError(f"{self.created!r} is not an instant such as 2025-01-21T00:00:00Z")
        if self.study_id is not None and not _STUDY_ID.fullmatch(self.study_id):
            raise UsageError(f"{self.study_id!r} is no STUDYID: 1 to 64 printable ASCII characters")
        if self.request != "put":
            _check_conditional(self.request, self.bundle, provenance=self.provenance)


def _check_conditional(request: RequestKind, bundle: BundleType, *, provenance: bool) -> None:
    """Raise UsageError for what does not go together with conditional requests."""
    if bundle == "batch":
        raise UsageError(
            f"{request} does not go with a batch: its entries may not refer to one another, and a server resolves "
            "such references in a transaction only; use a transaction, or put"
        )
    if bundle != "transaction":
        raise UsageError(f"{request} does not go with a {bundle}, which has no requests; use a transaction")
    if provenance and request == "conditional-create":
        raise UsageError(
            "a Provenance does not go with conditional-create: what the server has already stays as it is, and "
            "the Provenance would say that it was made of this record; use conditional-update, or put"
        )


@dataclass(slots=True)
class Context:
    """One conversion: the record, the options, and the Issues found so far.

    `uncoded` lists each value that was looked up in a code table and has no code there, with the table's name.
    """

    record: Record
    options: Options
    issues: list[Issue] = field(default_factory=list)
    uncoded: list[tuple[str, str]] = field(default_factory=list)

    def note(self, code: str, message: str, source_path: str = "", target_path: str = "") -> None:
        """Add an Issue about this record, with the severity of the catalogue."""
        self.issues.append(
            issue(code, message, record=self.record.nct_id, source_path=source_path, target_path=target_path)
        )

    def created(self, target_path: str) -> str:
        """Return the instant that a format demands, and list it as filled in.

        The only clock: the `created` option, else SOURCE_DATE_EPOCH, else the record's last-update date at
        00:00:00Z, else a constant. It never is the time of the day.
        """
        instant, origin = _instant(self.options.created, self.record.last_update)
        self.note("filled-in", f"{instant}, from {origin}", target_path=target_path)
        return instant


# What every format of SDTM can hold, and no space at either end.
_STUDY_ID = re.compile(r"(?! )[ -~]{1,64}(?<! )")
# XML Schema allows offsets up to 14 hours: https://www.w3.org/TR/xmlschema11-2/#dateTime
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))", re.ASCII
)


def _is_instant(text: str) -> bool:
    """Tell whether a text is an ISO 8601 instant with a time zone, on a day of the calendar."""
    if not _INSTANT.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _instant(created: str | None, last_update: str | None) -> tuple[str, str]:
    given = clock(created)
    if given is not None:
        return given, "the created option" if created else "SOURCE_DATE_EPOCH"
    if last_update and _is_instant(instant := last_update + "T00:00:00Z"):
        return instant, "the record's last update"
    return EPOCH, "a constant, since the record has no last-update date"


def clock(created: str | None) -> str | None:
    """Return the instant that the created option or SOURCE_DATE_EPOCH gives; None without either.

    Raises UsageError for a SOURCE_DATE_EPOCH that is none.
    """
    if created:
        return created
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch:
        if not epoch.isdecimal():
            raise UsageError(f"SOURCE_DATE_EPOCH must be a whole number of seconds, not {epoch!r}")
        try:
            moment = datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError, OSError):
            raise UsageError(f"SOURCE_DATE_EPOCH is beyond the calendar: {epoch}") from None
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return None
