"""What stands below one heading: criteria, headings of parts, introductions, notes."""

from __future__ import annotations

import re
from enum import Enum
from itertools import pairwise
from operator import itemgetter
from typing import Final

from trialconv_mappings.criteria import paragraphs, vocabulary, words
from trialconv_mappings.criteria.doubts import (
    AFTER_LIST,
    ALTERNATIVES,
    JOINED,
    SAYS_OTHER,
    UNCLEAR_LINE,
    UNSEEN_END,
)
from trialconv_mappings.criteria.groups import keep_groups
from trialconv_mappings.criteria.joints import is_enumeration, joints, linked
from trialconv_mappings.criteria.leaves import leaf, may_be_other, plain_lines, plain_text
from trialconv_mappings.criteria.lines import Line, depth, style
from trialconv_mappings.criteria.model import Criterion, Joiner, Kind, Role, node_of
from trialconv_mappings.criteria.nesting import Item, cut_inline, flat, nested

_ALONE: Final = re.compile(r"\W*(and\s?/\s?or|or|and)\W*", re.IGNORECASE)


class Members:
    """The members of one section, as they are found: nodes in order, and how they hold together."""

    def __init__(self, kind: Kind | None, cohort: str | None, lines: list[Line]) -> None:
        self.kind = kind
        self.cohort = cohort
        self.lines = lines
        self.nodes: list[Criterion] = []
        self.joiner: Joiner | None = None

    def whole(self, start: int, stop: int, doubt: str, kind: Kind | None = None) -> None:
        """Add the lines from `start` up to `stop` as one node that is not taken apart."""
        if start >= stop:
            return
        space, mark, body = self.lines[start]
        source = body + "".join(["".join(line) for line in self.lines[start + 1 : stop]])
        made = Criterion(kind, "whole", plain_lines(source), None, self.cohort, (), space + mark, source, doubt)
        self.nodes.append(made)

    def everything(self, doubt: str) -> None:
        """Give up on the section: one node of all its lines."""
        self.nodes.clear()
        self.joiner = None
        self.whole(0, len(self.lines), doubt, self.kind)


def members(kind: Kind | None, cohort: str | None, lines: list[Line]) -> Members:
    """Return what stands below a heading of a kind, or below none."""
    made = Members(kind, cohort, lines)
    if not lines:
        return made
    spans = _spans(lines) if not all(map(_MARK, lines)) else [(True, 0, len(lines))]
    if all(not is_list for is_list, _, _ in spans):
        _paragraphs(made, spans)
    else:
        _lists(made, spans)
    return made


_MARK: Final = itemgetter(1)
Span = tuple[bool, int, int]


def _spans(lines: list[Line]) -> list[Span]:
    """Return the lists and paragraphs of a section: whether a list, the first line, the line after the last."""
    spans: list[Span] = []
    base = 0
    for number, (space, mark, body) in enumerate(lines):
        if spans and spans[-1][0]:
            if not mark and "clusion" in body and _heads_more(lines, number):
                spans.append((False, number, number + 1))
                continue
            if (
                mark
                or space.count("\n") < 2
                or depth(space) > base
                or not any(map(str.isalnum, body))
                or _goes_on(lines, number, base)
            ):
                spans[-1] = (True, spans[-1][1], number + 1)
                continue
            spans.append((False, number, number + 1))
        elif mark:
            base = depth(space)
            spans.append((True, number, number + 1))
        elif spans and (space.count("\n") < 2 or (number + 1 < len(lines) and _heads_on(lines, number))):
            spans[-1] = (False, spans[-1][1], number + 1)
        else:
            spans.append((False, number, number + 1))
    return spans


def _heads_more(lines: list[Line], number: int) -> bool:
    """Tell whether a line inside a list heads the criteria after it: "Additional exclusion criteria for ...:"."""
    space, _, body = lines[number]
    if number + 1 == len(lines) or space.count("\n") < 2 or body[-1] != ":":
        return False
    return bool(lines[number + 1][1]) and paragraphs.heads_more(body)


