"""Taking back what was published, without a false word about the trial.

Publications are retired (`retirement` says which, and how). Parties, sites and groups are left as they are: they
are no publications, and what they say stays true. Deleting takes away everything that is the study's own.
"""

from __future__ import annotations

import random
import time
from itertools import count
from typing import Any, NamedTuple
from urllib.parse import quote

from trialconv.fhir_server.capability import Capabilities
from trialconv.fhir_server.content import normal_form
from trialconv.fhir_server.delivery import Request, Sending, deliver
from trialconv.fhir_server.fates import Fate, Part, StoppedError
from trialconv.fhir_server.holdings import Holdings, NotReadableError
from trialconv.fhir_server.left import own_resources
from trialconv.fhir_server.plan import address_of
from trialconv.fhir_server.retirement import can_retire, is_retired, retired
from trialconv.fhir_server.server import FhirServer, UncertainError
from trialconv.http_client import Retry
from trialconv.issues import Severity, SinkError, issue
from trialconv_mappings.fhir.split import in_dependency_order
from trialconv_mappings.fhir.terms import NCT_SYSTEM


class Withdrawal(NamedTuple):
    """How to withdraw: `delete` deletes in the place of retiring, `dry_run` writes nothing."""

    delete: bool = False
    dry_run: bool = False
    max_entries: int | None = None
    retry: Retry = Retry()


def withdraw(server: FhirServer, capabilities: Capabilities, study: str, how: Withdrawal) -> Fate:
    """Withdraw a study by its number and return what became of it. Raises StoppedError when the server is gone."""
    mode = "transaction" if capabilities.transaction else "single"
    fate = Fate(study=study, end="failed", mode=mode)
    holdings = Holdings(server, batch=capabilities.batch)
    try:
        own = _own(server, holdings, how, fate)
        if own:
            _until_it_is_known(server, capabilities, holdings, own, how, fate)
    except NotReadableError as error:
        fate.issues.append(issue("server-refused", str(error), record=study, target_path=error.address))
    except SinkError as error:
        fate.broke_off()
        fate.issues.append(issue("server-unreachable", str(error), record=study))
        raise StoppedError(fate, str(error)) from error
    return fate


def _own(server: FhirServer, holdings: Holdings, how: Withdrawal, fate: Fate) -> dict[str, dict[str, Any]]:
    """Return what the server has of the study; where it has nothing, the fate says so."""
    start = _study_on_server(holdings, fate.study)
    if not start:
        fate.end = "unchanged" if how.delete else "absent"
        message = f"the server has no ResearchStudy {fate.study}, neither by id nor by identifier"
        severity: Severity | None = "warning" if how.delete else None
        fate.issues.append(issue("not-on-server", message, record=fate.study, severity=severity))
        return {}
    return own_resources(fate.study, start, holdings, server.base)


def _until_it_is_known(
    server: FhirServer,
    capabilities: Capabilities,
    holdings: Holdings,
    own: dict[str, dict[str, Any]],
    how: Withdrawal,
    fate: Fate,
) -> None:
    """Write, and where no answer came, look what is left to be done: what is deleted leads to nothing any more."""
    now, done = own, dict[str, Part]()
    for failures in count(1):
        requests = _deletions(now, server.base) if how.delete else _retirements(now, capabilities)
        touched = {request.name: Part(address=request.url, deed=request.deed) for request in requests}
        fate.parts = _parts(own, done | touched)
        if how.dry_run and requests:
            fate.end = "planned"
            return
        if not requests:
            fate.end = "withdrawn" if done else "unchanged"
            return
        sending = Sending()
        try:
            made = deliver(server, capabilities, fate.study, requests, sending, max_entries=how.max_entries)
        except (UncertainError, SinkError) as error:
            fate.parts = _parts(own, done | sending.as_far_as(requests))
            if isinstance(error, SinkError):
                raise
            if failures >= how.retry.tries:
                raise SinkError(str(error)) from error
            time.sleep(how.retry.wait(failures, random.random()))  # noqa: S311 - no secret
            now, done = holdings.read(list(own)), done | touched
            continue
        undone = {name: Part(address=part.address, deed="not sent") for name, part in touched.items()}
        fate.parts = _parts(own, done | undone | made.parts)
        fate.issues += made.issues
        fate.end = "withdrawn" if not made.refused else "partial" if made.parts else "failed"
        return


def _parts(own: dict[str, Any], touched: dict[str, Part]) -> list[Part]:
    return [touched.get(address) or Part(address=address, deed="kept") for address in own]


def _study_on_server(holdings: Holdings, study: str) -> dict[str, dict[str, Any]]:
    """Return the ResearchStudy of a study at its address, by our id or by its number; empty if there is none."""
    address = f"ResearchStudy/{study}"
    if found := holdings.read([address]):
        return found
    search = f"ResearchStudy?identifier={quote(NCT_SYSTEM, safe=':/')}%7C{quote(study)}"
    try:
        return {address_of(one): one for one in holdings.find([search])[search]}
    except NotReadableError as error:
        if error.answer.status in (400, 404) or error.answer.fine:
            return {}
        raise


def _retirements(own: dict[str, dict[str, Any]], capabilities: Capabilities) -> list[Request]:
    made = []
    for address, resource in own.items():
        if can_retire(resource) and not is_retired(resource):
            body = retired(resource, capabilities.version)
            version = str(resource.get("meta", {}).get("versionId", ""))
            made.append(Request(address, "retired", "PUT", address, body, version))
    return made


def _deletions(own: dict[str, dict[str, Any]], base: str) -> list[Request]:
    """Return the requests that delete: what refers to others goes before them, as servers want it."""
    entries = [
        {"fullUrl": address, "resource": {**resource, **normal_form(resource, base=base)}}
        for address, resource in own.items()
    ]
    return [
        Request(entry["fullUrl"], "deleted", "DELETE", entry["fullUrl"])
        for entry in reversed(in_dependency_order(entries))
    ]
