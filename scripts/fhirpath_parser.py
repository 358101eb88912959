"""A parser of FHIRPath (http://hl7.org/fhirpath/N1/#grammar), as far as the invariants of FHIR use it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple


class Node(NamedTuple):
    """A part of an expression.

    `kind` is `this`, `literal` (with `value`), `constant` (`%ucum`), `member` (of `parts[0]`, called `value`),
    `call` (on `parts[0]`, with the other parts as arguments) or `operator` (with two parts).
    """

    kind: str
    value: Any = None
    parts: tuple[Node, ...] = ()


class NotParsed(ValueError):  # noqa: N818 - it tells of an expression, not of a failure
    """An expression that uses something that this parser does not know."""


THIS = Node("this")

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|'(?P<text>(?:[^'\\]|\\.)*)'|\"(?P<quoted>[^\"]*)\"|(?P<name>[A-Za-z_]\w*)|`(?P<odd>[^`]*)`"
    r"|(?P<constant>%[\w-]+)|(?P<special>\$\w+)|(?P<sign><=|>=|!=|[().,=<>+\-*/&|\[\]]))"
)

#: The operators, each with how tightly it binds.
_BINDING = {
    "implies": 1,
    "or": 2,
    "xor": 2,
    "and": 3,
    "in": 4,
    "contains": 4,
    "=": 5,
    "!=": 5,
    "<": 6,
    "<=": 6,
    ">": 6,
    ">=": 6,
    "|": 7,
    "is": 8,
    "as": 8,
    "+": 9,
    "-": 9,
    "&": 9,
}


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(expression: str) -> list[_Token]:
    found, place = [], 0
    while expression[place:].strip():
        match = _TOKEN.match(expression, place)
        if match is None:
            raise NotParsed(f"{expression[place : place + 20]!r} in {expression!r}")
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind]))
        place = match.end()
    return found


def parse(expression: str) -> Node:
    """Return an expression as a tree; raises NotParsed."""
    parser = _Parser(_tokens(expression))
    made = parser.expression(0)
    if parser.left():
        raise NotParsed(f"more than an expression: {expression!r}")
    return made


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._place = 0

    def left(self) -> bool:
        return self._place < len(self._tokens)

    def _next(self) -> _Token:
        if not self.left():
            raise NotParsed("an expression ends early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _take(self, sign: str) -> bool:
        if self.left() and self._tokens[self._place] == ("sign", sign):
            self._place += 1
            return True
        return False

    def _operator(self) -> str:
        token = self._tokens[self._place] if self.left() else _Token("", "")
        return token.text if token.kind in ("sign", "name") and token.text in _BINDING else ""

    def expression(self, least: int) -> Node:
        left = self._term()
        while (operator := self._operator()) and _BINDING[operator] > least:
            self._next()
            left = Node("operator", operator, (left, self.expression(_BINDING[operator])))
        return left

    def _term(self) -> Node:
        token = self._next()
        if token.kind == "number":
            made = Node("literal", float(token.text) if "." in token.text else int(token.text))
        elif token.kind in ("text", "quoted"):
            made = Node("literal", re.sub(r"\\(.)", r"\1", token.text))
        elif token.kind == "constant":
            made = Node("constant", token.text)
        elif token == ("special", "$this"):
            made = THIS
        elif token == ("sign", "("):
            made = self.expression(0)
            self._expect(")")
        elif token.kind in ("name", "odd"):
            made = self._invocation(THIS, token)
        else:
            raise NotParsed(f"a term begins with {token.text!r}")
        while self._take("."):
            made = self._invocation(made, self._next())
        return made

    def _invocation(self, base: Node, token: _Token) -> Node:
        if token.kind not in ("name", "odd"):
            raise NotParsed(f"{token.text!r} is no name")
        if base == THIS and token.text in ("true", "false"):
            return Node("literal", token.text == "true")
        if not self._take("("):
            return Node("member", token.text, (base,))
        arguments: list[Node] = []
        if not self._take(")"):
            arguments.append(self.expression(0))
            while self._take(","):
                arguments.append(self.expression(0))
            self._expect(")")
        return Node("call", token.text, (base, *arguments))

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise NotParsed(f"expected {sign!r}")
