"""The Locations and Countries sections of a page, which are read together.

A place is written "city, state, country", where every part may hold a comma and the first two may be missing.
The country is the one of the Countries section with which the line ends. What is left is a city when it has
one part, and a city and a state when it has two; more parts have several readings. So have two parts in a
country that the page also writes without a state, since then the city's own name may hold the comma.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, get_args

from trialconv.readers._page_fields import NOTHING
from trialconv.readers._page_grammar import TEXT, Grammar, Step, Token
from trialconv.readers._page_layout import Line, with_text
from trialconv.readers._page_lists import Block, ListForm, blocks_of
from trialconv.readers._page_notes import Notes
from trialconv.record import enums

LOCATIONS: Final = "Locations"
COUNTRIES: Final = "Countries"

_STATUSES = frozenset(get_args(enums.RecruitmentStatus))
_FORM: Final = ListForm(
    {"status": re.compile(r"Site Status(?: ([A-Z][A-Z0-9_]*|-))?")},
    Grammar(
        (
            Step("start", TEXT, "facility", "facility"),
            Step("start", TEXT, "place", "place"),
            Step("facility", TEXT, "place", "place"),
            Step("place", "status", "status", "end"),
            Step("end", TEXT, "word", "start"),
            Step("end", TEXT, "facility", "facility"),
            Step("end", TEXT, "place", "place"),
        ),
        frozenset({"start", "end"}),
    ),
    ("facility", "place", "status", "word"),
)


class Place(NamedTuple):
    """A split place; a part that the line does not have is empty."""

    city: str
    state: str
    country: str


class Countries(NamedTuple):
    """The names of the Countries section, and the length of the longest."""

    names: frozenset[str]
    longest: int


def read_places(notes: Notes, locations: list[Line] | None, countries: list[Line] | None) -> list[str]:
    """Read the locations into the tree. Returns the listed countries that no location has.

    None stands for a section that the page does not have.
    """
    listed = [line.bare for line in with_text(countries or []) if line.bare != NOTHING]
    known = Countries(frozenset(listed), max(map(len, listed), default=0))

    def allowed(role: str, token: Token) -> bool:
        if role == "word":
            return token.value in _STATUSES
        if role == "place":
            return token.single and (not known.names or bool(_countries_of(token.value, known)))
        return role == "status" or (token.single and token.value not in _STATUSES)

    found: list[dict[str, Any]] = []
    unsplit: list[Line] = []
    blocks = blocks_of(notes, LOCATIONS, locations or [], _FORM, allowed)
    stateless = _without_state(blocks, known)
    for block in blocks:
        location, whole = _location(block, known, stateless)
        if not whole:
            unsplit += block.lines
        if location:
            found.append(location)
    notes.ambiguous(LOCATIONS, unsplit, "places that can be split in several ways")
    if found:
        notes.put("protocolSection.contactsLocationsModule.locations", found)
    used = {location.get("country") for location in found}
    missing = [country for country in dict.fromkeys(listed) if country not in used]
    if missing and found:
        message = f"{COUNTRIES}: no location is in {', '.join(missing)}"
        notes.remark("unread-page-text", with_text(countries or []), message)
    return missing


def _location(block: Block, known: Countries, stateless: set[str]) -> tuple[dict[str, Any], bool]:
    """Return what is certain about a location, and whether that is all that its lines say."""
    status = block.get("status") or block.get("word")
    place, whole = _split(block.get("place", ""), known, stateless)
    parts = {
        "facility": block.get("facility"),
        "status": status,
        "city": place.city,
        "state": place.state,
        "country": place.country,
    }
    twice = "status" in block and "word" in block
    return {key: text for key, text in parts.items() if text}, whole and not twice


def _countries_of(place: str, known: Countries) -> list[str]:
    """Return the known countries with which a place ends."""
    found = [place] if place in known.names else []
    comma = place.rfind(", ")
    while comma >= 0 and len(place) - comma - 2 <= known.longest:
        if place[comma + 2 :] in known.names:
            found.append(place[comma + 2 :])
        comma = place.rfind(", ", 0, comma)
    return found


_CITY_AND_STATE = 2


def _parts(place: str, country: str) -> list[str]:
    """Return what stands before the country, cut at its commas."""
    rest = place.removesuffix(country).removesuffix(", ")
    return rest.split(", ") if rest else []


def _split(place: str, known: Countries, stateless: set[str]) -> tuple[Place, bool]:
    """Return the certain parts of a place, and whether they are all of it."""
    ends = _countries_of(place, known)
    if len(ends) != 1:
        return Place("", "", ""), False
    (country,) = ends
    parts = _parts(place, country)
    several = len(parts) == _CITY_AND_STATE and "" not in parts and country in stateless
    if several or len(parts) > _CITY_AND_STATE or any(part != part.strip() for part in parts):
        return Place("", "", country), False
    city, state = ["" if part == NOTHING else part for part in [*parts, "", ""][:_CITY_AND_STATE]]
    return Place(city, state, country), True


def _without_state(blocks: Sequence[Block], known: Countries) -> set[str]:
    """Return the countries of which at least one place has nothing but a city before the country."""
    found: set[str] = set()
    for block in blocks:
        ends = _countries_of(block.get("place", ""), known)
        if len(ends) == 1 and len(_parts(block["place"], ends[0])) == 1:
            found.add(ends[0])
    return found
