"""The fields of the registry that USDM has no attribute for, as extension attributes of the study version.

The fields are found from the record's types, so that a field which the record learns is carried at once. What has
a home elsewhere is listed here by its path and left out.
"""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from trialconv.lineage import derived
from trialconv.record import Study
from trialconv.record.decode import attribute_names, leaf_paths
from trialconv_mappings.usdm.draft import Draft, Element

_P: Final = "protocolSection."

#: The beginnings of the paths that are carried; all others are what the registry adds to a record.
_CARRIED: Final = (
    _P,
    "hasResults",
    "documentSection.largeDocumentModule.noSap",
    "derivedSection.conditionBrowseModule.meshes",
    "derivedSection.interventionBrowseModule.meshes",
)

#: Fields, or objects and lists of them, that stand whole and unchanged in objects of their own.
HOMES: Final = (
    _P + "identificationModule.nctId",
    _P + "identificationModule.nctIdAliases",
    _P + "identificationModule.orgStudyIdInfo",
    _P + "identificationModule.secondaryIdInfos",
    _P + "identificationModule.briefTitle",
    _P + "identificationModule.officialTitle",
    _P + "identificationModule.acronym",
    _P + "sponsorCollaboratorsModule.leadSponsor",
    _P + "sponsorCollaboratorsModule.collaborators",
    _P + "descriptionModule",
    _P + "armsInterventionsModule.interventions",
    _P + "contactsLocationsModule",
)

#: The same of a study design, which a study of expanded access does not have.
DESIGN_HOMES: Final = (
    _P + "conditionsModule.conditions",
    _P + "designModule.designInfo.interventionModelDescription",
    _P + "armsInterventionsModule.armGroups",
    _P + "outcomesModule",
    _P + "eligibilityModule.eligibilityCriteria",
    _P + "eligibilityModule.studyPopulation",
)


class _Plan(NamedTuple):
    """The paths of what is carried, and how to fetch it all from a study."""

    paths: tuple[str, ...]
    fetch: attrgetter[tuple[Any, ...]]


def carried(draft: Draft, study_type: str | None, *, has_design: bool) -> list[Element]:
    """Return an extension attribute for every filled field that has no home elsewhere, in the registry's order."""
    plan = _plan(has_design)
    made: list[Element] = []
    for path, value in zip(plan.paths, plan.fetch(draft.ctx.record.study), strict=True):
        if value is not None and value != []:
            held = draft.carried(path, value)
            # What a design would hold is here for want of one.
            made += derived(held, study_type) if not has_design and _is_within(path, DESIGN_HOMES) else held
    return made + _extras(draft)


@cache
def _plan(has_design: bool) -> _Plan:
    left_out = HOMES + DESIGN_HOMES if has_design else HOMES
    # A list is fetched whole: objects inside it are carried with it.
    paths = dict.fromkeys(path.partition("[]")[0] for path in leaf_paths(Study) if path.startswith(_CARRIED))
    chosen = tuple(path for path in paths if not _is_within(path, left_out))
    return _Plan(chosen, attrgetter(*(".".join(attribute_names(Study, path)) for path in chosen)))


def _is_within(path: str, homes: tuple[str, ...]) -> bool:
    return any(path == home or path.startswith(home + ".") for home in homes)


def _extras(draft: Draft) -> list[Element]:
    """Carry the texts of a source that the registry's data structure has no field for."""
    extras = draft.ctx.record.extras
    if not extras:
        return []
    if "unread" in extras and not draft.ctx.options.contacts:
        # Nobody can tell whether a text that was not understood holds contacts.
        draft.ctx.note("withheld-contact", "texts not understood were left out", "extras.unread")
        extras = {key: value for key, value in extras.items() if key != "unread"}
    return draft.carried("extras", extras)
