"""A criteria text cut at its headings: whose list is what, and of which kind."""

from __future__ import annotations

from typing import Final

from trialconv.lineage import plain
from trialconv_mappings.criteria.headings import (
    Heading,
    glued_heading,
    heading,
    inline_heading,
    mentions_heading,
)
from trialconv_mappings.criteria.lines import Line, depth, split_lines
from trialconv_mappings.criteria.model import Kind
from trialconv_mappings.criteria.words import cohort_of_heading, cohort_of_line


class Section:
    """A heading and the text below it. Without a heading: what stands before the first one."""

    __slots__ = ("_lines", "heading", "hidden", "lead", "raw", "source")

    def __init__(self, heading_: Heading | None, lead: str, source: str) -> None:
        self.heading = heading_
        self.lead = lead
        self.source = source
        #: The text up to the next heading's white space.
        self.raw = ""
        #: That another heading may begin inside of a line of it.
        self.hidden = False
        self._lines: list[Line] | None = None

    @property
    def lines(self) -> list[Line]:
        """The lines of its text."""
        if self._lines is None:
            self._lines = split_lines(self.raw)
        return self._lines

    @property
    def read_lines(self) -> bool:
        """Tell whether its lines were looked at, and may be other than its text."""
        return self._lines is not None


_KIND_WORDS: Final = ("clusion", "CLUSION")
#: "criteria" without its first letter: most headings hold it, whatever else they say.
_CRITERIA: Final = ("riteri", "RITERI", "riteia", "iteria")
_LONGEST_BARE: Final = 80


def cut(text: str) -> list[Section]:
    """Return the sections of a text without white space at its end; the first has no heading, often no text."""
    cutter = _Cutter()
    _cut_at(cutter, text, _candidates(text, _KIND_WORDS))
    first = cutter.sections[0].raw
    if "ligibility" in first or "LIGIBILITY" in first or "election crit" in first:
        beginning = _Cutter()
        _cut_at(beginning, first, _candidates(first, ("ligibility", "LIGIBILITY", "election crit")))
        cutter.sections[:1] = beginning.sections
    return cutter.sections


def _cut_at(cutter: _Cutter, text: str, candidates: list[tuple[int, int]]) -> None:
    done = 0
    for start, end in candidates:
        if cutter.raw:
            before = cutter.raw + text[done:start]
            kept = before.rstrip()
            space = before[len(kept) :]
        else:
            kept = text[done:start].rstrip()
            space = text[done + len(kept) : start]
        if cutter.line(kept, space, text[start:end]):
            done = end
    cutter.close(cutter.raw + text[done:] if cutter.raw else text[done:])


def _candidates(text: str, words: tuple[str, ...]) -> list[tuple[int, int]]:
    """Return where the lines begin and end that may name a kind of criteria, in order."""
    found: list[tuple[int, int]] = []
    for word in words:
        place = text.find(word)
        while place >= 0:
            end = text.find("\n", place)
            end = len(text) if end < 0 else end
            if text[place - 1 : place] not in ("c", "C"):  # occlusion
                start = text.rfind("\n", 0, place) + 1
                if _may_head(text, start, end):
                    found.append((start, end))
            elif text.find(word, place + 1, end) >= 0:
                place = text.find(word, place + 1)
                continue
            place = text.find(word, end)
    return sorted(set(found)) if len(words) > 1 and found else found


def _may_head(text: str, start: int, end: int) -> bool:
    """Tell cheaply whether a line may be a heading: it is bare and short, or speaks of criteria."""
    if end - start < _LONGEST_BARE and not (text[start] in "*123456789" and end - start > _LONGEST_MARKED):
        return True
    return any(text.find(each, start, end) >= 0 for each in _CRITERIA)


_LONGEST_MARKED: Final = 30
_HEADINGS: Final[dict[tuple[str, bool], Heading | None]] = {}
_MOST_HEADINGS: Final = 2048
_LONGEST_KEPT: Final = 60


def _heading(body: str, *, marked: bool) -> Heading | None:
    """Return what a line heads; most studies have the same few headings, which are remembered."""
    key = (body, marked)
    if key in _HEADINGS:
        return _HEADINGS[key]
    found = heading(plain(body), marked=marked)
    if len(_HEADINGS) < _MOST_HEADINGS and len(body) <= _LONGEST_KEPT:
        _HEADINGS[key] = found
    return found


