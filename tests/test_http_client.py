"""HTTP calls: what is tried again, how long is waited, and the limits of time and size."""

from __future__ import annotations

import gzip
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from trialconv.http_client import (
    Answer,
    HttpClient,
    HttpError,
    Limits,
    Retry,
    Timing,
    checked_base,
    is_loopback,
    seconds_asked_for,
    shown,
)
from trialconv.issues import UsageError

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
URL = "https://registry.example.org/studies"


class Watch:
    """A clock that goes on only when somebody waits, and dice that always show the same."""

    def __init__(self, chance: float = 1.0) -> None:
        self.waits: list[float] = []
        self.time = 0.0
        self.timing = Timing(
            now=lambda: NOON + timedelta(seconds=self.time),
            monotonic=lambda: self.time,
            sleep=self.sleep,
            random=lambda: chance,
        )

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


Outcome = httpx.Response | Exception


def client_of(outcomes: list[Outcome], watch: Watch, **options: object) -> tuple[HttpClient, list[httpx.Request]]:
    """Return a client whose network gives these outcomes, one after the other, and the requests it will get."""
    requests: list[httpx.Request] = []
    rest = iter(outcomes)

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        outcome = next(rest)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    transport = httpx.MockTransport(handle)
    return HttpClient(transport=transport, timing=watch.timing, **options), requests  # type: ignore[arg-type]


def call(outcomes: list[Outcome], watch: Watch, *, repeatable: bool = True, **options: object) -> Answer:
    """Make one call whose tries have these outcomes."""
    client, _ = client_of(outcomes, watch, **options)
    with client:
        return client.call("GET", URL, repeatable=repeatable)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(503),
        httpx.Response(599),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("peer closed connection"),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(failure: Outcome) -> None:
    """429, 5xx, time-outs and broken connections get another try, and the answer to it counts."""
    watch = Watch()
    answer = call([failure, httpx.Response(200, content=b"now")], watch)
    assert (answer.status, answer.content, len(watch.waits)) == (200, b"now", 1)


@pytest.mark.parametrize("status", [200, 204, 304, 400, 401, 403, 404, 408, 409, 412, 422, 501, 505])
def test_other_answers_are_final(status: int) -> None:
    """No other 4xx is tried again, and no 5xx that means never."""
    watch = Watch()
    assert call([httpx.Response(status)], watch).status == status
    assert watch.waits == []


def test_the_waits_double_up_to_the_longest() -> None:
    """The longest waits grow exponentially to a ceiling; the dice choose from nothing to that (full jitter)."""
    retry = Retry(tries=6, first_wait=1, longest_wait=6)
    watch = Watch(chance=1.0)
    assert call([httpx.Response(500)] * 6, watch, retry=retry).status == 500
    assert watch.waits == [1, 2, 4, 6, 6]
    watch = Watch(chance=0.25)
    call([httpx.Response(500)] * 6, watch, retry=retry)
    assert watch.waits == [0.25, 0.5, 1, 1.5, 1.5]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 05 Jan 2026 12:00:30 GMT", 30.0),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("1.5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str | None, seconds: float | None) -> None:
    """Retry-After names seconds or an instant; a past one means now, and anything else means nothing."""
    assert seconds_asked_for(header, NOON) == seconds


def test_a_server_that_names_the_wait_is_obeyed() -> None:
    """The wait is never shorter than the server asks for."""
    watch = Watch(chance=0.0)
    call([httpx.Response(429, headers={"Retry-After": "7"}), httpx.Response(200)], watch)
    later = httpx.Response(503, headers={"Retry-After": "Mon, 05 Jan 2026 12:00:47 GMT"})
    call([later, httpx.Response(200)], watch)
    assert watch.waits == [7, 40]


def test_a_wait_beyond_patience_ends_the_call() -> None:
    """A server that asks for an hour gets no further try; its answer is handed over."""
    watch = Watch()
    answer = call([httpx.Response(429, headers={"Retry-After": "3600"})], watch)
    assert (answer.status, answer.headers["retry-after"], watch.waits) == (429, "3600", [])


@pytest.mark.parametrize(
    ("failure", "again"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ConnectTimeout("slow"), True),
        (httpx.Response(429), True),
        (httpx.Response(503), True),
        (httpx.Response(500), False),
        (httpx.Response(504), False),
        (httpx.ReadTimeout("slow"), False),
        (httpx.RemoteProtocolError("peer closed connection"), False),
    ],
    ids=str,
)
def test_a_call_with_an_effect_is_repeated_only_where_it_had_none(failure: Outcome, again: bool) -> None:
    """A call that may have acted on the server is not made twice."""
    watch = Watch()
    outcome: int | None
    try:
        outcome = call([failure, httpx.Response(201)], watch, repeatable=False).status
    except HttpError:
        outcome = None
    assert (outcome == 201) is again
    assert len(watch.waits) == int(again)


def test_no_answer_is_an_error_that_says_where_and_why() -> None:
    """After the last try the error names the address without its secrets, and that it may work later."""
    client, requests = client_of([httpx.ConnectError("refused")] * 3, Watch(), retry=Retry(tries=3))
    with client, pytest.raises(HttpError) as caught:
        client.call("GET", URL, params={"access_token": "hush", "page": "2"})
    assert str(caught.value) == f"no connection to {URL}?access_token=***&page=2: refused"
    assert (caught.value.passing, len(requests)) == (True, 3)


