"""Trouble on the way into a warehouse: the target stays consistent, and every record is accounted for."""

from __future__ import annotations

import random
import re
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

import postgres_server
import trialconv_mappings.warehouse_tables as warehouse_tables
from command_runner import run
from made_up import Tree
from test_load import CREATED, load, summary, titles
from trialconv import loading
from trialconv.issues import SinkError, UsageError, issue
from trialconv.sinks.warehouse import arrow, open_warehouse
from trialconv.sinks.warehouse.address import redacted
from trialconv.validators import warehouse as warehouse_validator
from trialconv_mappings.warehouse import study_row
from warehouses import KINDS, Places, lines, new_database, numbered, query, rows_of


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, places: Places) -> str:
    """Return an empty warehouse of each kind."""
    return places(request.param)


def is_whole(address: str, versions: set[str]) -> bool:
    """Tell whether each study that is there has all of its rows, of one version."""
    rows = rows_of(address)
    of = {row["nct_id"]: row["brief_title"] for row in rows["studies"]}
    conditions = {row["nct_id"]: row["condition"] for row in rows["conditions"] if row["position"] == 1}
    resources = {
        row["nct_id"]: row["resource"]["title"]
        for row in rows["fhir_resources"]
        if row["resource_type"] == "ResearchStudy"
    }
    return conditions == of == resources and set(of.values()) <= versions


def titled(number: int, title: str, **others: Any) -> Tree:
    """Return a study whose condition is its title."""
    return numbered(number, title=title, conditionsModule={"conditions": [title]}, **others)


def accounted(err: str) -> int:
    """Return how many records the last line accounts for."""
    line = err.splitlines()[-1].partition(";")[0]
    return sum(int(number.replace(",", "")) for number in re.findall(r"([\d,]+) [a-z]+", line))


# A database that goes away.


def test_a_lost_connection_leaves_whole_studies(
    postgres: postgres_server.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the connection is lost, what was written stays, the rest is told, and a second call completes it."""
    address = new_database(postgres)
    monkeypatch.setattr(loading, "BATCH", 4)
    merges, merge = 0, loading.merge

    def merge_and_lose(*arguments: Any) -> Any:
        nonlocal merges
        merges += 1
        if merges == 2:
            with psycopg.connect(postgres.url(), autocommit=True) as other:
                ours = "FROM pg_stat_activity WHERE application_name = 'trialconv'"
                other.execute(f"SELECT pg_terminate_backend(pid, 5000) {ours}")
        return merge(*arguments)

    monkeypatch.setattr(loading, "merge", merge_and_lose)
    source = lines(tmp_path / "x.ndjson", *(titled(number, "One") for number in range(10)))
    done = load(address, source)
    assert done.code == 5
    assert "error: postgresql://tester:***@127.0.0.1" in done.err
    assert "cannot be written" in done.err
    assert postgres_server.PASSWORD not in done.err
    assert "Traceback" not in done.err
    assert summary(done) == "4 new, 4 not written"
    assert len(titles(address)) == 4
    assert is_whole(address, {"One"})
    assert query(address, "SELECT finished, written FROM loads") == [(False, 4)]
    monkeypatch.setattr(loading, "merge", merge)
    assert summary(load(address, source)) == "4 unchanged, 6 new"


def test_no_server(tmp_path: Path) -> None:
    """A server that does not answer is told, without the password."""
    source = lines(tmp_path / "x.ndjson", numbered(1))
    done = load("postgresql://who:made-up-secret@127.0.0.1:1/x", source)
    assert done.code == 5
    assert "postgresql://who:***@127.0.0.1:1/x cannot be reached" in done.err
    assert "made-up-secret" not in done.err


def test_a_wrong_password(postgres: postgres_server.Server, tmp_path: Path) -> None:
    """A server that refuses the password is told, without it."""
    source = lines(tmp_path / "x.ndjson", numbered(1))
    done = load(postgres.url().replace(postgres_server.PASSWORD, "wrong-secret"), source)
    assert (done.code, "password authentication failed" in done.err) == (5, True)
    assert "wrong-secret" not in done.err


def test_the_password_may_come_from_the_environment(
    postgres: postgres_server.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGPASSWORD and a password file serve where the address has none."""
    address = new_database(postgres)
    bare = address.replace(f":{postgres_server.PASSWORD}", "")
    source = lines(tmp_path / "x.ndjson", numbered(1))
    monkeypatch.setenv("PGPASSWORD", postgres_server.PASSWORD)
    assert summary(load(bare, source)) == "1 new"
    monkeypatch.delenv("PGPASSWORD")
    secrets = tmp_path / "pgpass"
    secrets.write_text(f"*:*:*:tester:{postgres_server.PASSWORD}\n", encoding="utf-8")
    secrets.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(secrets))
    assert summary(load(bare, source)) == "1 unchanged"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:secret@h:1/d", "postgresql://me:***@h:1/d"),
        ("postgresql://me:s/e@c:r@h/d", "postgresql://me:***@h/d"),
        ("postgresql://h/d?user=me&password=secret&x=1", "postgresql://h/d?user=me&password=***&x=1"),
        ("postgres://h/d", "postgres://h/d"),
        ("duckdb:a.duckdb", "duckdb:a.duckdb"),
    ],
)
def test_addresses_are_shown_without_passwords(address: str, shown: str) -> None:
    """An address in a message has no password."""
    assert redacted(address) == shown


