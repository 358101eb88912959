"""Make the FHIR packages with the definitions of the extensions that no package of HL7 defines.

    python scripts/make_extensions.py [--packages DIR] [--check]

Writes a folder per FHIR version into mappings/trialconv_mappings/extensions/_generated: package.json,
a StructureDefinition for each extension of extensions.csv without a package, and for R4 and R4B the code
systems of R5 whose codes stand in the documents, with the value sets of these that the extensions are bound to.
`--check` writes nothing and fails when that folder holds anything else than what it would write.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from extension_structures import Structures, definition_id
from fhir_packages import RELEASES, PackageError, Release, cache_folder, definitions, package_file

from trialconv import __version__
from trialconv.formats import FHIR_VERSIONS
from trialconv_mappings.extensions import BASE, Part, extensions

#: What documents of R4 and R4B use of R5, since R4 has no code system for it.
R5_SYSTEMS = frozenset(
    f"http://hl7.org/fhir/{name}"
    for name in (
        "research-study-arm-type",
        "research-study-party-organization-type",
        "research-study-party-role",
        "study-design",
        "title-type",
    )
)
#: How HL7 names, for R4 and R4B, the value set that an element of R5 is bound to.
R5_VALUE_SET = "http://hl7.org/fhir/uv/xver/ValueSet/R5-{}-for-R4"
TARGET = Path(__file__).resolve().parent.parent / "mappings" / "trialconv_mappings" / "extensions" / "_generated"


def generate(folder: Path, *, fetch: bool) -> dict[str, str]:
    """Return the texts of all generated files by their paths in the target, made of the packages in `folder`.

    Raises PackageError when a package is missing and cannot be fetched.
    """
    files = {}
    borrowed = {system["id"]: system for system in _code_systems_of_r5(folder, fetch=fetch)}
    for version, release in zip(FHIR_VERSIONS, RELEASES, strict=True):
        structures = Structures(extension_base(release, folder, fetch=fetch), release.full, __version__)
        files[f"{version.lower()}/package.json"] = _text(_manifest(release))
        for extension in extensions(version).values():
            if not extension.package:
                name = f"{version.lower()}/StructureDefinition-{definition_id(extension)}.json"
                files[name] = resource_text(structures.definition(extension))
        if version != "R5":
            files |= {f"{version.lower()}/CodeSystem-{id_}.json": _text(one) for id_, one in borrowed.items()}
            bound = {part.value_set for one in extensions(version).values() for part in _parts(one.form)}
            for system in borrowed.values():
                value_set = _value_set_of_r5(system)
                if value_set["url"] in bound:
                    files[f"{version.lower()}/ValueSet-{value_set['id']}.json"] = _text(value_set)
    return files


def _parts(part: Part) -> Iterator[Part]:
    yield part
    for inner in part.parts:
        yield from _parts(inner)


def _value_set_of_r5(system: dict[str, Any]) -> dict[str, Any]:
    """Return the value set of all codes of one of R5's code systems, by the name that it has in R4."""
    url = R5_VALUE_SET.format(system["id"])
    return {
        "resourceType": "ValueSet",
        "id": url.rpartition("/")[2],
        "url": url,
        **{key: system[key] for key in ("version", "name", "title", "status", "experimental")},
        "description": "A value set of FHIR R5, for validators of earlier versions.",
        "compose": {"include": [{"system": system["url"]}]},
    }


def _code_systems_of_r5(folder: Path, *, fetch: bool) -> Iterator[dict[str, Any]]:
    """Yield the code systems that R4 lacks, with codes, displays and other names alone.

    A validator of R4 takes a url below http://hl7.org/fhir that it cannot find for an error.
    """
    core = RELEASES[-1].packages[0]
    for definition in definitions(package_file(core, folder, fetch=fetch), core):
        if definition["resourceType"] == "CodeSystem" and definition.get("url") in R5_SYSTEMS:
            kept = ("resourceType", "id", "url", "version", "name", "title", "status", "experimental")
            yield {
                **{key: definition[key] for key in kept},
                "description": "The codes of a code system of FHIR R5, for validators of earlier versions.",
                "caseSensitive": definition["caseSensitive"],
                "content": "complete",
                "concept": _concepts(definition["concept"]),
            }


def _concepts(concepts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return concepts without definitions."""
    return [
        {
            "code": one["code"],
            "display": one["display"],
            **({"designation": one["designation"]} if "designation" in one else {}),
            **({"concept": _concepts(one["concept"])} if "concept" in one else {}),
        }
        for one in concepts
    ]


def extension_base(release: Release, folder: Path, *, fetch: bool) -> dict[str, Any]:
    """Return FHIR's own definition of Extension in a version."""
    core = release.packages[0]
    for definition in definitions(package_file(core, folder, fetch=fetch), core):
        if definition.get("id") == "Extension" and definition["resourceType"] == "StructureDefinition":
            return definition
    raise PackageError(f"{core.name} does not define Extension")


def _manifest(release: Release) -> dict[str, Any]:
    return {
        "name": f"trialconv.extensions.{release.short.lower()}",
        "version": __version__,
        "type": "Conformance",
        "title": f"Extensions of trialconv, FHIR {release.short}",
        "description": "The definitions of the extensions that trialconv writes and no package of HL7 has.",
        "canonical": BASE,
        "url": BASE,
        "license": "Apache-2.0",
        "author": "trialconv",
        "fhirVersions": [release.full],
        "dependencies": {release.packages[0].name: release.full},
    }


def _text(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def resource_text(definition: dict[str, Any]) -> str:
    """Return a StructureDefinition as JSON with an element on each line, so that a difference can be read."""
    lines = []
    for key, value in definition.items():
        if key in ("snapshot", "differential"):
            elements = ",\n".join(f"  {_line(element)}" for element in value["element"])
            lines.append(f' "{key}":{{"element":[\n{elements}\n ]}}')
        else:
            lines.append(f' "{key}":{_line(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def differences(files: dict[str, str], target: Path) -> Iterator[str]:
    """Yield each file of `target` that is missing, not as generated, or not generated at all."""
    there = {path.relative_to(target).as_posix(): path for path in target.rglob("*") if path.is_file()}
    for name in sorted(files.keys() | there.keys()):
        if name not in there:
            yield f"{name}: missing"
        elif name not in files:
            yield f"{name}: not generated"
        elif there[name].read_text(encoding="utf-8") != files[name]:
            yield f"{name}: not as generated"


def write(files: dict[str, str], target: Path) -> None:
    """Write the files, and remove what is not among them."""
    for difference in list(differences(files, target)):
        if difference.endswith("not generated"):
            (target / difference.partition(":")[0]).unlink()
    for name, text in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 1 for differences, or 2 for missing packages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder with the packages; nothing is fetched then")
    parser.add_argument("--check", action="store_true", help="compare with what is there and write nothing")
    options = parser.parse_args(arguments)
    try:
        files = generate(options.packages or cache_folder(), fetch=options.packages is None)
    except PackageError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    if options.check:
        found = list(differences(files, TARGET))
        sys.stdout.write("".join(f"{line}\n" for line in found) or "the definitions are up to date\n")
        return 1 if found else 0
    write(files, TARGET)
    sys.stdout.write(f"{len(files)} files\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
