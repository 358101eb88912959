"""`trialconv push` and `withdraw` against FHIR servers of other people, which the tests start themselves.

`make servers` fetches them. TRIALCONV_FHIR_SERVER names the address of one more, which is under way already and
may be written to.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import fhir_servers
import pytest
from joserfc.jwk import RSAKey
from start_hapi import Hapi, HapiError

from command_runner import Ran, run
from made_up import NCT, Tree
from push_runs import many, with_sites, written

pytestmark = pytest.mark.servers
ARTIFACT_STATUS = {"url": "http://hl7.org/fhir/StructureDefinition/artifact-status", "valueCode": "retired"}


class RealServer(NamedTuple):
    """A server under way: its name, its address, and the options that it needs."""

    name: str
    base: str
    options: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """The number of the server's FHIR version."""
        statement = self.get("metadata")
        return str(statement["fhirVersion"]) if statement else ""

    def command(self, command: str, *arguments: str | Path) -> Ran:
        """Run a command against the server."""
        return run(command, *arguments, "--server", self.base, *(self.options if command == "push" else ()))

    def get(self, address: str) -> Tree | None:
        """Return a resource; None where there is none."""
        try:
            with urllib.request.urlopen(f"{self.base}/{address}", timeout=30) as answer:  # noqa: S310 - loopback
                found: Tree = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as error:
            if error.code not in (404, 410):
                raise
            return None


#: HAPI does not say that clients may choose ids, and lets them. It is slow on a busy machine.
_PUT = ("--request", "put", "--timeout", "300")


def hapi(name: str) -> Iterator[RealServer]:
    """Start HAPI, or skip with the reason why it cannot be had."""
    try:
        with Hapi(name.removeprefix("hapi-")) as base:
            yield RealServer(name, base, _PUT)
    except HapiError as problem:
        pytest.skip(str(problem).splitlines()[0])


