"""Real studies to ODM: every document is valid, the same on every run, and readable by another program."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from odm_made_up import full_study
from trialconv.context import Context, Options
from trialconv.formats import ODM_VERSIONS, OdmVersion
from trialconv.odm_tree import NAMESPACES, Node
from trialconv.record import Record, SourceInfo, decode_study
from trialconv.validators.odm import validate_odm_xml
from trialconv.writers.odm_xml import write_odm_xml
from trialconv_mappings.odm.document import build_odm


def converted(name: str, data: bytes, version: OdmVersion) -> bytes:
    """Return the ODM document of an API v2 study."""
    record = Record(decode_study(data)[0], SourceInfo(name))
    return write_odm_xml(build_odm(Context(record, Options(odm_version=version))))


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_real_studies_are_valid_and_repeatable(
    version: OdmVersion, smoke_studies: list[tuple[str, bytes]]
) -> None:
    """Every study of the small set gives a document without errors, and the same bytes again."""
    for name, data in smoke_studies:
        document = converted(name, data, version)
        assert validate_odm_xml(document) == [], name
        assert converted(name, data, version) == document, name


@pytest.mark.parametrize(("version", "package"), [("2.0", "odm_2_0"), ("1.3.2", "odm_1_3_2")])
def test_odmlib_reads_the_same_content(
    version: OdmVersion, package: str, smoke_studies: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    """odmlib, an independent reader, finds the content of the tree; it does not know the elements of SDM-XML."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from odmlib import loader, odm_loader
    for name, data in [("full.json", msgspec.json.encode(full_study())), *smoke_studies[::6]]:
        record = Record(decode_study(data)[0], SourceInfo(name))
        root = build_odm(Context(record, Options(odm_version=version)))
        path = tmp_path / f"{name}.xml"
        path.write_bytes(write_odm_xml(root))
        reader = loader.ODMLoader(odm_loader.XMLODMLoader(model_package=package, ns_uri=NAMESPACES[version]))
        reader.open_odm_document(str(path))
        assert list(differences(root, reader.root(), "ODM")) == [], name


def differences(node: Node, read: Any, path: str) -> Iterator[str]:
    """Yield the places where an object of odmlib does not say what an element says."""
    for key, value in node.attributes.items():
        found = getattr(read, key.rpartition(":")[2], None)
        if not key.startswith("xmlns") and str(found) != value and not _same_number(found, value):
            yield f"{path}/@{key}: {found!r} and {value!r}"
    if node.text and read._content != node.text:
        yield f"{path}: {read._content!r} and {node.text!r}"
    groups: dict[str, list[Node]] = {}
    for child in node.elements:
        if not child.name.startswith("sdm:"):
            groups.setdefault(child.name, []).append(child)
    for name, children in groups.items():
        held = getattr(read, name, None)
        objects = list(held) if isinstance(held, list) else [held]
        if len(objects) != len(children):
            yield f"{path}/{name}: {len(objects)} and {len(children)}"
        for child, each in zip(children, objects, strict=False):
            yield from differences(child, each, f"{path}/{name}")


def _same_number(found: Any, value: str) -> bool:
    return isinstance(found, float | Decimal) and float(value) == float(found)
