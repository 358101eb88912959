"""The HTTP interface: documents, forms, refusals, limits, and its own description."""

from __future__ import annotations

import gzip
import io
import json
import socket
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx
import hypothesis
import orjson
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

import trialconv
from made_up import NCT, encoded, full_study, study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo
from trialconv.web.outcomes import RefusedError
from trialconv.web.pool import Pool
from trialconv.web.settings import Settings
from trialconv.web.work import MOST_FINDINGS
from web_server import server

JSON = {"Content-Type": "application/json"}
TEXT = {"Content-Type": "text/plain"}
SETTINGS = Settings(max_body=1_000_000, body_time=0.5, work_time=20.0)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Give a client of a server that keeps its worker processes for the tests of this file."""
    with server(SETTINGS) as made:
        yield made


def outcome(answer: httpx.Response) -> dict[str, Any]:
    """Return the first entry of an OperationOutcome."""
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["resourceType"] == "OperationOutcome"
    first: dict[str, Any] = answer.json()["issue"][0]
    return first


# Conversions.


@pytest.mark.parametrize("target", TARGETS)
def test_the_document_is_that_of_the_library(client: httpx.Client, target: str) -> None:
    """Every target gives the bytes that the library gives."""
    data = encoded(full_study())
    answer = client.post(f"/convert/{target}", content=data, headers=JSON)
    assert answer.status_code == 200, answer.text
    made = transform(read_study(data, SourceInfo("made up")), TARGETS[target], Options())
    if made.files:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert {name.partition("/")[2]: archive.read(name) for name in archive.namelist()} == made.files
    else:
        assert answer.content == made.data
    assert answer.headers["x-trialconv-issues"] == str(len(made.issues))
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{NCT}-{target}.')


def test_options_are_those_of_the_commands(client: httpx.Client) -> None:
    """Query parameters bear the names of the command's options."""
    data = encoded(full_study())
    answer = client.post(
        "/convert/fhir-r5?bundle=collection&contacts=false&narrative=true", content=data, headers=JSON
    )
    made = transform(
        read_study(data, SourceInfo("made up")),
        TARGETS["fhir-r5"],
        Options(fhir_version="R5", bundle="collection", contacts=False, narrative=True),
    )
    assert answer.content == made.data


