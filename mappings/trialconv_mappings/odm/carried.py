"""The registry's own parameters: every field that has no ODM element of its own, one value each.

The fields are found from the record's types, so that a field which the record learns is carried at once. What
has a home elsewhere is listed here by its path and left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.inspect import ListType, StructType, type_info

from trialconv.context import Context
from trialconv.lineage import checked_date, plain
from trialconv.odm_tree import Node
from trialconv.record import Study
from trialconv_mappings.odm.text import clean

#: Fields whose value stands, whole and unchanged, in an element or an official parameter.
HOMES: Final = frozenset(
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

#: Fields that the registry keeps as markdown, of those that are carried.
_MARKUP: Final = frozenset(
    {
        "protocolSection.designModule.designInfo.interventionModelDescription",
        "protocolSection.designModule.designInfo.maskingInfo.maskingDescription",
        "protocolSection.eligibilityModule.eligibilityCriteria",
        "protocolSection.eligibilityModule.genderDescription",
        "protocolSection.referencesModule.availIpds[].comment",
        "protocolSection.ipdSharingStatementModule.description",
        "protocolSection.ipdSharingStatementModule.accessCriteria",
    }
)

#: What names a person or reaches one, of the fields that are carried.
_CONTACT_DETAILS: Final = frozenset(
    {
        "protocolSection.contactsLocationsModule.centralContacts[].phoneExt",
        "protocolSection.contactsLocationsModule.locations[].contacts[].phoneExt",
    }
)

#: Objects that stand in the short names with another name than nothing.
_PREFIXES: Final = {
    "protocolSection.ipdSharingStatementModule": "ipdSharingStatement.",
    "derivedSection.conditionBrowseModule": "conditionBrowse.",
    "derivedSection.interventionBrowseModule": "interventionBrowse.",
}
_WRAPPERS: Final = ("Section", "Module", "designInfo", "maskingInfo")


class _Field(NamedTuple):
    """How to carry a field: as a value, a list of values, an object, or a list of objects."""

    kind: Callable[[Carrier, Any, _Field, str], None]
    short: str
    path: str
    plan: _Plan | None
    markup: bool
    is_date: bool


class _Plan(NamedTuple):
    """The fields of a struct that are carried, and how to fetch their values in one call."""

    fetch: Callable[[Any], tuple[Any, ...]]
    fields: tuple[_Field, ...]


def parameter(short_name: str, term: str, value: str, codings: tuple[Node, ...] = ()) -> Node:
    """Return a `StudyParameter` of the registry; `codings` belong to its value."""
    return Node(
        "StudyParameter",
        {"OID": "PAR." + short_name, "Term": term, "ShortName": short_name},
        (Node("ParameterValue", {"Value": value}, codings),),
    )


class Carrier:
    """Carries the fields of one study into a list of parameters.

    `codings` gives the codings for the registry's words: field path to a function of the word.
    """

    def __init__(
        self, ctx: Context, parameters: list[Node], codings: dict[str, Callable[[str], tuple[Node, ...]]]
    ) -> None:
        self._ctx = ctx
        self._parameters = parameters
        self._codings = codings

    def carry(self, study: Study) -> None:
        """Add a parameter for every value that has no home elsewhere, in the registry's order."""
        self._object(study, _plan(self._ctx.options.contacts), "CTG.")

    def value(self, value: Any, field: _Field, prefix: str) -> None:
        """Add the parameter of one value."""
        self._add(_words(value), field, prefix + field.short)

    def values(self, items: list[Any], field: _Field, prefix: str) -> None:
        """Add one parameter per value of a list."""
        for position, item in enumerate(items, 1):
            self._add(_words(item), field, f"{prefix}{field.short}.{position}")

    def object(self, item: Any, field: _Field, prefix: str) -> None:
        """Add the parameters of an object."""
        if field.plan is not None:
            self._object(item, field.plan, prefix + field.short)

    def objects(self, items: list[Any], field: _Field, prefix: str) -> None:
        """Add the parameters of every object of a list."""
        if field.plan is not None:
            for position, item in enumerate(items, 1):
                self._object(item, field.plan, f"{prefix}{field.short}.{position}.")

    def _object(self, struct: Any, plan: _Plan, prefix: str) -> None:
        for value, field in zip(plan.fetch(struct), plan.fields, strict=False):
            if value is not None and value != []:
                field.kind(self, value, field, prefix)

    def _add(self, value: str, field: _Field, short_name: str) -> None:
        if field.markup:
            value = plain(value)
        if not value.isprintable():
            value = clean(self._ctx, value, field.path, f"StudyParameter[@OID='PAR.{short_name}']")
        if field.is_date:
            # A text that is no date is noted, and stays as the registry's words.
            checked_date(self._ctx, value, field.path, f"StudyParameter[@OID='PAR.{short_name}']")
        code = self._codings.get(field.path)
        codings = code(value) if code is not None else ()
        self._parameters.append(parameter(short_name, field.path, value, codings))


def _words(value: Any) -> str:
    """Return a value as the registry's JSON writes it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)


@cache
def _plan(contacts: bool) -> _Plan:
    """Return the plan for a study, with or without the details of contacts."""
    info = type_info(Study)
    if not isinstance(info, StructType):
        raise TypeError("a study is a struct")
    left_out = HOMES if contacts else HOMES | _CONTACT_DETAILS
    return _struct_plan(info, "", left_out)


def _struct_plan(info: StructType, path: str, left_out: frozenset[str]) -> _Plan:
    names = []
    fields = []
    for field in info.fields:
        below = f"{path}.{field.encode_name}" if path else field.encode_name
        made = _field(_without_none(field.type), field.encode_name, below, left_out)
        if made is not None:
            names.append(field.name)
            fields.append(made)
    # With a single name attrgetter returns no tuple; the second one stands beside no field.
    fetch = attrgetter(*names) if len(names) > 1 else attrgetter(*(names * 2)) if names else _nothing
    return _Plan(fetch, tuple(fields))


def _field(kind: Any, name: str, path: str, left_out: frozenset[str]) -> _Field | None:
    """Return how to carry a field, or None when nothing of it is to be carried."""
    if isinstance(kind, ListType):
        path += "[]"
        item = _without_none(kind.item_type)
        if isinstance(item, StructType):
            plan = _struct_plan(item, path, left_out)
            return _Field(Carrier.objects, name, path, plan, False, False) if plan.fields else None
        return None if path in left_out else _leaf(Carrier.values, name, path)
    if isinstance(kind, StructType):
        plan = _struct_plan(kind, path, left_out)
        return _Field(Carrier.object, _prefix(name, path), path, plan, False, False) if plan.fields else None
    if isinstance(kind, msgspec.inspect.RawType):
        return None
    return None if path in left_out else _leaf(Carrier.value, name, path)


def _leaf(kind: Callable[[Carrier, Any, _Field, str], None], name: str, path: str) -> _Field:
    is_date = name == "date" or (name.endswith("Date") and name != "uploadDate")
    return _Field(kind, name, path, None, path in _MARKUP, is_date)


def _prefix(name: str, path: str) -> str:
    if path in _PREFIXES:
        return _PREFIXES[path]
    return "" if name.endswith(_WRAPPERS) else name + "."


def _without_none(kind: Any) -> Any:
    """Return the one type of a union beside None."""
    if isinstance(kind, msgspec.inspect.UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType))
    return kind


def _nothing(_: Any) -> tuple[Any, ...]:
    return ()
