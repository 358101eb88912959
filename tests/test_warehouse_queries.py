"""The queries of the documentation run on DuckDB and PostgreSQL, and answer what made-up studies say."""

from __future__ import annotations

import importlib.util
import math
import re
import statistics
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command_runner import run
from made_up import Tree
from postgres_server import missing
from test_load import load
from warehouses import lines, new_database, query

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "queries.md"
QUERIES = dict(re.findall(r"^### (.+)\n(?:(?!### ).*\n)*?```sql\n((?:.*\n)*?)```", PAGE.read_text("utf-8"), re.M))


def _example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


STUDIES: list[Tree] = [_example("made_up_studies").made_up_study(number) for number in range(300)]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> list[str]:
    """Return the addresses of a DuckDB and, where there is a server, of a PostgreSQL with the made-up studies."""
    folder = tmp_path_factory.mktemp("queries")
    addresses = [f"duckdb:{folder / 'trials.duckdb'}"]
    if not missing():
        addresses.append(new_database(request.getfixturevalue("postgres")))
    source = lines(folder / "studies.ndjson", *STUDIES)
    for address in addresses:
        assert load(address, source).code == 0
    return addresses


def test_there_are_a_dozen_queries() -> None:
    """The page has a dozen queries and more, each with a heading of its own."""
    assert len(QUERIES) == PAGE.read_text(encoding="utf-8").count("```sql") >= 12


@pytest.mark.parametrize("name", QUERIES)
def test_queries_give_the_same_rows_on_both(name: str, filled: list[str]) -> None:
    """Each query runs as it stands, finds something, and DuckDB and PostgreSQL answer alike, in the same order."""
    answers = [query(address, QUERIES[name]) for address in filled]
    assert answers[0]
    assert all(answer == answers[0] for answer in answers)
    if len(filled) < 2:
        pytest.skip(f"compared with nothing: {missing()}")


def module(tree: Tree, name: str) -> Tree:
    """Return a module of a study."""
    found: Tree = tree["protocolSection"][name]
    return found


def _near() -> list[tuple[str, str]]:
    found = []
    for tree in STUDIES:
        is_fever = any("fever" in name.lower() for name in module(tree, "conditionsModule")["conditions"])
        recruits = module(tree, "statusModule")["overallStatus"] == "RECRUITING"
        if not is_fever or not recruits or "PHASE2" not in module(tree, "designModule")["phases"]:
            continue
        for site in module(tree, "contactsLocationsModule")["locations"]:
            lat, lon = (math.radians(site["geoPoint"][name]) for name in ("lat", "lon"))
            # Haversine, another form of the same distance.
            half = (
                math.sin((lat - math.radians(60)) / 2) ** 2
                + math.cos(lat) * math.cos(math.radians(60)) * math.sin((lon - math.radians(10)) / 2) ** 2
            )
            if 2 * 6371 * math.asin(math.sqrt(half)) <= 100:
                found.append((module(tree, "identificationModule")["nctId"], site["facility"]))
    return sorted(found)


def _months() -> dict[str, int]:
    dates = [module(tree, "statusModule")["startDateStruct"]["date"] for tree in STUDIES]
    return Counter(f"{date[:7]}-01" for date in dates if len(date) > 4)


def _classes() -> dict[str, int]:
    return Counter(module(tree, "sponsorCollaboratorsModule")["leadSponsor"]["class"] for tree in STUDIES)


def _arms() -> dict[str, int]:
    found: dict[str, set[tuple[int, str]]] = {}
    for number, tree in enumerate(STUDIES):
        for item in module(tree, "armsInterventionsModule")["interventions"]:
            found.setdefault(item["type"], set()).update((number, label) for label in item["armGroupLabels"])
    return {kind: len(arms) for kind, arms in found.items() if arms}


def _sites() -> dict[str, int]:
    sites = [site for tree in STUDIES for site in module(tree, "contactsLocationsModule")["locations"]]
    return Counter(site["country"] for site in sites if site["status"] == "RECRUITING")


def _excluding() -> list[str]:
    texts = {
        module(tree, "identificationModule")["nctId"]: module(tree, "eligibilityModule")["eligibilityCriteria"]
        for tree in STUDIES
    }
    return sorted(nct_id for nct_id, text in texts.items() if "Pregnant" in text.partition("Exclusion")[2])


def _medians() -> dict[str, float]:
    found: dict[str, list[int]] = {}
    for tree in STUDIES:
        design = module(tree, "designModule")
        for phase in design["phases"]:
            found.setdefault(phase, []).append(design["enrollmentInfo"]["count"])
    return {phase: statistics.median(counts) for phase, counts in found.items()}


def _children() -> list[str]:
    return sorted(
        module(tree, "identificationModule")["nctId"]
        for tree in STUDIES
        if module(tree, "statusModule")["overallStatus"] == "RECRUITING"
        and module(tree, "eligibilityModule")["minimumAge"] != "18 Years"
    )


#: What a query answers, brought into the form in which Python has it from the studies themselves.
EXPECTED: dict[str, tuple[Callable[[list[Any]], Any], Callable[[], Any]]] = {
    "Trials by condition and phase near a place": (lambda rows: sorted((row[0], row[2]) for row in rows), _near),
    "Studies started by month": (lambda rows: {str(month): count for month, count in rows}, _months),
    "Lead sponsors by class": (lambda rows: {row[0]: row[1] for row in rows}, _classes),
    "Arms by type of intervention": (lambda rows: {row[0]: row[1] for row in rows}, _arms),
    "Recruiting sites by country": (lambda rows: {row[0]: row[1] for row in rows}, _sites),
    "Criteria that mention a term": (lambda rows: sorted(row[0] for row in rows), _excluding),
    "Enrollment by phase": (lambda rows: {row[0]: row[2] for row in rows}, _medians),
    "Open to children": (lambda rows: sorted(row[0] for row in rows), _children),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_queries_answer_what_the_studies_say(name: str, filled: list[str]) -> None:
    """The answer is the one that Python finds in the studies themselves."""
    form, expected = EXPECTED[name]
    assert form(query(filled[0], QUERIES[name])) == expected()


def test_the_plot_draws_the_query_of_the_page(tmp_path: Path, filled: list[str]) -> None:
    """The script of the plot has the page's query; the picture has a bar for each month, and is the same again."""
    plot = _example("plot_starts")
    assert plot.QUERY.strip() == QUERIES["Studies started by month"].strip()
    database = Path(filled[0].removeprefix("duckdb:"))
    pictures = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for picture in pictures:
        assert plot.draw(database, picture) == len(_months())
    texts = [picture.read_text(encoding="utf-8") for picture in pictures]
    assert texts[0] == texts[1]
    # The bars are clipped to the axes, one path each.
    assert texts[0].count("fill: #2a6f97") == len(_months())


def test_made_up_studies_convert_without_a_word(filled: list[str], tmp_path: Path) -> None:
    """The made-up studies are valid records: nothing is warned of."""
    done = run("load", lines(tmp_path / "x.ndjson", *STUDIES), "--to", filled[0], "--workers", "0")
    assert (done.code, done.err.splitlines()[-1]) == (0, "300 unchanged; issues: none")
