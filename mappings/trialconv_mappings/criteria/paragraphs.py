"""What a line says that stands between lists or below one: a duty, a permission, a heading of another kind."""

from __future__ import annotations

import re
from typing import Final

from trialconv_mappings.criteria.model import Kind
from trialconv_mappings.criteria.vocabulary import FRAME, NEGATING
from trialconv_mappings.criteria.words import frame_kind, is_frame, words_of

_BREAKS_OFF: Final = re.compile(
    r"\b(?:of|with|by|to|for|than|either|including|includes?|are|is|as|must|be|have|has|had|in|from|the)$|\bi\.v\.$",
    re.I,
)


def breaks_off(text: str) -> bool:
    """Tell whether a line ends in the middle of a sentence."""
    return _BREAKS_OFF.search(text[-12:]) is not None


_DEFINES: Final = re.compile(r"\W*definitions? of [\w -]{2,50}:\s*\W*\w.*[.\"\u201d]", re.I | re.S)


def defines(text: str) -> bool:
    """Tell whether a paragraph is the definition of a word, and no introduction."""
    return _DEFINES.fullmatch(text) is not None


# What a paragraph below a list says

_PEOPLE_BEGIN: Final = (
    r"\s*(?:(?:additionally|in addition|furthermore|moreover|also),?\s+)?"
    r"(?:(?:all|any|the|those)\s+)?(?:(?!(?:only|no|not|none|never|neither)\b)[\w-]+\s+){0,2}?"
    r"(?:patients|subjects|participants|volunteers|individuals|candidates|persons|women|men|females|males)\b"
)
_DUTY: Final = re.compile(
    r"(?!.*\b(?:exclu\w*|ineligible|not\s+(?:be\s+)?(?:included|enrolled|eligible|participate|take part))\b)"
    + _PEOPLE_BEGIN
    + r"[^.]*?\b(?:must|(?:are|is|will be|would be)\s+(?:also\s+)?required to)\b",
    re.I,
)
_SHUT_OUT: Final = re.compile(
    _PEOPLE_BEGIN + r"(?:(?!\b(?:not|never|no longer|unless|except\w*)\b)[^.])*?"
    r"\b(?:(?:will|would|shall|should|must)\s+(?:also\s+)?be\s+|are\s+(?:also\s+)?)excluded\b"
    r"(?!\s+(?:only|if|when|unless)\b)",
    re.I,
)
_LET_IN: Final = re.compile(
    _PEOPLE_BEGIN + r"(?:(?!\b(?:not|no|never|only|must|if|unless|provided|required|should|when|exclu\w*)\b)[^.])*"
    r"\b(?:(?:are|is|remain)\s+(?:also\s+)?(?:eligible|allowed|permitted|acceptable)"
    r"|(?:may|can)\s+(?:also\s+)?be\s+(?:included|enrolled))\b"
    r"(?:(?!\b(?:only|if|unless|provided|when|as long|but|except\w*)\b)[^.])*\.?",
    re.I,
)


def adds_criterion(text: str, kind: Kind | None) -> bool:
    """Tell whether a paragraph below a list states one more criterion of the list's kind, by its verb."""
    pattern = _DUTY if kind == "inclusion" else _SHUT_OUT if kind == "exclusion" else None
    return pattern is not None and pattern.match(text) is not None


def only_permits(text: str) -> bool:
    """Tell whether each sentence of a paragraph only says who may take part as well."""
    return all(_LET_IN.fullmatch(sentence) for sentence in re.split(r"(?<=[a-z)]\.)\s+(?=[A-Z])", text))


_LEAVING: Final = re.compile(
    r"\W*(?:\w+\s+)?(?:with-?drawal|drop-?\s?out|exit|suspension|discontinuation|termination|elimination|removal"
    r"|stopping)\s+(?:criteri(?:a|on)|rules?)\s*:?\W*",
    re.I,
)


def heads_leaving(text: str) -> bool:
    """Tell whether a line is a heading of criteria for leaving a study, which neither include nor exclude."""
    return _LEAVING.fullmatch(text) is not None


_MUST_NOT: Final = re.compile(
    r"\b(?:must|may|should|shall|can) ?not (?:meet|fulfil|have|satisfy) any(?: one)? of the following\b", re.I
)


def excludes_below(text: str) -> bool:
    """Tell whether a pure introduction says that what stands below it excludes."""
    return is_frame(text) and (frame_kind(text) == "exclusion" or _MUST_NOT.search(text) is not None)


_MORE: Final = re.compile(
    r"\W*(?:additional|further|other|more|special|specific) (?:key )?(?:in|ex)clusion criteria\b", re.I
)


def heads_more(text: str) -> bool:
    """Tell whether a line begins like a heading of additional criteria."""
    return _MORE.match(text) is not None


_SEEKING: Final = (FRAME | {"seeking", "recruiting", "looking", "people"}) - NEGATING


def seeks(text: str) -> bool:
    """Tell whether a line only says that a study looks for participants: "This study is seeking people who:"."""
    return text.endswith(":") and words_of(text) <= _SEEKING
