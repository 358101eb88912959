"""Eligibility criteria: the tree of every kind of text, and that no character of a text is lost or made up."""

from __future__ import annotations

import json
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from criteria_outline import Case, cases, outline
from trialconv.lineage import plain
from trialconv_mappings.criteria import (
    Criterion,
    cohort_blocks,
    cohorts,
    read_criteria,
    study_wide,
    walk,
    whole_text,
)
from trialconv_mappings.criteria import reading as reading_module
from trialconv_mappings.criteria.doubts import TOO_DEEP

#: Pieces of which criteria texts are made, in any order.
PIECES = st.sampled_from(
    [
        *(
            "Inclusion Criteria:",
            "Exclusion Criteria:",
            "Key Inclusion Criteria",
            "INCLUSION",
            "Cohort A",
            "Healthy:",
        ),
        *("* ", "- ", "1. ", "2. ", "3) ", "a. ", "ii. ", "(1) ", "\\- ", "• ", "  * ", "   1. ", "o ", "① "),
        *(
            "made up",
            "Age \\>= 18",
            "any of the following:",
            "all of the following",
            "None",
            "Note: made up",
            "or",
            "and",
        ),
        *(
            "not excluded",
            "are excluded",
            "are allowed",
            "1. x 2. y 3. z",
            "<!-- -->",
            "Exclusion Criteria: made up",
        ),
        *(
            "\n",
            "\n\n",
            " ",
            "  ",
            "\t",
            ":",
            ".",
            ";",
            "\\",
            "&gt;",
            "\u00a0",
            "\u2028",
            "\r\n",
            "\x0b",
            "\u0130",
        ),
    ]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=40).map("".join), st.text(max_size=200))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_outline(case: Case) -> None:
    """The tree of a text is the one that stands below it in tests/criteria_cases."""
    assert outline(case.text) == case.outline


def test_there_are_enough_cases() -> None:
    """The cases are many, and no two have a name."""
    names = [case.name for case in cases()]
    assert len(names) == len(set(names)) >= 100


@settings(max_examples=400, deadline=None)
@given(TEXTS)
def test_no_character_is_lost_or_made_up(text: str) -> None:
    """The pieces of the tree, in its order, are the text."""
    assert read_criteria(text).source() == text


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_text_with_words_has_a_tree(text: str) -> None:
    """A text that is not white space has nodes, each with words; a part that was not taken apart says why."""
    tree = read_criteria(text)
    assert bool(tree.nodes) == bool(text.strip())
    for node in walk(tree.nodes):
        assert node.source.strip()
        assert (node.role == "whole") == (node.doubt is not None)
        assert not (node.role == "whole" and node.children)
        assert node.text == plain(node.text) or "\\" in text or "&" in text


