"""What `trialconv diff` prints of a difference: text for people, or a JSON object on a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from trialconv.differences.model import Change, Difference, Part, Piece, Side
from trialconv.differences.results import ResultsSummary, is_result, summarised
from trialconv.differences.words import is_field, label_of, parts_in_words, shortened

_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~", "reordered": "="}
_CONTEXT: Final = 30
_SHOWN: Final = 300
_HASH: Final = 12


def as_json(found: Difference, *, full_results: bool) -> bytes:
    """Return a difference as a JSON object on one line, the results in sum unless all of them are asked for."""
    if full_results:
        tree: dict[str, Any] = msgspec.to_builtins(found)
    else:
        rest = [change for change in found.changes if not is_result(change)]
        tree = msgspec.to_builtins(msgspec.structs.replace(found, changes=rest))
        if sums := summarised(found.changes):
            tree["results"] = msgspec.to_builtins(sums)
    status = "differs" if found.differ else "same"
    return msgspec.json.encode({"nctId": tree.pop("nctId"), "status": status, **tree})


def as_text(found: Difference, *, full_results: bool) -> str:
    """Return a difference as text: the two versions, then the changes by module."""
    lines = [
        f"{found.nct_id}  {found.after.title or found.before.title}".rstrip(),
        f"  before: {_version(found.before)}",
        f"  after:  {_version(found.after)}",
    ]
    if not found.differ:
        lines += ["", "No difference."]
    shown = [change for change in found.changes if full_results or not is_result(change)]
    heading = ""
    for change in shown:
        if (module := _heading(change)) != heading:
            heading = module
            lines += ["", module]
        lines += _lines(change)
    if not full_results and (sums := summarised(found.changes)):
        lines += ["", "Results (in sum; --results full lists every change)", *map(_sum_line, sums)]
    if found.not_compared:
        lines += ["", "Not compared, since one of the formats cannot hold it:"]
        lines += [f"  {each.label} [{each.field}]: {each.reason}" for each in found.not_compared]
    return "\n".join(lines)


def _version(side: Side) -> str:
    date = f"last update posted {side.last_update}" if side.last_update else "no date of a last update"
    content = f"content {side.content_hash[:_HASH]}" if side.content_hash else ""
    return ", ".join(part for part in (side.source, date, content) if part)


def _heading(change: Change) -> str:
    """Return what a change stands under: the module of the registry, or the resource of a document."""
    steps = change.field.split(".")
    if _is_of_document(change):
        return change.item or steps[0]
    return label_of(".".join(steps[:2])) if len(steps) > 2 else label_of(steps[0])


def _is_of_document(change: Change) -> bool:
    return change.label == change.field


def _lines(change: Change) -> Iterator[str]:
    """Yield the lines of a change: the sign, the label, what changed and the path; then what belongs to it."""
    whole = isinstance(change.before or change.after, dict) and is_field(change.field)
    place = change.after_at or change.before_at or change.field
    of_document = _is_of_document(change)
    head = f"  {_SIGNS[change.kind]} {place if of_document else change.label}"
    if change.parts or (change.note and change.kind == "changed"):
        said = ""
    elif change.kind == "reordered":
        said = change.note
    elif whole:
        said = change.item or _values(change)
    else:
        said = _marked(change.words) if change.words else _values(change)
    yield f"{head}{': ' if said else ''}{said}{'' if of_document else f' [{place}]'}"
    if change.item and not whole and not of_document:
        yield f"      in {change.item}"
    if change.note and change.note != said:
        yield f"      ({change.note})"
    yield from map(_part, change.parts)
    if whole:
        for label, text in parts_in_words(change.before or change.after, change.field):
            yield f"      {label}: {shortened(text, _SHOWN)}"


def _values(change: Change) -> str:
    old, new = shortened(change.before_text, _SHOWN), shortened(change.after_text, _SHOWN)
    if change.kind == "changed":
        return f"{old} → {new}" if old != new else old
    return old or new


def _part(part: Part) -> str:
    head = f"      {_SIGNS[part.kind]} {part.within}: "
    if part.words:
        return head + _marked(part.words)
    if part.kind == "changed":
        same = part.before == part.after
        return head + (shortened(part.before, _SHOWN) if same else f"{part.before} → {part.after}")
    moved = " (moved)" if part.kind == "reordered" else ""
    return head + shortened(part.before or part.after, _SHOWN) + moved


def _marked(pieces: list[Piece]) -> str:
    """Return a text on one line with its changes as `[-removed-]` and `{+added+}`, long pieces between cut."""
    made = []
    for number, piece in enumerate(pieces):
        text = " ".join(piece.text.split("\n"))
        if piece.op == "removed":
            made.append(f"[-{text}-]")
        elif piece.op == "added":
            made.append(f"{{+{text}+}}")
        else:
            made.append(_cut(text, first=number == 0, last=number == len(pieces) - 1))
    return "".join(made)


def _cut(text: str, *, first: bool, last: bool) -> str:
    """Return a text that both versions have, without what stands far from a change."""
    if len(text) <= 2 * _CONTEXT:
        return text
    before = "" if first else text[:_CONTEXT]
    after = "" if last else text[-_CONTEXT:]
    return f"{before}…{after}"


def _sum_line(found: ResultsSummary) -> str:
    counts = (
        (found.added, "added"),
        (found.removed, "removed"),
        (found.changed, "changed"),
        (found.reordered, "reordered"),
    )
    said = ", ".join(f"{count:,} {word}" for count, word in counts if count)
    item = f" “{found.item}”" if found.item else ""
    names = ", ".join(found.fields[:4]) + (", ..." if len(found.fields) > 4 else "")
    return f"  ~ {found.label}{item}: {said} ({names})"
