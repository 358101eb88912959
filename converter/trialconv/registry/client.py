"""The calls of the ClinicalTrials.gov API v2 that trialconv makes, and what may be wrong with the answers.

https://clinicaltrials.gov/data-api/api: `/version`, `/studies/{nctId}`, `/studies`. Records are handed over as the
registry gave them, byte by byte.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trialconv.http_client import Answer, HttpClient, HttpError, Limits, Retry, Timing, TooLargeError, checked_base
from trialconv.issues import Issue, SourceError, issue
from trialconv.registry.ids import nct_number

if TYPE_CHECKING:
    import httpx

#: The address of the API, unless the option or the environment variable says otherwise.
REGISTRY_URL: Final = "https://clinicaltrials.gov/api/v2"
URL_VARIABLE: Final = "TRIALCONV_REGISTRY_URL"
#: Calls a minute, below the about 50 that the registry allows an address.
PER_MINUTE: Final = 40.0
#: The most records of a page: what `pageSize` is cut down to by the API.
LARGEST_PAGE: Final = 1000

_LINE_ENDS: Final = re.compile(rb"[\r\n]+")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SAID: Final = 200


class Validators(NamedTuple):
    """What identifies an answer, so that it need not be sent again while it stays the same.

    https://www.rfc-editor.org/rfc/rfc9110#name-conditional-requests
    """

    etag: str = ""
    last_modified: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that ask for the answer only where it is another one."""
        pairs = (("If-None-Match", self.etag), ("If-Modified-Since", self.last_modified))
        return {name: value for name, value in pairs if value}


NO_VALIDATORS: Final = Validators()


class Listed(NamedTuple):
    """A record as the registry gave it, on one line, and what has to be known of it to list it."""

    nct_id: str
    data: bytes
    updated: str = ""
    aliases: tuple[str, ...] = ()


class Page(NamedTuple):
    """A part of an answer: records, elements that are none, and where it goes on. `total` is of the first page."""

    studies: list[Listed]
    refused: list[Issue]
    next_token: str | None
    total: int | None
    validators: Validators


class _Struct(msgspec.Struct, rename="camel", gc=False):
    """A part of an answer of which only some fields matter here."""


class _Answer(_Struct):
    studies: list[msgspec.Raw]
    next_page_token: str | None = None
    total_count: int | None = None


class _Identification(_Struct):
    nct_id: str
    nct_id_aliases: list[str] = []


class _Posted(_Struct):
    date: str = ""


class _Status(_Struct):
    last_update_post_date_struct: _Posted = msgspec.field(default_factory=_Posted)


class _Protocol(_Struct):
    identification_module: _Identification
    status_module: _Status = msgspec.field(default_factory=_Status)


class _Study(_Struct):
    protocol_section: _Protocol


class _Version(_Struct):
    data_timestamp: str | None = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)
_STUDY: Final = msgspec.json.Decoder(_Study)
_VERSION: Final = msgspec.json.Decoder(_Version)


class RefusedCallError(SourceError):
    """The registry calls the request a bad one (400): a parameter, or a page token that it no longer knows."""


