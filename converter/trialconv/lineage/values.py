"""Values that know where they come from: texts, numbers and truth values of a traced conversion.

Each is equal to the value it stands for, so that a mapping does with it what it does with any other. What Python's
own operations make of a text (a part of it, it joined to another one) keeps its origin. An f-string, a match of a
regular expression and `sep.join` make plain texts; the verbs of this package are for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple, SupportsIndex

import msgspec

from trialconv.odm_tree import Fixed, Node
from trialconv_mappings.tables import Row

How = Literal["copied", "coded", "parsed", "derived", "constant", "filled-in"]

#: The source of what is made of the record as a whole, such as a hash of it.
WHOLE_RECORD: Final = "(record)"


class Origin(NamedTuple):
    """Where a value comes from.

    `how` it was made of the values at the paths `sources` of the record; a coded one by the row `row` of the code
    table `table`.
    """

    how: How
    sources: tuple[str, ...] = ()
    table: str = ""
    row: Row | None = None


class _Switch:
    """Whether anybody traces: how many traced conversions are under way. A verb asks before it does more."""

    __slots__ = ("on",)

    def __init__(self) -> None:
        self.on = 0


TRACING: Final = _Switch()


def combined(how: How, origins: Iterable[Origin]) -> Origin:
    """Return the origin of what was made of several values; of nothing but filled-in ones it is filled in."""
    found = list(dict.fromkeys(origins))
    if found and all(each.how == "filled-in" for each in found):
        how = "filled-in"
    if len(found) == 1:
        return _as(found[0].sources, how)
    return _as(tuple(dict.fromkeys(source for each in found for source in each.sources)), how)


@lru_cache(maxsize=1024)
def _as(sources: tuple[str, ...], how: How) -> Origin:
    return Origin(how, sources)


def _changed(origin: Origin, how: How) -> Origin:
    """Return the origin of what one value was changed to."""
    if origin.how in ("copied", "coded"):
        return _as(origin.sources, how)
    return origin if origin.how in ("parsed", "derived", "filled-in") else _as(origin.sources, how)


class Text(str):
    """A text with its origin."""

    __slots__ = ("origin",)
    origin: Origin

    def __str__(self) -> str:
        return self

    def __format__(self, spec: str) -> str:
        return self if not spec else str.__format__(self, spec)

    def __add__(self, other: str) -> str:
        if not other:
            return self
        origin = getattr(other, "origin", None)
        both = (self.origin,) if origin is None else (self.origin, origin)
        return text_of(str.__add__(self, other), combined("derived", both)) if self else other

    def __radd__(self, other: str) -> str:
        if not other:
            return self
        return text_of(str.__add__(other, self), combined("derived", (self.origin,))) if self else other

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        return _part(self, str.__getitem__(self, key))

    def __iter__(self) -> Iterator[str]:
        return str.__iter__(self)


def _part(whole: Text, piece: str) -> str:
    """Return a piece of a text, as such."""
    if len(piece) == len(whole):
        return whole
    return text_of(piece, _changed(whole.origin, "parsed"))


def _piecewise(name: str) -> Callable[..., Any]:
    """Return a method of `Text` that gives a piece, or several, of the text."""
    method = getattr(str, name)

    def call(self: Text, *args: Any, **named: Any) -> Any:
        found = method(self, *args, **named)
        return _part(self, found) if isinstance(found, str) else type(found)(_part(self, piece) for piece in found)

    return call


def _altering(name: str) -> Callable[..., Any]:
    """Return a method of `Text` that gives another text."""
    method = getattr(str, name)

    def call(self: Text, *args: Any) -> Any:
        made = method(self, *args)
        if made == self:
            return self
        beside = [arg.origin for arg in args if isinstance(arg, Text)]
        if beside:
            return text_of(made, combined("derived", (self.origin, *beside)))
        return text_of(made, _changed(self.origin, "derived"))

    return call


for _name in ("strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "split", "rsplit", "splitlines"):
    setattr(Text, _name, _piecewise(_name))
for _name in ("partition", "rpartition"):
    setattr(Text, _name, _piecewise(_name))
for _name in ("lower", "upper", "casefold", "title", "capitalize", "replace", "translate"):
    setattr(Text, _name, _altering(_name))


class Whole(int):
    """A whole number with its origin."""

    origin: Origin

    def __add__(self, other: int) -> int:
        made = Whole(int.__add__(self, other))
        made.origin = _changed(self.origin, "derived")
        return made

    def __repr__(self) -> str:
        return text_of(int.__repr__(self), self.origin)

    __str__ = __repr__


class Real(float):
    """A decimal number with its origin."""

    __slots__ = ("origin",)
    origin: Origin

    def __repr__(self) -> str:
        return text_of(float.__repr__(self), self.origin)

    __str__ = __repr__


class Truth(int):
    """A truth value with its origin; Python lets nothing be a `bool` but its own two."""

    origin: Origin

    def __repr__(self) -> str:
        return text_of("True" if self else "False", self.origin)

    __str__ = __repr__


_new_text: Final = str.__new__


def text_of(value: str, origin: Origin) -> Text:
    """Return a text with its origin."""
    made = _new_text(Text, value)
    made.origin = origin
    return made


def traced(value: Any, origin: Origin) -> Any:
    """Return a single value with its origin; what is no value stays as it is."""
    made: Any
    if isinstance(value, str):
        return text_of(value, origin)
    if isinstance(value, bool | Truth):
        made = Truth(value)
    elif isinstance(value, int):
        made = Whole(value)
    elif isinstance(value, float):
        made = Real(value)
    else:
        return value
    made.origin = origin
    return made


def bare(text: str) -> str:
    """Return a text without its origin."""
    return str.__str__(text)


def origin_of(value: Any) -> Origin | None:
    """Return the origin of a single value, if it has one."""
    return getattr(value, "origin", None)


def origins_in(value: Any) -> Iterator[Origin]:
    """Yield the origins of everything inside a value: of lists, dicts, structs, trees."""
    origin = getattr(value, "origin", None)
    if origin is not None:
        yield origin
    elif isinstance(value, dict):
        for item in value.values():
            yield from origins_in(item)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from origins_in(item)
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from origins_in(getattr(value, name))


def marked(value: Any, how: How, sources: tuple[str, ...]) -> Any:
    """Return a value, with everything inside it, as made of the sources.

    What has an origin already keeps how it was made, and has these sources as well.
    """
    return _Marker(how, sources).value(value)


class _Marker:
    """A walk through a value that gives each single value in it an origin."""

    def __init__(self, how: How, sources: tuple[str, ...]) -> None:
        self._own = _as(sources, how)
        self._sources = sources

    def value(self, value: Any) -> Any:
        """Return a value with its origin. Dicts and lists are new ones: mappings share the constant ones."""
        origin = getattr(value, "origin", None)
        if origin is not None:
            return traced(value, self._with(origin))
        if isinstance(value, str):
            return text_of(value, self._own)
        if isinstance(value, dict):
            held = {key: self.value(item) for key, item in value.items()}
            return Fixed(held) if isinstance(value, Fixed) else held
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, tuple):
            items = map(self.value, value)
            return tuple.__new__(type(value), items)
        if isinstance(value, Node):
            return Node(value.name, self.value(value.attributes), self.value(value.children))
        return traced(value, self._own)

    def _with(self, origin: Origin) -> Origin:
        new = tuple(source for source in self._sources if source not in origin.sources)
        how = self._own.how if "filled-in" in (origin.how, self._own.how) else origin.how
        return origin._replace(sources=origin.sources + new, how=how)
