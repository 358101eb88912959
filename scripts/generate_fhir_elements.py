"""Make the tables of FHIR's elements that the XML writer needs from the official definitions.

    python scripts/generate_fhir_elements.py [--packages DIR] [--check]

XML demands the elements of a type in the order of its definition, and writes some of them as attributes
(https://hl7.org/fhir/R4/xml.html). A table has a line for each type that has elements: its name, and then its
elements in order as `name:kind`. A kind is `.` for a primitive value, `@` for an attribute, `~` for XHTML, `*` for
any resource, and otherwise the name of the type, which has a line of its own. Writes a table per version into
converter/trialconv/writers/_generated. `--check` writes nothing and fails when that folder holds anything else.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fhir_packages import RELEASES, Release, definitions, package_file
from fhir_primitives import is_primitive
from fhir_structures import variants_of
from generate_fhir_schemas import run

TARGET = Path(__file__).resolve().parent.parent / "converter" / "trialconv" / "writers" / "_generated"

PRIMITIVE, ATTRIBUTE, XHTML, RESOURCE = ".", "@", "~", "*"
_SYSTEM_STRING = "http://hl7.org/fhirpath/System.String"
_KINDS = ("resource", "complex-type")


def generate(folder: Path, *, fetch: bool) -> dict[str, str]:
    """Return the tables by file name, made of the packages in `folder`.

    Raises PackageError when a package is missing and cannot be fetched.
    """
    return {f"fhir-{release.short.lower()}.elements.txt": _table(release, folder, fetch) for release in RELEASES}


def _table(release: Release, folder: Path, fetch: bool) -> str:
    core = release.packages[0]
    lines: dict[str, list[str]] = {}
    for one in definitions(package_file(core, folder, fetch=fetch), core):
        if one["resourceType"] == "StructureDefinition" and _has_elements(one):
            _add(lines, one["snapshot"]["element"])
    head = f"# FHIR {release.short} ({release.full}), made by scripts/generate_fhir_elements.py; do not edit\n"
    return head + "".join(f"{name} {' '.join(elements)}\n" for name, elements in sorted(lines.items()))


def _has_elements(one: dict[str, Any]) -> bool:
    concrete = one["kind"] in _KINDS and not one["abstract"] and one.get("derivation") == "specialization"
    # What stands beside a primitive is an Element.
    return concrete or one["id"] == "Element"


def _add(lines: dict[str, list[str]], elements: list[dict[str, Any]]) -> None:
    parents = {path.rpartition(".")[0] for path in (element["path"] for element in elements)}
    for element in elements[1:]:
        owner = element["path"].rpartition(".")[0]
        for name, type_name, _ in variants_of(element):
            lines.setdefault(owner, []).append(f"{name}:{_kind(element, type_name, parents)}")


def _kind(element: dict[str, Any], type_name: str, parents: set[str]) -> str:
    if "contentReference" in element:
        return str(element["contentReference"].rpartition("#")[2])
    if element["path"] in parents:
        return str(element["path"])
    if "xmlAttr" in element.get("representation", ()):
        return ATTRIBUTE
    if type_name == "xhtml":
        return XHTML
    if type_name == _SYSTEM_STRING or is_primitive(type_name):
        return PRIMITIVE
    return RESOURCE if type_name == "Resource" else type_name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, or 1 for differences, or 2 for missing packages."""
    return run(generate, TARGET, __doc__, arguments)


if __name__ == "__main__":
    sys.exit(main())
