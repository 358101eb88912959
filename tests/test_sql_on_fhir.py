"""The ViewDefinitions, run by an engine of SQL on FHIR over our bulk files, give the rows that `load` gives."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from made_up import full_study
from test_load import MODULES, load
from trialconv_mappings import warehouse
from warehouses import Places, lines, numbered, query

ENGINE = Path(__file__).parent / "sql_on_fhir"
VIEWS = sorted((Path(warehouse.__file__).parent / "views").glob("*.json"))
#: What a column of a view is in the tables, where the name does not say it.
COLUMNS = {
    ("studies", "phase"): "array_to_string(phases, '/')",
    ("studies", "version_date"): "CAST(version_date AS VARCHAR)",
    ("intervention_other_names", "intervention"): "i.name",
    ("intervention_other_names", "name"): "t.name",
}
JOINED = {
    "intervention_other_names": (
        " JOIN interventions i ON i.nct_id = t.nct_id AND i.position = t.intervention_position"
    )
}


def views() -> dict[str, dict[str, Any]]:
    """Return the ViewDefinitions by name."""
    return {path.stem: json.loads(path.read_bytes()) for path in VIEWS}


def columns_of(view: dict[str, Any]) -> list[str]:
    """Return the columns of a view in their order."""
    return [column["name"] for select in view["select"] for column in select["column"]]


def of_engine(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that the engine makes of bulk files, by view."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed, and the engine of SQL on FHIR runs on it")
    if not (ENGINE / "node_modules").is_dir():
        pytest.skip("the engine of SQL on FHIR is not installed; `make services` installs it where it can")
    command = ["node", str(ENGINE / "run.cjs"), str(folder), *map(str, VIEWS)]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603
    return dict(json.loads(done.stdout))


def of_tables(address: str, view: dict[str, Any]) -> Counter[tuple[Any, ...]]:
    """Return the rows that the tables have for a view."""
    name = view["name"]
    columns = [COLUMNS.get((name, column), f"t.{column}") for column in columns_of(view)]
    if "i.name" in columns:
        columns[0] = "t.nct_id"
    statement = f"SELECT {', '.join(columns)} FROM {name} t{JOINED.get(name, '')}"  # noqa: S608 - names of our own
    return Counter(query(address, statement))


def compare(source: Path, address: str, folder: Path) -> dict[str, int]:
    """Convert and load the same records, and compare the rows of each view. Returns how many there are."""
    assert run("to-fhir", source, "--format", "ndjson", "--out", folder).code == 0
    assert load(address, source, "--no-fhir").code == 0
    counts = {}
    for name, rows in of_engine(folder).items():
        view = views()[name]
        made = Counter(tuple(row[column] for column in columns_of(view)) for row in rows)
        stored = of_tables(address, view)
        assert (made - stored, stored - made) == (Counter(), Counter()), name
        counts[name] = made.total()
    return counts


def test_views_of_made_up_studies(tmp_path: Path, places: Places) -> None:
    """Every view has rows for made-up studies, and they are those of the tables."""
    full = full_study()
    source = lines(tmp_path / "x.ndjson", full, numbered(1, **MODULES), numbered(2))
    counts = compare(source, places("duckdb"), tmp_path / "bulk")
    assert set(counts) == {path.stem for path in VIEWS}
    assert all(counts.values())


def test_views_of_real_studies(shared: Path, tmp_path: Path, places: Places) -> None:
    """The same holds for real records."""
    counts = compare(shared / "corpus" / "smoke", places("duckdb"), tmp_path / "bulk")
    assert counts["studies"] == 57


def test_views_are_named_as_their_tables() -> None:
    """A view has the name of its table, is for R4, and begins with the number of the study."""
    for name, view in views().items():
        assert (view["resourceType"], view["name"], view["status"]) == ("ViewDefinition", name, "active")
        assert view["fhirVersion"] == ["4.0.1"]
        assert columns_of(view)[0] == "nct_id"
