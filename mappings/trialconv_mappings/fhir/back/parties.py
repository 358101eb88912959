"""Sponsors, officials, contacts and sites, read back from a study and the resources that it refers to."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from trialconv_mappings.back import put, typed, without_none, words
from trialconv_mappings.fhir.back.bundles import Resources
from trialconv_mappings.fhir.back.dates import progress_word
from trialconv_mappings.fhir.back.element import Part, said_texts
from trialconv_mappings.fhir.parties import REGISTRANT, RESPONSIBLE
from trialconv_mappings.fhir.terms import CONTACT_ROLE, HALF_POSITION, SITE_STATUS

_P = "protocolSection."
_SPONSORS = f"{_P}sponsorCollaboratorsModule."
_CONTACTS = f"{_P}contactsLocationsModule."
_NO_ROLE: Final = "not stated"
_ORGANIZATIONS: Final = ("LEAD_SPONSOR", "COLLABORATOR", REGISTRANT)
_PARTY: Final = "ResearchStudy.associatedParty"


class Parties:
    """Reads the parties of one study into a tree."""

    def __init__(self, study: Part, resources: Resources, tree: dict[str, Any], *, is_r4: bool) -> None:
        self._study = study
        self._resources = resources
        self._notes = resources.notes
        self._tree = tree
        self._is_r4 = is_r4

    def read(self) -> None:
        """Put sponsors, officials, the responsible party and central contacts into the tree."""
        if "sponsor" in self._study:
            reference = self._study.part("sponsor")
            sponsor = self._resources.at(reference, self._study, "ResearchStudy.sponsor")
            kinds = sponsor.parts("type")
            self._put(_SPONSORS + "leadSponsor.name", sponsor.exact("name") or reference.exact("display"))
            self._put(_SPONSORS + "leadSponsor.class", self._class(kinds[:1], "Organization.type"))
        parties = self._study.parts("associatedParty")
        references = [*(party.part("party") for party in parties), self._study.part("sponsor")]
        people = Counter(url for reference in references if (url := reference.text("reference")) is not None)
        for party in parties:
            self._party(party, is_shared=people[party.part("party").text("reference") or ""] > 1)
        for contact in self._study.parts("contact"):
            role = self._role(
                contact.extension(CONTACT_ROLE).held(), "ResearchStudy.contact.extension(contact-role)"
            )
            made = _contact(contact.exact("name"), role, contact.parts("telecom"))
            self._put(_CONTACTS + "centralContacts[]", made)
        investigator = self._study.part("principalInvestigator").text("reference")
        if investigator is None or investigator not in people:
            self._investigator()

    def _put(self, path: str, value: Any) -> None:
        put(self._tree, path, value)

    def _role(self, concept: Part, place: str) -> str | None:
        return words("fhir_party_role").word(concept.codes(), concept.exact("text"), self._notes, place)

    def _class(self, kinds: list[Part], place: str) -> str | None:
        """Return the class of an organization; kinds with codes of others than the registry's classes are none."""
        known = words("fhir_agency_class")
        spoken = next((kind for kind in kinds if _is_class(kind)), None)
        if spoken is None:
            return None
        return known.word(spoken.codes(), spoken.exact("text"), self._notes, place)

    def _party(self, party: Part, *, is_shared: bool) -> None:
        role = self._role(party.part("role"), f"{_PARTY}.role")
        kinds = party.parts("classifier")
        behind = self._resources.at(party.part("party"), self._study, f"{_PARTY}.party")
        name = party.exact("name") or party.part("party").exact("display")
        if behind.text("resourceType") == "Organization" or role in _ORGANIZATIONS:
            class_ = self._class_of(role, kinds, behind, is_shared=is_shared)
            self._organization(role, name or behind.exact("name"), class_)
            return
        stated = None if role == _NO_ROLE else role
        if detail := behind.part("contact"):
            self._put(_CONTACTS + "centralContacts[]", _detail(detail, stated))
            return
        self._person(behind, stated, name, is_responsible=RESPONSIBLE in said_texts(kinds))

    def _organization(self, role: str | None, name: str | None, class_: str | None) -> None:
        if role == "LEAD_SPONSOR":
            self._put(_SPONSORS + "leadSponsor.name", name)
            self._put(_SPONSORS + "leadSponsor.class", class_)
        elif role == REGISTRANT:
            module = self._tree.get("protocolSection", {}).get("identificationModule", {}).get("organization", {})
            self._put(f"{_P}identificationModule.organization.fullName", module.get("fullName") or name)
            self._put(f"{_P}identificationModule.organization.class", class_)
        elif role == "COLLABORATOR":
            collaborator = without_none(**{"name": name, "class": class_})
            self._put(_SPONSORS + "collaborators[]", collaborator)
        else:
            shown = f"the organization {name or ''!r} in the role {role or ''!r}"
            self._notes.note("not-understood", shown[:200], _PARTY)

    def _class_of(self, role: str | None, kinds: list[Part], behind: Part, *, is_shared: bool) -> str | None:
        """Return the class of a party: what its own resource says, or what the study says of it in this role.

        The resource decides where the study says it in an extension (R4), and for the organization that registered
        the study. One that is several parties has the kinds of all of them. It cannot decide where they differ, or
        where the study says no kind of this party.
        """
        behind.ask("name", "type")
        own = behind.parts("type")
        decides = len(own) == 1 and not (is_shared and not kinds)
        sources = [(kinds, f"{_PARTY}.classifier"), (own if decides else [], "Organization.type")]
        if self._is_r4 or role == REGISTRANT:
            sources.reverse()
        spoken = next((source for source in sources if any(map(_is_class, source[0]))), None)
        found = self._class(*spoken) if spoken else None
        for kind in (*kinds, *own):
            kind.ask_all()
        return found

    def _person(self, behind: Part, role: str | None, shown: str | None, *, is_responsible: bool) -> None:
        resources, study = self._resources, self._study
        person = behind
        if behind.text("resourceType") == "PractitionerRole":
            person = resources.at(behind.part("practitioner"), behind, "PractitionerRole.practitioner")
        organization = resources.at(behind.part("organization"), behind, "PractitionerRole.organization")
        reference = behind.part("organization")
        affiliation = organization.exact("name") or reference.exact("display")
        name = _human_name(person) or behind.part("practitioner").exact("display")
        codes = behind.parts("code")
        for code in codes:
            code.exact("text")
        if name is None and affiliation is None and shown is not None and not behind:
            name = shown
        if is_responsible:
            titles = [text for code in codes if not code.codes() and (text := code.exact("text")) and text != role]
            self._put(_SPONSORS + "responsibleParty.investigatorFullName", name)
            self._put(_SPONSORS + "responsibleParty.investigatorTitle", titles[0] if titles else None)
            self._put(_SPONSORS + "responsibleParty.investigatorAffiliation", affiliation)
            return
        if codes and role is not None and codes[0].codes():
            # It is the person's own resource that says the role; the study repeats it.
            role = self._role(codes[0], "PractitionerRole.code")
        made = without_none(name=name, affiliation=affiliation, role=role)
        self._put(_CONTACTS + "overallOfficials[]", made)
        study.ask("principalInvestigator")

    def _investigator(self) -> None:
        """Read the investigator of a study of R4 that names no parties."""
        reference = self._study.part("principalInvestigator")
        if not reference:
            return
        behind = self._resources.at(reference, self._study, "ResearchStudy.principalInvestigator")
        self._person(behind, "PRINCIPAL_INVESTIGATOR", reference.exact("display"), is_responsible=False)