def texts(studies: list[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """Return the criteria texts of real studies."""
    modules = [(name, json.loads(data)["protocolSection"].get("eligibilityModule", {})) for name, data in studies]
    return [(name, module["eligibilityCriteria"]) for name, module in modules if module.get("eligibilityCriteria")]


def test_real_texts_come_back_exactly(development_studies: list[tuple[str, bytes]]) -> None:
    """The tree of every real text holds all of it, and most have a certain reading in every part."""
    doubtful = 0
    found = texts(development_studies)
    for name, text in found:
        tree = read_criteria(text)
        assert tree.source() == text, name
        assert tree.nodes, name
        doubtful += not tree.certain
    assert doubtful < 0.06 * len(found)


def test_short_way_and_long_way_agree(
    development_studies: list[tuple[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain lists have a short way; it makes the same tree as the long one."""
    some = random.Random(1).sample(texts(development_studies), 500)  # noqa: S311 - a sample, no secret
    short = [read_criteria(text) for _, text in some]
    monkeypatch.setattr(reading_module, "plain_list", lambda *_: None)
    for (name, text), tree in zip(some, short, strict=True):
        assert read_criteria(text) == tree, name


#: Lines of lists: what they begin with, their words, and what follows them.
LINES = st.lists(
    st.tuples(
        st.sampled_from(
            ["* ", "* ", "1. ", "2. ", "3. ", "  * ", "   1. ", "   2. ", "  ", "    * ", "", "\\* ", "- "]
        ),
        st.sampled_from(
            [
                "made up",
                "Age \\>= 18",
                "any of the following:",
                "Note: made up",
                "or",
                "made up or",
                "made up and",
                "or made",
                "None",
                "(a) b",
                "(Part of) x",
                "are excluded",
                "Cohort A: x",
                "Participants must swim:",
                "a; b",
                "follows",
                "1. x 2. y",
                "2\\. x",
                "not eligible",
                "Exclusions are x",
                "are allowed",
                "except:",
                "No one of the following",
                "Other criteria apply",
                "i. x",
                "A. x",
                "x\\",
                "\\[x",
                "x &lt; 2",
            ]
        ),
        st.sampled_from(["\n", "\n", "\n\n"]),
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["Inclusion Criteria:\n\n", "Exclusion Criteria:\n\n"]), LINES)
def test_short_way_and_long_way_agree_on_any_list(heading: str, lines: list[tuple[str, str, str]]) -> None:
    """The short way makes the same tree as the long one, or leaves the text to it."""
    text = heading + "".join("".join(line) for line in lines)
    short = read_criteria(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_module, "plain_list", lambda *_: None)
        assert read_criteria(text) == short


def test_study_wide_criteria_of_real_texts_are_their_words(development_studies: list[tuple[str, bytes]]) -> None:
    """What is listed as holding for everybody stands in the text, and nothing of a cohort is among it."""
    for name, text in random.Random(2).sample(texts(development_studies), 400):  # noqa: S311
        words = "".join(plain(text).split())
        for node in study_wide(read_criteria(text)):
            assert node.cohort is None
            assert node.kind is not None
            assert "".join(whole_text(node).split()) in words, name


def tops(text: str) -> list[tuple[str | None, str]]:
    """Return the kind and the whole text of each study-wide criterion."""
    return [(node.kind, whole_text(node)) for node in study_wide(read_criteria(text))]


def test_sub_criteria_stand_in_the_text_of_their_criterion() -> None:
    """A criterion's whole text holds the lines below it, with their markers."""
    text = "Inclusion Criteria:\n\n* any of:\n\n  * fever \\> 1\n  * cough\n* two"
    assert tops(text) == [("inclusion", "any of:\n  * fever > 1\n  * cough"), ("inclusion", "two")]


def test_alternatives_are_one_criterion() -> None:
    """A list whose members are alternatives is listed as one criterion."""
    assert tops("Inclusion Criteria:\n\n* one or\n* two") == [
        ("inclusion", "Inclusion Criteria:\n* one or\n* two")
    ]


def test_cohorts_are_not_study_wide() -> None:
    """Criteria of a cohort are blocks that begin with its words, and are not listed as holding for everybody."""
    text = (
        "Group 1\n\nInclusion Criteria:\n\n* one\n\nExclusion Criteria:\n\n* two\n\n"
        "Group 2\n\nInclusion Criteria:\n\n* three"
    )
    tree = read_criteria(text)
    assert study_wide(tree) == []
    assert [node.cohort for node in cohorts(tree)] == ["Group 1", "Group 2"]
    assert [tuple(block) for block in cohort_blocks(tree)] == [
        ("inclusion", "Group 1\nInclusion Criteria:\n* one"),
        ("exclusion", "Group 1\nExclusion Criteria:\n* two"),
        ("inclusion", "Group 2\nInclusion Criteria:\n* three"),
    ]


def test_below_words_that_turn_round_no_kind_is_claimed() -> None:
    """Sub-criteria of an exception neither include nor exclude."""
    (section,) = read_criteria("Exclusion Criteria:\n\n* trips, except:\n\n  * short ones").nodes
    exception: Criterion = section.children[0]
    assert exception.kind == "exclusion"
    assert [child.kind for child in exception.children] == [None]


def test_lists_deeper_than_anyone_reads_are_kept_whole() -> None:
    """What is nested beyond all reason, which no parser of a document would read, stays one piece."""
    levels = [f"\n{' ' * 2 * depth}* Level {depth}" for depth in range(1, 700)]
    assert read_criteria("1. First" + "".join(levels[:25])).certain
    text = "1. First" + "".join(levels)
    tree = read_criteria(text)
    assert (tree.source(), tree.doubts) == (text, [TOO_DEEP])
    listed = "* First" + "".join(levels) + "\n* Last"
    nodes = read_criteria(listed).nodes
    assert [node.text.partition("\n")[0] for node in nodes] == ["First", "Last"]
    assert max(map(depth_of, nodes)) == 1


def depth_of(node: Criterion) -> int:
    """Return how many nodes stand above each other from a node down."""
    return 1 + max(map(depth_of, node.children), default=0)


@pytest.mark.parametrize("piece", ["_", "_ ", "* ", "(", "1. ", "a_", "note ", "[", " ", "other ", "\\", "a: "])
def test_time_grows_with_the_text_only(piece: str) -> None:
    """A line of many equal pieces takes no more time than its length accounts for."""
    start = time.process_time()
    text = "Inclusion Criteria:\n\n* " + piece * 50_000
    assert read_criteria(text).source() == text
    assert time.process_time() - start < 5
