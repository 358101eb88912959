"""Writing to a server: as transactions, or as single requests in an order in which each finds what it refers to.

Every update names the version that was compared (`If-Match`), so that nobody's work is overwritten unseen:
https://hl7.org/fhir/R4/http.html#concurrency.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import msgspec

from trialconv.fhir_server.capability import Capabilities
from trialconv.fhir_server.fates import Deed, Part
from trialconv.fhir_server.holdings import status_of
from trialconv.fhir_server.outcomes import TARGETS, Target, outcome_issues
from trialconv.fhir_server.server import FhirAnswer, FhirServer, UncertainError, version_of
from trialconv.issues import Issue, issue
from trialconv_mappings.fhir.links import relinked
from trialconv_mappings.fhir.split import dependency_groups

#: https://hl7.org/fhir/R4/http.html#ops. HAPI alone knows the second: the tags that we send are all there are.
_HEADERS: Final = {"Prefer": "return=minimal", "X-Meta-Snapshot-Mode": "TAG"}
_CONFLICTS: Final = frozenset({409, 412})
_INSTANCE: Final = 2
#: The answer to a conditional create that found something: https://hl7.org/fhir/R4/http.html#ccreate.
_IS_THERE: Final = 200
#: How servers say that a transaction is too large for them; there is no code for it.
_TOO_LARGE: Final = re.compile(r"too (?:many|large|big|costly)|more .{0,40}than allowed|exceed|maximum", re.I)


class Request(NamedTuple):
    """Something to be written: the method, the address (of the type alone for POST), and with what.

    `name` is by what other requests refer to it, `version` the one that must still be there, `condition` the
    search that must find nothing (`If-None-Exist`). `deed` is what it does.
    """

    name: str
    deed: Deed
    method: str
    url: str
    resource: dict[str, Any] | None = None
    version: str = ""
    condition: str = ""


class Delivery(NamedTuple):
    """How far it came: what was done, by the names of the requests, and why it went no further.

    `conflict` tells that the server had another version than the one that was compared.
    """

    parts: dict[str, Part]
    issues: list[Issue]
    refused: bool = False
    conflict: bool = False

    @property
    def existed(self) -> list[str]:
        """The names of the requests that were to create something only if it was not there, and it was."""
        return [name for name, part in self.parts.items() if part.deed == "kept"]


class Sending:
    """How far a delivery has come, for when it breaks off.

    `parts` is what was done, by the names of the requests; `doubtful` are the names of those that were sent and of
    which no answer told.
    """

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.doubtful: tuple[str, ...] = ()

    @contextmanager
    def of(self, *requests: Request) -> Iterator[None]:
        """Send some requests: as long as nothing tells what came of them, they are doubtful."""
        self.doubtful = tuple(request.name for request in requests)
        told = True
        try:
            yield
        except UncertainError:
            told = False
            raise
        finally:
            if told:
                self.doubtful = ()

    def as_far_as(self, requests: Sequence[Request]) -> dict[str, Part]:
        """Return the parts of requests that a delivery was to do and that broke off."""
        return {
            request.name: self.parts.get(request.name)
            or Part(address=request.url, deed="unknown" if request.name in self.doubtful else "not sent")
            for request in requests
        }


def deliver(
    server: FhirServer,
    capabilities: Capabilities,
    study: str,
    requests: Sequence[Request],
    sending: Sending,
    *,
    max_entries: int | None = None,
) -> Delivery:
    """Write in the way that the server can. Raises UncertainError when it is not known what came of it.

    `sending` is told all the time how far it has come.
    """
    target = TARGETS[capabilities.version]
    if not capabilities.transaction:
        return _one_by_one(server, study, _in_order(requests), target, sending)
    if max_entries is None or len(requests) <= max_entries:
        with sending.of(*requests):
            whole = _transaction(server, study, list(requests), target)
        sending.parts.update(whole.parts)
        return whole
    parts = sending.parts
    issues: list[Issue] = []
    for chunk in _chunks(requests, max_entries):
        addresses = {name: part.address for name, part in parts.items()}
        with sending.of(*chunk):
            made = _transaction(server, study, [_relinked(request, addresses) for request in chunk], target)
        parts.update(made.parts)
        issues += made.issues
        if made.refused:
            return made._replace(parts=parts, issues=issues)
    return Delivery(parts, issues)


# transactions


def _transaction(server: FhirServer, study: str, requests: list[Request], target: Target) -> Delivery:
    entries = [_entry(request) for request in requests]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = server.write("POST", "", bundle, _HEADERS)
    answered = answer.resource.get("entry", ()) if answer.resource else ()
    if not answer.fine:
        return _refused(server, study, answer, entries, target, what="the transaction")
    if len(answered) != len(requests):
        told = server.told(answer) or ", but not for each of its entries"
        raise UncertainError(f"POST {server.base}: the transaction was answered with {answer.status}{told}")
    parts: dict[str, Part] = {}
    issues: list[Issue] = []
    statuses = []
    for position, (request, entry) in enumerate(zip(requests, answered, strict=True)):
        response = entry.get("response", {})
        status = status_of(response)
        statuses.append(status)
        found = outcome_issues(response.get("outcome"), entries, study, target, entry=position)
        if 200 <= status < 300:
            parts[request.name] = _part(request, server, status, response)
            issues += found
            continue
        message = f"the server answered {response.get('status')} to {request.method} {request.url}"
        issues += found or [
            issue("server-refused", message, record=study, target_path=f"Bundle.entry[{position}]")
        ]
    refused = len(parts) < len(requests)
    issues = _redacted(server, issues)
    return Delivery(parts, issues, refused, conflict=any(status in _CONFLICTS for status in statuses))


def _entry(request: Request) -> dict[str, Any]:
    made: dict[str, Any] = {"method": request.method, "url": request.url}
    if request.version:
        made["ifMatch"] = f'W/"{request.version}"'
    if request.condition:
        made["ifNoneExist"] = request.condition
    if request.resource is None:
        return {"request": made}
    return {"fullUrl": request.name, "resource": request.resource, "request": made}


def _refused(
    server: FhirServer, study: str, answer: FhirAnswer, entries: list[dict[str, Any]], target: Target, *, what: str
) -> Delivery:
    only = 0 if len(entries) == 1 else None
    issues = _redacted(server, outcome_issues(answer.resource, entries, study, target, entry=only))
    if not any(found.severity == "error" for found in issues):
        told = server.told(answer) or ": without a word on each entry"
        issues.append(issue("server-refused", f"{what} was answered with {answer.status}{told}", record=study))
    if len(entries) > 1 and (answer.status == 413 or any(_TOO_LARGE.search(found.message) for found in issues)):
        issues = [
            msgspec.structs.replace(found, message=f"{found.message}; --max-entries sends smaller transactions")
            for found in issues
        ]
    return Delivery({}, issues, refused=True, conflict=answer.status in _CONFLICTS)


def _redacted(server: FhirServer, issues: list[Issue]) -> list[Issue]:
    return [msgspec.structs.replace(found, message=server.redacted(found.message)) for found in issues]


def _part(request: Request, server: FhirServer, status: int, response: Mapping[str, Any]) -> Part:
    address, version = _place(str(response.get("location", "")), server.base)
    return Part(
        address=address or request.url,
        deed="kept" if request.condition and status == _IS_THERE else request.deed,
        status=str(status),
        version=version_of(str(response.get("etag", ""))) or version,
    )


def _place(location: str, base: str) -> tuple[str, str]:
    """Return the address and the version in a Location: `Group/1/_history/2`, with a base before it or not."""
    address, _, version = location.removeprefix(base).strip("/").partition("/_history/")
    return "/".join(address.split("/")[-_INSTANCE:]), version


# single requests


def _one_by_one(
    server: FhirServer, study: str, requests: list[Request], target: Target, sending: Sending
) -> Delivery:
    """Send one after the other and stop at the first refusal, since what comes later may need what came before."""
    parts = sending.parts
    issues: list[Issue] = []
    for request in requests:
        made = _relinked(request, {name: part.address for name, part in parts.items()})
        with sending.of(request):
            answer = server.write(made.method, made.url, made.resource, {**_HEADERS, **_conditions(made)})
        is_gone = made.method == "DELETE" and answer.status in (404, 410)
        if not answer.fine and not is_gone:
            what = f"{made.method} {made.url}"
            refused = _refused(server, study, answer, [_entry(made)], target, what=what)
            return refused._replace(parts=parts, issues=issues + refused.issues)
        response = {"location": answer.headers.get("location", ""), "etag": answer.headers.get("etag", "")}
        if not response["location"] and answer.resource is not None and "id" in answer.resource:
            response["location"] = f"{answer.resource['resourceType']}/{answer.resource['id']}"
        parts[request.name] = _part(made, server, answer.status, response)
        if answer.fine:
            found = outcome_issues(answer.resource, [_entry(made)], study, target, entry=0)
            issues += _redacted(server, found)
    return Delivery(parts, issues)


def _conditions(request: Request) -> dict[str, str]:
    made = {"If-Match": f'W/"{request.version}"'} if request.version else {}
    return {**made, "If-None-Exist": request.condition} if request.condition else made


def _relinked(request: Request, addresses: Mapping[str, str]) -> Request:
    if request.resource is None or not addresses:
        return request
    return request._replace(resource=relinked(request.resource, addresses))


# order


def _in_order(requests: Sequence[Request]) -> list[Request]:
    """Return the requests in an order in which each comes after those that it refers to; deletions come last."""
    return [request for group in _groups(requests) for request in group]


def _groups(requests: Sequence[Request]) -> Iterator[list[Request]]:
    storing = [request for request in requests if request.resource is not None]
    by_name = {request.name: request for request in storing}
    for group in dependency_groups([_entry(request) for request in storing]):
        yield [by_name[str(entry["fullUrl"])] for entry in group]
    for request in requests:
        if request.resource is None:
            yield [request]


def _chunks(requests: Sequence[Request], largest: int) -> Iterator[list[Request]]:
    chunk: list[Request] = []
    for group in _groups(requests):
        if chunk and len(chunk) + len(group) > largest:
            yield chunk
            chunk = []
        chunk = chunk + group
    if chunk:
        yield chunk
