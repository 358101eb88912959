"""What the words of a line say: an introduction, a note, alternatives, some of the participants.

All of this is said by closed lists of words and by patterns; what they do not know is not guessed.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from trialconv_mappings.criteria.model import Joiner, Kind
from trialconv_mappings.criteria.vocabulary import (
    FRAME,
    FRAMING,
    INTRO_ENDS,
    NEGATING,
    TURNING,
)

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][a-z]+)?")
#: What stands around the words of a heading.
MARKS: Final = " \t:.*_#-\u2013\u2014;,/\uff1a\uff1b\u3001"


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text in small letters."""
    return frozenset(_WORD.findall(text.lower()))


# Introductions

_FOLLOWING: Final = re.compile(
    r"\b(?:the|these|of)\s+following(?:\s+(?!surgery|treatment|months?|weeks?|days?"
    r"|years?)[A-Za-z/-]+){0,3}\W*$|\bfollowing\W*$|\b(?:criteria|conditions) (?:below|listed)\W*$",
    re.I,
)


def introduces(source: str) -> bool:
    """Tell whether a line needs what follows it."""
    end = source[-60:]
    if "ollow" in end or "below" in end or "OLLOW" in end:
        return source.endswith(INTRO_ENDS) or (
            ("ollowing" in end or "below" in end) and _FOLLOWING.search(end) is not None
        )
    return source.endswith(_COLONS)


_COLONS: Final = tuple(each for each in INTRO_ENDS if ":" in each or "\uff1a" in each)


_REMARKS: Final = re.compile(
    r"\b(?:will|are|is|may|can|could|should|was|were|would|however|additionally|defined|applies|refer"
    r"|see|note|notwithstanding|permitted|allowed)\b|e\.g\.:|n't\b",
    re.I,
)


def is_sentence(text: str) -> bool:
    """Tell whether a paragraph is a full sentence, which may be a remark, and not the words of a criterion."""
    return bool(_REMARKS.search(text))


_COUNT: Final = re.compile(
    r"\b(?:at least|minimum of|any|more than|>|\u2265|\d)\W*(?:two|three|four|five|six|[2-9])\b"
    r"|\b(?:two|three|four|five|[2-9])\b(?:\W*\([2-9]\))?\s*(?:or more|of the|out of)",
    re.I,
)
_ANY: Final = re.compile(
    r"\b(?:any(?: one)?(?: or more)?|(?:at least|minimum of)\s+(?:one|1)|(?:one"
    r"|1)(?:\W*\(1\))?(?:\s*/?\W*(?:or|and/or|/)\W*(?:more|both|several))?|either)"
    r"(?:\s+of)?(?:\s+(?:the|these|two|both))?(?:\s+[\w/-]+){0,4}?\s+(?:following|below|criteria"
    r"|conditions|of these)\b"
    r"|\beither(?:\s+of)?\s*:?\W*$|\b(?:any|at least one|one or more|one) of(?: the)?\s*:?\W*$",
    re.I,
)
_ALL: Final = re.compile(
    r"\b(?:all|both|each)(?:\s+of)?(?:\s+(?:the|these|two|three))?(?:\s+[\w/-]+){0,4}?\s+(?:following"
    r"|below|criteria|conditions|requirements)\b"
    r"|\b(?:all|both|each) of(?: the| these)?\s*:?\W*$|\b(?:all|both)\s*:\W*$",
    re.I,
)
_LETTERS: Final = re.compile(r"[a-z]+")
#: Words without which a line says nothing of how the list below it holds together.
_ANCHORS: Final = ("ollowing", "OLLOWING", "riteria", "onditions", "elow", "equirements", "ither", "hese")


def turns_round(text: str, kind: Kind | None) -> bool:
    """Tell whether what stands below a line may mean the opposite of what the line is in."""
    low = text.lower()
    return (
        not TURNING.isdisjoint(_LETTERS.findall(low))
        or ("exclu" in low and kind != "exclusion")
        or "other than" in low
        or "n't" in low
        or "n\u2019t" in low
    )


