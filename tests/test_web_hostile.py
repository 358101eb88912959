"""Hostile bytes through the HTTP interface and the page: refused or told of, in time, and the server goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from browser import Visit, chromium
from hostile import HOSTILE
from made_up import encoded, study
from trialconv.web.settings import Settings
from web_server import server

BYTES = {"Content-Type": "application/octet-stream"}
#: So many seconds may a request take. The server would end its work here.
LIMIT = 10.0
PATHS = ("/convert/fhir-r4", "/convert/odm-2.0", "/convert/sdtm", "/page/study/fhir-r5", "/validate")


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Give a client of one server for all tests of this file, which has to outlive them."""
    with server(Settings(max_body=4_000_000, work_time=LIMIT)) as made:
        yield made
        good = made.post("/convert/fhir-r4", content=encoded(study()), headers=BYTES)
        assert good.status_code == httpx.codes.OK


def issues_of(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the entries of an OperationOutcome."""
    outcome = answer.json()
    assert (answer.headers["content-type"], outcome["resourceType"]) == (
        "application/fhir+json",
        "OperationOutcome",
    )
    issues: list[dict[str, Any]] = outcome["issue"]
    assert issues
    return issues


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes(client: httpx.Client, data: bytes) -> None:
    """Each is refused with an OperationOutcome that says why, or converted; never a failure, never too late."""
    for path in PATHS:
        start = time.monotonic()
        answer = client.post(path, content=data, headers=BYTES)
        assert time.monotonic() - start < LIMIT, path
        assert answer.status_code in (200, 400, 413, 422), f"{path}: {answer.text[:500]}"
        if answer.status_code != httpx.codes.OK:
            errors = [each for each in issues_of(answer) if each["severity"] == "error"]
            assert errors, path
            assert all(each["details"]["text"] for each in errors)
            assert "Traceback" not in answer.text
            assert "root:" not in answer.text
        elif path == "/validate":
            issues_of(answer)
        assert "set-cookie" not in answer.headers
        assert "/" not in answer.headers.get("content-disposition", "")


@pytest.mark.parametrize(
    "type_", ["application/json", "application/xml", "text/plain", "application/zip", "image/png"]
)
def test_a_type_that_is_not_true(client: httpx.Client, type_: str) -> None:
    """What a body is, its content tells, whatever type it is sent as; types that nothing has are refused."""
    answer = client.post("/convert/fhir-r4", content=encoded(study()), headers={"Content-Type": type_})
    if type_ == "image/png":
        assert (answer.status_code, issues_of(answer)[0]["code"]) == (415, "not-supported")
    else:
        assert (answer.status_code, answer.json()["resourceType"]) == (200, "Bundle")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run one browser for the tests of this file."""
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def visit(browser: Browser, client: httpx.Client) -> Iterator[Visit]:
    """Open the page once: what is given to it may not keep it from the next."""
    made = Visit(browser.new_page(), str(client.base_url))
    made.page.goto(str(client.base_url))
    yield made
    assert made.page.evaluate("window.evil") is None
    assert made.foreign == []
    made.page.close()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_on_the_page(visit: Visit, tmp_path: Path, name: str) -> None:
    """A file that is chosen on the page gives one message, or the study; script in it never runs."""
    path = tmp_path / ("..%2f..%2f<img src=x onerror=alert(1)>.json" if "script" in name else "study.json")
    path.write_bytes(HOSTILE[name])
    visit.page.set_input_files("#file", path)
    shown = visit.page.locator("#trouble:not([hidden]), #study:not([hidden])")
    expect(shown).to_have_count(1, timeout=LIMIT * 1000)
    expect(visit.page.locator("#go")).to_be_enabled(timeout=LIMIT * 1000)
    assert shown.inner_text().strip()
    assert visit.page.evaluate("window.evil") is None
