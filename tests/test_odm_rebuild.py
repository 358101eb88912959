"""Nothing is lost on the way to ODM: the study can be had back from the document, to the last character."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from odm_made_up import changed, context, full_study, leaf_paths
from trialconv.context import Context, Options
from trialconv.formats import ODM_VERSIONS, OdmVersion
from trialconv.odm_tree import Node
from trialconv.record import Record, SourceInfo, Study, decode_study, study_from_tree
from trialconv_mappings.odm.back import rebuilt_studies
from trialconv_mappings.odm.document import build_odm


def values(tree: Any, path: str = "") -> dict[str, Any]:
    """Return every value of a tree by its place; empty objects and lists say nothing and have none."""
    if isinstance(tree, dict):
        items = [(f"{path}.{key}", value) for key, value in tree.items()]
    elif isinstance(tree, list):
        items = [(f"{path}[{position}]", value) for position, value in enumerate(tree)]
    else:
        return {path: tree}
    return {place: value for inner, below in items for place, value in values(below, inner).items()}


def registered(study: Study) -> dict[str, Any]:
    """Return every value of a study beside its results."""
    tree = json.loads(msgspec.json.encode(study))
    tree.pop("resultsSection", None)
    return values(tree)


def rebuilt(root: Node) -> dict[str, Any]:
    """Return every value of the study that a document gives back."""
    (back,) = rebuilt_studies(root)
    study, _ = study_from_tree(back.tree)
    return registered(study)


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_made_up_study_comes_back(version: OdmVersion) -> None:
    """A study with a value in every field comes back, whichever of its values are changed."""
    for path in (None, *leaf_paths()[:: 1 if version == "2.0" else 5]):
        tree = changed(full_study(), path) if path else full_study()
        made = context(tree, odm_version=version)
        assert rebuilt(build_odm(made)) == registered(made.record.study), path


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_odd_texts_come_back(version: OdmVersion) -> None:
    """Escapes, characters that XML cannot hold, and names as they are filled in come back as they were."""
    modules = {
        "identificationModule": {"nctId": "NCT99999901", "briefTitle": "tab\tline\r\nend\u2028"},
        "descriptionModule": {"briefSummary": "a \\> b\x0c", "detailedDescription": "&gt; \\\\ \ufffe"},
        "conditionsModule": {"keywords": ["", "b"]},
        "armsInterventionsModule": {"armGroups": [{"label": "Arm 1"}, {"label": ""}, {"type": "OTHER"}]},
        "outcomesModule": {
            "primaryOutcomes": [
                {"measure": "M", "description": "M"},
                {"measure": "Outcome 2"},
                {"timeFrame": "T"},
            ],
            "otherOutcomes": [{"measure": "", "description": "Outcome 1"}, {"description": "\\<"}],
        },
        "contactsLocationsModule": {"locations": [{"facility": "Oslo", "city": "Oslo"}, {"city": "Oslo"}]},
    }
    made = context({"protocolSection": modules}, odm_version=version)
    assert rebuilt(build_odm(made)) == registered(made.record.study)


@pytest.mark.parametrize("version", ODM_VERSIONS)
def test_real_studies_come_back(version: OdmVersion, smoke_studies: list[tuple[str, bytes]]) -> None:
    """Every real study of the small set comes back."""
    for name, data in smoke_studies:
        study, _ = decode_study(data)
        made = Context(Record(study, SourceInfo(name)), Options(odm_version=version))
        assert rebuilt(build_odm(made)) == registered(study), name
