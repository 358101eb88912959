"""The texts that begin with the name of a fact, read back: classifiers, designs and notes of a study."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.fhir.back.bundles import exact, put
from trialconv_mappings.fhir.classifiers import FACTS, INVESTIGATOR, NOTES, OTHERS
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.study_facts import AXES, DESCRIPTIONS

_PATHS: Final = {
    **dict((*FACTS, *INVESTIGATOR, *NOTES, *OTHERS, *DESCRIPTIONS)),
    **{axis.name: axis.path for axis in AXES},
}


def read_facts(study: Element, tree: dict[str, Any]) -> list[str]:
    """Put the named facts of a study (in the shape of R5) into the tree; return the texts that name none.

    Truth values and numbers are left as words, which the record's types turn into what they are.
    """
    unknown = []
    for holder in (*study.get("studyDesign", ()), *study.get("classifier", ()), *study.get("note", ())):
        shown = holder.get("text", "")
        name, found, _ = shown.partition(": ")
        if found and name in _PATHS:
            put(tree, _PATHS[name], exact(holder, "text", f"{name}: "))
        else:
            unknown.append(shown)
    return unknown
