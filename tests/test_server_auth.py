"""Who we are to a FHIR server: tokens, token servers, signed assertions, certificates; and that nothing leaks."""

from __future__ import annotations

import json
import pickle
import ssl
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs

import click
import pytest
import trustme
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from command_runner import Ran, run
from fhir_http import FhirHttp, running
from made_up import NCT, Tree, encoded, study
from trialconv.cli.main import cli, main
from trialconv.fhir_server.auth import Secret
from trialconv.http_client import Retry

TOKEN = "made-up-token-of-48-characters-that-nobody-may-see"  # noqa: S105 - made up
CLIENT_SECRET = "made-up secret: with+signs/and=more"  # noqa: S105 - made up


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waits, and no secrets of whoever runs the tests."""
    monkeypatch.setattr(Retry, "wait", lambda *_: 0.0)
    for name in ("TOKEN", "CLIENT_SECRET", "KEY_PASSWORD"):
        monkeypatch.delenv(f"TRIALCONV_FHIR_{name}", raising=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a file with a small study."""
    path = tmp_path / "study.json"
    path.write_bytes(encoded(study()))
    return path


@pytest.fixture
def server() -> Iterator[FhirHttp]:
    """Return a server that admits the bearer of the token."""
    made = FhirHttp()
    made.admits = lambda headers: headers.get("authorization") == f"Bearer {TOKEN}"
    with running(made):
        yield made


def private(path: Path, text: str | bytes) -> Path:
    """Write a file that only its owner may read."""
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    path.chmod(0o600)
    return path


def push(server: FhirHttp, source: Path, *arguments: str | Path) -> Ran:
    """Push to a server."""
    return run("push", source, "--server", server.base, *arguments)


# bearer


