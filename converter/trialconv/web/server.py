"""The server: uvicorn with the application, on one port."""

from __future__ import annotations

import uvicorn

from trialconv.web.app import create_app
from trialconv.web.patience import patient
from trialconv.web.settings import Settings


def configuration(settings: Settings) -> uvicorn.Config:
    """Return what uvicorn has to know."""
    return uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http=patient(settings.body_time),
        access_log=False,  # the guard writes a line for each request
        log_level="warning",
        server_header=False,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
        limit_concurrency=1000,
    )


def serve(settings: Settings) -> None:
    """Answer requests until interrupted. Raises OSError when the port cannot be had."""
    uvicorn.Server(configuration(settings)).run()
