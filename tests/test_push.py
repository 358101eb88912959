"""`trialconv push` and `withdraw` against a small server over HTTP, which fails as told."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from command_runner import Ran, run
from fhir_http import Fault, FhirHttp, running
from made_up import NCT, Tree, encoded, full_study, study
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.http_client import Retry
from trialconv.judging import validate

ARTIFACT_STATUS = "http://hl7.org/fhir/StructureDefinition/artifact-status"
REQUESTS = ["put", "conditional-update"]


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in these tests."""
    monkeypatch.setattr(Retry, "wait", lambda *_: 0.0)


@pytest.fixture
def server() -> Iterator[FhirHttp]:
    """Return a server that can do everything."""
    with running(FhirHttp()) as made:
        yield made


def locations(count: int) -> list[Tree]:
    """Return made-up sites."""
    return [
        {"facility": f"Made-up hospital {number}", "city": "Oslo", "country": "Norway"} for number in range(count)
    ]


def with_sites(count: int, nct_id: str = NCT) -> Tree:
    """Return a study that has everything, with so many sites."""
    tree = full_study()
    tree["protocolSection"]["identificationModule"]["nctId"] = nct_id
    tree["protocolSection"]["contactsLocationsModule"]["locations"] = locations(count)
    return tree


def written(folder: Path, *trees: Tree) -> Path:
    """Return a folder with a file per study."""
    folder.mkdir(exist_ok=True)
    for tree in trees:
        name = tree["protocolSection"]["identificationModule"]["nctId"]
        (folder / f"{name}.json").write_bytes(encoded(tree))
    return folder


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a folder with one study of three sites."""
    return written(tmp_path / "one", with_sites(3))


def push(server: FhirHttp, *arguments: str | Path) -> Ran:
    """Push to a server."""
    return run("push", *arguments, "--server", server.base)


def withdraw(server: FhirHttp, *arguments: str | Path) -> Ran:
    """Withdraw from a server."""
    return run("withdraw", *arguments, "--server", server.base)


def fates(server: FhirHttp, *arguments: str | Path) -> list[Tree]:
    """Push and return the report."""
    return push(server, *arguments, "--report", "-").documents


def resources(server: FhirHttp, kind: str) -> list[Tree]:
    """Return the resources of a type that a server has."""
    return [each for address, each in server.store.resources.items() if address.startswith(kind + "/")]


# sending, and sending again


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_a_second_push_writes_nothing(one: Path, version: FhirVersion, transaction: bool, request_: str) -> None:
    """Whatever the version and the way of sending, the second push writes nothing and says so."""
    with running(FhirHttp(version, transaction=transaction)) as server:
        first = push(server, one, "--request", request_)
        assert (first.code, first.out) == (0, b"")
        assert "studies: 1 sent; resources: " in first.err
        before = dict(server.store.resources)
        assert len(before) > 10
        assert set(server.store.writes.values()) == {1}
        server.calls.clear()
        again = push(server, one, "--request", request_)
        assert again.code == 0
        assert again.err.endswith("\nnothing was written\n")
        assert server.written == []
        assert server.store.resources == before


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_what_arrives_is_what_to_fhir_gives(one: Path, server: FhirHttp, version: FhirVersion) -> None:
    """A resource on the server is that of `to-fhir`, with the tag of its hash, and valid."""
    with running(FhirHttp(version)) as server:
        assert push(server, one).code == 0
        bundle = run("to-fhir", one / f"{NCT}.json", "--fhir-version", version).document
        for entry in bundle["entry"]:
            made = server.store.resources[entry["request"]["url"]]
            assert [str(each) for each in validate(made, fhir_version=version) if each.severity == "error"] == []
            ((_, tag),) = ((one["system"], one["code"]) for one in made["meta"]["tag"])
            assert len(tag) == 32
            assert _content({"": made}) == _content({"": entry["resource"]})


def test_only_what_differs_is_written(one: Path, server: FhirHttp) -> None:
    """A change of the title updates the study and nothing else."""
    push(server, one)
    tree = with_sites(3)
    tree["protocolSection"]["identificationModule"]["briefTitle"] = "Another made-up title"
    server.calls.clear()
    assert push(server, written(one, tree)).code == 0
    again = [address for address, times in server.store.writes.items() if times == 2]
    assert again == [f"ResearchStudy/{NCT}"]
    assert server.store.resources[f"ResearchStudy/{NCT}"]["title"] == "Another made-up title"
    assert server.written == [("POST", "")]


def test_single_requests_come_in_the_order_of_references(one: Path) -> None:
    """A server without transactions, which refuses references to what is not there, takes them one by one."""
    with running(FhirHttp(transaction=False, batch=False)) as server:
        ran = push(server, one)
        assert ran.code == 0
        assert "single requests, since it takes no transactions" in ran.err
        assert {method for method, _ in server.written} == {"PUT"}
        assert server.written[-1] == ("PUT", f"/ResearchStudy/{NCT}")


def test_a_server_that_gives_the_ids(one: Path) -> None:
    """Where clients may not choose ids, the server's are used, and references lead to what it made."""
    with running(FhirHttp(update_create=False, conditional_create=False)) as server:
        ran = push(server, one)
        assert ran.code == 0
        assert ran.err.splitlines()[0].endswith("; conditional-update")
        assert not any(NCT in address for address in server.store.resources)
        assert push(server, one).err.endswith("\nnothing was written\n")
        refused = push(server, one, "--request", "put")
        assert refused.code == 5
        assert "does not let clients choose ids (updateCreate); use --request conditional-update" in refused.err