# Places that are no warehouse.


def test_what_is_no_warehouse_is_refused(tmp_path: Path) -> None:
    """An address of another kind is a usage error that names those there are."""
    source = lines(tmp_path / "x.ndjson", numbered(1))
    for address in ("trials.duckdb", "duckdb:", "mysql://h/d", ""):
        done = load(address, source)
        assert (done.code, "duckdb:FILE, parquet:DIR or postgresql://" in done.err) == (2, True)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the packages of the extra the message says how to get them."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "trialconv.sinks.warehouse.in_duckdb", raising=False)
    with pytest.raises(UsageError, match=r"pip install 'trialconv\[warehouse\]'"):
        open_warehouse(f"duckdb:{tmp_path / 'x.duckdb'}")


def test_a_foreign_database_is_not_touched(postgres: postgres_server.Server, tmp_path: Path) -> None:
    """Tables of our names that are not ours, another file, another folder: refused and left as they are."""
    source = lines(tmp_path / "x.ndjson", numbered(1))
    database = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE studies (mine INTEGER)")
    file = tmp_path / "notes.txt"
    file.write_text("Dear diary, " * 1000, encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "letter.txt").touch()
    server = new_database(postgres)
    with psycopg.connect(server, autocommit=True) as other:
        other.execute("CREATE TABLE sites (mine INTEGER)")
    for address, why in (
        (f"duckdb:{database}", "has tables that are not trialconv's: studies"),
        (f"duckdb:{file}", "cannot be opened"),
        (f"parquet:{folder}", "holds what is not trialconv's (letter.txt)"),
        (f"parquet:{file}", "is a file"),
        (server, "has tables that are not trialconv's: sites"),
    ):
        done = load(address, source)
        assert (done.code, why in done.err) == (5, True), done.err
    assert query(f"duckdb:{database}", "SELECT table_name FROM duckdb_tables()") == [("studies",)]
    assert file.read_text(encoding="utf-8").startswith("Dear diary")
    assert [path.name for path in folder.iterdir()] == ["letter.txt"]
    assert query(server, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(1,)]


def test_other_tables_in_the_database_stay(places: Places, tmp_path: Path) -> None:
    """Tables of other names may live beside ours."""
    address = places("duckdb")
    with duckdb.connect(address.removeprefix("duckdb:")) as connection:
        connection.execute("CREATE TABLE notes AS SELECT 1 AS mine")
    assert load(address, lines(tmp_path / "x.ndjson", numbered(1))).code == 0
    assert query(address, "SELECT mine FROM notes") == [(1,)]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that nobody can write in: /proc")
def test_a_place_that_cannot_be_written(postgres: postgres_server.Server, tmp_path: Path) -> None:
    """A read-only place is refused with its reason."""
    source = lines(tmp_path / "x.ndjson", numbered(1))
    read_only = f"{new_database(postgres)}?options=-cdefault_transaction_read_only%3Don"
    for address in ("duckdb:/proc/x.duckdb", "parquet:/proc/x", f"duckdb:{tmp_path}/none/x.duckdb", read_only):
        done = load(address, source)
        assert done.code == 5, done.err
        assert re.search("cannot be (opened|written)", done.err)
    with pytest.raises(SinkError, match="is not there"):
        open_warehouse(f"duckdb:{tmp_path / 'none.duckdb'}", create=False)


