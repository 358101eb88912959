"""Nothing is lost: the record comes back from the bundle, value by value."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from made_up import FHIR_TARGETS, Tree, encoded, full_study
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo, Study
from trialconv_mappings.fhir.back import study_tree
from trialconv_mappings.fields import field_rows


def read_back(record: Record, target: str) -> Tree:
    """Return the record that a bundle of this record gives back."""
    data = transform(record, TARGETS[target], Options(), check=False).data
    study = msgspec.convert(study_tree(json.loads(data)), Study, strict=False)
    return said(Record(study, SourceInfo("bundle")))


def said(record: Record) -> Tree:
    """Return what a record says in the fields that bundles carry."""
    tree: Tree = json.loads(record.to_json())
    tree.pop("resultsSection", None)
    for row in field_rows("fhir-r5"):
        if not row.home:
            _drop(tree, row.path.split("."))
    return tree


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
    if not any(tree[name]):
        del tree[name]


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_real_studies_come_back(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """Every value of a real study with a home in the bundle comes back from it, lists in their order."""
    for name, data in smoke_studies:
        record = read_study(data, SourceInfo(name))
        assert read_back(record, target) == said(record), name


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_full_study_comes_back(target: str) -> None:
    """A study with a value in every field comes back whole."""
    record = read_study(encoded(full_study()), SourceInfo("full"))
    assert read_back(record, target) == said(record)