def test_a_refused_certificate_is_not_tried_again() -> None:
    """A certificate that is not trusted will not be so a second later."""
    refused = httpx.ConnectError("certificate verify failed")
    refused.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    watch = Watch()
    with pytest.raises(HttpError) as caught:
        call([refused], watch)
    assert (caught.value.passing, watch.waits) == (False, [])


def test_larger_answers_are_not_taken() -> None:
    """What is beyond the limit is not read, compressed or not, and not asked for again."""
    zeros = gzip.compress(bytes(1_000_000))
    for response in (
        httpx.Response(200, content=bytes(101)),
        httpx.Response(200, content=zeros, headers={"Content-Encoding": "gzip"}),
    ):
        with pytest.raises(HttpError, match="more than the limit of 100 bytes"):
            call([response], Watch(), limits=Limits(size=100))
    assert len(call([httpx.Response(200, content=bytes(100))], Watch(), limits=Limits(size=100)).content) == 100


def test_an_answer_that_trickles_is_given_up() -> None:
    """An answer whose bytes come one by one, each in time, still has to come to an end."""
    watch = Watch()

    def trickle() -> Iterator[bytes]:
        while True:
            watch.time += 1
            yield b"x"

    with pytest.raises(HttpError, match="took longer than 30 s") as caught:
        call([httpx.Response(200, content=trickle())], watch, limits=Limits(total=30), retry=Retry(tries=1))
    assert caught.value.passing


def test_calls_keep_their_pace() -> None:
    """Calls are spaced, repetitions included; time that went by otherwise counts."""
    watch = Watch(chance=0.0)
    responses: list[Outcome] = [httpx.Response(200), httpx.Response(500), httpx.Response(200), httpx.Response(200)]
    client, _ = client_of(responses, watch, per_minute=30)
    with client:
        client.call("GET", URL)
        client.call("GET", URL)
        watch.time += 1.5
        client.call("GET", URL)
    assert watch.waits == [2, 0, 2, 0.5]


def test_redirections_are_followed_when_asked_and_never_to_plain_http() -> None:
    """A redirection is an answer, or is followed; an unencrypted address elsewhere is not called."""
    moved = httpx.Response(301, headers={"Location": URL + "/2"})
    assert call([moved], Watch()).status == 301
    client, requests = client_of([moved, httpx.Response(200)], Watch())
    with client:
        answer = client.call("GET", URL, follow=True)
    assert (answer.status, answer.url, len(requests)) == (200, URL + "/2", 2)

    client, requests = client_of(
        [httpx.Response(301, headers={"Location": "http://elsewhere.example.org/"})], Watch()
    )
    with client, pytest.raises(HttpError, match="is not encrypted"):
        client.call("GET", URL, follow=True)
    assert len(requests) == 1

    circle: list[Outcome] = [httpx.Response(301, headers={"Location": URL})] * 9
    client, requests = client_of(circle, Watch())
    with client, pytest.raises(HttpError, match="redirects more than 5 times"):
        client.call("GET", URL, follow=True)


def test_waits_are_told() -> None:
    """Before each wait a sentence says what happened, how long it takes and how many tries are left."""
    told: list[str] = []
    call([httpx.Response(503), httpx.Response(200)], Watch(), told=told.append)
    assert told == [f"{URL} answered 503; trying again in 1.0 s (1 of 5)"]


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hush@example.org",
        "https://token@example.org/fhir",
        "http://example.org/api",
        "ftp://example.org",
        "example.org/api",
        "https://",
        "https://example.org:99999999/",
        "https://example.org/api?key=hush",
    ],
)
def test_base_addresses_that_are_refused(url: str) -> None:
    """No password, no plain http to others, nothing that is no address; and the refusal repeats no secret."""
    with pytest.raises(UsageError) as caught:
        checked_base(url)
    assert "hush" not in str(caught.value)


def test_base_addresses_that_are_taken() -> None:
    """Encrypted ones, this machine, and plain http to others only on request."""
    assert checked_base("https://example.org/api/") == "https://example.org/api"
    assert checked_base("http://127.0.0.1:8080/api") == "http://127.0.0.1:8080/api"
    assert checked_base("http://[::1]:80") == "http://[::1]:80"
    assert checked_base("http://example.org", insecure_http=True) == "http://example.org"
    assert not is_loopback("localhost.example.org")
    assert not is_loopback("128.0.0.1")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://me:hush@example.org/a?b=1", "https://example.org/a?b=1"),
        (
            "https://example.org/?client_secret=hush&api_key=hush",
            "https://example.org/?client_secret=***&api_key=***",
        ),
        ("https://example.org/s?pageToken=abc", "https://example.org/s?pageToken=abc"),
    ],
)
def test_addresses_are_shown_without_secrets(url: str, text: str) -> None:
    """Passwords and values that may be secret are taken out; the registry's page tokens are none."""
    assert shown(url) == text


def test_long_addresses_are_cut_in_messages() -> None:
    """A call for many ids does not fill the screen when it fails."""
    client, _ = client_of([httpx.ConnectError("refused")], Watch(), retry=Retry(tries=1))
    with client, pytest.raises(HttpError) as caught:
        client.call("GET", URL, params={"filter.ids": ",".join(["NCT99000001"] * 200)})
    assert len(str(caught.value)) < 260


def test_headers_are_never_shown() -> None:
    """A secret header is in no error and no representation."""
    headers = {"Authorization": "hush"}
    client, _ = client_of([httpx.ConnectError("refused")], Watch(), headers=headers, retry=Retry(tries=1))
    with client, pytest.raises(HttpError) as caught:
        client.call("GET", URL, headers={"X-Key": "hush"})
    assert "hush" not in f"{client!r} {vars(client)!r} {caught.value!r}"