def test_a_token_from_the_environment(server: FhirHttp, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token comes from a variable; without it the message names the variable."""
    missing = push(server, source, "--auth", "bearer")
    assert missing.code == 2
    assert "there is no token: set TRIALCONV_FHIR_TOKEN, or name a file that holds it" in missing.err
    monkeypatch.setenv("TRIALCONV_FHIR_TOKEN", TOKEN)
    assert push(server, source, "--auth", "bearer").code == 0
    assert server.store.writes[f"ResearchStudy/{NCT}"] == 1


def test_a_token_from_a_file(server: FhirHttp, source: Path, tmp_path: Path) -> None:
    """The token comes from a file; one that others may read is used with a warning."""
    file = private(tmp_path / "token", TOKEN + "\n")
    ran = push(server, source, "--auth", "bearer", "--token-file", file)
    assert (ran.code, "warning" in ran.err) == (0, False)
    file.chmod(0o644)
    ran = push(server, source, "--auth", "bearer", "--token-file", file)
    assert ran.code == 0
    assert f"warning: other users of this machine may read {file}" in ran.err


def test_a_token_that_has_expired(server: FhirHttp, source: Path, tmp_path: Path) -> None:
    """A token that the server no longer takes is one clear message; a file that was renewed is read again."""
    file = private(tmp_path / "token", "expired")
    ran = push(server, source, "--auth", "bearer", "--token-file", file)
    assert (ran.code, len(ran.errors)) == (5, 1)
    told = f"the server does not accept who we are (401): who are you?; the token in {file} may have expired"
    assert told in ran.errors[0]
    assert server.store.resources == {}

    def renewed(headers: dict[str, str]) -> bool:
        file.write_text(TOKEN)
        return headers.get("authorization") == f"Bearer {TOKEN}"

    server.admits = renewed
    file.write_text("expired")
    assert push(server, source, "--auth", "bearer", "--token-file", file).code == 0


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        (
            'Bearer error="invalid_token", error_description="The access token expired"',
            ": The access token expired; ",
        ),
        ('Bearer error_description="It is over", error="invalid_token"', ": It is over; "),
        ('Bearer realm="made-up", error="invalid_token"', ": invalid_token; "),
        ('Bearer realm="made-up"', ": not now; "),
        (f'Bearer error="{TOKEN}"', ": ***; "),
    ],
)
def test_why_a_token_was_refused(
    server: FhirHttp, source: Path, monkeypatch: pytest.MonkeyPatch, challenge: str, reason: str
) -> None:
    """A server that gives its reason in the header is quoted, without what it must not repeat."""
    server.fault = lambda *_: (401, {"WWW-Authenticate": challenge})
    monkeypatch.setenv("TRIALCONV_FHIR_TOKEN", TOKEN)
    ran = push(server, source, "--auth", "bearer")
    assert (ran.code, len(ran.errors)) == (5, 1)
    assert f"does not accept who we are (401){reason}the token in TRIALCONV_FHIR_TOKEN may have" in ran.errors[0]


@pytest.mark.parametrize("content", ["", " \n", "two\nlines", "ümlaut", "x" * 70_000])
def test_what_is_no_token(server: FhirHttp, source: Path, tmp_path: Path, content: str) -> None:
    """A file that cannot be a token is refused before anything is sent, without its content."""
    ran = push(server, source, "--auth", "bearer", "--token-file", private(tmp_path / "token", content))
    assert (ran.code, server.calls) == (2, [])
    assert not content.strip() or content not in ran.err


# token servers


class TokenServer:
    """A token server: it admits a client by its secret or by an assertion, and never the same assertion twice."""

    def __init__(
        self, *, key: RSAKey | ECKey | None = None, life: object = 3600, client: str = "made-up-client"
    ) -> None:
        self.key = key
        self.client = client
        self.life = life
        self.url = ""
        self.asked: list[dict[str, str]] = []
        self.heads: list[dict[str, str]] = []
        self.seen: set[str] = set()

    def __call__(self, headers: dict[str, str], body: bytes) -> tuple[int, Tree]:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.asked.append(form)
        self.heads.append(headers)
        try:
            assert form["grant_type"] == "client_credentials"
            self._check_assertion(form) if self.key is not None else self._check_secret(headers, form)
        except Exception as error:  # whatever is wrong with it, it is refused
            description = f"{type(error).__name__}: {error} {form.get('client_assertion')} {CLIENT_SECRET}"
            return 400, {"error": "invalid_client", "error_description": description}
        return 200, {"access_token": TOKEN, "token_type": "bearer", "expires_in": self.life}

    def _check_secret(self, headers: dict[str, str], form: dict[str, str]) -> None:
        given = form.get("client_secret")
        if given is None:
            name, _, coded = b64decode(headers["authorization"].removeprefix("Basic ")).decode().partition(":")
            ((_, (given,)),) = parse_qs(f"secret={coded}").items()
            assert name == self.client
        assert given == CLIENT_SECRET

    def _check_assertion(self, form: dict[str, str]) -> None:
        """Check what https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html asks for."""
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert self.key is not None
        algorithm = "RS384" if isinstance(self.key, RSAKey) else "ES384"
        token = jwt.decode(form["client_assertion"], self.key, algorithms=[algorithm])
        assert token.header["typ"] == "JWT"
        assert token.header["kid"] == (self.key.kid or self.key.thumbprint())
        claims = token.claims
        assert claims["iss"] == claims["sub"] == self.client
        assert claims["aud"] == self.url
        assert time.time() < claims["exp"] <= time.time() + 300
        assert claims["jti"] not in self.seen
        self.seen.add(claims["jti"])


def with_tokens(server: FhirHttp, tokens: TokenServer) -> TokenServer:
    """Give a FHIR server a token server that it names itself."""
    tokens.url = f"{server.base}/token"
    server.extra["/token"] = tokens
    server.extra["/.well-known/smart-configuration"] = lambda *_: (200, {"token_endpoint": tokens.url})
    return tokens


@pytest.mark.parametrize("in_form", [False, True])
def test_client_credentials(
    server: FhirHttp, source: Path, monkeypatch: pytest.MonkeyPatch, in_form: bool
) -> None:
    """The client's secret goes to the token server, in a header or in the form, and to nobody else."""
    tokens = with_tokens(server, TokenServer())
    monkeypatch.setenv("TRIALCONV_FHIR_CLIENT_SECRET", CLIENT_SECRET)
    arguments = ["--auth", "client-credentials", "--client-id", "made-up-client", "--scope", "system/*.cruds"]
    ran = push(server, source, *arguments, *(["--secret-in-form"] if in_form else []))
    assert ran.code == 0, ran.err
    assert [form["scope"] for form in tokens.asked] == ["system/*.cruds"]
    assert ("client_secret" in tokens.asked[0]) is in_form


def keys() -> list[RSAKey | ECKey]:
    """Return a key of each kind that SMART demands."""
    return [RSAKey.generate_key(2048), ECKey.generate_key("P-384")]


KEYS = keys()


@pytest.mark.parametrize("form", ["pem", "jwk", "jwks"])
@pytest.mark.parametrize("key", KEYS, ids=["RS384", "ES384"])
def test_smart_backend_services(
    server: FhirHttp, source: Path, tmp_path: Path, key: RSAKey | ECKey, form: str
) -> None:
    """An assertion signed with the key is taken by a server that checks all of it; the token serves all calls."""
    if form != "pem":
        key = type(key).import_key({**key.as_dict(private=True), "kid": "made-up-kid"})
    tokens = with_tokens(server, TokenServer(key=key))
    jwk = key.as_dict(private=True)
    content = {
        "pem": key.as_pem(private=True).decode(),
        "jwk": json.dumps(jwk),
        "jwks": json.dumps({"keys": [key.as_dict(private=False), jwk]}),
    }[form]
    file = private(tmp_path / "key", content)
    arguments = ["--auth", "smart-backend", "--client-id", "made-up-client", "--key-file", file]
    ran = push(server, source, *arguments)
    assert ran.code == 0, ran.err
    assert len(tokens.asked) == 1
    assert tokens.asked[0]["scope"] == "system/*.cruds"


def test_tokens_are_renewed(server: FhirHttp, source: Path, tmp_path: Path) -> None:
    """A token that ends is renewed before, with a new assertion; one that is refused early, once."""
    key = KEYS[1]
    tokens = with_tokens(server, TokenServer(key=key, life=0))
    file = private(tmp_path / "key", key.as_pem(private=True))
    arguments = ["--auth", "smart-backend", "--client-id", "made-up-client", "--key-file", file]
    assert push(server, source, *arguments).code == 0
    assert len(tokens.seen) == len(tokens.asked) > 2

    tokens.life, refusals = 3600, iter([True])
    server.admits = lambda headers: (
        headers.get("authorization") == f"Bearer {TOKEN}" and not (len(server.calls) > 3 and next(refusals, False))
    )
    server.calls.clear()
    tokens.asked.clear()
    assert push(server, source, *arguments).code == 0
    assert len(tokens.asked) == 2


def test_the_wrong_key(server: FhirHttp, source: Path, tmp_path: Path) -> None:
    """A token server that refuses the assertion is one message, without the assertion that it repeats."""
    tokens = with_tokens(server, TokenServer(key=KEYS[0]))
    file = private(tmp_path / "key", RSAKey.generate_key(2048).as_pem(private=True))
    ran = push(server, source, "--auth", "smart-backend", "--client-id", "made-up-client", "--key-file", file)
    assert (ran.code, len(ran.errors)) == (5, 1)
    assert "no token: " in ran.errors[0]
    assert "answered 400: invalid_client: BadSignatureError" in ran.errors[0]
    assert "; is this --client-id, with the public half of --key-file, the one that it knows?" in ran.errors[0]
    assert tokens.asked[0]["client_assertion"] not in ran.err
    assert server.store.resources == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no key at all",
        b'{"kty": "RSA"}',
        b'{"keys": []}',
        ECKey.generate_key("P-256").as_pem(private=True),
        KEYS[0].as_pem(private=False),
    ],
)
def test_what_is_no_key(server: FhirHttp, source: Path, tmp_path: Path, content: bytes) -> None:
    """A file without a fitting private key is refused with what fits, and nothing of its content."""
    with_tokens(server, TokenServer(key=KEYS[0]))
    file = private(tmp_path / "key", content)
    ran = push(server, source, "--auth", "smart-backend", "--client-id", "made-up-client", "--key-file", file)
    assert ran.code == 2
    assert f"{file} holds " in ran.err
    assert not content or content.decode()[:20] not in ran.err
    assert [path for _, path in server.calls if path != "/.well-known/smart-configuration"] == []


