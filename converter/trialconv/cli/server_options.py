"""What `push` and `withdraw` share: how to reach a server, and how a run is told of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trialconv.cli.options import with_options

if TYPE_CHECKING:
    from trialconv.fhir_server.connect import Connection

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False)


#: How to reach the server. No option takes a secret.
_REACHING = (
    click.option("--server", "url", required=True, metavar="URL", help="The base address of the FHIR server."),
    click.option(
        "--auth",
        type=click.Choice(["none", "bearer", "client-credentials", "smart-backend"]),
        default="none",
        show_default=True,
        help="Who we are to the server.",
    ),
    click.option(
        "--token-file", type=_FILE, help="bearer: a file with the token. Default: $TRIALCONV_FHIR_TOKEN."
    ),
    click.option("--client-id", help="client-credentials, smart-backend: the client's registered name."),
    click.option(
        "--client-secret-file",
        type=_FILE,
        help="client-credentials: a file with the secret. Default: $TRIALCONV_FHIR_CLIENT_SECRET.",
    ),
    click.option(
        "--secret-in-form", is_flag=True, help="client-credentials: send the secret in the form, not a header."
    ),
    click.option("--key-file", type=_FILE, help="smart-backend: the private key, PEM or JWK (RSA, or EC P-384)."),
    click.option(
        "--key-id", metavar="KID", help="smart-backend: the key's name. Default: the JWK's, or its hash."
    ),
    click.option("--token-url", metavar="URL", help="The token server. Default: the one that the server names."),
    click.option("--scope", help="The scopes to ask for. Default for smart-backend: system/*.cruds."),
    click.option("--client-cert", type=_FILE, help="Mutual TLS: our certificate, PEM."),
    click.option("--client-key", type=_FILE, help="Mutual TLS: its key, where the certificate's file has none."),
    click.option("--ca-file", type=_FILE, help="Certificates to trust in the place of the system's, PEM."),
    click.option("--insecure-http", is_flag=True, help="Allow http to other machines than this one."),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=60.0,
        show_default=True,
        help="Seconds without a byte after which a call counts as failed.",
    ),
    click.option(
        "--tries",
        type=click.IntRange(min=1),
        default=6,
        show_default=True,
        help="How often a call is tried that fails with 429, 5xx or a time-out.",
    ),
)

#: How to run.
_RUNNING = (
    click.option("--dry-run", is_flag=True, help="Read and compare, and write nothing."),
    click.option(
        "--report",
        "report_file",
        type=_FILE,
        help="Write what became of every study to this file, as JSON lines; - is standard output.",
    ),
    click.option("--force", is_flag=True, help="Write over what others changed meanwhile; replace the report."),
    click.option("--verbose", "-v", is_flag=True, help="Print a line for every study, and every Issue."),
)


def server_options(function: _F) -> _F:
    """Add the options of every command that talks to a FHIR server."""
    return with_options(function, _REACHING + _RUNNING)


_OF_CONNECTION = (
    *("url", "auth", "token_file", "client_id", "client_secret_file", "secret_in_form", "key_file", "key_id"),
    *("token_url", "scope", "client_cert", "client_key", "ca_file", "insecure_http", "timeout"),
)


def connection(values: dict[str, Any]) -> Connection:
    """Take the options that say how to reach the server out of the parsed ones."""
    from trialconv.fhir_server.connect import Connection
    from trialconv.http_client import Retry

    retry = Retry(tries=values.pop("tries"))
    return Connection(**{name: values.pop(name) for name in _OF_CONNECTION}, retry=retry)
