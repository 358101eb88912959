"""The HTTP/1.1 that the stand-ins of the tests speak."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler


class QuickHandler(BaseHTTPRequestHandler):
    """A handler of connections that stay open."""

    protocol_version = "HTTP/1.1"
    # An answer leaves as one piece and at once; otherwise each would wait for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def body(self) -> bytes:
        """Return the body of the request."""
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))
