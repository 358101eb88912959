"""`trialconv load`: the same rows in all warehouses, a study in one version, and nothing twice."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from command_runner import Ran, run
from made_up import Tree, encoded, full_study
from trialconv.sinks.warehouse import open_warehouse
from trialconv_mappings.warehouse_tables import SCHEMA_VERSION, tables
from warehouses import KINDS, Places, lines, numbered, query, rows_of

CREATED = ("--created", "2024-05-06T07:08:09Z", "--workers", "0")
MODULES = {
    "armsInterventionsModule": {
        "armGroups": [
            {"label": "Pill", "type": "EXPERIMENTAL", "interventionNames": ["Drug: Made-up pill"]},
            {"label": "Nothing", "type": "NO_INTERVENTION"},
        ],
        "interventions": [
            {"type": "DRUG", "name": "Made-up pill", "armGroupLabels": ["Pill"], "otherNames": ["Pill 7", "P7"]}
        ],
    },
    "contactsLocationsModule": {
        "locations": [
            {"facility": "Imaginary Clinic", "city": "Ampelhausen", "geoPoint": {"lat": 50.25, "lon": -7.5}}
        ]
    },
    "eligibilityModule": {
        "eligibilityCriteria": (
            "Inclusion Criteria:\n\n* Fever \\>= 38\n* Age of 18\n\nExclusion Criteria:\n\n* None of it"
        ),
        "minimumAge": "6 Months",
    },
}


def load(address: str, *arguments: str | Path) -> Ran:
    """Load sources, in this process."""
    return run("load", *arguments, "--to", address, *CREATED)


def summary(done: Ran) -> str:
    """Return what the last line says of records."""
    return done.err.splitlines()[-1].partition(";")[0]


def titles(address: str) -> dict[str, str]:
    """Return the title of each study in a warehouse."""
    return dict(query(address, "SELECT nct_id, brief_title FROM studies"))


@pytest.fixture(params=KINDS)
def address(request: pytest.FixtureRequest, places: Places) -> str:
    """Return an empty warehouse of each kind."""
    return places(request.param)


def test_the_rows_of_a_study(address: str, tmp_path: Path) -> None:
    """A study becomes rows of its tables, typed, with what was loaded in `loads` and `study_versions`."""
    done = load(address, lines(tmp_path / "one.ndjson", numbered(1, **MODULES)))
    assert (done.code, summary(done)) == (0, "1 new")
    rows = rows_of(address)
    (study,) = rows["studies"]
    assert {name: value for name, value in study.items() if value is not None} == {
        "nct_id": "NCT99000001",
        "version_date": "2021-03-02",
        "content_hash": study["content_hash"],
        "registry_state": "present",
        "load_id": 1,
        "schema_version": SCHEMA_VERSION,
        "brief_title": "A Made-up Study",
        "overall_status": "COMPLETED",
        "last_update_post_date": "2021-03-02",
        "last_update_post_date_type": "ACTUAL",
        "study_type": "INTERVENTIONAL",
        "eligibility_criteria": MODULES["eligibilityModule"]["eligibilityCriteria"].replace("\\", ""),
        "minimum_age": "6 Months",
        "minimum_age_number": 6,
        "minimum_age_unit": "Month",
        "minimum_age_years": pytest.approx(0.5, abs=1e-4),
    }
    assert re.fullmatch(r"[0-9a-f]{64}", study["content_hash"])
    assert [row["name"] for row in rows["intervention_other_names"]] == ["Pill 7", "P7"]
    assert [(row["arm_position"], row["intervention_position"]) for row in rows["arm_interventions"]] == [(1, 1)]
    assert [(row["latitude"], row["longitude"]) for row in rows["sites"]] == [(50.25, -7.5)]
    assert [(row["path"], row["parent_position"], row["kind"], row["text"]) for row in rows["criteria"]] == [
        ("1", None, "inclusion", "Inclusion Criteria:"),
        ("1.1", 1, "inclusion", "Fever >= 38"),
        ("1.2", 1, "inclusion", "Age of 18"),
        ("2", None, "exclusion", "Exclusion Criteria:"),
        ("2.1", 4, "exclusion", "None of it"),
    ]
    kinds = {row["resource_type"]: row["resource"]["resourceType"] for row in rows["fhir_resources"]}
    assert {"ResearchStudy", "Group", "Location"} <= kinds.keys()
    assert all(kind == stated for kind, stated in kinds.items())
    (version,) = rows["study_versions"]
    assert (version["content_hash"], version["record"]) == (study["content_hash"], None)
    (log,) = rows["loads"]
    assert (log["load_id"], log["started_at"], log["finished"]) == (1, "2024-05-06T07:08:09Z", True)
    assert (log["written"], log["unchanged"], log["older"], log["failed"], log["fhir_version"]) == (
        1,
        0,
        0,
        0,
        "R4",
    )


def test_the_three_warehouses_have_the_same_rows(places: Places, tmp_path: Path) -> None:
    """DuckDB, PostgreSQL and Parquet hold the same values, odd texts among them; every table of the protocol."""
    odd = "a\n\\.\nb, \"c\" 'd' {e} \\f\t\u00e4\U0001f600 ;NULL"
    full = full_study()
    full["protocolSection"]["designModule"]["phases"] = ["PHASE2", 'ODD "WORD" \\ {x,y}']
    source = lines(
        tmp_path / "some.ndjson",
        full,
        numbered(2, title=odd, **MODULES),
        numbered(3, title="", statusModule={"whyStopped": "NULL"}),
    )
    found = []
    for kind in KINDS:
        address = places(kind)
        assert load(address, source, "--history").code == 0
        found.append(rows_of(address))
    assert found[0] == found[1] == found[2]
    assert [name for name, rows in found[0].items() if not rows] == []
    assert odd in [row["brief_title"] for row in found[0]["studies"]]
    assert "" in [row["brief_title"] for row in found[0]["studies"]]


def test_a_second_load_writes_nothing(address: str, tmp_path: Path) -> None:
    """Loading the same records again changes nothing, not even the list of loads, whatever the download day."""
    source = lines(tmp_path / "some.ndjson", *(numbered(number) for number in range(5)))
    assert summary(load(address, source)) == "5 new"
    before = rows_of(address)
    trees = [numbered(number) for number in range(5)]
    for tree in trees:
        tree["derivedSection"] = {"miscInfoModule": {"versionHolder": "2026-01-02"}}
    done = load(address, lines(tmp_path / "again.ndjson", *trees))
    assert (done.code, summary(done)) == (0, "5 unchanged")
    assert rows_of(address) == before


def test_a_changed_study_takes_the_place_of_the_old_one(address: str, tmp_path: Path) -> None:
    """Only changed studies are written, all of their rows; those of others stay as they are."""
    source = [numbered(number, **MODULES) for number in range(4)]
    assert summary(load(address, lines(tmp_path / "a.ndjson", *source))) == "4 new"
    source[2] = numbered(2, day="2022-01-01", title="Another title", conditionsModule={"conditions": ["Ague"]})
    done = load(address, lines(tmp_path / "b.ndjson", *source))
    assert summary(done) == "3 unchanged, 1 changed"
    rows = rows_of(address)
    assert [row["load_id"] for row in rows["studies"]] == [1, 1, 2, 1]
    of_two = {name: [row for row in found if row.get("nct_id") == "NCT99000002"] for name, found in rows.items()}
    assert [row["condition"] for row in of_two["conditions"]] == ["Ague"]
    assert (of_two["arms"], of_two["sites"], of_two["criteria"]) == ([], [], [])
    assert len(rows["arms"]) == 6
    assert [row["version_date"] for row in of_two["study_versions"]] == ["2021-03-02", "2022-01-01"]
    assert [(row["written"], row["unchanged"]) for row in rows["loads"]] == [(4, 0), (1, 3)]


def test_an_older_version_does_not_overwrite_a_newer_one(address: str, tmp_path: Path) -> None:
    """An older version is left out with an Issue, unless it is asked for."""
    new, old = numbered(1, day="2022-01-01", title="New"), numbered(1, day="2020-01-01", title="Old")
    undated = numbered(1, title="Undated")
    del undated["protocolSection"]["statusModule"]["lastUpdatePostDateStruct"]
    load(address, lines(tmp_path / "new.ndjson", new))
    for name, tree in (("old", old), ("undated", undated)):
        done = load(address, lines(tmp_path / f"{name}.ndjson", tree))
        assert (done.code, summary(done)) == (0, "1 older")
        assert "(older-version)" in done.err
    assert titles(address) == {"NCT99000001": "New"}
    assert summary(load(address, tmp_path / "old.ndjson", "--allow-older")) == "1 changed"
    assert titles(address) == {"NCT99000001": "Old"}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_versions_in_an_input_the_newest_wins(address: str, tmp_path: Path, order: tuple[int]) -> None:
    """In any order of the input, the newest version is there in the end, and an Issue tells of each other."""
    trees = [numbered(1, day=f"202{year}-01-01", title=f"Of 202{year}") for year in range(3)]
    done = load(address, lines(tmp_path / "x.ndjson", *(trees[place] for place in order), numbered(2)))
    assert titles(address) == {"NCT99000001": "Of 2022", "NCT99000002": "A Made-up Study"}
    assert done.err.count("(duplicate-study)") == 2
    assert done.code == 0
    assert sum(map(int, re.findall(r"(\d+) (?:new|changed|older)", summary(done)))) == 4


def test_reload_writes_what_is_there(address: str, tmp_path: Path) -> None:
    """--reload writes studies again, as after a newer trialconv; another FHIR version or none is what it makes."""
    source = lines(tmp_path / "x.ndjson", numbered(1), numbered(2))
    load(address, source)
    assert summary(load(address, source, "--reload", "--fhir-version", "R5")) == "2 changed"
    assert set(query(address, "SELECT DISTINCT fhir_version FROM fhir_resources")) == {("R5",)}
    assert summary(load(address, source, "--reload", "--no-fhir")) == "2 changed"
    rows = rows_of(address)
    assert rows["fhir_resources"] == []
    assert [row["fhir_version"] for row in rows["loads"]] == ["R4", "R5", None]


def test_history_keeps_every_version(address: str, tmp_path: Path) -> None:
    """With --history each version that was written is there as the registry had it."""
    trees = [numbered(1, day=f"202{year}-01-01", title=f"Of 202{year}\x00") for year in range(2)]
    for place, tree in enumerate(trees):
        load(address, lines(tmp_path / f"{place}.ndjson", tree), "--history")
    rows = rows_of(address)["study_versions"]
    assert [row["load_id"] for row in rows] == [1, 2]
    # Databases hold no NUL.
    kept = json.loads(json.dumps(trees).replace("\\u0000", "\\ufffd"))
    assert [row["record"] for row in rows] == kept


def test_states_of_the_registry(address: str, tmp_path: Path) -> None:
    """A study can be marked as gone, once, with the day; loading it again makes it present."""
    source = lines(tmp_path / "x.ndjson", numbered(1), numbered(2))
    load(address, source)
    for changed in (1, 0):
        with open_warehouse(address) as warehouse:
            assert warehouse.mark(["NCT99000002", "NCT99000009"], "vanished", "2024-01-02") == changed
            warehouse.finish(0)
            stored = {each.nct_id: each.registry_state for each in warehouse.stored_versions()}
        assert stored == {"NCT99000001": "present", "NCT99000002": "vanished"}
    states = "SELECT registry_state, CAST(registry_state_date AS VARCHAR) FROM studies ORDER BY nct_id"
    assert query(address, states) == [("present", None), ("vanished", "2024-01-02")]
    assert summary(load(address, source)) == "1 unchanged, 1 changed"
    assert query(address, states) == [("present", None), ("present", None)]


def test_stored_versions_are_those_of_the_studies(address: str, tmp_path: Path) -> None:
    """What a warehouse says of its studies is what a later load compares with."""
    load(address, lines(tmp_path / "x.ndjson", *(numbered(number) for number in (3, 1, 2))))
    with open_warehouse(address, create=False) as warehouse:
        stored = list(warehouse.stored_versions())
        assert [each.nct_id for each in stored] == ["NCT99000001", "NCT99000002", "NCT99000003"]
        assert warehouse.versions_of(["NCT99000002", "NCT99000007"]) == {"NCT99000002": stored[1]}
    hashes = dict(query(address, "SELECT nct_id, content_hash FROM studies"))
    assert {each.nct_id: each.content_hash for each in stored} == hashes


def test_without_contacts_no_contact_is_loaded(address: str, tmp_path: Path) -> None:
    """--no-contacts leaves out names, addresses and numbers of contacts, in rows and resources."""
    module = {"centralContacts": [{"name": "Jane Secretname", "email": "jane@example.org", "phone": "0123"}]}
    source = lines(tmp_path / "x.ndjson", numbered(1, contactsLocationsModule=module))
    load(address, source, "--no-contacts")
    assert not re.search("Secretname|jane@|0123", str(rows_of(address)))


def test_workers_give_the_same_rows(tmp_path: Path, places: Places) -> None:
    """Several processes load what one does, in the same order."""
    source = lines(tmp_path / "x.ndjson", *(numbered(number % 300, title=f"T{number}") for number in range(400)))
    here, there = places("duckdb"), places("parquet")
    assert load(here, source).code == 0
    done = run("load", source, "--to", there, "--created", CREATED[1], "--workers", "2")
    assert done.code == 0
    assert rows_of(there) == rows_of(here)


def test_comments_and_types_are_those_of_the_table(places: Places, tmp_path: Path) -> None:
    """Every column of each warehouse has its comment: meaning, unit and source field."""
    source = lines(tmp_path / "x.ndjson", numbered(1))
    wanted = {(table.name, column.name): column.comment for table in tables().values() for column in table.columns}
    for kind in KINDS:
        address = places(kind)
        load(address, source)
        assert comments(address) == wanted
    assert (
        "Unit: participants. Source: protocolSection.designModule.enrollmentInfo.count."
        in wanted["studies", "enrollment"]
    )


def comments(address: str) -> dict[tuple[str, str], str]:
    """Return the comment of each column in a warehouse."""
    if address.startswith("duckdb"):
        found = query(
            address, "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL"
        )
    elif address.startswith("postgresql"):
        found = query(
            address,
            "SELECT c.relname, a.attname, col_description(c.oid, a.attnum) FROM pg_class c "
            "JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = 'public' AND c.relkind = 'r' AND col_description(c.oid, a.attnum) IS NOT NULL",
        )
    else:
        import pyarrow.parquet as pq

        current = Path(address.removeprefix("parquet:")) / "current"
        found = [
            (name, field.name, field.metadata[b"comment"].decode())
            for name in tables()
            for field in pq.read_schema(next((current / name).rglob("*.parquet")))
        ]
    return {(table, column): comment for table, column, comment in found}


# Counts and sums of real records.


def values(tree: Tree, *path: str) -> list[Any]:
    """Return what stands below a study at a path, all entries of lists."""
    found: list[Any] = [tree["protocolSection"]] if path[0].endswith("Module") else [tree]
    for step in path:
        found = [each[step] for each in found if step in each]
        found = [item for each in found for item in (each if isinstance(each, list) else [each])]
    return found


#: What is counted or summed in SQL, and the same of the registry's JSON.
FIGURES = {
    "SELECT count(*) FROM studies": lambda tree: 1,
    "SELECT sum(enrollment) FROM studies": lambda tree: sum(
        values(tree, "designModule", "enrollmentInfo", "count")
    ),
    "SELECT sum(latitude) FROM sites": lambda tree: sum(
        values(tree, "contactsLocationsModule", "locations", "geoPoint", "lat")
    ),
    "SELECT sum(longitude) FROM sites": lambda tree: sum(
        values(tree, "contactsLocationsModule", "locations", "geoPoint", "lon")
    ),
    "SELECT count(*) FROM sites": lambda tree: len(values(tree, "contactsLocationsModule", "locations")),
    "SELECT sum(length(condition)) FROM conditions": lambda tree: sum(
        map(len, values(tree, "conditionsModule", "conditions"))
    ),
    "SELECT sum(length(keyword)) FROM keywords": lambda tree: sum(
        map(len, values(tree, "conditionsModule", "keywords"))
    ),
    "SELECT sum(length(name)) FROM interventions": lambda tree: sum(
        map(len, values(tree, "armsInterventionsModule", "interventions", "name"))
    ),
    "SELECT sum(length(label)) FROM arms": lambda tree: sum(
        map(len, values(tree, "armsInterventionsModule", "armGroups", "label"))
    ),
    "SELECT sum(length(measure)) FROM outcomes": lambda tree: sum(
        sum(map(len, values(tree, "outcomesModule", name, "measure")))
        for name in ("primaryOutcomes", "secondaryOutcomes", "otherOutcomes")
    ),
    "SELECT sum(length(citation)) FROM study_references": lambda tree: sum(
        map(len, values(tree, "referencesModule", "references", "citation"))
    ),
    "SELECT sum(size) FROM documents": lambda tree: sum(
        values(tree, "documentSection", "largeDocumentModule", "largeDocs", "size")
    ),
    "SELECT sum(minimum_age_number) FROM studies": lambda tree: sum(
        int(age.split()[0]) for age in values(tree, "eligibilityModule", "minimumAge")
    ),
    "SELECT count(*) FROM studies WHERE has_results": lambda tree: int(tree["hasResults"]),
    "SELECT sum(length(identifier)) FROM identifiers WHERE kind = 'SECONDARY_ID'": lambda tree: sum(
        map(len, values(tree, "identificationModule", "secondaryIdInfos", "id"))
    ),
}


def test_counts_and_sums_are_those_of_the_source(
    smoke_studies: list[tuple[str, bytes]], places: Places, shared: Path
) -> None:
    """Counts and sums over real records are the source's own, in all three."""
    trees = [json.loads(data) for _, data in smoke_studies]
    for kind in KINDS:
        address = places(kind)
        done = load(address, shared / "corpus" / "smoke")
        assert (done.code, summary(done)) == (0, f"{len(trees)} new")
        for statement, of_source in FIGURES.items():
            expected = sum(map(of_source, trees))
            assert query(address, statement) == [(pytest.approx(expected),)], (kind, statement)


def test_a_table_of_figures_would_notice() -> None:
    """The counting functions see values of a study: another one gives other figures."""
    counted = [
        function(json.loads(encoded({**numbered(1, **MODULES), "hasResults": True})))
        for function in FIGURES.values()
    ]
    assert counted.count(0) < len(counted)
    assert counted[2] == 50.25
