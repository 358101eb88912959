"""Make the strict JSON Schemas of FHIR R4, R4B and R5 from the official definitions.

    python scripts/generate_fhir_schemas.py [--packages DIR] [--check]

Writes one schema per version and `packages.json`, which names the packages they were made of, into
converter/trialconv/validators/_generated. `--check` writes nothing and fails when that folder holds anything
else than what it would write.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from fhir_invariants import add_invariants
from fhir_packages import RELEASES, Package, PackageError, Release, cache_folder, definitions, package_file, sha256
from fhir_structures import Builder
from fhir_valuesets import Terminology

Schema = dict[str, Any]

TARGET = Path(__file__).resolve().parent.parent / "converter" / "trialconv" / "validators" / "_generated"
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


class Generator(Protocol):
    """What makes the texts of generated files, by file name, of the packages in a folder."""

    def __call__(self, folder: Path, *, fetch: bool) -> dict[str, str]:
        """Raise PackageError when a package is missing and cannot be fetched."""
        ...


def generate(folder: Path, *, fetch: bool) -> dict[str, str]:
    """Return the texts of all generated files by file name, made of the packages in `folder`.

    Raises PackageError when a package is missing and cannot be fetched.
    """
    files = {}
    provenance = []
    invariants = {}
    for release in RELEASES:
        paths = [(package_file(package, folder, fetch=fetch), package) for package in release.packages]
        schema, left_out, invariants[release.short] = make_schema(release, paths)
        files[f"fhir-{release.short.lower()}.schema.json"] = schema_text(schema)
        provenance.append(
            {
                "fhirVersion": release.full,
                "release": release.short,
                "packages": [
                    {"name": package.name, "version": package.version, "sha256": sha256(path)}
                    for path, package in paths
                ],
                "requiredBindingsNotExpanded": left_out,
            }
        )
    files["packages.json"] = json.dumps(provenance, indent=1, sort_keys=True) + "\n"
    files["invariants.json"] = _listed(invariants)
    return files


def _listed(invariants: dict[str, list[Schema]]) -> str:
    """Return the invariants of all versions as JSON with one invariant on each line."""
    versions = (
        f"{_compact(release)}:[\n" + ",\n".join(map(_compact, found)) + "\n]"
        for release, found in invariants.items()
    )
    return "{\n" + ",\n".join(versions) + "\n}\n"


def make_schema(
    release: Release, paths: list[tuple[Path, Package]]
) -> tuple[Schema, dict[str, str], list[dict[str, Any]]]:
    """Return the schema of a version, and what it leaves out.

    That is the required value sets that could not be expanded, with the reasons, and all invariants, each with
    where it is enforced.
    """
    terminology = Terminology()
    structures: dict[str, Any] = {}
    for path, package in paths:
        for definition in definitions(path, package):
            if definition["resourceType"] == "StructureDefinition":
                structures.setdefault(definition["url"].rpartition("/")[2], definition)
            else:
                terminology.add(definition)
    builder = Builder(structures, terminology)
    builder.build()
    invariants = add_invariants(builder.definitions, structures, release.short)
    comment = f"FHIR {release.short} ({release.full}), made by scripts/generate_fhir_schemas.py; do not edit"
    schema = {"$schema": _DRAFT, "$comment": comment, "$ref": "#/$defs/ResourceList", "$defs": builder.definitions}
    return schema, dict(sorted(builder.not_expanded.items())), invariants


def schema_text(schema: Schema) -> str:
    """Return a schema as JSON with one definition on each line, so that a difference can be read."""
    lines = [f"{_compact(name)}:{_compact(one)}" for name, one in sorted(schema["$defs"].items())]
    head = [f"{_compact(key)}:{_compact(value)}" for key, value in schema.items() if key != "$defs"]
    return "{\n" + ",\n".join([*head, '"$defs":{\n' + ",\n".join(lines) + "\n}"]) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def differences(files: dict[str, str], target: Path) -> list[str]:
    """Say for every file of `target` that is not as generated where it first differs."""
    found = []
    for name, text in files.items():
        path = target / name
        if not path.is_file():
            found.append(f"{name}: missing")
            continue
        committed = path.read_text(encoding="utf-8")
        if committed != text:
            found.append(f"{name}: {_first_difference(committed.splitlines(), text.splitlines())}")
    return found


def _first_difference(committed: list[str], made: list[str]) -> str:
    for number, (old, new) in enumerate(zip(committed, made, strict=False), start=1):
        if old != new:
            place = next((at for at, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), 0)
            return f"line {number} ({new[:40]}): {old[place : place + 60]!r} should be {new[place : place + 60]!r}"
    return f"{len(committed)} lines should be {len(made)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 1 for differences, or 2 for missing packages."""
    return run(generate, TARGET, __doc__, arguments)


def run(generate_: Generator, target: Path, what: str | None, arguments: Sequence[str] | None) -> int:
    """Generate files of the packages, and write them to `target` or compare them with what is there."""
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder with the packages; nothing is fetched then")
    parser.add_argument("--check", action="store_true", help="compare with what is there and write nothing")
    options = parser.parse_args(arguments)
    try:
        files = generate_(options.packages or cache_folder(), fetch=options.packages is None)
    except PackageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    if options.check:
        found = differences(files, target)
        sys.stdout.write("".join(f"{line}\n" for line in found) or "the generated files are up to date\n")
        return 1 if found else 0
    target.mkdir(exist_ok=True)
    for name, text in files.items():
        (target / name).write_text(text, encoding="utf-8", newline="\n")
        sys.stdout.write(f"{name}: {len(text):,} characters\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
