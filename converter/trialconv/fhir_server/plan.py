"""What has to be done so that a server has what a study says: compare first, then write what differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from trialconv.fhir_server.content import (
    content_hash,
    differences,
    hashes_in,
    marked,
    normal_form,
    not_kept,
)
from trialconv.fhir_server.entries import Entry, Unit
from trialconv.fhir_server.fates import Deed
from trialconv.fhir_server.holdings import Holdings
from trialconv.fhir_server.retirement import is_retired
from trialconv.issues import Issue, issue
from trialconv_mappings.fhir.links import relinked

_MOST_PATHS: Final = 5


class Step(NamedTuple):
    """What is to be done with an entry. `address` is empty for one that the server will give an id.

    `version` is the one that was compared; the server is asked to write only if it still has that one.
    """

    entry: Entry
    deed: Deed
    address: str
    version: str = ""
    resource: dict[str, Any] = {}

    @property
    def writes(self) -> bool:
        """Tell whether something is to be written."""
        return self.deed in ("created", "updated")


class Plan(NamedTuple):
    """The steps of a study in the order of its entries, what was noticed, and what the server has of it."""

    steps: list[Step]
    issues: list[Issue]
    there: dict[str, dict[str, Any]]

    @property
    def writing(self) -> list[Step]:
        """The steps that write."""
        return [step for step in self.steps if step.writes]


def make_plan(unit: Unit, holdings: Holdings, base: str) -> Plan:
    """Return what has to be done. Raises NotReadableError when the server does not say what it has."""
    issues: list[Issue] = []
    there = _what_is_there(unit, holdings, issues)
    addresses = {name: address_of(resource) for name, resource in there.items()}
    addresses |= {entry.name: entry.address for entry in unit.entries if entry.id}
    steps = [_step(unit.study, entry, there.get(entry.name), addresses, base, issues) for entry in unit.entries]
    if not any(step.writes for step in steps if step.entry.id or step.entry.search):
        # What is new each time (a Provenance without an id) tells of a change, and there is none.
        steps = [step._replace(deed="unchanged") if step.writes else step for step in steps]
    return Plan(steps, issues, {addresses[name]: resource for name, resource in there.items()})


def address_of(resource: Mapping[str, Any]) -> str:
    """Return the address of a resource on its server."""
    return f"{resource['resourceType']}/{resource['id']}"


def _what_is_there(unit: Unit, holdings: Holdings, issues: list[Issue]) -> dict[str, dict[str, Any]]:
    """Return what the server has, by the names of the entries."""
    by_address = {entry.address: entry.name for entry in unit.entries if entry.id}
    by_search = {entry.search: entry.name for entry in unit.entries if entry.search}
    there = {by_address[address]: found for address, found in holdings.read(list(by_address)).items()}
    for search, found in holdings.find(list(by_search)).items():
        if len(found) > 1:
            those = ", ".join(address_of(one) for one in found[:_MOST_PATHS])
            message = (
                f"the server has {len(found)} resources for {search}: {those}; it is not known which one to change"
            )
            issues.append(issue("server-ambiguous", message, record=unit.study))
        elif found:
            there[by_search[search]] = found[0]
    return there


def _step(
    study: str,
    entry: Entry,
    there: dict[str, Any] | None,
    addresses: Mapping[str, str],
    base: str,
    issues: list[Issue],
) -> Step:
    digest = content_hash(normal_form(entry.resource))
    ours = relinked(entry.resource, addresses)
    if there is None:
        return Step(entry, "created", entry.address, resource=marked(ours, digest, None))
    address, version = address_of(there), str(there.get("meta", {}).get("versionId", ""))
    if not entry.updates:
        return Step(entry, "kept", address, version)
    said, has = normal_form(ours), normal_form(there, base=base)
    if content_hash(said) == content_hash(has):
        return Step(entry, "unchanged", address, version)
    known = hashes_in(there)
    if digest in known and (lost := not_kept(said, has)) is not None:
        message = f"the server does not keep {_listed(lost)}"
        issues.append(issue("server-keeps-less", message, record=study, target_path=address))
        return Step(entry, "unchanged", address, version)
    issues += _about_update(study, address, there, has, said, addresses, known)
    made = marked({**ours, "id": there["id"]}, digest, there)
    return Step(entry, "updated", address, version, made)


def _about_update(
    study: str,
    address: str,
    there: dict[str, Any],
    has: dict[str, Any],
    said: dict[str, Any],
    addresses: Mapping[str, str],
    known: set[str],
) -> list[Issue]:
    """Return what is to be told of an update: that the study was withdrawn, or that others have worked on it."""
    if is_retired(there):
        return [
            issue("server-revived", "it was withdrawn, and is published again", record=study, target_path=address)
        ]
    names = {where: name for name, where in addresses.items()}
    if content_hash(relinked(has, names)) in known or content_hash(has) in known:
        return []
    told = "was changed on the server since" if known else "was not written by trialconv push"
    message = f"what is replaced {told}; it differs at {_listed(list(differences(said, has)))}"
    return [issue("server-overwritten", message, record=study, target_path=address)]


def _listed(paths: list[str]) -> str:
    shown = ", ".join(path.lstrip(".") for path in paths[:_MOST_PATHS])
    return shown if len(paths) <= _MOST_PATHS else f"{shown} and {len(paths) - _MOST_PATHS} more places"