HOLDING = """
import sys
from trialconv.sinks.warehouse import open_warehouse
with open_warehouse(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("command", ["load", "sync"])
def test_a_second_process_is_refused(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """While a process has a warehouse of any kind, another one is told so, and writes nothing."""
    monkeypatch.setattr("trialconv.sinks.warehouse.in_postgresql._PATIENCE", "100ms")
    source = lines(tmp_path / "x.ndjson", numbered(1))
    sources = (source,) if command == "load" else ("--from-bulk", source)
    holding = [sys.executable, "-c", HOLDING, address]
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:  # noqa: S603
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        done = run(command, *sources, "--to", address, *CREATED)
        holder.communicate()
    assert done.code == 5
    assert re.search("is (being loaded by|open in) another process; try again when that has ended", done.err)
    assert run(command, *sources, "--to", address, *CREATED).code == 0
    assert len(titles(address)) == 1


# Schemas of other versions.


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return what makes this trialconv one of the next version of the schema, with a column and a table more."""
    rows = warehouse_tables._rows

    def rows_then(name: str) -> list[dict[str, str]]:
        column = dict.fromkeys(("nullable", "key", "unit", "source", "rule"), "") | {"type": "TEXT", "since": "2"}
        if name == "tables.csv":
            return [*rows(name), {"table": "made_up", "row": "thing", "meaning": "Made-up things"}]
        title = "protocolSection.identificationModule.briefTitle"
        return [
            *rows(name),
            {**column, "table": "studies", "column": "late", "meaning": "The title again", "source": title},
            {
                **column,
                "table": "made_up",
                "column": "nct_id",
                "meaning": "NCT number",
                "key": "1",
                "nullable": "no",
            },
        ]

    caches = (
        warehouse_tables.tables,
        arrow.schema_of,
        study_row._makers,
        warehouse_validator._schema,
        warehouse_validator._key_of,
    )

    def apply() -> None:
        monkeypatch.setattr(warehouse_tables, "_rows", rows_then)
        for name, module in list(sys.modules.items()):
            if name.startswith("trialconv") and hasattr(module, "SCHEMA_VERSION"):
                monkeypatch.setattr(module, "SCHEMA_VERSION", 2)
        for cached in caches:
            cached.cache_clear()

    yield apply
    monkeypatch.undo()
    for cached in caches:
        cached.cache_clear()


