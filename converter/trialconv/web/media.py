"""Media types: what a body may be, and which form of a document is asked for."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.catalog import Target
from trialconv.web.outcomes import FHIR_JSON, RefusedError

FHIR_XML: Final = "application/fhir+xml"
#: What a record may be sent as; its content tells what it is. `text/plain` is for pages of the registry.
RECORD_TYPES: Final = (
    "application/json",
    "text/plain",
    "application/x-ndjson",
    "application/xml",
    "text/xml",
    "application/gzip",
    "application/zip",
    "application/octet-stream",
)
DOCUMENT_TYPES: Final = (*RECORD_TYPES, FHIR_JSON, FHIR_XML, "application/fhir+ndjson")
_ZIP: Final = "application/zip"


class Form(NamedTuple):
    """A form of a document: its media type, the target that makes it, and whether FHIR is wanted as XML."""

    media_type: str
    target: str
    xml: bool = False


def forms(target: Target) -> list[Form]:
    """Return the forms that a target's documents come in, the usual one first."""
    if target.name.startswith("fhir-"):
        return [
            Form(FHIR_JSON, target.name),
            Form("application/json", target.name),
            Form(FHIR_XML, target.name, True),
        ]
    if target.write_files is not None:
        return [Form(_ZIP, target.name)]
    return [Form(target.media_type, target.name)]


def chosen_form(target: Target, accept: str) -> Form:
    """Return the form that an Accept header asks for (https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1).

    Raises RefusedError when the target has none that is accepted.
    """
    there = forms(target)
    for wanted in _ranges(accept or "*/*"):
        for form in there:
            if wanted in ("*/*", form.media_type, form.media_type.partition("/")[0] + "/*"):
                return form
    offered = ", ".join(form.media_type for form in there)
    raise RefusedError(406, "not-supported", f"{target.name} comes as {offered}, none of which is accepted")


def _ranges(accept: str) -> list[str]:
    """Return the media ranges of an Accept header, the most wanted first, without those that are refused."""
    weighed = []
    for place, part in enumerate(accept.split(",")):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        if quality > 0:
            weighed.append((-quality, media.count("*"), place, media))
    return [media for *_, media in sorted(weighed)]


def checked_type(content_type: str, allowed: tuple[str, ...]) -> str:
    """Return the media type of a body without its parameters. Raises RefusedError for one that is not taken."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in allowed:
        said = f"a body of the type {media!r} is not taken" if media else "the request has no Content-Type"
        raise RefusedError(
            415, "not-supported", f"{said}; send {', '.join(allowed)}", headers={"Accept": ", ".join(allowed)}
        )
    return media
