"""Headings: lines that say of which kind the criteria below them are, and whose."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from trialconv_mappings.criteria.doubts import BOTH_KINDS, SAYS_NOT
from trialconv_mappings.criteria.model import Kind
from trialconv_mappings.criteria.vocabulary import FRAME, NEGATING, PEOPLE, PLAIN, VERBS
from trialconv_mappings.criteria.words import EVERYBODY, MARKS, cohort_of_heading, is_note, is_nothing, words_of


class Heading(NamedTuple):
    """What a heading says. `kind` None: of both, or of neither. `people` marks words that only name people."""

    kind: Kind | None
    cohort: str | None = None
    people: str | None = None
    doubt: str | None = None


_CLUSION: Final = re.compile(
    r"(?P<non>non[- ]?)?\b(?P<kind>in|ex)clusions?\b(?:[ \t]+cri?t?eri(?:a|on|as|ums?)\b)?", re.I
)
_BOTH: Final = re.compile(r"inclusions?\s*(?:/|&|and)\s*exclusions?(?:\s+criteri(?:a|on))?", re.I)
_ELIGIBILITY: Final = re.compile(r"\W*(?:study |key |main )?(?:eligibility|selection) criteri(?:a|on)\b", re.I)
_ENUMERATION: Final = re.compile(r"[\W_]*(?:(?:[IVX]{1,4}|\d{1,2}(?:\.\d{1,2})?|[A-H])[.)]+\s*)?")


def heading(body: str, *, marked: bool) -> Heading | None:
    """Tell whether a line is a heading of inclusion or exclusion criteria, and of which.

    `marked` says that it begins with a list marker. A heading with a doubt is one whose kind is not certain.
    """
    if len(body) > 200:
        return None
    both = _BOTH.search(body)
    if both:
        rest = body[: both.start()] + body[both.end() :]
        return Heading(None) if words_of(rest) <= PLAIN else None
    found = list(_CLUSION.finditer(body))
    if not found:
        return _eligibility_heading(body, marked=marked)
    if not marked and not body[: found[0].start()].strip() and _GOES_ON.match(body, found[0].end()):
        return None  # a heading with text behind it: see `inline_heading`
    return _named_heading(body, found[0], {_kind(each) for each in found}, marked=marked)


_GOES_ON: Final = re.compile(r"\s*[:\uff1a]\s*\w")


def _named_heading(body: str, found: re.Match[str], kinds: set[Kind], *, marked: bool) -> Heading | None:
    """Return what a line says that names a kind of criteria, where it is a heading."""
    colon = body.rstrip(" *_")[-1:] in (":", "\uff1a")
    rest = body[: found.start()] + " " + body[found.end() :]
    start = _ENUMERATION.match(rest)
    rest = rest[start.end() if start else 0 :]
    words = words_of(rest)
    if words <= PLAIN and not any(map(str.isdigit, body[found.end() :])) and (colon or words != {"are", "as"}):
        return Heading(_kind(found)) if len(kinds) == 1 and (colon or _is_title(body, found)) else None
    if colon and words <= FRAME and (words & VERBS):
        return _sentence_heading(body, kinds, words)
    if len(kinds) > 1 or words & VERBS or not (colon or (not marked and _is_title(body, found))):
        return None
    before, after = body[: found.start()].rstrip(), body[found.end() :].strip(MARKS)
    if _DETERMINED.search(before) or len(words) > _MOST_WORDS or (marked and not _may_lead(before, after)):
        return None
    if words & NEGATING:
        return Heading(None, doubt=SAYS_NOT)
    if not colon and not words_of(before) and not _LIMITS.match(rest.lstrip(" ")) and not cohort_of_heading(rest):
        return None
    return _limited(_kind(found), rest.strip(MARKS + "()[]\uff08\uff09"), words)


def _limited(kind: Kind, limits: str, words: frozenset[str]) -> Heading:
    """Return a heading whose words may limit it to some of the participants."""
    if words <= PLAIN | PEOPLE:
        return Heading(kind, people=limits)
    cohort = _qualifier(limits)
    return Heading(kind) if EVERYBODY.fullmatch(cohort) else Heading(kind, cohort=cohort)


_MOST_WORDS: Final = 14
_LIMITS: Final = re.compile(
    r"(?:for|of|in|to|at|related|specific|applying|regarding|concerning|by)\b|[-\u2013(\[]", re.I
)


#: Words before "inclusion criteria" that make it a part of a sentence.
_DETERMINED: Final = re.compile(r"\b(?:the|all|any|of|no|these|those|our|above|below|following|both)$", re.I)


def _may_lead(before: str, after: str) -> bool:
    """Tell whether the words around "criteria" in a marked line may be those of a heading."""
    if words_of(before) and words_of(after):
        return False
    return len(words_of(before)) <= 2 or cohort_of_heading(before) is not None


def _qualifier(words: str) -> str:
    """Return the words of a heading without those that join them to "criteria"."""
    words = re.sub(r"\s+", " ", words)
    shorter = re.sub(
        r"^(?:for|of|in|to|specific to|related to|applying to)\s+(?:the\s+)?|^(?:the|these)\s+",
        "",
        words,
        flags=re.I,
    )
    shorter = shorter.strip(MARKS) or words
    return shorter + ")" if shorter.count("(") > shorter.count(")") else shorter


def _kind(match: re.Match[str]) -> Kind:
    return "exclusion" if match["non"] or match["kind"] in ("ex", "Ex", "EX") else "inclusion"


def _is_title(body: str, found: re.Match[str]) -> bool:
    """Tell whether a line without a colon looks like a title: short, no sentence, led or ended by "criteria"."""
    if len(body) > 90 or body.rstrip()[-1:] in (".", ";", ","):
        return False
    before, after = body[: found.start()].strip(MARKS), body[found.end() :].strip(MARKS)
    return bool(
        words_of(before) <= PLAIN
        or (before[:1].isupper() and (not after or body[found.end() :].lstrip()[:1] in "-\u2013("))
        or body.isupper()
    )


_THESE_ONLY: Final = re.compile(
    r"\ball(?: of)? the following inclusion criteria\b.{0,20}\bnone of the exclusion criteria\b", re.I
)


def _sentence_heading(body: str, kinds: set[Kind], words: frozenset[str]) -> Heading | None:
    if _THESE_ONLY.search(body):
        return Heading("inclusion")
    if len(kinds) > 1:
        return Heading(None, doubt=BOTH_KINDS)
    kind = next(iter(kinds))
    if kind == "inclusion" and ("ineligible" in words or {"not", "eligible"} <= words):
        return None  # "not eligible for inclusion if" introduces exclusions, and `frame_kind` says so
    # "must not meet any of the exclusion criteria" is a heading of exclusion, "not meeting the inclusion
    # criteria" none of inclusion.
    if kind == "inclusion" and words & (NEGATING | {"excluded", "ineligible"}):
        return Heading(None, doubt=SAYS_NOT)
    return Heading(kind)


def _eligibility_heading(body: str, *, marked: bool) -> Heading | None:
    found = None if marked else _ELIGIBILITY.match(body)
    if found is None:
        return None
    rest = body[found.end() :].strip(MARKS)
    if not rest:
        return Heading(None)
    words = words_of(rest)
    if body.rstrip()[-1:] != ":" or words & VERBS:
        return None
    return Heading(None) if words <= PLAIN | PEOPLE else Heading(None, cohort=_qualifier(rest))


_INLINE: Final = re.compile(
    r"(?:(?:key|main|major|general|patient|subject|participant)[ \t]+)?(?:in"
    r"|ex)clusions?[ \t]+criteri(?:a|on)[ \t]*"
    r"(?:[:\uff1a][-\u2013*_]*|[-\u2013](?=\s)|\.(?=\s)|(?=\s1[.)]\s)|(?-i:(?<=Criteria)(?=\s[A-Z])))"
    r"|(?:in|ex)clusions?[ \t]*[:\uff1a]",
    re.I,
)
_GLUED: Final = re.compile(
    r"(?:(?:Key|Main|Major|General) )?(?:(?:In|Ex)clusion [Cc]riteri(?:a|on)|(?:IN"
    r"|EX)CLUSION CRITERIA)[ \t]*[:\uff1a][-\u2013*_]*"
)


def inline_heading(body: str) -> tuple[int, Kind] | None:
    """Return the length and the kind of a heading that a line begins with and goes on after."""
    found = _INLINE.match(body)
    if found is None or found.end() == len(body):
        return None
    return found.end(), "exclusion" if "xclusion" in found[0].lower() else "inclusion"


def glued_heading(body: str) -> tuple[int, int, Kind] | None:
    """Return the place and the kind of a heading inside a line, where a line break was lost before it."""
    for found in _GLUED.finditer(body):
        before = body[: found.start()].rstrip()
        if before and before[-1:] not in ("/", "-") and not _OPEN_END.search(before):
            return found.start(), found.end(), "exclusion" if "x" in found[0][:14].lower() else "inclusion"
    return None


#: Words that cannot end a sentence: a heading after them belongs to it.
_OPEN_END: Final = re.compile(
    r"\b(?:the|all|any|other|following|of|no|these|those|our|and|or|additional|above|below|per"
    r"|specific|non)$|\b(?:all|any|these|those) \w+$|\d$",
    re.I,
)
_MENTION: Final = re.compile(r"\b(in|ex)clusions?\s+criteri(?:a|on|as)\b", re.I)
_CAPITAL: Final = re.compile(r"\S\s+(?:In|Ex)clusion Criteria\b(?!\s+(?:may|apply|appl|are|is|as|and|or)\b)")


_UNMET: Final = re.compile(
    r"\b(?:not|fail\w*|without)\b[^.:]{0,40}$|\bas (?:described|defined|listed|indicated)\b[^.:]{0,40}$", re.I
)


def mentions_heading(body: str, kind: Kind | None) -> bool:
    """Tell whether a line that is no heading holds words like one, so that its section may end within it."""
    if is_note(body) or is_nothing(body) or (body[:1] == "(" and body.rstrip(" .")[-1:] == ")"):
        return False
    found = _MENTION.search(body)
    if found is None or _UNMET.search(body[: found.start()]):
        return False
    capital = _CAPITAL.search(body)
    if capital and not _OPEN_END.search(body[: capital.start() + 1]):
        return True
    if kind is not None and found[1].lower() == kind[:2]:
        return False
    return (
        found.end() >= len(body.rstrip(" .")) - 1 and not _OPEN_END.search(body[: found.start()].rstrip())
    ) or (body[found.end() : found.end() + 2].strip()[:1] == ":" or not body[: found.start()].strip(" *_-("))
