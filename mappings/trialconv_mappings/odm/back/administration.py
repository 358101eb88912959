"""AdminData read back: organisations, persons and sites."""

from __future__ import annotations

from typing import Final

from trialconv.odm_tree import Node
from trialconv_mappings.back import words
from trialconv_mappings.odm.back.elements import position, show_name
from trialconv_mappings.odm.back.named import Named, number_of
from trialconv_mappings.odm.back.said import Said, Way, by_table

_SPONSORS: Final = "protocolSection.sponsorCollaboratorsModule."
_PLACES: Final = "protocolSection.contactsLocationsModule."
_PEOPLE: Final = {
    "OFF": "overallOfficials[{}].",
    "CEN": "centralContacts[{}].",
    "LOC": "locations[{}].contacts[{}].",
}
_FIELDS: Final = {"FullName": "name", "Organization": "affiliation", "Email": "email", "Phone": "phone"}
_PARTS: Final = (("City", "city"), ("StateProv", "state"), ("PostalCode", "zip"), ("OtherText", "country"))
_PLACE: Final = "AdminData/"


def read_administration(data: Named, said: Said) -> None:
    """Read the organisations, the persons and the sites of a study."""
    # Plain text stands in a User's Organization of ODM 1.3.2, which has the same name and no attributes.
    organizations = [node for node in data.all("Organization") if node.attributes]
    names = {node.attributes.get("OID", ""): node.attributes.get("Name", "") for node in organizations}
    for node in organizations:
        _organization(node, said)
    for user in data.all("User"):
        _, *parts = user.attributes.get("OID", "").split(".")
        kind, numbers = (parts[0], parts[1:]) if parts else ("", [])
        path = _PEOPLE.get(kind)
        positions = [number for each in numbers if (number := number_of(each)) is not None]
        if path is None or path.count("{}") != len(positions) or len(positions) != len(numbers):
            message = "a person of whom the document does not say what he or she is to the study"
            said.notes.note("not-understood", message, _PLACE + "User")
            continue
        _person(user, _PLACES + path.format(*positions), names, said)
    for number, location in enumerate(data.all("Location"), 1):
        kind = location.attributes.get("Role") or location.attributes.get("LocationType") or "Site"
        if kind == "Site":
            _site(location, position(location, "LOC.", number), said)
        else:
            said.notes.note("not-understood", f"a location of the kind {kind[:80]!r}", _PLACE + "Location")


def _organization(node: Node, said: Said) -> None:
    oid, name = node.attributes.get("OID", ""), node.attributes.get("Name")
    place = _PLACE + "Organization/@Name"
    if node.attributes.get("Type") == "Sponsor":
        said.show(_SPONSORS + "leadSponsor.name", name, place)
    elif oid.startswith("ORG.COLL."):
        said.show(f"{_SPONSORS}collaborators[{position(node, 'ORG.COLL.', 1)}].name", name, place)
    elif not oid.startswith("ORG.AFF."):
        said.notes.note("not-understood", f"the organisation {(name or '')[:80]!r}", _PLACE + "Organization")


def _person(user: Node, path: str, names: dict[str, str], said: Said) -> None:
    said.show(path + "affiliation", names.get(user.attributes.get("OrganizationOID", "")), _PLACE + "Organization")
    for child in user.elements:
        place = f"{_PLACE}User/{child.name}"
        if child.name in _FIELDS:
            said.show(path + _FIELDS[child.name], child.text, place)
        elif child.name == "Telecom" and (kind := child.attributes.get("TelecomType")) in ("Email", "Phone"):
            said.show(path + kind.lower(), child.attributes.get("Value"), place)
    said.show(
        path + "role", user.attributes.get("UserType"), _PLACE + "User/@UserType", by_table("cdisc_odm_user_type")
    )


def _site(location: Node, number: int, said: Said) -> None:
    path = f"{_PLACES}locations[{number}]."
    parts = {part.name: part for address in location.find_all("Address") for part in address.elements}
    places = {field: said.own[path + field] for field in ("city", "state", "country") if path + field in said.own}
    for part, field in _PARTS:
        if part in parts:
            places[field] = parts[part].text
            said.show(path + field, parts[part].text, f"{_PLACE}Location/Address/{part}")
    if "Country" in parts:
        _country(path + "country", parts["Country"].text, places.get("country"), said)
    place = ", ".join(places[field] for field in ("city", "state", "country") if places.get(field))
    name = location.attributes.get("Name")
    show_name(said, path + "facility", name, place or f"Site {number}", _PLACE + "Location/@Name")
    for field, attribute in (("lat", "Latitude"), ("lon", "Longitude")):
        if "GeoPosition" in parts:
            value = parts["GeoPosition"].attributes.get(attribute)
            said.show(f"{path}geoPoint.{field}", value, f"{_PLACE}Location/Address/GeoPosition")


def _country(path: str, code: str, name: str | None, said: Said) -> None:
    """Read a country by its code; the name beside it tells which of its names the registry uses."""
    known = words("countries")
    if name is not None:
        # The name is what stands beside the code, and is used as long as it says the same country.
        said.add_own(path, name)
    said.show(path, code, _PLACE + "Location/Address/Country", Way(_says_country, known.with_code))


def _says_country(code: str, name: str) -> bool:
    return name in words("countries").with_code(code)