@pytest.fixture(scope="module", params=["sekmet", "medplum", "hapi-R4", "hapi-R5", "named"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Start each server in turn, or skip with the reason why it cannot be had."""
    if request.param == "named":
        base = os.environ.get("TRIALCONV_FHIR_SERVER")
        if not base:
            pytest.skip("TRIALCONV_FHIR_SERVER names no server")
        yield RealServer("named", base.rstrip("/"), _PUT)
        return
    if request.param.startswith("hapi-"):
        yield from hapi(request.param)
        return
    port = fhir_servers.free_port()
    # Medplum's router takes no more than fifty updates at once.
    options = ("--max-entries", "50") if request.param == "medplum" else ()
    try:
        start = getattr(fhir_servers, request.param)
        with start(tmp_path_factory.mktemp(request.param), port):
            yield RealServer(request.param, f"http://127.0.0.1:{port}/fhir", options)
    except fhir_servers.ServerError as problem:
        pytest.skip(f"{problem}; `make servers` fetches it")


def report(ran: Ran) -> list[Tree]:
    """Return the fates in a report on standard output."""
    return ran.documents


def versions(ran: Ran) -> dict[str, str]:
    """Return the versions in a report by their addresses."""
    return {part["address"]: part["version"] for fate in report(ran) for part in fate["parts"]}


def test_a_second_push_writes_nothing(real: RealServer, tmp_path: Path) -> None:
    """A hundred studies go to the server; after that nothing is written, and no version changes."""
    folder = written(many(tmp_path / "many", 100), with_sites(60))
    first = real.command("push", folder, "--report", "-")
    assert first.code == 0, first.err
    assert {fate["end"] for fate in report(first)} <= {"sent", "unchanged"}
    again = real.command("push", folder, "--report", "-")
    assert again.err.endswith("\nnothing was written\n")
    assert [fate["end"] for fate in report(again)] == ["unchanged"] * 101
    assert versions(again) == versions(real.command("push", folder, "--report", "-"))


def test_a_study_is_changed_withdrawn_revived_and_deleted(real: RealServer, tmp_path: Path) -> None:
    """A study's life on a server: each step changes what it says, and nothing else."""
    folder, address = written(tmp_path / "one", with_sites(3)), f"ResearchStudy/{NCT}"
    assert real.command("push", folder).code == 0
    tree = with_sites(3)
    tree["protocolSection"]["identificationModule"]["briefTitle"] = "Another made-up title"
    del tree["protocolSection"]["contactsLocationsModule"]["locations"][0]
    ran = real.command("push", written(folder, tree), "--left", "delete", "--report", "-")
    deeds = {part["address"]: part["deed"] for part in report(ran)[0]["parts"]}
    assert deeds[address] == "updated"
    (site,) = (each for each, deed in deeds.items() if deed == "deleted")
    assert (site.partition("/")[0], real.get(site)) == ("Location", None)
    study = real.get(address)
    assert study is not None
    assert study["title"] == "Another made-up title"

    assert real.command("withdraw", NCT).code == 0
    withdrawn, plan = real.get(address), real.get(f"PlanDefinition/{NCT}-protocol")
    assert withdrawn is not None
    assert plan is not None
    assert plan["status"] == "retired"
    is_r5 = real.version.startswith("5.")
    assert (ARTIFACT_STATUS in withdrawn["extension"]) is not is_r5
    assert withdrawn.get("status") == ("retired" if is_r5 else study.get("status"))
    assert real.command("withdraw", NCT).err.endswith("\nnothing was written\n")

    assert real.command("push", folder).code == 0
    revived = real.get(address)
    assert revived is not None
    assert ARTIFACT_STATUS not in revived["extension"]
    assert revived.get("status") == study.get("status")
    assert real.command("push", folder).err.endswith("\nnothing was written\n")

    assert real.command("withdraw", NCT, "--delete").code == 0
    assert [each for each in deeds if real.get(each) is not None] == []


def test_the_servers_own_ids(real: RealServer, tmp_path: Path) -> None:
    """Under ids of the server's, the second push finds everything by its identifiers."""
    if real.name == "sekmet":
        pytest.skip("sekmet does not search ResearchStudy by identifier")
    nct_id = "NCT99555001"
    folder = written(tmp_path / "one", with_sites(3, nct_id))
    # Medplum's router takes no more than eight entries at once where it has to look for each.
    arguments = ("push", folder, "--request", "conditional-update", "--max-entries", "8")
    first = run(*arguments, "--server", real.base, "--report", "-")
    assert first.code == 0, first.err
    again = run(*arguments, "--server", real.base)
    assert again.err.endswith("\nnothing was written\n"), again.err
    assert real.command("withdraw", nct_id, "--delete").code == 0
    assert [part for part in report(first)[0]["parts"] if real.get(part["address"]) is not None] == []


def test_a_server_that_is_killed(tmp_path: Path) -> None:
    """A server is killed in the middle and started again; the journal leads to the end, and each is there once."""
    folder, state, port = many(tmp_path / "many", 60), tmp_path / "state.ndjson", fhir_servers.free_port()
    real = RealServer("sekmet", f"http://127.0.0.1:{port}/fhir")
    arguments = ("push", folder, "--state", state, "--tries", "2", "--report", "-")
    try:
        with fhir_servers.sekmet(tmp_path / "server", port) as process:
            killer = threading.Thread(target=_kill_after, args=(process, state, 20))
            killer.start()
            first = real.command(*arguments)
            killer.join()
        assert first.code == 5
        assert "push again to go on from here" in first.err
        with fhir_servers.sekmet(tmp_path / "server", port):
            again = real.command(*arguments)
            assert again.code == 0, again.err
            ends = [fate["end"] for fate in report(again)]
            assert len(ends) == 60
            assert set(ends) <= {"done before", "sent", "unchanged"}
            assert 20 <= ends.count("done before") < 60
            studies = [real.get(f"ResearchStudy/NCT{99000000 + number}") for number in range(60)]
            assert {each["meta"]["versionId"] for each in studies if each} == {"1"}
            assert None not in studies
    except fhir_servers.ServerError as problem:
        pytest.skip(f"{problem}; `make servers` fetches it")


def _kill_after(process: Any, state: Path, studies: int) -> None:
    """Kill a server when the journal knows of so many studies."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if state.exists() and state.read_bytes().count(b'"ended"') >= studies:
            break
        time.sleep(0.005)
    process.kill()


def test_smart_backend_services_of_a_real_server(tmp_path: Path) -> None:
    """A server that knows our public key admits us by a signed assertion, and nobody by another key."""
    key, port = (
        RSAKey.generate_key(2048, {"kid": "made-up-kid", "use": "sig", "alg": "RS384"}),
        fhir_servers.free_port(),
    )
    file = tmp_path / "key.json"
    file.write_text(json.dumps(key.as_dict(private=True)))
    file.chmod(0o600)
    client = {
        "client_id": "made-up-client",
        "jwks": {"keys": [key.as_dict(private=False)]},
        "scopes": "system/*.*",
    }
    folder = many(tmp_path / "many", 3)
    real = RealServer("sekmet", f"http://127.0.0.1:{port}/fhir")
    arguments = (
        "push",
        folder,
        "--auth",
        "smart-backend",
        "--client-id",
        "made-up-client",
        "--scope",
        "system/*.*",
    )
    try:
        with fhir_servers.sekmet(
            tmp_path / "server", port, server_auth={"types": ["smart"], "smart_clients": [client]}
        ):
            assert real.command("push", folder).code == 5
            ran = real.command(*arguments, "--key-file", file)
            assert ran.code == 0, ran.err
            assert "3 sent" in ran.err
            other = tmp_path / "other.json"
            other.write_bytes(RSAKey.generate_key(2048).as_pem(private=True))
            refused = real.command(*arguments, "--key-file", other, "--key-id", "made-up-kid")
            assert refused.code == 5
            assert "no token: " in refused.err
    except fhir_servers.ServerError as problem:
        pytest.skip(f"{problem}; `make servers` fetches it")
