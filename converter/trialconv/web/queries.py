"""The query parameters of the conversions: the options of the command line, by the same names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, get_args

from starlette.datastructures import QueryParams

from trialconv.catalog import Target
from trialconv.context import BundleType, Options, RequestKind, UnknownStatus
from trialconv.issues import UsageError
from trialconv.web.outcomes import RefusedError

_FLAGS: Final[Mapping[str, bool]] = {"true": True, "false": False}


class Parameter(NamedTuple):
    """A query parameter: the option it sets, what it is for, the words it takes (none: any), and its targets."""

    option: str
    about: str
    words: tuple[str, ...] = ()
    targets: str = ""

    @property
    def is_flag(self) -> bool:
        """Tell whether it takes true or false."""
        return self.words == tuple(_FLAGS)

    def applies_to(self, target: Target) -> bool:
        """Tell whether it has a meaning for a target."""
        return target.name.startswith(self.targets)


_YES_OR_NO: Final = tuple(_FLAGS)
PARAMETERS: Final[dict[str, Parameter]] = {
    "contacts": Parameter("contacts", "Keep names, addresses and telephone numbers of contacts.", _YES_OR_NO),
    "base": Parameter("base", "What stands before urls that trialconv mints."),
    "created": Parameter("created", "The instant for formats that demand one (ISO 8601)."),
    "unknown-status": Parameter(
        "unknown_status", "The R4 status of a study of unknown status.", get_args(UnknownStatus), "fhir"
    ),
    "bundle": Parameter("bundle", "The type of the Bundle.", get_args(BundleType), "fhir"),
    "request": Parameter("request", "How a transaction stores resources.", get_args(RequestKind), "fhir"),
    "narrative": Parameter("narrative", "Add texts for people.", _YES_OR_NO, "fhir"),
    "provenance": Parameter("provenance", "Add a Provenance.", _YES_OR_NO, "fhir"),
}


def options_of(query: QueryParams, target: Target) -> dict[str, Any]:
    """Return the options that a query asks for. Raises RefusedError for what is no parameter or no value."""
    given: dict[str, Any] = {}
    for name, value in query.multi_items():
        parameter = PARAMETERS.get(name)
        if parameter is None or not parameter.applies_to(target):
            known = ", ".join(name for name, each in PARAMETERS.items() if each.applies_to(target))
            raise RefusedError(400, "invalid", f"{name!r} is no parameter of this conversion; there are {known}")
        if parameter.option in given:
            raise RefusedError(400, "invalid", f"{name} is given twice")
        if parameter.words and value not in parameter.words:
            raise RefusedError(400, "value", f"{name} is {value!r}; it can be {', '.join(parameter.words)}")
        given[parameter.option] = _FLAGS[value] if parameter.is_flag else value
    try:
        Options(**given)
    except UsageError as error:
        raise RefusedError(400, "invalid", str(error)) from None
    return given
