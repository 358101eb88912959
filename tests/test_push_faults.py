"""`trialconv push` against servers that fail, hang up, go away, refuse, and are no servers."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from fhir_http import Fault, FhirHttp, running
from made_up import NCT, Tree
from push_runs import REQUESTS, fates, many, push, resources

pytestmark = pytest.mark.usefixtures("no_waits")


# faults


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("abilities", [{}, {"transaction": False}, {"conditional_create": False}])
def test_faults_lose_and_double_nothing(tmp_path: Path, abilities: dict[str, bool], request_: str) -> None:
    """With a fifth of the calls failing, before or after the work is done, everything arrives, and once."""
    folder, dice = many(tmp_path / "many", 25), random.Random(7)  # noqa: S311 - no secret
    faults: list[Fault] = [
        (503, {}),
        (429, {"Retry-After": "0"}),
        (500, {}),
        (504, {}),
        "hang up",
        "hang up after",
    ]

    def fault(_method: str, path: str, _number: int) -> Fault:
        return dice.choice(faults) if path != "/metadata" and dice.random() < 0.2 else None

    with running(FhirHttp(**abilities)) as server:
        server.fault = fault
        ran = push(server, folder, "--request", request_, "--tries", "15")
        assert ran.code == 0, ran.err
        assert "studies: 25 sent;" in ran.err
        assert len(resources(server, "ResearchStudy")) == 25
        assert set(server.store.writes.values()) == {1}
        server.fault = lambda *_: None
        assert push(server, folder, "--request", request_).err.endswith("\nnothing was written\n")


def test_other_refusals_are_not_tried_again(one: Path, server: FhirHttp) -> None:
    """A 4xx other than 429 is asked for once."""
    server.fault = lambda method, *_: (422, {}) if method == "POST" else None
    ran = push(server, one)
    assert ran.code == 5
    assert [method for method, _ in server.written] == ["POST"]
    assert server.store.resources == {}


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_server_that_goes_away_and_comes_back(tmp_path: Path, request_: str) -> None:
    """After a server was lost in the middle, a second run with the journal ends with each study exactly once."""
    folder, state, report = many(tmp_path / "many", 20), tmp_path / "state.ndjson", tmp_path / "report.ndjson"
    server = FhirHttp()
    gone: list[int] = []

    def fault(method: str, _path: str, _number: int) -> Fault:
        if method == "POST" and len(server.written) > 8:
            gone.append(1)
        return "hang up after" if len(gone) == 1 else "hang up" if gone else None

    server.fault = fault
    arguments = [folder, "--state", state, "--request", request_, "--tries", "2"]
    with running(server):
        port = int(server.base.rpartition(":")[2].partition("/")[0])
        ran = push(server, *arguments, "--report", report, "--concurrency", "3")
        assert ran.code == 5
        assert "push again to go on from here" in ran.err
        ends = [json.loads(line)["end"] for line in report.read_bytes().splitlines()]
        assert "sent" in ends
        assert "failed" in ends
    server.fault = lambda *_: None
    with running(server, port=port):
        again = push(server, *arguments, "--report", report, "--force")
    assert again.code == 0, again.err
    ends = [json.loads(line)["end"] for line in report.read_bytes().splitlines()]
    assert len(ends) == 20
    assert set(ends) <= {"done before", "sent", "unchanged"}
    assert "done before" in ends
    assert len(resources(server, "ResearchStudy")) == 20
    assert set(server.store.writes.values()) == {1}


def test_a_journal_whose_last_line_broke_off(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """A run that was killed while it wrote its journal is taken up; what the line told of is compared again."""
    state = tmp_path / "state.ndjson"
    push(server, one, "--state", state)
    begun, ended = state.read_bytes().splitlines(keepends=True)
    state.write_bytes(begun + ended[:40])
    again = push(server, one, "--state", state)
    assert again.code == 0
    assert f"a former run broke off in {NCT}; compared and sent again" in again.err
    assert "1 unchanged" in again.err
    assert "1 done before" in push(server, one, "--state", state).err


def test_a_journal_is_of_one_server(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """What one server has, another has not, though both are in one journal."""
    state = tmp_path / "state.ndjson"
    push(server, one, "--state", state)
    with running(FhirHttp()) as other:
        assert "1 sent" in push(other, one, "--state", state).err
    assert "1 done before" in push(server, one, "--state", state).err


@pytest.mark.parametrize("content", [b"something else\n", b"no journal, and no line", b'{"a": 1}\n'])
def test_other_files_are_no_journals(one: Path, server: FhirHttp, tmp_path: Path, content: bytes) -> None:
    """A file that is no journal is refused and left as it is."""
    state = tmp_path / "state.ndjson"
    state.write_bytes(content)
    ran = push(server, one, "--state", state)
    assert ran.code == 5
    assert "is no journal of trialconv" in ran.err
    assert state.read_bytes() == content
    assert server.written == []


def test_half_done_is_told(one: Path) -> None:
    """Where single requests stop in the middle, the report says which resources were written."""
    with running(FhirHttp(transaction=False)) as server:
        server.fault = lambda method, path, _: (422, {}) if method == "PUT" and "PlanDefinition" in path else None
        (fate,) = fates(server, one)
    deeds = {part["address"]: part["deed"] for part in fate["parts"]}
    assert fate["end"] == "partial"
    assert deeds[f"ResearchStudy/{NCT}"] == deeds[f"PlanDefinition/{NCT}-protocol"] == "not sent"
    assert {address for address, deed in deeds.items() if deed == "created"} == set(server.store.resources)
    assert len(server.store.resources) > 3


@pytest.mark.parametrize("sends", ["single", "--max-entries"])
def test_half_done_is_told_where_the_server_goes_away(one: Path, tmp_path: Path, sends: str) -> None:
    """A server that goes away in the middle of a study: report and journal say what is on it and what may be."""
    with running(FhirHttp(transaction=sends != "single")) as server:
        written: list[str] = []

        def fault(method: str, path: str, _number: int) -> Fault:
            if method in ("PUT", "POST"):
                written.append(path)
            return "hang up after" if len(written) == 4 else "hang up" if len(written) > 4 else None

        server.fault = fault
        arguments = ("--tries", "1", "--state", tmp_path / "state.ndjson", "--report", "-")
        ran = push(server, one, *arguments, *(() if sends == "single" else ("--max-entries", "2")))
    assert ran.code == 5
    (fate,) = ran.documents
    deeds = {part["address"]: part["deed"] for part in fate["parts"]}
    (_, ended) = (tmp_path / "state.ndjson").read_text().splitlines()
    assert json.loads(ended)["ended"]["parts"] == fate["parts"]
    assert fate["end"] == "partial"
    assert set(deeds.values()) == {"created", "unknown", "not sent"}
    assert {address for address, deed in deeds.items() if deed != "not sent"} == set(server.store.resources)
    assert "nothing was written" not in ran.err
    assert f"{NCT}: written in part only (" in ran.err
    with running(server):
        server.fault = lambda *_: None
        assert push(server, one).code == 0
    assert set(server.store.writes.values()) == {1}


@pytest.mark.parametrize("answer", [("text/html", b"<html>made-up</html>"), "hang up after"])
def test_what_is_not_known_is_told(one: Path, server: FhirHttp, answer: Fault) -> None:
    """A transaction without an answer that says what came of it may have been done, and nobody says no."""
    server.fault = lambda method, *_: answer if method == "POST" else None
    ran = push(server, one, "--tries", "1", "--report", "-")
    assert ran.code == 5
    (fate,) = ran.documents
    assert {part["deed"] for part in fate["parts"]} == {"unknown"}
    assert "nothing was written" not in ran.err
    told = "answered with 200: the answer is a web page (HTML)" if isinstance(answer, tuple) else "broke off"
    assert told in ran.errors[-1]


# what a server says


@pytest.mark.parametrize(
    ("issue", "place", "field"),
    [
        (
            {"expression": ["Bundle.entry[0].resource.title"]},
            "Bundle.entry[0].resource(ResearchStudy).title",
            "protocolSection.identificationModule.briefTitle",
        ),
        (
            {"expression": [f"Bundle.entry[0].resource/*ResearchStudy/{NCT}*/.reasonStopped"]},
            "Bundle.entry[0].resource(ResearchStudy).reasonStopped",
            "protocolSection.statusModule.whyStopped",
        ),
        (
            {"location": ["Bundle.entry[0].resource.ofType(ResearchStudy).period.start"]},
            "Bundle.entry[0].resource(ResearchStudy).period.start",
            "protocolSection.statusModule.startDateStruct.date",
        ),
        ({"diagnostics": "Bundle.entry[0] is odd"}, "Bundle.entry[0].resource(ResearchStudy)", ""),
    ],
)
def test_refusals_name_the_place_and_the_field(
    one: Path, server: FhirHttp, issue: Tree, place: str, field: str
) -> None:
    """An OperationOutcome becomes an Issue with the path in the bundle and the field of the record."""
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "value", "details": {"text": "made-up reason"}, **issue}],
    }
    server.extra[""] = lambda _headers, body: (
        (422, outcome)
        if b"transaction" in body
        else (200, {"resourceType": "Bundle", "type": "batch-response", "entry": _not_found(body)})
    )
    ran = push(server, one, "--report", "-")
    (fate,) = ran.documents
    (found,) = fate["issues"]
    assert found["message"].startswith("made-up reason")
    assert found["target_path"] == place
    assert found.get("source_path", "") == field
    assert (found["code"], found["rule"], ran.code) == ("server-refused", "value", 5)


def _not_found(body: bytes) -> list[Tree]:
    return [{"response": {"status": "404"}} for _ in json.loads(body)["entry"]]


def test_some_fail_and_others_go_on(server: FhirHttp, tmp_path: Path) -> None:
    """One study that the server refuses does not keep the others back; the exit code is 4."""
    folder = many(tmp_path / "many", 5)
    server.store.keeps = lambda resource: resource
    server.statement = lambda statement: statement
    send = server.store.transact

    def picky(entries: list[Tree]) -> list[Tree]:
        from fhir_server import RefusedError

        if any(entry["resource"]["id"] == "NCT99000002" for entry in entries):
            raise RefusedError("not this one")
        return send(entries)

    server.store.transact = picky  # type: ignore[method-assign]
    ran = push(server, folder)
    assert ran.code == 4
    assert "studies: 4 sent, 1 failed;" in ran.err
    assert "error: NCT99000002: not this one (server-refused)" in ran.err


# servers and inputs that will not do


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (("text/html", b"<!DOCTYPE html><html>sign in</html>"), "the answer is a web page (HTML) and no FHIR"),
        (("application/json", b""), "the answer is empty"),
        (("text/plain", b"hello"), "the answer is no FHIR resource in JSON (text/plain): hello"),
        (("application/json", b'{"resourceType": "Patient"}'), "is a Patient and no CapabilityStatement"),
        ((404, {}), "/metadata answered 404: not now; is http://127.0.0.1:"),
        ((302, {"Location": "https://example.org/fhir"}), "/metadata answered 302"),
        ((403, {}), "/metadata answered 403: not now"),
    ],
)
def test_no_fhir_server(one: Path, server: FhirHttp, answer: Any, message: str) -> None:
    """What is no FHIR server is told in one line, with exit code 5, and nothing is sent."""
    server.fault = lambda *_: answer
    ran = push(server, one)
    assert ran.code == 5
    (line,) = ran.errors
    assert message in line
    assert server.calls == [("GET", "/metadata")]


def test_no_server_at_all(one: Path, tmp_path: Path) -> None:
    """An address where nobody listens is told in one line."""
    with running(FhirHttp()) as server:
        pass
    ran = push(server, one, "--tries", "1")
    assert (ran.code, len(ran.errors)) == (5, 1)
    assert f"no connection to {server.base}/metadata" in ran.errors[0]


@pytest.mark.parametrize("number", ["3.0.2", "4.1.0", "5.0.0-ballot", "6.0.0", ""])
def test_servers_of_other_versions(one: Path, server: FhirHttp, number: str) -> None:
    """A server of a version that we do not write is told by its number."""
    server.statement = lambda statement: {**statement, "fhirVersion": number}
    ran = push(server, one)
    assert (ran.code, len(ran.errors)) == (5, 1)
    assert f"the server has FHIR version {number or '(none stated)'}; trialconv writes R4" in ran.errors[0]


def test_the_version_that_was_asked_for(one: Path, server: FhirHttp) -> None:
    """--fhir-version refuses a server that has another one."""
    ran = push(server, one, "--fhir-version", "R5")
    assert ran.code == 2
    assert "the server has FHIR R4 (4.0.1), not R5" in ran.err


def test_a_bundle_for_another_version(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """A bundle of another version is told of, and the others of the call are sent."""
    bundle = tmp_path / "r5.json"
    bundle.write_bytes(run("to-fhir", one / f"{NCT}.json", "--fhir-version", "R5").out)
    ran = push(server, bundle, one)
    assert ran.code == 4
    assert "the bundle is R5 and the server R4: " in ran.err
    assert "studies: 1 sent, 1 not readable;" in ran.err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "searchset"}, "a bundle of type searchset is not pushed"),
        ({"entry": []}, "the bundle is empty"),
        ({"resourceType": "Group"}, "this is a Group; only Bundles and records are pushed"),
    ],
)
def test_other_fhir_is_not_pushed(one: Path, server: FhirHttp, tmp_path: Path, change: Tree, message: str) -> None:
    """FHIR that is no bundle to be stored is refused with the reason."""
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps({**run("to-fhir", one / f"{NCT}.json").document, **change}))
    ran = push(server, bundle)
    assert (ran.code, server.written) == (4, [])
    assert message in ran.err


def test_deletions_in_bundles_are_not_pushed(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """A bundle that would delete is refused: push stores, and nothing else."""
    made = run("to-fhir", one / f"{NCT}.json").document
    made["entry"][2]["request"] = {"method": "DELETE", "url": "Patient/1"}
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(made))
    assert "Bundle.entry[2]: DELETE Patient/1 is not pushed" in push(server, bundle).err


def test_an_invalid_bundle_is_not_sent(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """A bundle that breaks the schema stays here, with exit code 3, unless --no-validate sends it."""
    made = run("to-fhir", one / f"{NCT}.json").document
    made["entry"][0]["resource"]["status"] = "made-up"
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps(made))
    ran = push(server, bundle)
    assert (ran.code, server.written) == (3, [])
    assert "(binding)" in ran.err
    assert push(server, bundle, "--no-validate").code == 0


def test_http_to_other_machines_is_refused(one: Path) -> None:
    """Plain http goes to this machine only; nothing is sent to another one."""
    ran = run("push", one, "--server", "http://fhir.example.org/r4")
    assert ran.code == 2
    assert "is not encrypted; use https, or --insecure-http if you must" in ran.err


def test_a_report_is_not_overwritten(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """An existing report is kept without --force, and nothing is sent."""
    report = tmp_path / "report.ndjson"
    report.write_text("mine")
    ran = push(server, one, "--report", report)
    assert (ran.code, report.read_text(), server.written) == (5, "mine", [])


def test_an_answer_that_says_nothing(one: Path, server: FhirHttp) -> None:
    """A transaction that is answered without a word on its entries is looked after, and then known to be done."""
    told = iter([True])

    def quiet(headers: dict[str, str], body: bytes) -> tuple[int, Any]:
        status, _, resource = server.serve("POST", "/", headers, body)
        return (200, None) if b'"transaction"' in body and next(told, False) else (status, resource)

    server.extra[""] = quiet
    (fate,) = fates(server, one)
    assert fate["end"] == "sent"
    assert {part["deed"] for part in fate["parts"]} == {"created"}
    assert set(server.store.writes.values()) == {1}
