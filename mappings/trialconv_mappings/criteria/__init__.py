"""Eligibility criteria: the registry's one text as an ordered tree.

The registry asks for one text with a heading for inclusion and one for exclusion and a list below each
(https://clinicaltrials.gov/policy/protocol-definitions#EligibilityCriteria). Sponsors write it in many ways. What
has one reading is taken apart; what has several stays whole, and says why. docs/eligibility.md tells the rules.
"""

from trialconv_mappings.criteria.composing import composed_text, says_criteria
from trialconv_mappings.criteria.listed import criteria_tree, listed_criteria
from trialconv_mappings.criteria.model import (
    Block,
    CriteriaTree,
    Criterion,
    Joiner,
    Kind,
    cohort_blocks,
    cohorts,
    has_others,
    study_wide,
    walk,
    whole_text,
)
from trialconv_mappings.criteria.reading import read_criteria

__all__ = [
    "Block",
    "CriteriaTree",
    "Criterion",
    "Joiner",
    "Kind",
    "cohort_blocks",
    "cohorts",
    "composed_text",
    "criteria_tree",
    "has_others",
    "listed_criteria",
    "read_criteria",
    "says_criteria",
    "study_wide",
    "walk",
    "whole_text",
]
