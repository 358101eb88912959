"""What is to be on a server: the entries of a study's bundles, whatever kind of bundle they came in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from trialconv.fhir_server.content import content_hash, normal_form
from trialconv.issues import UsageError
from trialconv_mappings.fhir.links import relinked

_NCT: Final = re.compile(r"NCT\d{8}")
_NCT_SYSTEMS: Final = ("https://clinicaltrials.gov/nctid", "http://clinicaltrials.gov")


class Entry(NamedTuple):
    """A resource that is to be on a server, and how it is known there: by our id, or by a search.

    `name` is the fullUrl by which others refer to it. One with neither id nor search is new each time. `updates`
    False leaves alone what the server has.
    """

    name: str
    resource: dict[str, Any]
    id: str = ""
    search: str = ""
    updates: bool = True

    @property
    def kind(self) -> str:
        """The type of the resource."""
        return str(self.resource["resourceType"])

    @property
    def address(self) -> str:
        """The address under our id; empty where the server chooses."""
        return f"{self.kind}/{self.id}" if self.id else ""

    @property
    def shown(self) -> str:
        """What messages call the resource: its address, or how it is searched for."""
        return self.address or self.search or f"{self.kind} (new)"


class Unit(NamedTuple):
    """A study's entries, which go to a server together; `study` names it."""

    study: str
    entries: list[Entry]

    @property
    def digest(self) -> str:
        """The hash of everything that is to be on the server."""
        return content_hash({entry.name: normal_form(entry.resource) for entry in self.entries})


def is_own(study: str, id_: str) -> bool:
    """Tell whether an id belongs to a study: its number, or its number and a part."""
    return id_ == study or id_.startswith(study + "-")


def entries_of(bundle: Mapping[str, Any]) -> list[Entry]:
    """Return the entries of a bundle. Raises UsageError for a bundle that asks for anything but storing."""
    kind = bundle.get("type")
    if kind not in ("transaction", "batch", "collection"):
        raise UsageError(f"a bundle of type {kind} is not pushed; expected a transaction, a batch or a collection")
    made = [_entry(number, entry) for number, entry in enumerate(bundle.get("entry", ()))]
    if not made:
        raise UsageError("the bundle is empty")
    names = [entry.name for entry in made]
    if len(set(names)) != len(names):
        raise UsageError("two entries of the bundle have one fullUrl")
    return made


def _entry(number: int, entry: Mapping[str, Any]) -> Entry:
    place = f"Bundle.entry[{number}]"
    resource = entry.get("resource")
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise UsageError(f"{place} has no resource")
    kind, id_ = resource["resourceType"], str(resource.get("id", ""))
    name = str(entry.get("fullUrl") or f"{kind}/{id_ or number}")
    request = entry.get("request")
    if request is None:
        if not id_:
            raise UsageError(f"{place} has neither a request nor an id")
        return Entry(name, resource, id=id_)
    method, url = request.get("method"), str(request.get("url", ""))
    if method == "PUT" and url == f"{kind}/{id_}":
        return Entry(name, resource, id=id_)
    if method == "PUT" and url.startswith(f"{kind}?"):
        return Entry(name, resource, search=url)
    if method == "POST" and url == kind:
        condition = request.get("ifNoneExist")
        return Entry(name, resource, search=f"{kind}?{condition}" if condition else "", updates=not condition)
    raise UsageError(
        f"{place}: {method} {url} is not pushed; expected PUT {kind}/id, PUT {kind}?..., or POST {kind}"
    )


def joined(bundles: list[list[Entry]]) -> list[Entry]:
    """Return the entries of bundles that are parts of one, with references between them as in a whole one.

    A part refers to an entry of an earlier part by a search, where that has no id.
    """
    entries = [entry for bundle in bundles for entry in bundle]
    if len(bundles) == 1:
        return entries
    by_search = {entry.search: entry.name for entry in entries if entry.search}
    return [entry._replace(resource=relinked(entry.resource, by_search)) for entry in entries]


def study_of(entries: list[Entry]) -> str | None:
    """Return the number of the study that some entries are about; None where they hold no study."""
    for entry in entries:
        if entry.kind == "ResearchStudy":
            return next(_numbers(entry.resource), None) or str(entry.id or entry.name)
    return None


def _numbers(study: Mapping[str, Any]) -> Iterator[str]:
    identifiers = [each for each in study.get("identifier", ()) if isinstance(each, dict)]
    for one in identifiers:
        if one.get("system") in _NCT_SYSTEMS and _NCT.fullmatch(str(one.get("value"))):
            yield str(one["value"])
    if _NCT.fullmatch(str(study.get("id"))):
        yield str(study["id"])
