"""AdminData: the persons, organisations and places that the registry names."""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import code, derived, join, looked_up
from trialconv.odm_tree import Node, decimal_text
from trialconv.record.protocol import Contact, ContactsLocationsModule, GeoPoint, Location, Official
from trialconv_mappings.cdisc.text import clean
from trialconv_mappings.odm.parameters import Parameters
from trialconv_mappings.tables import table

_PATH: Final = "protocolSection.contactsLocationsModule."


class Identity(NamedTuple):
    """The OIDs that other elements of the document refer to, and the day from which they hold."""

    study: str
    metadata_version: str
    effective_date: str


def admin_data(ctx: Context, identity: Identity, parameters: Parameters) -> list[Node]:
    """Return the `AdminData` of a record, if there is anything to hold."""
    module = ctx.record.study.protocol_section.contacts_locations_module
    organizations = _Organizations(ctx) if ctx.options.odm_version == "2.0" else None
    reference = _metadata_reference(identity)
    locations = [
        _location(parameters, place, reference, position) for position, place in enumerate(module.locations, 1)
    ]
    children = [
        *_users(ctx, module, organizations),
        *(organizations.nodes if organizations else ()),
        *locations,
    ]
    if not children:
        return []
    if locations:
        ctx.note("filled-in", identity.effective_date, target_path="Location/MetaDataVersionRef/@EffectiveDate")
    return [Node("AdminData", {"StudyOID": identity.study}, children)]


