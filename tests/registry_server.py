"""A stand-in for the registry's API v2 on this machine, which answers as the API documents, or fails on demand.

It has `/version`, `/studies`, `/studies/{nctId}` and `/stats/size` of the OpenAPI 2.0.5, in JSON. Searches are
words that a record has to hold, joined by AND, and ranges of LastUpdatePostDate. As a program it serves the
records of some sources:

    python tests/registry_server.py examples/studies
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import random
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from trialconv.record.enums import Status

Tree = dict[str, Any]

_PREFIX: Final = "/api/v2"
_NCT: Final = re.compile(r"[Nn][Cc][Tt]0*([1-9]\d{0,7})", re.ASCII)
_RANGE: Final = re.compile(r"AREA\[LastUpdatePostDate\]RANGE\[(MIN|[\d-]+),\s*(MAX|[\d-]+)\]")
_NAME: Final = r"[a-zA-Z][a-zA-Z0-9\-. ]*"
_DISTANCE: Final = r"\d+(\.\d+)?(km|mi)"
_INT32: Final = 2**31 - 1

_QUERIES: Final = ("cond", "term", "locn", "titles", "intr", "outc", "spons", "lead", "id", "patient")
_OF_A_PAGE: Final = ("countTotal", "pageSize", "pageToken")

#: What each parameter of /studies has to look like; of those that are lists, each element.
_LISTS: Final = {
    "filter.overallStatus": None,
    "postFilter.overallStatus": None,
    "filter.ids": _NCT.pattern,
    "postFilter.ids": _NCT.pattern,
    "filter.synonyms": r".*",
    "postFilter.synonyms": r".*",
    "fields": _NAME + r"|@query",
    "sort": rf"({_NAME}|@relevance)(:(asc|desc))?",
}
_TEXTS: Final = {
    "format": r"json",
    "markupFormat": r"markdown|legacy",
    "filter.geo": r"distance\(-?\d+(\.\d+)?,-?\d+(\.\d+)?,\d+(\.\d+)?(km|mi)?\)",
    "postFilter.geo": r"distance\(-?\d+(\.\d+)?,-?\d+(\.\d+)?,\d+(\.\d+)?(km|mi)?\)",
    "geoDecay": rf"func:(gauss|exp|linear),scale:{_DISTANCE},offset:{_DISTANCE},decay:(\d+(\.\d+)?)",
    "filter.advanced": r".*",
    "postFilter.advanced": r".*",
    "aggFilters": r".*",
    "countTotal": r"true|false",
    "pageSize": r"\d+",
    "pageToken": r".*",
    **{f"query.{name}": r".*" for name in _QUERIES},
}
_OF_ONE_STUDY: Final = ("format", "markupFormat", "fields")
#: Where the fields stand that can be asked for or sorted by; sections and modules can be asked for, too.
_PLACES: Final = {
    "NCTId": "protocolSection.identificationModule.nctId",
    "NCTIdAlias": "protocolSection.identificationModule.nctIdAliases",
    "BriefTitle": "protocolSection.identificationModule.briefTitle",
    "OverallStatus": "protocolSection.statusModule.overallStatus",
    "LastUpdatePostDate": "protocolSection.statusModule.lastUpdatePostDateStruct.date",
    "EnrollmentCount": "protocolSection.designModule.enrollmentInfo.count",
    "HasResults": "hasResults",
}
_SORTED_BY: Final = ("LastUpdatePostDate", "EnrollmentCount")


class Fault(NamedTuple):
    """What goes wrong with the next answer whose address contains `where`.

    `kind`: `status` (with `status` and `retry_after`), `slow` (by `seconds`), `cut` (in the middle of the body),
    `hang-up` (before any answer), `html`, `broken` (JSON that breaks off).
    """

    kind: str
    where: str = ""
    status: int = 503
    retry_after: str = ""
    seconds: float = 0.0


_FAILURES: Final = (
    Fault("status", status=503),
    Fault("status", status=429, retry_after="0"),
    Fault("cut"),
    Fault("hang-up"),
)


class Refused(Exception):  # noqa: N818 - what the API calls a bad request
    """The answer is an error with a text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Asked:
    """A request as it came."""

    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


