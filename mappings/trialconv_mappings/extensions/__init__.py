"""The extensions that FHIR documents carry: one reviewed table, and the definitions made of it.

`extensions.csv` has a row for each extension and one for each of its parts. Its columns:

    extension     the url, shortened: `own:` is trialconv's base, `r5:` the official extensions that carry R5's
                  elements in earlier versions, `hl7:` HL7's own
    part          empty for the extension itself; else the path of the part within it (`period`, `group/label`).
                  A part with a prefix and without a type is an extension with rows of its own: that is how an
                  extension holds itself. The holder must be among its contexts. With a type it is a part
                  whose url is the long one.
    versions      the FHIR versions that the row is for; an extension whose form differs has several such rows
    context       where it may stand: elements, or extensions by their short url
    cardinality   how often it may stand there, such as `0..1`
    type          the types of its value, `Reference(Group|Location)` with the targets; empty if it has parts
    values        the strength and the value set of a binding, or `= ` and the only value
    title, description
    package       the package of HL7 in which validators find the definition; empty if it is made here
    source        where the definition stands

scripts/make_extensions.py makes a StructureDefinition of each row without a package, for each version; a folder of
`_generated` is one FHIR package.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, NamedTuple

from trialconv.formats import FHIR_VERSIONS, FhirVersion

COLUMNS: Final = (
    *("extension", "part", "versions", "context", "cardinality", "type", "values"),
    *("title", "description", "package", "source"),
)
#: The base of trialconv's urls unless an option says otherwise.
BASE: Final = "https://w3id.org/trialconv"
_PREFIXES: Final = {
    "own": "{base}/StructureDefinition/",
    "r5": "http://hl7.org/fhir/5.0/StructureDefinition/extension-",
    "hl7": "http://hl7.org/fhir/StructureDefinition/",
}


class ValueType(NamedTuple):
    """A type that the value may have, and what a reference may point to."""

    code: str
    targets: tuple[str, ...]


class Part(NamedTuple):
    """An extension as it stands in a document, or a part of one.

    `url` is what the instance says. `maximum` is None for any number. A part that is `elsewhere` has neither types
    nor parts here: look its url up.
    """

    url: str
    minimum: int
    maximum: int | None
    types: tuple[ValueType, ...]
    strength: str
    value_set: str
    only_value: str
    title: str
    description: str
    parts: tuple[Part, ...]
    elsewhere: bool = False


class Extension(NamedTuple):
    """An extension with what a definition says of it beside its form."""

    short_url: str
    form: Part
    elements: tuple[str, ...]
    extensions: tuple[str, ...]
    package: str
    source: str

    @property
    def url(self) -> str:
        """The url that defines it."""
        return self.form.url


Row = dict[str, str]


def long_url(short: str, base: str = BASE) -> str:
    """Return the url that stands for a short one; raises KeyError for a prefix that is none."""
    prefix, _, rest = short.partition(":")
    return _PREFIXES[prefix].replace("{base}", base) + rest


def parse_extensions(rows: Iterable[Row], version: FhirVersion, base: str = BASE) -> dict[str, Extension]:
    """Return the extensions of table rows that a FHIR version has, by url.

    Raises ValueError for a row that does not make sense.
    """
    parts: dict[str, list[Row]] = {}
    heads: list[Row] = []
    for row in rows:
        if not set(row["versions"].split()) <= set(FHIR_VERSIONS):
            raise ValueError(f"{row['extension']}: the versions {row['versions']!r} are not known")
        if version in row["versions"].split():
            (parts.setdefault(row["extension"], []) if row["part"] else heads).append(row)
    found = {}
    for head in heads:
        short = head["extension"]
        made = _extension(head, parts.pop(short, []), base)
        if made.url in found:
            raise ValueError(f"{short} stands twice for {version}")
        found[made.url] = made
    if parts:
        raise ValueError(f"parts without their extension in {version}: {', '.join(parts)}")
    for holder in found.values():
        for url in _elsewhere(holder.form):
            if url not in found or holder.url not in found[url].extensions:
                raise ValueError(f"{holder.short_url} has a part {url} that may not stand there")
    return found


def _extension(head: Row, parts: list[Row], base: str) -> Extension:
    contexts = head["context"].split()
    return Extension(
        head["extension"],
        _part(head, long_url(head["extension"], base), parts, base),
        tuple(one for one in contexts if ":" not in one),
        tuple(long_url(one, base) for one in contexts if ":" in one),
        head["package"],
        head["source"],
    )


def _elsewhere(part: Part) -> Iterator[str]:
    for inner in part.parts:
        if inner.elsewhere:
            yield inner.url
        yield from _elsewhere(inner)


def _part(row: Row, url: str, inner: list[Row], base: str) -> Part:
    depth = row["part"].count("/") + 1 if row["part"] else 0
    parts = []
    for one in inner:
        *above, name = one["part"].split("/")
        if len(above) != depth:
            continue
        own_url = long_url(name, base) if ":" in name else name
        below = [other for other in inner if other["part"].startswith(one["part"] + "/")]
        parts.append(_part(one, own_url, below, base))
    minimum, _, maximum = row["cardinality"].partition("..")
    strength, _, value_set = row["values"].partition(" ")
    types = tuple(_type(text) for text in row["type"].split())
    elsewhere = ":" in row["part"].rpartition("/")[2] and not types and not parts
    if bool(types) + bool(parts) + elsewhere != 1:
        raise ValueError(f"{row['extension']} {row['part']}: either a type or parts")
    return Part(
        url,
        int(minimum),
        None if maximum == "*" else int(maximum),
        types,
        *(("", "", value_set) if strength == "=" else (strength, value_set, "")),
        row["title"],
        row["description"],
        tuple(parts),
        elsewhere,
    )


def _type(text: str) -> ValueType:
    code, _, targets = text.rstrip(")").partition("(")
    return ValueType(code, tuple(targets.split("|")) if targets else ())


@cache
def extension_rows() -> tuple[Row, ...]:
    """Return the rows of the table; raises ValueError when its columns are not `COLUMNS`."""
    text = files(__name__).joinpath("extensions.csv").read_text(encoding="utf-8")
    lines = csv.DictReader(text.splitlines(), strict=True)
    if tuple(lines.fieldnames or ()) != COLUMNS:
        raise ValueError(f"extensions.csv: expected the columns {', '.join(COLUMNS)}")
    rows = tuple(lines)
    for row in rows:
        if None in row or None in row.values():
            raise ValueError(f"extensions.csv: the row of {row['extension']} {row['part']} has not every column")
    return rows


@cache
def extensions(version: FhirVersion, base: str = BASE) -> dict[str, Extension]:
    """Return the extensions that documents of a FHIR version carry, by url."""
    return parse_extensions(extension_rows(), version, base)


def package_folder(version: FhirVersion) -> Traversable:
    """Return the folder with the FHIR package that defines what no package of HL7 does."""
    return files(__name__).joinpath("_generated", version.lower())