def test_conditional_create_leaves_alone_what_is_there(one: Path, server: FhirHttp) -> None:
    """With conditional-create a changed study changes nothing on the server."""
    push(server, one, "--request", "conditional-create")
    before = dict(server.store.resources)
    tree = with_sites(3)
    tree["protocolSection"]["identificationModule"]["briefTitle"] = "Another made-up title"
    (fate,) = fates(server, written(one, tree), "--request", "conditional-create")
    assert {part["deed"] for part in fate["parts"]} == {"kept"}
    assert server.store.resources == before


def test_dry_run_writes_nothing(one: Path, server: FhirHttp, tmp_path: Path) -> None:
    """A dry run tells what would be done, and neither writes nor notes anything."""
    state = tmp_path / "state.ndjson"
    ran = push(server, one, "--dry-run", "--state", state, "-v")
    assert ran.code == 0
    assert f"{NCT}: would be written (" in ran.err
    assert ran.err.endswith("a dry run: nothing was written\n")
    assert (server.written, server.store.resources, state.read_bytes()) == ([], {}, b"")


def test_large_studies_go_in_parts(server: FhirHttp, tmp_path: Path) -> None:
    """--max-entries bounds each transaction; a later part refers to what an earlier one made."""
    folder = written(tmp_path / "large", with_sites(30))
    for request in REQUESTS:
        server.calls.clear()
        assert push(server, folder, "--max-entries", "8", "--request", request).code == 0
        assert len(server.written) > 4
        assert push(server, folder, "--request", request).err.endswith("\nnothing was written\n")


@pytest.mark.parametrize("request_", REQUESTS)
def test_bundles_are_pushed_as_studies_are(one: Path, server: FhirHttp, tmp_path: Path, request_: str) -> None:
    """A bundle, its parts on lines, and the record itself: whichever comes second finds everything there."""
    source = one / f"{NCT}.json"
    bundle, parts = tmp_path / "bundle.json", tmp_path / "parts.ndjson"
    bundle.write_bytes(run("to-fhir", source, "--request", request_, "--pretty").out)
    parts.write_bytes(run("to-fhir", source, "--request", request_, "--max-entries", "4").out)
    assert len(parts.read_bytes().splitlines()) > 3
    assert push(server, parts).code == 0
    assert push(server, bundle).err.endswith("\nnothing was written\n")
    assert push(server, source, "--request", request_).err.endswith("\nnothing was written\n")


# what servers do to resources


def test_a_server_that_rewrites_changes_nothing(one: Path, server: FhirHttp) -> None:
    """Instants, sources, absolute references, narratives, and the order of extensions do not count."""

    def rewritten(value: Any) -> Any:
        if isinstance(value, dict):
            made = {key: rewritten(item) for key, item in value.items()}
            if isinstance(made.get("reference"), str):
                made["reference"] = f"{server.base}/{made['reference']}"
            return made
        if isinstance(value, list):
            return list(map(rewritten, value))
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def keeps(resource: Tree) -> Tree:
        meta = {**resource["meta"], "lastUpdated": "2026-01-01T00:00:00Z", "source": "#made-up"}
        made: Tree = rewritten({**resource, "text": {"status": "generated", "div": "<div>!</div>"}})
        made["extension"] = list(reversed(made.get("extension", [])))
        return {**made, "meta": meta}

    push(server, one)
    server.store.resources = {address: keeps(each) for address, each in server.store.resources.items()}
    assert push(server, one).err.endswith("\nnothing was written\n")


