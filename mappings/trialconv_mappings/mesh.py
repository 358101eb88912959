"""MeSH: the headings that the registry derives from a study's own words."""

from __future__ import annotations

import re
from typing import Final

from trialconv.record import Study
from trialconv.record.sections import BrowseModule

#: The code system of MeSH, as terminology.hl7.org names it.
MESH: Final = "https://www.nlm.nih.gov/mesh"


_IDENTIFIER: Final = re.compile(r"[A-Z][0-9]{3,}")


def is_mesh_id(text: str | None) -> bool:
    """Tell whether a text has the form of a MeSH identifier, such as D012004."""
    return text is not None and _IDENTIFIER.fullmatch(text) is not None


def condition_headings(study: Study) -> dict[str, tuple[str, str]]:
    """Return the id and the term of each heading derived from the conditions, by its term in small letters.

    A condition is coded only where it is the same term; look it up by `condition.casefold()`.
    """
    return _headings(study.derived_section.condition_browse_module)


def intervention_headings(study: Study) -> dict[str, tuple[str, str]]:
    """Return the same of the headings derived from the names of the interventions."""
    return _headings(study.derived_section.intervention_browse_module)


def _headings(module: BrowseModule) -> dict[str, tuple[str, str]]:
    found = {}
    for mesh in module.meshes:
        if mesh.term and mesh.id and is_mesh_id(mesh.id):
            found[mesh.term.casefold()] = (mesh.id, mesh.term)
    return found
