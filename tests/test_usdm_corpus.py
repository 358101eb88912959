"""Real studies to USDM, against the official OpenAPI; and the schema that is made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def official(shared: Path) -> jsonschema_rs.Validator:
    """Return the schema of the wrapper as the OpenAPI gives it."""
    api = json.loads((shared / "schemas" / "usdm-4.0" / "USDM_API.json").read_text(encoding="utf-8"))
    schema = {"$ref": "#/components/schemas/Wrapper-Input", "components": api["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def test_real_studies_keep_to_the_official_schema(
    development_studies: list[tuple[str, bytes]], official: jsonschema_rs.Validator
) -> None:
    """Every fourth real study gives a document that the official schema of the API finds nothing wrong with."""
    for name, data in development_studies[::4]:
        made = transform(read_study(data, SourceInfo(name)), TARGETS["usdm-4.0"], Options(), check=False)
        assert official.is_valid(json.loads(made.data)), name


def test_generating_again_changes_nothing(shared: Path) -> None:
    """The committed schema and rules are what the generator makes of the official files."""
    command = [
        sys.executable,
        str(ROOT / "scripts" / "generate_usdm_schema.py"),
        "--sources",
        str(shared),
        "--check",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr


def test_generator_needs_its_files(tmp_path: Path) -> None:
    """Without the official files the generator says so and ends with 2."""
    command = [sys.executable, str(ROOT / "scripts" / "generate_usdm_schema.py"), "--sources", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (2, "")
    assert "not there" in done.stderr
