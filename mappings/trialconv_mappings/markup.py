"""The fields that the registry keeps as markdown, of those that targets carry one by one."""

from __future__ import annotations

from typing import Final

#: Paths of fields in the registry's notation; `lineage.plain` undoes the escapes of their values.
MARKUP: Final = frozenset(
    {
        "protocolSection.armsInterventionsModule.armGroups[].description",
        "protocolSection.designModule.bioSpec.description",
        "protocolSection.designModule.designInfo.interventionModelDescription",
        "protocolSection.designModule.designInfo.maskingInfo.maskingDescription",
        "protocolSection.eligibilityModule.eligibilityCriteria",
        "protocolSection.eligibilityModule.genderDescription",
        "protocolSection.eligibilityModule.studyPopulation",
        "protocolSection.outcomesModule.primaryOutcomes[].description",
        "protocolSection.outcomesModule.secondaryOutcomes[].description",
        "protocolSection.outcomesModule.otherOutcomes[].description",
        "protocolSection.referencesModule.availIpds[].comment",
        "protocolSection.ipdSharingStatementModule.description",
        "protocolSection.ipdSharingStatementModule.accessCriteria",
    }
)
