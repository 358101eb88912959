"""The application: the guard around the HTTP interface and the page."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from trialconv.web.api import Api
from trialconv.web.guard import Guard
from trialconv.web.outcomes import RefusedError
from trialconv.web.pool import Pool
from trialconv.web.settings import Settings

#: FHIR's words for what HTTP says by a number (https://hl7.org/fhir/R4/valueset-issue-type.html).
_TYPES = {404: "not-found", 405: "not-supported", 400: "invalid"}


def create_app(settings: Settings) -> Starlette:
    """Return the ASGI application. It keeps nothing between two requests."""
    pool = Pool(settings.workers, work_time=settings.work_time, wait_time=settings.wait_time)
    return Starlette(
        routes=Api(settings, pool).routes(),
        middleware=[
            Middleware(Guard, settings=settings),
        ],
        exception_handlers={RefusedError: _refused, HTTPException: _http_error, Exception: _failed},
    )


async def _refused(_: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        raise error
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"{request.method} {request.url.path}: {error.detail}"
    return RefusedError(
        error.status_code, _TYPES.get(error.status_code, "processing"), message, headers=error.headers
    ).response()


async def _failed(_: Request, error: Exception) -> Response:
    return RefusedError(500, "exception", f"unexpected {type(error).__name__}").response()
