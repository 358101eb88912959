"""The sections of a page that hold a label and a value at a time, and the eligibility criteria above them.

A value counts only in the shape that its label demands (an enum word, a date, `33 participants`), so that an
unknown label is never taken for a value. `-`, or nothing, says that the registry has no value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

from trialconv.readers._page_layout import Line, text_of, with_text
from trialconv.readers._page_notes import Notes
from trialconv.record import enums

#: How the page writes "no value".
NOTHING: Final = "-"

_WORD = re.compile(r"[A-Z][A-Z0-9_]*")
_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d)?)?")
_PARTICIPANTS = re.compile(r"([0-9]{1,12}|[0-9]{1,3}(?:,[0-9]{3}){1,3}) participants?")
_AGE = re.compile(r"\d+ (?:Year|Month|Week|Day|Hour|Minute)s?")
_BETWEEN_WORDS = re.compile(r"[\s,;/|&()]+")
_WHO_MASKED = frozenset(get_args(enums.WhoMasked))


class Value(NamedTuple):
    """A value that was read from the first `used` lines after its label."""

    value: Any
    used: int = 1


#: Read the lines after a label; None when the first is not in the label's shape.
ReadLines = Callable[[Sequence[str]], Value | None]


class Label(NamedTuple):
    """Where the value under a label goes, as a path of the registry's keys, and how it is read."""

    path: str
    read: ReadLines


def is_word(text: str) -> bool:
    """Tell whether a text is written as the registry writes enum values."""
    return _WORD.fullmatch(text) is not None


def _shaped(shape: re.Pattern[str]) -> ReadLines:
    return lambda lines: Value(lines[0]) if shape.fullmatch(lines[0]) else None


def _count(lines: Sequence[str]) -> Value | None:
    match = _PARTICIPANTS.fullmatch(lines[0])
    return Value(int(match[1].replace(",", ""))) if match else None


def _phases(lines: Sequence[str]) -> Value | None:
    words = _BETWEEN_WORDS.split(lines[0])
    return Value(words) if all(map(is_word, words)) else None


def _yes_no(lines: Sequence[str]) -> Value | None:
    answer = {"Yes": True, "No": False}.get(lines[0])
    return None if answer is None else Value(answer)


def _masking(lines: Sequence[str]) -> Value | None:
    """Read the masking and the masked roles that may stand behind it or on the lines below."""
    masking, *who = [word for word in _BETWEEN_WORDS.split(lines[0]) if word] or [""]
    if not is_word(masking) or not _WHO_MASKED.issuperset(who):
        return None
    used = 1
    while used < len(lines) and _WHO_MASKED.issuperset(more := _BETWEEN_WORDS.split(lines[used])):
        who += more
        used += 1
    return Value({"masking": masking, **({"whoMasked": who} if who else {})}, used)


_PROTOCOL = "protocolSection"
_STATUS = f"{_PROTOCOL}.statusModule"
_DESIGN = f"{_PROTOCOL}.designModule"
_INFO = f"{_DESIGN}.designInfo"
_ELIGIBILITY = f"{_PROTOCOL}.eligibilityModule"

BASIC_LABELS: Final = {
    "Recruitment Status": Label(f"{_STATUS}.overallStatus", _shaped(_WORD)),
    "Clinical Phase": Label(f"{_DESIGN}.phases", _phases),
    "Total Enrollment": Label(f"{_DESIGN}.enrollmentInfo.count", _count),
    "Study Classification": Label(f"{_DESIGN}.studyType", _shaped(_WORD)),
    "Study Start Date": Label(f"{_STATUS}.startDateStruct.date", _shaped(_DATE)),
    "Study Completion Date": Label(f"{_STATUS}.completionDateStruct.date", _shaped(_DATE)),
}
DESIGN_LABELS: Final = {
    "Allocation Method": Label(f"{_INFO}.allocation", _shaped(_WORD)),
    "Intervention Model": Label(f"{_INFO}.interventionModel", _shaped(_WORD)),
    "Primary Study Purpose": Label(f"{_INFO}.primaryPurpose", _shaped(_WORD)),
    "Blinding Strategy": Label(f"{_INFO}.maskingInfo", _masking),
}
ELIGIBILITY_LABELS: Final = {
    "Minimum Eligible Age": Label(f"{_ELIGIBILITY}.minimumAge", _shaped(_AGE)),
    "Maximum Eligible Age": Label(f"{_ELIGIBILITY}.maximumAge", _shaped(_AGE)),
    "Eligible Sex": Label(f"{_ELIGIBILITY}.sex", _shaped(_WORD)),
    "Accepts Healthy Volunteers": Label(f"{_ELIGIBILITY}.healthyVolunteers", _yes_no),
}


