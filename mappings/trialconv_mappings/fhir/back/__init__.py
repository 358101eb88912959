"""The way back: from a Bundle to the registry's record, module by module beside the mappings that made it."""

from __future__ import annotations

from typing import Any

from trialconv_mappings.fhir.back.additions import read_additions, read_artifacts
from trialconv_mappings.fhir.back.bundles import Resources, first, put
from trialconv_mappings.fhir.back.eligibility import read_eligibility
from trialconv_mappings.fhir.back.facts import read_facts
from trialconv_mappings.fhir.back.identity import read_design, read_identity, read_status
from trialconv_mappings.fhir.back.lift import lifted
from trialconv_mappings.fhir.back.parties import read_parties, read_sites
from trialconv_mappings.fhir.back.plan import read_arms, read_outcomes
from trialconv_mappings.fhir.parts import Element


def study_tree(bundle: Element) -> dict[str, Any]:
    """Return the record of a Bundle (R4, R4B or R5) as a tree with the registry's keys.

    Truth values and numbers of facts are left as words. Raises LookupError for a Bundle without a ResearchStudy.
    """
    resources = Resources(bundle)
    studies = resources.all("ResearchStudy")
    if not studies:
        raise LookupError("the Bundle has no ResearchStudy")
    study = lifted(studies[0])
    tree: dict[str, Any] = {}
    read_identity(study, tree)
    read_status(study, tree)
    read_design(study, resources, tree)
    read_facts(study, tree)
    read_parties(study, resources, tree)
    read_sites(study, resources, tree)
    read_arms(study, resources, tree)
    read_outcomes(study, tree)
    read_eligibility(resources, tree)
    read_artifacts(study, tree)
    read_additions(study, tree)
    put(
        tree, "derivedSection.miscInfoModule.versionHolder", first(bundle.get("meta", {}), "registry-data-version")
    )
    return tree
