"""Organisations: the registry, the sponsor and its collaborators, those that gave the study an id, and the sites.

The registry has names of organisations and no identifiers of them. The name is the label, and identifies the
organisation, since USDM demands that something does.
"""

from __future__ import annotations

from typing import Any, Final

from trialconv.lineage import derived, join
from trialconv.record.protocol import GeoPoint, Location, Sponsor
from trialconv_mappings.usdm import placeholders
from trialconv_mappings.usdm.draft import Draft, Element

_LOCATIONS: Final = "protocolSection.contactsLocationsModule.locations[]"
_SPONSORS: Final = "protocolSection.sponsorCollaboratorsModule."
_TYPE: Final = "Organization.type"


class Organizations:
    """The organisations of a document so far. One that has the name of an earlier one is the same."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self.elements: list[Element] = []
        self._by_name: dict[str, str] = {}
        self._issuers: dict[tuple[str | None, str | None], str] = {}
        self.registry = self._add(
            draft.fixed("registry"),
            "ClinicalTrials.gov",
            remember=False,
            identifierScheme="Web address",
            identifier="clinicaltrials.gov",
        )
        module = draft.ctx.record.study.protocol_section.sponsor_collaborators_module
        self.sponsor = self._sponsor(module.lead_sponsor, _SPONSORS + "leadSponsor")
        named = [each for each in module.collaborators if each.name or each.class_]
        found = dict.fromkeys(self._sponsor(each, _SPONSORS + "collaborators[]") for each in named)
        # The sponsor has its role already.
        self.collaborators = [each for each in found if each != self.sponsor]

    def named(self, name: str) -> str:
        """Return the id of the organisation with exactly this name, a new one if need be."""
        known = self._by_name.get(name)
        return derived(known, name) if known else self._add(self._draft.unknown(_TYPE), name)

    def issuer(self, kind: str | None, domain: str | None) -> str:
        """Return the id of the organisation that gave a secondary id, told by the id's type and domain."""
        known = self._issuers.get((kind, domain))
        if known is None:
            source = "protocolSection.identificationModule.secondaryIdInfos[].type"
            code = self._draft.required("usdm_id_issuer_type", kind, source, _TYPE)
            known = self._issuers[kind, domain] = self._add(code, domain or kind, remember=False)
        return known

    def add_sites(self) -> list[str]:
        """Add an organisation with its site for each location of the study, and return their ids."""
        locations = self._draft.ctx.record.study.protocol_section.contacts_locations_module.locations
        return [self._site(location) for location in locations]

    def _add(self, code: Element, name: str | None, *, remember: bool = True, **attributes: Any) -> str:
        draft = self._draft
        if "identifier" not in attributes:
            draft.fill.note("Organization.identifier", f"the name, in the scheme {placeholders.BY_NAME!r}")
            attributes["identifierScheme"] = placeholders.BY_NAME
            attributes["identifier"] = draft.text_or_placeholder(name, "Organization.identifier")
        made = draft.make("Organization", name=draft.name("ORG"), label=name, type=code, **attributes)
        self.elements.append(made)
        id_: str = made["id"]
        if name and remember:
            self._by_name.setdefault(name, id_)
        return id_

    def _sponsor(self, sponsor: Sponsor, path: str) -> str:
        draft, name = self._draft, sponsor.name
        words = draft.carried(path + ".class", sponsor.class_)
        if name and name in self._by_name:
            self._keep_words(self._by_name[name], words)
            return derived(self._by_name[name], name)
        code = draft.coded("usdm_organization_type", sponsor.class_, path + ".class", _TYPE)
        return self._add(code[0] if code else draft.unknown(_TYPE, sponsor.class_), name, extensionAttributes=words)

    def _keep_words(self, id_: str, words: list[Element]) -> None:
        """Keep what is said of an organisation at another place, too, but once."""
        made = next(each for each in self.elements if each["id"] == id_)
        there = made.get("extensionAttributes", [])
        said = {(each["url"], each["valueString"]) for each in there}
        new = [each for each in words if (each["url"], each["valueString"]) not in said]
        if new:
            made["extensionAttributes"] = there + new

    def _site(self, location: Location) -> str:
        draft = self._draft
        where = location.facility or join(
            ", ", [part for part in (location.city, location.state, location.country) if part]
        )
        if where and not location.facility:
            draft.fill.note("StudySite.label", "the place, for a facility")
        country = draft.country(location.country, _LOCATIONS + ".country", "StudySite.country")
        words = draft.carried(_LOCATIONS + ".status", location.status)
        words += draft.carried(_LOCATIONS + ".country", location.country)
        site = draft.make(
            "StudySite",
            extensionAttributes=words,
            name=draft.name("SITE"),
            label=where or None,
            country=country or draft.unknown("StudySite.country", location.country),
        )
        return self._add(
            draft.unknown(_TYPE),
            where or None,
            remember=False,
            legalAddress=self._address(location, country),
            managedSites=[site],
        )

    def _address(self, location: Location, country: Element | None) -> Element | None:
        """Return the address of a site; USDM forbids one that says nothing."""
        draft = self._draft
        attributes = {
            "city": location.city,
            "state": location.state,
            "postalCode": location.zip,
            "country": draft.code_again(country) if country else None,
        }
        point = _point(draft, location.geo_point)
        if not any(attributes.values()) and not point:
            return None
        if not any(attributes.values()):
            attributes["text"] = draft.text_or_placeholder(location.country, "Address.text")
        return draft.make("Address", extensionAttributes=point, **attributes)


def _point(draft: Draft, point: GeoPoint) -> list[Element]:
    path = _LOCATIONS + ".geoPoint."
    return draft.carried(path + "lat", point.lat) + draft.carried(path + "lon", point.lon)
