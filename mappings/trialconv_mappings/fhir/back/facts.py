"""The texts that begin with the name of a fact, read back: classifiers, designs and notes of a study."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.back import Notes, put, typed, words
from trialconv_mappings.fhir.back.element import Part
from trialconv_mappings.fhir.classifiers import FACTS, INVESTIGATOR, NOTES, OTHERS
from trialconv_mappings.fhir.study_facts import AXES, DESCRIPTIONS

_PATHS: Final = dict((*FACTS, *INVESTIGATOR, *NOTES, *OTHERS, *DESCRIPTIONS))
#: The facts that have codes, by their names: the field and the code table.
_CODED: Final = {
    **{axis.name: (axis.path, axis.codes.name) for axis in AXES},
    "IPD sharing information type": (_PATHS["IPD sharing information type"], "fhir_ipd_info_type"),
}


def read_facts(study: Part, tree: dict[str, Any], notes: Notes) -> None:
    """Put the named facts of a study (in the shape of R5) into the tree.

    A code tells the fact where no name does. What neither names becomes an Issue.
    """
    for key in ("studyDesign", "classifier", "note"):
        for holder in study.parts(key):
            if not _read(holder, f"ResearchStudy.{key}", tree, notes):
                shown = holder.words() or ", ".join(code for _, code in holder.codes())
                notes.note("not-understood", f"{shown[:100]!r} is no fact of the registry", f"ResearchStudy.{key}")


def _read(holder: Part, place: str, tree: dict[str, Any], notes: Notes) -> bool:
    name, found, _ = (holder.text("text") or "").partition(": ")
    if not found or name not in (*_PATHS, *_CODED):
        codes = holder.codes()
        name = next(
            (name for name, (_, table) in _CODED.items() if any(code in words(table) for code in codes)), ""
        )
        found = ""
    text = holder.exact("text", f"{name}: ") if found else None
    if name in _CODED:
        path, table = _CODED[name]
        put(tree, path, words(table).word(holder.codes(), text, notes, place))
    elif name in _PATHS and text is not None:
        put(tree, _PATHS[name], typed(_PATHS[name], text))
    else:
        return False
    return True
