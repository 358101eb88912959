"""How the lists of a record are meant: by what an item is known, its title, and whether it can be rewritten.

A list without an entry holds plain values: an item is known by its value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple


class Listed(NamedTuple):
    """A list of objects: the keys by which an item is known, the strictest first, and the fields of its title.

    An item without a field of a key does not have that key, unless the field is marked with `?`.
    `similar`: what no key matches may be matched by its words, since its words are all that it is.
    """

    keys: tuple[tuple[str, ...], ...]
    title: tuple[str, ...]
    similar: bool = False


_CONTACT: Final = Listed((("name", "role?"), ("name",), ("email",), ("phone",)), ("name",))
_OUTCOME: Final = Listed((("measure", "timeFrame?"), ("measure",)), ("measure",), similar=True)
_GROUP: Final = Listed((("id",), ("title",)), ("title",), similar=True)
_OF_GROUP: Final = Listed((("groupId",),), ("groupId",))
_TITLED: Final = Listed((("title?",),), ("title",), similar=True)
_DENOM: Final = Listed((("units?",),), ("units",))
_FLOW: Final = Listed((("type",),), ("type",), similar=True)
_EVENT: Final = Listed(
    (("term", "organSystem?", "sourceVocabulary?"), ("term", "organSystem"), ("term",)), ("term", "organSystem")
)
_TERM: Final = Listed((("id",), ("term",)), ("term", "id"))
_TOPIC: Final = Listed((("id",), ("name",)), ("name", "id"))

#: The lists of objects of a record, by the last keys of their paths; the longest that fits counts.
_LISTS: Final[dict[str, Listed]] = {
    "secondaryIdInfos": Listed((("id", "type?"), ("id",)), ("id",)),
    "collaborators": Listed((("name",),), ("name",), similar=True),
    "armGroups": Listed((("label",),), ("label",), similar=True),
    "interventions": Listed((("type?", "name"), ("name",)), ("type", "name"), similar=True),
    "primaryOutcomes": _OUTCOME,
    "secondaryOutcomes": _OUTCOME,
    "otherOutcomes": _OUTCOME,
    "centralContacts": _CONTACT,
    "overallOfficials": Listed((("name", "role?"), ("name",)), ("name",)),
    "locations": Listed(
        (
            ("facility?", "city?", "state?", "zip?", "country?"),
            ("facility?", "city?", "state?", "country?"),
            ("facility", "city", "country"),
            ("facility", "zip", "country"),
            ("zip", "city", "country"),
        ),
        ("facility", "city", "state", "country"),
    ),
    "locations[].contacts": _CONTACT,
    "references": Listed((("pmid",), ("citation",)), ("pmid", "citation"), similar=True),
    "retractions": Listed((("pmid",),), ("pmid",)),
    "seeAlsoLinks": Listed((("url",), ("label",)), ("label", "url")),
    "availIpds": Listed((("id", "type?"), ("id",), ("url",)), ("id", "type")),
    "periods": _TITLED,
    "milestones": _FLOW,
    "dropWithdraws": _FLOW,
    "achievements": _OF_GROUP,
    "reasons": _OF_GROUP,
    "groups": _GROUP,
    "eventGroups": _GROUP,
    "denoms": _DENOM,
    "counts": _OF_GROUP,
    "measures": _TITLED,
    "classes": _TITLED,
    "categories": _TITLED,
    "measurements": _OF_GROUP,
    "outcomeMeasures": Listed(
        (("type?", "title", "timeFrame?"), ("type", "title"), ("title",)), ("title",), similar=True
    ),
    "analyses": Listed(
        (("groupIds", "statisticalMethod?", "paramType?"), ("groupIds",)), ("statisticalMethod", "paramType"), True
    ),
    "seriousEvents": _EVENT,
    "otherEvents": _EVENT,
    "stats": _OF_GROUP,
    "unpostedEvents": Listed((("type", "date?"),), ("type", "date")),
    "violationEvents": Listed((("type", "creationDate"), ("type", "issuedDate")), ("type", "creationDate")),
    "largeDocs": Listed((("filename",), ("typeAbbrev", "date?"), ("typeAbbrev",)), ("label", "date")),
    "submissionInfos": Listed((("releaseDate",),), ("releaseDate",)),
    "meshes": _TERM,
    "ancestors": _TERM,
    "browseLeaves": _TOPIC,
    "browseBranches": Listed((("abbrev",), ("name",)), ("name",)),
}


def listed(path: str) -> Listed:
    """Return how the list of objects at a path (`...locations[].contacts[]`) is meant.

    Raises KeyError for a path that is no list of objects of the registry.
    """
    steps = path.removesuffix("[]").split(".")
    outer = ".".join(steps[-2:])
    return _LISTS[outer] if outer in _LISTS else _LISTS[steps[-1]]


def key_functions(how: Listed) -> list[Callable[[Any], Hashable | None]]:
    """Return the keys of a list as functions of an item; an item that does not have a key gives None."""
    return [_key_function(names) for names in how.keys]


def _key_function(names: tuple[str, ...]) -> Callable[[Any], Hashable | None]:
    fields = [(name.removesuffix("?"), name.endswith("?")) for name in names]

    def key(item: Any) -> Hashable | None:
        found = tuple(_plain_key(item.get(name)) for name, _ in fields)
        return (
            None
            if any(part is None and not may_lack for part, (_, may_lack) in zip(found, fields, strict=True))
            else found
        )

    return key


def _plain_key(value: Any) -> Hashable | None:
    """Return a value as a key: texts in small letters and without needless spaces."""
    if isinstance(value, list):
        return tuple(_plain_key(item) for item in value)
    return " ".join(value.lower().split()) if isinstance(value, str) else value
