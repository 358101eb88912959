"""Sponsors, officials, contacts and sites, read back from a study and the resources that it refers to."""

from __future__ import annotations

from typing import Any, Final

from trialconv_mappings.fhir.back.bundles import Resources, exact, first, named, put, texts, value_of, without_none
from trialconv_mappings.fhir.parties import REGISTRANT, RESPONSIBLE
from trialconv_mappings.fhir.parts import Element

_P = "protocolSection."
_SPONSORS = f"{_P}sponsorCollaboratorsModule."
_CONTACTS = f"{_P}contactsLocationsModule."
_NO_ROLE: Final = "not stated"


def read_parties(study: Element, resources: Resources, tree: dict[str, Any]) -> None:
    """Put sponsors, officials, the responsible party and central contacts into the tree."""
    if "sponsor" in study:
        sponsor = resources.at(study["sponsor"])
        kinds = list(texts(sponsor.get("type", [])))
        put(tree, _SPONSORS + "leadSponsor.name", sponsor.get("name"))
        put(tree, _SPONSORS + "leadSponsor.class", kinds[0] if kinds else None)
    for party in study.get("associatedParty", ()):
        _party(party, resources, tree)
    for contact in study.get("contact", ()):
        role = first(contact, "contact-role") or {}
        name = exact(contact, "name")
        put(tree, _CONTACTS + "centralContacts[]", _contact(name, role.get("text"), contact.get("telecom", [])))


def _party(party: Element, resources: Resources, tree: dict[str, Any]) -> None:
    role = exact(party.get("role", {}), "text")
    kinds = list(texts(party.get("classifier", [])))
    behind = resources.at(party.get("party"))
    if behind.get("resourceType") == "Organization" or role in ("LEAD_SPONSOR", "COLLABORATOR", REGISTRANT):
        name, class_ = behind.get("name") or party.get("name"), kinds[0] if kinds else None
        if role == "LEAD_SPONSOR":
            put(tree, _SPONSORS + "leadSponsor.name", name)
            put(tree, _SPONSORS + "leadSponsor.class", class_)
        elif role == REGISTRANT:
            put(tree, f"{_P}identificationModule.organization.fullName", name)
            put(tree, f"{_P}identificationModule.organization.class", class_)
        else:
            put(tree, _SPONSORS + "collaborators[]", without_none(**{"name": name, "class": class_}))
        return
    stated = None if role == _NO_ROLE else role
    if "contact" in behind:
        (detail,) = behind["contact"][:1]
        put(tree, _CONTACTS + "centralContacts[]", _detail(detail, stated))
        return
    name = next(iter(texts(resources.at(behind.get("practitioner")).get("name", []))), None)
    affiliation = resources.at(behind.get("organization")).get("name")
    if RESPONSIBLE in kinds:
        titles = [text for text in texts(behind.get("code", [])) if text != stated]
        put(tree, _SPONSORS + "responsibleParty.investigatorFullName", name)
        put(tree, _SPONSORS + "responsibleParty.investigatorTitle", titles[0] if titles else None)
        put(tree, _SPONSORS + "responsibleParty.investigatorAffiliation", affiliation)
    else:
        put(tree, _CONTACTS + "overallOfficials[]", without_none(name=name, affiliation=affiliation, role=stated))


def _detail(detail: Element, role: str | None) -> dict[str, Any]:
    """Read an ExtendedContactDetail."""
    name = next(iter(texts(detail.get("name", []))), None)
    return _contact(name, role, detail.get("telecom", []))


def _contact(name: str | None, role: str | None, points: list[Element]) -> dict[str, Any]:
    found: dict[str, Any] = without_none(name=name, role=role)
    for point in points:
        if point.get("system") == "phone":
            put(found, "phone", exact(point, "value"))
            for holder in (point, point.get("_value", {})):
                put(found, "phoneExt", first(holder, "contactpoint-extension"))
        elif point.get("system") == "email":
            put(found, "email", exact(point, "value"))
    return found


def read_sites(study: Element, resources: Resources, tree: dict[str, Any]) -> None:
    """Put the sites into the tree, in the order in which the study refers to them."""
    for reference in study.get("site", ()):
        location = resources.at(reference)
        if location.get("resourceType") != "Location":
            continue
        address = location.get("address", {})
        made = without_none(
            facility=exact(location, "name"),
            status=(first(location, "site-recruitment-status") or {}).get("text"),
            city=exact(address, "city"),
            state=exact(address, "state"),
            zip=exact(address, "postalCode"),
            country=exact(address, "country"),
            contacts=_site_contacts(location),
        )
        point = _position(location)
        if point:
            made["geoPoint"] = point
        put(tree, _CONTACTS + "locations[]", made)


def _site_contacts(location: Element) -> list[dict[str, Any]]:
    found = [_detail(detail, exact(detail.get("purpose", {}), "text")) for detail in location.get("contact", ())]
    for extension in named(location, "extension-Location.contact"):
        detail: Element = {}
        for part in extension["extension"]:
            if part["url"] == "purpose":
                detail["purpose"] = value_of(part)
            else:
                detail.setdefault(part["url"], []).append(value_of(part))
        found.append(_detail(detail, exact(detail.get("purpose", {}), "text")))
    return found


def _position(location: Element) -> dict[str, Any]:
    position = dict(location.get("position", {}))
    for half in named(location, "incomplete-position"):
        position = {part["url"]: value_of(part) for part in half["extension"]}
    return without_none(lat=position.get("latitude"), lon=position.get("longitude"))
