"""What a server has: many resources in few calls, by their addresses or by searches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

from trialconv.fhir_server.server import FhirAnswer, FhirServer
from trialconv.http_client import may_pass

#: So many resources are asked for in one batch.
_AT_ONCE: Final = 50


class NotReadableError(Exception):
    """The server does not let us see what it has: what it said, and the address that was asked."""

    def __init__(self, address: str, answer: FhirAnswer, message: str) -> None:
        super().__init__(message)
        self.address = address
        self.answer = answer


class Holdings:
    """Reads from a server. `batch` says whether it takes batches; one that fails to is asked one by one."""

    def __init__(self, server: FhirServer, *, batch: bool) -> None:
        self._server = server
        self._batch = batch

    def read(self, addresses: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the resources at some addresses (`Group/1`); those that are not there are left out."""
        found = {}
        for address, answer in zip(addresses, self._answers(addresses), strict=True):
            if answer.resource is not None and answer.fine:
                found[address] = answer.resource
            elif answer.status not in (404, 410):
                raise self._not_readable(address, answer)
        return found

    def find(self, searches: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Return what is found by some searches (`Group?identifier=...`).

        Each result is looked at: a server that ignores a parameter would answer with anything.
        """
        made = {}
        for search, answer in zip(searches, self._answers(searches), strict=True):
            if not answer.fine or answer.resource is None or answer.resource["resourceType"] != "Bundle":
                raise self._not_readable(search, answer)
            matches = [
                entry["resource"]
                for entry in answer.resource.get("entry", ())
                if "resource" in entry and entry.get("search", {}).get("mode", "match") == "match"
            ]
            if not all(_fits(resource, search) for resource in matches):
                kind, _, query = search.partition("?")
                message = f"the server does not search {kind} by {query.partition('=')[0]}: it answers with others"
                raise NotReadableError(search, answer, message)
            made[search] = matches
        return made

    def _not_readable(self, address: str, answer: FhirAnswer) -> NotReadableError:
        message = f"GET {address}: the server answered {answer.status}{self._server.told(answer)}"
        return NotReadableError(address, answer, message)

    def _answers(self, urls: Sequence[str]) -> list[FhirAnswer]:
        made: list[FhirAnswer] = []
        for start in range(0, len(urls), _AT_ONCE):
            made += self._some(urls[start : start + _AT_ONCE])
        return made

    def _some(self, urls: Sequence[str]) -> list[FhirAnswer]:
        if not self._batch or len(urls) == 1:
            return [self._server.get(url) for url in urls]
        entries = [{"request": {"method": "GET", "url": url}} for url in urls]
        answer = self._server.look_up({"resourceType": "Bundle", "type": "batch", "entry": entries})
        answered = answer.resource.get("entry", ()) if answer.fine and answer.resource else ()
        if len(answered) != len(urls):
            self._batch = False
            return [self._server.get(url) for url in urls]
        return [self._of_batch(url, entry) for url, entry in zip(urls, answered, strict=True)]

    def _of_batch(self, url: str, entry: Mapping[str, Any]) -> FhirAnswer:
        response = entry.get("response", {})
        status = status_of(response)
        if status == 0 or may_pass(status):
            return self._server.get(url)
        resource = entry.get("resource") or response.get("outcome")
        return FhirAnswer(status, {}, resource, "" if resource else "the answer has no resource")


def status_of(response: Mapping[str, Any]) -> int:
    """Return the status in the answer to an entry, such as `201 Created`; 0 where there is none."""
    words = str(response.get("status", "")).split()
    return int(words[0]) if words and words[0].isdecimal() else 0


def identifiers_asked_for(search: str) -> Iterator[tuple[str, str]]:
    """Yield the systems and values that a search by identifier asks for."""
    for name, value in parse_qsl(search.partition("?")[2]):
        if name == "identifier":
            parts = value.replace("\\|", "\0").split("|")
            if len(parts) == 2:
                system, wanted = (_unescaped(part.replace("\0", "|")) for part in parts)
                yield system, wanted


def _unescaped(text: str) -> str:
    made, characters = "", iter(text)
    for character in characters:
        made += next(characters, "") if character == "\\" else character
    return made


def _fits(resource: Mapping[str, Any], search: str) -> bool:
    kind = search.partition("?")[0]
    wanted = list(identifiers_asked_for(search))
    has = {(one.get("system"), one.get("value")) for one in resource.get("identifier", ())}
    urls = [value for name, value in parse_qsl(search.partition("?")[2]) if name == "url"]
    return (
        resource.get("resourceType") == kind
        and all(one in has for one in wanted)
        and all(url == resource.get("url") for url in urls)
    )
