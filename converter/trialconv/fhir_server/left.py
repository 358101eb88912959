"""What an earlier version of a study brought to a server and the present one no longer has.

It is found by following the references of what the server has of the study, before that is replaced. Only what is
the study's own counts: by its id, or by the identifier that stands for such an id. What studies share, and what
others have linked to the study, is none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from trialconv.fhir_server.content import normal_form
from trialconv.fhir_server.entries import Unit, is_own
from trialconv.fhir_server.holdings import Holdings, NotReadableError
from trialconv_mappings.fhir.links import pointers
from trialconv_mappings.fhir.requests import PART_SYSTEM

_ADDRESS: Final = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.\-]{1,64}")


class Left(NamedTuple):
    """A resource that is left over."""

    address: str
    resource: dict[str, Any]

    @property
    def version(self) -> str:
        """The version that the server has."""
        return str(self.resource.get("meta", {}).get("versionId", ""))


def left_over(unit: Unit, there: Mapping[str, dict[str, Any]], holdings: Holdings, base: str) -> list[Left]:
    """Return what the server has of the study and the study no longer has, those first that refer to others."""
    wanted = set(there) | {entry.address for entry in unit.entries if entry.id}
    found = own_resources(unit.study, there, holdings, base, known=wanted)
    return [Left(address, resource) for address, resource in found.items() if address not in wanted]


def own_resources(
    study: str,
    start: Mapping[str, dict[str, Any]],
    holdings: Holdings,
    base: str,
    *,
    known: set[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return the resources of a server that are a study's own and that some of its resources lead to.

    `start` are those resources by their addresses; what is `known` is not read again. Each comes after one that
    refers to it.
    """
    made = dict(start)
    asked = set(start) | (known or set())
    waiting = list(start.values())
    while waiting:
        leads = _leads(study, waiting, base)
        new = [address for address in leads if address not in asked]
        asked.update(new)
        found = holdings.read(new)
        canonical = [url for address in new if (url := leads[address]) and address not in found]
        found |= _found_by_url(holdings, canonical)
        own = {address: each for address, each in found.items() if address not in made and _is_own(study, each)}
        made |= own
        waiting = list(own.values())
    return made


def _leads(study: str, resources: list[dict[str, Any]], base: str) -> dict[str, str]:
    """Return the addresses that resources refer to, with the canonical URL where that is how they do it.

    Our canonical URLs end in the id, so that the address may be guessed; a server with its own ids is searched.
    """
    leads: dict[str, str] = {}
    for resource in resources:
        for pointer in pointers(normal_form(resource, base=base)):
            if pointer.startswith(("http:", "https:")):
                url = pointer.partition("|")[0]
                id_ = url.rstrip("/").rpartition("/")[2]
                if is_own(study, id_):
                    leads.setdefault(f"ActivityDefinition/{id_}", url)
            elif _ADDRESS.fullmatch(pointer):
                leads.setdefault(pointer, "")
    return leads


def _found_by_url(holdings: Holdings, urls: list[str]) -> dict[str, dict[str, Any]]:
    """Return what a server has under some canonical URLs; nothing where it does not search for them."""
    try:
        results = holdings.find([f"ActivityDefinition?url={quote(url, safe='')}" for url in urls])
    except NotReadableError:
        return {}
    return {f"{one['resourceType']}/{one['id']}": one for found in results.values() for one in found}


def _is_own(study: str, resource: Mapping[str, Any]) -> bool:
    return is_own(study, str(resource.get("id", ""))) or any(_part_ids(study, resource))


def _part_ids(study: str, resource: Mapping[str, Any]) -> Iterator[bool]:
    for one in resource.get("identifier", ()):
        if str(one.get("system", "")).endswith(PART_SYSTEM):
            yield is_own(study, str(one.get("value", "")))