@dataclass
class StandIn:
    """The registry: records by their numbers, and what is to go wrong. A context manager that serves them.

    `etags` makes answers identify themselves. `chance` is the share of answers that fail in a random way.
    """

    studies: dict[str, bytes] = field(default_factory=dict)
    timestamp: str | None = "2026-01-05T09:00:00"
    etags: bool = False
    faults: list[Fault] = field(default_factory=list)
    chance: float = 0.0
    dice: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - not for secrets
    asked: list[Asked] = field(default_factory=list)
    most_of_a_page: int = 1000

    def __post_init__(self) -> None:
        self._trees: dict[str, Tree] = {}
        self._tokens: dict[str, tuple[str, tuple[str, str]]] = {}
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> StandIn:
        stand_in = self

        class Handler(_Handler):
            registry = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base address of the API."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}{_PREFIX}"

    def put(self, *studies: Tree | bytes) -> None:
        """Publish records, or new versions of them."""
        for study in studies:
            data = study if isinstance(study, bytes) else json.dumps(study, ensure_ascii=False).encode()
            tree = json.loads(data)
            nct_id = tree["protocolSection"]["identificationModule"]["nctId"]
            with self._lock:
                self.studies[nct_id], self._trees[nct_id] = data.strip(), tree

    def remove(self, *ids: str) -> None:
        """Take records away."""
        with self._lock:
            for nct_id in ids:
                del self.studies[nct_id], self._trees[nct_id]

    def forget_tokens(self) -> None:
        """Let all page tokens expire."""
        self._tokens.clear()

    def paths(self) -> list[str]:
        """Return the paths that were asked for so far."""
        return [one.path for one in self.asked]

    def fault(self, path: str) -> Fault | None:
        """Return what is to go wrong with an answer, if anything."""
        with self._lock:
            for position, fault in enumerate(self.faults):
                if fault.where in path:
                    return self.faults.pop(position)
            if self.dice.random() < self.chance:
                return self.dice.choice(_FAILURES)
        return None

    # -- the answers -----------------------------------------------------------------------------------------

    def answer(self, path: str, parameters: list[tuple[str, str]]) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and content for a request. Raises Refused."""
        if path == "/version":
            stamp = {"dataTimestamp": self.timestamp} if self.timestamp else {}
            return _json({"apiVersion": "2.0.5", **stamp})
        if path == "/stats/size":
            return _json(self._sizes())
        if path == "/studies":
            return self._page(_checked(parameters, (*_LISTS, *_TEXTS)))
        if path.startswith("/studies/"):
            return self._study(unquote(path.removeprefix("/studies/")), _checked(parameters, _OF_ONE_STUDY))
        raise Refused(404, "Not found")

    def _sizes(self) -> Tree:
        sizes = sorted((len(data), nct_id) for nct_id, data in self.studies.items())
        return {
            "averageSizeBytes": sum(size for size, _ in sizes) // max(len(sizes), 1),
            "largestStudies": [{"id": nct_id, "sizeBytes": size} for size, nct_id in sizes[-3:]],
            "percentiles": {},
            "ranges": [],
            "totalStudies": len(sizes),
        }

    def _study(self, asked: str, parameters: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        number = _NCT.fullmatch(asked)
        if number is None:
            raise Refused(400, f"Parameter `nctId` has incorrect format: {asked!r}")
        nct_id = f"NCT{number[1]:0>8}"
        if nct_id in self.studies:
            return _json_text(self._with_fields(nct_id, parameters))
        for other, tree in self._trees.items():
            if nct_id in _at(tree, _PLACES["NCTIdAlias"], []):
                return 301, {"Location": f"{_PREFIX}/studies/{other}"}, b""
        raise Refused(404, f"NCT number {nct_id} not found")

    def _page(self, parameters: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        size = min(int(parameters.get("pageSize", "0")) or 10, 1000, self.most_of_a_page)
        same = json.dumps(
            {
                name: value
                for name, value in parameters.items()
                if name not in ("countTotal", "pageSize", "pageToken")
            },
            sort_keys=True,
        )
        keys = self._order(parameters)
        after = None
        token = parameters.get("pageToken")
        if token is not None:
            if self._tokens.get(token, ("", None))[0] != same:
                raise Refused(400, "Parameter `pageToken` is not the token of a page of this query")
            after = self._tokens[token][1]
        wanted = self._found(parameters)
        ids = [nct_id for nct_id in sorted(self.studies, key=keys.__getitem__) if nct_id in wanted]
        rest = [nct_id for nct_id in ids if after is None or keys[nct_id] > after]
        shown = rest[:size]
        body = b'{"studies":[\n' + b",\n".join(self._with_fields(one, parameters) for one in shown) + b"\n]"
        if token is None and parameters.get("countTotal") == "true":
            body = b'{"totalCount":%d,' % len(ids) + body[1:]
        if len(rest) > size:
            following = hashlib.sha256(f"{same} {keys[shown[-1]]}".encode()).hexdigest()[:24]
            self._tokens[following] = same, keys[shown[-1]]
            body += b',"nextPageToken":"' + following.encode() + b'"'
        return 200, {"Content-Type": "application/json"}, body + b"}"

    def _order(self, parameters: dict[str, str]) -> dict[str, Any]:
        """Return what each record is sorted by; the number is the last word."""
        sort = _split(parameters.get("sort", ""))
        name, _, direction = (sort[0] if sort else "@relevance").partition(":")
        if name == "@relevance":
            return {nct_id: (0, nct_id) for nct_id in self.studies}
        if name not in _SORTED_BY:
            raise Refused(400, f"Parameter `sort` has an item that cannot be sorted by: {name}")
        dates = name == "LastUpdatePostDate"
        backwards = (direction or ("desc" if dates else "asc")) == "desc"
        keys: dict[str, Any] = {}
        for nct_id, tree in self._trees.items():
            value = _at(tree, _PLACES[name], None)
            number = int(value.replace("-", "")) if dates and value else value
            keys[nct_id] = (float("inf") if number is None else -number if backwards else number, nct_id)
        return keys

    def _found(self, parameters: dict[str, str]) -> set[str]:
        for name, value in parameters.items():
            if name.startswith("query.") and (only := _only_ids(value)):
                return {nct_id for nct_id in self.studies if self._names(nct_id) & only}
        return {nct_id for nct_id in self.studies if all(self._fits(nct_id, *pair) for pair in parameters.items())}

    def _names(self, nct_id: str) -> set[str]:
        return {nct_id, *_at(self._trees[nct_id], _PLACES["NCTIdAlias"], [])}

    def _fits(self, nct_id: str, name: str, value: str) -> bool:
        tree = self._trees[nct_id]
        if name.endswith("overallStatus"):
            return _at(tree, _PLACES["OverallStatus"], "") in _split(value)
        if name.endswith(".ids"):
            return bool(self._names(nct_id) & {f"NCT{_NCT.fullmatch(one)[1]:0>8}" for one in _split(value)})  # type: ignore[index]
        if name.startswith("query.") or name.endswith(".advanced"):
            updated = _at(tree, _PLACES["LastUpdatePostDate"], "")
            text = self.studies[nct_id].decode().lower()
            return all(_says(text, updated, part) for part in value.split(" AND "))
        return True

    def _with_fields(self, nct_id: str, parameters: dict[str, str]) -> bytes:
        if "fields" not in parameters:
            return self.studies[nct_id]
        made: Tree = {}
        for name in _split(parameters["fields"]):
            _copy(self._trees[nct_id], made, _place_of(name).split("."))
        return json.dumps(made, ensure_ascii=False).encode()


def _checked(pairs: list[tuple[str, str]], allowed: Iterable[str]) -> dict[str, str]:
    """Return the parameters by name. Raises Refused for one that is unknown, given twice or malformed."""
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name not in allowed:
            raise Refused(400, f"Unknown parameter `{name}`")
        if name in parameters:
            raise Refused(400, f"Parameter `{name}` is given twice")
        if name in _LISTS:
            _check_list(name, re.split(r"[,|]", value))
        elif not re.fullmatch(_TEXTS[name], value, re.DOTALL | re.ASCII):
            raise Refused(400, f"Parameter `{name}` has incorrect value: {value[:80]!r}")
        parameters[name] = value
    if int(parameters.get("pageSize", "0")) > _INT32:
        raise Refused(400, "Parameter `pageSize` is too large")
    return parameters


def _check_list(name: str, items: list[str]) -> None:
    pattern = _LISTS[name]
    fits = (
        get_args(Status).__contains__ if pattern is None else re.compile(pattern, re.DOTALL | re.ASCII).fullmatch
    )
    if (name == "sort" and len(items) > 2) or not all(fits(item) for item in items):
        raise Refused(400, f"Parameter `{name}` has incorrect value: {', '.join(items)[:80]!r}")
    if name == "fields":
        for item in items:
            _place_of(item)


def _place_of(name: str) -> str:
    """Return the path that a piece, a module, a section or a path names. Raises Refused."""
    known = {place[:end] for place in _PLACES.values() for end, sign in enumerate(place + ".") if sign == "."}
    paths = {path.rpartition(".")[2].lower(): path for path in known} | {path.lower(): path for path in known}
    place = _PLACES.get(name) or paths.get(name.lower())
    if place is None:
        raise Refused(400, f"Parameter `fields` has unknown field: {name[:80]!r}")
    return place


def _split(value: str) -> list[str]:
    return [item for item in re.split(r"[,|]", value) if item]


def _only_ids(value: str) -> set[str]:
    words = [word for word in re.split(r"[,\s]+", value) if word]
    found = [_NCT.fullmatch(word) for word in words]
    return {f"NCT{one[1]:0>8}" for one in found if one} if words and all(found) else set()


def _says(text: str, updated: str, part: str) -> bool:
    """Tell whether a record says what a part of an expression asks for."""
    part = part.strip().removeprefix("(").removesuffix(")")
    span = _RANGE.fullmatch(part.strip())
    if span is None:
        return all(word in text for word in part.lower().split())
    first, last = span[1].replace("MIN", "0"), span[2].replace("MAX", "9")
    return first <= updated <= last


def _at(tree: Any, path: str, otherwise: Any) -> Any:
    for step in path.split("."):
        if not isinstance(tree, dict) or step not in tree:
            return otherwise
        tree = tree[step]
    return tree


def _copy(tree: Tree, made: Tree, steps: list[str]) -> None:
    step, *rest = steps
    if step not in tree:
        return
    if rest:
        _copy(tree[step], made.setdefault(step, {}), rest)
    else:
        made[step] = tree[step]


def _json(value: Any) -> tuple[int, dict[str, str], bytes]:
    return _json_text(json.dumps(value).encode())


def _json_text(data: bytes) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "application/json"}, data


class _Handler(BaseHTTPRequestHandler):
    """One connection. `registry` is set by the class that is made of it."""

    registry: StandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.registry.asked.append(Asked(parts.path.removeprefix(_PREFIX), dict(pairs), headers))
        fault = self.registry.fault(self.path)
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        elif fault is not None and fault.kind == "hang-up":
            self._hang_up()
            return
        elif fault is not None and fault.kind != "cut" and fault.kind != "broken":
            self._send(*_failure(fault))
            return
        status, head, body = self._answer(parts.path, pairs, headers)
        if fault is not None and fault.kind == "broken":
            body = body[: len(body) // 2]
        self._send(status, head, body, cut=fault is not None and fault.kind == "cut")

    def _answer(
        self, path: str, pairs: list[tuple[str, str]], headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        if not path.startswith(_PREFIX + "/"):
            return 404, {"Content-Type": "text/plain"}, b"Not found"
        try:
            status, head, body = self.registry.answer(path.removeprefix(_PREFIX), pairs)
        except Refused as error:
            return error.status, {"Content-Type": "text/plain; charset=utf-8"}, str(error).encode()
        if status == 200 and self.registry.etags:
            head["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            if headers.get("if-none-match") == head["ETag"]:
                return 304, head, b""
        if len(body) > 2000 and "gzip" in headers.get("accept-encoding", ""):
            head["Content-Encoding"] = "gzip"
            body = gzip.compress(body, 1)
        return status, head, body

    def _send(self, status: int, head: dict[str, str], body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        for name, value in head.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cut:
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self._hang_up()
        elif status != 304:
            self.wfile.write(body)

    def _hang_up(self) -> None:
        """Reset the connection, as a network does that breaks."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def handle(self) -> None:
        """Answer until the caller hangs up, in whatever way."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


def _failure(fault: Fault) -> tuple[int, dict[str, str], bytes]:
    if fault.kind == "html":
        return 200, {"Content-Type": "text/html; charset=utf-8"}, b"<!doctype html><title>Sign in</title>"
    assert fault.kind == "status"
    head = {"Content-Type": "text/plain"} | ({"Retry-After": fault.retry_after} if fault.retry_after else {})
    return fault.status, head, b"Fault on demand"


def serve(sources: list[str]) -> None:
    """Serve the records of some sources until interrupted; print the address."""
    import trialconv

    stand_in = StandIn()
    for source in sources:
        stand_in.put(*(record.to_json() for record in trialconv.read(source)))
    with stand_in:
        print(stand_in.url, flush=True)  # noqa: T201 - what the caller waits for
        threading.Event().wait()


if __name__ == "__main__":
    serve(sys.argv[1:])