def read_labels(notes: Notes, section: str, body: Sequence[Line], labels: Mapping[str, Label]) -> None:
    """Read a body of labels and values into the tree.

    A label that stands twice is ambiguous; lines that are neither a label nor its value are unread.
    """
    said = with_text(body)
    places = [position for position, line in enumerate(said) if line.bare in labels]
    times = Counter(said[position].bare for position in places)
    repeated: dict[str, list[Line]] = {name: [] for name, count in times.items() if count > 1}
    notes.unread(section, said[: places[0]] if places else said)
    for position, end in zip(places, [*places[1:], len(said)], strict=False):
        block = said[position:end]
        name = block[0].bare
        if name in repeated:
            repeated[name] += block
        else:
            _read_value(notes, section, block, labels[name])
    for name, blocks in repeated.items():
        notes.ambiguous(section, blocks, f"the label {name!r} stands more than once")


def _read_value(notes: Notes, section: str, block: Sequence[Line], label: Label) -> None:
    """Read the lines under one label, the first of the block."""
    texts = [line.bare for line in block[1:]]
    if not texts:
        return
    if texts[0] == NOTHING:
        notes.unread(section, block[2:])
        return
    value = label.read(texts)
    if value is None:
        notes.unread(section, block, "the label has a value of another form than expected")
        return
    notes.put(label.path, value.value)
    notes.unread(section, block[1 + value.used :])


def read_eligibility(notes: Notes, section: str, body: list[Line]) -> None:
    """Read the criteria, and the labels that follow them.

    The criteria end at the first line that is a label with its value; a line that only equals a label is text
    as long as the label proper stands somewhere.
    """
    said = with_text(body)
    proper = {line.bare for at, line in enumerate(said) if _is_field(said, at)}
    for position, line in enumerate(said):
        if line.bare in ELIGIBILITY_LABELS and (line.bare not in proper or _is_field(said, position)):
            read_labels(notes, section, said[position:], ELIGIBILITY_LABELS)
            body = [above for above in body if above.number < line.number]
            break
    criteria = criteria_of(body)
    if criteria and criteria != NOTHING:
        notes.put(f"{_ELIGIBILITY}.eligibilityCriteria", criteria)


def _is_field(said: Sequence[Line], position: int) -> bool:
    label = ELIGIBILITY_LABELS.get(said[position].bare)
    if label is None:
        return False
    after = [line.bare for line in said[position + 1 : position + 2]]
    if not after or after[0] == NOTHING or after[0] in ELIGIBILITY_LABELS:
        return True
    return label.read(after) is not None


_CRITERIA_HEADINGS = frozenset({"Inclusion Criteria", "Exclusion Criteria"})


def criteria_of(body: Sequence[Line]) -> str:
    """Return the criteria as the registry usually writes them.

    The page sets the registry's `Inclusion Criteria:` as a heading without the colon; here the colon and the
    blank lines around the heading return.
    """
    pieces: list[str] = []
    piece: list[Line] = []
    for line in body:
        if line.bare in _CRITERIA_HEADINGS:
            pieces += [text_of(piece), f"{line.bare}:"]
            piece = []
        else:
            piece.append(line)
    pieces.append(text_of(piece))
    return "\n\n".join(text for text in pieces if text)
