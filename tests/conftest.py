"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import postgres_server
from fhir_http import FhirHttp, running
from push_runs import with_sites, written
from trialconv.http_client import Retry
from warehouses import Places, new_database

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real records and official schemas, which the project does not contain."""
    folder = Path(os.environ.get("TRIALCONV_SHARED", ROOT.parent / "shared"))
    if not (folder / "corpus" / "smoke").is_dir():
        pytest.skip(f"no real records at {folder}; set TRIALCONV_SHARED to the folder that holds them")
    return folder


@pytest.fixture(scope="session")
def smoke_studies(shared: Path) -> list[tuple[str, bytes]]:
    """Return the small set of real studies that together hold every key path and enum value."""
    return [(path.name, path.read_bytes()) for path in sorted((shared / "corpus" / "smoke").glob("*.json"))]


@pytest.fixture(scope="session")
def development_studies(shared: Path) -> list[tuple[str, bytes]]:
    """Return all real studies at hand."""
    with zipfile.ZipFile(shared / "corpus" / "ctg-studies-dev.json.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".json"))
        return [(name, archive.read(name)) for name in names]


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """Return a PostgreSQL server that lives as long as the tests."""
    if why := postgres_server.missing():
        pytest.skip(why)
    with postgres_server.running() as server:
        yield server


@pytest.fixture
def places(tmp_path: Path, request: pytest.FixtureRequest) -> Places:
    """Return what makes the address of an empty warehouse of a kind."""

    def place(kind: str) -> str:
        if kind == "postgresql":
            return new_database(request.getfixturevalue("postgres"))
        count = sum(1 for _ in tmp_path.glob("warehouse-*"))
        return f"{kind}:{tmp_path / f'warehouse-{count}.{kind}'}"

    return place


@pytest.fixture(scope="session")
def example_page() -> Path:
    """Return the real page that the project keeps as its example."""
    return ROOT / "examples" / "NCT06108596.txt"


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits in these tests."""
    monkeypatch.setattr(Retry, "wait", lambda *_: 0.0)


@pytest.fixture
def server() -> Iterator[FhirHttp]:
    """Return a server that can do everything."""
    with running(FhirHttp()) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a folder with one study of three sites."""
    return written(tmp_path / "one", with_sites(3))
