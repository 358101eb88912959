"""The layout of a rendered text page: its headings, their fixed sentences, and how lines fall into sections.

The layout is known from `examples/NCT06108596.txt`, a rendering of API v2 data: a title, `NCT ID:`,
`Last Updated:`, then sections. A section opens with a heading line that is followed by one fixed sentence; a
line that only looks like a heading is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

#: The heading of each section and the fixed sentence under it.
SENTENCES: Final[dict[str, str]] = {
    "Basic Information": (
        "Get a concise snapshot of the trial, including recruitment status, study phase, enrollment targets, "
        "and key timeline milestones."
    ),
    "Brief Summary": (
        "Review the sponsor-provided synopsis that highlights what the study is about and why it is being "
        "conducted."
    ),
    "Detailed Description": (
        "Dive into the extended narrative that explains the scientific background, objectives, and procedures in "
        "greater depth."
    ),
    "Conditions": (
        "See the medical conditions and disease areas that this research is targeting or investigating."
    ),
    "Study Design": (
        "Understand how the trial is structured, including allocation methods, masking strategies, primary "
        "purpose, and other design elements."
    ),
    "Study Groups": (
        "Review each arm or cohort in the study, along with the interventions and objectives associated with them."
    ),
    "Interventions": (
        "Learn about the drugs, procedures, or behavioral strategies being tested and how they are applied within "
        "this trial."
    ),
    "Eligibility Criteria": (
        "Check the participation requirements, including inclusion and exclusion rules, age limits, and whether "
        "healthy volunteers are accepted."
    ),
    "Sponsors": "Meet the organizations funding or collaborating on the study and learn about their roles.",
    "Responsible Party": (
        "Identify the individual or organization who holds primary responsibility for the study information "
        "submitted to regulators."
    ),
    "Principal Investigators": (
        "Learn about the lead researchers overseeing the trial and their institutional affiliations."
    ),
    "Locations": (
        "Explore where the study is taking place and check the recruitment status at each participating site."
    ),
    "Countries": "Review the countries where the study has at least one active or historical site.",
    "Other Identifiers": (
        "Review additional registry numbers or institutional identifiers associated with this trial."
    ),
    "More Related Trials": "Additional clinical trials that may be relevant based on similarity analysis.",
}

#: The heading of the one section that has no sentence under it; it stands before all others.
RESULTS_HEADING: Final = "Study Results"
#: What that section says when no results are posted, and the sentence that follows.
RESULTS_PENDING: Final = "Results pending"
RESULTS_SENTENCE: Final = (
    "The study team has not published outcome measurements, participant flow, or safety data for this trial yet. "
    "Check back later for updates."
)

#: The sections whose whole body is the sponsor's prose. An unknown section after them cannot be told from it.
PROSE: Final = frozenset({"Brief Summary", "Detailed Description"})


class Line(NamedTuple):
    """A line of the page: its number, from 1, and its text without trailing spaces."""

    number: int
    text: str

    @property
    def bare(self) -> str:
        """The text without spaces around it."""
        return self.text.strip()


class Section(NamedTuple):
    """A heading and the lines of its body, blank ones among them, without the fixed sentence."""

    heading: Line
    body: list[Line]


Paragraph = list[Line]


def lines_of(text: str) -> list[Line]:
    """Cut a text into lines at LF, CRLF or CR."""
    pieces = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [Line(number, piece.rstrip()) for number, piece in enumerate(pieces, start=1)]


def split_page(lines: Sequence[Line]) -> tuple[list[Line], list[Section]]:
    """Return the lines before the first heading, and the sections in the page's order."""
    following = _next_with_text(lines)
    head: list[Line] = []
    sections: list[Section] = []
    target, position = head, 0
    while position < len(lines):
        line = lines[position]
        after = following[position]
        if after < len(lines) and SENTENCES.get(line.bare) == " ".join(lines[after].text.split()):
            sections.append(Section(line, []))
            target, position = sections[-1].body, after + 1
            continue
        target.append(line)
        position += 1
    return head, sections


def _next_with_text(lines: Sequence[Line]) -> list[int]:
    """Return, for each line, the index of the next line that is not blank."""
    following, after = [0] * len(lines), len(lines)
    for position in range(len(lines) - 1, -1, -1):
        following[position] = after
        if lines[position].text:
            after = position
    return following


def with_text(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that are not blank."""
    return [line for line in lines if line.text]


def paragraphs(lines: Sequence[Line]) -> list[Paragraph]:
    """Cut lines into runs of lines without a blank one."""
    found: list[Paragraph] = []
    inside = False
    for line in lines:
        if not line.text:
            inside = False
        elif inside:
            found[-1].append(line)
        else:
            found.append([line])
            inside = True
    return found


def text_of(lines: Sequence[Line]) -> str:
    """Return the lines as one text, with the blank lines between them."""
    return "\n".join(line.text for line in lines).strip("\n")


def cut_unknown(body: list[Line]) -> tuple[list[Line], list[Line]]:
    """Split the body of a list-like section before a section that this layout does not have.

    Such a one shows by a short line followed by a whole sentence of its own, which is how the page opens every
    section. Where there is none, the second list is empty.
    """
    found = paragraphs(body)
    for heading, sentence in pairwise(found):
        if opens_section(heading, sentence):
            first = heading[0].number
            return [ln for ln in body if ln.number < first], [ln for ln in body if ln.number >= first]
    return body, []


_HEADING_WORDS = 6
_SENTENCE_WORDS = 8
_SMALL_WORD = re.compile(r"[a-z]")


def opens_section(heading: Paragraph, sentence: Paragraph) -> bool:
    """Tell whether two paragraphs look like a heading of the page with its fixed sentence."""
    if len(heading) > 1 or len(sentence) > 1 or len(heading[0].text.split()) > _HEADING_WORDS:
        return False
    text = sentence[0].bare
    words = text.split()
    small = sum(1 for word in words if _SMALL_WORD.match(word))
    return text.endswith(".") and len(words) >= _SENTENCE_WORDS and small * 3 >= len(words) * 2
