"""Who we are to a server: nobody, the bearer of a token, an OAuth2 client, or a SMART backend service.

- bearer tokens: https://www.rfc-editor.org/rfc/rfc6750
- client credentials: https://www.rfc-editor.org/rfc/rfc6749#section-4.4
- SMART Backend Services: https://hl7.org/fhir/smart-app-launch/backend-services.html
"""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import quote, urlencode

from trialconv.http_client import Answer, HttpClient, HttpError, checked_base, shown
from trialconv.issues import SinkError, UsageError

#: A token is renewed so many seconds before it ends, so that no call sets out with one that ends on the way.
_EARLY: Final = 30.0
#: How long a token is used whose end the server does not tell.
_UNTOLD_LIFE: Final = 300.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_LONGEST_SECRET: Final = 64 * 1024


class Secret:
    """A text that no message, no repr and no traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not to be stored")


def secret_from(file: Path | None, variable: str, what: str) -> Secret:
    """Return a secret from a file, else from a variable of the environment. Raises UsageError without one."""
    if file is not None:
        text = read_secret_file(file, what).decode("utf-8", "replace").strip()
    else:
        text = os.environ.get(variable, "").strip()
        if not text:
            raise UsageError(f"there is no {what}: set {variable}, or name a file that holds it")
    if not text or not text.isascii() or not text.isprintable():
        raise UsageError(f"the {what} is empty, or holds characters that no header can hold")
    return Secret(text)


def read_secret_file(file: Path, what: str) -> bytes:
    """Return the content of a file with a secret. Raises UsageError when it cannot be read or is too large."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}, the {what}, cannot be read: {error.strerror or error}") from error
    if len(data) > _LONGEST_SECRET:
        raise UsageError(f"{file} is too large for a {what}")
    return data


def is_open_to_others(file: Path) -> bool:
    """Tell whether other users of the machine may read a file."""
    try:
        return os.name == "posix" and bool(file.stat().st_mode & 0o077)
    except OSError:
        return False


class Auth(Protocol):
    """What says who we are."""

    def headers(self) -> dict[str, str]:
        """Return the headers that a call needs. May ask a token server; raises SinkError when that refuses."""

    def renew(self) -> bool:
        """Give up what the server has just refused. Returns whether there may be something newer."""

    def secrets(self) -> Iterator[str]:
        """Yield the texts that no message may hold."""

    @property
    def advice(self) -> str:
        """What to do when the server does not accept who we are."""


class NoAuth:
    """Nobody in particular."""

    def headers(self) -> dict[str, str]:
        """Return no headers."""
        return {}

    def renew(self) -> bool:
        """Return that there is nothing newer."""
        return False

    def secrets(self) -> Iterator[str]:
        """Yield nothing."""
        yield from ()

    @property
    def advice(self) -> str:
        """Return that we have not said who we are."""
        return "--auth says who we are"


class Bearer:
    """The bearer of a token, which somebody else renews: `read` is asked again once it is refused.

    `place` is where the token stands, for messages.
    """

    def __init__(self, read: Callable[[], Secret], place: str) -> None:
        self._read = read
        self._place = place
        self._token = read()

    def headers(self) -> dict[str, str]:
        """Return the header with the token."""
        return {"Authorization": f"Bearer {self._token.reveal()}"}

    def renew(self) -> bool:
        """Read the token again. Returns whether it is another one."""
        before, self._token = self._token, self._read()
        return self._token.reveal() != before.reveal()

    def secrets(self) -> Iterator[str]:
        """Yield the token."""
        yield self._token.reveal()

    @property
    def advice(self) -> str:
        """Return where a newer token has to go."""
        return f"the token in {self._place} may have expired, or may not be for this server"


