"""Sponsors, officials and their organisations: Organization, Practitioner and PractitionerRole.

Each distinct party of a study is one resource. A person's name is kept as it is written; it is never taken
apart into family and given names, since the registry does not say which is which.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from trialconv.context import Context
from trialconv.lineage import derived
from trialconv.record.protocol import Contact, ResponsibleParty
from trialconv_mappings.fhir.parts import Element, Ids, concept, not_carried, reference, telecom
from trialconv_mappings.tables import table

ROLES: Final = table("fhir_party_role")
AGENCY_CLASSES: Final = table("fhir_agency_class")

_SPONSORS = "protocolSection.sponsorCollaboratorsModule"
_OFFICIALS = "protocolSection.contactsLocationsModule.overallOfficials"
_CONTACTS = "protocolSection.contactsLocationsModule.centralContacts"
#: What classifies a person as the responsible party.
RESPONSIBLE: Final = "Responsible party"
#: The role of the organization that registered the study.
REGISTRANT: Final = "Registering organization"


class Party(NamedTuple):
    """A party in one role, as the registry lists it: one for each entry of its lists, in their order.

    `role` is the registry's word, `kind` tells what the role does not (the responsible party may be listed among
    the officials, too), `reference` leads to the resource, which equal parties share.
    """

    role: str
    name: str
    reference: Element
    agency_class: str | None
    source: str
    kind: str = ""


def is_investigator(party: ResponsibleParty) -> bool:
    """Tell whether the responsible party is a person who takes part in the study in that role."""
    known = party.type in ("PRINCIPAL_INVESTIGATOR", "SPONSOR_INVESTIGATOR")
    return known and bool(party.investigator_full_name)


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
        self._roles: dict[tuple[str | None, str | None, str], Element] = {}
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

    def beyond_sponsor(self) -> list[Party]:
        """Return the parties of which R4's `ResearchStudy.sponsor` does not say everything.

        It does of a lead sponsor whose Organization has no other class than the sponsor's own.
        """
        found = []
        for party in self.parties:
            if party.role == "LEAD_SPONSOR":
                kinds = self._organizations[party.name].get("type", ())
                if len(kinds) <= 1:
                    continue
                party = party._replace(name=derived(party.name, kinds))
            found.append(party)
        return found

    def first(self, *roles: str) -> Element | None:
        """Return the reference to the first party in one of the roles."""
        passed = []
        for party in self.parties:
            passed.append(party.role)
            if party.role in roles:
                return derived(party.reference, passed)
        return None

    def _add_sponsors(self) -> None:
        study = self._ctx.record.study.protocol_section
        module = study.sponsor_collaborators_module
        lead = module.lead_sponsor
        self._add_organization("LEAD_SPONSOR", lead.name, lead.class_, f"{_SPONSORS}.leadSponsor")
        registrant = study.identification_module.organization
        source = "protocolSection.identificationModule.organization"
        self._add_organization("ORGANIZATION", registrant.full_name, registrant.class_, source)
        for position, sponsor in enumerate(module.collaborators):
            source = f"{_SPONSORS}.collaborators[{position}]"
            self._add_organization("COLLABORATOR", sponsor.name, sponsor.class_, source)

    def _add_organization(self, role: str, name: str | None, agency_class: str | None, source: str) -> None:
        if name:
            made = self._organization(name)
            self._add_class(made, agency_class, source)
            self.parties.append(Party(role, name, reference("Organization", made["id"]), agency_class, source))
        elif agency_class:
            not_carried(self._ctx, f"{source}.class", "the organisation has no name")

    def _add_class(self, organization: Element, agency_class: str | None, source: str) -> None:
        if agency_class:
            kind = concept(self._ctx, AGENCY_CLASSES, agency_class, f"{source}.class", "Organization.type")
            kinds = organization.setdefault("type", [])
            if kind not in kinds:
                kinds.append(kind)

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
            if official.name or official.affiliation or official.role:
                self._add_person(official.role or "", official.name, official.affiliation, source)

    def _add_responsible_investigator(self) -> None:
        party = self._ctx.record.study.protocol_section.sponsor_collaborators_module.responsible_party
        if not is_investigator(party):
            return
        source = f"{_SPONSORS}.responsibleParty"
        # The type tells that the person takes part in the study.
        name = derived(party.investigator_full_name, party.type)
        affiliation = derived(party.investigator_affiliation, party.type)
        made = self._add_person(party.type or "", name, affiliation, source, RESPONSIBLE)
        if party.investigator_title:
            made.setdefault("code", []).append({"text": party.investigator_title})

    def _add_person(
        self, role: str, name: str | None, affiliation: str | None, source: str, kind: str = ""
    ) -> Element:
        """Add a person in a role and return the PractitionerRole; the same person in the same role shares it."""
        key = (name, affiliation, role)
        made = self._roles.get(key)
        if made is None:
            made = self._roles[key] = self._practitioner_role(role, name, affiliation, source)
        link = reference("PractitionerRole", made["id"])
        self.parties.append(Party(role, name or affiliation or "", link, None, source, kind))
        return made

    def _practitioner(self, name: str) -> Element:
        made = self._practitioners.get(name)
        if made is None:
            id_ = self._ids.derive("person", name)
            made = self._practitioners[name] = {
                "resourceType": "Practitioner",
                "id": id_,
                "name": [{"text": name}],
            }
        return made

    def _add_contacts(self) -> None:
        """Add R5's central contacts. Some are call centres, so that none is said to be a practitioner."""
        for position, contact in enumerate(central_contacts(self._ctx)):
            source = f"{_CONTACTS}[{position}]"
            detail: Element = {}
            if contact.name:
                detail["name"] = [{"text": contact.name}]
            if points := telecom(contact):
                detail["telecom"] = points
            if not detail:
                not_carried(self._ctx, source, "the contact has neither name nor number nor address")
                continue
            said = (contact.name, contact.phone, contact.phone_ext, contact.email)
            id_ = self._ids.derive("contact", "|".join(map(str, said)), *said)
            made: Element = {"resourceType": "PractitionerRole", "id": id_, "contact": [detail]}
            self._roles[id_, None, contact.role or ""] = made
            name = contact.name or contact.email or contact.phone or ""
            self.parties.append(Party(contact.role or "", name, reference("PractitionerRole", id_), None, source))

    def _practitioner_role(self, role: str, name: str | None, affiliation: str | None, source: str) -> Element:
        id_ = self._ids.derive("role", f"{name or ''}|{affiliation or ''}|{role}", name, affiliation, role)
        made: Element = {"resourceType": "PractitionerRole", "id": id_}
        if name:
            made["practitioner"] = reference("Practitioner", self._practitioner(name)["id"])
        if affiliation:
            made["organization"] = reference("Organization", self._organization(affiliation)["id"])
        if role:
            made["code"] = [concept(self._ctx, ROLES, role, f"{source}.role", "PractitionerRole.code")]
        return made
