"""The server: uvicorn with the application, on one port."""

from __future__ import annotations

import uvicorn

from trialconv.web.app import create_app
from trialconv.web.settings import Settings


def serve(settings: Settings) -> None:
    """Answer requests until interrupted. Raises OSError when the port cannot be had."""
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,  # the guard writes a line for each request
        log_level="warning",
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        limit_concurrency=1000,
    )
    uvicorn.Server(config).run()
