"""Inputs and outputs of bulk conversions, for the tests."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from made_up import encoded, full_study, study


def number(position: int) -> str:
    """Return a number of a made-up study."""
    return f"NCT99{position:06}"


def small(position: int, updated: str = "2021-03-02", **modules: Any) -> bytes:
    """Return a small study, updated on some day."""
    status = {"statusModule": {"lastUpdatePostDateStruct": {"date": updated, "type": "ACTUAL"}}}
    return encoded(study(number(position), **status, **modules))


def full(position: int) -> bytes:
    """Return a study with everything in it."""
    tree = full_study()
    tree["protocolSection"]["identificationModule"]["nctId"] = number(position)
    return encoded(tree)


def zipped(path: Path, studies: Iterable[bytes]) -> Path:
    """Write an archive with an entry for each study, and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for position, data in enumerate(studies):
            archive.writestr(f"{position:06}.json", data)
    return path


def tree_of(folder: Path) -> dict[str, str]:
    """Return every file of a run, hidden ones included, with the hash of its bytes; the report has times in it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith("report")
    }


def lines_of(folder: Path, pattern: str) -> list[Any]:
    """Return the JSON of all lines of some files of a folder, in the order of their names."""
    return [json.loads(line) for path in sorted(folder.glob(pattern)) for line in path.read_bytes().splitlines()]


def report_of(folder: Path) -> Any:
    """Return the report of a run."""
    return json.loads((folder / "report.json").read_bytes())
