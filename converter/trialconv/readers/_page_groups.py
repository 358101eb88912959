"""The Study Groups and Interventions sections of a page.

An intervention is its name, its description and `Intervention Type X`. A group is its label, its description,
`Group Type X`, then for each of its interventions the name, `Intervention Type X` and once more the
description of the intervention. The description is known from the Interventions section, so its end is certain
even where the page runs it together with the next label. Where no group of the page has a `Group Type` line,
nothing marks where one group ends and the next begins, and the grammar often has several ways; then the
section is not read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple, get_args

from trialconv.readers._page_fields import NOTHING
from trialconv.readers._page_grammar import TEXT, Derivation, Grammar, Step, Token, derive, tokens_of
from trialconv.readers._page_layout import Line, opens_section, text_of, with_text
from trialconv.readers._page_notes import Notes
from trialconv.record import enums

GROUPS: Final = "Study Groups"
INTERVENTIONS: Final = "Interventions"

# Three letters or more, so that a description's line "Group Type A" stays text.
_MARKERS: Final = {
    "group": re.compile(r"Group Type(?: ([A-Z][A-Z0-9_]{2,}|-))?"),
    "intervention": re.compile(r"Intervention Type ([A-Z][A-Z0-9_]{2,})"),
}
#: The kind of a token that is the description of the intervention above it.
_ABOUT: Final = "about"

_INTERVENTION_GRAMMAR: Final = Grammar(
    (
        Step("start", TEXT, "name", "name"),
        Step("name", TEXT, "description", "name"),
        Step("name", "intervention", "end", "end"),
        Step("end", TEXT, "name", "name"),
    ),
    frozenset({"end"}),
)
_OF_AN_INTERVENTION = (
    Step("group", TEXT, "name", "name"),
    Step("group", TEXT, "label", "label"),
    Step("name", "intervention", "intervention", "intervention"),
    Step("intervention", _ABOUT, "about", "group"),
    Step("intervention", TEXT, "name", "name"),
    Step("intervention", TEXT, "label", "label"),
)
#: Groups that all have a type line.
_TYPED: Final = Grammar(
    (
        Step("start", TEXT, "label", "label"),
        Step("label", TEXT, "description", "label"),
        Step("label", "group", "type", "group"),
        *_OF_AN_INTERVENTION,
    ),
    frozenset({"group", "intervention"}),
)
#: Groups without type lines: after a label may come its description, an intervention, or the next label.
_UNTYPED: Final = Grammar(
    (
        Step("start", TEXT, "label", "label"),
        Step("label", TEXT, "description", "label"),
        Step("label", TEXT, "label", "label"),
        Step("label", TEXT, "name", "name"),
        *_OF_AN_INTERVENTION,
    ),
    frozenset({"label", "group", "intervention"}),
)
#: Where no list of interventions can be read, any text below an intervention type may be the description.
_FREE_TEXT: Final = (
    Step("intervention", TEXT, "about", "about"),
    Step("about", TEXT, "about", "about"),
    Step("about", TEXT, "name", "name"),
    Step("about", TEXT, "label", "label"),
)
_ONE_LINE = frozenset({"label", "name"})
_LIST_ITEM = re.compile(r"\s*(?:[-*•]|\(?\w{1,3}[.)])\s")
_TYPES = frozenset(get_args(enums.InterventionType))
# More interventions of one type and name than any study has; it bounds the comparisons.
_SAME_NAME_LIMIT = 64


class Mention(NamedTuple):
    """An intervention as the page writes it: its type, its name, and the lines of its description."""

    type: str
    name: str
    about: tuple[str, ...] = ()

    @property
    def named(self) -> tuple[str, str]:
        """What a group shows first of it."""
        return self.type, self.name

    @property
    def reference(self) -> str:
        """The form in `interventionNames`, such as `Dietary Supplement: Made-up fish oil`."""
        label = self.type.replace("_", " ").title() if self.type in _TYPES else self.type
        return f"{label}: {self.name}"


class _Group:
    """A group under construction."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.type = NOTHING
        self.texts: list[str] = []
        self.described: dict[Mention, str] = {}

    @property
    def interventions(self) -> list[Mention]:
        """The interventions of the group, in its order."""
        return list(self.described)

    def as_tree(self) -> dict[str, Any]:
        names = list(dict.fromkeys(item.reference for item in self.interventions))
        return {
            "label": self.label,
            **({"type": self.type} if self.type not in ("", NOTHING) else {}),
            **_description("\n\n".join(self.texts)),
            **({"interventionNames": names} if names else {}),
        }


