"""What a comparison finds, as data."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

#: What stands between an item of a list and one of a list within it.
INSIDE: Final = " / "

Kind = Literal["added", "removed", "changed", "reordered"]


class _Struct(msgspec.Struct, rename="camel", omit_defaults=True, frozen=True):
    """The base: keys in the style of the registry, nothing said of what is not there."""


class Piece(_Struct, frozen=True):
    """A piece of a text that both versions have, or only one of them."""

    op: Literal["same", "removed", "added"]
    text: str


class Part(_Struct, frozen=True):
    """A change within a text that has parts of its own, such as a criterion. The texts are plain.

    `within` names the part that it stands in.
    """

    kind: Kind
    within: str
    before: str = ""
    after: str = ""
    words: list[Piece] = []


class Change(_Struct, frozen=True):
    """One change.

    `field` is the path of the registry's field, without positions; `label` is what the registry calls it. `item`
    tells which item of a list it is, or is in. `before_at` and `after_at` are its places in both versions, with
    positions. `before` and `after` are the values as they stand there; `before_text` and `after_text` say them in
    the registry's words. Of two texts `words` has the pieces, and `parts` the changes by criterion. `note` tells
    what there is to know besides.

    The path, and the label, of a document that is no record are those of its elements.
    """

    kind: Kind
    field: str
    label: str
    item: str = ""
    before_at: str = ""
    after_at: str = ""
    before: Any = None
    after: Any = None
    before_text: str = ""
    after_text: str = ""
    words: list[Piece] = []
    parts: list[Part] = []
    note: str = ""


class Side(_Struct, frozen=True):
    """One of the two versions: where it came from, in which format, and which version of the record it is."""

    source: str = ""
    format: str = ""
    title: str = ""
    last_update: str | None = None
    content_hash: str = ""


class NotCompared(_Struct, frozen=True):
    """A field that was not compared, since one of the two formats cannot hold it."""

    field: str
    label: str
    reason: str


class Difference(_Struct, frozen=True):
    """What changed between two versions: the changes in the order of the registry's data structure.

    `not_compared` lists the fields with a value that the format of the other version cannot hold. Empty `changes`
    mean that both say the same, but for the day of the download.
    """

    nct_id: str
    before: Side
    after: Side
    changes: list[Change] = []
    not_compared: list[NotCompared] = []

    @property
    def differ(self) -> bool:
        """Tell whether anything changed."""
        return bool(self.changes)

    def to_json(self) -> bytes:
        """Return the difference as JSON on one line."""
        return msgspec.json.encode(self)