def _is_class(kind: Part) -> bool:
    """Tell whether a kind of organization is a class: a word without a code, or a code that a class has."""
    codes = kind.codes()
    return any(code in words("fhir_agency_class") for code in codes) or (not codes and "text" in kind)


def _human_name(person: Part) -> str | None:
    """Return the name of a person: its text, else its parts in their order."""
    name = person.part("name")
    text = name.exact("text")
    if text is not None:
        name.ask("family", "given", "prefix", "suffix", "use")
        return text
    parts = [*name.texts("prefix"), *name.texts("given"), *name.texts("family"), *name.texts("suffix")]
    return " ".join(parts) or None


def _detail(detail: Part, role: str | None) -> dict[str, Any]:
    """Read an ExtendedContactDetail."""
    return _contact(_human_name(detail), role, detail.parts("telecom"))


def _contact(name: str | None, role: str | None, points: list[Part]) -> dict[str, Any]:
    found: dict[str, Any] = without_none(name=name, role=role)
    for point in points:
        system = point.text("system")
        point.ask("use", "rank")
        if system == "phone":
            put(found, "phone", point.exact("value"))
            for holder in (point, point.beside("value")):
                put(found, "phoneExt", holder.extension("contactpoint-extension").said())
        elif system == "email":
            put(found, "email", point.exact("value"))
    return found


def read_sites(study: Part, resources: Resources, tree: dict[str, Any]) -> None:
    """Put the sites into the tree, in the order in which the study refers to them."""
    place = "ResearchStudy.site"
    for reference in study.parts("site"):
        location = resources.at(reference, study, place)
        kind = location.text("resourceType")
        if kind not in ("Location", None):
            resources.notes.note("not-understood", f"a site that is no Location but a {kind}", place)
            continue
        address = location.part("address")
        notes, status = resources.notes, location.extension(SITE_STATUS).held()
        made = without_none(
            facility=location.exact("name") or (None if location else reference.exact("display")),
            status=progress_word(status, notes, "Location.extension(site-recruitment-status)"),
            city=address.exact("city"),
            state=address.exact("state"),
            zip=address.exact("postalCode"),
            country=address.exact("country"),
            contacts=_site_contacts(location, resources),
        )
        if point := _position(location):
            made["geoPoint"] = point
        put(tree, _CONTACTS + "locations[]", made)


def _site_contacts(location: Part, resources: Resources) -> list[dict[str, Any]]:
    known = words("fhir_party_role")
    found = []
    for detail in location.parts("contact"):
        purpose = detail.part("purpose")
        role = known.word(purpose.codes(), purpose.exact("text"), resources.notes, "Location.contact.purpose")
        found.append(_detail(detail, role))
    for extension in location.extensions("extension-Location.contact"):
        name, role, points = None, None, []
        for part in extension.parts("extension"):
            what = part.text("url")
            held = part.held()
            if what == "purpose":
                place = "Location.extension(5.0 Location.contact)"
                role = known.word(held.codes(), held.exact("text"), resources.notes, place)
            elif what == "name":
                name = held.exact("text")
            elif what == "telecom":
                points.append(held)
            else:
                part.said()
        found.append(_contact(name, role, points))
    return [each for each in found if each]


def _position(location: Part) -> dict[str, Any]:
    """Return the latitude and the longitude of a place, or the one of them that there is."""
    position = location.part("position")
    said = {key: position.value(key) for key in ("latitude", "longitude")}
    for half in location.extensions(HALF_POSITION):
        said |= {part.text("url") or "": part.said() for part in half.parts("extension")}
    path = f"{_CONTACTS}locations[].geoPoint."
    return {
        field: typed(path + field, value)
        for field, key in (("lat", "latitude"), ("lon", "longitude"))
        if (value := said.get(key)) is not None
    }
