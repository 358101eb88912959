"""What a server can do, told by its CapabilityStatement (https://hl7.org/fhir/R4/capabilitystatement.html)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from trialconv.fhir_server.server import FhirServer
from trialconv.formats import FhirVersion
from trialconv.issues import SinkError

#: The releases of FHIR by the beginnings of their version numbers; ballots (4.1, 4.2, 4.6, 5.0.0-ballot) are none.
_RELEASES: Final[dict[str, FhirVersion]] = {"4.0.": "R4", "4.3.": "R4B", "5.0.": "R5"}


class TypeAbility(NamedTuple):
    """What a server can do with resources of a type."""

    interactions: frozenset[str] = frozenset()
    update_create: bool | None = None
    conditional_create: bool = False


class Capabilities(NamedTuple):
    """What a server can do: its FHIR version, its name, and what it does as a whole and with each type."""

    version: FhirVersion
    number: str
    software: str
    interactions: frozenset[str]
    types: Mapping[str, TypeAbility]

    @property
    def transaction(self) -> bool:
        """Tell whether the server takes transactions."""
        return "transaction" in self.interactions

    @property
    def batch(self) -> bool:
        """Tell whether the server may take batches. Some that take transactions do not mention them (HAPI)."""
        return "batch" in self.interactions or self.transaction

    def lacking(self, types: Iterable[str], interaction: str) -> list[str]:
        """Return those of some types with which the server does not do something (`update`, `search-type`).

        Of a type that the statement does not list it says nothing; some servers store those all the same.
        """
        return [kind for kind in types if kind in self.types and interaction not in self.types[kind].interactions]

    def unlisted(self, types: Iterable[str]) -> list[str]:
        """Return those of some types that the statement does not list."""
        return [kind for kind in types if kind not in self.types]

    def takes_ids(self, types: Iterable[str]) -> bool | None:
        """Tell whether clients may choose the ids of resources (`updateCreate`); None where that is not said."""
        said = {self.types[kind].update_create for kind in types if kind in self.types}
        return False if False in said else None if None in said else True

    def conditional_create(self, kind: str) -> bool:
        """Tell whether the server looks by itself for what it might have already, before it creates."""
        return self.types.get(kind, TypeAbility()).conditional_create


def read_capabilities(server: FhirServer) -> Capabilities:
    """Return what a server says that it can do.

    Raises SinkError when it says nothing, or nothing that fits: no FHIR server, or one of another version.
    """
    answer = server.get("metadata")
    where = f"{server.base}/metadata"
    if not answer.fine or answer.resource is None:
        is_elsewhere = answer.fine or answer.status in (404, 410)
        question = f"; is {server.base} the base address of a FHIR server?" if is_elsewhere else ""
        raise SinkError(f"{where} answered {answer.status}{server.told(answer)}{question}")
    statement = answer.resource
    if statement["resourceType"] != "CapabilityStatement":
        raise SinkError(f"{where} is a {statement['resourceType']} and no CapabilityStatement")
    number = str(statement.get("fhirVersion", ""))
    version = next((name for start, name in _RELEASES.items() if number.startswith(start)), None)
    if version is None or "-" in number:
        known = "R4 (4.0.x), R4B (4.3.x) and R5 (5.0.x)"
        raise SinkError(f"the server has FHIR version {number or '(none stated)'}; trialconv writes {known}")
    rest = next((each for each in statement.get("rest", ()) if each.get("mode") == "server"), None)
    if rest is None:
        raise SinkError(f"{where} describes no RESTful server")
    return Capabilities(
        version,
        number,
        _software(statement),
        frozenset(_codes(rest)),
        {str(each["type"]): _ability(each) for each in rest.get("resource", ()) if "type" in each},
    )


def _ability(resource: Mapping[str, Any]) -> TypeAbility:
    return TypeAbility(
        frozenset(_codes(resource)),
        resource.get("updateCreate"),
        resource.get("conditionalCreate") is True,
    )


def _codes(element: Mapping[str, Any]) -> list[str]:
    return [str(each.get("code")) for each in element.get("interaction", ())]


def _software(statement: Mapping[str, Any]) -> str:
    software = statement.get("software", {})
    return " ".join(str(software[key]) for key in ("name", "version") if software.get(key))
