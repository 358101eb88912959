"""HTTP/1.1 for clients that hang: a connection that does not come to a request in time is closed.

uvicorn limits how many connections there are and how long one may be idle after an answer, but not how long one
may take to say what it asks for; connections that say nothing would in the end keep everybody out.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient(seconds: float) -> type[H11Protocol]:
    """Return the protocol for a server, with so many seconds for the head of each request."""

    class Patient(H11Protocol):
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait(True)

        def data_received(self, data: bytes) -> None:
            before: Any = self.cycle
            super().data_received(data)
            begun = self.cycle is not before or (before is not None and not before.response_complete)
            self._wait(not begun)

        def connection_lost(self, exc: Exception | None) -> None:
            self._wait(False)
            super().connection_lost(exc)

        def _wait(self, needed: bool) -> None:
            """Begin to wait for the head of a request, go on waiting, or stop."""
            if needed and self._waiting is None:
                self._waiting = self.loop.call_later(seconds, self.transport.close)
            elif not needed and self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

    return Patient
