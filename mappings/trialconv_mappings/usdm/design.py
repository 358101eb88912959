"""The study design: interventional or observational. A study of expanded access has none in USDM."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from trialconv.lineage import code, derived, joined, plain
from trialconv_mappings.mesh import condition_headings
from trialconv_mappings.tables import table
from trialconv_mappings.usdm import interventions as arms
from trialconv_mappings.usdm.draft import Draft, Element
from trialconv_mappings.usdm.interventions import Interventions, mesh_code
from trialconv_mappings.usdm.objectives import objectives, timeline
from trialconv_mappings.usdm.population import criteria, population

_MODULE: Final = "protocolSection.designModule."
_INFO: Final = _MODULE + "designInfo."

#: The class of a design by the registry's word for the type of the study.
CLASSES: Final = {"INTERVENTIONAL": "InterventionalStudyDesign", "OBSERVATIONAL": "ObservationalStudyDesign"}


class Design(NamedTuple):
    """A study design, and the items of its criteria, which belong to the study version."""

    element: Element
    items: list[Element]


def design(draft: Draft, kind: str, given: Interventions) -> Design:
    """Return the study design of a class, a value of `CLASSES`."""
    population_id = draft.id("StudyDesignPopulation")
    found = criteria(draft)
    epoch = arms.epoch(draft)
    structure = arms.structure(draft, given, epoch["id"], population_id)
    is_interventional = kind == CLASSES["INTERVENTIONAL"]
    element = draft.make(
        kind,
        name=draft.name("DESIGN"),
        studyType=_study_type(draft),
        studyPhase=_phase(draft),
        characteristics=_characteristics(draft),
        arms=structure.arms,
        studyCells=structure.cells,
        rationale=draft.fill.text(f"{kind}.rationale"),
        epochs=[epoch],
        elements=structure.elements,
        indications=_indications(draft),
        studyInterventionIds=given.ids(list(range(len(given.elements)))),
        objectives=objectives(draft),
        population=population(draft, found, population_id),
        scheduleTimelines=[timeline(draft, epoch["id"])],
        biospecimenRetentions=_specimens(draft),
        eligibilityCriteria=found.elements,
        **(_interventional(draft) if is_interventional else _observational(draft)),
    )
    return Design(element, found.items)


def _study_type(draft: Draft) -> Element:
    module = draft.ctx.record.study.protocol_section.design_module
    target = "StudyDesign.studyType"
    if module.patient_registry and module.study_type == "OBSERVATIONAL":
        word = derived("true", module.patient_registry, module.study_type)
        return draft.required("cdisc_patient_registry", word, _MODULE + "patientRegistry", target)
    return draft.required("cdisc_study_type", module.study_type, _MODULE + "studyType", target)


def _phase(draft: Draft) -> Element | None:
    # Two phases of the registry have one code together.
    phases = joined(draft.ctx.record.study.protocol_section.design_module.phases)
    return draft.alias(draft.coded("cdisc_trial_phase", phases, _MODULE + "phases", "StudyDesign.studyPhase"))


def _characteristics(draft: Draft) -> list[Element]:
    word = draft.ctx.record.study.protocol_section.design_module.design_info.allocation
    target = "StudyDesign.characteristics"
    return draft.coded("usdm_design_characteristic", word, _INFO + "allocation", target)


def _indications(draft: Draft) -> list[Element]:
    """Return the conditions, with a MeSH code where the registry's MeSH term is the condition."""
    study = draft.ctx.record.study
    headings = condition_headings(study)
    made = []
    for condition in study.protocol_section.conditions_module.conditions:
        heading = headings.get(condition.casefold())
        codes = [mesh_code(draft, heading, "Indication.codes")] if heading else None
        rare = draft.fill.false("Indication.isRareDisease")
        made.append(
            draft.make(
                "Indication",
                extensionAttributes=draft.marked("isRareDisease"),
                name=draft.name("IND"),
                label=condition,
                codes=codes,
                isRareDisease=rare,
            )
        )
    return made


def _specimens(draft: Draft) -> list[Element]:
    """Return whether biospecimens are retained, where the record says it in a word that the tables know."""
    specimens = draft.ctx.record.study.protocol_section.design_module.bio_spec
    word, source = specimens.retention, _MODULE + "bioSpec.retention"
    retained = _answer(draft, "cdisc_specimens_retained", word, source)
    if retained is None:
        return []
    dna = _answer(draft, "cdisc_specimens_with_dna", word, source)
    text = specimens.description
    return [
        draft.make(
            "BiospecimenRetention",
            name=draft.name("SPECIMEN"),
            description=plain(text) if text else None,
            isRetained=retained,
            includesDNA=dna,
        )
    ]


def _answer(draft: Draft, name: str, word: str | None, source: str) -> bool | None:
    """Return the answer that a table of yes and no has for a word, or None where the question does not arise."""
    if not word:
        return None
    rows = code(draft.ctx, table(name), word, source, "BiospecimenRetention")
    return derived(rows[0].display == "Y", rows[0].display) if rows else None


def _interventional(draft: Draft) -> dict[str, Any]:
    info = draft.ctx.record.study.protocol_section.design_module.design_info
    kind = CLASSES["INTERVENTIONAL"]
    purpose = _INFO + "primaryPurpose"
    masking = _INFO + "maskingInfo.masking"
    return {
        "model": draft.required(
            "cdisc_intervention_model", info.intervention_model, _INFO + "interventionModel", f"{kind}.model"
        ),
        "intentTypes": draft.coded("cdisc_primary_purpose", info.primary_purpose, purpose, f"{kind}.intentTypes"),
        "blindingSchema": draft.alias(
            draft.coded("cdisc_masking", info.masking_info.masking, masking, f"{kind}.blindingSchema")
        ),
    }


def _observational(draft: Draft) -> dict[str, Any]:
    protocol = draft.ctx.record.study.protocol_section
    info, kind = protocol.design_module.design_info, CLASSES["OBSERVATIONAL"]
    method = protocol.eligibility_module.sampling_method
    source = "protocolSection.eligibilityModule.samplingMethod"
    sampling = draft.coded("cdisc_sampling_method", method, source, f"{kind}.samplingMethod")
    return {
        "model": draft.required(
            "cdisc_observational_model", info.observational_model, _INFO + "observationalModel", f"{kind}.model"
        ),
        "timePerspective": draft.required(
            "cdisc_time_perspective", info.time_perspective, _INFO + "timePerspective", f"{kind}.timePerspective"
        ),
        "samplingMethod": sampling[0] if sampling else None,
    }
