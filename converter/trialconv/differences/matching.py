"""Which item of one list is which of another: by a key, or by the most words in common.

Equal items belong together first, then those with an equal key, the strictest key first, then those that have most
of their words in common. What remains was removed or added. Everything is taken in the order of the lists, so that
the same lists give the same pairs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

_T = TypeVar("_T")

#: A key of an item, or None for an item that does not have it.
Key = Callable[[Any], Hashable | None]

#: From this share of common words on, two items are versions of one.
ENOUGH: Final = 0.5
# More pairs than this are not compared word by word: nobody rewrites hundreds of items of a list at once, and
# comparing all with all would take longer than a reader of the answer waits.
_MOST_PAIRS: Final = 40_000
_WORD: Final = re.compile(r"\w+")


class Matching(NamedTuple):
    """The pairs of positions, what only one list has, and the pairs that changed their order among the others."""

    pairs: list[tuple[int, int]]
    removed: list[int]
    added: list[int]
    moved: list[tuple[int, int]]


def match(before: Sequence[Any], after: Sequence[Any], keys: Sequence[Key], *, similar: bool) -> Matching:
    """Match the items of two lists. `similar` matches by common words what no key matches."""
    pairs: list[tuple[int, int]] = []
    left, right = list(range(len(before))), list(range(len(after)))
    for key in (_content, *keys):
        found = list(_by_key(key, before, left, after, right))
        pairs += found
        taken, given = {i for i, _ in found}, {j for _, j in found}
        left, right = [i for i in left if i not in taken], [j for j in right if j not in given]
        if not left or not right:
            break
    if similar and left and right and len(left) * len(right) <= _MOST_PAIRS:
        found = _by_words(before, left, after, right)
        pairs += found
        taken, given = {i for i, _ in found}, {j for _, j in found}
        left, right = [i for i in left if i not in taken], [j for j in right if j not in given]
    pairs.sort()
    return Matching(pairs, left, right, _out_of_order(pairs))


def _content(item: Any) -> bytes:
    return msgspec.json.encode(item, order="sorted")


def _by_key(
    key: Key, before: Sequence[Any], left: list[int], after: Sequence[Any], right: list[int]
) -> Iterator[tuple[int, int]]:
    waiting: dict[Hashable, list[int]] = {}
    for i in reversed(left):
        if (name := key(before[i])) is not None:
            waiting.setdefault(name, []).append(i)
    for j in right:
        if waiting and (name := key(after[j])) is not None and (places := waiting.get(name)):
            yield places.pop(), j


def _by_words(
    before: Sequence[Any], left: list[int], after: Sequence[Any], right: list[int]
) -> list[tuple[int, int]]:
    ours = [(i, words_of(before[i])) for i in left]
    theirs = [(j, words_of(after[j])) for j in right]
    scored = [
        (-share, abs(i - j), i, j)
        for i, mine in ours
        for j, other in theirs
        if (share := common_share(mine, other)) >= ENOUGH
    ]
    pairs: dict[int, int] = {}
    given: set[int] = set()
    for _, _, i, j in sorted(scored):
        if i not in pairs and j not in given:
            pairs[i] = j
            given.add(j)
    return list(pairs.items())


def words_of(value: Any) -> frozenset[str]:
    """Return the words of all texts in a value, in small letters."""
    return frozenset(word for text in _texts(value) for word in _WORD.findall(text.lower()))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def common_share(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of common words among those of both (the coefficient of Dice)."""
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


def _out_of_order(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the fewest pairs without which all others stand in the same order in both lists."""
    tails: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, position) in enumerate(pairs):
        place = bisect_left(tails, position)
        tails[place : place + 1] = [position]
        last[place : place + 1] = [number]
        before.append(last[place - 1] if place else -1)
    kept: set[int] = set()
    number = last[-1] if last else -1
    while number >= 0:
        kept.add(number)
        number = before[number]
    return [pair for number, pair in enumerate(pairs) if number not in kept]
