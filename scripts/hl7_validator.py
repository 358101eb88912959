"""Fetch the HL7 validator for `trialconv validate --engine hl7`.

    python scripts/hl7_validator.py [--packages-only]

Resolves the published artifacts of hl7_validator/pom.xml with Maven, and unpacks the official FHIR packages into a
home of the validator's own, whose settings forbid it the network. `--packages-only` is for those who name a jar of
their own. Returns 1 with the reason where something cannot be had. What is there already is not fetched again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from fhir_packages import EXTENSIONS, RELEASES, Package, PackageError, cache_folder, package_file

from trialconv.validators.hl7.installation import PACKAGES, VERSION, home_folder, jars_folder, packages_folder

POM = Path(__file__).resolve().parent / "hl7_validator" / "pom.xml"
#: The validator asks for this package of extension definitions before anything else. It is not published where
#: packages can be had, and what it defines is not needed: the definitions of ours are loaded from our own files.
_EMPTY_PACKAGE = ("hl7.fhir.xver-extensions", "0.1.0", "5.0.0")


class FetchError(Exception):
    """Something cannot be had; the message says why."""


def fetch_jars() -> Path:
    """Return the folder with the validator's jars, resolved by Maven if it is not there yet. Raises FetchError."""
    _check_pom()
    folder = jars_folder()
    if folder.is_dir():
        return folder
    maven = shutil.which("mvn")
    if maven is None:
        raise FetchError("mvn is not installed; install Maven, or name a validator_cli.jar of HL7 with --hl7-jar")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        lib = Path(scratch) / "lib"
        goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={lib}")
        ran = subprocess.run(  # noqa: S603
            [maven, "-B", "-q", "-f", str(POM), *goal], capture_output=True, text=True, timeout=1200, check=False
        )
        if ran.returncode or not any(lib.glob("org.hl7.fhir.validation-*.jar")):
            said = (ran.stdout + ran.stderr).strip()
            raise FetchError(f"Maven could not resolve the HL7 validator {VERSION}:\n{said}")
        lib.rename(folder)
    return folder


def _check_pom() -> None:
    versions = {
        dependency.findtext("{*}artifactId"): dependency.findtext("{*}version")
        for dependency in ET.parse(POM).iterfind("{*}dependencies/{*}dependency")  # noqa: S314
    }
    if versions["org.hl7.fhir.validation"] != VERSION:
        raise FetchError(f"{POM} has another version than trialconv.validators.hl7.installation: {VERSION}")


def unpack_packages() -> Path:
    """Return the folder of the packages, unpacked and fetched as far as need be. Raises FetchError."""
    home = home_folder()
    folder = packages_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    (home / ".fhir" / "fhir-settings.json").write_text(json.dumps({"prohibitNetworkAccess": True}))
    for package in _wanted():
        try:
            _unpack(
                package_file(package, cache_folder(), fetch=True), folder / f"{package.name}#{package.version}"
            )
        except PackageError as problem:
            raise FetchError(
                f"the package {package.name} {package.version} is not at hand: {problem}"
            ) from problem
    name, version, fhir_version = _EMPTY_PACKAGE
    empty = {"name": name, "version": version, "fhirVersions": [fhir_version], "dependencies": {}}
    manifest = folder / f"{name}#{version}" / "package" / "package.json"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps(empty | {"url": "http://hl7.org/fhir", "canonical": "http://hl7.org/fhir"}))
    return folder


def _wanted() -> Iterator[Package]:
    known = {f"{one.name}#{one.version}": one for release in RELEASES for one in (*release.packages, *EXTENSIONS)}
    for name in dict.fromkeys(name for names in PACKAGES.values() for name in names):
        if name not in known:
            raise FetchError(f"scripts/fhir_packages.py does not know the package {name}")
        yield known[name]


def _unpack(archive: Path, target: Path) -> None:
    """Unpack a package, complete or not at all."""
    if target.is_dir():
        return
    with tempfile.TemporaryDirectory(dir=target.parent.parent) as scratch:
        unpacked = Path(scratch) / "unpacked"
        with tarfile.open(archive, "r:gz") as packed:
            packed.extractall(unpacked, filter="data")
        manifest = unpacked / "package" / "package.json"
        content: dict[str, Any] = json.loads(manifest.read_text())
        # The extensions ask for an older terminology than the one that is loaded beside them.
        manifest.write_text(json.dumps(content | {"dependencies": {}}))
        unpacked.rename(target)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch and unpack; returns 1 when something cannot be had."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--packages-only", action="store_true", help="Leave the validator itself out.")
    wanted = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"{unpack_packages()}\n")
        if not wanted.packages_only:
            sys.stdout.write(f"{fetch_jars()}\n")
    except (FetchError, OSError, subprocess.TimeoutExpired) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
