"""The official FHIR packages, which the project does not contain, for the tests that compare with them."""

from __future__ import annotations

import json
import os
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def importable_scripts() -> Iterator[None]:
    """Let the scripts be imported, which lie beside the project's packages."""
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        yield
    finally:
        sys.path.remove(str(ROOT / "scripts"))


@cache
def scripts() -> Any:
    """Return the scripts' module that knows the packages."""
    with importable_scripts():
        import fhir_packages
    return fhir_packages


def folder() -> Path:
    """Return the folder where the packages are, if anywhere."""
    found = os.environ.get("TRIALCONV_FHIR_PACKAGES")
    return Path(found) if found else Path(scripts().cache_folder())


def release(version: str) -> Any:
    """Return a FHIR version with its packages."""
    (found,) = (one for one in scripts().RELEASES if one.short == version)
    return found


def files(version: str) -> list[Path]:
    """Return the files of the core and terminology packages of a FHIR version; skip the test without them."""
    paths = [folder() / package.file for package in release(version).packages]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        pytest.skip(f"{', '.join(missing)} not at {folder()}; `make packages` fetches them")
    return paths


def resources(archive: Path, *names: str) -> Iterator[dict[str, Any]]:
    """Yield the resources of a package whose files' names begin with one of the names."""
    with tarfile.open(archive) as members:
        for member in members:
            name = member.name.removeprefix("package/")
            stream = members.extractfile(member) if name.startswith(names) and name.endswith(".json") else None
            if stream:
                yield json.load(stream)
