"""`trialconv withdraw`: publications are retired, or everything of the study is deleted."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from fhir_http import Fault, FhirHttp, running
from made_up import NCT
from push_runs import REQUESTS, content, push, withdraw
from trialconv.formats import FHIR_VERSIONS, FhirVersion
from trialconv.judging import validate

pytestmark = pytest.mark.usefixtures("no_waits")

ARTIFACT_STATUS = "http://hl7.org/fhir/StructureDefinition/artifact-status"


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
        assert content(server.store.resources) == content(before)


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


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("delete", [True, False])
def test_faults_leave_nothing_half_withdrawn(one: Path, transaction: bool, delete: bool) -> None:
    """Where answers do not come, withdrawing goes on from what is there, to the end, and tells all of it."""
    with running(FhirHttp(transaction=transaction)) as server:
        push(server, one)
        count, faults = len(server.store.resources), random.Random(3)  # noqa: S311 - no secret

        def fault(method: str, _path: str, _number: int) -> Fault:
            unsure: list[Fault] = ["hang up", "hang up after", (500, {})]
            return faults.choice(unsure) if method in ("POST", "PUT", "DELETE") and faults.random() < 0.4 else None

        server.fault = fault
        ran = withdraw(server, NCT, "--tries", "30", "--report", "-", *(["--delete"] if delete else []))
        assert ran.code == 0, ran.err
        (fate,) = ran.documents
        assert (fate["end"], len(fate["parts"])) == ("withdrawn", count)
        deeds = {part["address"]: part["deed"] for part in fate["parts"]}
        assert len(server.store.resources) == (0 if delete else count)
        for address in server.store.resources:
            public = address.startswith(("ResearchStudy", "PlanDefinition", "ActivityDefinition"))
            assert deeds[address] == ("retired" if public else "kept")
        assert {deeds[f"ResearchStudy/{NCT}"]} == ({"deleted"} if delete else {"retired"})


def test_a_server_that_goes_away_is_told(one: Path, server: FhirHttp) -> None:
    """A study that the server went away with is in the report, as one that is not known to be withdrawn."""
    push(server, one)
    server.fault = lambda method, *_: "hang up" if method == "POST" else None
    ran = withdraw(server, NCT, "--tries", "2", "--report", "-")
    assert ran.code == 5
    (fate,) = ran.documents
    assert (fate["end"], fate["issues"][0]["code"]) == ("failed", "server-unreachable")


def test_numbers_of_studies(one: Path, server: FhirHttp) -> None:
    """A number may be in small letters; what looks like one and is none is told, before anything is asked."""
    push(server, one)
    assert withdraw(server, NCT.lower(), "--dry-run").code == 0
    calls = len(server.calls)
    ran = withdraw(server, "NCT9999")
    assert (ran.code, len(server.calls)) == (4, calls + 1)
    assert "NCT9999: this is no file and no number of a study, which is NCT and eight digits" in ran.err


@pytest.mark.parametrize("delete", [True, False])
def test_half_done_is_told_where_the_server_goes_away(one: Path, delete: bool) -> None:
    """A server that goes away in the middle: the report says what was done, what may be, and what was not."""
    with running(FhirHttp(transaction=False)) as server:
        push(server, one)
        before, written = dict(server.store.resources), list[str]()

        def fault(method: str, path: str, _number: int) -> Fault:
            if method in ("PUT", "DELETE"):
                written.append(path)
            return "hang up after" if len(written) == 2 else "hang up" if len(written) > 2 else None

        server.fault = fault
        ran = withdraw(server, NCT, "--tries", "1", "--report", "-", *(["--delete"] if delete else []))
    assert ran.code == 5
    (fate,) = ran.documents
    deeds = {part["address"]: part["deed"] for part in fate["parts"]}
    changed = {address for address in before if server.store.resources.get(address) != before[address]}
    deed = "deleted" if delete else "retired"
    assert fate["end"] == "partial"
    assert {address for address, each in deeds.items() if each in (deed, "unknown")} == changed
    assert list(deeds.values()).count("unknown") == list(deeds.values()).count(deed) == 1
    assert "not sent" in deeds.values()