def _heads_on(lines: list[Line], number: int) -> bool:
    """Tell whether a paragraph and the one before it are one introduction of the list below them."""
    return (
        words.introduces(lines[number - 1][2])
        and words.introduces(lines[number][2])
        and bool(lines[number + 1][1])
    )


def _goes_on(lines: list[Line], number: int, base: int) -> bool:
    """Tell whether a paragraph stands inside the item before it.

    It does where that item introduces it, where the next line goes on counting after that item, and where it is a
    sentence between two items of one list.
    """
    body = lines[number][2]
    before = lines[number - 1][2]
    if words.introduces(before) and lines[number - 1][1]:
        said = words.combines(before)
        return not words.introduces(body) and (said is None or ";" in body or " or " in body.lower())
    if body[0] == "(" and body[-1] in ").":
        return True
    if body[0].islower() and body[1:2].isalpha() and lines[number - 1][1] and paragraphs.breaks_off(before):
        return True  # the rest of a sentence
    following = number + 1
    while following < len(lines) and not lines[following][1] and words.is_sentence(lines[following][2]):
        following += 1
    if following == len(lines) or not lines[following][1] or len(body) < _SHORT_LINE:
        return False
    if words.introduces(body) or words.introduces(lines[following - 1][2]):
        return False
    space, mark, _ = lines[following]
    if depth(space) != base:
        return False
    name, next_number = style(mark)
    for earlier in reversed(lines[:number]):
        if earlier[1] and depth(earlier[0]) == base:
            last_name, last_number = style(earlier[1])
            if last_name != name:
                return False
            if next_number:
                return last_number == next_number - 1
            return body[-1] == "." and words.is_sentence(body) and words.combines(body) is None
    return False


_SHORT_LINE: Final = 40


def _source(lines: list[Line], start: int, stop: int) -> tuple[str, str]:
    """Return the lead and the words of consecutive lines."""
    space, mark, body = lines[start]
    if stop > start + 1:
        body += "".join(["".join(line) for line in lines[start + 1 : stop]])
    return space + mark, body


# Paragraphs


def _paragraphs(made: Members, spans: list[Span]) -> None:
    """Read a section without a list: each paragraph is a criterion, unless one introduces others."""
    lines = made.lines
    for _, start, stop in spans:
        lead, source = _source(lines, start, stop)
        if _ALONE.fullmatch(source):
            made.everything(ALTERNATIVES)
            return
        if words.introduces(source):
            text = plain_text(source)
            if _only_introduces(made, text) or (stop == len(lines) and len(spans) == 1):
                made.nodes.append(Criterion(None, "text", text, None, made.cohort, (), lead, source))
                continue
            made.whole(start, len(lines), UNCLEAR_LINE, made.kind)
            return
        made.nodes.append(leaf(made.kind, made.cohort, lead, source))
    _link(made, made.nodes)


def _only_introduces(made: Members, text: str) -> bool:
    """Tell whether an introduction leaves each criterion below it a criterion by itself."""
    if not words.is_frame(text):
        first, _, rest = text.partition(". ")
        if not rest or not words.introduces(first + ":") or not words.is_frame(first) or "following" not in first:
            return False
        text = first
    if made.kind != "inclusion" and words.is_unmet(text):
        return False
    stated = words.frame_kind(text)
    if made.kind and stated and stated != made.kind:
        return False
    return words.combines(text) in (None, "any-of" if made.kind == "exclusion" else "all-of")


# Lists


def _lists(made: Members, spans: list[Span]) -> None:
    """Read a section that has lists, with what stands between them."""
    headed = [
        _source(made.lines, start, stop)[1]
        for (is_list, start, stop), (below, _, _) in pairwise(spans)
        if below and not is_list
    ]
    several = sum(map(words.introduces, headed)) > 1
    titles = sum(map(_looks_titled, headed))
    top: list[Criterion] = []
    number = 0
    while number < len(spans):
        is_list, start, stop = spans[number]
        if is_list:
            top += _list(made, start, stop)
        else:
            below = spans[number + 1] if number + 1 < len(spans) and spans[number + 1][0] else None
            step = _between(made, top, spans[number], below, titles=titles)
            if step is _Step.STOP:
                break
            if step is _Step.BLOCK and below is not None:
                lead, source = _source(made.lines, start, stop)
                _block(made, lead, source, below, several=several or start > 0)
                number += 1
        number += 1
    if not any(node.doubt == ALTERNATIVES for node in made.nodes):
        _link(made, top)


