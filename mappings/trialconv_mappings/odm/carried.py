"""The registry's own parameters: every field that has no ODM element of its own, one value each.

The fields are found from the record's types, so that a field which the record learns is carried at once. What
has a home elsewhere is listed here by its path and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

from msgspec.inspect import ListType, NoneType, RawType, StructType, UnionType, type_info

from trialconv.context import Context
from trialconv.lineage import checked_date, plain
from trialconv.odm_tree import Node
from trialconv.record import Study
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.markup import MARKUP

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
    """How to carry a field: as a value, a list of values, or a list of objects that have a plan."""

    kind: Callable[[Carrier, Any, _Field, str], None]
    short: str
    path: str
    plan: _Plan | None
    markup: bool
    is_date: bool


class _Plan(NamedTuple):
    """The fields of a struct that are carried, with those of the objects inside it, and how to fetch them."""

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
        self._append = parameters.append
        self._codings = codings

    def carry(self, study: Study) -> None:
        """Add a parameter for every value that has no home elsewhere, in the registry's order."""
        self._object(study, _plan(self._ctx.options.contacts), "CTG.")

    def value(self, value: Any, field: _Field, prefix: str) -> None:
        """Add the parameter of one value."""
        self._add(value if isinstance(value, str) else _words(value), field, prefix + field.short)

    def values(self, items: list[Any], field: _Field, prefix: str) -> None:
        """Add one parameter per value of a list."""
        for position, item in enumerate(items, 1):
            self._add(item if isinstance(item, str) else _words(item), field, f"{prefix}{field.short}.{position}")

    def objects(self, items: list[Any], field: _Field, prefix: str) -> None:
        """Add the parameters of every object of a list."""
        if field.plan is not None:
            for position, item in enumerate(items, 1):
                self._object(item, field.plan, f"{prefix}{field.short}.{position}.")

    def _object(self, struct: Any, plan: _Plan, prefix: str) -> None:
        for value, field in zip(plan.fetch(struct), plan.fields, strict=False):
            if value is None or (not value and isinstance(value, list)):
                continue
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
        self._append(parameter(short_name, field.path, value, codings))


def _words(value: Any) -> str:
    """Return a truth value or a number as the registry's JSON writes it."""
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
    found = list(_fields(info, path, "", "", left_out))
    names = [name for name, _ in found]
    # With a single name attrgetter returns no tuple; the second one stands beside no field.
    fetch = attrgetter(*names) if len(names) > 1 else attrgetter(*(names * 2)) if names else _nothing
    return _Plan(fetch, tuple(field for _, field in found))


def _fields(
    info: StructType, path: str, short: str, attribute: str, left_out: frozenset[str]
) -> Iterator[tuple[str, _Field]]:
    """Yield the fields of a struct and of the objects inside it, each with the attributes that lead to it."""
    for field in info.fields:
        below = f"{path}.{field.encode_name}" if path else field.encode_name
        name = attribute + field.name
        kind = _without_none(field.type)
        if isinstance(kind, StructType):
            prefix = short + _prefix(field.encode_name, below)
            yield from _fields(kind, below, prefix, name + ".", left_out)
        elif isinstance(kind, ListType):
            made = _list_field(kind, short + field.encode_name, below + "[]", left_out)
            if made is not None:
                yield name, made
        elif not isinstance(kind, RawType) and below not in left_out:
            yield name, _leaf(Carrier.value, short + field.encode_name, below)


def _list_field(kind: ListType, short: str, path: str, left_out: frozenset[str]) -> _Field | None:
    """Return how to carry a list, or None when nothing of it is to be carried."""
    item = _without_none(kind.item_type)
    if isinstance(item, StructType):
        plan = _struct_plan(item, path, left_out)
        return _Field(Carrier.objects, short, path, plan, False, False) if plan.fields else None
    return None if path in left_out else _leaf(Carrier.values, short, path)


def _leaf(kind: Callable[[Carrier, Any, _Field, str], None], short: str, path: str) -> _Field:
    name = path.rpartition(".")[2]
    is_date = name == "date" or (name.endswith("Date") and name != "uploadDate")
    return _Field(kind, short, path, None, path in MARKUP, is_date)


def _prefix(name: str, path: str) -> str:
    if path in _PREFIXES:
        return _PREFIXES[path]
    return "" if name.endswith(_WRAPPERS) else name + "."


def _without_none(kind: Any) -> Any:
    """Return the one type of a union beside None."""
    if isinstance(kind, UnionType):
        (kind,) = (each for each in kind.types if not isinstance(each, NoneType))
    return kind


def _nothing(_: Any) -> tuple[Any, ...]:
    return ()
