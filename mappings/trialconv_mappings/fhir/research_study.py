"""The ResearchStudy: the frame; what goes where is said per version in the two modules beside this one."""

from __future__ import annotations

from trialconv.context import Context
from trialconv_mappings.fhir import study_facts as facts
from trialconv_mappings.fhir.parts import Element
from trialconv_mappings.fhir.research_study_r4 import place_r4
from trialconv_mappings.fhir.research_study_r5 import place_r5
from trialconv_mappings.fhir.study_common import Neighbours


def research_study(ctx: Context, neighbours: Neighbours) -> Element:
    """Return the ResearchStudy for the FHIR version of the options."""
    made: Element = {
        "resourceType": "ResearchStudy",
        "id": ctx.record.nct_id,
        "meta": {"source": facts.page(ctx)},
    }
    place = place_r5 if ctx.options.fhir_version == "R5" else place_r4
    place(ctx, made, neighbours)
    return {key: value for key, value in made.items() if value}
