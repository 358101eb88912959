"""Eligibility criteria: split where there is one reading, and left whole where there are several."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from trialconv.lineage import plain
from trialconv_mappings.criteria import split_criteria

WORD = re.compile(r"[^\W\d_]{2,}")
SPLIT = {
    "plain lists": (
        "Inclusion Criteria:\n\n* one\n* two\n\nExclusion Criteria:\n\n* three",
        [("inclusion", "one"), ("inclusion", "two"), ("exclusion", "three")],
    ),
    "numbers": (
        "INCLUSION CRITERIA\n\n1. one\n2. two\n3. three",
        [("inclusion", "one"), ("inclusion", "two"), ("inclusion", "three")],
    ),
    "other markers": (
        "Key Inclusion Criteria:\n- one\n- two\nKey Exclusion Criteria:\n- three\n- four",
        [("inclusion", "one"), ("inclusion", "two"), ("exclusion", "three"), ("exclusion", "four")],
    ),
    "marked headings": (
        "**Inclusion Criteria:**\n\n* one\n\n**Exclusion Criteria:**\n\n* two",
        [("inclusion", "one"), ("exclusion", "two")],
    ),
    "exclusion first": (
        "Exclusion:\n\n* one\n\nInclusion:\n\n* two",
        [("exclusion", "one"), ("inclusion", "two")],
    ),
    "escapes": (
        "Inclusion Criteria:\n\n* Age \\>= 18 \\[years\\]\n* BMI \\< 30",
        [("inclusion", "Age >= 18 [years]"), ("inclusion", "BMI < 30")],
    ),
    "lines that go on": (
        "Inclusion Criteria:\n\n* one\n  goes on\n* two",
        [("inclusion", "one\ngoes on"), ("inclusion", "two")],
    ),
    "sub-lists": (
        "Inclusion Criteria:\n\n* any of:\n\n  * fever\n  * cough\n* two",
        [("inclusion", "any of:\n* fever\n* cough"), ("inclusion", "two")],
    ),
    "paragraphs": (
        "Inclusion Criteria:\n\nOne sentence.\n\nAnother one.",
        [("inclusion", "One sentence."), ("inclusion", "Another one.")],
    ),
}
WHOLE = {
    "empty": "",
    "no heading": "* one\n* two",
    "no list and no heading": "Everybody who likes to.",
    "text before": "For all cohorts\n\nInclusion Criteria:\n\n* one",
    "a heading twice": "Inclusion:\n\n* one\n\nExclusion:\n\n* two\n\nInclusion:\n\n* three",
    "alternatives on one level": "Inclusion Criteria:\n\n* one of the following:\n* fever\n* cough",
    "heading in a sentence": "Inclusion criteria are as listed by the protocol, exclusion criteria as well.",
    "paragraph before a list": "Inclusion Criteria:\n\nAll of these:\n\n* fever\n* cough",
}


@pytest.mark.parametrize(("text", "expected"), SPLIT.values(), ids=SPLIT)
def test_one_reading(text: str, expected: list[tuple[str, str]]) -> None:
    """A text with one reading is split into its top-level criteria."""
    assert [(found.kind, found.text) for found in split_criteria(text)] == expected


@pytest.mark.parametrize("text", WHOLE.values(), ids=WHOLE)
def test_several_readings(text: str) -> None:
    """A text without a certain reading is not split."""
    assert split_criteria(text) == []


def words(text: str) -> Counter[str]:
    """Return the words of a text, without the lines that may be headings and without numbering."""
    lines = [line for line in text.split("\n") if "clusion" not in line.lower()]
    return Counter(word for word in WORD.findall("\n".join(lines)) if set(word.lower()) - set("ivx"))


def test_no_word_is_lost_in_real_studies(development_studies: list[tuple[str, bytes]]) -> None:
    """Every word of a real text that is split stands in the criteria; only 'none' and the like is none."""
    split = whole = 0
    for name, data in development_studies:
        module = json.loads(data)["protocolSection"].get("eligibilityModule", {})
        criteria = split_criteria(module.get("eligibilityCriteria", ""))
        if criteria:
            split += 1
            told = "\n".join(found.text for found in criteria)
            expected = words(plain(module["eligibilityCriteria"]))
            lost = {word.lower() for word in expected - words(told)}
            assert lost <= {"none", "nil", "not", "applicable"}, name
            assert not words(told) - expected, name
        else:
            whole += 1
    assert split > whole
