"""`trialconv sync`: a warehouse follows a stand-in for the registry, whatever fails, and whoever is killed."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

import postgres_server
from command_runner import Ran, run
from made_up import Tree, encoded, study
from registry_server import Fault, StandIn
from trialconv.http_client import Timing
from trialconv.issues import issue
from trialconv.loading import prepare

_TABLES = ("studies", "study_versions", "conditions", "fhir_resources", "loads")


def made_up(number: int, day: str = "2025-06-01", title: str = "A", **modules: Tree) -> Tree:
    """Return a made-up study of some number that was updated on some day."""
    status = {"lastUpdatePostDateStruct": {"date": day, "type": "ACTUAL"}}
    named = {"identificationModule": {"briefTitle": f"A Made-up Study of Imaginary Fever, {title}"}}
    return study(
        nct(number), **{**named, **modules, "statusModule": {**modules.get("statusModule", {}), **status}}
    )


def nct(number: int) -> str:
    """Return the id of a made-up study."""
    return f"NCT{99000000 + number}"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """Return a stand-in with 12 records of 12 days, at the address that commands ask by default."""
    with StandIn() as stand_in:
        stand_in.put(*(made_up(number, f"2025-06-{number:02}") for number in range(1, 13)))
        monkeypatch.setenv("TRIALCONV_REGISTRY_URL", stand_in.url)
        monkeypatch.setattr("trialconv.http_client.SYSTEM", Timing(sleep=lambda _: None))
        yield stand_in


class Target:
    """A warehouse that follows the registry, and a look into it."""

    def __init__(self, folder: Path, kind: str = "duckdb") -> None:
        self.path = folder / f"trials.{kind}"
        self.address = f"{kind}:{self.path}"
        self.kind = kind

    def sync(self, *arguments: str | Path) -> Ran:
        """Run the command without its pace and without worker processes."""
        return run("sync", "--to", self.address, "--per-minute", "1000000", "--workers", "0", *arguments)

    def records(self, *arguments: str | Path, code: int = 0) -> dict[str, int]:
        """Run the command and return what became of the records, those counts that are not zero."""
        done = self.sync(*arguments)
        assert done.code == code, done.err
        return {what: number for what, number in json.loads(done.out)["records"].items() if number}

    def rows(self, table: str, columns: str = "*") -> list[tuple[Any, ...]]:
        """Return the rows of a table, in their order."""
        with duckdb.connect() as connection:
            place = f"warehouse.{table}"
            if self.kind == "duckdb":
                connection.execute(f"ATTACH '{self.path}' AS warehouse (READ_ONLY)")
            else:
                place = f"read_parquet('{self.path}/current/{table}/**/*.parquet', hive_partitioning = false)"
            return connection.execute(f"SELECT {columns} FROM {place} ORDER BY ALL").fetchall()  # noqa: S608

    def studies(self) -> dict[str, tuple[str, str, str]]:
        """Return title, state and day of the state of each study."""
        columns = "nct_id, brief_title, registry_state, CAST(registry_state_date AS VARCHAR)"
        return {row[0]: row[1:] for row in self.rows("studies", columns)}

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return what the warehouse says, without what differs between one load and several."""
        return {
            "studies": self.rows("studies", "* EXCLUDE (load_id)"),
            "versions": self.rows("study_versions", "* EXCLUDE (load_id)"),
            "resources": self.rows("fhir_resources"),
        }

    def marks(self) -> dict[str, str]:
        """Return a hash of each file of the warehouse."""
        paths = [self.path] if self.path.is_file() else sorted(self.path.rglob("*"))
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


