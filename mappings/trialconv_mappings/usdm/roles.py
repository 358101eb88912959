"""Who takes part in the study: sponsors, committees, investigators and contacts, and who is masked.

USDM has a role with persons or with organisations. Persons of one role of the registry share one.
"""

from __future__ import annotations

from typing import Any, Final

from trialconv.lineage import derived, distinct, plain
from trialconv.record.protocol import Contact, ContactsLocationsModule
from trialconv_mappings.usdm.draft import Draft, Element
from trialconv_mappings.usdm.organizations import Organizations

_CONTACTS: Final = "protocolSection.contactsLocationsModule."
_PARTY: Final = "protocolSection.sponsorCollaboratorsModule.responsibleParty."
_WHO_MASKED: Final = "protocolSection.designModule.designInfo.maskingInfo.whoMasked[]"
_CODE: Final = "StudyRole.code"


class Roles:
    """The roles of a document so far; all of them are roles in the study version `version_id`."""

    def __init__(self, draft: Draft, organizations: Organizations, version_id: str) -> None:
        self._draft = draft
        self._organizations = organizations
        self._version_id = version_id
        self.elements: list[Element] = []

    def add_all(self, site_ids: list[str]) -> None:
        """Add every role; `site_ids` are the organisations of the study's locations, in their order."""
        self._add("LEAD_SPONSOR", "Lead sponsor", organizationIds=[self._organizations.sponsor])
        if self._organizations.collaborators:
            self._add("COLLABORATOR", "Collaborator", organizationIds=self._organizations.collaborators)
        has_dmc = self._draft.ctx.record.study.protocol_section.oversight_module.oversight_has_dmc
        if has_dmc:
            self._add(*derived(("DATA_MONITORING_COMMITTEE", "Data monitoring committee"), has_dmc))
        self._add_masked()
        self._add_responsible_party()
        module = self._draft.ctx.record.study.protocol_section.contacts_locations_module
        self._add_officials(module)
        self._add_contacts(module, site_ids)

    def _add(self, word: str | None, label: str, source: str = "", **attributes: Any) -> None:
        draft = self._draft
        self.elements.append(
            draft.make(
                "StudyRole",
                name=draft.name("ROLE"),
                label=label,
                code=draft.required("usdm_party_role", word, source, _CODE),
                appliesToIds=[self._version_id],
                **attributes,
            )
        )

    def _add_masked(self) -> None:
        draft = self._draft
        masking = draft.ctx.record.study.protocol_section.design_module.design_info.masking_info
        for word in distinct(masking.who_masked):
            description = masking.masking_description
            text = draft.text_or_placeholder(plain(description) if description else None, "Masking.text")
            role = draft.make(
                "StudyRole",
                name=draft.name("ROLE"),
                label="Masked: " + word,
                code=draft.required("cdisc_who_masked", word, _WHO_MASKED, _CODE),
                appliesToIds=[self._version_id],
                masking=draft.make("Masking", text=text, isMasked=True),
            )
            self.elements.append(role)

    def _add_responsible_party(self) -> None:
        """Add the responsible party where it is a person; a sponsor that is one has its role already."""
        party = self._draft.ctx.record.study.protocol_section.sponsor_collaborators_module.responsible_party
        if not party.investigator_full_name:
            return
        person = self._person(
            party.investigator_full_name,
            party.investigator_title,
            self._affiliation(party.investigator_affiliation),
        )
        self._add(party.type, "Responsible party: " + str(party.type), _PARTY + "type", assignedPersons=[person])

    def _affiliation(self, name: str | None) -> str | None:
        return self._organizations.named(name) if name else None

    def _person(
        self, name: str | None, title: str | None, organization: str | None, words: list[Element] | None = None
    ) -> Element:
        draft = self._draft
        return draft.make(
            "AssignedPerson",
            extensionAttributes=words,
            name=draft.name("PERSON"),
            label=name,
            personName=draft.make("PersonName", text=draft.text_or_placeholder(name, "PersonName.text")),
            jobTitle=draft.text_or_placeholder(title, "AssignedPerson.jobTitle"),
            organizationId=organization,
        )

    def _add_officials(self, module: ContactsLocationsModule) -> None:
        by_role: dict[str | None, list[Element]] = {}
        for official in module.overall_officials:
            person = self._person(official.name, None, self._affiliation(official.affiliation))
            by_role.setdefault(official.role, []).append(person)
        source = _CONTACTS + "overallOfficials[].role"
        for word in distinct(official.role for official in module.overall_officials):
            self._add(word, "Overall official: " + (word or "role not stated"), source, assignedPersons=by_role[word])

    def _add_contacts(self, module: ContactsLocationsModule, site_ids: list[str]) -> None:
        if not self._draft.ctx.options.contacts:
            count = len(module.central_contacts) + sum(len(location.contacts) for location in module.locations)
            if count:
                message = f"{count} contacts were left out"
                self._draft.ctx.note("withheld-contact", message, _CONTACTS + "centralContacts", "StudyRole")
            return
        central: dict[str | None, list[Element]] = {}
        for contact in module.central_contacts:
            central.setdefault(contact.role, []).append(self._contact(contact, "centralContacts[]", None))
        sites: dict[str | None, list[Element]] = {}
        for location, id_ in zip(module.locations, site_ids, strict=True):
            for contact in location.contacts:
                made = self._contact(contact, "locations[].contacts[]", id_)
                sites.setdefault(contact.role, []).append(made)
        at_sites = [contact for location in module.locations for contact in location.contacts]
        for kind, path, groups, contacts in (
            ("Central contact", "centralContacts[].role", central, module.central_contacts),
            ("Site contact", "locations[].contacts[].role", sites, at_sites),
        ):
            for word in distinct(contact.role for contact in contacts):
                label = kind + ": " + (word or "role not stated")
                self._add(word, label, _CONTACTS + path, assignedPersons=groups[word])

    def _contact(self, contact: Contact, path: str, organization: str | None) -> Element:
        words = []
        for name, value in (("phone", contact.phone), ("phoneExt", contact.phone_ext), ("email", contact.email)):
            words += self._draft.carried(f"{_CONTACTS}{path}.{name}", value)
        return self._person(contact.name, None, organization, words)
