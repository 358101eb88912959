"""Two texts of eligibility criteria: the criteria that were added, removed, rewritten or moved.

The texts are read into their trees (docs/eligibility.md); each node is compared by its own words.
"""

from __future__ import annotations

from typing import Any, Final

from trialconv.differences.matching import match
from trialconv.differences.model import Part
from trialconv.differences.texts import pieces
from trialconv_mappings.criteria import Criterion, read_criteria, walk

_NAMES: Final = {"inclusion": "Inclusion", "exclusion": "Exclusion", None: ""}
_ROLES: Final = {"section": "heading", "heading": "heading", "note": "note", "nothing": "statement"}


def compare(before: str, after: str) -> tuple[list[Part], str]:
    """Return the changes by criterion, and a note about what else differs."""
    old, new = _items(before), _items(after)
    found = match(old, new, [_words, _words_alone], similar=False)
    # Only criteria of one kind are rewritten into one another.
    similar = match(_rest(old, found.removed), _rest(new, found.added), [_never], similar=True)
    pairs = [(found.removed[i], found.added[j]) for i, j in similar.pairs]
    pairs = [(i, j) for i, j in pairs if old[i]["within"] == new[j]["within"]]
    rewritten, written = dict(pairs), {j for _, j in pairs}
    parts = []
    for i, j in found.pairs:
        if old[i]["within"] != new[j]["within"]:
            parts.append(
                Part("changed", f"{old[i]['within']} → {new[j]['within']}", old[i]["text"], new[j]["text"])
            )
    for i in found.removed:
        if i in rewritten:
            one, other = old[i]["text"], new[rewritten[i]]["text"]
            parts.append(Part("changed", old[i]["within"], one, other, pieces(one, other)))
        else:
            parts.append(Part("removed", old[i]["within"], old[i]["text"]))
    parts += [Part("added", new[j]["within"], "", new[j]["text"]) for j in found.added if j not in written]
    parts += [
        Part("reordered", old[i]["within"], old[i]["text"], new[j]["text"])
        for i, j in found.moved
        if old[i]["within"] == new[j]["within"]
    ]
    if parts:
        return parts, ""
    return [], "only the layout of the text differs; each criterion reads the same"


def _items(text: str) -> list[dict[str, Any]]:
    return [{"within": _within(node), "text": node.text} for node in walk(read_criteria(text).nodes) if node.text]


def _within(node: Criterion) -> str:
    role = _ROLES.get(node.role, "criterion" if node.kind else "criteria text")
    name = f"{_NAMES[node.kind]} {role}".strip()
    return f"{name} ({node.cohort})" if node.cohort else name


def _rest(items: list[dict[str, Any]], positions: list[int]) -> list[dict[str, Any]]:
    return [items[position] for position in positions]


def _words(item: dict[str, Any]) -> tuple[str, str]:
    return item["within"], " ".join(item["text"].split())


def _words_alone(item: dict[str, Any]) -> str:
    return " ".join(item["text"].split())


def _never(item: dict[str, Any]) -> None:
    return None