class _Step(Enum):
    """What a paragraph between lists turned out to be: read, the heading of a block, or the end of the reading."""

    READ = 1
    BLOCK = 2
    STOP = 3


def _between(made: Members, top: list[Criterion], span: Span, below: Span | None, *, titles: int) -> _Step:
    """Read a paragraph of a section that has lists; `below` is the list that it stands above."""
    _, start, stop = span
    lead, source = _source(made.lines, start, stop)
    text = plain_text(source)
    alone = _ALONE.fullmatch(source)
    if alone and not (made.kind == "inclusion" and alone[1].lower() == "and"):
        made.everything(ALTERNATIVES)
        return _Step.STOP
    if alone or (below is not None and _only_introduces(made, text)):
        made.nodes.append(Criterion(None, "text", text, None, made.cohort, (), lead, source))
        return _Step.READ
    if below is None and _heads_titles(made, span, text):
        made.nodes.append(Criterion(None, "text", text, None, made.cohort, (), lead, source))
        return _Step.READ
    if below is None or words.is_note(text) or words.is_nothing(text):
        return _Step.READ if _alone(made, span, lead, source) else _Step.STOP
    if paragraphs.defines(text) or (text[0] == "(" and text[-1] == ")" and words.is_sentence(text)):
        made.nodes.append(Criterion(None, "note", text, None, made.cohort, (), lead, source))
        return _Step.READ
    if words.introduces(source):
        if _heads_another_kind(made, text, below):
            return _Step.BLOCK
        other = words.frame_kind(text) if words.is_frame(text) else None
        if (other and made.kind and other != made.kind) or words.heads_other(text, made.kind):
            made.whole(start, len(made.lines), SAYS_OTHER)
            return _Step.STOP
        return _Step.BLOCK
    if style(made.lines[below[1]][1])[1] == 1 or paragraphs.breaks_off(text):
        return _Step.BLOCK  # the list begins to count below the line, or ends its sentence
    if _is_criterion(text) or (start == 0 and "\n" not in lead and not words.is_sentence(text)):
        made.nodes.append(leaf(made.kind, made.cohort, lead, source))
        top.append(made.nodes[-1])
        return _Step.READ
    if words.cohort_of_line(text) is None and not _is_title(made, text, titles):
        made.whole(start, len(made.lines), UNCLEAR_LINE, made.kind)
        return _Step.STOP
    return _Step.BLOCK


def _heads_titles(made: Members, span: Span, text: str) -> bool:
    """Tell whether a first paragraph introduces the titled lists below it and leaves their items as they are."""
    _, start, stop = span
    if start or stop + 1 >= len(made.lines) or not words.introduces(text) or not _only_introduces(made, text):
        return False
    return _looks_titled(made.lines[stop][2]) and style(made.lines[stop + 1][1] or "*")[1] == 1


def _heads_another_kind(made: Members, text: str, below: Span) -> bool:
    """Tell whether a line heads a last list that is of another kind than its section, and of which is certain."""
    if below[2] != len(made.lines):
        return False
    return paragraphs.heads_leaving(text) or (made.kind == "inclusion" and paragraphs.excludes_below(text))


def _looks_titled(source: str) -> bool:
    return len(source) <= 60 and source[-1].isalnum() and "\n" not in source


_STATES: Final = re.compile(r"[<>=\u2264\u2265\d]")


def _is_criterion(text: str) -> bool:
    """Tell whether a paragraph above a list is a criterion beside it: no heading, no introduction, no remark."""
    if words.is_sentence(text) or words.combines(text) or text[:1].islower() or words.cohort_of_line(text):
        return False
    return text[-1] == "." or (_STATES.search(text) is not None and len(text) > _SHORT_LINE)


