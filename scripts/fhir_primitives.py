r"""JSON Schemas of the FHIR primitive types.

The regular expressions of the specification are not used as they stand: they accept 30 February, and their
`\S` means something else in other engines. Each rule here is the sentence of the specification
(https://hl7.org/fhir/R5/datatypes.html#primitive, the same in R4 but where told) that the pattern stands for.
The patterns use neither look-around nor back-references, so that linear-time engines can run them.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

# Strings "SHALL NOT contain Unicode character points below 32, except for u0009, u000D and u000A".
_TEXT = r"^[^\x00-\x08\x0B\x0C\x0E-\x1F]+$"
# "uri: no whitespace", which in XML Schema is the ASCII kind; a no-break space is none.
_NO_SPACES = r"^[^\x00-\x20]+$"
# "no leading or trailing whitespace and no whitespace other than single spaces in the contents".
_CODE = r"^[^\x00-\x20]+(?: [^\x00-\x20]+)*$"
# A canonical that ends in a bar names no version.
_CANONICAL = r"^[^\x00-\x20]*[^\x00-\x20|]$"
_ID = r"^[A-Za-z0-9.\-]+$"
_OID = r"^urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+$"
_UUID = r"^urn:uuid:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_BASE64 = (
    r"^[ \t\r\n]*(?:(?:[A-Za-z0-9+/][ \t\r\n]*){4})*"
    r"(?:(?:[A-Za-z0-9+/][ \t\r\n]*){2}=[ \t\r\n]*=|(?:[A-Za-z0-9+/][ \t\r\n]*){3}=)?[ \t\r\n]*$"
)

_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))|{_LEAP_YEAR}-02-29)"
)
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+\-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_MONTH = f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_DATE = f"^(?:{_MONTH}|{_DAY})$"
_DATE_TIME = f"^(?:{_MONTH}|{_DAY}(?:T{_CLOCK}{_ZONE})?)$"
_INSTANT = f"^{_DAY}T{_CLOCK}{_ZONE}$"
_TIME = f"^{_CLOCK}$"

_INT32 = 2**31 - 1


def up_to(bound: int) -> str:
    """Return a pattern of the whole numbers from 0 to `bound`, without leading zeros."""
    digits = str(bound)
    parts = ["0", f"[1-9][0-9]{{0,{len(digits) - 2}}}"] if len(digits) > 1 else []
    for place, digit in enumerate(digits):
        lowest = 1 if place == 0 else 0
        if int(digit) > lowest:
            rest = len(digits) - place - 1
            parts.append(f"{digits[:place]}[{lowest}-{int(digit) - 1}]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return "(?:" + "|".join([*parts, digits]) + ")"


# JSON carries the 64-bit integers of R5 as strings (https://hl7.org/fhir/R5/json.html#primitive).
_INTEGER64 = f"^(?:[+]?{up_to(2**63 - 1)}|-{up_to(2**63)})$"


def _text(pattern: str, **more: int) -> Schema:
    return {"type": "string", "pattern": pattern, **more}


_PRIMITIVES: dict[str, Schema] = {
    "base64Binary": _text(_BASE64, minLength=1),
    "boolean": {"type": "boolean"},
    "canonical": _text(_CANONICAL),
    "code": _text(_CODE),
    "date": _text(_DATE),
    "dateTime": _text(_DATE_TIME),
    "decimal": {"type": "number"},
    "id": _text(_ID, maxLength=64),
    "instant": _text(_INSTANT),
    "integer": {"type": "integer", "minimum": -_INT32 - 1, "maximum": _INT32},
    "integer64": _text(_INTEGER64),
    "markdown": _text(_TEXT),
    "oid": _text(_OID),
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": _INT32},
    "string": _text(_TEXT),
    "time": _text(_TIME),
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": _INT32},
    "uri": _text(_NO_SPACES),
    "url": _text(_NO_SPACES),
    "uuid": _text(_UUID),
    # What a narrative may hold is judged by the invariants txt-1 and txt-2.
    "xhtml": _text(_TEXT),
}


def primitive(name: str) -> Schema:
    """Return the schema of a primitive type; raises KeyError for a type that is none of them."""
    return dict(_PRIMITIVES[name])


def or_null(schema: Schema) -> Schema:
    """Return the schema with null allowed: an item of a list whose `_` sibling speaks at that place.

    Patterns and ranges say nothing about null (https://json-schema.org/draft/2020-12/json-schema-validation#6).
    """
    made = {**schema, "type": [schema.get("type", "string"), "null"]}
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def is_primitive(name: str) -> bool:
    """Say whether a type name is a primitive type's."""
    return name in _PRIMITIVES
