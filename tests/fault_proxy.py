"""A bad way to a server: a proxy on loopback that lets a part of the calls fail, before or after the work."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from threading import Lock, Thread
from urllib.parse import urlsplit

from quick_http import QuickHandler

#: What goes wrong, in turn: an answer in the server's place, no answer at all, or none though the work is done.
#: The silent ones are rarer, since each of them costs the client its time-out.
FAULTS = ("silence", "silence after", *(["503", "429", "hang up", "hang up after"] * 8))
#: Headers of one connection, which a proxy does not pass on: https://www.rfc-editor.org/rfc/rfc9110#field.connection
_OF_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


class BadWay:
    """A proxy under way: its address, and what went wrong so far."""

    def __init__(self, server: str, share: float, silence: float, seed: int) -> None:
        self.base = ""
        self.calls = 0
        self.faults: Counter[str] = Counter()
        parts = urlsplit(server)
        self.target, self.path = parts.netloc, parts.path
        self.silence = silence
        self._share = share
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._next = cycle(FAULTS)
        self._lock = Lock()

    def fault(self, path: str) -> str:
        """Return what goes wrong with a call; empty for nothing. The CapabilityStatement is spared."""
        with self._lock:
            self.calls += 1
            if path.endswith("/metadata") or self._dice.random() >= self._share:
                return ""
            found = next(self._next)
            self.faults[found] += 1
            return found


@contextmanager
def bad_way(server: str, *, share: float, silence: float, seed: int = 7) -> Iterator[BadWay]:
    """Run a proxy to a server; a `share` of the calls fails, some by a silence of so many seconds."""
    way = BadWay(server, share, silence, seed)
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(way))
    http.daemon_threads = True
    way.base = f"http://127.0.0.1:{http.server_address[1]}{way.path}"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield way
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _handler(way: BadWay) -> type[BaseHTTPRequestHandler]:
    class Handler(QuickHandler):
        def _any(self) -> None:
            body = self.body()
            fault = way.fault(self.path)
            if fault.isdigit():
                self._send(int(fault), [("Retry-After", "0")], b"not now")
                return
            if not fault or fault.endswith("after"):
                status, headers, content = self._passed_on(body)
            if not fault:
                self._send(status, headers, content)
                return
            if fault.startswith("silence"):
                time.sleep(way.silence)
            self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - names of http.server

        def _passed_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in _OF_CONNECTION}
            connection = HTTPConnection(way.target, timeout=300)
            try:
                connection.request(self.command, self.path, body or None, headers)
                answer = connection.getresponse()
                kept = [each for each in answer.getheaders() if each[0].lower() not in _OF_CONNECTION]
                return answer.status, kept, answer.read()
            finally:
                connection.close()

        def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in [*headers, ("Content-Length", str(len(content)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
