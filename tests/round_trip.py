"""There and back: a record to a document's bytes, and the record that trialconv reads out of them."""

from __future__ import annotations

import io
import json
from typing import Any

from trialconv.catalog import TARGETS, Target, fhir_in_xml
from trialconv.context import Options
from trialconv.formats import FHIR_VERSIONS
from trialconv.issues import SourceError
from trialconv.pipeline import read_documents, transform
from trialconv.readers.sources import MAX_RECORD_SIZE, Document
from trialconv.record import Record, SourceInfo
from trialconv_mappings.fields import field_rows

#: Every form from which a record comes back whole, but for the fields that have no home in it.
FORMS: dict[str, Target] = {
    **{name: TARGETS[name] for name in ("fhir-r4", "fhir-r4b", "fhir-r5", "odm-2.0", "odm-2.0-json", "odm-1.3.2")},
    **{
        f"fhir-{version.lower()}-xml": fhir_in_xml(TARGETS[f"fhir-{version.lower()}"], version)
        for version in FHIR_VERSIONS
    },
}


def outcomes(data: bytes, reader: str | None = None) -> list[Record | SourceError]:
    """Return what becomes of each study in a document, whose kind its content tells."""
    document = Document(SourceInfo("document"), io.BytesIO(data), data[:65536])
    return list(read_documents([document], reader, MAX_RECORD_SIZE))


def only_record(data: bytes) -> Record:
    """Return the record of a document with one study."""
    (found,) = outcomes(data)
    assert isinstance(found, Record), found
    return found


def written(record: Record, form: str, **options: Any) -> bytes:
    """Return the bytes of a record in a form."""
    return transform(record, FORMS[form], Options(**options), check=False).data


def said(record: Record, form: str) -> dict[str, Any]:
    """Return what a record says in the fields that a form has a home for: its values by their places.

    An empty text, object or list says nothing.
    """
    target = form.removesuffix("-xml")
    tree: Any = _filled(json.loads(record.to_json()))
    tree.pop("resultsSection", None)
    for row in field_rows(target):
        if not row.home:
            _drop(tree, row.path.split("."))
    return values(_filled(tree))


def values(tree: Any, path: str = "") -> dict[str, Any]:
    """Return every value of a tree by its place."""
    if isinstance(tree, dict):
        items = [(f"{path}.{key}" if path else key, value) for key, value in tree.items()]
    elif isinstance(tree, list):
        items = [(f"{path}[{position}]", value) for position, value in enumerate(tree)]
    else:
        return {path: tree}
    return {place: value for inner, below in items for place, value in values(below, inner).items()}


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the values that differ, by their places."""
    return {
        place: (one.get(place), other.get(place))
        for place in {**one, **other}
        if one.get(place) != other.get(place) or type(one.get(place)) is not type(other.get(place))
    }


def _filled(value: Any) -> Any:
    """Return a tree without what says nothing, at any depth."""
    if isinstance(value, dict):
        pairs = ((key, _filled(item)) for key, item in value.items())
        return {key: item for key, item in pairs if item not in ({}, [], "")}
    if isinstance(value, list):
        return [item for item in map(_filled, value) if item not in ({}, [], "")]
    return value


def _drop(tree: Any, steps: list[str]) -> None:
    step, *rest = steps
    name = step.removesuffix("[]")
    if not isinstance(tree, dict) or name not in tree:
        return
    if not rest:
        del tree[name]
        return
    for below in tree[name] if step.endswith("[]") else [tree[name]]:
        _drop(below, rest)