class _Cutter:
    """The sections found so far. `raw` is text of the last one that stood on its heading's line."""

    def __init__(self) -> None:
        self.sections = [Section(None, "", "")]
        self.raw = ""

    def close(self, raw: str) -> None:
        """End the last section, whose text is `raw`."""
        self.sections[-1].raw = raw
        self.raw = ""

    def open(self, found: Heading, lead: str, source: str) -> None:
        """Begin a section."""
        self.sections.append(Section(found, lead, source))

    def line(self, before: str, space: str, line: str) -> bool:
        """Take a line that may be a heading or hold one, below the text `before` it. False: it is part of that."""
        plain_heading = _HEADINGS.get((line, False))
        if plain_heading is not None:
            self.close(before)
            self.open(plain_heading, space, line)
            return True
        [(indent, mark, body)] = split_lines(line)
        body_end = line.rstrip()
        current = self.sections[-1]
        found = _heading(body, marked=bool(mark))
        if found is not None and mark and _is_glued(current, found, before):
            found = None
        if found is not None and not (mark and _is_item(current, found, bool(before), indent, mark)):
            self.close(before)
            self.open(found, space + indent + mark, body)
            self.raw = line[len(body_end) :]
            return True
        inline = None if mark else inline_heading(body)
        if inline is not None:
            length, kind = inline
            self.close(before)
            self.open(Heading(kind), space + indent, body[:length])
            self._rest(line[len(indent) + length :])
            return True
        glued = glued_heading(body) if ":" in body or "\uff1a" in body else None
        if glued is not None:
            start, end, kind = glued
            kept = body[:start].rstrip()
            self.close(before + space + indent + mark + kept)
            self.open(Heading(kind), body[len(kept) : start], body[start:end])
            self._rest(line[len(indent) + len(mark) + end :])
            return True
        if mentions_heading(body, current.heading.kind if current.heading else None):
            current.hidden = True
        return False

    def _rest(self, rest: str) -> None:
        """Take what stands behind a heading on its own line."""
        if any(word in rest for word in _KIND_WORDS):
            start = len(rest) - len(rest.lstrip())
            if self.line("", rest[:start], rest[start:]):
                return
        self.raw = rest


def _is_glued(current: Section, found: Heading, before: str) -> bool:
    """Tell whether the words before "criteria" in a marked line are an item that lost its line break."""
    if not found.cohort or not before or current.heading is None or current.heading.kind == found.kind:
        return False
    return cohort_of_heading(found.cohort) is None


def _is_item(current: Section, found: Heading, has_text: bool, indent: str, mark: str) -> bool:
    """Tell whether a marked line that reads like a heading is an item of the list that it stands in."""
    if current.heading is None or found.doubt:
        return False
    if found.kind != current.heading.kind or (found.cohort is None and found.people is None):
        return False
    return has_text or bool(indent) or mark.strip("\\ \t") not in ("*", "-")


def outer_cohort(section: Section, following: Section, *, again: bool) -> str | None:
    """Return the words of a line that ends a section and is the heading of those below it ("Group 2").

    Only right above a plain heading of inclusion or exclusion, and only words that may name participants, or that
    have to, since that heading comes `again`.
    """
    heads = following.heading
    if heads is None or heads.kind is None or heads.cohort or not section.raw:
        return None
    last = section.raw[section.raw.rfind("\n") + 1 :]
    if section.heading is not None and (last.startswith(("* ", " ")) or last[:1].isdigit()):
        return None
    if not section.lines:
        return None
    space, mark, body = section.lines[-1]
    alone = len(section.lines) == 1 and section.heading is None
    if len(body) > 80 or body[-1] in ".;," or (mark and not alone) or (not alone and space.count("\n") < 2):
        return None
    names = cohort_of_line(body) is not None or (cohort_of_heading(body) is not None and body.endswith(":"))
    if not (names or alone or (again and len(body) < 40)):
        return None
    if alone and (len(body.split()) > 6 or depth(space)):
        return None
    return body.strip(" :*_.-\\")


def outer_cohorts(sections: list[Section]) -> dict[int, str] | None:
    """Return the sections that end with a heading of those after them, and its words.

    None when a heading of one kind comes again after one of the other, and nothing tells for whom.
    """
    found: dict[int, str] = {}
    seen: list[Kind] = []
    for number, section in enumerate(sections):
        here = section.heading
        if here is None or here.kind is None or here.cohort or here.people:
            continue
        again = here.kind in seen[:-1]
        cohort = outer_cohort(sections[number - 1], section, again=again)
        if cohort is not None:
            found[number - 1] = cohort
            seen.clear()
        elif again:
            return None
        if not seen or seen[-1] != here.kind:
            seen.append(here.kind)
    return found