def test_a_server_without_a_token_address(server: FhirHttp, source: Path, tmp_path: Path) -> None:
    """Where the server names no token address, the message names the option for it."""
    file = private(tmp_path / "key", KEYS[1].as_pem(private=True))
    ran = push(server, source, "--auth", "smart-backend", "--client-id", "x", "--key-file", file)
    assert ran.code == 5
    assert "does not name a token address (status 401); give it with --token-url" in ran.err
    far = push(
        server,
        source,
        *("--auth", "smart-backend", "--client-id", "x", "--key-file", file),
        *("--token-url", "http://tokens.example.org/token"),
    )
    assert far.code == 2
    assert "is not encrypted" in far.err


# certificates


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return a certificate authority that nobody knows."""
    return trustme.CA()


def secured(authority: trustme.CA, *, asks: bool = False) -> ssl.SSLContext:
    """Return the certificate of a server, which asks for that of the client or not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def test_certificates_are_checked(authority: trustme.CA, source: Path, tmp_path: Path) -> None:
    """A certificate that does not verify stops everything, at once; with its authority's it is fine."""
    with running(FhirHttp(), tls=secured(authority)) as server:
        ran = push(server, source)
        assert (ran.code, len(ran.errors), server.calls) == (5, 1, [])
        told = "its certificate does not verify: unable to get local issuer certificate; --ca-file names"
        assert told in ran.errors[0]
        assert "trying again" not in ran.err
        file = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(file)
        assert push(server, source, "--ca-file", file).code == 0
        wrong = run("push", source, "--server", server.base.replace("localhost", "127.0.0.1"), "--ca-file", file)
        assert (
            "does not verify: IP address mismatch, certificate is not valid for '127.0.0.1'; " in wrong.errors[0]
        )
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(other)
        assert "its certificate does not verify: " in push(server, source, "--ca-file", other).err


