"""The HTTP interface: records in, documents out, Issues as OperationOutcomes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from trialconv import __version__
from trialconv.catalog import READERS, TARGETS, Target
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.web import work
from trialconv.web.media import DOCUMENT_TYPES, RECORD_TYPES, checked_type, chosen_form, forms
from trialconv.web.outcomes import RefusedError, outcome, outcome_response, refusal
from trialconv.web.pool import Pool
from trialconv.web.queries import PARAMETERS, options_of
from trialconv.web.settings import Settings


class Api:
    """The answers of the HTTP interface."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool

    def routes(self) -> list[Route]:
        """Return what is answered where."""
        from trialconv.web.description import describe

        description = describe()

        async def openapi(_: Request) -> Response:
            return JSONResponse(description, media_type="application/vnd.oai.openapi+json")

        return [
            Route("/convert/{target}", self.convert, methods=["POST"]),
            Route("/validate", self.validate, methods=["POST"]),
            Route("/targets", self.targets, methods=["GET"]),
            Route("/healthz", self.health, methods=["GET"]),
            Route("/openapi.json", openapi, methods=["GET"]),
        ]

    async def convert(self, request: Request) -> Response:
        """Answer with the document of the record in the body.

        A document that fails validation is not sent, and neither is one of a body that holds no record or several:
        the OperationOutcome tells why.
        """
        target = target_of(request.path_params["target"])
        form = chosen_form(target, request.headers.get("accept", ""))
        options = options_of(request.query_params, target)
        body = await body_of(request, RECORD_TYPES)
        made = await self._pool.run(
            work.convert_bytes,
            body,
            "the body",
            None,
            target.name,
            options,
            xml=form.xml,
            max_record=self._settings.max_record,
        )
        if made.refused or not made.valid or made.data is None:
            failed = any(found.code == "internal-error" for found in made.issues)
            return outcome_response(refusal([*made.findings, *made.issues]), 500 if failed else 422)
        headers = {
            "Content-Disposition": f'attachment; filename="{_file_name(made.nct_id, target, xml=form.xml)}"',
            "X-Trialconv-Issues": str(len(made.issues)),
        }
        return Response(made.data, headers=headers, media_type=form.media_type)

    async def validate(self, request: Request) -> Response:
        """Answer with what is wrong with the document in the body."""
        version, extensions = _validation(request)
        body = await body_of(request, DOCUMENT_TYPES)
        found = await self._pool.run(work.validate_bytes, body, version, extensions=extensions)
        return outcome_response(outcome(found.issues, found.more))

    async def targets(self, _: Request) -> Response:
        """Answer with what can be made of a record, and of what."""
        made = [
            {
                "name": target.name,
                "title": target.title,
                "mediaTypes": [form.media_type for form in forms(target)],
                "parameters": [name for name, each in PARAMETERS.items() if each.applies_to(target)],
            }
            for target in TARGETS.values()
        ]
        read = [{"name": reader.name, "title": reader.title} for reader in READERS.values()]
        return JSONResponse({"targets": made, "readers": read})

    async def health(self, _: Request) -> Response:
        """Answer that the server is there."""
        return JSONResponse({"status": "ok", "version": __version__})


def target_of(name: str) -> Target:
    """Return a target by its name. Raises RefusedError when there is none."""
    if name not in TARGETS:
        raise RefusedError(404, "not-found", f"no target is called {name!r}; there are {', '.join(TARGETS)}")
    return TARGETS[name]


async def body_of(request: Request, types: tuple[str, ...]) -> bytes:
    """Return the body of a request. Raises RefusedError for another type than these, and for no body."""
    checked_type(request.headers.get("content-type", ""), types)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(415, "not-supported", "an encoded body is not taken; send gzip as application/gzip")
    body = await request.body()
    if not body:
        raise RefusedError(400, "required", "the body is empty")
    return body


def _validation(request: Request) -> tuple[FhirVersion | None, bool]:
    """Return the FHIR version that a document is of, if the request says so, and whether extensions are judged."""
    known: dict[str, tuple[str, ...]] = {"fhir-version": FHIR_VERSIONS, "extensions": ("true", "false")}
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in known or name in given:
            raise RefusedError(
                400, "invalid", f"{name!r} is no parameter, or is given twice; there are {', '.join(known)}"
            )
        if value not in known[name]:
            raise RefusedError(400, "value", f"{name} is {value!r}; it can be {', '.join(known[name])}")
        given[name] = value
    version = next((each for each in FHIR_VERSIONS if each == given.get("fhir-version")), None)
    return version, given.get("extensions") == "true"


def _file_name(nct_id: str, target: Target, *, xml: bool) -> str:
    """Return a name for the document: of the record's number nothing but letters and digits."""
    safe = "".join(character for character in nct_id if character.isascii() and character.isalnum()) or "study"
    suffix = ".zip" if target.write_files is not None else ".xml" if xml else target.suffix
    return f"{safe}-{target.name}{suffix}"
