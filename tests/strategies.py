"""Strategies for hypothesis: any study that the registry's data structure allows, and real ones with damage."""

from __future__ import annotations

import copy
import random
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from made_up import NCT, Tree
from trialconv.record import Study

#: What texts are made of: markup, escapes, controls, line ends of every kind, code points at the edges.
NASTY = [
    *"aZ09 <>&\"'\\*_-#[]{}()%$/:;.,~^`|",
    "\t", "\n", "\r", "\r\n", "\x00", "\x0b", "\x1f", "\x7f", "\x85", "\u2028", "\u00a0", "\u200b", "\ufeff",
    "\u00e9", "e\u0301", "\u06f1", "\u4e2d", "\U0001f600", "\ufffd", "\ufffe", "\uffff", "\U0010ffff",
    "]]>", "&amp;",
]  # fmt: skip
#: Texts that mappings look into: headings, lists, ages, dates, links, names of arms and interventions.
TELLING = [
    "Inclusion Criteria:\n\n* a\n* b\n\nExclusion Criteria:\n\n1. c",
    "Inclusion Criteria:\n\n* a:\n  * b\n",
    "18 Years",
    "6 Months",
    "N/A",
    "2021",
    "2021-02",
    "2021-02-28",
    "2021-02-30",
    "0000-01-01",
    "https://example.org/a b",
    "https://example.org/a?b=c&d=%20",
    "someone@example.org",
    "Drug: a",
    "a",
    "Norway",
    "NCT99999902",
    "Made-up \\> text",
]
NUMBERS = [-3, -1, 0, 1, 2, 40, 2**31 - 1, 2**31, 2**63 - 1, -(2**63)]
PLACES = [-400.5, -90.0, -0.0, 0.0, 1e-12, 12.25, 180.0, 1e300]


@cache
def studies() -> st.SearchStrategy[Tree]:
    """Return a strategy for studies with few, some or nearly all of the registry's fields; all have a number.

    A study is made of a seed: drawn field by field, hypothesis would give small ones only.
    """
    return st.builds(_study, st.integers(0, 10**9), st.sampled_from([0.2, 0.5, 0.8, 0.97]))


def _study(seed: int, share: float) -> Tree:
    tree = _object(inspect.type_info(Study), random.Random(seed), share)  # noqa: S311 - the same on every run
    tree.setdefault("protocolSection", {}).setdefault("identificationModule", {})["nctId"] = NCT
    return tree


def _object(kind: Any, chance: random.Random, share: float) -> Tree:
    """Return an object with a share of the fields of a struct."""
    return {
        field.encode_name: _value(field.type, chance, share) for field in kind.fields if chance.random() < share
    }


def _value(kind: Any, chance: random.Random, share: float) -> Any:
    """Return a value for a field."""
    if isinstance(kind, inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, inspect.NoneType))
    if isinstance(kind, inspect.StructType):
        return _object(kind, chance, share)
    if isinstance(kind, inspect.ListType):
        return [_value(kind.item_type, chance, share) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    if isinstance(kind, inspect.RawType):
        return {"participantFlowModule": {"recruitmentDetails": _text(chance)}}
    if isinstance(kind, inspect.LiteralType):
        return chance.choice([*kind.values, *kind.values, "NOVEL_WORD", ""])
    plain: dict[Any, list[Any]] = {
        inspect.BoolType: [True, False],
        inspect.IntType: NUMBERS,
        inspect.FloatType: PLACES,
    }
    return chance.choice(plain[type(kind)]) if type(kind) in plain else _text(chance)


def _text(chance: random.Random) -> str:
    if chance.random() < 0.4:
        return chance.choice(TELLING)
    return "".join(chance.choice(NASTY) for _ in range(chance.randint(0, 12)))


# Damage

WRONG: list[Any] = [None, True, 0, -1, 1.5, 1e308, 10**30, "", "NOVEL_WORD", "\x00", [], {}, [[]], [{}], {"a": []}]


def damaged(tree: Tree, seed: int) -> Tree:
    """Return a copy of a study with some of its values taken out, replaced, doubled or exchanged."""
    made = copy.deepcopy(tree)
    chance = random.Random(seed)  # noqa: S311 - the same damage on every run
    for _ in range(chance.randint(1, 6)):
        places = list(_places(made))
        if not places:
            break
        holder, key = chance.choice(places)
        other_holder, other_key = chance.choice(places)
        match chance.randrange(5):
            case 0:
                del holder[key]
            case 1:
                holder[key] = copy.deepcopy(chance.choice(WRONG))
            case 2 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(holder[key]))
            case 3:
                holder[key] = copy.deepcopy(other_holder[other_key])
            case _:
                holder[key] = [holder[key]] if not isinstance(holder[key], list) else {"a": holder[key]}
    return made


def _places(value: Any) -> Any:
    """Yield every object or list in a tree with each of its keys or positions, but for the NCT number."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])
