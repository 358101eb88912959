"""The way back: from a Bundle to the registry's record, module by module beside the mappings that made it.

The standard's own elements decide. What stands beside them, an exact string or a registry's word, is used as long
as it says what the element says. What the registry has no word or no field for becomes an Issue.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trialconv_mappings.back import Notes, Rebuilt, put
from trialconv_mappings.fhir.back.additions import read_additions, read_artifacts
from trialconv_mappings.fhir.back.bundles import Resources
from trialconv_mappings.fhir.back.dates import read_status
from trialconv_mappings.fhir.back.element import Part
from trialconv_mappings.fhir.back.eligibility import read_eligibility
from trialconv_mappings.fhir.back.facts import read_facts
from trialconv_mappings.fhir.back.identity import read_design, read_identity, resources_of_population
from trialconv_mappings.fhir.back.leftovers import leftovers
from trialconv_mappings.fhir.back.lift import is_r5, lifted
from trialconv_mappings.fhir.back.parties import Parties, read_sites
from trialconv_mappings.fhir.back.plan import read_arms, read_outcomes
from trialconv_mappings.fhir.terms import DATA_VERSION

#: Elements of a ResearchStudy that came with R6, and what profiles of R6 are called.
_R6_ELEMENTS: Final = ("citeAs", "relatesTo", "purposeType", "versionAlgorithmString", "studyPurpose")
_R6_PROFILE: Final = "/study-registry-record"


def rebuilt_studies(bundle: Any) -> Iterator[Rebuilt]:
    """Yield the record of each ResearchStudy in a Bundle (R4, R4B or R5), or of a ResearchStudy that stands alone.

    Nothing for a document without one.
    """
    resources = Resources(bundle)
    count = len(resources.studies)
    for number, study in enumerate(resources.studies, 1):
        resources.notes = Notes()
        if count > 1:
            resources.notes.several(number, count, "Bundle")
        tree = _rebuilt(study, resources, is_last=number == count)
        yield Rebuilt(tree, resources.notes.issues, {})


def _rebuilt(found: Part, resources: Resources, *, is_last: bool) -> dict[str, Any]:
    notes = resources.notes
    _note_r6(found, notes)
    study = lifted(found, resources.asked)
    tree: dict[str, Any] = {}
    groups = resources_of_population(study, resources)
    read_identity(study, tree, notes)
    read_facts(study, tree, notes)
    read_status(study, tree, notes, is_r4=study is not found)
    read_design(study, groups, tree, notes)
    Parties(study, resources, tree, is_r4=study is not found).read()
    read_sites(study, resources, tree)
    read_arms(study, resources, tree)
    read_outcomes(study, tree, notes)
    read_eligibility(groups, tree, notes)
    read_artifacts(study, tree, notes)
    read_additions(study, tree)
    version = resources.bundle.part("meta").extension(DATA_VERSION).said()
    put(tree, "derivedSection.miscInfoModule.versionHolder", version)
    # What belongs to no study is said once, of the last.
    for place, shown in leftovers(study, resources if is_last else None, resources.asked):
        notes.note("not-understood", f"not read: {shown}", place)
    return tree


def _note_r6(study: Part, notes: Notes) -> None:
    """Say that a study has the shape of R6, of which only that is read which R5 has, too."""
    marks = [key for key in _R6_ELEMENTS if key in study]
    marks += ["objective.outcomeMeasure" for each in study.parts("objective") if "outcomeMeasure" in each][:1]
    marks += [url for url in study.part("meta").texts("profile") if url.endswith(_R6_PROFILE)]
    if marks:
        message = f"this is FHIR R6 ({', '.join(marks)[:200]}); read as far as it is like R5"
        notes.note("fhir-version-not-read", message, "ResearchStudy")


__all__ = ["is_r5", "rebuilt_studies"]
