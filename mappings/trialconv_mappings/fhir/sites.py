"""Study sites: one Location each, with its address, position, recruitment status and contacts."""

from __future__ import annotations

from typing import Final

from trialconv.context import Context
from trialconv.record.protocol import Contact, GeoPoint, Location
from trialconv_mappings.fhir.parties import ROLES
from trialconv_mappings.fhir.parts import Element, Ids, concept, extension, nested_extension, telecom
from trialconv_mappings.fhir.terms import DATATYPE, HALF_POSITION, IN_R4, SITE_STATUS
from trialconv_mappings.fhir.versions import PROGRESS_STATUSES

_LOCATIONS = "protocolSection.contactsLocationsModule.locations"
# The published definition of the extension demands the name of the R5 type.
_EXTENDED_CONTACT: Final = {"url": DATATYPE, "valueString": "ExtendedContactDetail"}
_CONTACT_IN_R4 = IN_R4 + "Location.contact"


def sites(ctx: Context, ids: Ids) -> list[Element]:
    """Return a Location for each of the study's locations, in the registry's order."""
    locations = ctx.record.study.protocol_section.contacts_locations_module.locations
    return [_site(ctx, ids, position, location) for position, location in enumerate(locations)]


def _site(ctx: Context, ids: Ids, position: int, site: Location) -> Element:
    facility, city, state, country = site.facility, site.city, site.state, site.country
    id_ = ids.derive(
        "site",
        f"{facility}|{city}|{state}|{site.zip}|{country}",
        facility,
        city,
        state,
        site.zip,
        country,
    )
    made: Element = {"resourceType": "Location", "id": id_}
    extensions: list[Element] = []
    if site.status:
        source, target = f"{_LOCATIONS}[{position}].status", "Location.extension(site-recruitment-status)"
        status = concept(ctx, PROGRESS_STATUSES[ctx.options.fhir_version], site.status, source, target)
        extensions.append({"url": ctx.options.base + SITE_STATUS, "valueCodeableConcept": status})
    contacts = _contacts(ctx, position, site.contacts) if site.contacts else []
    if contacts and ctx.options.fhir_version != "R5":
        extensions.extend(_contact_in_r4(contact) for contact in contacts)
    if extensions:
        made["extension"] = extensions
    if facility:
        made["name"] = facility
    if contacts and ctx.options.fhir_version == "R5":
        made["contact"] = contacts
    if not country:
        ctx.note(
            "location-without-country", "the site has no country", f"{_LOCATIONS}[{position}]", "Location.address"
        )
    if address := _address(city, state, site.zip, country):
        made["address"] = address
    point = site.geo_point
    if point.lat is not None and point.lon is not None:
        made["position"] = {"longitude": point.lon, "latitude": point.lat}
    elif point.lat is not None or point.lon is not None:
        made.setdefault("extension", []).append(_half_position(ctx, point))
    return made


def _address(city: str | None, state: str | None, code: str | None, country: str | None) -> Element:
    made: Element = {}
    if city:
        made["city"] = city
    if state:
        made["state"] = state
    if code:
        made["postalCode"] = code
    if country:
        made["country"] = country
    return made


def _half_position(ctx: Context, point: GeoPoint) -> Element:
    """Return half a position as an extension: `Location.position` needs both its numbers."""
    said = (("longitude", point.lon), ("latitude", point.lat))
    parts = [extension(name, valueDecimal=value) for name, value in said if value is not None]
    return nested_extension(ctx.options.base + HALF_POSITION, parts)


def _contacts(ctx: Context, position: int, contacts: list[Contact]) -> list[Element]:
    """Return the ExtendedContactDetails of a site's contacts."""
    if not ctx.options.contacts:
        return []
    details = []
    for number, contact in enumerate(contacts):
        detail: Element = {}
        if contact.role:
            source = f"{_LOCATIONS}[{position}].contacts[{number}].role"
            detail["purpose"] = concept(ctx, ROLES, contact.role, source, "Location.contact.purpose")
        if contact.name:
            detail["name"] = [{"text": contact.name}]
        if points := telecom(contact):
            detail["telecom"] = points
        if detail:
            details.append(detail)
    return details


def _contact_in_r4(contact: Element) -> Element:
    """Return an R5 Location.contact as the official R4 extension for it."""
    parts: list[Element] = [_EXTENDED_CONTACT]
    if "purpose" in contact:
        parts.append({"url": "purpose", "valueCodeableConcept": contact["purpose"]})
    if "name" in contact:
        parts += [{"url": "name", "valueHumanName": name} for name in contact["name"]]
    if "telecom" in contact:
        parts += [{"url": "telecom", "valueContactPoint": point} for point in contact["telecom"]]
    return {"url": _CONTACT_IN_R4, "extension": parts}
