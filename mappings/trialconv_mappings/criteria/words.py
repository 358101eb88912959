"""What the words of a line say: a heading, an introduction, a note, alternatives, some of the participants.

All of this is said by closed lists of words and by patterns; what they do not know is not guessed.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from trialconv_mappings.criteria.model import Joiner, Kind


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
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][a-z]+)?")
_ENUMERATION: Final = re.compile(r"[\W_]*(?:(?:[IVX]{1,4}|\d{1,2}(?:\.\d{1,2})?|[A-H])[.)]+\s*)?")
_MARKS: Final = " \t:.*_#-\u2013\u2014;,/\uff1a\uff1b\u3001"

#: Words that say nothing of whom the criteria of a heading hold for.
_PLAIN: Final = frozenset(
    ["key", "main", "major", "general", "generally", "specific", "select", "selected", "important", "some", "global", "core", "primary", "basic", "principal", "overall", "essential", "common", "study", "trial", "research", "eligibility", "criteria", "criterion", "the", "of", "for", "in", "this", "and", "a", "an", "all", "other", "further", "additional", "full", "detailed", "summary", "include", "includes", "including", "are", "as", "follows", "following", "is"]
)
_PEOPLE: Final = frozenset(
    ["patient", "patients", "subject", "subjects", "participant", "participants", "individual", "individuals", "person", "persons"]
)
#: Words of sentences that only introduce a list: with nothing else in it, a sentence is no criterion.
_FRAME: Final = (
    _PLAIN
    | _PEOPLE
    | frozenset(
        ["to", "be", "eligible", "eligibility", "enrolled", "enrollment", "enrolment", "enter", "entry", "entered", "considered", "consideration", "included", "inclusion", "excluded", "exclusion", "exclude", "ineligible", "must", "should", "shall", "will", "would", "may", "can", "not", "meet", "meets", "met", "meeting", "satisfy", "satisfies", "fulfil", "fulfill", "fulfils", "fulfills", "fulfilling", "have", "has", "having", "who", "that", "which", "whom", "those", "these", "each", "every", "any", "one", "or", "more", "at", "least", "either", "both", "none", "if", "when", "where", "they", "he", "she", "it", "his", "her", "their", "there", "below", "above", "listed", "stated", "described", "conditions", "condition", "requirements", "requirement", "items", "participate", "participation", "participating", "from", "with", "screening", "baseline", "visit", "time", "prior", "order", "candidate", "candidates", "candidacy", "potential", "prospective", "", "", "", "", "", "", "", "everyone", "everybody", "only", "also", "take", "part", "based", "on", "present", "apply", "applies", "applicable", "true", "do", "does", "being", "by", "consist", "consists", "qualify", "qualified", "render", "disqualify", "disqualified", "required", "established", "were", "was", "registered", "recruited", "recruitment", "randomised", "randomized", "randomisation", "randomization", "specifically", "clinical", "accordance", "specified", "selection", "selected", "received", "presence", "since", "into", "registration", "fulfilled", "lead", "subjected", "cases", "statements", "answers", "yes", "no"]
    )
)
#: Words without which a line is no sentence that introduces a list: "Patients:" alone is a heading.
_FRAMING: Final = frozenset(
    "following below above criteria criterion conditions condition requirements requirement eligible ineligible "
    "included excluded inclusion exclusion meet meets met meeting fulfil fulfill fulfils fulfills fulfilling satisfy "
    "satisfies must answers qualify disqualify".split()
)
_NEGATING: Final = frozenset(("not", "no", "none", "never", "without", "neither", "nor", "unless", "except"))
_VERBS: Final = frozenset(
    ["may", "apply", "applies", "applied", "meet", "meets", "met", "meeting", "fulfil", "fulfill", "fulfilling", "is", "are", "was", "were", "will", "would", "do", "does", "have", "has", "had", "must", "should", "can", "could", "not", "any", "according", "per", "required", "used", "use"]
)


def heading(body: str, *, marked: bool) -> Heading | None:
    """Tell whether a line is a heading of inclusion or exclusion criteria, and of which.

    `marked` says that it begins with a list marker. A heading with a doubt is one whose kind is not certain.
    """
    if len(body) > 200:
        return None
    both = _BOTH.search(body)
    if both:
        rest = body[: both.start()] + body[both.end() :]
        return Heading(None) if _words(rest) <= _PLAIN else None
    found = list(_CLUSION.finditer(body))
    if not found:
        return _eligibility_heading(body, marked=marked)
    kinds = {_kind(each) for each in found}
    if not marked and not body[: found[0].start()].strip() and re.match(r"\s*[:\uff1a]\s*\w", body[found[0].end() :]):
        return None  # a heading with text behind it: see `inline_heading`
    colon = body.rstrip(" *_")[-1:] in (":", "\uff1a")
    first = found[0]
    rest = body[: first.start()] + " " + body[first.end() :]
    start = _ENUMERATION.match(rest)
    rest = rest[start.end() if start else 0 :]
    words = _words(rest)
    if words <= _PLAIN and not any(map(str.isdigit, body[first.end() :])) and not ("are" in words and not colon and len(words) > 1):
        return Heading(_kind(first)) if len(kinds) == 1 and (colon or _is_title(body, first)) else None
    if colon and words <= _FRAME and (words & _VERBS):
        return _sentence_heading(kinds, words)
    if len(kinds) > 1 or words & _VERBS or not (colon or (not marked and _is_title(body, first))):
        return None
    before, after = body[: first.start()].rstrip(), body[first.end() :].strip(_MARKS)
    if _DETERMINED.search(before) or len(words) > _MOST_WORDS or (marked and not _may_lead(before, after)):
        return None
    if words & _NEGATING:
        return Heading(None, doubt="a heading that says not")
    qualifier = rest.strip(_MARKS + "()[]\uff08\uff09")
    if (
        not colon
        and not _words(body[: first.start()])
        and not _LIMITS.match(rest.lstrip(" "))
        and not cohort_of_heading(rest)
    ):
        return None
    if words <= _PLAIN | _PEOPLE:
        return Heading(_kind(first), people=qualifier)
    if _EVERYBODY.fullmatch(_qualifier(qualifier)):
        return Heading(_kind(first))
    return Heading(_kind(first), cohort=_qualifier(qualifier))


_EVERYBODY: Final = re.compile(r"(?:all|both) (?:groups|cohorts|arms|parts|patients|subjects|participants|phases)", re.I)
_MOST_WORDS: Final = 14
_LIMITS: Final = re.compile(
    r"(?:for|of|in|to|at|related|specific|applying|regarding|concerning|by)\b|[-\u2013(\[]", re.I
)


#: Words before "inclusion criteria" that make it a part of a sentence.
_DETERMINED: Final = re.compile(r"\b(?:the|all|any|of|no|these|those|our|above|below|following|both)$", re.I)


def _may_lead(before: str, after: str) -> bool:
    """Tell whether the words around "criteria" in a marked line may be those of a heading."""
    if _words(before) and _words(after):
        return False
    return len(_words(before)) <= 2 or cohort_of_heading(before) is not None


def _qualifier(words: str) -> str:
    """Return the words of a heading without those that join them to "criteria"."""
    words = re.sub(r"\s+", " ", words)
    shorter = re.sub(
        r"^(?:for|of|in|to|specific to|related to|applying to)\s+(?:the\s+)?|^(?:the|these)\s+",
        "",
        words,
        flags=re.I,
    )
    shorter = shorter.strip(_MARKS) or words
    return shorter + ")" if shorter.count("(") > shorter.count(")") else shorter


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text))


def _kind(match: re.Match[str]) -> Kind:
    return "exclusion" if match["non"] or match["kind"] in ("ex", "Ex", "EX") else "inclusion"


def _is_title(body: str, found: re.Match[str]) -> bool:
    """Tell whether a line without a colon looks like a title: short, no sentence, led or ended by "criteria"."""
    if len(body) > 90 or body.rstrip()[-1:] in (".", ";", ","):
        return False
    before, after = body[: found.start()].strip(_MARKS), body[found.end() :].strip(_MARKS)
    return bool(_words(before) <= _PLAIN or (before[:1].isupper() and (not after or body[found.end() :].lstrip()[:1] in "-\u2013(")) or body.isupper())


def _sentence_heading(kinds: set[Kind], words: frozenset[str]) -> Heading | None:
    if len(kinds) > 1:
        return Heading(None, doubt="a heading that names both kinds")
    kind = next(iter(kinds))
    if kind == "inclusion" and ("ineligible" in words or {"not", "eligible"} <= words):
        return None  # "not eligible for inclusion if" introduces exclusions, and `frame_kind` says so
    # "must not meet any of the exclusion criteria" is a heading of exclusion, "not meeting the inclusion
    # criteria" none of inclusion.
    if kind == "inclusion" and words & (_NEGATING | {"excluded", "ineligible"}):
        return Heading(None, doubt="a heading that says not")
    return Heading(kind)


def _eligibility_heading(body: str, *, marked: bool) -> Heading | None:
    found = None if marked else _ELIGIBILITY.match(body)
    if found is None:
        return None
    rest = body[found.end() :].strip(_MARKS)
    if not rest:
        return Heading(None)
    words = _words(rest)
    if body.rstrip()[-1:] != ":" or words & _VERBS:
        return None
    return Heading(None) if words <= _PLAIN | _PEOPLE else Heading(None, cohort=_qualifier(rest))


_INLINE: Final = re.compile(
    r"(?:(?:key|main|major|general|patient|subject|participant)[ \t]+)?(?:in|ex)clusions?[ \t]+criteri(?:a|on)[ \t]*"
    r"(?:[:\uff1a][-\u2013*_]*|[-\u2013](?=\s)|\.(?=\s)|(?=\s1[.)]\s)|(?-i:(?<=Criteria)(?=\s[A-Z])))"
    r"|(?:in|ex)clusions?[ \t]*[:\uff1a]",
    re.I,
)
_GLUED: Final = re.compile(
    r"(?:(?:Key|Main|Major|General) )?(?:(?:In|Ex)clusion [Cc]riteri(?:a|on)|(?:IN|EX)CLUSION CRITERIA)[ \t]*[:\uff1a][-\u2013*_]*"
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
    r"\b(?:the|all|any|other|following|of|no|these|those|our|and|or|additional|above|below|per|specific|non)$|\d$",
    re.I,
)
_MENTION: Final = re.compile(r"\b(in|ex)clusions?\s+criteri(?:a|on|as)\b", re.I)
_CAPITAL: Final = re.compile(r"\S\s+(?:In|Ex)clusion Criteria\b(?!\s+(?:may|apply|appl|are|is|as|and|or)\b)")


_UNMET: Final = re.compile(
    r"\b(?:not|fail\w*|without)\b[^.:]{0,40}$|\bas (?:described|defined|listed|indicated)\b[^.:]{0,40}$", re.I
)


def mentions_heading(body: str, kind: Kind | None) -> bool:
    """Tell whether a line that is no heading holds words like one, so that its section may end within it."""
    if is_note(body) or is_nothing(body):
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
        (found.end() >= len(body.rstrip(" .")) - 1
        and not _OPEN_END.search(body[: found.start()].rstrip()))
        or (body[found.end() : found.end() + 2].strip()[:1] == ":" or not body[: found.start()].strip(" *_-("))
    )


# Introductions

#: Endings of a line that needs what follows.
INTRO_ENDS: Final = (
    "follows",
    "follows.",
    ":",
    "\uff1a",
    ":*",
    ":**",
    ":)",
    "following",
    "Following",
    "FOLLOWING",
    "following.",
    "following)",
    "criteria):",
    ": ",
)
_FOLLOWING: Final = re.compile(
    r"\b(?:the|these|of)\s+following(?:\s+(?!surgery|treatment|months?|weeks?|days?|years?)[A-Za-z/-]+){0,3}\W*$|\bfollowing\W*$|\b(?:criteria|conditions) (?:below|listed)\W*$",
    re.I,
)


def introduces(source: str) -> bool:
    """Tell whether a line needs what follows it."""
    if source.endswith(INTRO_ENDS):
        return True
    end = source[-60:]
    return ("ollowing" in end or "below" in end) and _FOLLOWING.search(end) is not None


_REMARKS: Final = re.compile(
    r"\b(?:will|are|is|may|can|could|should|was|were|would|however|additionally|defined|applies|refer|see|note|notwithstanding|permitted|allowed)\b|e\.g\.:|n't\b",
    re.I,
)


def is_sentence(text: str) -> bool:
    """Tell whether a paragraph is a full sentence, which may be a remark, and not the words of a criterion."""
    return bool(_REMARKS.search(text))


_COUNT: Final = re.compile(
    r"\b(?:at least|minimum of|any|more than|>|\u2265|\d)\W*(?:two|three|four|five|six|[2-9])\b|\b(?:two|three|four|five|[2-9])\b(?:\W*\([2-9]\))?\s*(?:or more|of the|out of)",
    re.I,
)
_ANY: Final = re.compile(
    r"\b(?:any(?: one)?(?: or more)?|(?:at least|minimum of)\s+(?:one|1)|(?:one|1)(?:\W*\(1\))?(?:\s*/?\W*(?:or|and/or|/)\W*(?:more|both|several))?|either)"
    r"(?:\s+of)?(?:\s+(?:the|these|two|both))?(?:\s+[\w/-]+){0,4}?\s+(?:following|below|criteria|conditions|of these)\b"
    r"|\beither(?:\s+of)?\s*:?\W*$|\b(?:any|at least one|one or more|one) of(?: the)?\s*:?\W*$",
    re.I,
)
_ALL: Final = re.compile(
    r"\b(?:all|both|each)(?:\s+of)?(?:\s+(?:the|these|two|three))?(?:\s+[\w/-]+){0,4}?\s+(?:following|below|criteria|conditions|requirements)\b"
    r"|\b(?:all|both|each) of(?: the| these)?\s*:?\W*$|\b(?:all|both)\s*:\W*$",
    re.I,
)
_TURNING: Final = frozenset(
    "no not none nor neither never without absence absent lack lacking free denies deny unless except exception "
    "exceptions excepting cannot allowed permitted acceptable ineligible".split()
)
_LETTERS: Final = re.compile(r"[a-z]+")
#: Words without which a line says nothing of how the list below it holds together.
_ANCHORS: Final = ("ollowing", "OLLOWING", "riteria", "onditions", "elow", "equirements", "ither", "hese")


def turns_round(text: str, kind: Kind | None) -> bool:
    """Tell whether what stands below a line may mean the opposite of what the line is in."""
    low = text.lower()
    return (
        not _TURNING.isdisjoint(_LETTERS.findall(low))
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
    if _COUNT.search(text):
        return "count"
    some, every = _ANY.search(text), _ALL.search(text)
    if some and every:
        return "count"
    return "any-of" if some else "all-of" if every else None


def is_frame(text: str) -> bool:
    """Tell whether a line only introduces what follows and says nothing of its own."""
    words = _words(text)
    return words <= _FRAME and not words.isdisjoint(_FRAMING)


def frame_kind(text: str) -> Kind | None:
    """Return the kind that an introduction states by its verb ("will be excluded if:")."""
    words = _words(text.replace("for inclusion", ""))
    if words & {"excluded", "ineligible", "exclusion", "disqualify", "disqualified"} or (
        "eligible" in words and "not" in words
    ):
        if "not" in words and "eligible" not in words and "meet" not in words:
            return None
        return None if words & {"unless", "except", "inclusion", "included"} else "exclusion"
    if words & _NEGATING:
        return None
    return (
        "inclusion"
        if words & {"eligible", "included", "inclusion", "must", "enrolled", "qualify", "considered"}
        else None
    )


# Lines

_NOTE: Final = re.compile(
    r"[\W_]*(?:(?:please )?note(?:s|\b)|n\.?b\.?[:\s]|remarks?:|comment:|\*\s|\u2020)"
    r"|[\W_]*(?:\w+ ){0,2}?(?:(?:other|further|additional|more)\b.{0,60}\b(?:criteria|criterion|inclusions?|exclusions?|requirements|restrictions|conditions)\b.{0,60}"
    r"\b(?:appl(?:y|ied|ies)|exist)\b)"
    r"|[\W_]*[\[(]+\\?[*\u2020\u2021\u00a7#a-c][\])]"
    r"|[\W_]*(?:the )?(?:information|criteria|list) (?:listed |described )?above\b|.{0,80}\b(?:be |may )re-?screened\b"
    r"|[\W_]*for (?:more|additional|further) information\b|[\W_]*please (?:visit|note|contact|refer)\b"
    r"|[\W_]*there are additional (?:in|ex)clusion",
    re.I,
)
NOTHING_BEGINS: Final = (
    *("None", "none", "NONE", "Nil", "nil", "NIL", "N/", "n/", "N.", "n.", "Not app", "not app", "NOT APP", "There", "there"),
    *(f"{no} {word}" for no in ("No", "no", "NO") for word in ("crit", "excl", "incl", "spec", "furt", "addi", "othe")),
    *("No specific", "(none", "(None", "-"),
)
NOTE_BEGINS: Final = (
    *("Note", "NOTE", "note", "N.B", "NB", "n.b", "Remark", "remark", "REMARK", "Comment", "Please", "PLEASE"),
    *("(Note", "(NOTE", "[Note", "Other ", "other ", "OTHER ", "Further", "further", "Additional", "additional", "More "),
    *("For more", "For add", "For fur", "*", "\\*", "_", "\u2020", "[*", "(*", "There are", "Key ", "Some ", "The info", "The cri"),
)
_NOTHING: Final = re.compile(
    r"\W*(?:none(?: (?:listed|specified|stated|identified|known|reported))?|nil|n\.?/?a\.?|not applicable"
    r"|(?:there (?:is|are|were|will be) )?no(?:ne)? (?:specific |further |additional |other )?(?:(?:in|ex)clusion )?criteri(?:a|on)|no exclusions?)\W*",
    re.I,
)


def is_note(body: str) -> bool:
    """Tell whether a line is a note."""
    return bool(_NOTE.match(body))


def is_general(note: str) -> bool:
    """Tell whether a note is about the criteria as such, and not about one of them."""
    return _GENERAL.search(note) is not None


_GENERAL: Final = re.compile(r"\b(?:appl(?:y|ied|ies)|exist|criteria|re-?screened|visit|contact|information)\b", re.I)


def is_nothing(body: str) -> bool:
    """Tell whether a line says that there is no criterion."""
    return len(body) < 50 and bool(_NOTHING.fullmatch(body))


_COHORT_ITEM: Final = re.compile(
    r"\W*(?:for |in |only )?(?:the )?((?:cohorts?|groups?|arms?|parts?|phases?|sub-?stud(?:y|ies)|populations?|tracks?|aims?|periods?)\s*[-#]?\s*[(\"\u201c]?(?:[A-Z]|\d+[A-Za-z]?|[IVX]+)\b[^:\n.]{0,60}"
    r"|(?:cases?|controls?|(?:healthy|normal|control|case)\s+(?:subjects?|volunteers?|controls?|participants?|individuals?|groups?|arms?|cohorts?|adults?|donors?|people|persons?)|recipients?|donors?|caregivers?|partners?|clinicians?|providers?|families|parents)\b[^:.\n]{0,40})(?::|\s[-\u2013]\s|$)"
    r"|\W*(?:group|cohort|arm)\s+[\"\u201c][^\"\u201d]{1,60}[\"\u201d]",
    re.I,
)
COHORT_BEGINS: Final = (
    *("Cohort", "cohort", "COHORT", "Group", "group", "GROUP", "Arm ", "Arms ", "arm ", "ARM ", "Part ", "part ", "PART "),
    *("Parts ", "Phase ", "PHASE ", "Aim ", "Track ", "Sub-stu", "Substud", "SUBSTUD", "sub-stu", "substud"),
    *("Case", "case ", "cases", "CASE", "Control", "control", "CONTROL", "Healthy", "healthy", "HEALTHY", "Normal ", "normal "),
    *("For coh", "For gro", "For arm", "For par", "For con", "For cas", "For hea", "For the", "For nor", "For pha", "For sub"),
    *("For pat", "For all", "For wom", "For men", "For chi", "For adu", "For tho", "For fem", "For mal", "For inf", "For ado"),
    *("In coho", "In grou", "In part", "In the ", "The con", "The coh", "The gro", "The cas", "The hea", "(", "[", '"', "*", "_", "#"),
    *("Recipient", "recipient", "Donor", "donor", "Caregiver", "Partner", "Population", "Period ", "Only ", "only "),
    *("Clinician", "Provider", "Parents", "Families", "-"),
)
_COHORT_HEADING: Final = re.compile(
    r"\b(?:cohorts?|groups?|arms?|part|parts|phase|stage|sub-?stud(?:y|ies)|extension|population|patients?|subjects?|participants?|volunteers?|"
    r"controls?|cases?|donors?|recipients?|partners?|caregivers?|parents?|clinicians?|providers?|students?|adolescents?|children|child|"
    r"infants?|mothers?|fathers?|families|women|men|males?|females?|adults?|healthy|individuals?|people|persons?|period|randomi[sz]ation|registry|study|trial|visit|step|track|run-in|open-label)\b",
    re.I,
)


_COHORT_LINE: Final = re.compile(
    r"\W*for (?:all |the )?((?:patients|subjects|participants|those|women|men|females|males|children|adults|adolescents"
    r"|infants|controls)\b[^:\n.]{0,60})$",
    re.I,
)


def cohort_of_item(body: str) -> str | None:
    """Return the words with which a criterion limits itself to some of the participants: `Cohort A: ...`."""
    found = _COHORT_ITEM.match(body)
    if found is None or (found.end() == len(body) and body[-1] not in ":-\u2013\"\u201d"):
        return None
    return (found[1] or found[0]).strip(_MARKS + ' \t(["\u201c')


def cohort_of_line(body: str) -> str | None:
    """Return the words of a line of its own that names some of the participants: `Cohort A`, `For women`."""
    found = _COHORT_ITEM.match(body)
    if found is None:
        line = _COHORT_LINE.match(body)
        return line[1].strip() if line else None
    return (found[1] or found[0]).strip(_MARKS + ' \t(["\u201c')


def cohort_of_heading(body: str) -> str | None:
    """Return the words of a heading that may limit what stands below it to some of the participants."""
    if _COHORT_HEADING.search(body) is None or _EVERYBODY.search(body) or re.search(r"\b(?:includes?|must)\b", body, re.I):
        return None
    return body.strip(_MARKS + "()")


# What a criterion says against its section

_SAYS_EXCLUDED: Final = re.compile(
    r"^\W*(?:ex?c?\w{0,3}usions?\b(?!\s+of)|exclude[ds]?\b|excluding\b|non-?\s?inclusion)"
    r"|^(?!.*\b(?:who|that|which|if|unless|when)\b.*\bexcluded\b)[^.;(]*\b(?:are|is|be|were|was)\s+(?:also\s+|\w+ly\s+)?excluded\b"
    r"|^[^.;(]*\bexcluded if\b|^[^.;(]*\b(?:are|is|be|were)\s+(?:ineligible|not eligible)\b(?!\s+for\b)"
    r"|^[^.;(]*\bmust not (?:meet|fulfil|have) any\b",
    re.I,
)
_OTHER_KIND: Final = {
    "inclusion": re.compile(
        r"\b(?:ex?c?l\w*sions?|exclu(?!siv)\w*|exlu\w*|ecxl\w*|non-?\s?(?:inclusion|selection|eligib\w*)|withdraw\w*|discontinu\w*|reject\w*|"
        r"suspen\w*|terminat\w*|drop-?\s?out|stopping|exit|removal|eliminat\w*|ineligib\w*|contra-?indicat\w*|not|except\w*)\b",
        re.I,
    ),
    "exclusion": re.compile(
        r"\b(?:suspen\w*|withdraw\w*|discontinu\w*|terminat\w*|drop-?\s?out|stopping|exit|removal|incl?\w*sions?|included|inculsion|eligible|allowed|permitted|except\w*|acceptable)\b",
        re.I,
    ),
}


def heads_other(text: str, kind: Kind | None) -> bool:
    """Tell whether the heading of a part may turn its section's kind round."""
    return kind is not None and _OTHER_KIND[kind].search(text) is not None


_SAYS_ALLOWED: Final = re.compile(
    r"^(?:(?!\b(?:who|that|which|if|not|unless|when|whose|where|until|before|no)\b)[^.;:,(])*\b(?:are|is|be|remain)\s+(?:\w+\s+)?(?:eligible|allowed|permitted|acceptable|permissible|included)\b",
    re.I,
)


def says_excluded(body: str) -> bool:
    """Tell whether a criterion of inclusion says that it excludes."""
    return bool(_SAYS_EXCLUDED.search(body))


def says_allowed(body: str) -> bool:
    """Tell whether a criterion of exclusion says that something is allowed."""
    return bool(_SAYS_ALLOWED.match(body))
