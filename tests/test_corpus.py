"""Every real study at hand, to every target. Without the studies these tests are skipped, and say so."""

from __future__ import annotations

import pytest

from made_up import defects
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import SourceInfo


@pytest.mark.parametrize("target", list(TARGETS))
def test_every_study_gives_a_valid_document(development_studies: list[tuple[str, bytes]], target: str) -> None:
    """No study fails, none gives a document with an error or a warning."""
    wrong = []
    for name, data in development_studies:
        made = transform(read_study(data, SourceInfo(name)), TARGETS[target], Options())
        wrong += [f"{name}: {found}" for found in defects(made.findings)]
    assert len(development_studies) > 2000
    assert wrong == []


@pytest.mark.parametrize("target", list(TARGETS))
def test_a_second_run_gives_the_same_bytes(smoke_studies: list[tuple[str, bytes]], target: str) -> None:
    """A record that is read again gives the same bytes, with everything that the first run left in memory."""
    for name, data in smoke_studies:
        first, second = (
            transform(read_study(data, SourceInfo(name)), TARGETS[target], Options(), check=False).data
            for _ in range(2)
        )
        assert first == second, name


def test_every_link_between_arm_and_intervention_survives(development_studies: list[tuple[str, bytes]]) -> None:
    """The actions of the plan hold the links that the record states, no more and no fewer."""
    for name, data in development_studies:
        record = read_study(data, SourceInfo(name))
        document = transform(record, TARGETS["fhir-r4"], Options(), check=False).document
        (plan,) = (
            entry["resource"]
            for entry in document["entry"]
            if entry["resource"]["resourceType"] == "PlanDefinition"
        )
        module = record.study.protocol_section.arms_interventions_module
        stated = {(label, each.name) for each in module.interventions for label in each.arm_group_labels}
        found = {
            (arm["title"], activity["title"])
            for top in plan.get("action", ())
            if top["title"] == "Arms"
            for arm in top["action"]
            for activity in arm.get("action", ())
        }
        assert found == stated, name
