"""What stands before every answer: request ids, limits of size and time, headers for browsers, a line in the log.

Plain ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html), so that bodies are counted as they come in.
"""

from __future__ import annotations

import re
import sys
import time
import uuid
from typing import Any, Final

import anyio
import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trialconv.web.outcomes import RefusedError
from trialconv.web.settings import Settings

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
#: Nothing but what this server sends itself may run or load; no other page may frame it
#: (https://www.w3.org/TR/CSP3/).
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)


class Guard:
    """The outermost part of the application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and write a line about it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = _header(scope, b"x-request-id").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        begin = time.monotonic()
        status = 0

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                named = {name for name, _ in message["headers"]}
                added = [pair for pair in _HEADERS if pair[0] not in named]
                message["headers"] = [*message["headers"], *added, (b"x-request-id", request_id.encode())]
            await send(message)

        try:
            try:
                self._check_host(scope)
                limited = self._limited(scope, receive)
                await self._app(scope, limited, send_on)
            except RefusedError as refusal:
                if status:
                    raise
                # The rest of the body is not read, so that the connection cannot be used again.
                refusal.headers.setdefault("Connection", "close")
                await refusal.response()(scope, receive, send_on)
        finally:
            _log(scope, status, request_id, time.monotonic() - begin)

    def _check_host(self, scope: Scope) -> None:
        """Raise RefusedError for a request that calls the server by a name that is not one of its own.

        That is what a page elsewhere does whose own name was made to point to this machine.
        """
        host = _header(scope, b"host").decode("latin-1").lower()
        name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
        if name not in self._settings.hosts:
            advice = "Call it as localhost, or start it with --allow-host."
            raise RefusedError(421, "forbidden", "the server is not called by that name", advice=advice)

    def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Return the way a body comes in: not more than so much of it, and not longer than so long.

        Raises RefusedError at once when the request says itself that it is too large.
        """
        largest = self._settings.max_body
        said = _header(scope, b"content-length")
        if said.isdigit() and int(said) > largest:
            raise too_large(largest)
        deadline = time.monotonic() + self._settings.body_time
        size = 0
        complete = False

        async def receive_within() -> Message:
            nonlocal size, complete
            if complete:
                return await receive()
            try:
                with anyio.fail_after(max(0.0, deadline - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                text = f"the body was not complete within {self._settings.body_time:g} seconds"
                raise RefusedError(408, "timeout", text) from None
            size += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if size > largest:
                raise too_large(largest)
            return message

        return receive_within


def too_large(largest: int) -> RefusedError:
    """Return the refusal of a body that is larger than what is taken."""
    text = f"the body is larger than the {largest} bytes that this server takes"
    return RefusedError(
        413, "too-long", text, advice="Use the command line, or a server with a larger --max-body."
    )


def _header(scope: Scope, name: bytes) -> bytes:
    found: bytes = next((value for key, value in scope["headers"] if key == name), b"")
    return found


def _log(scope: Scope, status: int, request_id: str, seconds: float) -> None:
    """Write what was asked and answered, as a JSON line; nothing of what was sent stands there."""
    line: dict[str, Any] = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "request": request_id,
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "ms": round(seconds * 1000),
    }
    sys.stderr.write(orjson.dumps(line).decode() + "\n")
