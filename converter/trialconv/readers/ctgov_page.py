"""A rendered text page of a ClinicalTrials.gov study, as `examples/NCT06108596.txt`.

The page renders API v2 data, enum words as they are. It does not say everything: no outcomes, keywords,
references or contacts, no date types, and not whether its title is the brief or the official one; nothing of
that is asserted. What can be read in one way only is read; what can be read in several ways, or in none, is
kept as text in the record's extras, with an Issue.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from trialconv.readers._page_fields import (
    BASIC_LABELS,
    DESIGN_LABELS,
    NOTHING,
    read_eligibility,
    read_labels,
)
from trialconv.readers._page_groups import GROUPS, INTERVENTIONS, read_groups
from trialconv.readers._page_layout import (
    PROSE,
    RESULTS_HEADING,
    RESULTS_PENDING,
    RESULTS_SENTENCE,
    SENTENCES,
    Line,
    Section,
    cut_unknown,
    lines_of,
    paragraphs,
    split_page,
    text_of,
    with_text,
)
from trialconv.readers._page_lists import (
    check_related,
    read_conditions,
    read_identifiers,
    read_officials,
    read_responsible_party,
    read_sponsors,
)
from trialconv.readers._page_notes import Notes
from trialconv.readers._page_places import COUNTRIES, LOCATIONS, read_places
from trialconv.readers.common import record_from_tree, refusal
from trialconv.record import Record, SourceInfo

READER = "ctgov-page"

#: Where the lines above the first heading are kept when they are not understood.
HEADER: Final = "Header"
_RELATED = "More Related Trials"
_BOM = b"\xef\xbb\xbf"
_NCT_LINE = re.compile(r"NCT ID:\s*(\S+)")
_UPDATED_LINE = re.compile(r"Last Updated:\s*(\d{4}-\d\d-\d\d|-)?")
_NOT_CARRIED = (
    "a text page does not carry outcomes, keywords, references, contacts, oversight, date types, submission dates "
    "or which of the registry's titles it shows"
)


def read_ctgov_page(data: bytes, source: SourceInfo) -> Record:
    """Make a record of one page.

    `data` is UTF-8 text. The record's extras hold `title`, `lastUpdated`, `countries` (listed, but without a
    location) and `unread` (texts that were not read, by section), each only where there is something. Raises
    SourceError for bytes that are no text (`malformed-source`) and for a text without exactly one NCT number
    at its head (`not-a-study`, `malformed-source`).
    """
    source = source._replace(reader=READER)
    head, sections = split_page(lines_of(_decoded(data, source)))
    notes = Notes(_nct_id(head, sections, source))
    notes.put("protocolSection.identificationModule.nctId", notes.record)
    extras = _read_head(notes, head)
    bodies = _usable(notes, sections)
    _read_sections(notes, bodies)
    read_groups(notes, bodies.get(GROUPS), bodies.get(INTERVENTIONS))
    countries = read_places(notes, bodies.get(LOCATIONS), bodies.get(COUNTRIES))
    if countries:
        extras["countries"] = countries
    unread = notes.unread_texts
    if unread:
        extras["unread"] = unread
    notes.remark("not-in-source", [], _NOT_CARRIED)
    return record_from_tree(notes.tree, source, notes.issues, extras)


def _decoded(data: bytes, source: SourceInfo) -> str:
    try:
        text = data.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        place = source._replace(place=f"line {line}")
        raise refusal("malformed-source", place, "the text is not UTF-8") from None
    nul = text.find("\0")
    if nul >= 0:
        place = source._replace(place="line {}".format(text.count("\n", 0, nul) + 1))
        raise refusal("malformed-source", place, "the text holds a NUL character; it is binary")
    if not text.strip():
        raise refusal("not-a-study", source, "the text is empty")
    return text


def _nct_id(head: list[Line], sections: list[Section], source: SourceInfo) -> str:
    """Return the NCT number of the page. A second one at its head or at its end means a second page."""
    ends = [line for section in sections if section.heading.bare == _RELATED for line in section.body]
    found = [(line.number, match[1]) for line in [*head, *ends] if (match := _NCT_LINE.fullmatch(line.bare))]
    if not found or found[0][0] > head[-1].number:
        raise refusal("not-a-study", source, "expected a line 'NCT ID: NCT…' above the first heading")
    if len(found) > 1:
        places = ", ".join(str(number) for number, _ in found[:4])
        message = f"expected one page, found {len(found)} lines 'NCT ID:' (lines {places})"
        raise refusal("malformed-source", source._replace(place=f"line {found[1][0]}"), message)
    return found[0][1]


def _read_head(notes: Notes, head: list[Line]) -> dict[str, Any]:
    """Read the lines above the first heading: title, NCT number, update date, and the results section."""
    extras: dict[str, Any] = {}
    said = with_text(head)
    results = next((at for at, line in enumerate(said) if line.bare == RESULTS_HEADING and at), len(said))
    numbered = next(at for at, line in enumerate(said) if _NCT_LINE.fullmatch(line.bare))
    if numbered > results:
        results = len(said)
    above, below = said[:numbered], said[numbered + 1 : results]
    if len(above) == 1:
        if above[0].bare != NOTHING:
            extras["title"] = above[0].bare
    else:
        notes.ambiguous(HEADER, above, "more than one line stands where the title is expected")
    rest: list[Line] = []
    for line in below:
        match = _UPDATED_LINE.fullmatch(line.bare)
        if match is None or "lastUpdated" in extras:
            rest.append(line)
        elif match[1] and match[1] != NOTHING:
            extras["lastUpdated"] = match[1]
    notes.unread(HEADER, rest)
    _read_results(notes, said[results + 1 :])
    return extras


def _read_results(notes: Notes, said: list[Line]) -> None:
    """Read the section that says whether results are posted; only its "pending" is known."""
    if said and said[0].bare == RESULTS_PENDING:
        notes.put("hasResults", False)
        said = said[1:]
        if said and " ".join(said[0].text.split()) == RESULTS_SENTENCE:
            said = said[1:]
    notes.unread(RESULTS_HEADING, said)


def _usable(notes: Notes, sections: list[Section]) -> dict[str, list[Line]]:
    """Return the bodies by heading, without those that cannot be delimited for certain.

    A heading that stands twice gives two bodies for one thing. A heading that nowhere has its sentence, but
    stands alone in a line, may be the heading after all.
    """
    count: dict[str, int] = {}
    for section in sections:
        count[section.heading.bare] = count.get(section.heading.bare, 0) + 1
    bodies: dict[str, list[Line]] = {}
    for heading, body in sections:
        name = heading.bare
        stray = _stray_heading(body, count) if name != _RELATED else ""
        if count[name] > 1:
            notes.ambiguous(name, body, f"the heading {name!r} stands {count[name]} times")
        elif stray:
            notes.ambiguous(name, body, f"the line {stray!r} may be a heading, but its sentence is missing")
        else:
            bodies[name] = body
    return bodies


def _stray_heading(body: list[Line], present: dict[str, int]) -> str:
    alone = (paragraph[0].bare for paragraph in paragraphs(body) if len(paragraph) == 1)
    return next((text for text in alone if text in SENTENCES and text not in present), "")


def _read_sections(notes: Notes, bodies: dict[str, list[Line]]) -> None:
    """Read every section but the two pairs that are read together, and cut unknown sections off all lists."""
    for name, body in bodies.items():
        if name in PROSE:
            text = text_of(body)
            if text and text != NOTHING:
                notes.put(f"protocolSection.descriptionModule.{_PROSE_FIELDS[name]}", text)
        elif name == "Eligibility Criteria":
            read_eligibility(notes, name, body)
        elif name not in (GROUPS, INTERVENTIONS, _RELATED):
            bodies[name], unknown = cut_unknown(body)
            if unknown:
                notes.unread(unknown[0].bare, unknown, "an unknown section")
        if name in _LISTS:
            _LISTS[name](notes, name, bodies[name])


_PROSE_FIELDS = {"Brief Summary": "briefSummary", "Detailed Description": "detailedDescription"}
_LISTS: Final[dict[str, Callable[[Notes, str, list[Line]], None]]] = {
    "Basic Information": lambda notes, name, body: read_labels(notes, name, body, BASIC_LABELS),
    "Conditions": read_conditions,
    "Study Design": lambda notes, name, body: read_labels(notes, name, body, DESIGN_LABELS),
    "Sponsors": read_sponsors,
    "Responsible Party": read_responsible_party,
    "Principal Investigators": read_officials,
    "Other Identifiers": read_identifiers,
    _RELATED: check_related,
}
