"""Block grammars over the paragraphs of a page, whose derivations are counted.

A section that lists things is a run of blocks without a mark between them, so a paragraph may be, say, the
last of one description or the label of the next group. A grammar is a finite automaton over the paragraphs;
`derive` counts its ways through a section in one pass (each state's count stops at two) and returns the roles
of the paragraphs when there is exactly one way. It never picks among several.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from trialconv.readers._page_layout import Line, Paragraph, paragraphs, text_of

#: The kind of a token that is a paragraph and no marker line.
TEXT: Final = "text"
_SEVERAL = 2


class Token(NamedTuple):
    """A paragraph (kind `text`), or a marker line: its kind is the marker's name, its value what follows."""

    kind: str
    value: str
    lines: Paragraph

    @property
    def single(self) -> bool:
        """Whether it is one line, as every name is."""
        return len(self.lines) == 1


class Step(NamedTuple):
    """From a state, by a token of a kind that plays a role, to a state."""

    origin: str
    kind: str
    role: str
    target: str


class Grammar(NamedTuple):
    """An automaton: it begins in `start` and may end in the states of `accepts`."""

    steps: tuple[Step, ...]
    accepts: frozenset[str]
    start: str = "start"


class Derivation(NamedTuple):
    """How many ways there are (0, 1, or 2 for several) and, when there is one, the role of each token."""

    ways: int
    roles: list[str]


#: Whether a token may play a role.
Allowed = Callable[[str, Token], bool]


def tokens_of(body: Sequence[Line], markers: Mapping[str, re.Pattern[str]]) -> list[Token]:
    """Cut a body into paragraphs and marker lines. A marker line needs no blank line around it.

    The pattern of a marker has one group, its value, which may be absent.
    """
    found: list[Token] = []
    for paragraph in paragraphs(body):
        plain: Paragraph = []
        for line in paragraph:
            token = _marker(line, markers)
            if token is None:
                plain.append(line)
                continue
            if plain:
                found.append(Token(TEXT, text_of(plain).strip(), plain))
                plain = []
            found.append(token)
        if plain:
            found.append(Token(TEXT, text_of(plain).strip(), plain))
    return found


def _marker(line: Line, markers: Mapping[str, re.Pattern[str]]) -> Token | None:
    for name, pattern in markers.items():
        match = pattern.fullmatch(line.bare)
        if match is not None:
            return Token(name, match[1] or "", [line])
    return None


def derive(grammar: Grammar, tokens: Sequence[Token], allowed: Allowed) -> Derivation:
    """Count the ways of the grammar through the tokens, and return the roles where there is just one.

    Takes time and memory in proportion to the number of tokens.
    """
    by_kind: dict[str, list[Step]] = {}
    for step in grammar.steps:
        by_kind.setdefault(step.kind, []).append(step)
    counts: list[dict[str, int]] = [{grammar.start: 1}]
    for token in tokens:
        before, after = counts[-1], dict[str, int]()
        for step in by_kind.get(token.kind, ()):
            if before.get(step.origin) and allowed(step.role, token):
                after[step.target] = min(_SEVERAL, after.get(step.target, 0) + before[step.origin])
        if not after:
            return Derivation(0, [])
        counts.append(after)
    ways = min(_SEVERAL, sum(counts[-1].get(state, 0) for state in grammar.accepts))
    if ways != 1:
        return Derivation(ways, [])
    return Derivation(1, _walk_back(grammar, by_kind, tokens, allowed, counts))


def _walk_back(
    grammar: Grammar,
    by_kind: Mapping[str, list[Step]],
    tokens: Sequence[Token],
    allowed: Allowed,
    counts: Sequence[Mapping[str, int]],
) -> list[str]:
    (state,) = (state for state in grammar.accepts if counts[-1].get(state))
    roles: list[str] = []
    for position in range(len(tokens) - 1, -1, -1):
        token, before = tokens[position], counts[position]
        (step,) = (
            step
            for step in by_kind[token.kind]
            if step.target == state and before.get(step.origin) and allowed(step.role, token)
        )
        roles.append(step.role)
        state = step.origin
    return roles[::-1]
