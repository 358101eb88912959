"""Where ODM has a place of its own for a field of the registry, and which words are coded."""

from __future__ import annotations

from typing import Final

from trialconv.formats import OdmVersion

_ARMS: Final = "protocolSection.armsInterventionsModule."
_PLACES: Final = "protocolSection.contactsLocationsModule."

#: Fields whose value stands, whole and unchanged, in an element or an official parameter.
_HOMES: Final = frozenset(
    {
        "protocolSection.identificationModule.nctId",
        "protocolSection.identificationModule.nctIdAliases[]",
        "protocolSection.identificationModule.orgStudyIdInfo.id",
        "protocolSection.identificationModule.secondaryIdInfos[].id",
        "protocolSection.identificationModule.officialTitle",
        "protocolSection.statusModule.expandedAccessInfo.nctId",
        "protocolSection.statusModule.expandedAccessInfo.statusForNctId",
        "protocolSection.statusModule.startDateStruct.date",
        "protocolSection.statusModule.completionDateStruct.date",
        "protocolSection.sponsorCollaboratorsModule.leadSponsor.name",
        "protocolSection.sponsorCollaboratorsModule.collaborators[].name",
        "protocolSection.oversightModule.oversightHasDmc",
        "protocolSection.oversightModule.isFdaRegulatedDrug",
        "protocolSection.oversightModule.isFdaRegulatedDevice",
        "protocolSection.descriptionModule.briefSummary",
        "protocolSection.descriptionModule.detailedDescription",
        "protocolSection.conditionsModule.conditions[]",
        "protocolSection.conditionsModule.keywords[]",
        "protocolSection.designModule.bioSpec.description",
        "protocolSection.armsInterventionsModule.armGroups[].label",
        "protocolSection.armsInterventionsModule.armGroups[].description",
        "protocolSection.armsInterventionsModule.interventions[].description",
        "protocolSection.outcomesModule.primaryOutcomes[].measure",
        "protocolSection.outcomesModule.primaryOutcomes[].description",
        "protocolSection.outcomesModule.secondaryOutcomes[].measure",
        "protocolSection.outcomesModule.secondaryOutcomes[].description",
        "protocolSection.outcomesModule.otherOutcomes[].measure",
        "protocolSection.outcomesModule.otherOutcomes[].description",
        "protocolSection.eligibilityModule.healthyVolunteers",
        "protocolSection.eligibilityModule.studyPopulation",
        "protocolSection.contactsLocationsModule.centralContacts[].name",
        "protocolSection.contactsLocationsModule.centralContacts[].phone",
        "protocolSection.contactsLocationsModule.centralContacts[].email",
        "protocolSection.contactsLocationsModule.overallOfficials[].name",
        "protocolSection.contactsLocationsModule.overallOfficials[].affiliation",
        "protocolSection.contactsLocationsModule.locations[].facility",
        "protocolSection.contactsLocationsModule.locations[].city",
        "protocolSection.contactsLocationsModule.locations[].state",
        "protocolSection.contactsLocationsModule.locations[].zip",
        "protocolSection.contactsLocationsModule.locations[].country",
        "protocolSection.contactsLocationsModule.locations[].contacts[].name",
        "protocolSection.contactsLocationsModule.locations[].contacts[].phone",
        "protocolSection.contactsLocationsModule.locations[].contacts[].email",
        "protocolSection.contactsLocationsModule.locations[].geoPoint.lat",
        "protocolSection.contactsLocationsModule.locations[].geoPoint.lon",
        "protocolSection.referencesModule.references[].pmid",
        "protocolSection.referencesModule.references[].citation",
        "protocolSection.referencesModule.seeAlsoLinks[].label",
        "protocolSection.referencesModule.seeAlsoLinks[].url",
    }
)

#: Of these, the fields that only ODM 2.0 has a place for.
_ONLY_V2: Final = frozenset(
    {
        "protocolSection.sponsorCollaboratorsModule.collaborators[].name",
        _ARMS + "interventions[].description",
        "protocolSection.outcomesModule.primaryOutcomes[].description",
        "protocolSection.outcomesModule.secondaryOutcomes[].description",
        "protocolSection.outcomesModule.otherOutcomes[].description",
        _PLACES + "locations[].city",
        _PLACES + "locations[].state",
        _PLACES + "locations[].zip",
        _PLACES + "locations[].country",
        _PLACES + "locations[].geoPoint.lat",
        _PLACES + "locations[].geoPoint.lon",
    }
)
#: The fields with a place, by version. All others are parameters of the registry.
HOMES: Final[dict[OdmVersion, frozenset[str]]] = {"2.0": _HOMES, "1.3.2": _HOMES - _ONLY_V2}

#: Words that have a CDISC term but no official parameter: the code table of each field.
CODED: Final = {
    _ARMS + "armGroups[].type": "cdisc_arm_type",
    "protocolSection.designModule.designInfo.maskingInfo.whoMasked[]": "cdisc_who_masked",
}


def names_a_contact(path: str) -> bool:
    """Tell whether a field names a contact or tells how to reach one; roles do neither."""
    return path.startswith(
        (_PLACES + "centralContacts[]", _PLACES + "locations[].contacts[]")
    ) and not path.endswith(".role")
