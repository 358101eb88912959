"""The description of the HTTP interface (https://spec.openapis.org/oas/v3.1.0), made from the catalogue."""

from __future__ import annotations

from typing import Any, Final

from trialconv import __version__
from trialconv.catalog import TARGETS, Target
from trialconv.formats import FHIR_VERSIONS
from trialconv.web.media import DOCUMENT_TYPES, RECORD_TYPES, forms
from trialconv.web.outcomes import FHIR_JSON
from trialconv.web.queries import PARAMETERS, Parameter

_REFUSALS: Final = {
    400: "The request is not one that the server understands.",
    406: "The document does not come in a form that is accepted.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is of a type that is not taken.",
    421: "The server is called by a name that is not one of its own.",
    422: "The body holds no record or several, or the document is not valid.",
    500: "The server failed.",
    503: "There was no time left for the request.",
}
_CONVERT: Final = tuple(_REFUSALS)
_VALIDATE: Final = (400, 408, 413, 415, 421, 500, 503)
_OUTCOME: Final = {"$ref": "#/components/schemas/OperationOutcome"}


def describe() -> dict[str, Any]:
    """Return the description."""
    paths: dict[str, Any] = {f"/convert/{name}": {"post": _conversion(target)} for name, target in TARGETS.items()}
    paths["/validate"] = {"post": _validation()}
    paths["/targets"] = {"get": _plain("targets", "What can be made of a record, and of what.", "Targets")}
    paths["/healthz"] = {"get": _plain("health", "Whether the server is there.", "Health")}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "trialconv",
            "version": __version__,
            "summary": "Clinical-trial registry records to FHIR and CDISC documents.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "headers": _HEADERS},
    }


def _conversion(target: Target) -> dict[str, Any]:
    answer = {form.media_type: {"schema": _document(form.media_type)} for form in forms(target)}
    done = {
        "description": target.title,
        "content": answer,
        "headers": {"X-Trialconv-Issues": {"$ref": "#/components/headers/X-Trialconv-Issues"}},
    }
    return {
        "operationId": f"convert-{target.name}",
        "summary": f"Convert a record to a {target.title}.",
        "parameters": [_parameter(name, each) for name, each in PARAMETERS.items() if each.applies_to(target)],
        "requestBody": {
            "description": "One record of the registry: JSON of its API v2, legacy XML, or its page as text.",
            "required": True,
            "content": {media: {} for media in RECORD_TYPES},
        },
        "responses": {"200": done, **_refusals(_CONVERT)},
    }


def _document(media_type: str) -> dict[str, Any]:
    """Return the schema of a document in the answer: an object in JSON, text or bytes otherwise."""
    return {"type": "object"} if media_type.endswith("json") else {}


def _parameter(name: str, parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if parameter.is_flag:
        schema = {"type": "boolean"}
    elif parameter.words:
        schema["enum"] = list(parameter.words)
    return {"name": name, "in": "query", "description": parameter.about, "schema": schema}


def _validation() -> dict[str, Any]:
    return {
        "operationId": "validate",
        "summary": "Check a document: FHIR, ODM, USDM, Define-XML or a trial design dataset.",
        "parameters": [
            {
                "name": "fhir-version",
                "in": "query",
                "description": "The FHIR version; without it, it is told from the content.",
                "schema": {"type": "string", "enum": list(FHIR_VERSIONS)},
            },
            {
                "name": "extensions",
                "in": "query",
                "description": "Judge each FHIR extension by its definition, too.",
                "schema": {"type": "boolean"},
            },
        ],
        "requestBody": {"required": True, "content": {media: {} for media in DOCUMENT_TYPES}},
        "responses": {
            "200": {"description": "What was found.", "content": {FHIR_JSON: {"schema": _OUTCOME}}},
            **_refusals(_VALIDATE),
        },
    }


def _plain(name: str, summary: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": summary, "content": content}, **_refusals((421,))},
    }


def _refusals(statuses: tuple[int, ...]) -> dict[str, Any]:
    return {
        str(status): {"description": _REFUSALS[status], "content": {FHIR_JSON: {"schema": _OUTCOME}}}
        for status in statuses
    }


_TEXTS: Final = {"type": "array", "items": {"type": "string"}}
_NAMED: Final = {"name": {"type": "string"}, "title": {"type": "string"}}
_HEADERS: Final = {
    "X-Trialconv-Issues": {"description": "How many Issues there were.", "schema": {"type": "string"}},
}
_SCHEMAS: Final = {
    "Health": {
        "type": "object",
        "required": ["status", "version"],
        "properties": {"status": {"const": "ok"}, "version": {"type": "string"}},
    },
    "Targets": {
        "type": "object",
        "required": ["targets", "readers"],
        "properties": {
            "targets": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "title", "mediaTypes", "parameters"],
                    "properties": {**_NAMED, "mediaTypes": _TEXTS, "parameters": _TEXTS},
                },
            },
            "readers": {
                "type": "array",
                "items": {"type": "object", "required": ["name", "title"], "properties": _NAMED},
            },
        },
    },
    "OperationOutcome": {
        "type": "object",
        "required": ["resourceType", "issue"],
        "properties": {
            "resourceType": {"const": "OperationOutcome"},
            "issue": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["severity", "code"],
                    "properties": {
                        "severity": {"enum": ["fatal", "error", "warning", "information"]},
                        "code": {"type": "string"},
                        "details": {"type": "object"},
                        "diagnostics": {"type": "string"},
                        "expression": _TEXTS,
                    },
                },
            },
        },
    },
}
