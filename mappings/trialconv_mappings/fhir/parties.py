"""Sponsors, officials and their organisations: Organization, Practitioner and PractitionerRole.

Each distinct party of a study is one resource. A person's name is kept as it is written; it is never taken
apart into family and given names, since the registry does not say which is which.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.record.protocol import Contact
from trialconv_mappings.fhir.parts import Element, Ids, concept, reference, telecom
from trialconv_mappings.tables import table

ROLES: Final = table("fhir_party_role")
AGENCY_CLASSES: Final = table("fhir_agency_class")

_SPONSORS = "protocolSection.sponsorCollaboratorsModule"
_OFFICIALS = "protocolSection.contactsLocationsModule.overallOfficials"
_CONTACTS = "protocolSection.contactsLocationsModule.centralContacts"


class Party(NamedTuple):
    """A party in one role: the role's registry word, its name, the resource it refers to and its class."""

    role: str
    name: str
    reference: Element
    agency_class: str | None
    source: str


def central_contacts(ctx: Context) -> list[Contact]:
    """Return the study's central contacts: none, and one Issue, when the options leave contacts out."""
    module = ctx.record.study.protocol_section.contacts_locations_module
    if ctx.options.contacts:
        return module.central_contacts
    if module.central_contacts or any(site.contacts for site in module.locations):
        ctx.note("withheld-contact", "contacts were left out", "protocolSection.contactsLocationsModule")
    return []


class Parties:
    """All parties of a study, and the resources that stand for them."""

    def __init__(self, ctx: Context, ids: Ids) -> None:
        self._ctx = ctx
        self._ids = ids
        self._organizations: dict[str, Element] = {}
        self._practitioners: dict[str, Element] = {}
        self._roles: dict[tuple[str, str | None, str], Element] = {}
        self.parties: list[Party] = []
        self._add_sponsors()
        self._add_officials()
        self._add_responsible_investigator()
        if ctx.options.fhir_version == "R5":
            # R4 has ResearchStudy.contact for them.
            self._add_contacts()

    @property
    def resources(self) -> list[Element]:
        """The resources, those that others refer to first."""
        return [*self._organizations.values(), *self._practitioners.values(), *self._roles.values()]

    def first(self, *roles: str) -> Element | None:
        """Return the reference to the first party in one of the roles."""
        return next((party.reference for party in self.parties if party.role in roles), None)

    def _add_sponsors(self) -> None:
        study = self._ctx.record.study.protocol_section
        module = study.sponsor_collaborators_module
        lead = module.lead_sponsor
        if lead.name:
            self._add_organization("LEAD_SPONSOR", lead.name, lead.class_, f"{_SPONSORS}.leadSponsor")
        registrant = study.identification_module.organization
        if registrant.full_name and registrant.full_name != lead.name:
            source = "protocolSection.identificationModule.organization"
            self._add_organization("SPONSOR", registrant.full_name, registrant.class_, source)
        for position, sponsor in enumerate(module.collaborators):
            if sponsor.name:
                source = f"{_SPONSORS}.collaborators[{position}]"
                self._add_organization("COLLABORATOR", sponsor.name, sponsor.class_, source)

    def _add_organization(self, role: str, name: str, agency_class: str | None, source: str) -> None:
        made = self._organization(name)
        if agency_class:
            kind = concept(self._ctx, AGENCY_CLASSES, agency_class, f"{source}.class", "Organization.type")
            kinds = made.setdefault("type", [])
            if kind not in kinds:
                kinds.append(kind)
        self.parties.append(Party(role, name, reference("Organization", made["id"]), agency_class, source))

    def _organization(self, name: str) -> Element:
        made = self._organizations.get(name)
        if made is None:
            id_ = self._ids.derive("org", name)
            made = self._organizations[name] = {"resourceType": "Organization", "id": id_, "name": name}
        return made

    def _add_officials(self) -> None:
        officials = self._ctx.record.study.protocol_section.contacts_locations_module.overall_officials
        for position, official in enumerate(officials):
            source = f"{_OFFICIALS}[{position}]"
            if official.name:
                self._add_person(official.role or "", official.name, official.affiliation, source)

    def _add_responsible_investigator(self) -> None:
        party = self._ctx.record.study.protocol_section.sponsor_collaborators_module.responsible_party
        name = party.investigator_full_name
        if not name or party.type not in ("PRINCIPAL_INVESTIGATOR", "SPONSOR_INVESTIGATOR"):
            return
        source = f"{_SPONSORS}.responsibleParty"
        self._add_person(party.type, name, party.investigator_affiliation, source, party.investigator_title)

    def _add_person(
        self, role: str, name: str, affiliation: str | None, source: str, title: str | None = None
    ) -> None:
        key = (name, affiliation, role)
        made = self._roles.get(key)
        if made is None:
            made = self._roles[key] = self._practitioner_role(role, name, affiliation, source)
            self.parties.append(Party(role, name, reference("PractitionerRole", made["id"]), None, source))
        if title:
            made.setdefault("code", []).append({"text": title})

    def _add_contacts(self) -> None:
        for position, contact in enumerate(central_contacts(self._ctx)):
            points = telecom(contact.phone, contact.phone_ext, contact.email)
            id_ = self._ids.derive("contact", f"{contact.name}|{contact.phone}|{contact.email}")
            made: Element = {"resourceType": "Practitioner", "id": id_}
            if contact.name:
                made["name"] = [{"text": contact.name}]
            if points:
                made["telecom"] = points
            if len(made) > 2:
                self._practitioners[id_] = made
                source = f"{_CONTACTS}[{position}]"
                name = contact.name or points[0]["value"]
                self.parties.append(
                    Party(contact.role or "CONTACT", name, reference("Practitioner", id_), None, source)
                )

    def _practitioner_role(self, role: str, name: str, affiliation: str | None, source: str) -> Element:
        practitioner = self._practitioners.get(name)
        if practitioner is None:
            practitioner = self._practitioners[name] = {
                "resourceType": "Practitioner",
                "id": self._ids.derive("person", name),
                "name": [{"text": name}],
            }
        made: Element = {
            "resourceType": "PractitionerRole",
            "id": self._ids.derive("role", f"{name}|{affiliation or ''}|{role}"),
            "practitioner": reference("Practitioner", practitioner["id"]),
        }
        if affiliation:
            made["organization"] = reference("Organization", self._organization(affiliation)["id"])
        if role:
            made["code"] = [concept(self._ctx, ROLES, role, f"{source}.role", "PractitionerRole.code")]
        return made
