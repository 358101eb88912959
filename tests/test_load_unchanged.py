"""Records that are there in their version are not converted, and everything ends as if they had been."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from made_up import Tree
from test_load import CREATED, load, summary
from trialconv import loading
from trialconv.sinks.warehouse import MergeRules, StoredVersion
from trialconv.sinks.warehouse.settled import Settled, SettledStudies
from trialconv_mappings.warehouse_tables import SCHEMA_VERSION
from warehouses import KINDS, Places, lines, numbered, query, rows_of


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, places: Places) -> str:
    """Return an empty warehouse of each kind."""
    return places(request.param)


@pytest.fixture
def converted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows with the study of each conversion."""
    found: list[str] = []
    prepare = loading.prepare

    def noting(record: Any, how: Any) -> Any:
        found.append(record.nct_id)
        return prepare(record, how)

    monkeypatch.setattr(loading, "prepare", noting)
    return found


def test_a_second_load_converts_what_is_not_there(address: str, tmp_path: Path, converted: list[str]) -> None:
    """Each record is told of, and only new, changed and invalid ones are converted."""
    trees = [numbered(number) for number in range(6)]
    load(address, lines(tmp_path / "a.ndjson", *trees[:5]))
    assert len(converted) == 5
    converted.clear()
    before = rows_of(address)
    assert summary(load(address, tmp_path / "a.ndjson")) == "5 unchanged"
    assert (converted, rows_of(address)) == ([], before)
    trees[1] = numbered(1, day="2022-01-01")
    trees[2] = numbered(2, day="2019-01-01")
    done = load(address, lines(tmp_path / "b.ndjson", *trees))
    assert summary(done) == "3 unchanged, 1 changed, 1 older, 1 new"
    assert converted == ["NCT99000001", "NCT99000002", "NCT99000005"]
    assert query(address, "SELECT written, unchanged, older FROM loads ORDER BY load_id") == [(5, 0, 0), (2, 3, 1)]
    converted.clear()
    assert summary(load(address, tmp_path / "a.ndjson", "--reload", "--allow-older")) == "5 changed"
    assert len(converted) == 5


def test_a_second_sync_of_a_bulk_file_converts_nothing(tmp_path: Path, converted: list[str]) -> None:
    """A bulk file in another order has another hash and is read; the report has a line for each record."""
    arguments = ("sync", "--to", f"duckdb:{tmp_path / 'x.duckdb'}", *CREATED)
    trees = [numbered(number) for number in range(4)]
    assert run(*arguments, "--from-bulk", lines(tmp_path / "a.ndjson", *trees)).code == 0
    converted.clear()
    report = tmp_path / "report.ndjson"
    done = run(*arguments, "--from-bulk", lines(tmp_path / "b.ndjson", *reversed(trees)), "--report", report)
    assert (done.code, json.loads(done.out)["records"]["unchanged"], converted) == (0, 4, [])
    told = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()]
    assert [each["record"] for each in told] == [f"NCT9900000{number}" for number in (3, 2, 1, 0)]
    assert {each["what"] for each in told} == {"unchanged"}


VERSIONS = (
    numbered(1, day="2020-01-01", title="There"),
    numbered(1, day="2020-01-01", title="Of the same day"),
    numbered(1, day="2021-01-01", title="Newer"),
)
ORDERS = [(2, 0), (0, 1, 0), (1, 0, 1, 0), (1, 2, 0)]


