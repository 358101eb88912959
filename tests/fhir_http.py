"""The small FHIR server behind HTTP, with versions, and with faults on demand: it fails and hangs up as told."""

from __future__ import annotations

import json
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from fhir_server import RefusedError, Server, references
from made_up import Tree
from quick_http import QuickHandler

NUMBERS = {"R4": "4.0.1", "R4B": "4.3.0", "R5": "5.0.0"}
TYPES = (
    *("ResearchStudy", "PlanDefinition", "ActivityDefinition", "Group", "EvidenceVariable"),
    *("Organization", "Practitioner", "PractitionerRole", "Location", "Provenance"),
)
_MEDIA_TYPE = "application/fhir+json"

#: What is done with a call: None serves it; a status (with headers) answers so before anything is done; `hang up`
#: closes the connection before, `hang up after` when all is done; bytes are the answer, with their media type.
Fault = None | str | tuple[int, dict[str, str]] | tuple[str, bytes]


class ConflictError(Exception):
    """The server has another version than the one that was named."""


class Store(Server):
    """The resources with versions, and how often each was written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: Counter[str] = Counter()
        self.keeps: Callable[[Tree], Tree] = lambda resource: resource
        self._given: dict[int, str] = {}

    def transact(self, entries: list[Tree]) -> list[Tree]:
        """Do what the entries of a transaction ask for, all of it or nothing, and return the answers."""
        storing = [entry for entry in entries if "resource" in entry]
        for entry in entries:
            self._check_version(entry["request"])
        before = dict(self.resources)
        addresses = [self._address(entry) for entry in storing]
        for address, entry in zip(addresses, storing, strict=True):
            if "id" not in entry["resource"] and address not in before:
                self._given[id(entry)] = address
        self.send({"type": "transaction", "entry": storing})
        self._given.clear()
        answers = []
        for address, entry in zip(addresses, storing, strict=True):
            if "ifNoneExist" in entry["request"] and address in before:
                answers.append(_answer("200 OK", address, self.resources[address]))
                continue
            version = int(before.get(address, {}).get("meta", {}).get("versionId", 0)) + 1
            kept = self.keeps(self.resources[address])
            kept = {**kept, "meta": {**kept.get("meta", {}), "versionId": str(version)}}
            self.resources[address] = kept
            self.writes[address] += 1
            answers.append(_answer("200 OK" if address in before else "201 Created", address, kept))
        answers += self._delete([entry["request"]["url"] for entry in entries if "resource" not in entry], before)
        return answers

    def search(self, kind: str, search: str) -> list[Tree]:
        """Return what a search by identifier or url finds."""
        name, _, value = search.partition("=")
        if name == "url":
            return [
                each
                for at, each in self.resources.items()
                if at.startswith(kind + "/") and each.get("url") == unquote(value)
            ]
        return [self.resources[address] for address in self._matches(kind, search)]

    def _address(self, entry: Tree) -> str:
        """Return the address of an entry, the same one each time."""
        return self._given.get(id(entry)) or super()._address(entry)

    def _delete(self, addresses: list[str], before: dict[str, Tree]) -> list[Tree]:
        rest = {address: resource for address, resource in self.resources.items() if address not in addresses}
        for address, resource in rest.items():
            for pointer in references(resource):
                if pointer in addresses:
                    self.resources = before
                    raise ConflictError(f"{address} refers to {pointer}")
        self.resources = rest
        return [{"response": {"status": "204 No Content"}} for _ in addresses]

    def _check_version(self, request: Tree) -> None:
        if "ifMatch" in request:
            there = self.resources.get(request["url"], {}).get("meta", {}).get("versionId")
            if request["ifMatch"] != f'W/"{there}"':
                raise ConflictError(f"{request['url']} has version {there}")


def _answer(status: str, address: str, resource: Tree) -> Tree:
    version = resource["meta"]["versionId"]
    return {"response": {"status": status, "location": f"{address}/_history/{version}", "etag": f'W/"{version}"'}}


class FhirHttp:
    """A server under way: its address, its store, its calls, and what it is told to do otherwise."""

    def __init__(self, version: str = "R4", **abilities: bool) -> None:
        self.store = Store()
        self.version = version
        self.abilities = {
            "transaction": True,
            "batch": True,
            "update_create": True,
            "conditional_create": True,
            **abilities,
        }
        self.calls: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.fault: Callable[[str, str, int], Fault] = lambda _method, _path, _number: None
        self.admits: Callable[[dict[str, str]], bool] = lambda _headers: True
        self.before_write: Callable[[], None] = lambda: None
        self.statement: Callable[[Tree], Tree] = lambda statement: statement
        self.extra: dict[str, Callable[[dict[str, str], bytes], tuple[int, Tree]]] = {}
        self.base = ""
        self._lock = Lock()

    @property
    def written(self) -> list[tuple[str, str]]:
        """The calls that could have changed something: all but reads and batches of reads."""
        return [call for call in self.calls if call[0] not in ("GET", "BATCH")]

    def serve(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Any]:
        """Return the answer to a call: status, headers, resource."""
        if path in self.extra:
            status, resource = self.extra[path](headers, body)
            return status, {}, resource
        if not self.admits(headers):
            return 401, {}, _outcome("login", "who are you?")
        if path == "/metadata":
            return 200, {}, self.statement(self._statement())
        resource = json.loads(body) if body else None
        with self._lock:
            try:
                return self._serve(method, path.lstrip("/"), headers, resource)
            except RefusedError as error:
                return 400, {}, _outcome("processing", str(error))
            except ConflictError as error:
                return 412, {}, _outcome("conflict", str(error))

    def _serve(
        self, method: str, path: str, headers: dict[str, str], resource: Any
    ) -> tuple[int, dict[str, str], Any]:
        if method == "GET":
            return self._read(path)
        if not path and resource["type"] == "batch":
            if not self.abilities["batch"]:
                return 404, {}, _outcome("not-supported", "no batches")
            entries = [self._read(entry["request"]["url"]) for entry in resource["entry"]]
            answers = [{"response": {"status": str(status)}, "resource": found} for status, _, found in entries]
            return 200, {}, {"resourceType": "Bundle", "type": "batch-response", "entry": answers}
        self.before_write()
        if not path:
            if not self.abilities["transaction"]:
                return 404, {}, _outcome("not-supported", "no transactions")
            answers = self.store.transact(resource["entry"])
            return 200, {}, {"resourceType": "Bundle", "type": "transaction-response", "entry": answers}
        (answer,) = self.store.transact([_entry(method, path, headers, resource)])
        response = answer["response"]
        told = {
            key: response[name] for key, name in (("Location", "location"), ("ETag", "etag")) if name in response
        }
        return int(response["status"].split()[0]), told, None

    def _read(self, path: str) -> tuple[int, dict[str, str], Any]:
        kind, question, search = path.lstrip("/").partition("?")
        if question:
            found = self.store.search(kind, search)
            entries = [{"resource": resource, "search": {"mode": "match"}} for resource in found]
            return 200, {}, {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        resource = self.store.resources.get(kind)
        if resource is None:
            return 404, {}, _outcome("not-found", f"there is no {kind}")
        return 200, {"ETag": f'W/"{resource["meta"]["versionId"]}"'}, resource

    def _statement(self) -> Tree:
        interaction = [{"code": code} for code in ("read", "create", "update", "delete", "search-type")]
        return {
            "resourceType": "CapabilityStatement",
            "fhirVersion": NUMBERS[self.version],
            "software": {"name": "Made-up server"},
            "rest": [
                {
                    "mode": "server",
                    "interaction": [{"code": code} for code in ("transaction", "batch") if self.abilities[code]],
                    "resource": [
                        {
                            "type": kind,
                            "interaction": interaction,
                            "updateCreate": self.abilities["update_create"],
                            "conditionalCreate": self.abilities["conditional_create"],
                        }
                        for kind in TYPES
                    ],
                }
            ],
        }


def _entry(method: str, path: str, headers: dict[str, str], resource: Any) -> Tree:
    request = {"method": method, "url": path}
    if "if-match" in headers:
        request["ifMatch"] = headers["if-match"]
    if "if-none-exist" in headers:
        request["ifNoneExist"] = headers["if-none-exist"]
    return (
        {"request": request} if resource is None else {"fullUrl": path, "resource": resource, "request": request}
    )


def _outcome(code: str, message: str, **more: Any) -> Tree:
    issue = {"severity": "error", "code": code, "diagnostics": message, **more}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _handler(server: FhirHttp) -> type[BaseHTTPRequestHandler]:
    class Handler(QuickHandler):
        def _any(self) -> None:
            body = self.body()
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/fhir") + (f"?{parts.query}" if parts.query else "")
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_batch = path == "" and b'"type":"batch"' in body
            server.calls.append(("BATCH" if is_batch else self.command, path))
            server.headers.append(headers)
            fault = server.fault("BATCH" if is_batch else self.command, path, len(server.calls))
            if fault == "hang up":
                self.close_connection = True
                return
            if isinstance(fault, tuple) and isinstance(fault[0], int):
                self._send(fault[0], fault[1], json.dumps(_outcome("transient", "not now")).encode(), _MEDIA_TYPE)
                return
            if isinstance(fault, tuple):
                self._send(200, {}, fault[1], fault[0])
                return
            status, told, resource = server.serve(self.command, path, headers, body)
            if fault == "hang up after":
                self.close_connection = True
                return
            content = b"" if resource is None else json.dumps(resource).encode()
            self._send(status, told, content, _MEDIA_TYPE)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - names of http.server

        def _send(self, status: int, headers: dict[str, str], content: bytes, kind: str) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of clients that hang up, or that refuse our certificate."""


@contextmanager
def running(server: FhirHttp, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[FhirHttp]:
    """Run a server on loopback while the context lasts."""
    http = _Quiet(("127.0.0.1", port), _handler(server))
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    scheme, host = ("https", "localhost") if tls is not None else ("http", "127.0.0.1")
    server.base = f"{scheme}://{host}:{http.server_address[1]}/fhir"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
