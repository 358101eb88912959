"""What each dependency weighs: its licence, its size on disk, and how long importing it takes.

    python benchmarks/bench_dependencies.py

Reads the metadata of what is installed, so it needs no network. Writes docs/dependencies.json, from which
`scripts/make_docs.py` makes the table of docs/dependencies.md.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from bench_core import machine

from trialconv import __version__

ROOT: Final = Path(__file__).resolve().parent.parent
_ROUNDS: Final = 7
_NAME = re.compile(r"[A-Za-z0-9._-]+")

#: What a conversion or a check imports of a package. odmlib is asked for its schema files only.
_IMPORTED: Final = {
    "fhir-resources": "fhir.resources.R4B.bundle",
    "jsonschema-rs": "jsonschema_rs",
    "lxml": "lxml.etree",
    "odmlib": None,
}


def main() -> int:
    """Measure, write and renew the page. Returns the exit code."""
    packages = [_weigh(name) for name in sorted(_needed("trialconv"))]
    figures = {"machine": machine(), "trialconv": __version__, "packages": packages}
    path = ROOT / "docs" / "dependencies.json"
    path.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for one in packages:
        sys.stdout.write(f"{one['name']:16} {one['version']:10} {one['mib']:6.1f} MiB  {one['import_ms']} ms\n")
    return subprocess.run([sys.executable, str(ROOT / "scripts" / "make_docs.py")], check=False).returncode  # noqa: S603 - our own script


def _needed(name: str) -> set[str]:
    """Return the names of the packages that a package needs here, without those of its extras."""
    found = set()
    for requirement in metadata.requires(name) or []:
        wanted, _, condition = requirement.partition(";")
        match = _NAME.match(wanted)
        if match and "extra" not in condition and _is_installed(match[0]):
            found.add(match[0].rstrip("-."))
    return found


def _is_installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _with_needs(name: str) -> set[str]:
    """Return a package and everything that it needs, at any distance."""
    found, waiting = set(), [name]
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            waiting += _needed(current)
    return found


def _weigh(name: str) -> dict[str, Any]:
    described = metadata.metadata(name)
    return {
        "name": described["Name"],
        "version": metadata.version(name),
        "licence": _licence(described),
        "mib": _size(name),
        "with_mib": sum(_size(one) for one in _with_needs(name)),
        "import_ms": _import_time(_IMPORTED.get(name, name)),
    }


def _licence(described: metadata.PackageMetadata) -> str:
    stated = [described[key] for key in ("License-Expression", "License") if key in described]
    classifiers = described.get_all("Classifier") or []
    stated += [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License ::")]
    return next((text for text in stated if text), "not stated")


def _size(name: str) -> float:
    """Return the MiB that a package's files take, without compiled bytecode."""
    files = [file for file in metadata.files(name) or [] if file.suffix != ".pyc"]
    return round(sum(file.size or 0 for file in files) / 1024**2, 2)


def _import_time(module: str | None) -> float | None:
    """Return the milliseconds that importing a module adds to starting Python, None without a module."""
    if module is None:
        return None
    extra = []
    for _ in range(_ROUNDS):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        between = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True)  # noqa: S603 - our own interpreter
        extra.append((time.perf_counter() - between) - (between - before))
    return round(max(statistics.median(extra), 0) * 1e3, 1)


if __name__ == "__main__":
    sys.exit(main())
