"""Rows of who takes part and where: sponsors, people, contacts, sites."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from trialconv.context import Context
from trialconv.lineage import numbered
from trialconv.record.protocol import Contact
from trialconv_mappings.warehouse.design import Row, Rows

_CONTACTS: Final = "protocolSection.contactsLocationsModule"
_COLUMNS: Final = ("name", "class", "role", "title", "affiliation", "phone", "phone_ext", "email", "site_position")


def site_rows(ctx: Context) -> Rows:
    """Return the rows of the sites."""
    nct_id = ctx.record.nct_id
    return {
        "sites": [
            {
                "nct_id": nct_id,
                "position": place,
                "facility": site.facility,
                "status": site.status,
                "city": site.city,
                "state": site.state,
                "zip": site.zip,
                "country": site.country,
                "latitude": site.geo_point.lat,
                "longitude": site.geo_point.lon,
            }
            for place, site in numbered(ctx.record.study.protocol_section.contacts_locations_module.locations)
        ]
    }


def party_rows(ctx: Context) -> Rows:
    """Return the rows of the parties: organizations first, then people, then contacts."""
    nct_id = ctx.record.nct_id
    found = [*_sponsors(ctx), *_people(ctx)]
    contacts = list(_contacts(ctx))
    if contacts and not ctx.options.contacts:
        ctx.note("withheld-contact", f"{len(contacts)} contacts were left out", _CONTACTS, "parties")
        contacts = []
    nothing = dict.fromkeys(_COLUMNS)
    return {
        "parties": [
            {"nct_id": nct_id, "position": place, "kind": kind, **nothing, **values}
            for place, (kind, values) in numbered([*found, *contacts])
        ]
    }


def _sponsors(ctx: Context) -> Iterator[tuple[str, Row]]:
    module = ctx.record.study.protocol_section.sponsor_collaborators_module
    lead = module.lead_sponsor
    if lead.name is not None or lead.class_ is not None:
        yield "LEAD_SPONSOR", {"name": lead.name, "class": lead.class_}
    for sponsor in module.collaborators:
        yield "COLLABORATOR", {"name": sponsor.name, "class": sponsor.class_}


def _people(ctx: Context) -> Iterator[tuple[str, Row]]:
    protocol = ctx.record.study.protocol_section
    party = protocol.sponsor_collaborators_module.responsible_party
    new = (party.type, party.investigator_full_name, party.investigator_title, party.investigator_affiliation)
    if any(value is not None for value in new):
        yield (
            "RESPONSIBLE_PARTY",
            {"role": new[0], "name": new[1], "title": new[2], "affiliation": new[3]},
        )
    # The registry's older form of the same: one text for name and title.
    if party.old_name_title is not None or party.old_organization is not None:
        yield "RESPONSIBLE_PARTY", {"name": party.old_name_title, "affiliation": party.old_organization}
    for official in protocol.contacts_locations_module.overall_officials:
        yield (
            "OFFICIAL",
            {"name": official.name, "affiliation": official.affiliation, "role": official.role},
        )


def _contacts(ctx: Context) -> Iterator[tuple[str, Row]]:
    module = ctx.record.study.protocol_section.contacts_locations_module
    for contact in module.central_contacts:
        yield "CENTRAL_CONTACT", _contact(contact)
    for place, site in numbered(module.locations):
        for contact in site.contacts:
            yield "SITE_CONTACT", {**_contact(contact), "site_position": place}


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "name": contact.name,
        "role": contact.role,
        "phone": contact.phone,
        "phone_ext": contact.phone_ext,
        "email": contact.email,
    }