class OAuthClient(ABC):
    """A client of a token server. What proves that it is that client is for the kinds of it to say."""

    #: By what the client shows who it is, for messages.
    shown_by: ClassVar[str]

    def __init__(self, http: HttpClient, token_url: str, scope: str, *, insecure_http: bool = False) -> None:
        """Check the address. Raises UsageError for none, or for one that would get secrets unencrypted."""
        self._http = http
        self.token_url = checked_base(token_url, insecure_http=insecure_http)
        self._scope = scope
        self._lock = Lock()
        self._token: Secret | None = None
        self._ends = 0.0

    @property
    def advice(self) -> str:
        """Return what decides on the token that was given to us, and was refused."""
        return f"{shown(self.token_url)} gave us the token; --token-url and --scope have to suit the server"

    @abstractmethod
    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers and the parameters by which the client shows who it is, made anew."""

    def secrets(self) -> Iterator[str]:
        """Yield the token."""
        if self._token is not None:
            yield self._token.reveal()

    def headers(self) -> dict[str, str]:
        """Return the header with a token that has not ended; ask for one where there is none."""
        with self._lock:
            if self._token is None or time.monotonic() >= self._ends:
                self._token, self._ends = self._ask()
            return {"Authorization": f"Bearer {self._token.reveal()}"}

    def renew(self) -> bool:
        """Forget the token, so that the next call asks for a new one."""
        with self._lock:
            self._token = None
        return True

    def _ask(self) -> tuple[Secret, float]:
        headers, parameters = self.proof()
        form = {"grant_type": "client_credentials", "scope": self._scope, **parameters}
        content = urlencode({name: value for name, value in form.items() if value}).encode()
        asked = time.monotonic()
        try:
            # An assertion is good for one use, so that a call which the server may have seen is not repeated.
            answer = self._http.call(
                "POST", self.token_url, headers={**_FORM, **headers}, content=content, repeatable=False
            )
        except HttpError as error:
            raise SinkError(f"no token: {error}") from error
        return self._token_in(answer, asked)

    def _token_in(self, answer: Answer, asked: float) -> tuple[Secret, float]:
        try:
            found = json.loads(answer.content)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise SinkError(f"no token: {shown(self.token_url)} answered {answer.status} without JSON")
        token = found.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token.isascii() or not token.isprintable():
            # https://www.rfc-editor.org/rfc/rfc6749#section-5.2
            reasons = (str(found[key])[:300] for key in ("error", "error_description") if found.get(key))
            reason = ": ".join(reasons) or "no access_token in the answer"
            for secret in self.secrets():
                reason = reason.replace(secret, "***")
            if found.get("error") == "invalid_client":
                reason += f"; is this {self.shown_by} the one that it knows?"
            raise SinkError(f"no token: {shown(self.token_url)} answered {answer.status}: {reason}")
        life = found.get("expires_in")
        seconds = float(life) if isinstance(life, int | float | str) and _is_number(life) else _UNTOLD_LIFE
        return Secret(token), asked + max(seconds - _EARLY, seconds / 2)


def _is_number(value: Any) -> bool:
    try:
        return 0 <= float(value) < 1e9
    except ValueError:
        return False


class ClientCredentials(OAuthClient):
    """An OAuth2 client with a secret, which goes in a header (`client_secret_basic`) or in the form."""

    shown_by = "--client-id, with this secret,"

    def __init__(
        self,
        http: HttpClient,
        token_url: str,
        client_id: str,
        secret: Secret,
        *,
        scope: str = "",
        in_form: bool = False,
        insecure_http: bool = False,
    ) -> None:
        super().__init__(http, token_url, scope, insecure_http=insecure_http)
        self._client_id = client_id
        self._secret = secret
        self._in_form = in_form

    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the client's name and secret."""
        if self._in_form:
            return {}, {"client_id": self._client_id, "client_secret": self._secret.reveal()}
        pair = f"{quote(self._client_id, safe='')}:{quote(self._secret.reveal(), safe='')}"
        return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}, {}

    def secrets(self) -> Iterator[str]:
        """Yield the token and the client's secret."""
        yield from super().secrets()
        yield self._secret.reveal()


class SmartBackend(OAuthClient):
    """A SMART backend service: it signs an assertion with its private key, once for each token."""

    shown_by = "--client-id, with the public half of --key-file,"

    def __init__(
        self,
        http: HttpClient,
        token_url: str,
        client_id: str,
        sign: Callable[[str, str], str],
        *,
        scope: str,
        insecure_http: bool = False,
    ) -> None:
        """`sign` makes the assertion of the client's name and of the address of the token server."""
        super().__init__(http, token_url, scope, insecure_http=insecure_http)
        self._client_id = client_id
        self._sign = sign
        self._last = ""

    def proof(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return a new assertion."""
        self._last = self._sign(self._client_id, self.token_url)
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return {}, {"client_assertion_type": kind, "client_assertion": self._last}

    def secrets(self) -> Iterator[str]:
        """Yield the token and the last assertion."""
        yield from super().secrets()
        if self._last:
            yield self._last


def token_url_of(http: HttpClient, base: str) -> str:
    """Return the token address of a FHIR server that `.well-known/smart-configuration` names.

    https://hl7.org/fhir/smart-app-launch/conformance.html. Raises SinkError when the server does not tell.
    """
    place = f"{base}/.well-known/smart-configuration"
    try:
        answer = http.call("GET", place, headers={"Accept": "application/json"})
        found = json.loads(answer.content) if answer.status == 200 else None
    except HttpError as error:
        raise SinkError(f"no token address: {error}") from error
    except ValueError:
        found = None
    address = found.get("token_endpoint") if isinstance(found, dict) else None
    if not isinstance(address, str):
        raise SinkError(
            f"{place} does not name a token address (status {answer.status}); give it with --token-url"
        )
    return address