def joiner(text: str, kind: Kind | None) -> Joiner | None:
    """Return how the list below a line holds together, where the line says so and does not turn it round."""
    said = combines(text)
    return None if said is None or said == "count" or turns_round(text, kind) else said


def combines(text: str) -> Joiner | Literal["count"] | None:
    """Return what an introduction says of the list below it, whatever it says of those who meet it."""
    for anchor in _ANCHORS:
        if anchor in text:
            break
    else:
        if text.rstrip(": ")[-3:].lower() not in (" of", "all", "oth", "the"):
            return None
    low = text.lower()
    if _COUNT.search(text):
        return "count"
    some = _ANY.search(text) if "any" in low or "one" in low or "1" in low or "either" in low else None
    every = _ALL.search(text) if "all" in low or "both" in low or "each" in low else None
    if some and every:
        return "count"
    return "any-of" if some else "all-of" if every else None


def is_frame(text: str) -> bool:
    """Tell whether a line only introduces what follows and says nothing of its own."""
    words = words_of(text)
    return words <= FRAME and not words.isdisjoint(FRAMING)


def last_sentence(text: str) -> str:
    """Return the words behind the last full stop inside a text."""
    return re.split(r"[.;]\s+", text.rstrip())[-1]


_UNMET: Final = re.compile(
    r"\b(?:(?:do|does|did|can|could) ?not|unable to) (?:meet|fulfill?|satisfy|have)\b"
    r"|\bnot (?:meet|fulfil|satisfy|hav)\w*ing\b|n['\u2019]t (?:meet|fulfill?|satisfy|have)\b",
    re.I,
)


def is_unmet(text: str) -> bool:
    """Tell whether a line speaks of those who do not meet what stands below it."""
    return _UNMET.search(text) is not None


def frame_kind(text: str) -> Kind | None:
    """Return the kind that an introduction states by its verb ("will be excluded if:")."""
    if is_unmet(text):
        return None  # "excluded if they do not meet the following"
    words = words_of(text.replace("for inclusion", ""))
    if words & {"excluded", "ineligible", "exclusion", "disqualify", "disqualified"} or (
        "eligible" in words and "not" in words
    ):
        if "not" in words and "eligible" not in words and "meet" not in words:
            return None
        return None if words & {"unless", "except", "inclusion", "included"} else "exclusion"
    if words & NEGATING:
        return None
    return (
        "inclusion"
        if words & {"eligible", "included", "inclusion", "must", "enrolled", "qualify", "considered"}
        else None
    )


# Lines

_NOTE: Final = re.compile(
    r"[\W_]*(?:(?:please )?note(?:s|\b)|n\.?b\.?[:\s]|remarks?:|comment:|\*\s|\u2020)"
    r"|[\W_]*(?:[^\W_]\w* ){0,2}?(?:(?:other|further|additional|more)\b.{0,60}\b(?:criteria|criterion"
    r"|inclusions?|exclusions?|requirements|restrictions|conditions)\b.{0,60}"
    r"\b(?:appl(?:y|ied|ies)|exist)\b)"
    r"|[\W_]*[\[(]+\\?[*\u2020\u2021\u00a7#a-c][\])]"
    r"|[\W_]*(?:the )?(?:information|criteria|list) (?:listed |described )?above\b|.{0,80}\b(?:be "
    r"|may )re-?screened\b"
    r"|[\W_]*for (?:more|additional|further) information\b|[\W_]*please (?:visit|note|contact|refer)\b"
    r"|[\W_]*there are additional (?:in|ex)clusion"
    r"|\W*the (?:study |principal )?investigator is responsible for ensuring\b"
    r"|\W*the (?:(?:in|ex)clusion\s*(?:/|and|&)\s*(?:in|ex)clusion|eligibility) criteria\s+"
    r"(?:for [\w -]{1,40}? )?(?:(?:will|would|may) be\b(?!.*:)|are (?:mainly |also )?(?:the same|those)\b(?!.*:))",
    re.I,
)
_NOTHING: Final = re.compile(
    r"\W*(?:none(?: (?:listed|specified|stated|identified|known|reported))?|nil|n\.?/?a\.?|not applicable"
    r"|(?:there (?:is|are|were|will be) )?no(?:ne)? (?:specific |further |additional "
    r"|other )?(?:(?:in|ex)clusion )?criteri(?:a|on)|no exclusions?)\W*",
    re.I,
)


