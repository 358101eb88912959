"""A FHIR server as small as can be: it does what the specification says of transactions, and refuses the rest.

https://hl7.org/fhir/R4/http.html#transaction: requests by id, conditional create and update, replacement of
references to what the transaction makes, conditional references to what is there already.
"""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

from made_up import Tree
from trialconv_mappings.fhir.links import pointers, relinked

_INSTANCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")


class RefusedError(Exception):
    """The server does not take the bundle, and nothing of it."""


class Server:
    """The resources of a server by their addresses, `Group/1`."""

    def __init__(self) -> None:
        self.resources: dict[str, Tree] = {}
        self._made = 0

    def send(self, bundle: Tree) -> None:
        """Take a transaction, or raise RefusedError and change nothing."""
        if bundle["type"] != "transaction":
            raise RefusedError(f"a {bundle['type']}")
        addresses = {entry["fullUrl"]: self._address(entry) for entry in bundle["entry"]}
        if len(set(addresses.values())) != len(bundle["entry"]):
            raise RefusedError("two entries for one resource")
        taken: dict[str, Tree] = {}
        for entry in bundle["entry"]:
            address = addresses[entry["fullUrl"]]
            if "ifNoneExist" in entry["request"] and address in self.resources:
                continue
            resource = entry["resource"]
            searches = {pointer: self._found(pointer) for pointer in pointers(resource) if "?" in pointer}
            taken[address] = {**relinked(resource, addresses | searches), "id": address.partition("/")[2]}
        for address, resource in taken.items():
            for pointer in references(resource):
                if not _INSTANCE.fullmatch(pointer) or pointer not in self.resources | taken:
                    raise RefusedError(f"{address} refers to {pointer}, which is not there")
        self.resources |= taken

    def _address(self, entry: Tree) -> str:
        request, resource = entry["request"], entry["resource"]
        kind = resource["resourceType"]
        if request["method"] == "PUT" and "?" not in request["url"]:
            if request["url"] != f"{kind}/{resource['id']}":
                raise RefusedError(f"the resource at {request['url']} has another id")
            return str(request["url"])
        if "id" in resource:
            raise RefusedError("the server chooses the id")
        search = ""
        if request["method"] == "PUT":
            kind, _, search = request["url"].partition("?")
        elif request["method"] == "POST":
            search = request.get("ifNoneExist", "")
        if search and (found := self._matches(kind, search)):
            if len(found) > 1:
                raise RefusedError(f"{kind}?{search} has several answers")
            return found[0]
        self._made += 1
        return f"{kind}/{self._made}"

    def _found(self, pointer: str) -> str:
        kind, _, search = pointer.partition("?")
        found = self._matches(kind, search)
        if len(found) != 1:
            raise RefusedError(f"{pointer} has {len(found)} answers")
        return found[0]

    def _matches(self, kind: str, search: str) -> list[str]:
        name, _, value = search.partition("=")
        if name != "identifier" or "&" in search:
            raise RefusedError(f"a search for {search}")
        system, value = (part.replace("\0", "|") for part in unquote(value).replace("\\|", "\0").split("|"))
        system = re.sub(r"\\([\\,$])", r"\1", system)
        return [
            address
            for address, resource in self.resources.items()
            if address.startswith(kind + "/")
            and any(
                (one.get("system"), one.get("value")) == (system, value) for one in resource.get("identifier", ())
            )
        ]

    def known_by_identifiers(self) -> dict[str, Any]:
        """Return the resources by their last identifiers, without the ids that the server gave them."""
        names = {
            address: f"{address.partition('/')[0]}/{_identifier(resource)}"
            for address, resource in self.resources.items()
        }
        return {
            names[address]: relinked({key: value for key, value in resource.items() if key != "id"}, names)
            for address, resource in self.resources.items()
        }


def _identifier(resource: Tree) -> str:
    if resource["resourceType"] == "ResearchStudy":
        return str(resource["identifier"][0]["value"])
    return str(resource["identifier"][-1]["value"]) if "identifier" in resource else json.dumps(resource)


def references(value: Any) -> list[str]:
    """Return what the references in a resource point to; canonical URLs are none."""
    return [pointer for pointer in pointers(value) if not pointer.startswith(("http:", "https:"))]
