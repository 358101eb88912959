"""HTTP calls as all rooms make them: within limits of time and size, paced, and tried again with patience.

This is the only module that knows which HTTP library is used. It gives back whatever a server answers, and it
tries again what may pass: 429, 5xx, time-outs, broken connections. The waits grow exponentially with full jitter,
unless the server names one (Retry-After, https://www.rfc-editor.org/rfc/rfc9110#field.retry-after).
"""

from __future__ import annotations

import ipaddress
import random
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from trialconv.issues import TrialconvError, UsageError

if TYPE_CHECKING:
    import httpx

#: Answers of 5xx that say "never", not "not now".
_LASTING: Final = frozenset({501, 505})
_SECRET: Final = re.compile(r"token|key|secret|passw|assertion|auth|code|sig", re.IGNORECASE)
#: What OpenSSL says of an answer that is no TLS.
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_SECONDS: Final = re.compile(r"\d{1,9}", re.ASCII)
_MOST_REDIRECTS: Final = 5
#: A list of ids makes long addresses.
_LONGEST_PLACE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one try of a call may take: seconds to connect, without a byte, and in all; bytes of the answer."""

    connect: float = 15.0
    silence: float = 60.0
    total: float = 600.0
    size: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how patiently a call is tried again.

    Before the n-th repetition there is a wait of random length up to `first_wait` times 2 to the n-1, at most
    `longest_wait`. A server that asks for more than `patience` seconds gets no further try in this call.
    """

    tries: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    patience: float = 300.0

    def wait(self, failures: int, chance: float) -> float:
        """Return the seconds to wait after so many failures; `chance` is a random number from 0 to 1."""
        return chance * float(min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1)))


class Timing(NamedTuple):
    """The clock and the dice; tests have their own."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random


#: What is used unless the caller has a clock of its own.
SYSTEM: Timing = Timing()


class Answer(NamedTuple):
    """What a server answered in the end, whatever the status. The names of `headers` are in lower case.

    `url` is the address that answered, after redirections.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str

    @property
    def text(self) -> str:
        """The content as text, for messages."""
        return self.content.decode("utf-8", "replace")


class HttpError(TrialconvError):
    """A call came to no answer: no connection, out of time, broken off, or larger than the limit.

    `passing` tells whether the same call may work later. Whoever calls makes a SourceError or a SinkError of it.
    """

    def __init__(self, message: str, *, passing: bool) -> None:
        super().__init__(message)
        self.passing = passing


class TooLargeError(HttpError):
    """The answer is larger than the limit. A call that asks for less may fit."""