class Registry:
    """The registry as a source. A context manager.

    All methods raise SourceError where the registry cannot be reached, is too busy for longer than the retries
    last, or answers something else than its API says.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        insecure_http: bool = False,
        per_minute: float | None = PER_MINUTE,
        limits: Limits | None = None,
        retry: Retry | None = None,
        timing: Timing | None = None,
        told: Callable[[str], None] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Raise UsageError for an address that is none, or not encrypted without `insecure_http`.

        `url` falls back to the environment variable TRIALCONV_REGISTRY_URL, then to the registry's own address.
        """
        address = url or os.environ.get(URL_VARIABLE) or REGISTRY_URL
        self.url = checked_base(address, insecure_http=insecure_http)
        self._http = HttpClient(
            limits=limits,
            retry=retry,
            per_minute=per_minute,
            headers={"Accept": "application/json"},
            insecure_http=insecure_http,
            timing=timing,
            told=told,
            transport=transport,
        )

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def version(self) -> str | None:
        """Return the time stamp of the registry's data: while it stays the same, so do they. None: not told."""
        answer = self._call("version")
        try:
            return _VERSION.decode(self._json(answer, "version")).data_timestamp
        except msgspec.DecodeError:
            raise self._failed("version", "the answer is no version as the API describes it") from None

    def study(self, nct_id: str, known: Validators = NO_VALIDATORS) -> tuple[Listed | None, Validators]:
        """Return a record by its id, or by an older id of it; None while it still is the one that is known.

        Raises SourceError also where there is no such record, or the answer holds another one.
        """
        answer = self._call(f"studies/{nct_id}", {"format": "json"}, known.headers)
        if answer.status == 304:
            return None, known
        if answer.status == 404:
            raise not_in_registry(nct_id)
        data = self._json(answer, nct_id)
        listed = as_listed(data)
        if listed is None:
            raise self._failed(nct_id, "the answer is no study")
        if nct_id != listed.nct_id and nct_id not in listed.aliases:
            raise self._failed(nct_id, f"the answer is the record of {listed.nct_id}")
        return listed, _validators(answer)

    def page(
        self, parameters: Mapping[str, str], token: str | None = None, known: Validators = NO_VALIDATORS
    ) -> Page | None:
        """Return a page of the records that some parameters ask for; None while it still is the one that is known.

        Raises RefusedCallError for parameters, or a token, that the registry does not take, and TooLargeError for
        an answer beyond the limit, which a smaller page would keep.
        """
        first = {"countTotal": "true"} if token is None else {"pageToken": token}
        answer = self._call(
            "studies", {**parameters, "format": "json", **first}, known.headers, can_be_smaller=True
        )
        if answer.status == 304:
            return None
        data = self._json(answer, "studies")
        try:
            found = _ANSWER.decode(data)
        except msgspec.DecodeError:
            raise self._failed("studies", "the answer is no page of studies as the API describes it") from None
        studies: list[Listed] = []
        refused: list[Issue] = []
        for position, raw in enumerate(found.studies, start=1):
            if (listed := as_listed(bytes(raw))) is not None:
                studies.append(listed)
            else:
                message = "an element of the registry's answer is no study with an NCT number"
                refused.append(issue("not-a-study", message, record="studies", source_path=f"study {position}"))
        return Page(studies, refused, found.next_page_token or None, found.total_count, _validators(answer))

    def _call(
        self,
        path: str,
        parameters: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        can_be_smaller: bool = False,
    ) -> Answer:
        try:
            return self._http.call("GET", f"{self.url}/{path}", params=parameters, headers=headers, follow=True)
        except HttpError as error:
            if can_be_smaller and isinstance(error, TooLargeError):
                raise
            raise self._failed(path.removeprefix("studies/"), str(error)) from error

    def _json(self, answer: Answer, about: str) -> bytes:
        """Return what should be JSON. Raises SourceError that says what it is instead."""
        said = _said(answer)
        if answer.status == 400:
            raise RefusedCallError(self._failed(about, f"the registry refuses the request{said}").issue)
        if answer.status == 429:
            raise self._failed(about, f"the registry asks for fewer requests{_later(answer)}")
        if answer.status >= 500:
            raise self._failed(about, f"the registry is not able to answer ({answer.status}){_later(answer)}")
        if answer.status != 200:
            raise self._failed(about, f"the registry answers {answer.status}{said}")
        if is_html(answer):
            raise self._failed(about, "the answer is a web page and not JSON; does a proxy stand in between?")
        return answer.content

    def _failed(self, about: str, message: str) -> SourceError:
        return SourceError(issue("registry-failed", message, record=about, source_path=self.url))


def not_in_registry(nct_id: str) -> SourceError:
    """Return the refusal of an id that the registry does not know."""
    return SourceError(issue("not-in-registry", "the registry has no record of this id", record=nct_id))


def as_listed(data: bytes) -> Listed | None:
    """Look at the head of a study's JSON. Returns None for what has no NCT number in its place."""
    try:
        protocol = _STUDY.decode(data).protocol_section
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    identification = protocol.identification_module
    if nct_number(identification.nct_id) != identification.nct_id:
        return None
    # Within JSON a line end is white space between two tokens, never a part of a string.
    line = _LINE_ENDS.sub(b" ", data.strip())
    updated = protocol.status_module.last_update_post_date_struct.date
    updated = updated if _DAY.fullmatch(updated) else ""
    return Listed(identification.nct_id, line, updated, tuple(identification.nct_id_aliases))


def is_html(answer: Answer) -> bool:
    """Tell whether an answer is a web page, by what it says it is or by how it begins."""
    kind = answer.headers.get("content-type", "").lower()
    return "html" in kind or answer.content.lstrip()[:1] == b"<"


def _validators(answer: Answer) -> Validators:
    return Validators(answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))


def _said(answer: Answer) -> str:
    """Return the message of an error in its first words; a web page has none."""
    text = "" if is_html(answer) else " ".join(answer.text.split())
    return f": {text[:_SAID]}{'...' if len(text) > _SAID else ''}" if text else ""


def _later(answer: Answer) -> str:
    wait = answer.headers.get("retry-after")
    return f"; it says to try again after {wait[:40]}" if wait else "; try again later"
