"""What a person means by a path: values of the record, or leaves of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from trialconv.issues import UsageError
from trialconv.record.leaves import field_paths
from trialconv.tracing.model import Leaf, Lineage, SourceLeaf, path_pattern, without_positions

_MOST_NAMED: Final = 8


def find_sources(lineage: Lineage, path: str) -> list[SourceLeaf]:
    """Return the values of the record that a path means, and those below it.

    The path may be given whole or by its end (`overallStatus`), with positions or without. Raises UsageError for
    an end that several fields have.
    """
    pattern = path_pattern(path)
    whole = re.compile(rf"{pattern}(?:$|[.\[])")
    found = [source for source in lineage.sources if whole.match(source.path)]
    if found:
        return found
    tail = re.compile(rf"(.*?(?:^|\.){pattern})(?:$|[.\[])")
    matches = [(source, match) for source in lineage.sources if (match := tail.match(source.path))]
    meant = list(dict.fromkeys(without_positions(match[1]) for _, match in matches))
    if len(meant) > 1:
        named = ", ".join(meant[:_MOST_NAMED]) + (", ..." if len(meant) > _MOST_NAMED else "")
        raise UsageError(f"{path!r} is the end of several paths: {named}")
    return [source for source, _ in matches]


def empty_field(path: str) -> str | None:
    """Return the field or object of the registry that a path means; None when there is none or several."""
    # Fields have `[]` where values have positions.
    pattern = re.compile(rf"((?:.*\.)?{path_pattern(path)})(?:$|\.)")
    found = {match[1] for field in field_paths() if (match := pattern.match(field.replace("[]", "")))}
    return found.pop() if len(found) == 1 else None


def find_leaves(lineage: Lineage, path: str) -> list[Leaf]:
    """Return the leaves of a document that a path means, and those below it.

    The path may be exact (`Bundle.entry[0].resource.status`), begin with the name of a part
    (`ResearchStudy/NCT99999901.status`) or with its class, with positions or without.
    """
    wanted = path.removeprefix("//") if path.startswith("//") else path
    found = [leaf for leaf in lineage.leaves if any(_is_at(each, wanted) for each in _names(leaf))]
    return found or _below_parts(lineage, wanted)


def _below_parts(lineage: Lineage, wanted: str) -> list[Leaf]:
    """Return the leaves of a part inside a part: in USDM the code of `StudyArm.type` has a name of its own."""
    head, _, rest = wanted.partition(".")
    ids = (leaf for leaf in lineage.leaves if leaf.place == f"{head}.id" or leaf.element == f"{head}.id")
    places = tuple(leaf.path.removesuffix("id") + rest for leaf in ids) if rest else ()
    return [leaf for leaf in lineage.leaves if any(_is_at(leaf.path, place) for place in places)]


def _names(leaf: Leaf) -> Iterable[str]:
    yield leaf.path
    yield leaf.place
    yield leaf.element
    # `ResearchStudy/NCT99999901.identifier[0].value` is `ResearchStudy.identifier[0].value`, too.
    yield _NAME.sub(r"\1", leaf.place)


#: The class at the beginning of a place, and what makes a name of it.
_NAME: Final = re.compile(r"^([A-Za-z]+)(?:/[^./]+|_\d+|\[[^\]]+\])")


def _is_at(name: str, wanted: str) -> bool:
    return name.startswith(wanted) and (len(name) == len(wanted) or name[len(wanted)] in ".[/(")


def nothing_found(lineages: list[Lineage], path: str) -> UsageError:
    """Return what to say of a path that means nothing, with paths that are near it."""
    known: dict[str, str] = {}
    for lineage in lineages:
        for leaf in lineage.leaves:
            known.setdefault(leaf.element.lower(), leaf.element)
    for field in field_paths():
        known.setdefault(field.lower(), field)
        known.setdefault(field.rpartition(".")[2].removesuffix("[]").lower(), field)
    near = [known[each] for each in get_close_matches(path.lower(), known, n=5, cutoff=0.6)]
    targets = ", ".join(lineage.target for lineage in lineages)
    hint = f"; near it are {', '.join(dict.fromkeys(near))}" if near else ""
    return UsageError(f"{path!r} is neither in the record nor in its document ({targets}){hint}")
