"""The way back: a study rebuilt from its ODM document, to show that nothing was lost on the way there.

It knows the rules of the names and the homes, and nothing of the mapping's code.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from msgspec import inspect

from made_up import typed_leaves
from trialconv.odm_tree import Node

Found = Iterator[tuple[str, str]]

_P = "protocolSection."
#: Official parameters that hold a field of their own; `{}` is the position in the registry's list.
_OFFICIAL = {
    "TITLE": "identificationModule.officialTitle",
    "SPREFID": "identificationModule.orgStudyIdInfo.id",
    "SPONSOR": "sponsorCollaboratorsModule.leadSponsor.name",
    "SSTDTC": "statusModule.startDateStruct.date",
    "SENDTC": "statusModule.completionDateStruct.date",
    "EXPASTAT": "statusModule.expandedAccessInfo.statusForNctId",
    "EXPARECN": "statusModule.expandedAccessInfo.nctId",
    "DMCIND": "oversightModule.oversightHasDmc",
    "FDADRIND": "oversightModule.isFdaRegulatedDrug",
    "FDADEIND": "oversightModule.isFdaRegulatedDevice",
    "HLTSUBJI": "eligibilityModule.healthyVolunteers",
    "OBSTPOPD": "eligibilityModule.studyPopulation",
    "RTSPCDES": "designModule.bioSpec.description",
    "INDIC": "conditionsModule.conditions[{}]",
    "KEYWORD": "conditionsModule.keywords[{}]",
    "PUBMEDID": "referencesModule.references[{}].pmid",
    "CITNSTDY": "referencesModule.references[{}].citation",
    "URLSTDY": "referencesModule.seeAlsoLinks[{}].url",
    "URLSTDYD": "referencesModule.seeAlsoLinks[{}].label",
}
_WORDS = {"Y": "true", "N": "false"}
_OUTCOMES = {"PRI": "primaryOutcomes", "SEC": "secondaryOutcomes", "OTH": "otherOutcomes"}
_OUTCOME_PARAMETERS = {"OUTMSPRI": "primaryOutcomes", "OUTMSSEC": "secondaryOutcomes", "OUTMSADD": "otherOutcomes"}
_ARMS = _P + "armsInterventionsModule."
_PLACES = _P + "contactsLocationsModule."


def rebuilt(root: Node) -> dict[str, Any]:
    """Return the study of an ODM 2.0 document, or of an ODM 1.3.2 document with SDM-XML, without results."""
    own, exact = {}, {}
    for name, term, value in _parameters(root):
        if not name.startswith("CTG.") or term.startswith("extras") or name.split(".")[-2] == "interventionOIDs":
            continue
        path = _placed(term, name)
        if name.endswith(".base64"):
            exact[path] = base64.b64decode(value).decode("utf-8", "surrogatepass")
        elif name.endswith(".markup"):
            exact.setdefault(path, value)
        else:
            own[path] = value
    values = {path: value for path, value in _homes(root, own) if path not in own}
    tree: dict[str, Any] = {}
    for path, value in {**values, **own, **exact}.items():
        kind = _kinds()[re.sub(r"\[\d+\]", "[]", path)]
        _put(tree, path, _typed(kind, value))
    return _compact(tree)


def _parameters(root: Node) -> Iterator[tuple[str, str, str]]:
    for name in ("StudyParameter", "sdm:Parameter"):
        for parameter in root.find_all(name):
            holder = parameter.elements[0]
            value = holder.attributes["Value"] if name == "StudyParameter" else holder.text
            yield parameter.attributes["ShortName"], parameter.attributes["Term"], value


def _placed(term: str, name: str) -> str:
    """Return the path of a field with its positions."""
    positions = iter(step for step in name.split(".") if step.isdecimal())
    return re.sub(r"\[\]", lambda _: f"[{next(positions)}]", term)


def _homes(root: Node, own: dict[str, str]) -> Found:
    """Yield the fields that stand in official parameters and in elements."""
    for parameter in (*root.find_all("StudyParameter"), *root.find_all("sdm:Parameter")):
        name = parameter.attributes["ShortName"]
        holder = parameter.elements[0]
        value = holder.attributes.get("Value", holder.text)
        position = parameter.attributes["OID"].rpartition(".")[2]
        if name in _OFFICIAL:
            yield _P + _OFFICIAL[name].format(position), value
        elif name in _OUTCOME_PARAMETERS:
            yield f"{_P}outcomesModule.{_OUTCOME_PARAMETERS[name]}[{position}].measure", value
    yield from _texts(root)
    yield from _design(root, own)
    yield from _people(root, own)


def _texts(root: Node) -> Found:
    ids = _P + "identificationModule."
    for alias in root.find_all("Alias"):
        context, name = alias.attributes["Context"], alias.attributes["Name"]
        kind, *rest = context.split(":")
        if kind == "secondaryId":
            yield f"{ids}secondaryIdInfos[{rest[0]}].id", name
        elif rest:
            yield f"{ids}nctIdAliases[{rest[1]}]", name
        else:
            yield ids + "nctId", name
    for study in root.find_all("Study"):
        for text in study.elements:
            if text.name == "Description":
                yield _P + "descriptionModule.briefSummary", _words(text)
    for text in root.find_all("StudyDescription"):
        if text.text:
            yield _P + "descriptionModule.briefSummary", text.text
    for protocol in root.find_all("Protocol"):
        for text in protocol.elements:
            if text.name == "Description":
                yield _P + "descriptionModule.detailedDescription", _words(text)


def _design(root: Node, own: dict[str, str]) -> Found:
    for arm in (*root.find_all("Arm"), *root.find_all("sdm:Arm")):
        number = arm.attributes["OID"].split(".")[1]
        if arm.attributes["Name"] != f"Arm {number}":
            yield f"{_ARMS}armGroups[{number}].label", arm.attributes["Name"]
        for text in arm.elements:
            yield f"{_ARMS}armGroups[{number}].description", _words(text)
    for intervention in root.find_all("StudyIntervention"):
        number = intervention.attributes["OID"].split(".")[1]
        name = own.get(f"{_ARMS}interventions[{number}].name", "")
        text = _words(intervention.elements[0])
        words = text[len(name) + 2 :] if name else text
        if words:
            yield f"{_ARMS}interventions[{number}].description", words
    for point in root.find_all("StudyEndPoint"):
        _, kind, number = point.attributes["OID"].split(".")
        text = _words(point.elements[0])
        if text != point.attributes["Name"]:
            yield f"{_P}outcomesModule.{_OUTCOMES[kind]}[{number}].description", text


def _people(root: Node, own: dict[str, str]) -> Found:
    # Plain text stands in a User's Organization of ODM 1.3.2, which has the same name and no attributes.
    names = {
        each.attributes["OID"]: each.attributes["Name"]
        for each in root.find_all("Organization")
        if each.attributes
    }
    for oid, name in names.items():
        if oid.startswith("ORG.COLL."):
            yield f"{_P}sponsorCollaboratorsModule.collaborators[{oid.rpartition('.')[2]}].name", name
    for user in root.find_all("User"):
        _, kind, *numbers = user.attributes["OID"].split(".")
        path = {
            "OFF": "overallOfficials[{}].",
            "CEN": "centralContacts[{}].",
            "LOC": "locations[{}].contacts[{}].",
        }[kind]
        yield from _person(user, _PLACES + path.format(*numbers), names)
    for location in root.find_all("Location"):
        yield from _site(location, own)


def _person(user: Node, path: str, names: dict[str, str]) -> Found:
    if "OrganizationOID" in user.attributes:
        yield path + "affiliation", names[user.attributes["OrganizationOID"]]
    fields = {"FullName": "name", "Organization": "affiliation", "Email": "email", "Phone": "phone"}
    for child in user.elements:
        if child.name in fields:
            yield path + fields[child.name], child.text
        elif child.name == "Telecom":
            yield path + child.attributes["TelecomType"].lower(), child.attributes["Value"]


def _site(location: Node, own: dict[str, str]) -> Found:
    number = location.attributes["OID"].split(".")[1]
    path = f"{_PLACES}locations[{number}]."
    parts = {part.name: part for address in location.find_all("Address") for part in address.elements}
    places = {field: own[path + field] for field in ("city", "state", "country") if path + field in own}
    for name, field in (("City", "city"), ("StateProv", "state"), ("PostalCode", "zip"), ("OtherText", "country")):
        if name in parts:
            places[field] = parts[name].text
            yield path + field, parts[name].text
    place = ", ".join(places[field] for field in ("city", "state", "country") if places.get(field))
    if location.attributes["Name"] != (place or f"Site {number}"):
        yield path + "facility", location.attributes["Name"]
    for field, name in (("lat", "Latitude"), ("lon", "Longitude")):
        if "GeoPosition" in parts and name in parts["GeoPosition"].attributes:
            yield f"{path}geoPoint.{field}", parts["GeoPosition"].attributes[name]


def _words(description: Node) -> str:
    return "".join(text.text for text in description.find_all("TranslatedText"))


@cache
def _kinds() -> dict[str, Any]:
    return dict(typed_leaves())


def _typed(kind: Any, value: str) -> Any:
    if isinstance(kind, inspect.BoolType):
        return _WORDS.get(value, value) == "true"
    if isinstance(kind, inspect.IntType):
        return int(value)
    return float(value) if isinstance(kind, inspect.FloatType) else value


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set a value, with lists as objects from position to member."""
    *steps, last = re.sub(r"\[(\d+)\]", r".\1", path).split(".")
    for step in steps:
        tree = tree.setdefault(step, {})
    tree[last] = value


def _compact(tree: Any) -> Any:
    """Return the tree with lists in the place of objects from position to member."""
    if not isinstance(tree, dict):
        return tree
    if tree and all(key.isdecimal() for key in tree):
        return [_compact(tree.get(str(position), {})) for position in range(1, max(map(int, tree)) + 1)]
    return {key: _compact(value) for key, value in tree.items()}
