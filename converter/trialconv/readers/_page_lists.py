"""The sections of a page that list parties, conditions and identifiers, a block of lines for each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from trialconv.readers._page_fields import NOTHING, is_word
from trialconv.readers._page_grammar import TEXT, Allowed, Grammar, Step, Token, derive, tokens_of
from trialconv.readers._page_layout import Line, with_text
from trialconv.readers._page_notes import Notes

_SPONSORS = "protocolSection.sponsorCollaboratorsModule"
_IDS = "protocolSection.identificationModule"


class ListForm(NamedTuple):
    """How the blocks of a list look: its marker lines, its grammar, and the order of the roles in a block."""

    markers: Mapping[str, re.Pattern[str]]
    grammar: Grammar
    order: tuple[str, ...]


class Block(dict[str, str]):
    """The texts of one block by role, without those that say "no value"; `lines` are its lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Line] = []


def one_line(_role: str, token: Token) -> bool:
    """Allow every role to texts of one line only."""
    return token.single


def blocks_of(
    notes: Notes, section: str, body: Sequence[Line], form: ListForm, allowed: Allowed = one_line
) -> list[Block]:
    """Return the blocks of a list. One with no derivation, or with several, is kept as text and gives none."""
    tokens = tokens_of(body, form.markers)
    if not tokens:
        return []
    derivation = derive(form.grammar, tokens, allowed)
    if derivation.ways > 1:
        notes.ambiguous(section, body, "the text can be split in several ways")
        return []
    if not derivation.ways:
        notes.unread(section, body, "the text does not have the form of this section")
        return []
    blocks: list[Block] = []
    before = len(form.order)
    for role, token in zip(derivation.roles, tokens, strict=True):
        rank = form.order.index(role)
        if rank <= before:
            blocks.append(Block())
        before = rank
        blocks[-1].lines += token.lines
        if token.value and token.value != NOTHING:
            blocks[-1][role] = token.value
    return blocks


_SPONSOR_FORM: Final = ListForm(
    {"role": re.compile(r"Sponsor Role (lead|collaborator)")},
    Grammar(
        (
            Step("start", TEXT, "name", "name"),
            Step("name", TEXT, "class", "class"),
            Step("name", "role", "role", "end"),
            Step("class", "role", "role", "end"),
            Step("end", TEXT, "name", "name"),
        ),
        frozenset({"end"}),
    ),
    ("name", "class", "role"),
)


def _sponsor_line(role: str, token: Token) -> bool:
    return token.single and (role != "class" or token.value == NOTHING or is_word(token.value))


def read_sponsors(notes: Notes, section: str, body: Sequence[Line]) -> None:
    """Read name, class and `Sponsor Role lead|collaborator` of each sponsor."""
    leads: list[dict[str, str]] = []
    others: list[dict[str, str]] = []
    for block in blocks_of(notes, section, body, _SPONSOR_FORM, _sponsor_line):
        party = {key: text for key, text in block.items() if key != "role"}
        (leads if block["role"] == "lead" else others).append(party)
    if len(leads) > 1:
        notes.ambiguous(section, body, "there is more than one lead sponsor")
        return
    if leads:
        notes.put(f"{_SPONSORS}.leadSponsor", leads[0])
    if others:
        notes.put(f"{_SPONSORS}.collaborators", others)


_RESPONSIBLE = re.compile(r"Responsibility Role(?: ([A-Z][A-Z0-9_]*|-))?")


def read_responsible_party(notes: Notes, section: str, body: Sequence[Line]) -> None:
    """Read `Responsibility Role X`. Whatever else stands here has no label and is kept as text."""
    rest: list[Line] = []
    types: list[str] = []
    for line in with_text(body):
        match = _RESPONSIBLE.fullmatch(line.bare)
        if match is None:
            rest.append(line)
        elif match[1] and match[1] != NOTHING:
            types.append(match[1])
    if len(types) > 1:
        notes.ambiguous(section, body, "there is more than one responsibility role")
        return
    if types:
        notes.put(f"{_SPONSORS}.responsibleParty.type", types[0])
    notes.unread(section, rest, "nothing says what these lines are")


_OFFICIAL_FORM: Final = ListForm(
    {"role": re.compile(r"Role:(?: ([A-Z][A-Z0-9_]*|-))?")},
    Grammar(
        (
            Step("start", TEXT, "name", "name"),
            Step("name", "role", "role", "role"),
            Step("role", TEXT, "affiliation", "affiliation"),
            Step("role", TEXT, "name", "name"),
            Step("affiliation", TEXT, "name", "name"),
        ),
        frozenset({"role", "affiliation"}),
    ),
    ("name", "role", "affiliation"),
)


def read_officials(notes: Notes, section: str, body: Sequence[Line]) -> None:
    """Read name, `Role: X` and affiliation of each overall official."""
    officials = [dict(block) for block in blocks_of(notes, section, body, _OFFICIAL_FORM)]
    if officials:
        notes.put("protocolSection.contactsLocationsModule.overallOfficials", officials)


def read_conditions(notes: Notes, _section: str, body: Sequence[Line]) -> None:
    """Read the conditions, one a line."""
    conditions = [line.bare for line in with_text(body) if line.bare != NOTHING]
    if conditions:
        notes.put("protocolSection.conditionsModule.conditions", conditions)


_IDENTIFIER_FORM: Final = ListForm(
    {
        "type": re.compile(r"Identifier Type:(?: ([A-Z][A-Z0-9_]*|-))?"),
        "source": re.compile(r"Identifier Source: (org_study_id|secondary_id|nct_alias)"),
    },
    Grammar(
        (
            Step("start", TEXT, "id", "id"),
            Step("id", "type", "type", "type"),
            Step("type", "source", "source", "start"),
        ),
        frozenset({"start"}),
    ),
    ("id", "type", "source"),
)


def read_identifiers(notes: Notes, section: str, body: Sequence[Line]) -> None:
    """Read id, `Identifier Type: X` and `Identifier Source: X` of each identifier.

    The sources are those of the registry's legacy XML: `org_study_id`, `secondary_id` and `nct_alias`.
    """
    found: dict[str, list[dict[str, Any]]] = {"org_study_id": [], "secondary_id": [], "nct_alias": []}
    for block in blocks_of(notes, section, body, _IDENTIFIER_FORM):
        found[block.pop("source")].append(dict(block))
    own, others, aliases = found.values()
    if len(own) > 1:
        notes.ambiguous(section, body, "there is more than one id of the organization's own")
        return
    if own:
        notes.put(f"{_IDS}.orgStudyIdInfo", own[0])
    if others:
        notes.put(f"{_IDS}.secondaryIdInfos", others)
    if aliases:
        notes.put(f"{_IDS}.nctIdAliases", [alias["id"] for alias in aliases if "id" in alias])


_RELATED = re.compile(r"NCT\d{8}(?: [A-Z][A-Z0-9_]*| -)*")


def check_related(notes: Notes, section: str, body: Sequence[Line]) -> None:
    """Pass over the other studies that the page names: a title, then NCT number, status and phase of each.

    They say nothing about this study. Lines after the last of them are something else and are kept.
    """
    said = with_text(body)
    last = max((at for at, line in enumerate(said) if _RELATED.fullmatch(line.bare)), default=-1)
    notes.unread(section, said[last + 1 :])
