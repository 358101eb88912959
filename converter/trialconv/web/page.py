"""The page: its files, and what it asks the server for."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

import anyio
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from trialconv.issues import SourceError
from trialconv.ledger.page import asset as ledger_asset
from trialconv.readers.ctgov_api import record_from_registry
from trialconv.registry.ids import nct_number
from trialconv.web import work
from trialconv.web.api import body_of, target_of
from trialconv.web.media import RECORD_TYPES
from trialconv.web.outcomes import RefusedError, outcome_response, refusal
from trialconv.web.pool import Pool
from trialconv.web.settings import Settings

#: The files of the page by their names, with their media types: those of its own, and those of the ledger's page.
_OWN: Final = {"page.js": "text/javascript", "figures.js": "text/javascript", "page.css": "text/css"}
_SHARED: Final = {"linked.js": "text/javascript", "views.js": "text/javascript", "linked.css": "text/css"}


class Page:
    """The answers that the page needs."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        # The registry is asked politely: one call after the other, each at its pace.
        self._one_at_a_time = anyio.CapacityLimiter(1)

    def routes(self) -> list[Route]:
        """Return what is answered where."""
        html = _asset("page.html").replace("@PANES@", ledger_asset("panes.html"))
        found = [_file("/", html, "text/html")]
        found += [_file(f"/page/{name}", _asset(name), media) for name, media in _OWN.items()]
        found += [_file(f"/page/{name}", ledger_asset(name), media) for name, media in _SHARED.items()]
        found.append(_file("/page/example", _asset("example.json"), "application/json"))
        return [
            *found,
            Route("/page/study/{target}", self.study, methods=["POST"]),
            Route("/page/record/{number}", self.record, methods=["GET"]),
        ]

    async def record(self, request: Request) -> Response:
        """Answer with a record as the registry has it, by its number."""
        number = nct_number(request.path_params["number"])
        if number is None:
            raise RefusedError(400, "value", f"{request.path_params['number']!r} is no NCT number")
        try:
            with anyio.fail_after(self._settings.work_time):
                data = await to_thread.run_sync(
                    record_from_registry, number, abandon_on_cancel=True, limiter=self._one_at_a_time
                )
        except SourceError as error:
            status = 404 if error.issue.code == "not-in-registry" else 502
            return outcome_response(refusal([error.issue]), status)
        except TimeoutError:
            text = f"the registry did not answer within {self._settings.work_time:g} seconds"
            raise RefusedError(504, "timeout", text, advice="Try again later, or paste the record.") from None
        return Response(data, media_type="application/json")

    async def study(self, request: Request) -> Response:
        """Answer with what a person reads of the record in the body, and with its document of a target."""
        target = target_of(request.path_params["target"])
        body = await body_of(request, RECORD_TYPES)
        shown = await self._pool.run(
            work.show_bytes, body, "the record", target.name, max_record=self._settings.max_record
        )
        if shown.data is None:
            return outcome_response(refusal(shown.issues), 422)
        return Response(shown.data, media_type="application/json")


def _asset(name: str) -> str:
    return files("trialconv.web").joinpath("assets", name).read_text(encoding="utf-8")


def _file(path: str, text: str, media_type: str) -> Route:
    async def answer(_: Request) -> Response:
        return Response(text, media_type=media_type)

    return Route(path, answer, methods=["GET"])