def test_other_sources(client: httpx.Client, example_page: Path) -> None:
    """A page, and a packed record, are recognised by their content."""
    page = client.post("/convert/odm-2.0", content=example_page.read_bytes(), headers=TEXT)
    assert page.status_code == 200
    assert b"NCT06108596" in page.content
    packed = client.post(
        "/convert/fhir-r4", content=gzip.compress(encoded(study())), headers={"Content-Type": "application/gzip"}
    )
    assert packed.json()["resourceType"] == "Bundle"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/fhir+json"),
        ("", "application/fhir+json"),
        ("application/json", "application/json"),
        ("application/fhir+xml", "application/fhir+xml"),
        ("application/fhir+json;q=0.5, application/fhir+xml", "application/fhir+xml"),
        ("text/html, application/*;q=0.1", "application/fhir+json"),
    ],
)
def test_forms_of_fhir(client: httpx.Client, accept: str, media_type: str) -> None:
    """The Accept header chooses between JSON and XML."""
    answer = client.post("/convert/fhir-r4", content=encoded(study()), headers={**JSON, "Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == media_type
    assert answer.content.startswith(b"<" if media_type.endswith("xml") else b"{")


# Refusals.


@pytest.mark.parametrize(
    ("path", "content", "headers", "status", "code"),
    [
        ("/convert/fhir-r9", b"{}", JSON, 404, "not-found"),
        ("/nowhere", b"{}", JSON, 404, "not-found"),
        ("/convert/odm-2.0", b"{}", {**JSON, "Accept": "text/html"}, 406, "not-supported"),
        ("/convert/odm-2.0", b"{}", {"Content-Type": "image/png"}, 415, "not-supported"),
        ("/convert/odm-2.0", b"{}", {**JSON, "Content-Encoding": "gzip"}, 415, "not-supported"),
        ("/convert/odm-2.0", b"", JSON, 400, "required"),
        ("/convert/odm-2.0?nonsense=1", b"{}", JSON, 400, "invalid"),
        ("/convert/odm-2.0?bundle=batch", b"{}", JSON, 400, "invalid"),
        ("/convert/fhir-r4?bundle=heap", b"{}", JSON, 400, "value"),
        ("/convert/fhir-r4?bundle=batch&bundle=batch", b"{}", JSON, 400, "invalid"),
        ("/convert/fhir-r4?created=yesterday", b"{}", JSON, 400, "invalid"),
        ("/convert/fhir-r4?bundle=batch&request=conditional-create", b"{}", JSON, 400, "invalid"),
        ("/validate?fhir-version=R9", b"{}", JSON, 400, "value"),
        ("/validate?version=R4", b"{}", JSON, 400, "invalid"),
        ("/convert/fhir-r4", b"{}", JSON, 422, "invalid"),
        ("/convert/fhir-r4", b"<html>Error</html>", TEXT, 422, "structure"),
        ("/convert/fhir-r4", encoded(study()) + b"\n" + encoded(study("NCT99999902")), JSON, 422, "processing"),
    ],
)
def test_refusals(
    client: httpx.Client, path: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """What cannot be done is answered with a status and an OperationOutcome that says why."""
    answer = client.post(path, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert outcome(answer)["code"] == code
    assert outcome(answer)["details"]["text"]


def test_a_method_that_is_not_there(client: httpx.Client) -> None:
    """A conversion is asked for with POST, and the answer says so."""
    answer = client.get("/convert/fhir-r4")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert outcome(answer)["code"] == "not-supported"


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1.example:80", "localhost.example", ""])
def test_a_name_of_others(client: httpx.Client, host: str) -> None:
    """A page elsewhere that has its name point to this machine gets no answer."""
    answer = client.get("/healthz", headers={"Host": host})
    assert (answer.status_code, outcome(answer)["code"]) == (421, "forbidden")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "[::1]:8000", "127.0.0.1"])
def test_names_of_its_own(client: httpx.Client, host: str) -> None:
    """The machine has several names."""
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


# Limits.


def test_a_large_body_is_refused_at_once(client: httpx.Client) -> None:
    """A body that says its size is refused before it is read, and one that does not as soon as it is too large."""
    begin = time.monotonic()
    said = client.post("/convert/fhir-r4", content=b"x" * 1_000_001, headers=JSON)
    unsaid = client.post("/convert/fhir-r4", content=iter([b"x" * 1_000_000] * 50), headers=JSON)
    assert [said.status_code, unsaid.status_code] == [413, 413]
    assert outcome(unsaid)["code"] == "too-long"
    assert time.monotonic() - begin < 1


def test_a_record_that_grows(client: httpx.Client) -> None:
    """A small body that unpacks to a huge record is refused."""
    bomb = gzip.compress(b'{"protocolSection": "' + b" " * 60_000_000)
    answer = client.post("/convert/fhir-r4", content=bomb, headers={"Content-Type": "application/gzip"})
    assert answer.status_code == 422
    assert outcome(answer)["details"]["coding"][0]["code"] == "record-too-large"


def test_a_client_that_hangs(client: httpx.Client) -> None:
    """A client that stops in the middle of its body gets an answer, and the others theirs meanwhile."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0)) as hanging:
        head = (
            "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nab"
        )
        hanging.sendall(head.encode())
        assert client.get("/healthz").status_code == 200
        hanging.settimeout(10)
        assert hanging.recv(1000).startswith(b"HTTP/1.1 408")


def test_clients_that_never_ask(client: httpx.Client) -> None:
    """A connection that says nothing, or does not end the head of its first or second request, is closed."""
    address = ("127.0.0.1", client.base_url.port or 0)
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for asked, begun in ((b"", b""), (b"", whole[:20]), (whole, whole[:20])):
        with socket.create_connection(address) as hanging:
            hanging.settimeout(8)
            hanging.sendall(asked)
            assert not asked or hanging.recv(10_000).startswith(b"HTTP/1.1 200")
            hanging.sendall(begun)
            begin = time.monotonic()
            assert list(iter(lambda: hanging.recv(10_000), b"")) in ([], [client.get("/healthz").content])
            assert time.monotonic() - begin < 3


def test_work_that_takes_too_long() -> None:
    """Work is ended when its time is over, and the next request is answered."""
    with server(replace(SETTINGS, work_time=0.01)) as client:
        answer = client.post("/convert/fhir-r4", content=b"{}", headers=JSON)
        assert (answer.status_code, outcome(answer)["code"]) == (503, "timeout")
        assert client.get("/healthz").status_code == 200


def test_work_that_finds_no_turn() -> None:
    """What waits too long for the others is told to come again; what was ended leaves its turn to the next."""
    codes = []

    async def ask(pool: Pool) -> None:
        try:
            await pool.run(time.sleep, 60)
        except RefusedError as refused:
            codes.append((refused.type, refused.headers.get("Retry-After")))

    async def ask_twice() -> None:
        pool = Pool(1, work_time=1.0, wait_time=0.3)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, pool)
            tasks.start_soon(ask, pool)
        assert await pool.run(abs, -1) == 1

    anyio.run(ask_twice)
    assert codes == [("throttled", "10"), ("timeout", None)]


def test_many_at_once(client: httpx.Client) -> None:
    """Fifty requests at once are all answered, each with its own document."""
    numbers = [f"NCT999{number:05}" for number in range(50)]

    def convert(number: str) -> Any:
        return client.post("/convert/fhir-r4", content=encoded(study(number)), headers=JSON).json()

    with ThreadPoolExecutor(50) as pool:
        made = list(pool.map(convert, numbers))
    assert [bundle["entry"][0]["resource"]["id"] for bundle in made] == numbers


# Validation, and what the server says of itself.


def test_validation(client: httpx.Client) -> None:
    """A valid document gives an OperationOutcome without errors, an invalid one names what is wrong and where."""
    bundle = trialconv.convert(read_study(encoded(full_study()), SourceInfo("made up")), "fhir-r4")
    good = client.post("/validate?fhir-version=R4&extensions=true", content=orjson.dumps(bundle), headers=JSON)
    assert (good.status_code, [each["severity"] for each in good.json()["issue"]]) == (200, ["information"])
    bundle["entry"][0]["resource"]["status"] = "nonsense"
    bad = client.post("/validate?fhir-version=R4", content=orjson.dumps(bundle), headers=JSON)
    (found,) = [each for each in bad.json()["issue"] if each["severity"] == "error"]
    assert "nonsense" in found["details"]["text"]
    odm = client.post("/validate", content=b"<ODM/>", headers={"Content-Type": "application/xml"})
    assert outcome(odm)["severity"] == "error"


def test_very_many_findings(client: httpx.Client) -> None:
    """A document with thousands of errors gets an answer that can be read and says what is left out."""
    many = b'{"resourceType":"Bundle","type":"collection","entry":[%s{}]}' % (b"{}," * 4_000)
    issues = client.post("/validate?fhir-version=R4", content=many, headers=JSON).json()["issue"]
    assert [each["severity"] for each in issues] == ["error"] * MOST_FINDINGS + ["information"]
    assert issues[-1]["details"]["text"].startswith("3,00")


def test_targets_and_health(client: httpx.Client) -> None:
    """The server tells what it makes, and that it is there."""
    made = client.get("/targets").json()
    assert [each["name"] for each in made["targets"]] == list(TARGETS)
    assert "bundle" in made["targets"][0]["parameters"]
    assert client.get("/healthz").json() == {"status": "ok", "version": trialconv.__version__}


def logged(request: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return what the log says of a request; the line comes after the answer, and maybe after those of others."""
    text = ""
    for _ in range(500):
        text += capsys.readouterr().err
        for line in text.splitlines(keepends=True):
            if line.endswith("\n") and (found := json.loads(line))["request"] == request:
                return dict(found)
        time.sleep(0.01)
    raise AssertionError(f"no line about {request} in {text!r}")


def test_headers_and_log(client: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Each answer forbids foreign scripts and bears a request id, the caller's own if it is a plain word."""
    answer = client.get("/healthz", headers={"X-Request-Id": "ours-1"})
    assert answer.headers["x-request-id"] == "ours-1"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    line = logged("ours-1", capsys)
    assert (line["path"], line["status"]) == ("/healthz", 200)
    assert client.get("/nowhere", headers={"X-Request-Id": 'no"word'}).headers["x-request-id"] != 'no"word'


def test_the_server_holds_to_its_description(client: httpx.Client) -> None:
    """What schemathesis makes of the description gets no failure, and no answer that the description forbids."""
    description = client.get("/openapi.json").json()
    assert set(description["paths"]) == {"/validate", "/targets", "/healthz"} | {
        f"/convert/{name}" for name in TARGETS
    }
    # That every body is taken which the description allows is not asked: no schema says what a record is.
    schema = schemathesis.openapi.from_url(f"{client.base_url}/openapi.json")
    asked = []
    for operation in (each.ok() for each in schema.get_all_operations()):

        @hypothesis.given(case=operation.as_strategy())
        @hypothesis.settings(max_examples=15, deadline=None, derandomize=True, database=None)
        def ask(case: Any) -> None:
            asked.append(case.call_and_validate(excluded_checks=[positive_data_acceptance]).status_code)

        ask()
    assert asked.count(200) >= 2
    assert max(asked) < 500