def checked_base(url: str, *, insecure_http: bool = False) -> str:
    """Return the base address of a server without a slash at its end.

    Raises UsageError for what is no web address, for one that holds a password (it would end up in logs), and for
    plain http to another machine unless `insecure_http` allows that.
    """
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise UsageError(f"{url!r} is no web address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise UsageError(f"{shown(url)!r} is no web address; it has to begin with https://")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{shown(url)} holds a name or a password; addresses end up in logs, so leave it out")
    if parts.query or parts.fragment:
        raise UsageError(f"{shown(url)} is no base address: it has a query or a fragment")
    if parts.scheme == "http" and not insecure_http and not is_loopback(parts.hostname):
        raise UsageError(f"{shown(url)} is not encrypted; use https, or --insecure-http if you must")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, by its name."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """Return an address as it may be shown: without a password, and without values that may be secret."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "(an address that cannot be read)"
    query = "&".join(
        f"{name}={'***' if _SECRET.search(name) and name != 'pageToken' else value}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def may_pass(status: int) -> bool:
    """Tell whether the same call may get another answer than this one a little later."""
    return status == 429 or (500 <= status <= 599 and status not in _LASTING)


def seconds_asked_for(retry_after: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After, which has a number or a date; None where there is none to be read."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())


class HttpClient:
    """Makes calls over kept connections. A context manager.

    `per_minute` spaces the calls, repetitions included. `headers` go with every call and are never shown. `told`
    is given a sentence before each wait for another try. `tls` holds other certificates than the usual ones;
    `untrusted` says what to do about a server's that does not verify. `transport` replaces the network, for tests.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        retry: Retry | None = None,
        per_minute: float | None = None,
        headers: Mapping[str, str] | None = None,
        insecure_http: bool = False,
        tls: ssl.SSLContext | None = None,
        untrusted: str = "",
        timing: Timing | None = None,
        told: Callable[[str], None] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        import httpx

        from trialconv import __version__

        self._limits = limits or Limits()
        self._retry = retry or Retry()
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._insecure_http = insecure_http
        self._untrusted = untrusted
        self._timing = timing or SYSTEM
        self._told = told or (lambda _: None)
        self._next_call = 0.0
        self._client = httpx.Client(
            headers={"User-Agent": f"trialconv/{__version__}", **(headers or {})},
            timeout=httpx.Timeout(self._limits.silence, connect=self._limits.connect),
            max_redirects=_MOST_REDIRECTS,
            event_hooks={"request": [self._check_address]},
            verify=True if tls is None else tls,
            transport=transport,
        )

    def __enter__(self) -> HttpClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        follow: bool = False,
        repeatable: bool = True,
    ) -> Answer:
        """Make a call and return the answer, whatever its status; after the last try also one that may pass.

        `follow` follows redirections. A call that is not `repeatable` is made again only where the server
        cannot have acted on it: no connection came about, or it answered 429 or 503. Raises HttpError where
        there is no answer.
        """
        request = self._client.build_request(method, url, params=params, headers=headers, content=content)
        failures = 0
        while True:
            self._keep_pace()
            outcome = self._one_try(request, follow=follow)
            failures += 1
            wait = self._wait_after(outcome, failures, repeatable=repeatable)
            if wait is None:
                if isinstance(outcome, HttpError):
                    raise outcome
                return outcome
            reason = outcome if isinstance(outcome, HttpError) else f"{_place(request)} answered {outcome.status}"
            self._told(f"{reason}; trying again in {wait:.1f} s ({failures} of {self._retry.tries - 1})")
            self._timing.sleep(wait)

    def _keep_pace(self) -> None:
        if self._gap:
            ahead = self._next_call - self._timing.monotonic()
            if ahead > 0:
                self._timing.sleep(ahead)
            self._next_call = self._timing.monotonic() + self._gap

    def _wait_after(self, outcome: Answer | HttpError, failures: int, *, repeatable: bool) -> float | None:
        """Return the seconds until the next try, or None when there is to be none."""
        if isinstance(outcome, HttpError):
            again = outcome.passing and (repeatable or isinstance(outcome, _NoConnectionError))
            asked = None
        else:
            again = may_pass(outcome.status) and (repeatable or outcome.status in (429, 503))
            asked = seconds_asked_for(outcome.headers.get("retry-after"), self._timing.now())
        if not again or failures >= self._retry.tries:
            return None
        wait = self._retry.wait(failures, self._timing.random())
        if asked is None:
            return wait
        return None if asked > self._retry.patience else max(asked, wait)

    def _one_try(self, request: httpx.Request, *, follow: bool) -> Answer | HttpError:
        import httpx

        end = self._timing.monotonic() + self._limits.total
        try:
            response = self._client.send(request, stream=True, follow_redirects=follow)
            try:
                content = b"".join(self._within_limits(response, end))
            finally:
                response.close()
        except HttpError as error:
            return error
        except httpx.TooManyRedirects:
            return HttpError(f"{_place(request)} redirects more than {_MOST_REDIRECTS} times", passing=False)
        except (httpx.TransportError, httpx.DecodingError) as error:
            return _failure(request, error, self._untrusted)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, content, str(response.url))

    def _within_limits(self, response: httpx.Response, end: float) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._limits.size:
                message = f"{_place(response.request)} answers more than the limit of {self._limits.size:,} bytes"
                raise TooLargeError(message, passing=False)
            if self._timing.monotonic() > end:
                message = f"{_place(response.request)} took longer than {self._limits.total:g} s"
                raise HttpError(message, passing=True)
            yield chunk

    def _check_address(self, request: httpx.Request) -> None:
        """Refuse an unencrypted call to another machine, to which a redirection could lead as well."""
        if request.url.scheme != "https" and not self._insecure_http and not is_loopback(request.url.host):
            raise HttpError(f"{_place(request)} is not encrypted, and no call is made there", passing=False)


class _NoConnectionError(HttpError):
    """No connection came about, so that the server has seen nothing of the call."""


def _failure(request: httpx.Request, error: Exception, untrusted: str) -> HttpError:
    """Return what went wrong on the way, in words."""
    import httpx

    place = _place(request)
    if isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout):
        return _NoConnectionError(f"{place} does not take the connection in time", passing=True)
    if isinstance(error, httpx.TimeoutException):
        return HttpError(f"{place} does not answer in time", passing=True)
    if isinstance(error, httpx.ConnectError):
        trouble = _tls_trouble(error)
        if isinstance(trouble, ssl.SSLCertVerificationError):
            reason = getattr(trouble, "verify_message", "") or str(trouble)
            advice = f"; {untrusted}" if untrusted else ""
            message = f"no connection to {place}: its certificate does not verify: {reason.rstrip('.')}{advice}"
            return _NoConnectionError(message, passing=False)
        if trouble is not None and trouble.reason in _NO_TLS:
            return _NoConnectionError(f"no connection to {place}: there is no https there", passing=False)
        return _NoConnectionError(f"no connection to {place}: {error}", passing=True)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return HttpError(f"{place} cannot be called: {error}", passing=False)
    return HttpError(f"the answer of {place} broke off: {error}", passing=True)


def _tls_trouble(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _place(request: Any) -> str:
    place = shown(str(request.url))
    return place if len(place) <= _LONGEST_PLACE else f"{place[:_LONGEST_PLACE]}..."