def _description(text: str) -> dict[str, str]:
    return {"description": text} if text and text != NOTHING else {}


def read_groups(notes: Notes, groups: list[Line] | None, interventions: list[Line] | None) -> None:
    """Read both sections, each by its own grammar, and refuse both where they contradict each other.

    None stands for a section that the page does not have.
    """
    tokens = tokens_of(groups or [], _MARKERS)
    listed = _read_interventions(notes, interventions) if interventions else []
    known = {mention.named for mention, _ in listed}
    if listed and not _mentioned(tokens).issubset(known):
        why = "the groups name an intervention that the interventions section does not have"
        notes.unread(GROUPS, groups or [], why)
        notes.unread(INTERVENTIONS, interventions or [], why)
        return
    found = _read_groups(notes, groups or [], tokens, [mention for mention, _ in listed])
    if not listed:
        described = {mention: text for group in found for mention, text in group.described.items()}
        listed = list(described.items())
    _tie(notes, found, listed, interventions or [])


def _mentioned(tokens: Sequence[Token]) -> set[tuple[str, str]]:
    """Return what stands right above an intervention type: in every derivation that is a name."""
    return {
        (marker.value, above.lines[-1].bare)
        for above, marker in pairwise(tokens)
        if marker.kind == "intervention" and above.kind == TEXT
    }


def _one_line_names(role: str, token: Token) -> bool:
    return token.single or role not in _ONE_LINE


def _read_interventions(notes: Notes, body: list[Line]) -> list[tuple[Mention, str]]:
    """Return every intervention with its description."""
    tokens = _without_tail(notes, body, tokens_of(body, _MARKERS))
    derivation = derive(_INTERVENTION_GRAMMAR, tokens, _one_line_names)
    if tokens and derivation.ways != 1:
        _refuse(notes, INTERVENTIONS, body, derivation)
        return []
    listed: list[tuple[Mention, str]] = []
    name, lines = "", list[Line]()
    for role, token in zip(derivation.roles, tokens, strict=False):
        if role == "name":
            name, lines = token.value, []
        elif role == "description":
            lines += [*([_BLANK] if lines else []), *token.lines]
        else:
            listed.append(_mention(token.value, name, lines))
    return listed


_BLANK = Line(0, "")


def _mention(kind: str, name: str, lines: Sequence[Line]) -> tuple[Mention, str]:
    """Return an intervention, and its description as it stands."""
    text = text_of(lines).strip()
    about = tuple(line.bare for line in with_text(lines)) if text != NOTHING else ()
    return Mention(kind, name, about), text


def _without_tail(notes: Notes, body: Sequence[Line], tokens: list[Token]) -> list[Token]:
    """Return the tokens without an unknown section of the page at their end."""
    last = max((at for at, token in enumerate(tokens) if token.kind != TEXT), default=len(tokens))
    if len(tokens) < last + 3 or not opens_section(tokens[last + 1].lines, tokens[last + 2].lines):
        return tokens
    first = tokens[last + 1].lines[0].number
    notes.unread(tokens[last + 1].value, [line for line in body if line.number >= first], "an unknown section")
    return tokens[: last + 1]


def _refuse(notes: Notes, section: str, body: Sequence[Line], derivation: Derivation) -> None:
    if derivation.ways:
        notes.ambiguous(section, body, "the text can be split in several ways")
    else:
        notes.unread(section, body, "the text does not have the form of this section")


def _read_groups(notes: Notes, body: list[Line], tokens: list[Token], listed: list[Mention]) -> list[_Group]:
    if not tokens:
        return []
    typed = any(token.kind == "group" for token in tokens)
    grammar = _TYPED if typed else _UNTYPED
    ways = 1
    if listed:
        tokens, ways = _with_descriptions(tokens, listed)
        if typed:
            tokens = _without_tail(notes, body, tokens)
    else:
        free = grammar.accepts | {"about"}
        grammar = Grammar((*grammar.steps, *_FREE_TEXT), free)
    if not typed and any(map(_may_run_on, tokens)):
        ways = 2
    derivation = derive(grammar, tokens, _one_line_names) if ways == 1 else Derivation(ways, [])
    groups = _groups(derivation, tokens)
    if not groups:
        _refuse(notes, GROUPS, body, derivation)
    elif len({group.label for group in groups}) < len(groups):
        notes.unread(GROUPS, body, "two groups would have the same label")
        return []
    return groups


