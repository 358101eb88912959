"""`trialconv push`: what is sent, what is sent again, and what is done with what others have written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from fhir_http import FhirHttp, running
from made_up import NCT, Tree
from push_runs import REQUESTS, content, fates, push, resources, with_sites, withdraw, written
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.judging import validate

pytestmark = pytest.mark.usefixtures("no_waits")


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
            assert content({"": made}) == content({"": entry["resource"]})


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


@pytest.mark.parametrize("version", FHIR_VERSIONS)
def test_a_server_that_rewrites_changes_nothing(one: Path, version: FhirVersion) -> None:
    """Instants, sources, absolute references, narratives, the order of extensions do not count, nor 5 for "5"."""

    def rewritten(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            made = {name: rewritten(item, name) for name, item in value.items()}
            if isinstance(made.get("reference"), str):
                made["reference"] = f"{server.base}/{made['reference']}"
            return made
        if isinstance(value, list):
            return [rewritten(item) for item in value]
        if key == "size":
            return int(value)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def kept(resource: Tree) -> Tree:
        meta = {**resource["meta"], "lastUpdated": "2026-01-01T00:00:00Z", "source": "#made-up"}
        made: Tree = rewritten({**resource, "text": {"status": "generated", "div": "<div>!</div>"}})
        made["extension"] = list(reversed(made.get("extension", [])))
        return {**made, "meta": meta}

    with running(FhirHttp(version)) as server:
        push(server, one)
        server.store.resources = {address: kept(each) for address, each in server.store.resources.items()}
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


@pytest.mark.parametrize("transaction", [True, False])
def test_a_server_that_searches_its_memory(one: Path, transaction: bool) -> None:
    """A conditional create that finds what a stale search did not find is no second resource, and none of ours."""
    with running(FhirHttp(update_create=False, transaction=transaction)) as server:
        push(server, one)
        search, stale = server.store.search, iter(range(30))
        server.store.search = lambda *asked: [] if next(stale, None) is not None else search(*asked)  # type: ignore[method-assign]
        again = push(server, one)
        assert again.code == 0, again.err
        assert again.err.endswith("\nnothing was written\n")
        assert set(server.store.writes.values()) == {1}
        reads = [headers for call, headers in zip(server.calls, server.headers, strict=True) if call[0] == "BATCH"]
        assert {headers["cache-control"] for headers in reads} == {"no-cache"}


def test_what_was_left_before_goes_by_the_journal(server: FhirHttp, tmp_path: Path) -> None:
    """What an earlier push left, its journal remembers, so that it can be deleted later."""
    folder, state = written(tmp_path / "study", with_sites(3)), tmp_path / "state.ndjson"
    for count in (3, 2):
        push(server, written(folder, with_sites(count)), "--state", state)
    assert len(resources(server, "Location")) == 3
    assert "1 done before" in push(server, folder, "--state", state).err
    (fate,) = fates(server, folder, "--state", state, "--left", "delete")
    (gone,) = (part["address"] for part in fate["parts"] if part["deed"] == "deleted")
    assert gone.startswith("Location/")
    assert len(resources(server, "Location")) == 2
    assert "1 done before" in push(server, folder, "--state", state, "--left", "delete").err