def test_a_server_that_keeps_less_gets_it_once(one: Path, server: FhirHttp) -> None:
    """What a server drops is no reason to send it again; a change of the study is."""
    server.store.keeps = lambda resource: {key: each for key, each in resource.items() if key != "extension"}
    assert push(server, one).code == 0
    (fate,) = fates(server, one)
    assert fate["end"] == "unchanged"
    lost = {each["target_path"]: each["message"] for each in fate["issues"] if each["code"] == "server-keeps-less"}
    assert lost[f"ResearchStudy/{NCT}"] == "the server does not keep extension"
    tree = with_sites(3)
    tree["protocolSection"]["statusModule"]["overallStatus"] = "WITHHELD"
    (fate,) = fates(server, written(one, tree))
    assert {part["address"] for part in fate["parts"] if part["deed"] == "updated"} >= {f"ResearchStudy/{NCT}"}


def test_what_others_wrote_is_replaced_and_told_of(one: Path, server: FhirHttp) -> None:
    """An edit on the server gives way to the registry, with a warning of the place; labels of theirs stay."""
    push(server, one)
    there = server.store.resources[f"ResearchStudy/{NCT}"]
    there["title"] = "Edited"
    label = {"system": "http://example.org/labels", "code": "hospital"}
    there["meta"] = {**there["meta"], "tag": [*there["meta"]["tag"], label], "security": [label]}
    ran = push(server, one)
    assert ran.code == 0
    assert f"ResearchStudy/{NCT}: what is replaced was changed on the server since; it differs at title" in ran.err
    meta = server.store.resources[f"ResearchStudy/{NCT}"]["meta"]
    assert label in meta["tag"]
    assert meta["security"] == [label]
    assert len(meta["tag"]) == 2


@pytest.mark.parametrize("force", [False, True])
def test_a_change_in_between_is_a_conflict(one: Path, server: FhirHttp, force: bool) -> None:
    """What somebody writes between our look and our writing is not overwritten without --force."""
    push(server, one)
    tree = with_sites(3)
    tree["protocolSection"]["identificationModule"]["briefTitle"] = "Another made-up title"
    edits = iter(["2026"])

    def meddle() -> None:
        if edition := next(edits, None):
            there = server.store.resources[f"ResearchStudy/{NCT}"]
            there |= {"title": "Edited", "meta": {**there["meta"], "versionId": edition}}

    server.before_write = meddle
    ran = push(server, written(one, tree), *(["--force"] if force else []))
    assert "somebody else wrote version 2026 while version 1 was compared; " in ran.err
    assert ran.code == (0 if force else 5)
    title = server.store.resources[f"ResearchStudy/{NCT}"]["title"]
    assert title == ("Another made-up title" if force else "Edited")


def test_two_of_one_identifier_are_an_error(one: Path, server: FhirHttp) -> None:
    """Where the server has two resources for an identifier, nothing is sent."""
    push(server, one, "--request", "conditional-update")
    plan = resources(server, "PlanDefinition")[0]
    server.store.resources["PlanDefinition/twin"] = {**plan, "id": "twin"}
    server.calls.clear()
    ran = push(server, one, "--request", "conditional-update")
    assert ran.code == 5
    assert "the server has 2 resources for PlanDefinition?identifier=" in ran.err
    assert server.written == []


# what is left over


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("left", ["keep", "retire", "delete"])
def test_what_a_new_version_has_no_more(server: FhirHttp, tmp_path: Path, left: str, request_: str) -> None:
    """A site and an intervention that are gone stay, are retired where they can be, or are deleted."""
    tree = with_sites(3)
    folder = written(tmp_path / "study", tree)
    push(server, folder, "--request", request_)
    sites, activities = resources(server, "Location"), resources(server, "ActivityDefinition")
    protocol = tree["protocolSection"]
    del protocol["contactsLocationsModule"]["locations"][0]
    protocol["armsInterventionsModule"]["interventions"][0]["name"] = "Made-up other name"
    (fate,) = fates(server, written(folder, tree), "--left", left, "--request", request_)
    assert fate["end"] == "sent"
    sites_now, activities_now = resources(server, "Location"), resources(server, "ActivityDefinition")
    old = [each for each in activities_now if any(each["id"] == one["id"] for one in activities)]
    assert len(sites_now) == len(sites) - (left == "delete")
    assert len(fate.get("left", [])) == {"keep": 2, "retire": 1, "delete": 0}[left]
    gone = len(activities) - len(old)
    retired = sum(each["status"] == "retired" for each in old)
    assert (gone, retired) == {"keep": (0, 0), "retire": (0, 1), "delete": (1, 0)}[left]
    assert push(server, folder, "--request", request_).err.endswith("\nnothing was written\n")


