"""The base of all registry structs, and the registry's text forms of dates."""

from __future__ import annotations

import math

import msgspec

#: `yyyy-MM-dd`. Kept as text, as registered.
Date = str
#: `yyyy`, `yyyy-MM` or `yyyy-MM-dd`. Kept as text, so that its precision survives.
PartialDate = str
#: `yyyy-MM-ddTHH:mm`, without a time zone.
DateTimeMinutes = str


class RegistryStruct(
    msgspec.Struct,
    rename="camel",
    omit_defaults=True,
    forbid_unknown_fields=True,
    kw_only=True,
    gc=False,
):
    """A registry object.

    A missing object or list is an empty one, so that a mapping may write
    `study.protocol_section.status_module.overall_status` without asking at each step; a missing value is None.
    """


def _number(text: str) -> float | str:
    """Return a JSON number, or its text when it is beyond what a float can hold."""
    number = float(text)
    return number if math.isfinite(number) else text


#: Decodes any JSON to plain values.
TREE: msgspec.json.Decoder[object] = msgspec.json.Decoder(object, float_hook=_number)