def is_note(body: str) -> bool:
    """Tell whether a line is a note."""
    return bool(_NOTE.match(body))


def is_general(note: str) -> bool:
    """Tell whether a note is about the criteria as such, and not about one of them."""
    return _GENERAL.search(note) is not None


_GENERAL: Final = re.compile(
    r"\b(?:appl(?:y|ied|ies)|exist|criteria|re-?screened|visit|contact|information)\b", re.I
)


def is_nothing(body: str) -> bool:
    """Tell whether a line says that there is no criterion."""
    return len(body) < 50 and bool(_NOTHING.fullmatch(body))


_COHORT_ITEM: Final = re.compile(
    r"\W*(?:for |in |only )?(?:the )?((?:cohorts?|groups?|arms?|parts?|phases?|sub-?stud(?:y|ies)"
    r"|populations?|tracks?|aims?|periods?)\s*[-#]?\s*[(\"\u201c]?(?:[A-Z]|\d+[A-Za-z]?|[IVX]+)\b[^:\n.]{0,60}"
    r"|(?:cases?|controls?|(?:healthy|normal|control|case)\s+(?:subjects?|volunteers?|controls?"
    r"|participants?|individuals?|groups?|arms?|cohorts?|adults?|donors?|people|persons?)|recipients?"
    r"|donors?|caregivers?|partners?|clinicians?|providers?|families|parents)\b[^:.\n]{0,40})(?::"
    r"|\s[-\u2013]\s|$)"
    r"|\W*(?:group|cohort|arm)\s+[\"\u201c][^\"\u201d]{1,60}[\"\u201d]",
    re.I,
)
#: Words of headings that are no cohort.
EVERYBODY: Final = re.compile(
    r"(?:all|both) (?:groups|cohorts|arms|parts|patients|subjects|participants|phases)", re.I
)
_COHORT_HEADING: Final = re.compile(
    r"\b(?:cohorts?|groups?|arms?|part|parts|phase|stage|sub-?stud(?:y|ies)|extension|population"
    r"|patients?|subjects?|participants?|volunteers?|"
    r"controls?|cases?|donors?|recipients?|partners?|caregivers?|parents?|clinicians?|providers?"
    r"|students?|adolescents?|children|child|"
    r"infants?|mothers?|fathers?|families|women|men|males?|females?|adults?|healthy|individuals?"
    r"|people|persons?|period|randomi[sz]ation|registry|study|trial|visit|step|track|run-in|open-label)\b",
    re.I,
)


_COHORT_LINE: Final = re.compile(
    r"\W*for (?:all |the )?((?:patients|subjects|participants|those|women|men|females|males|children"
    r"|adults|adolescents"
    r"|infants|controls)\b[^:\n.]{0,60})$",
    re.I,
)


def cohort_of_item(body: str) -> str | None:
    """Return the words with which a criterion limits itself to some of the participants: `Cohort A: ...`."""
    found = _COHORT_ITEM.match(body)
    if found is None or (found.end() == len(body) and body[-1] not in ':-\u2013"\u201d'):
        return None
    return (found[1] or found[0]).strip(MARKS + ' \t(["\u201c')


def cohort_of_line(body: str) -> str | None:
    """Return the words of a line of its own that names some of the participants: `Cohort A`, `For women`."""
    found = _COHORT_ITEM.match(body)
    if found is None:
        line = _COHORT_LINE.match(body)
        return line[1].strip() if line else None
    return (found[1] or found[0]).strip(MARKS + ' \t(["\u201c')


