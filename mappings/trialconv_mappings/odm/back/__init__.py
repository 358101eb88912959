"""The way back: from an ODM document to the registry's record, beside the mapping that made it.

The elements of ODM and the parameters of CDISC decide. The registry's own parameters, which stand beside them,
are used as long as they say what these say, and for all that ODM has no place for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from trialconv.lineage import joined
from trialconv.odm_tree import Node
from trialconv_mappings.back import Notes, Rebuilt
from trialconv_mappings.odm.back.administration import read_administration
from trialconv_mappings.odm.back.elements import read_elements
from trialconv_mappings.odm.back.leftovers import leftovers
from trialconv_mappings.odm.back.named import Named
from trialconv_mappings.odm.back.parameters import read_parameters
from trialconv_mappings.odm.back.said import PHASES, Said


def rebuilt_studies(root: Node) -> Iterator[Rebuilt]:
    """Yield the record of each Study in a document of ODM 2.0, or of ODM 1.3.2 with or without SDM-XML.

    Nothing for a document without one.
    """
    unread = list(leftovers(root))
    studies = [child for child in root.elements if child.name == "Study"]
    for number, study in enumerate(studies, 1):
        notes = Notes()
        if len(studies) > 1:
            notes.several(number, len(studies), "ODM")
        oid = study.attributes.get("OID")
        data = [
            child
            for child in root.elements
            if child.name == "AdminData" and (len(studies) == 1 or child.attributes.get("StudyOID") == oid)
        ]
        tree, extras = _rebuilt(Named(study), Named(*data), notes)
        for place in unread:
            notes.note("not-understood", "not read", place)
        yield Rebuilt(tree, notes.issues, extras)


def _rebuilt(study: Named, data: Named, notes: Notes) -> tuple[dict[str, Any], dict[str, Any]]:
    said = Said(notes)
    is_ours, extras = read_parameters(study, said)
    phases = _join_phases(said)
    read_elements(study, said, is_ours=is_ours)
    read_administration(data, said)
    tree: dict[str, Any] = {}
    for path, value in said.values().items():
        if path == PHASES:
            value = phases if value == joined(phases) else value.split("/")
        _put(tree, path, value)
    held: dict[str, Any] = {}
    for path, value in extras.items():
        _put(held, path, value)
    return _compact(tree), _compact(held)


def _join_phases(said: Said) -> list[str]:
    """Make one word of the phases, which have one term together, and return them one by one."""
    parts = {path: word for path, word in said.own.items() if path.startswith(PHASES + "[")}
    if parts:
        for path in parts:
            del said.own[path]
        said.add_own(PHASES, joined(list(parts.values())))
    return list(parts.values())


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set a value, with lists as objects from position to member."""
    *steps, last = re.sub(r"\[(\d+)\]", r".\1", path).split(".")
    for step in steps:
        below = tree.setdefault(step, {})
        if not isinstance(below, dict):
            return
        tree = below
    tree[last] = value


#: A gap in a list is an object that says nothing. One larger than the list is no list of ours.
_MOST_GAPS: Final = 16


def _compact(tree: Any) -> Any:
    """Return the tree with lists in the place of objects from position to member."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        members = {int(key): _compact(value) for key, value in tree.items()}
        if max(members) > 4 * len(members) + _MOST_GAPS:
            return [members[position] for position in sorted(members)]
        return [members.get(position, {}) for position in range(1, max(members) + 1)]
    return {key: _compact(value) for key, value in tree.items()}


__all__ = ["rebuilt_studies"]