class _Organizations:
    """The organisations so far: the sponsor, its collaborators, and those that officials belong to (ODM 2.0)."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.nodes: list[Node] = []
        self._by_name: dict[str, str] = {}
        self._affiliations = 0
        module = ctx.record.study.protocol_section.sponsor_collaborators_module
        path = "protocolSection.sponsorCollaboratorsModule."
        if sponsor := module.lead_sponsor.name:
            self._add("ORG.SPONSOR", sponsor, "Sponsor", "Lead sponsor", path + "leadSponsor.name")
        for position, collaborator in enumerate(module.collaborators, 1):
            if collaborator.name:
                oid = f"ORG.COLL.{position}"
                self._add(oid, collaborator.name, "Other", "Collaborator", path + "collaborators[].name")

    def affiliation(self, name: str) -> str:
        """Return the OID of the organisation with exactly this name, a new one if need be."""
        known = self._by_name.get(name)
        if known is not None:
            return derived(known, name)
        self._affiliations += 1
        oid = f"ORG.AFF.{self._affiliations}"
        return self._add(oid, name, "Other", "Affiliation", _PATH + "overallOfficials[].affiliation")

    def _add(self, oid: str, name: str, kind: str, role: str, source: str) -> str:
        cleaned = clean(self._ctx, name, source, f"Organization[@OID='{oid}']/@Name")
        self.nodes.append(Node("Organization", {"OID": oid, "Name": cleaned, "Role": role, "Type": kind}))
        self._by_name.setdefault(name, oid)
        return oid


def _users(ctx: Context, module: ContactsLocationsModule, organizations: _Organizations | None) -> list[Node]:
    users = [
        _official(ctx, official, f"USR.OFF.{position}", organizations)
        for position, official in enumerate(module.overall_officials, 1)
    ]
    site_contacts = [
        (contact, f"USR.LOC.{place}.{position}", f"LOC.{place}")
        for place, location in enumerate(module.locations, 1)
        for position, contact in enumerate(location.contacts, 1)
    ]
    if not ctx.options.contacts:
        count = len(module.central_contacts) + len(site_contacts)
        if count:
            ctx.note("withheld-contact", f"{count} contacts were left out", _PATH + "centralContacts", "User")
        return users
    users += [
        _contact(ctx, contact, f"USR.CEN.{position}", _PATH + "centralContacts[].")
        for position, contact in enumerate(module.central_contacts, 1)
    ]
    source = _PATH + "locations[].contacts[]."
    users += [_contact(ctx, contact, oid, source, location) for contact, oid, location in site_contacts]
    return users


def _user_type(ctx: Context, role: str | None, source: str, oid: str) -> dict[str, str]:
    """Return the attribute `UserType` for the roles that ODM has a type for."""
    if not role:
        return {}
    rows = code(ctx, table("cdisc_odm_user_type"), role, source, f"User[@OID='{oid}']/@UserType")
    if ctx.options.odm_plain:
        ctx.note("field-not-mapped", f"not in this document: the word {role!r} itself", source)
    return {"UserType": rows[0].code} if rows else {}


def _official(ctx: Context, official: Official, oid: str, organizations: _Organizations | None) -> Node:
    path = _PATH + "overallOfficials[]."
    target = f"User[@OID='{oid}']"
    attributes = {"OID": oid, **_user_type(ctx, official.role, path + "role", oid)}
    children = []
    if official.name:
        children.append(Node("FullName", {}, (clean(ctx, official.name, path + "name", target + "/FullName"),)))
    if official.affiliation:
        if organizations is not None:
            attributes["OrganizationOID"] = organizations.affiliation(official.affiliation)
        else:
            name = clean(ctx, official.affiliation, path + "affiliation", target + "/Organization")
            children.append(Node("Organization", {}, (name,)))
    return Node("User", attributes, children)


def _contact(ctx: Context, contact: Contact, oid: str, path: str, location: str | None = None) -> Node:
    """Return a contact; `location` is the OID of the site it belongs to."""
    is_v2 = ctx.options.odm_version == "2.0"
    target = f"User[@OID='{oid}']"
    attributes = {"OID": oid, **_user_type(ctx, contact.role, path + "role", oid)}
    children = []
    if contact.name:
        children.append(Node("FullName", {}, (clean(ctx, contact.name, path + "name", target + "/FullName"),)))
    for kind, value, field in (("Email", contact.email, "email"), ("Phone", contact.phone, "phone")):
        if value:
            cleaned = clean(ctx, value, path + field, f"{target}/{kind}")
            telecom = Node("Telecom", {"TelecomType": kind, "Value": cleaned})
            children.append(telecom if is_v2 else Node(kind, {}, (cleaned,)))
    if location is not None:
        if is_v2:
            attributes["LocationOID"] = location
        else:
            children.append(Node("LocationRef", {"LocationOID": location}))
    return Node("User", attributes, children)


def _metadata_reference(identity: Identity) -> Node:
    """Return the reference that every site has to the metadata version it works by."""
    attributes = {
        "StudyOID": identity.study,
        "MetaDataVersionOID": identity.metadata_version,
        "EffectiveDate": identity.effective_date,
    }
    return Node("MetaDataVersionRef", attributes, shared={})


def _location(parameters: Parameters, location: Location, reference: Node, position: int) -> Node:
    ctx = parameters.ctx
    oid = f"LOC.{position}"
    target = f"Location[@OID='{oid}']"
    attributes = {"OID": oid, "Name": _location_name(parameters, location, position, target)}
    if ctx.options.odm_version != "2.0":
        return Node("Location", {**attributes, "LocationType": "Site"}, (reference,))
    address = _address(ctx, location, target)
    attributes["Role"] = "Site"
    return Node("Location", attributes, (reference, address) if address.children else (reference,))


def _location_name(parameters: Parameters, location: Location, position: int, target: str) -> str:
    """Return the facility; ODM demands a name, so that a site without one is named by its place."""
    facility = location.facility
    place = join(", ", [part for part in (location.city, location.state, location.country) if part])
    otherwise = place or f"Site {position}"
    if facility and facility != otherwise and facility.isprintable():
        return facility
    short_name = f"CTG.locations.{position}.facility"
    return clean(
        parameters.ctx,
        parameters.name(facility, otherwise, _PATH + "locations[].facility", short_name, target + "/@Name"),
        _PATH + "locations[].city",
        target + "/@Name",
    )


def _address(ctx: Context, location: Location, target: str) -> Node:
    path = _PATH + "locations[]."
    country = _country_code(ctx, location.country, target)
    # The registry's own name of the country stays, whether or not it has a code.
    parts = (
        ("City", location.city, path + "city"),
        ("StateProv", location.state, path + "state"),
        ("Country", country, ""),
        ("PostalCode", location.zip, path + "zip"),
    )
    children = [
        Node(name, {}, (clean(ctx, value, source, f"{target}/Address/{name}"),))
        for name, value, source in parts
        if value
    ]
    position = _geo_position(location.geo_point)
    if position:
        children.append(Node("GeoPosition", position))
    if location.country:
        name = clean(ctx, location.country, path + "country", target + "/Address/OtherText")
        children.append(Node("OtherText", {}, (name,)))
    return Node("Address", {}, children)


def _country_code(ctx: Context, country: str | None, target: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country name, or None where it has none."""
    if not country:
        return None
    rows = looked_up(table("countries"), country)
    if rows is None:
        ctx.note(
            "country-without-code",
            f"{country!r} is not in the table of countries",
            _PATH + "locations[].country",
            target + "/Address/Country",
        )
    return rows[0].code if rows else None


def _geo_position(point: GeoPoint) -> dict[str, str]:
    attributes = {}
    if point.lon is not None:
        attributes["Longitude"] = decimal_text(point.lon)
    if point.lat is not None:
        attributes["Latitude"] = decimal_text(point.lat)
    return attributes