def _is_title(made: Members, text: str, titles: int) -> bool:
    """Tell whether a line without a colon above a list is its heading."""
    if len(text) < 80 and (text.isupper() or (text[0] == "[" and text[-1] == "]")):
        return True
    return _looks_titled(text) and (titles > 1 or made.kind is None)


def _alone(made: Members, span: Span, lead: str, source: str) -> bool:
    """Add a paragraph that no list follows. Returns False when the section could not be read further."""
    found = leaf(made.kind, made.cohort, lead, source)
    if found.role in ("note", "nothing"):
        made.nodes.append(found)
    elif words.is_note(found.text):
        made.nodes.append(Criterion(None, "note", found.text, None, made.cohort, (), lead, source))
    elif made.kind is None and found.text.isupper():
        made.nodes.append(found._replace(role="heading"))
    elif words.introduces(source):
        made.whole(span[1], len(made.lines), UNCLEAR_LINE, made.kind)
        return False
    elif any(mark for _, mark, _ in made.lines[: span[1]]) and words.is_sentence(found.text):
        if paragraphs.adds_criterion(found.text, made.kind):
            made.nodes.append(found)
        elif made.kind == "inclusion" and paragraphs.only_permits(found.text):
            made.nodes.append(Criterion(None, "note", found.text, None, made.cohort, (), lead, source))
        else:
            made.whole(span[1], span[2], AFTER_LIST)
    else:
        made.nodes.append(found)
    return True


def _block(made: Members, lead: str, source: str, below: Span, *, several: bool) -> None:
    """Add a heading of a part, and the list below it as its children."""
    text = plain_text(source)
    own = words.cohort_of_line(text) or (words.cohort_of_heading(text) if several else None)
    cohort = own or made.cohort
    role: Role = "heading"
    kind, outer = made.kind, made.kind
    if paragraphs.heads_leaving(text):
        kind = outer = None
    elif kind == "inclusion" and paragraphs.excludes_below(text):
        kind, outer, role, cohort = "exclusion", "exclusion", "section", made.cohort
    elif (kind == "inclusion" and words.turns_round(text, kind)) or words.is_unmet(text):
        kind = None
    inner = Members(kind, cohort, made.lines[below[1] : below[2]])
    _link(inner, _list(inner, 0, len(inner.lines)))
    joiner = inner.joiner if outer != made.kind else words.joiner(text, made.kind) or inner.joiner
    node = Criterion(outer, role, text, joiner, cohort, tuple(inner.nodes), lead, source)
    made.nodes.append(node)


def _list(made: Members, start: int, stop: int) -> list[Criterion]:
    """Add the items of a list, and return those that are criteria."""
    lines = made.lines[start:stop]
    items = flat(lines, start)
    items, doubt = (items, None) if items else nested(lines, start, made.kind)
    found = []
    kind, cohort, nodes = made.kind, made.cohort, made.nodes
    last = len(items) - 1
    for place, item in enumerate(items):
        if item.children:
            node = parent(made, item, top=True)
        elif item.together:
            node = _together(made, item)
        elif place == last and doubt is None and (pieces := _pieces(made, item)):
            nodes += pieces
            found += [piece for piece in pieces if piece.role == "criterion"]
            continue
        else:
            node = leaf(kind, cohort, item.lead, item.source)
            if words.introduces(node.source) and words.is_frame(node.text):
                if not _only_introduces(made, node.text):
                    made.whole(item.line, stop, UNSEEN_END, kind)
                    return [*found, nodes[-1]]
                nodes.append(node._replace(kind=None, role="text"))
                continue
            if node.role == "note" and found and nodes[-1] is found[-1] and not words.is_general(node.text):
                # What a note says may limit the criterion above it: they are read together.
                nodes[-1] = found[-1] = nodes[-1]._replace(children=(*nodes[-1].children, node))
                continue
        nodes.append(node)
        if node.role == "criterion":
            found.append(node)
    if doubt is not None:
        made.whole(doubt.line, stop, doubt.reason, made.kind)
        if made.nodes[-1].source.rstrip()[-2:].lower() != "or":
            found.append(made.nodes[-1])
    return found


