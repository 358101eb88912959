"""A FHIR server as something to talk to: addresses, media types, who we are, and answers that are FHIR or are not.

https://hl7.org/fhir/R4/http.html; R4B and R5 say the same of all that is used here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

import orjson

from trialconv.fhir_server.auth import Auth, NoAuth
from trialconv.fhir_server.outcomes import reasons
from trialconv.http_client import Answer, HttpClient, HttpError, may_pass
from trialconv.issues import SinkError

_MEDIA_TYPE: Final = "application/fhir+json"
#: The version parameter of media types: https://hl7.org/fhir/R5/http.html#version-parameter.
MIME_VERSIONS: Final = {"R4": "4.0", "R4B": "4.3", "R5": "5.0"}
#: What a server has now, and not what it had when somebody asked last: HAPI keeps results of searches a minute.
_FRESH: Final = {"Cache-Control": "no-cache"}
_EXCERPT: Final = 200
_CHALLENGE: Final = re.compile(r'error(?:_description)?="([^"]{1,200})"(?!.*error_description=)')


class UncertainError(Exception):
    """It is not known whether the server has acted on a call. Look what it has, and go on from there."""


class FhirAnswer(NamedTuple):
    """What a server answered: the status, the headers with names in lower case, and the resource, if there is one.

    `problem` says what the content is instead, when it should be a resource and is none.
    """

    status: int
    headers: Mapping[str, str]
    resource: dict[str, Any] | None
    problem: str = ""

    @property
    def fine(self) -> bool:
        """Tell whether the server did what it was asked for."""
        return 200 <= self.status < 300


class FhirServer:
    """A server at a base address. May be used by several threads at once."""

    def __init__(self, base: str, http: HttpClient, auth: Auth | None = None) -> None:
        self.base = base.rstrip("/")
        self._http = http
        self._auth: Auth = auth or NoAuth()
        self._media_type = _MEDIA_TYPE

    def speak(self, version: str) -> None:
        """Name a FHIR version in the media types of calls from now on."""
        self._media_type = f"{_MEDIA_TYPE}; fhirVersion={MIME_VERSIONS[version]}"

    def get(self, path: str) -> FhirAnswer:
        """Return what stands at an address below the base. Raises SinkError when the server cannot be had."""
        return self._call("GET", path, None, _FRESH, repeatable=True)

    def look_up(self, batch: Mapping[str, Any]) -> FhirAnswer:
        """Send a batch that changes nothing. Raises SinkError when the server cannot be had."""
        return self._call("POST", "", batch, _FRESH, repeatable=True)

    def write(
        self, method: str, path: str, resource: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> FhirAnswer:
        """Send something that changes the server.

        It is sent again only where the server cannot have acted on it. Raises UncertainError where it may have,
        and SinkError when the server cannot be had.
        """
        return self._call(method, path, resource, headers, repeatable=False)

    def redacted(self, text: str) -> str:
        """Return a text without our secrets, which a server may repeat in its answers."""
        for secret in self._auth.secrets():
            if secret:
                text = text.replace(secret, "***")
        return text

    def _call(
        self,
        method: str,
        path: str,
        resource: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        *,
        repeatable: bool,
    ) -> FhirAnswer:
        url = f"{self.base}/{path}" if path else self.base
        content = None if resource is None else orjson.dumps(resource)
        answer = self._once(method, url, content, headers, repeatable=repeatable)
        if answer.status == 401 and self._auth.renew():
            answer = self._once(method, url, content, headers, repeatable=repeatable)
        if answer.status in (406, 415) and self._media_type != _MEDIA_TYPE:
            # A server that does not know the parameter knows the type itself.
            self._media_type = _MEDIA_TYPE
            answer = self._once(method, url, content, headers, repeatable=repeatable)
        made = self._read(answer)
        if answer.status == 401:
            said = self._challenge(made) or self.told(made)
            raise SinkError(
                f"{method} {url}: the server does not accept who we are (401){said}; {self._auth.advice}"
            )
        if may_pass(answer.status):
            if not repeatable and answer.status not in (429, 503):
                raise UncertainError(f"{method} {url}: the server answered {answer.status}{self.told(made)}")
            raise UnavailableError(f"{method} {url}: the server answered {answer.status}{self.told(made)}")
        return made

    def _once(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], *, repeatable: bool
    ) -> Answer:
        sent = {"Accept": self._media_type, **self._auth.headers(), **headers}
        if content is not None:
            sent["Content-Type"] = self._media_type
        try:
            return self._http.call(method, url, headers=sent, content=content, repeatable=repeatable)
        except HttpError as error:
            message, lasting = self.redacted(str(error)), not error.passing
        # Outside of the handler, so that no traceback leads to a request with its headers.
        if repeatable or lasting:
            raise UnavailableError(message)
        raise UncertainError(message)

    def _read(self, answer: Answer) -> FhirAnswer:
        """Return an answer with its resource, or with a word on what it is instead."""
        if 300 <= answer.status < 400:
            return FhirAnswer(answer.status, answer.headers, None, _problem(answer))
        resource: Any = None
        with suppress(orjson.JSONDecodeError):
            resource = orjson.loads(answer.content) if answer.content else None
        if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
            return FhirAnswer(answer.status, answer.headers, resource)
        return FhirAnswer(answer.status, answer.headers, None, _problem(answer))

    def _challenge(self, answer: FhirAnswer) -> str:
        """Return why a token was refused: https://www.rfc-editor.org/rfc/rfc6750#section-3."""
        found = _CHALLENGE.search(answer.headers.get("www-authenticate", ""))
        return f": {self.redacted(found[1])}" if found else ""

    def told(self, answer: FhirAnswer) -> str:
        """Return what an answer says, to be put behind a sentence: `: ...`, or nothing."""
        said = "; ".join(reasons(answer.resource)) if answer.resource else answer.problem
        return f": {self.redacted(said)}" if said else ""


class UnavailableError(SinkError):
    """The server cannot be had, for now or at all, after all tries."""


def version_of(etag: str) -> str:
    """Return the version in an ETag such as `W/"3"`."""
    return etag.strip().removeprefix("W/").strip('"')


def _problem(answer: Answer) -> str:
    """Say what an answer without a resource is."""
    if 300 <= answer.status < 400:
        return f"it redirects to {answer.headers.get('location', 'nowhere')}; give that address if you trust it"
    text = answer.text.strip()
    if not text:
        return "the answer is empty"
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml") or text[:15].lower().startswith(("<!doctype html", "<html")):
        return "the answer is a web page (HTML) and no FHIR"
    excerpt = text if len(text) <= _EXCERPT else text[:_EXCERPT] + " ..."
    return f"the answer is no FHIR resource in JSON ({kind or 'no content type'}): {' '.join(excerpt.split())}"
