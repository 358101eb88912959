"""What a stranger may send: bytes that are broken, made to hurt, or only odd. Shared by the tests of all doors."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any, Final

from made_up import encoded, full_study, study
from test_bad_input import BAD, TEXT, XML, nested, zipped_as

P: Final = "protocolSection"
#: So long is a text that is made of one piece over and over.
_LONG: Final = 100_000


def with_texts(text: str) -> bytes:
    """Return a study that says the same text in many of its fields."""
    tree = full_study()
    section = tree[P]
    section["identificationModule"] |= {"briefTitle": text, "officialTitle": text, "acronym": text}
    section["descriptionModule"] |= {"briefSummary": text, "detailedDescription": text}
    section["eligibilityModule"] |= {"eligibilityCriteria": text, "minimumAge": text}
    section["statusModule"] |= {"startDateStruct": {"date": text}, "whyStopped": text}
    arms = section["armsInterventionsModule"]
    arms["armGroups"][0] |= {"label": text, "interventionNames": [text]}
    arms["interventions"][0] |= {"name": text, "description": text}
    section["contactsLocationsModule"]["locations"][0] |= {"facility": text, "country": text, "city": text}
    return encoded(tree)


def with_criteria(text: str) -> bytes:
    """Return a study with these criteria."""
    return encoded(study(eligibilityModule={"eligibilityCriteria": text}))


def _gzip_in_gzip(times: int) -> bytes:
    data = TEXT
    for _ in range(times):
        data = gzip.compress(data)
    return data


def _zip_in_zip(times: int) -> bytes:
    data = TEXT
    for number in range(times):
        data = zipped_as((f"{number}.zip" if number else "study.json", data))
    return data


def _bomb() -> bytes:
    """Return an archive whose one record unpacks to more than a record may have."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("NCT99999901.json", b'{"protocolSection": {"x": "' + b"a" * 60_000_000 + b'"}}')
    return made.getvalue()


def _odd_values() -> dict[str, bytes]:
    """Return studies with values that no field should have."""
    values: dict[str, Any] = {
        "a huge number": 10**4000,
        "a list of lists": [[[]]],
        "null": None,
        "an object": {"__proto__": {"x": 1}},
        "a text": "\u0000\u202e\ufeff",
    }
    found = {}
    for name, value in values.items():
        tree: Any = full_study()
        section = tree[P]
        for module in section.values():
            for field in module:
                if field != "nctId":
                    module[field] = value
        found[f"{name} in every field"] = json.dumps(tree).encode()
    return found


_LISTS_IN_LISTS: Final = "Inclusion Criteria:" + "".join(f"\n{' ' * depth}* Level {depth}" for depth in range(700))

#: What hurts, or may hurt, beside what cannot be read at all.
ODD: Final[dict[str, bytes]] = {
    "NUL bytes": bytes(10_000),
    "random bytes": bytes(range(256)) * 40,
    "NUL in a title": with_texts("a\0b"),
    "invalid UTF-8 in a title": TEXT.replace(b"made-up", b"\xff\xfe\xc0\x80", 1).replace(
        b"Caf", b"\xed\xa0\x80", 1
    ),
    "half a character as an escape": TEXT.replace(b"Caf", b"\\ud800", 1),
    "a byte order mark": b"\xef\xbb\xbf" + TEXT,
    "keys twice": TEXT.replace(b'"protocolSection":', b'"protocolSection": {}, "protocolSection":', 1),
    "many keys": b'{"protocolSection": {"identificationModule": {"nctId": "NCT99999901"%s}}}'
    % b"".join(b',"k%d":0' % number for number in range(50_000)),
    "script": with_texts('<script>window.evil = 1</script><img src=x onerror="window.evil=1">]]>--><!--'),
    "a path for a number": TEXT.replace(b"NCT99999901", b"../../../etc/passwd"),
    "a line break for a number": TEXT.replace(b"NCT99999901", b"NCT99999901\\r\\nSet-Cookie: a=b"),
    "lists in lists": with_criteria(_LISTS_IN_LISTS),
    "deep XML": XML % nested(100_000, b"<a>", b"</a>"),
    "XML that includes": XML
    % b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>',
    "XML with a style sheet": b'<?xml-stylesheet href="file:///etc/passwd"?>' + XML % b"",
    "an external DTD": b'<!DOCTYPE clinical_study SYSTEM "http://127.0.0.1:9/x.dtd">' + XML % b"",
    "XML in UTF-7": b'<?xml version="1.0" encoding="utf-7"?>' + XML % b"",
    "deep FHIR": b'{"resourceType":"ResearchStudy","extension":%s}' % nested(5_000, b'[{"extension":', b"}]"),
    "a bundle of nothing": b'{"resourceType":"Bundle","type":"collection","entry":[%s{}]}' % (b"{}," * 5_000),
    "ODM without an end": b'<ODM xmlns="http://www.cdisc.org/ns/odm/v2.0">' + b"<Study>" * 50_000,
    "gzip in gzip": _gzip_in_gzip(30),
    "ZIP in ZIP": _zip_in_zip(30),
    "ZIP bomb": _bomb(),
    "gzip bomb": gzip.compress(b'{"protocolSection": "' + b" " * 60_000_000),
    **{
        f"a long line of {piece!r}": with_texts(piece * (_LONG // len(piece)))
        for piece in ("_", " ", "* ", "(", "\\", "\n* ", "1. ", "<", "&lt;", "a: ", "\N{BULLET}", "0")
    },
    **_odd_values(),
}

#: All of it.
HOSTILE: Final[dict[str, bytes]] = {**{name: data for name, (data, _, _) in BAD.items()}, **ODD}
