"""A criteria text into its tree."""

from __future__ import annotations

from trialconv_mappings.criteria import paragraphs, vocabulary, words
from trialconv_mappings.criteria.doubts import BEFORE, HIDDEN, TWICE
from trialconv_mappings.criteria.leaves import plain_lines, plain_text
from trialconv_mappings.criteria.members import members
from trialconv_mappings.criteria.model import CriteriaTree, Criterion, node_of
from trialconv_mappings.criteria.quick import has_odd_space, plain_list
from trialconv_mappings.criteria.sections import Section, cut, outer_cohorts


def read_criteria(markup: str) -> CriteriaTree:
    """Read a criteria text (registry markup) into its tree. Every text has one; see `CriteriaTree.certain`."""
    text = markup.rstrip()
    if not text:
        return CriteriaTree((), markup)
    tail = markup[len(text) :]
    sections = cut(text)
    outers = outer_cohorts(sections)
    if outers is None:
        return _all_whole(markup, tail, TWICE)
    _name_people(sections)
    odd = has_odd_space(text)
    nodes: list[Criterion] = []
    outer: list[Criterion] = nodes
    head: tuple[str, str, str] | None = None
    for number, section in enumerate(sections):
        cohort = outers.get(number)
        if section.heading is None and not section.raw:
            continue
        last_line = section.lines.pop() if cohort is not None else None
        outer += _section(section, head[2] if head else None, only=len(sections) == 1, odd=odd)
        if cohort is not None and last_line is not None:
            _close(nodes, head, outer)
            head, outer = (last_line[0] + last_line[1], last_line[2], cohort), []
    _close(nodes, head, outer)
    return CriteriaTree(tuple(nodes), tail)


def _close(nodes: list[Criterion], head: tuple[str, str, str] | None, outer: list[Criterion]) -> None:
    if head is not None:
        lead, source, cohort = head
        nodes.append(Criterion(None, "heading", plain_text(source), None, cohort, tuple(outer), lead, source))


def _all_whole(markup: str, tail: str, doubt: str) -> CriteriaTree:
    source = markup.strip()
    lead = markup[: len(markup) - len(markup.lstrip())]
    return CriteriaTree(
        (Criterion(None, "whole", plain_lines(source), None, None, (), lead, source, doubt),), tail
    )


def _name_people(sections: list[Section]) -> None:
    """Read "Patient inclusion criteria" as those of a cohort where there are others of the kind."""
    for section in sections:
        found = section.heading
        if found is None or not found.people:
            continue
        kin = [each for each in sections if each.heading and each.heading.kind == found.kind]
        if len(kin) > 1:
            section.heading = found._replace(cohort=found.people)


def _section(section: Section, cohort: str | None, *, only: bool, odd: bool) -> list[Criterion]:
    """Return the nodes of a section: its heading with what stands below it, or what has no heading."""
    found = section.heading
    if found is None:
        return _unheaded(section, cohort, only=only) if section.raw else []
    cohort = found.cohort or cohort
    if not (section.hidden or (odd and has_odd_space(section.raw)) or found.doubt or section.read_lines):
        nodes = plain_list(found.kind, cohort, section.raw)
        if nodes is not None:
            text = plain_text(section.source)
            return [
                node_of(
                    (found.kind, "section", text, None, cohort, tuple(nodes), section.lead, section.source, None)
                )
            ]
    made = members(found.kind, cohort, section.lines)
    if section.hidden:
        made.everything(HIDDEN)
        made.nodes = [node._replace(kind=None) for node in made.nodes]
    elif found.doubt:
        made.everything(found.doubt)
    if not section.lead and not section.source:
        return made.nodes
    text = plain_text(section.source)
    node = Criterion(
        found.kind, "section", text, made.joiner, cohort, tuple(made.nodes), section.lead, section.source
    )
    return [node]


def _unheaded(section: Section, cohort: str | None, *, only: bool) -> list[Criterion]:
    """Return the nodes of what stands before the first heading, or of a text without any."""
    lines = section.lines
    if not lines:
        return []
    space, mark, body = lines[0]
    if (
        not mark
        and body.endswith(vocabulary.INTRO_ENDS)
        and words.is_frame(body)
        and len(lines) > 1
        and lines[1][1]
    ):
        kind = words.frame_kind(body)
        some = words.combines(body)
        if kind and some in (None, "any-of" if kind == "exclusion" else "all-of"):
            made = members(kind, cohort, lines[1:])
            if section.hidden:
                made.everything(HIDDEN)
            return [
                Criterion(kind, "section", plain_text(body), made.joiner, cohort, tuple(made.nodes), space, body)
            ]
    if not only and len(lines) == 1 and not mark and paragraphs.seeks(body):
        return [Criterion(None, "text", plain_text(body), None, cohort, (), space, body)]
    made = members(None, cohort, lines)
    if not only and any(node.role != "note" for node in made.nodes):
        if any(mark for _, mark, _ in lines) or lines[-1][2].endswith(vocabulary.INTRO_ENDS):
            made.everything(BEFORE)
        else:
            made.nodes = [node._replace(role="text") if node.role == "criterion" else node for node in made.nodes]
    return made.nodes