def cohort_of_heading(body: str) -> str | None:
    """Return the words of a heading that may limit what stands below it to some of the participants."""
    if (
        _COHORT_HEADING.search(body) is None
        or EVERYBODY.search(body)
        or re.search(r"\b(?:includes?|must)\b", body, re.I)
    ):
        return None
    return body.strip(MARKS + "()")


# What a criterion says against its section

_BEGINS_EXCLUDED: Final = re.compile(
    r"\W*(?:ex?c?\w{0,3}usions?\b(?!\s+of)|exclude[ds]?\b|excluding\b|non-?\s?inclusion)", re.I
)
_SAYS_EXCLUDED: Final = re.compile(
    r"(?!.*\b(?:who|that|which|if|unless|when)\b.*\bexcluded\b)[^.;(]*\b(?:are|is|be|were"
    r"|was)\s+(?:also\s+|\w+ly\s+)?excluded\b"
    r"|[^.;(]*\bexcluded if\b|[^.;(]*\b(?:are|is|be|were)\s+(?:ineligible|not eligible)\b(?!\s+for\b)"
    r"|[^.;(]*\bmust not (?:meet|fulfil|have) any\b",
    re.I,
)
_OTHER_KIND: Final = {
    "inclusion": re.compile(
        r"\b(?:ex?c?l\w*sions?|exclu(?!siv)\w*|exlu\w*|ecxl\w*|non-?\s?(?:inclusion|selection"
        r"|eligib\w*)|withdraw\w*|discontinu\w*|reject\w*|"
        r"suspen\w*|terminat\w*|drop-?\s?out|stopping|exit|removal|eliminat\w*|ineligib\w*"
        r"|contra-?indicat\w*|not|except\w*)\b",
        re.I,
    ),
    "exclusion": re.compile(
        r"\b(?:suspen\w*|withdraw\w*|discontinu\w*|terminat\w*|drop-?\s?out|stopping|exit|removal"
        r"|incl?\w*sions?|included|inculsion|eligible|allowed|permitted|except\w*|acceptable)\b",
        re.I,
    ),
}


def heads_other(text: str, kind: Kind | None) -> bool:
    """Tell whether the heading of a part may turn its section's kind round."""
    if kind == "exclusion":
        text = _KEPT_OUT.sub("", text)
        if _PRECLUDED.search(text):
            return False  # whatever else the list is used for, it excludes
    return kind is not None and _OTHER_KIND[kind].search(text) is not None


_KEPT_OUT: Final = re.compile(r"\bprevent\w* [^.:]{0,60}?\bfrom being (?:included|enrolled)\b", re.I)
_PRECLUDED: Final = re.compile(
    r"\bwill be (?:precluded|excluded) from\b(?![^.]*\b(?:not|except\w*|unless|eligible)\b)", re.I
)


_SAYS_ALLOWED: Final = re.compile(
    r"^(?:(?!\b(?:who|that|which|if|not|unless|when|whose|where|until|before|no)\b)[^.;:,(])*\b(?:are"
    r"|is|be|remain)\s+(?:\w+\s+)?(?:eligible|allowed|permitted|acceptable|permissible|included)\b",
    re.I,
)


def says_excluded(body: str) -> bool:
    """Tell whether a criterion of inclusion says that it excludes."""
    if _BEGINS_EXCLUDED.match(body):
        return True
    low = body.lower()
    # The pattern takes its time on long lines; without these words it finds nothing.
    if not ("excluded" in low or "ineligible" in low or "not eligible" in low or "must not" in low):
        return False
    return _SAYS_EXCLUDED.match(body) is not None


def says_allowed(body: str) -> bool:
    """Tell whether a criterion of exclusion says that something is allowed."""
    return bool(_SAYS_ALLOWED.match(body))