def _may_run_on(token: Token) -> bool:
    """Tell whether the last line of a text may belong to the next block.

    Below a list, the page sets no blank line before what follows.
    """
    items = [_LIST_ITEM.match(line.text) is not None for line in token.lines]
    return token.kind == TEXT and any(items) and not items[-1]


def _with_descriptions(tokens: Sequence[Token], listed: Sequence[Mention]) -> tuple[list[Token], int]:
    """Mark the intervention descriptions among the tokens.

    Returns the tokens and how many ways there are to do so; other than with one, the tokens are no use.
    """
    abouts: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for mention in listed:
        abouts.setdefault(mention.named, set()).add(mention.about)
    ahead = list(reversed(tokens))
    done: list[Token] = []
    while ahead:
        done.append(ahead.pop())
        if done[-1].kind != "intervention" or len(done) < 2 or done[-2].kind != TEXT:
            continue
        possible = abouts.get((done[-1].value, done[-2].value), set())
        if len(possible) > _SAME_NAME_LIMIT:
            return done, 2
        fitting = [about for about in possible if _stands_next(about, ahead)]
        if len(fitting) != 1:
            return done, min(2, len(fitting))
        about = fitting[0] or ((NOTHING,) if _stands_next((NOTHING,), ahead) else ())
        if about:
            done.append(_take(about, ahead))
    return done, 1


def _stands_next(about: tuple[str, ...], ahead: Sequence[Token]) -> bool:
    """Tell whether the next texts (the last of `ahead` is the next) begin with these lines."""
    at = 0
    for token in reversed(ahead):
        if at == len(about) or token.kind != TEXT:
            break
        for line in token.lines:
            if at == len(about):
                break
            if line.bare != about[at]:
                return False
            at += 1
    return at == len(about)


def _take(about: tuple[str, ...], ahead: list[Token]) -> Token:
    """Take these lines off the next texts; what is left of a paragraph stays as a text of its own."""
    taken: list[Line] = []
    while len(taken) < len(about):
        token = ahead.pop()
        missing = len(about) - len(taken)
        taken += token.lines[:missing]
        rest = token.lines[missing:]
        if rest:
            ahead.append(Token(TEXT, text_of(rest).strip(), rest))
    return Token(_ABOUT, "", taken)


def _groups(derivation: Derivation, tokens: Sequence[Token]) -> list[_Group]:
    groups: list[_Group] = []
    owners: list[tuple[_Group, str, str]] = []
    abouts: list[list[Line]] = []
    name = ""
    for role, token in zip(derivation.roles, tokens, strict=False):
        if role == "label":
            groups.append(_Group(token.value))
        elif role == "description":
            groups[-1].texts.append(text_of(token.lines))
        elif role == "type":
            groups[-1].type = token.value
        elif role == "name":
            name = token.value
        elif role == "intervention":
            abouts.append([])
            owners.append((groups[-1], token.value, name))
        else:
            abouts[-1] += [*([_BLANK] if abouts[-1] else []), *token.lines]
    for (group, kind, named), lines in zip(owners, abouts, strict=True):
        mention, text = _mention(kind, named, lines)
        group.described[mention] = text
    return groups


def _tie(notes: Notes, groups: list[_Group], listed: list[tuple[Mention, str]], body: Sequence[Line]) -> None:
    """Put both lists into the tree, with the labels of its groups at each intervention."""
    labels: dict[Mention, list[str]] = {}
    for group in groups:
        for mention in group.interventions:
            labels.setdefault(mention, []).append(group.label)
    count = Counter(mention for mention, _ in listed)
    twins = {mention.name: mention for mention, times in count.items() if times > 1 and mention in labels}
    places: dict[str, list[Line]] = {}
    for line in body:
        if line.bare in twins:
            places.setdefault(line.bare, []).append(line)
    for name, mention in twins.items():
        message = f"{INTERVENTIONS}: several are {mention.reference!r}, so that their groups cannot be told"
        notes.remark("ambiguous-page", places.get(name, []), message)
    interventions: list[dict[str, Any]] = []
    for mention, text in listed:
        tied = labels.get(mention) if count[mention] == 1 else None
        interventions.append(
            {
                "type": mention.type,
                "name": mention.name,
                **_description(text),
                **({"armGroupLabels": list(dict.fromkeys(tied))} if tied else {}),
            }
        )
    module = "protocolSection.armsInterventionsModule"
    if groups:
        notes.put(f"{module}.armGroups", [group.as_tree() for group in groups])
    if interventions:
        notes.put(f"{module}.interventions", interventions)
