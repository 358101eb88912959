"""Two texts as the pieces that both have and that only one has, by lines and then by words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Final

from trialconv.differences.matching import common_share, words_of
from trialconv.differences.model import Piece

_TOKEN: Final = re.compile(r"\s+|\w+|[^\w\s]")
_LINE: Final = re.compile(r"[^\n]*\n+|[^\n]+")
# Above this number of pairs of words, lines are compared first: the time grows with it.
_MOST_PAIRS: Final = 1_000_000
# Below this share of common words one text was written in the place of another, and pieces would only confuse.
_SOMETHING_KEPT: Final = 0.25


def pieces(before: str, after: str) -> list[Piece]:
    """Return the pieces of two texts in their order; none when the texts have hardly a word in common.

    The pieces that are not added give the first text, those that are not removed the second.
    """
    if common_share(words_of(before), words_of(after)) < _SOMETHING_KEPT:
        return []
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    if len(old) * len(new) <= _MOST_PAIRS:
        return _joined(_compared(old, new))
    found: list[Piece] = []
    for piece in _blocks(_LINE.findall(before), _LINE.findall(after)):
        if isinstance(piece, Piece):
            found.append(piece)
            continue
        old, new = _TOKEN.findall(piece[0]), _TOKEN.findall(piece[1])
        if len(old) * len(new) <= _MOST_PAIRS:
            found += _compared(old, new)
        else:
            found += [Piece("removed", piece[0]), Piece("added", piece[1])]
    return _joined(found)


def _blocks(old: Sequence[str], new: Sequence[str]) -> list[Piece | tuple[str, str]]:
    """Return the lines that both have or only one has, and as pairs of texts those that changed."""
    found: list[Piece | tuple[str, str]] = []
    for tag, i, k, j, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        ours, theirs = "".join(old[i:k]), "".join(new[j:m])
        if tag == "equal":
            found.append(Piece("same", ours))
        elif ours and theirs:
            found.append((ours, theirs))
        else:
            found.append(Piece("removed", ours) if ours else Piece("added", theirs))
    return found


def _compared(old: Sequence[str], new: Sequence[str]) -> list[Piece]:
    found: list[Piece] = []
    for piece in _blocks(old, new):
        if isinstance(piece, Piece):
            found.append(piece)
        else:
            found += [Piece("removed", piece[0]), Piece("added", piece[1])]
    return found


def _joined(found: list[Piece]) -> list[Piece]:
    """Join what belongs together: a space alone between two changes is part of them, and neighbours are one."""
    made: list[Piece] = []
    removed = added = ""
    for number, piece in enumerate(found):
        between = piece.op == "same" and not piece.text.strip() and 0 < number < len(found) - 1
        if piece.op == "removed" or (between and (removed or added)):
            removed += piece.text
        if piece.op == "added" or (between and (removed or added)):
            added += piece.text
        if piece.op == "same" and not (between and (removed or added)):
            made += [*_changed(removed, added), piece]
            removed = added = ""
    return made + _changed(removed, added)


def _changed(removed: str, added: str) -> list[Piece]:
    found = []
    if removed:
        found.append(Piece("removed", removed))
    if added:
        found.append(Piece("added", added))
    return found
