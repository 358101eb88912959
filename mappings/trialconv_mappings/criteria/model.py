"""The tree of a criteria text, and the ways to walk it.

Each node keeps its own piece of the source: its `lead` (marker, blank lines, indentation) and its `source` (its
own words as they stand). In the order of the tree these pieces are the whole text, character by character.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final, Literal, NamedTuple

from trialconv.lineage import join, plain

Kind = Literal["inclusion", "exclusion"]
Joiner = Literal["all-of", "any-of"]
Role = Literal["section", "heading", "criterion", "note", "text", "nothing", "whole"]


class Criterion(NamedTuple):
    """A node of the tree.

    kind: what meeting the criterion means; None where the text does not say, and below words that turn the meaning
        of a list round ("none of the following:", "except:").
    role: `section` (a heading of inclusion or exclusion; its children hold each for itself), `heading` (any other
        heading, above its children), `criterion`, `note`, `text` (words that introduce or accompany and are no
        criterion), `nothing` ("None"), `whole` (a part whose reading is not certain, not taken apart).
    text: the node's own words, plain, without its marker.
    joiner: how its children hold together, where the text says so.
    cohort: the words of the heading or beginning that limit it to some of the participants.
    doubt: why a `whole` node was not taken apart.
    """

    kind: Kind | None
    role: Role
    text: str
    joiner: Joiner | None
    cohort: str | None
    children: tuple[Criterion, ...]
    lead: str
    source: str
    doubt: str | None = None


#: Makes a node of a tuple of all its values, in less time than by their names.
node_of: Final = partial(tuple.__new__, Criterion)


class CriteriaTree(NamedTuple):
    """A criteria text as an ordered tree. `tail` is the white space at its end."""

    nodes: tuple[Criterion, ...]
    tail: str

    @property
    def certain(self) -> bool:
        """Tell whether every part has a certain reading."""
        return not any(node.doubt for node in walk(self.nodes))

    @property
    def doubts(self) -> list[str]:
        """Return the reason of each part that was not taken apart, in the order of the text."""
        return [node.doubt for node in walk(self.nodes) if node.doubt]

    @property
    def is_whole(self) -> bool:
        """Tell whether no part of the text could be taken apart."""
        return len(self.nodes) == 1 and self.nodes[0].role == "whole"

    def source(self) -> str:
        """Return the source text, put together from the nodes."""
        return "".join([part for node in walk(self.nodes) for part in (node.lead, node.source)]) + self.tail


def walk(nodes: tuple[Criterion, ...]) -> Iterator[Criterion]:
    """Yield the nodes and everything below them in the order of the text."""
    for node in nodes:
        yield node
        if node.children:
            yield from walk(node.children)


def whole_text(node: Criterion) -> str:
    """Return a node's words and those of all nodes below it, plain, a line each."""
    if not node.children:
        return node.text
    parts = [node.source]
    for below in walk(node.children):
        parts += (below.lead, below.source)
    lines = plain(join("", parts)).split("\n")
    return join("\n", [line.rstrip() for line in lines if line and not line.isspace()])


def study_wide(tree: CriteriaTree) -> list[Criterion]:
    """Return the criteria that hold for every participant, each with its sub-criteria below it.

    All inclusion criteria among them have to be met, and none of the exclusion criteria. What is said of a
    cohort is left out, and what is not said to include or to exclude. A list of alternatives, a part with a
    heading of its own and a part that was not taken apart are one criterion each.
    """
    return _study_wide(tree.nodes)


def _study_wide(nodes: tuple[Criterion, ...]) -> list[Criterion]:
    found: list[Criterion] = []
    for node in nodes:
        if node.cohort is not None:
            continue
        if node.role == "section" and node.joiner != ("all-of" if node.kind == "exclusion" else "any-of"):
            found += _study_wide(node.children)
        elif node.kind is not None and node.role in _STATES:
            found.append(node)
    return found


_STATES: Final = frozenset(("criterion", "whole", "heading", "section"))


def cohorts(tree: CriteriaTree) -> list[Criterion]:
    """Return the topmost nodes that are said of some of the participants only, in the order of the text."""
    return _cohorts(tree.nodes)


def _cohorts(nodes: tuple[Criterion, ...]) -> list[Criterion]:
    found: list[Criterion] = []
    for node in nodes:
        if node.cohort is not None:
            found.append(node)
        elif node.role in ("section", "heading"):
            found += _cohorts(node.children)
    return found


class Block(NamedTuple):
    """Criteria of a cohort as one: their kind and their whole text, below the words that name the cohort."""

    kind: Kind
    text: str


def cohort_blocks(tree: CriteriaTree) -> list[Block]:
    """Return the criteria of each cohort by kind, each block as one text that begins with the cohort's words."""
    found: list[Block] = []
    for node in cohorts(tree):
        if node.kind is not None:
            found.append(Block(node.kind, whole_text(node)))
            continue
        found += [
            Block(child.kind, node.text + "\n" + whole_text(child))
            for child in node.children
            if child.kind is not None
        ]
    return found


def has_others(tree: CriteriaTree) -> bool:
    """Tell whether there are criteria that are of a cohort, or of no kind that the text states for certain."""
    return any(
        node.role in ("criterion", "whole") and (node.kind is None or node.cohort is not None)
        for node in _tops(tree.nodes)
    )


def _tops(nodes: tuple[Criterion, ...]) -> Iterator[Criterion]:
    """Yield the nodes that are not below a criterion."""
    for node in nodes:
        if node.role in ("section", "heading"):
            yield from _tops(node.children)
        else:
            yield node