def test_no_https_there(server: FhirHttp, source: Path) -> None:
    """A server that speaks plain http under an https address is told of at once."""
    ran = run("push", source, "--server", server.base.replace("http:", "https:"))
    assert (ran.code, len(ran.errors)) == (5, 1)
    assert "/metadata: there is no https there" in ran.errors[0]
    assert "trying again" not in ran.err


def test_mutual_tls(authority: trustme.CA, source: Path, tmp_path: Path) -> None:
    """A server that asks for our certificate gets it; without one there is no connection."""
    ca, cert, key = (tmp_path / name for name in ("ca.pem", "cert.pem", "key.pem"))
    authority.cert_pem.write_to_path(ca)
    ours = authority.issue_cert("client@example.org")
    cert.write_bytes(b"".join(blob.bytes() for blob in ours.cert_chain_pems))
    private(key, ours.private_key_pem.bytes())
    with running(FhirHttp(), tls=secured(authority, asks=True)) as server:
        assert push(server, source, "--ca-file", ca, "--tries", "2").code == 5
        assert server.calls == []
        ran = push(server, source, "--ca-file", ca, "--client-cert", cert, "--client-key", key)
        assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--client-key", "key.pem"], "--client-key goes with --client-cert"),
        (["--client-cert", "nowhere.pem"], "the certificate nowhere.pem and its key cannot be used: No such file"),
        (["--ca-file", "nowhere.pem"], "nowhere.pem holds no certificates in PEM: No such file"),
        (["--auth", "smart-backend"], "--auth smart-backend needs --client-id"),
        (
            ["--auth", "smart-backend", "--client-id", "x"],
            "--auth smart-backend needs --key-file, the private key",
        ),
        (["--auth", "client-credentials"], "--auth client-credentials needs --client-id"),
        (["--auth", "bearer", "--token-file", "nowhere"], "nowhere, the token, cannot be read: No such file"),
    ],
)
def test_what_is_missing(server: FhirHttp, source: Path, arguments: list[str], message: str) -> None:
    """What does not fit together is a wrong call, and says what is missing."""
    ran = push(server, source, *arguments)
    assert ran.code == 2
    assert message in ran.err