def test_an_older_schema_is_migrated(
    address: str, tmp_path: Path, next_version: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer trialconv adds what is new to an older schema, and fills it in for each study loaded again."""
    source = lines(tmp_path / "x.ndjson", numbered(1), numbered(2))
    load(address, source)
    before = rows_of(address)
    next_version()
    done = load(address, lines(tmp_path / "y.ndjson", numbered(1)))
    assert (done.code, summary(done)) == (0, "1 changed")
    there = query(address, "SELECT nct_id, late, schema_version FROM studies ORDER BY nct_id")
    assert there == [("NCT99000001", "A Made-up Study", 2), ("NCT99000002", None, 1)]
    assert query(address, "SELECT count(*) FROM made_up") == [(0,)]
    after = rows_of(address)
    assert after["conditions"] == before["conditions"]
    assert summary(load(address, source)) == "1 unchanged, 1 changed"

    monkeypatch.undo()
    for cached in (warehouse_tables.tables, arrow.schema_of):
        cached.cache_clear()
    done = load(address, source)
    assert (done.code, "has version 2 of the schema" in done.err) == (5, True)


# A disk that is full.


def incompressible(number: int, size: int) -> Tree:
    """Return a study with a long text that no compression makes short."""
    letters = random.Random(number)  # noqa: S311 - no secret
    text = "".join(letters.choices(string.ascii_letters + string.digits, k=size))
    return titled(number, "Long", descriptionModule={"detailedDescription": text})


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from trialconv.cli.main import main
main()
"""


@pytest.mark.parametrize("kind", ["duckdb", "parquet"])
def test_a_full_disk(kind: str, places: Places, tmp_path: Path) -> None:
    """When files cannot grow, the load ends with 5, and what was there before is there, and can be loaded to."""
    address = places(kind)
    assert load(address, lines(tmp_path / "few.ndjson", *(titled(n, "Few") for n in range(3)))).code == 0
    source = lines(tmp_path / "many.ndjson", *(incompressible(n, 50_000) for n in range(100)))
    limit = 4 * 2**20
    command = [sys.executable, "-c", LIMITED, str(limit), "load", str(source), "--to", address, *CREATED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 5, done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(titles(address)) == 3
    assert is_whole(address, {"Few"})
    assert summary(load(address, source)) == "3 changed, 97 new"
    assert is_whole(address, {"Long"})


def test_a_full_disk_of_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a server cannot store a batch, those before it stay, whole, and the batch is not written."""
    if why := postgres_server.missing():
        pytest.skip(why)
    monkeypatch.setattr(loading, "BATCH", 20)
    with postgres_server.running(largest_file=4 * 2**20) as server:
        address = server.url()
        source = lines(tmp_path / "many.ndjson", *(incompressible(n, 50_000) for n in range(100)))
        done = load(address, source)
        assert done.code == 5
        assert "cannot be written: could not" in done.err
        written = len(titles(address))
        assert written % 20 == 0
        assert summary(done) == f"{written} new, 20 not written"
        assert is_whole(address, {"Long"})


# Records that are not good enough.


def test_every_record_is_accounted_for(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken and invalid records stay outside, each with its reason; others are loaded; the exit code tells."""
    judge = warehouse_validator.validate_rows

    def judged(document: Any) -> list[Any]:
        bad = document["studies"][0]["brief_title"] == "Bad"
        return [issue("schema", "made-up defect")] if bad else judge(document)

    monkeypatch.setattr(warehouse_validator, "validate_rows", judged)
    source = lines(tmp_path / "x.ndjson", titled(1, "Good"), titled(2, "Bad"), titled(3, "Good"))
    done = load(address, source)
    assert (done.code, summary(done)) == (3, "2 new, 1 invalid")
    assert "NCT99000002: the rows fail validation" in done.err
    assert set(titles(address).values()) == {"Good"}
    with source.open("ab") as file:
        file.write(b'{"protocolSection": {}}\n{"broken\n')
    done = load(address, source)
    assert (done.code, summary(done)) == (4, "2 unchanged, 1 invalid, 2 failed")
    assert accounted(done.err) == 5
    done = load(address, source, "--keep-invalid")
    assert (done.code, summary(done)) == (4, "2 unchanged, 1 new, 2 failed")
    assert query(address, "SELECT failed FROM loads ORDER BY load_id") == [(1,), (2,)]
    assert len(titles(address)) == 3


def test_a_number_too_large_for_its_column_is_left_out(address: str, tmp_path: Path) -> None:
    """A number beyond 64 bits and a day that is none are Issues and empty columns, never a failure of the load."""
    tree = numbered(1, designModule={"enrollmentInfo": {"count": 10**30}})
    tree["protocolSection"]["statusModule"] |= {
        "startDateStruct": {"date": "2020-13"},
        "studyFirstSubmitDate": "2020-02-30",
        "completionDateStruct": {"date": "0000-01-01"},
    }
    done = load(address, lines(tmp_path / "x.ndjson", tree))
    assert done.code == 0
    assert (done.err.count("(invalid-date)"), done.err.count("(number-out-of-range)")) == (3, 1)
    wanted = (
        "SELECT enrollment, start_date, start_date_from, study_first_submit_date, completion_date FROM studies"
    )
    assert query(address, wanted) == [(None, "2020-13", None, None, "0000-01-01")]


def test_the_sources_are_checked_like_any_others(address: str, tmp_path: Path) -> None:
    """A missing input is a failed record, and the warehouse is there without a study."""
    done = load(address, tmp_path / "none.json")
    assert (done.code, summary(done)) == (4, "1 failed")
    if not address.startswith("parquet"):
        assert query(address, "SELECT count(*) FROM loads") == [(0,)]
