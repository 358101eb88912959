"""From one JSON tree to another in few steps: add, remove, replace and move (RFC 6902).

Items of lists are matched by what identifies them: a bundle's entries by their fullUrl, elements by an id, a
linkId, an identifier or a url, and others by their content. So an item put in front is one step, and not a change
of every item behind it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator
from difflib import SequenceMatcher
from typing import Any, Final, Literal, NamedTuple

import msgspec

Path = tuple[str | int, ...]

_OID: Final = "@OID"


class Step(NamedTuple):
    """One step: what to do at a path; the value for add and replace, and where from for move."""

    op: Literal["add", "remove", "replace", "move"]
    path: Path
    value: Any = None
    source: Path = ()


def json_patch(before: Any, after: Any) -> list[dict[str, Any]]:
    """Return the JSON Patch that makes one document of another (https://www.rfc-editor.org/rfc/rfc6902)."""
    return [_operation(step) for step in steps(before, after)]


def _operation(step: Step) -> dict[str, Any]:
    made: dict[str, Any] = {"op": step.op, "path": pointer(step.path)}
    if step.op == "move":
        made["from"] = pointer(step.source)
    if step.op in ("add", "replace"):
        made["value"] = step.value
    return made


def pointer(path: Path) -> str:
    """Return a path as a JSON Pointer (https://www.rfc-editor.org/rfc/rfc6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def steps(before: Any, after: Any, path: Path = ()) -> Iterator[Step]:
    """Yield the steps from one tree to another. Each path is right at the time of its step."""
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_lists(before, after, path)
    elif not _equal(before, after):
        yield Step("replace", path, after)


def _equal(before: Any, after: Any) -> bool:
    """Tell whether two values are the same JSON; 1 and true are not."""
    return type(before) is type(after) and bool(before == after)


def value_at(tree: Any, path: Path) -> Any:
    """Return what stands at a path of a tree."""
    for part in path:
        tree = tree[part]
    return tree


def apply_step(tree: Any, step: Step) -> None:
    """Do a step, which is not at the root, in a tree. What it puts there is a copy."""
    *above, last = step.path
    holder = value_at(tree, tuple(above))
    if step.op == "remove":
        del holder[last]
    elif step.op == "move":
        holder.insert(last, holder.pop(step.source[-1]))
    elif step.op == "add" and isinstance(holder, list):
        holder.insert(int(last), copy.deepcopy(step.value))
    else:
        holder[last] = copy.deepcopy(step.value)


def _of_objects(before: dict[str, Any], after: dict[str, Any], path: Path) -> Iterator[Step]:
    for key in before:
        if key not in after:
            yield Step("remove", (*path, key))
    for key, value in after.items():
        if key not in before:
            yield Step("add", (*path, key), value)
        else:
            yield from steps(before[key], value, (*path, key))


def _of_lists(before: list[Any], after: list[Any], path: Path) -> Iterator[Step]:
    identity = _identity(before, after)
    if len(before) == len(after) == 1 and all(
        isinstance(each, dict) and _OID in each for each in (*before, *after)
    ):
        # An ODM element that stands alone is the same one, whatever version its OID names.
        yield from steps(before[0], after[0], (*path, 0))
    elif identity is None:
        yield from _by_content(before, after, path)
    else:
        yield from _by_identity(before, after, path, identity)


def _by_identity(
    before: list[Any], after: list[Any], path: Path, identity: Callable[[Any], Hashable]
) -> Iterator[Step]:
    old = {identity(item): item for item in before}
    wanted = [identity(item) for item in after]
    here = list(old)
    kept = set(wanted)
    for position in reversed(range(len(here))):
        if here[position] not in kept:
            yield Step("remove", (*path, position))
            del here[position]
    for position, name in enumerate(wanted):
        if name not in old:
            yield Step("add", (*path, position), after[position])
            here.insert(position, name)
            continue
        if here[position] != name:
            source = here.index(name, position)
            yield Step("move", (*path, position), source=(*path, source))
            here.insert(position, here.pop(source))
        yield from steps(old[name], after[position], (*path, position))


def _by_content(before: list[Any], after: list[Any], path: Path) -> Iterator[Step]:
    old, new = [_content(item) for item in before], [_content(item) for item in after]
    shift = 0
    for tag, i, k, j, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        both = min(k - i, m - j)
        for offset in range(both):
            yield from steps(before[i + offset], after[j + offset], (*path, i + offset + shift))
        for position in reversed(range(i + both, k)):
            yield Step("remove", (*path, position + shift))
        for offset in range(both, m - j):
            yield Step("add", (*path, i + offset + shift), after[j + offset])
        shift += (m - j) - (k - i)


def _content(item: Any) -> bytes:
    return msgspec.json.encode(item, order="sorted")


def _identity(before: list[Any], after: list[Any]) -> Callable[[Any], Hashable] | None:
    """Return by what the items of both lists are known; None when nothing tells each item from the others."""
    if not all(isinstance(item, dict) for item in (*before, *after)):
        return None
    for identity in _IDENTITIES:
        if all(_tells_apart(identity, items) for items in (before, after)):
            return identity
    return None


def _tells_apart(identity: Callable[[Any], Hashable], items: list[Any]) -> bool:
    names = [identity(item) for item in items]
    return None not in names and len(set(names)) == len(names)


def _field(*names: str) -> Callable[[Any], Hashable]:
    def identity(item: Any) -> Hashable:
        found = tuple(item.get(name) for name in names)
        return found if any(found) and all(isinstance(each, str | None) for each in found) else None

    return identity


def resource_key(entry: Any) -> Hashable:
    """Return what identifies the entry of a bundle: the type and id of its resource, or its fullUrl."""
    resource = entry.get("resource")
    if isinstance(resource, dict) and resource.get("resourceType"):
        if resource.get("id"):
            return f"{resource['resourceType']}/{resource['id']}"
        if entry.get("fullUrl"):
            return f"{resource['resourceType']} {entry['fullUrl']}"
    return None


_IDENTITIES: Final[tuple[Callable[[Any], Hashable], ...]] = (
    resource_key,
    _field("resourceType", "id"),
    _field("id"),
    _field(_OID),
    _field("linkId"),
    _field("system", "value"),
    _field("system", "code"),
    _field("reference"),
    _field("url"),
    _field("name"),
    _field("label"),
)