def _together(made: Members, item: Item) -> Criterion:
    """Return the node of an item whose lines are not taken apart."""
    own = plain_text(item.source.partition("\n")[0])
    if made.kind == "inclusion" and words.says_excluded(own):
        return _as_whole(item, made.cohort)
    cohort = made.cohort or words.cohort_of_line(own)
    text = plain_lines(item.source)
    return Criterion(made.kind, "criterion", text, None, cohort, (), item.lead, item.source)


def _pieces(made: Members, item: Item) -> list[Criterion]:
    """Return the nodes of the criteria that were written into the last line of a list."""
    number = style(made.lines[item.line][1])[1] if item.source[-1] != ":" else 0
    if not number:
        return []
    return [leaf(made.kind, made.cohort, each.lead, each.source) for each in cut_inline(item, number, None)]


def parent(made: Members, item: Item, *, top: bool) -> Criterion:
    """Return the node of an item with items below it."""
    text = plain_text(item.source)
    turned = words.turns_round(text, made.kind)
    kind = None if turned else made.kind
    cohort = made.cohort
    if top:
        if made.kind == "inclusion" and words.says_excluded(text):
            return _as_whole(item, made.cohort)
        if cohort is None:
            cohort = words.cohort_of_line(text)
    below = Members(kind, cohort, made.lines)
    children = tuple(
        parent(below, child, top=False) if child.children else _below(below, child) for child in item.children
    )
    joiner = _joiner(text, item, turned=turned)
    return node_of((made.kind, "criterion", text, joiner, cohort, children, item.lead, item.source, None))


def _as_whole(item: Item, cohort: str | None) -> Criterion:
    parts = [item.source]
    _collect(item, parts)
    source = "".join(parts)
    return Criterion(None, "whole", plain_lines(source), None, cohort, (), item.lead, source, SAYS_OTHER)


def _collect(item: Item, parts: list[str]) -> None:
    for child in item.children:
        parts += (child.lead, child.source)
        _collect(child, parts)


def _below(made: Members, item: Item) -> Criterion:
    """Return the node of a sub-criterion without anything below it."""
    text = plain_text(item.source)
    if item.lead.isspace() or (len(text) < 8 and _ALONE.fullmatch(text)):  # a line that goes on after a list
        role: Role = "note" if words.is_note(text) else "text"
        return Criterion(None, role, text, None, made.cohort, (), item.lead, item.source)
    if may_be_other(text) and text.startswith(vocabulary.NOTE_BEGINS) and words.is_note(text):
        return Criterion(None, "note", text, None, made.cohort, (), item.lead, item.source)
    return node_of((made.kind, "criterion", text, None, made.cohort, (), item.lead, item.source, None))


def _joiner(text: str, item: Item, *, turned: bool) -> Joiner | None:
    """Return how the items below an item hold together, by its words and by the ends of their lines."""
    if turned:
        return None
    said = words.combines(text)
    if said == "count":
        return None
    listed = [child.source for child in item.children if not child.lead.isspace()]
    if len(listed) != len(item.children):
        between = {child.source.strip(" .,:;()").lower() for child in item.children if child.lead.isspace()}
        if between & {"or", "and", "and/or"}:
            return None
    together = linked(listed, joints(listed, listed))
    if together == "mixed" or (said and together and said != together):
        return None
    return said or together


def _link(made: Members, found: list[Criterion]) -> None:
    """Look at the words that join the criteria of a section, and keep together what they join."""
    if len(found) < 2 or made.kind is None:
        return
    lasts = [node.source if not node.children else _last_words(node) for node in found]
    between = joints(lasts, [node.source for node in found])
    together = linked(lasts, between)
    if together is None:
        return
    if made.kind == "inclusion":
        if together == "any-of" and len(found) == len(made.nodes):
            made.joiner = "any-of"
        elif "or" in between and not keep_groups(made, found, lasts, between):
            made.everything(ALTERNATIVES)
    elif "and" in between and not is_enumeration(lasts, between):
        made.everything(JOINED)


def _last_words(node: Criterion) -> str:
    while node.children:
        node = node.children[-1]
    return node.source