# nothing leaks


def test_no_option_takes_a_secret() -> None:
    """No option of `push` or `withdraw` takes a token, a secret, a password or a key by itself."""
    for name in ("push", "withdraw"):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        secret = [
            each
            for each in command.params
            if isinstance(each, click.Option)
            and any(word in str(each.name) for word in ("token", "secret", "password", "key"))
        ]
        assert {each.name for each in secret} >= {"token_file", "client_secret_file", "key_file", "client_key"}
        values = [each for each in secret if not (each.is_flag or isinstance(each.type, click.Path))]
        assert {each.name for each in values} == {"key_id", "token_url"}


def test_a_password_in_the_address_is_refused(source: Path) -> None:
    """An address with a password is a wrong call, and the message does not show it."""
    ran = run("push", source, "--server", "https://somebody:hidden@example.org")
    assert ran.code == 2
    assert "hidden" not in ran.err


def test_secrets_do_not_show() -> None:
    """A secret has no text but by asking for it, and cannot be stored."""
    secret = Secret(TOKEN)
    for text in (repr(secret), str(secret), f"{secret}", repr([secret])):
        assert TOKEN not in text
    assert secret.reveal() == TOKEN
    with pytest.raises(TypeError, match="not to be stored"):
        pickle.dumps(secret)


def test_no_secret_in_what_is_written(
    server: FhirHttp, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither messages, nor reports, nor journals hold a secret, though the server repeats them in its answers."""
    with_tokens(server, TokenServer())
    monkeypatch.setenv("TRIALCONV_FHIR_CLIENT_SECRET", CLIENT_SECRET)
    echo = {"severity": "error", "code": "invalid", "diagnostics": f"Bearer {TOKEN} {CLIENT_SECRET}"}
    server.extra[""] = lambda *_: (422, {"resourceType": "OperationOutcome", "issue": [echo]})
    report, state = tmp_path / "report", tmp_path / "state"
    arguments = ["--auth", "client-credentials", "--client-id", "made-up-client"]
    ran = push(server, source, *arguments, "--report", report, "--state", state, "-v")
    assert ran.code == 5
    assert "Bearer *** ***" in ran.err
    for text in (ran.err, report.read_text(), state.read_text()):
        assert TOKEN not in text
        assert CLIENT_SECRET not in text


def test_no_secret_in_tracebacks(
    server: FhirHttp,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With TRIALCONV_DEBUG the traceback of a failure of ours, with all its causes, names no secret."""
    import traceback

    file = private(tmp_path / "token", TOKEN)
    monkeypatch.setenv("TRIALCONV_DEBUG", "1")
    monkeypatch.setattr("trialconv.fhir_server.connect.read_capabilities", lambda server: 1 / 0)
    monkeypatch.setattr(
        "sys.argv",
        ["trialconv", "push", str(source), "--server", server.base, "--auth", "bearer", "--token-file", str(file)],
    )
    with pytest.raises(ZeroDivisionError) as caught:
        main()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "ZeroDivisionError" in shown
    assert TOKEN not in shown
