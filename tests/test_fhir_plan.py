"""The plan of a study in FHIR: its goals, and how its arms exclude one another."""

from __future__ import annotations

from typing import get_args

import pytest

from made_up import FHIR_TARGETS, converted, extensions, resources, study
from trialconv.record import enums


@pytest.mark.parametrize("target", FHIR_TARGETS)
def test_outcomes_are_goals_that_say_so(target: str) -> None:
    """Each outcome measure is a goal of the plan with its kind and time frame; there are no objectives."""
    outcomes = {
        "primaryOutcomes": [{"measure": "Survival", "description": "Alive", "timeFrame": "12 months"}],
        "otherOutcomes": [{"measure": "Mood"}],
    }
    made = converted(study(outcomesModule=outcomes), target)
    (plan,) = resources(made.document, "PlanDefinition")
    survival, mood = plan["goal"]
    assert survival["description"] == {"text": "Survival"}
    assert survival["category"]["text"] == "Primary outcome measure"
    assert extensions(survival, "/outcome-time-frame")[0]["valueString"] == "12 months"
    assert mood["category"] == {"text": "Other pre-specified outcome measure"}
    assert "target" not in survival
    assert "objective" not in resources(made.document, "ResearchStudy")[0]


#: How the arms exclude one another, where the registry's model says it.
SELECTION = {
    "PARALLEL": "exactly-one",
    "FACTORIAL": "exactly-one",
    "CROSSOVER": None,
    "SEQUENTIAL": None,
    "SINGLE_GROUP": None,
}


@pytest.mark.parametrize("model", get_args(enums.InterventionalAssignment))
def test_selection_behaviour(model: str) -> None:
    """Arms exclude one another only where the model says that a participant is in one of them."""
    arms = {"armGroups": [{"label": "A"}, {"label": "B"}]}
    tree = study(designModule={"designInfo": {"interventionModel": model}}, armsInterventionsModule=arms)
    (plan,) = resources(converted(tree).document, "PlanDefinition")
    assert plan["action"][0].get("selectionBehavior") == SELECTION[model]
    alone = study(
        designModule={"designInfo": {"interventionModel": model}},
        armsInterventionsModule={"armGroups": [{"label": "A"}]},
    )
    (plan,) = resources(converted(alone).document, "PlanDefinition")
    assert "selectionBehavior" not in plan["action"][0]
