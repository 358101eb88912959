"""The way to a server: TLS, who we are, and what the server can do."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from trialconv.fhir_server.auth import (
    Auth,
    Bearer,
    ClientCredentials,
    NoAuth,
    SmartBackend,
    is_open_to_others,
    secret_from,
    token_url_of,
)
from trialconv.fhir_server.capability import Capabilities, read_capabilities
from trialconv.fhir_server.server import FhirServer
from trialconv.http_client import HttpClient, Limits, Retry, checked_base
from trialconv.issues import UsageError

AuthKind = Literal["none", "bearer", "client-credentials", "smart-backend"]

#: Where secrets are looked for that no file is named for.
TOKEN_VARIABLE: Final = "TRIALCONV_FHIR_TOKEN"  # noqa: S105 - a name, not a secret
SECRET_VARIABLE: Final = "TRIALCONV_FHIR_CLIENT_SECRET"  # noqa: S105 - a name, not a secret
PASSWORD_VARIABLE: Final = "TRIALCONV_FHIR_KEY_PASSWORD"  # noqa: S105 - a name, not a secret
#: https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html
DEFAULT_SCOPE: Final = "system/*.cruds"
_LARGEST_ANSWER: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach a server. It holds no secrets, only where they are.

    `client_cert` and `client_key` are ours for mutual TLS, `ca_file` holds the certificates that the server's is
    checked against in the place of the system's.
    """

    url: str
    auth: AuthKind = "none"
    token_file: Path | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret_file: Path | None = None
    secret_in_form: bool = False
    scope: str | None = None
    key_file: Path | None = None
    key_id: str | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    ca_file: Path | None = None
    insecure_http: bool = False
    timeout: float = 60.0
    retry: Retry = field(default_factory=Retry)


@contextmanager
def connected(how: Connection, told: Callable[[str], None]) -> Iterator[tuple[FhirServer, Capabilities]]:
    """Give a server and what it can do.

    `told` is given sentences for people. Raises UsageError for what is missing or does not fit together, SinkError
    when the server cannot be had or is no FHIR server that we know.
    """
    base = checked_base(how.url, insecure_http=how.insecure_http)
    with HttpClient(
        limits=Limits(silence=how.timeout, total=how.timeout * 10, size=_LARGEST_ANSWER),
        retry=how.retry,
        insecure_http=how.insecure_http,
        tls=_tls(how),
        untrusted="--ca-file names certificates to trust",
        told=told,
    ) as http:
        server = FhirServer(base, http, _auth(how, http, base, told))
        capabilities = read_capabilities(server)
        server.speak(capabilities.version)
        yield server, capabilities


def _auth(how: Connection, http: HttpClient, base: str, told: Callable[[str], None]) -> Auth:
    for file in (how.token_file, how.client_secret_file, how.key_file, how.client_key):
        if file is not None and is_open_to_others(file):
            told(f"warning: other users of this machine may read {file}; chmod 600 keeps it to you")
    if how.auth == "none":
        return NoAuth()
    if how.auth == "bearer":
        place = str(how.token_file or TOKEN_VARIABLE)
        return Bearer(lambda: secret_from(how.token_file, TOKEN_VARIABLE, "token"), place)
    if not how.client_id:
        raise UsageError(f"--auth {how.auth} needs --client-id")
    if how.auth == "client-credentials":
        secret = secret_from(how.client_secret_file, SECRET_VARIABLE, "client secret")
        return ClientCredentials(
            http,
            how.token_url or token_url_of(http, base),
            how.client_id,
            secret,
            scope=how.scope or "",
            in_form=how.secret_in_form,
            insecure_http=how.insecure_http,
        )
    if how.key_file is None:
        raise UsageError("--auth smart-backend needs --key-file, the private key")
    from trialconv.fhir_server.assertion import signer

    sign = signer(how.key_file, key_id=how.key_id)
    token_url, scope = how.token_url or token_url_of(http, base), how.scope or DEFAULT_SCOPE
    return SmartBackend(http, token_url, how.client_id, sign, scope=scope, insecure_http=how.insecure_http)


def _tls(how: Connection) -> ssl.SSLContext | None:
    """Return what checks the server's certificate and shows ours; None where the usual will do."""
    if how.client_key is not None and how.client_cert is None:
        raise UsageError("--client-key goes with --client-cert")
    if how.ca_file is None and how.client_cert is None:
        return None
    try:
        context = ssl.create_default_context(cafile=how.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{how.ca_file} holds no certificates in PEM: {_reason(error)}") from None
    if how.client_cert is not None:
        password = os.environ.get(PASSWORD_VARIABLE, "")
        try:
            # Without a password OpenSSL would ask for one on the terminal, so that an empty one is given.
            context.load_cert_chain(how.client_cert, how.client_key, lambda: password)
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"the certificate {how.client_cert} and its key cannot be used: {_reason(error)}; "
                f"{PASSWORD_VARIABLE} holds the password of a key that has one"
            ) from None
    return context


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
