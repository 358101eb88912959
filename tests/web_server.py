"""The server of the HTTP interface and the page, run for tests on a free port."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import uvicorn

from trialconv.web.server import configuration
from trialconv.web.settings import Settings


@contextmanager
def server(settings: Settings) -> Iterator[httpx.Client]:
    """Run a server on a free port, and give a client of it."""
    running = uvicorn.Server(configuration(replace(settings, port=0)))
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        while not running.started:
            time.sleep(0.01)
        port = running.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        running.should_exit = True
        thread.join()
