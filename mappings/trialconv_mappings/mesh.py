"""MeSH: the headings that the registry derives from a study's own words."""

from __future__ import annotations

from typing import Final

from trialconv.record import Study

#: The code system of MeSH, as terminology.hl7.org names it.
MESH: Final = "https://www.nlm.nih.gov/mesh"


def condition_headings(study: Study) -> dict[str, tuple[str, str]]:
    """Return the id and the term of each heading derived from the conditions, by its term in small letters.

    A condition is coded only where it is the same term; look it up by `condition.casefold()`.
    """
    meshes = study.derived_section.condition_browse_module.meshes
    return {mesh.term.casefold(): (mesh.id, mesh.term) for mesh in meshes if mesh.term and mesh.id}
