"""The documents of all standards say the same of a study."""

from __future__ import annotations

import json
import os

import pytest

import facts
from made_up import full_study, record
from trialconv.catalog import TARGETS
from trialconv.context import Options
from trialconv.pipeline import transform
from trialconv.readers.ctgov_json import read_study
from trialconv.record import Record, SourceInfo


def documents(made: Record) -> dict[str, bytes]:
    """Return the documents of a record that are compared."""
    return {name: transform(made, TARGETS[name], Options(), check=False).data for name in facts.TARGETS}


def test_all_standards_say_the_same(request: pytest.FixtureRequest) -> None:
    """Number, status, phase, days, arms, links, criteria, sites, sponsor and enrolment are the same in all."""
    # All real studies at hand take minutes; the small set has every key path and every word of theirs.
    whole = os.environ.get("TRIALCONV_WHOLE_CORPUS")
    studies = request.getfixturevalue("development_studies" if whole else "smoke_studies")
    said: dict[str, int] = dict.fromkeys(facts.Facts._fields, 0)
    for name, data in studies:
        made = documents(read_study(data, SourceInfo(name)))
        assert facts.differing(made) == {}, name
        for fact, value in facts.fhir_facts(json.loads(made["fhir-r4"]))._asdict().items():
            said[fact] += value not in (None, [], set(), (None, None))
    # Facts that no study states would be equal without saying anything.
    assert all(count > len(studies) / 4 for count in said.values()), said


def test_a_difference_is_found() -> None:
    """A document that says another thing of any fact is told from the others."""
    tree = full_study()
    tree["protocolSection"]["designModule"]["studyType"] = "INTERVENTIONAL"
    made = documents(record(tree))
    assert facts.differing(made) == {}
    for old, new, fact in (
        (b"NCT99999901", b"NCT99999902", "number"),
        (b"PHASE II TRIAL", b"PHASE IV TRIAL", "phase"),
        (b'Name="Made-up arm"', b'Name="Other arm"', "arms"),
        (b"Made-up facility", b"Other facility", "sites"),
        (b"UNKNOWN", b"COMPLETED", "status"),
    ):
        other = {**made, "odm-1.3.2": made["odm-1.3.2"].replace(old, new)}
        assert other != made, old
        assert fact in facts.differing(other)
