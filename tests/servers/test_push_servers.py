"""`trialconv push` and `withdraw` against FHIR servers of other people, which the tests start themselves.

`make servers` fetches them. TRIALCONV_FHIR_SERVER names the address of one more, which is under way already and
may be written to.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import fhir_servers
import pytest
from joserfc.jwk import RSAKey

from command_runner import Ran, run
from fault_proxy import bad_way
from made_up import NCT, Tree
from push_runs import many, with_sites, written
from real_servers import PUT, RealServer, started

#: How many studies are pushed where many are.
STUDIES = int(os.environ.get("TRIALCONV_PUSH_STUDIES", "500"))

pytestmark = pytest.mark.servers
ARTIFACT_STATUS = {"url": "http://hl7.org/fhir/StructureDefinition/artifact-status", "valueCode": "retired"}


@pytest.fixture(scope="module", params=["sekmet", "medplum", "hapi-R4", "hapi-R5", "named"])
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    """Start each server in turn, or skip with the reason why it cannot be had."""
    if request.param == "named":
        base = os.environ.get("TRIALCONV_FHIR_SERVER")
        if not base:
            pytest.skip("TRIALCONV_FHIR_SERVER names no server")
        yield RealServer("named", base.rstrip("/"), PUT)
        return
    with started(request.param, tmp_path_factory.mktemp(request.param)) as made:
        yield made


def report(ran: Ran) -> list[Tree]:
    """Return the fates in a report on standard output."""
    return ran.documents


def versions(ran: Ran) -> dict[str, str]:
    """Return the versions in a report by their addresses."""
    return {part["address"]: part["version"] for fate in report(ran) for part in fate["parts"]}


def studies_for(real: RealServer) -> int:
    """Return how many studies a server gets: HAPI has one program for R4 and R5, and R4 gets them all."""
    return STUDIES // 5 if real.name == "hapi-R5" else STUDIES


def all_there_once(real: RealServer, folder: Path) -> None:
    """Make sure that a server has all that is in a folder, and that nothing of it was written twice."""
    ran = real.command("push", folder, "--report", "-")
    assert ran.code == 0, ran.err
    assert ran.err.endswith("\nnothing was written\n")
    assert [fate["end"] for fate in report(ran)] == ["unchanged"] * len(list(folder.iterdir()))
    if real.name == "medplum":
        # Its versions have names; their number tells.
        assert {real.times_written(address) for address in versions(ran)} == {1}
    else:
        assert set(versions(ran).values()) == {"1"}


def test_a_second_push_writes_nothing(real: RealServer, tmp_path: Path) -> None:
    """Five hundred studies, one of them large, go to the server; the second push finds nothing to be done."""
    count = studies_for(real)
    folder = written(many(tmp_path / "many", count - 1), with_sites(60))
    first = real.command("push", folder, "--report", "-")
    assert first.code == 0, first.err
    assert [fate["end"] for fate in report(first)] == ["sent"] * count
    all_there_once(real, folder)


def test_a_fifth_of_the_calls_fails(real: RealServer, tmp_path: Path, no_waits: None) -> None:
    """Over a way on which 503, 429, time-outs and broken connections happen, all arrive, and none twice."""
    # Other studies than above, where the numbers leave off.
    count = studies_for(real)
    folder = many(tmp_path / "many", count, first=STUDIES)
    silence = 5.0 if real.name.startswith("hapi") else 1.0
    with bad_way(real.base, share=0.2, silence=2 * silence) as way:
        bad = real._replace(base=way.base, options=real.options[:2])
        told = ("--timeout", str(silence), "--tries", "15", "--concurrency", "8", "--report", "-")
        ran = bad.command("push", folder, *told)
    assert ran.code == 0, ran.err
    assert [fate["end"] for fate in report(ran)] == ["sent"] * count
    assert set(way.faults) == {"503", "429", "hang up", "hang up after", "silence", "silence after"}
    # As often as was asked for, as far as chance goes: four standard deviations.
    assert abs(sum(way.faults.values()) - 0.2 * way.calls) < 4 * (0.2 * 0.8 * way.calls) ** 0.5
    all_there_once(real, folder)


@pytest.mark.parametrize("name", ["sekmet", "hapi-R4"])
def test_a_server_that_is_killed(name: str, tmp_path: Path) -> None:
    """A server is killed in the middle and started again; the journal leads to the end, and each is there once."""
    folder, state, data = many(tmp_path / "many", STUDIES), tmp_path / "state.ndjson", tmp_path / "server"
    arguments = ("push", folder, "--state", state, "--tries", "2", "--report", "-")
    with started(name, data, keeps=True) as real:
        killer = real.kill_once(state, STUDIES // 2)
        first = real.command(*arguments)
        killer.join()
    assert first.code == 5
    assert "push again to go on from here" in first.err
    with started(name, data, port=real.port, keeps=True) as real:
        again = real.command(*arguments)
        assert again.code == 0, again.err
        ends = [fate["end"] for fate in report(again)]
        assert len(ends) == STUDIES
        assert set(ends) <= {"done before", "sent", "unchanged"}
        assert STUDIES // 2 <= ends.count("done before") < STUDIES
        all_there_once(real, folder)


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