def test_shared_organizations_are_never_left_over(server: FhirHttp, tmp_path: Path) -> None:
    """An Organization that studies share is none of a study's own, and outlives its deletion."""
    folder = written(tmp_path / "study", with_sites(2))
    assert push(server, folder, "--shared-organizations").code == 0
    assert len(resources(server, "Organization")) > 0
    shared = {each["id"] for each in resources(server, "Organization")}
    assert withdraw(server, NCT, "--delete").code == 0
    assert {address.partition("/")[0] for address in server.store.resources} == {"Organization"}
    assert {each["id"] for each in resources(server, "Organization")} == shared


# faults


def many(folder: Path, count: int) -> Path:
    """Return a folder with small studies that differ."""
    return written(
        folder,
        *(
            study(
                f"NCT{99000000 + number}",
                identificationModule={"briefTitle": f"Made-up study {number}"},
                contactsLocationsModule={"locations": locations(1 + number % 3)},
            )
            for number in range(count)
        ),
    )


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


# withdrawing


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_withdrawing_says_nothing_false(one: Path, version: FhirVersion, request_: str) -> None:
    """Publications are retired; R4's study keeps its status; parties and sites are not touched."""
    with running(FhirHttp(version)) as server:
        push(server, one, "--request", request_)
        before = dict(server.store.resources)
        assert withdraw(server, one if request_ == "put" else NCT).code == 0
        for address, resource in server.store.resources.items():
            kind = address.partition("/")[0]
            if kind in ("PlanDefinition", "ActivityDefinition", "EvidenceVariable") or (
                kind == "ResearchStudy" and version == "R5"
            ):
                assert resource["status"] == "retired"
            elif kind == "ResearchStudy":
                assert resource.get("status") == before[address].get("status")
                assert {"url": ARTIFACT_STATUS, "valueCode": "retired"} in resource["extension"]
            else:
                assert resource == before[address]
            errors = [each for each in validate(resource, fhir_version=version) if each.severity == "error"]
            assert [str(each) for each in errors] == []
        again = withdraw(server, NCT)
        assert again.code == 0
        assert "studies: 1 unchanged;" in again.err
        revived = push(server, one, "--request", request_, "-v")
        assert "it was withdrawn, and is published again" in revived.err
        assert _content(server.store.resources) == _content(before)


def _content(found: dict[str, Tree]) -> dict[str, Tree]:
    return {address: {key: each for key, each in one.items() if key != "meta"} for address, one in found.items()}


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("request_", REQUESTS)
def test_deleting_takes_all_that_is_the_studys_own(one: Path, transaction: bool, request_: str) -> None:
    """--delete leaves nothing of the study, and nothing of others is lost; deleting again is fine."""
    with running(FhirHttp(transaction=transaction)) as server:
        push(server, one, "--request", request_)
        other = {"resourceType": "Organization", "id": "other", "name": "Another", "meta": {"versionId": "1"}}
        server.store.resources["Organization/other"] = other
        dry = withdraw(server, NCT, "--delete", "--dry-run")
        assert (dry.code, len(server.store.resources) > 10) == (0, True)
        assert withdraw(server, NCT, "--delete").code == 0
        assert server.store.resources == {"Organization/other": other}
        again = withdraw(server, NCT, "--delete")
        assert again.code == 0
        assert f"warning: {NCT}: the server has no ResearchStudy {NCT}" in again.err
        assert again.err.endswith("\nnothing was written\n")


def test_withdrawing_what_is_not_there(server: FhirHttp) -> None:
    """A number that the server does not have is an error that names it."""
    ran = withdraw(server, "NCT99999955")
    assert ran.code == 5
    assert "the server has no ResearchStudy NCT99999955, neither by id nor by identifier" in ran.err


# servers and inputs that will not do


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (("text/html", b"<!DOCTYPE html><html>sign in</html>"), "the answer is a web page (HTML) and no FHIR"),
        (("application/json", b""), "the answer is empty"),
        (("text/plain", b"hello"), "the answer is no FHIR resource in JSON (text/plain): hello"),
        (("application/json", b'{"resourceType": "Patient"}'), "is a Patient and no CapabilityStatement"),
        ((404, {}), "/metadata answered 404: not now"),
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