@pytest.fixture(params=["duckdb", "parquet"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Target:
    """Return a place for a warehouse of each kind that needs no server."""
    return Target(tmp_path, request.param)


@pytest.fixture
def base(tmp_path: Path) -> Target:
    """Return a place for a DuckDB warehouse."""
    return Target(tmp_path)


def test_the_first_run_takes_everything_and_the_second_nothing(registry: StandIn, target: Target) -> None:
    """All records become rows; while the registry has the same data, a run makes one call and writes nothing."""
    assert target.records("--page-size", "5") == {"new": 12}
    assert sorted(target.studies()) == [nct(number) for number in range(1, 13)]
    before, asked = target.marks(), len(registry.asked)
    done = target.sync()
    assert (done.code, json.loads(done.out)["skipped"]) == (0, True)
    assert registry.paths()[asked:] == ["/version"]
    assert target.marks() == before


def test_new_data_without_a_change_change_no_table(registry: StandIn, target: Target) -> None:
    """A new time stamp of the registry's data alone has the last days asked for, and no row written."""
    target.records()
    before = {table: target.rows(table) for table in _TABLES}
    registry.timestamp = "2026-01-06T09:00:00"
    registry.asked.clear()
    assert target.records() == {"unchanged": 2}
    assert registry.asked[1].parameters["filter.advanced"] == "AREA[LastUpdatePostDate]RANGE[2025-06-11,MAX]"
    assert len(registry.asked) == 2
    assert {table: target.rows(table) for table in _TABLES} == before
    marks = target.marks()
    assert json.loads(target.sync().out)["skipped"]
    assert target.marks() == marks


def test_what_changed_is_taken_and_every_version_kept_on_request(registry: StandIn, target: Target) -> None:
    """New and changed records come in; with --history the record of each version stays."""
    target.records("--history")
    registry.timestamp = "2026-01-06T09:00:00"
    registry.put(made_up(3, "2025-07-01", "B"), made_up(20, "2025-07-02"))
    assert target.records("--history") == {"new": 1, "changed": 1, "unchanged": 2}
    assert target.studies()[nct(3)][0].endswith("B")
    versions = target.rows("study_versions", "nct_id, CAST(version_date AS VARCHAR), record")
    mine = [(day, json.loads(record)) for nct_id, day, record in versions if nct_id == nct(3)]
    assert mine == [("2025-06-03", made_up(3, "2025-06-03")), ("2025-07-01", made_up(3, "2025-07-01", "B"))]


def test_a_change_on_the_last_day_is_not_missed(registry: StandIn, base: Target) -> None:
    """Days have no time: what is posted later on the last day that was reached, or the day before, comes in."""
    base.records()
    registry.timestamp = "2026-01-06T09:00:00"
    registry.put(made_up(5, "2025-06-12", "B"), made_up(21, "2025-06-11"))
    assert base.records() == {"new": 1, "changed": 1, "unchanged": 2}


def test_a_withdrawn_study_is_told_by_its_status(registry: StandIn, base: Target) -> None:
    """WITHDRAWN is a status of the record: the study stays present, and its row says so."""
    base.records()
    registry.timestamp = "2026-01-06T09:00:00"
    registry.put(made_up(4, "2025-07-01", statusModule={"overallStatus": "WITHDRAWN", "whyStopped": "No funds"}))
    assert base.records()["changed"] == 1
    (row,) = [one for one in base.rows("studies", "nct_id, overall_status, registry_state") if one[0] == nct(4)]
    assert row == (nct(4), "WITHDRAWN", "present")


def test_vanished_records_are_marked_and_come_back(registry: StandIn, target: Target, tmp_path: Path) -> None:
    """A record that the registry has no more is marked with the day; the mark goes when it is back."""
    target.records()
    registry.remove(nct(2), nct(7))
    registry.timestamp = "2026-01-06T09:00:00"
    assert target.records() == {"unchanged": 2}
    registry.timestamp = "2026-01-12T09:00:00"
    report = tmp_path / "report.ndjson"
    assert target.records("--report", report) == {"unchanged": 2, "vanished": 2}
    lines = [json.loads(line) for line in report.read_bytes().splitlines()]
    assert [line["record"] for line in lines if line["what"] == "vanished"] == [nct(2), nct(7)]
    found = target.studies()
    assert len(found) == 12
    assert {nct_id for nct_id, (_, state, _) in found.items() if state == "vanished"} == {nct(2), nct(7)}
    assert found[nct(2)][1:] == ("vanished", "2026-01-12")

    registry.put(made_up(2, "2025-06-02"))
    registry.timestamp = "2026-01-13T09:00:00"
    assert target.records("--check-vanished", "always") == {"unchanged": 2, "returned": 1}
    assert target.studies()[nct(2)][1:] == ("present", None)
    assert target.studies()[nct(7)][1] == "vanished"
    # One that comes back with a change is seen without any comparison.
    registry.put(made_up(7, "2026-01-14", "back"))
    registry.timestamp = "2026-01-14T09:00:00"
    assert target.records("--check-vanished", "never")["returned"] == 1
    assert target.studies()[nct(7)][1] == "present"


def test_the_comparison_finds_what_no_question_for_changes_can(registry: StandIn, base: Target) -> None:
    """A record of an old day that is not there yet comes in with the comparison."""
    base.records()
    registry.put(made_up(30, "2024-01-01"))
    registry.timestamp = "2026-01-06T09:00:00"
    assert "new" not in base.records()
    assert base.records("--check-vanished", "always")["new"] == 1


def test_an_id_that_became_an_older_one_has_vanished(registry: StandIn, base: Target) -> None:
    """A record that was merged into another one is no record any more, though its id still leads somewhere."""
    base.records()
    registry.remove(nct(2))
    registry.put(made_up(1, "2025-07-01", identificationModule={"nctIdAliases": [nct(2)]}))
    registry.timestamp = "2026-01-20T09:00:00"
    assert base.records()["vanished"] == 1
    assert base.studies()[nct(2)][1] == "vanished"


def test_a_list_that_is_short_or_empty_marks_nothing(registry: StandIn, base: Target) -> None:
    """A list with fewer ids than were counted, or without most studies, is not believed."""
    registry.put(*(made_up(number, "2025-06-01") for number in range(100, 130)))
    base.records()
    whole = dict(registry.studies)
    registry.timestamp = "2026-01-20T09:00:00"
    registry.remove(*list(whole)[:20])
    done = base.sync()
    assert (done.code, json.loads(done.out)["complete"]) == (4, False)
    assert "implausible-listing" in done.err
    assert {state for _, state, _ in base.studies().values()} == {"present"}
    # The next run compares again.
    registry.put(*whole.values())
    assert "vanished" not in base.records()

    answer = registry.answer

    def short(path: str, parameters: list[tuple[str, str]]) -> tuple[int, dict[str, str], bytes]:
        status, head, body = answer(path, parameters)
        return status, head, body.replace(b'"totalCount":42', b'"totalCount":43')

    registry.answer = short  # type: ignore[method-assign]
    registry.remove(nct(100))
    registry.put(made_up(200, "2025-06-01"))
    registry.timestamp = "2026-01-30T09:00:00"
    done = base.sync()
    assert (done.code, "incomplete-listing" in done.err) == (4, True)
    registry.answer = answer  # type: ignore[method-assign]
    registry.remove(*list(registry.studies))
    assert base.records("--check-vanished", "always") == {"vanished": 42}
    assert len(base.studies()) == 42


def test_a_part_of_the_registry_can_be_followed(registry: StandIn, base: Target) -> None:
    """A query is followed; what fits it no more is brought up to date and not called vanished."""
    registry.put(
        *(made_up(number, "2025-06-01", conditionsModule={"conditions": ["Cough"]}) for number in (40, 41))
    )
    assert base.records("--query", "cough") == {"new": 2}
    registry.put(made_up(40, "2025-07-01", "cured"))
    registry.timestamp = "2026-01-20T09:00:00"
    assert base.records("--query", "cough") == {"changed": 1, "unchanged": 1}
    assert base.studies()[nct(40)] == ("A Made-up Study of Imaginary Fever, cured", "present", None)
    other = base.sync("--query", "fever")
    assert (other.code, "follows another query" in other.err) == (2, True)
    assert base.records("--query", "fever", "--full")["new"] == 12


def test_records_that_cannot_be_taken_are_accounted_for_and_tried_again(
    registry: StandIn, base: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken record costs only itself and the exit code; it is tried again, and comes in when it can."""
    registry.studies[nct(4)] = b'{"protocolSection": {"identificationModule": {}}}'
    monkeypatch.setattr("trialconv.loading.prepare", failing_on(nct(5), nct(6)))
    report = tmp_path / "report.ndjson"
    done = base.sync("--report", report)
    assert done.code == 4
    assert json.loads(done.out)["records"] == {
        "new": 9, "changed": 0, "unchanged": 0, "older": 0, "vanished": 0, "returned": 0, "rejected": 3,
    }  # fmt: skip
    lines = {line["record"]: line for line in map(json.loads, report.read_bytes().splitlines())}
    assert len(lines) == 12
    assert [lines[name]["what"] for name in ("studies", nct(5), nct(6))] == ["unreadable", "unreadable", "invalid"]
    assert "made to fail" in lines[nct(5)]["issues"][0]["message"]
    registry.timestamp = "2026-01-06T09:00:00"
    assert base.records(code=4)["rejected"] == 2

    monkeypatch.setattr("trialconv.loading.prepare", prepare)
    registry.put(made_up(4, "2025-06-04"))
    registry.timestamp = "2026-01-07T09:00:00"
    # Those that were rejected are tried again; one that could not even be named waits for the comparison.
    assert base.records()["new"] == 2
    assert base.records("--check-vanished", "always")["new"] == 1
    assert len(base.studies()) == 12


def failing_on(broken: str, invalid: str) -> Any:
    """Return the preparation of records, which fails on one, and finds an error in another."""

    def made(record: Any, how: Any) -> Any:
        if record.nct_id == broken:
            raise ValueError("made to fail")
        made = prepare(record, how)
        if record.nct_id == invalid:
            return made._replace(findings=[issue("schema", "made to be invalid", record=invalid)])
        return made

    return made


@pytest.mark.parametrize("where", ["version", "pageToken"])
def test_a_registry_that_fails_leaves_the_warehouse_consistent(
    registry: StandIn, target: Target, where: str
) -> None:
    """Whatever was taken is there whole; the next run goes on and ends where one without failure ends."""
    whole = Target(target.path.parent / "..", target.kind)
    whole.path = target.path.with_name("whole")
    whole.address = f"{target.kind}:{whole.path}"
    whole.records("--page-size", "5")
    registry.faults = [Fault("html", where=where)]
    done = target.sync("--page-size", "5")
    assert done.code == 4
    assert "web page and not JSON" in done.err
    registry.asked.clear()
    assert target.sync("--page-size", "5").code == 0
    assert target.content() == whole.content()
    if where == "pageToken":
        # What was there was not asked for again.
        assert registry.asked[1].parameters["filter.advanced"].endswith("RANGE[2025-06-04,MAX]")


def test_a_registry_out_of_order_does_not_lose_records(registry: StandIn, base: Target) -> None:
    """Where the days do not come in their order, nothing is taken as reached before the end."""
    keys = registry._order
    backwards = {nct_id: (-int(nct_id.removeprefix("NCT")), nct_id) for nct_id in registry.studies}
    registry._order = lambda _: backwards  # type: ignore[method-assign]
    registry.faults = [Fault("html", where="pageToken")]
    assert base.sync("--page-size", "5").code == 4
    registry._order = keys  # type: ignore[method-assign]
    base.records()
    assert len(base.studies()) == 12


def test_a_bulk_file_is_compared_by_content(registry: StandIn, target: Target, tmp_path: Path) -> None:
    """A bulk file brings what is new and changed; the same file again is not even read."""
    bulk = tmp_path / "bulk.ndjson"
    bulk.write_bytes(
        b"\n".join(encoded(made_up(number, f"2025-06-{number:02}")) for number in range(1, 9)) + b"\n"
    )
    assert target.records("--from-bulk", bulk) == {"new": 8}
    before = target.marks()
    assert json.loads(target.sync("--from-bulk", bulk).out)["skipped"]
    assert target.marks() == before
    changed = [made_up(1, "2025-06-01"), made_up(2, "2025-07-01", "B"), made_up(9, "2025-07-02")]
    bulk.write_bytes(b"\n".join(map(encoded, changed)))
    assert target.records("--from-bulk", bulk) == {"new": 1, "changed": 1, "unchanged": 1}
    assert registry.asked == []
    # A complete file says what is gone, and from where on the registry is to be followed.
    assert target.records("--from-bulk", bulk, "--check-vanished", "always") == {"unchanged": 3, "vanished": 6}
    target.sync()
    assert registry.asked[1].parameters["filter.advanced"].endswith("RANGE[2025-07-01,MAX]")


def test_a_bulk_file_with_broken_parts_does_not_tell_what_is_gone(base: Target, tmp_path: Path) -> None:
    """Where a part could not be read, nothing is marked, and the file is read again next time."""
    bulk = tmp_path / "bulk.ndjson"
    bulk.write_bytes(encoded(made_up(1)) + b"\n" + encoded(made_up(2)) + b"\n")
    base.records("--from-bulk", bulk)
    bulk.write_bytes(encoded(made_up(1)) + b'\n{"protocolSection": \n')
    done = base.sync("--from-bulk", bulk, "--check-vanished", "always")
    assert (done.code, "incomplete-listing" in done.err) == (4, True)
    assert base.studies()[nct(2)][1] == "present"


def test_a_postgresql_database_is_followed_as_the_others_are(registry: StandIn) -> None:
    """Changes, marks and the state are written in the database; a second run writes nothing."""
    if why := postgres_server.missing():
        pytest.skip(why)
    with postgres_server.running() as server:
        address = server.url()

        def records() -> dict[str, int]:
            done = run("sync", "--to", address, "--per-minute", "1000000", "--workers", "0")
            assert (done.code, postgres_server.PASSWORD in done.err) == (0, False), done.err
            return {what: number for what, number in json.loads(done.out)["records"].items() if number}

        assert records() == {"new": 12}
        assert records() == {}
        registry.remove(nct(2))
        registry.put(made_up(3, "2025-07-01", "B"))
        registry.timestamp = "2026-01-20T09:00:00"
        assert records() == {"changed": 1, "unchanged": 2, "vanished": 1}
        with psycopg.connect(address) as connection:
            found = connection.execute(
                "SELECT nct_id, registry_state, registry_state_date::text FROM studies WHERE registry_state <> %s",
                ["present"],
            ).fetchall()
            ((state,),) = connection.execute("SELECT value FROM trialconv_state").fetchall()
        assert found == [(nct(2), "vanished", "2026-01-20")]
        assert json.loads(state)["day"] == "2025-07-01"


def test_a_day_to_come_does_not_hide_changes(registry: StandIn, base: Target) -> None:
    """A record that says it will be updated in a far year does not move the day that is asked from."""
    registry.put(made_up(50, "2099-01-01"))
    base.records()
    registry.put(made_up(51, "2026-01-05"))
    registry.timestamp = "2026-01-06T09:00:00"
    assert base.records()["new"] == 1


def test_wrong_uses_are_refused(registry: StandIn, base: Target, tmp_path: Path) -> None:
    """Wrong options, wrong places and a state of somebody else are told, and nothing is asked."""
    for arguments, code, message in [
        (("--from-bulk", "x", "--query", "y"), 2, "do not go with it"),
        (("--registry-url", "http://registry.example.org"), 2, "is not encrypted"),
        (("--to", "elsewhere:x"), 2, "is no warehouse"),
        (("--to", f"duckdb:{tmp_path}/no/such.duckdb"), 5, "there is no folder"),
    ]:
        done = base.sync(*arguments)
        assert (done.code, done.out) == (code, b"")
        assert message in done.err
    assert registry.asked == []
    base.records()
    with duckdb.connect(str(base.path)) as connection:
        connection.execute("UPDATE trialconv_state SET value = '{'")
    done = base.sync()
    assert (done.code, "cannot be read" in done.err) == (5, True)


def test_a_comparison_that_fails_marks_nothing_and_is_made_again(registry: StandIn, target: Target) -> None:
    """What changed is taken all the same; the next run compares."""
    target.records()
    registry.remove(nct(2))
    registry.put(made_up(3, "2025-07-01", "B"))
    registry.timestamp = "2026-01-20T09:00:00"
    registry.faults = [Fault("html", where="fields=")]
    done = target.sync()
    assert (done.code, json.loads(done.out)["complete"]) == (4, False)
    assert target.studies()[nct(3)][0].endswith("B")
    assert target.studies()[nct(2)][1] == "present"
    assert target.records()["vanished"] == 1


@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_a_run_that_is_killed_is_gone_on_with(registry: StandIn, tmp_path: Path, kind: str) -> None:
    """A process killed at any point, again and again, leaves what an undisturbed run leaves."""
    registry.put(*(made_up(number, f"2025-0{1 + number % 9}-11") for number in range(300, 360)))
    whole, base = Target(tmp_path, kind), Target(tmp_path / "killed", kind)
    base.path.parent.mkdir()
    whole.records("--page-size", "8")
    dice = random.Random(11)  # noqa: S311 - not for secrets
    registry.chance, registry.dice = 0.1, random.Random(7)  # noqa: S311
    program = str(Path(sys.executable).parent / "trialconv")
    options = ["--to", base.address, "--page-size", "8", "--workers", "0", "--per-minute", "1200"]
    left = []
    for _ in range(3):
        calls = len(registry.asked) + dice.randint(3, 8)
        with subprocess.Popen([program, "sync", *options], stdout=subprocess.DEVNULL) as process:  # noqa: S603
            while len(registry.asked) < calls and process.poll() is None:
                time.sleep(0.005)
            time.sleep(dice.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
        left.append(len(base.studies()) if base.path.is_file() else 0)
    registry.chance = 0.0
    subprocess.run([program, "sync", *options], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    assert base.content() == whole.content()
    # A database has what was written before the kill; a folder of snapshots shows whole loads only.
    assert any(0 < number < 72 for number in left) is (kind == "duckdb")
    registry.timestamp = "2026-01-06T09:00:00"
    assert "new" not in base.records()
