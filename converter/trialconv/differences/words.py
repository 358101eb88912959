"""Values and items in the registry's words: enumerations as its pages show them, texts plain, titles of items."""

from __future__ import annotations

from functools import cache
from typing import Any, Final, get_args

from trialconv.differences.lists import listed
from trialconv.lineage import plain
from trialconv.record import Study, enums
from trialconv.record.decode import field_words
from trialconv.record.results import ResultsSection
from trialconv_mappings.labels import field_labels, word_labels

_YES_NO: Final = {True: "Yes", False: "No"}
_SHOWN: Final = 200


def label_of(path: str) -> str:
    """Return what the registry calls a field or an object; the last name of a path that has no label."""
    return field_labels().get(path) or path.rpartition(".")[2]


def is_field(path: str) -> bool:
    """Tell whether a path is one of the registry's data structure."""
    return path in field_labels()


def in_words(value: Any, path: str) -> str:
    """Return a value of a field in the registry's words."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return _YES_NO[value]
    if isinstance(value, list):
        return ", ".join(in_words(item, path) for item in value)
    if isinstance(value, dict):
        return title_of(value, path)
    if isinstance(value, str):
        return _labels(path).get(value) or plain(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def title_of(item: dict[str, Any], path: str, groups: dict[str, str] | None = None) -> str:
    """Return how an item of a list of objects is called in one line. `groups` has the titles of groups by id."""
    found = []
    for name in listed(path).title:
        value = item.get(name)
        if name == "groupId" and groups:
            value = groups.get(str(value), value)
        if value not in (None, "", []):
            found.append(in_words(value, f"{path}.{name}"))
    return shortened(", ".join(found))


def shortened(text: str, size: int = _SHOWN) -> str:
    """Return a text on one line and not longer than a size."""
    line = " ".join(text.split())
    return line if len(line) <= size else line[: size - 1].rstrip() + "…"


@cache
def _labels(path: str) -> dict[str, str]:
    """Return the labels of the words of a field; none when it is no field of words."""
    words = field_words(ResultsSection if path.startswith("resultsSection.") else Study, _steps(path))
    return word_labels()[_set_names()[words]] if words else {}


def _steps(path: str) -> list[str]:
    return [step.removesuffix("[]") for step in path.removeprefix("resultsSection.").split(".")]


@cache
def _set_names() -> dict[frozenset[str], str]:
    return {frozenset(get_args(found)): name for name, found in vars(enums).items() if get_args(found)}


def parts_in_words(value: dict[str, Any], path: str) -> list[tuple[str, str]]:
    """Return the label and the words of each value of an object, in the order of the registry.

    Of objects in lists within it only the titles are given.
    """
    found: list[tuple[str, str]] = []
    for key, item in value.items():
        below = f"{path}.{key}" + ("[]" if isinstance(item, list) else "")
        if isinstance(item, dict):
            found += parts_in_words(item, below)
        elif item not in (None, "", []):
            found.append((label_of(below), in_words(item, below)))
    return found