@pytest.mark.parametrize(("batch", "rule"), [(1, ()), (1, ("--allow-older",)), (2, ())])
def test_whatever_the_order_all_is_as_if_everything_were_converted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, rule: tuple[str, ...]
) -> None:
    """Versions that overtake one another within a load end as they do where nothing is known beforehand."""
    monkeypatch.setattr(loading, "BATCH", batch)
    monkeypatch.setattr(loading, "prepare", remembered(loading.prepare))
    monkeypatch.setattr(SettledStudies, "__init__", forgetful(SettledStudies.__init__))
    database = tmp_path / "x.duckdb"
    load(f"duckdb:{database}", lines(tmp_path / "first.ndjson", VERSIONS[0]))
    begin = database.read_bytes()
    for order in ORDERS:
        source = lines(tmp_path / "x.ndjson", *(VERSIONS[place] for place in order))
        ends = []
        for knowing in (True, False):
            database.write_bytes(begin)
            FORGET[:] = [] if knowing else [True]
            done = load(f"duckdb:{database}", source, *rule)
            FORGET.clear()
            ends.append((done.code, done.err, rows_of(f"duckdb:{database}")))
        assert ends[0] == ends[1], order
        assert ends[0][0] == 0


def test_versions_that_come_again_and_again_are_kept_once(address: str, tmp_path: Path) -> None:
    """A load that meets two versions of a day by turns writes each, and lists each once."""
    order = (1, 0, 1, 0, 1)
    done = load(address, lines(tmp_path / "x.ndjson", *(VERSIONS[place] for place in order), numbered(2)))
    assert (done.code, summary(done)) == (0, "2 new, 4 changed")
    assert query(address, "SELECT brief_title FROM studies ORDER BY nct_id") == [
        ("Of the same day",),
        ("A Made-up Study",),
    ]
    assert query(address, "SELECT nct_id, count(*) FROM study_versions GROUP BY nct_id ORDER BY nct_id") == [
        ("NCT99000001", 2),
        ("NCT99000002", 1),
    ]


FORGET: list[bool] = []


def forgetful(init: Any) -> Any:
    """Return the making of what is known, which knows nothing where `FORGET` says so."""

    def made(self: SettledStudies, path: Path, versions: Any, rules: MergeRules) -> None:
        init(self, path, [] if FORGET else versions, rules)

    return made


def remembered(prepare: Any) -> Any:
    """Return a preparation that does nothing twice, which only takes time here."""
    known: dict[str, Any] = {}

    def prepared(record: Any, how: Any) -> Any:
        key = record.version.content_hash
        if key not in known:
            known[key] = prepare(record, how)
        return known[key]

    return prepared


def test_what_is_known_beforehand(tmp_path: Path) -> None:
    """Studies are found by number, but those that a load would write again, and odd ones."""
    hashes = [f"{number:064x}" for number in range(300)]
    versions = [
        StoredVersion(f"NCT{number * 7 + 1:08}", "2020-01-01", hashes[number], "present", SCHEMA_VERSION)
        for number in range(300)
    ]
    versions[5] = versions[5]._replace(registry_state="vanished")
    versions[6] = versions[6]._replace(schema_version=SCHEMA_VERSION - 1)
    versions[7] = versions[7]._replace(content_hash="of somebody else")
    studies = SettledStudies(tmp_path / "known", iter(versions), MergeRules())
    assert studies.path
    known = Settled(studies.path)
    for number, version in enumerate(versions):
        assert known.hash_of(version.nct_id) == (None if number in (5, 6, 7) else hashes[number])
    assert [known.hash_of(name) for name in ("NCT00000002", "NCT99999999", "NCT00000000", "", "x")] == [None] * 5
    assert SettledStudies(tmp_path / "none", versions, MergeRules(reload=True)).path is None
    assert studies.are([versions[0].nct_id])
    studies.note({versions[0].nct_id: "changed", versions[1].nct_id: "unchanged"})
    assert not studies.are([versions[1].nct_id, versions[0].nct_id])
    assert studies.are([versions[1].nct_id])


def test_worker_processes_know_it_too(tmp_path: Path) -> None:
    """With worker processes, a second load of the same file is the same as without."""
    address = f"duckdb:{tmp_path / 'x.duckdb'}"
    tree: Tree = numbered(1)
    source = lines(tmp_path / "x.ndjson", tree, numbered(2))
    load(address, source)
    done = run("load", source, "--to", address, "--workers", "1", "--fail-on", "warning")
    assert (done.code, summary(done)) == (0, "2 unchanged")
