"""The generated part of docs/extensions.md: every extension, with its parts and where it is defined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from trialconv.formats import FHIR_VERSIONS
from trialconv_mappings.extensions import Row, extension_rows, long_url

#: The headings, by the prefix of the short url, in the order of the page.
_KINDS: Final = {
    "own": ("trialconv's own", "Defined here. The urls follow `--base`; the definitions are for the default."),
    "r5": (
        "R5's elements in R4 and R4B",
        "The official extensions of `hl7.fhir.uv.xver-r5.r4`, restated here for validators without it.",
    ),
    "hl7": ("HL7's", "Defined by the packages that the table names, and here where no published package has one."),
}


def extension_tables(_: Path) -> str:
    """Return the extensions as Markdown, a section for each kind and a table for each extension."""
    parts = []
    for prefix, (heading, about) in _KINDS.items():
        rows = [row for row in extension_rows() if row["extension"].startswith(f"{prefix}:")]
        parts.append(f"## {heading}\n\n{about}")
        parts += [_section(name, rows) for name in dict.fromkeys(row["extension"] for row in rows)]
    return "\n\n".join(parts)


def _section(name: str, rows: Iterable[Row]) -> str:
    own = [row for row in rows if row["extension"] == name]
    heads = [row for row in own if not row["part"]]
    lines = [f"### {name.partition(':')[2]}", "", heads[0]["description"], "", f"- url: `{long_url(name)}`"]
    for head in heads:
        versions = ", ".join(one for one in FHIR_VERSIONS if one in head["versions"].split())
        places = ", ".join(f"`{_place(one)}`" for one in head["context"].split())
        lines.append(f"- {versions}: {head['cardinality']} in {places}; {_value(head)}; {_home(head)}")
    parts = {row["part"]: row for row in own if row["part"]}
    if parts:
        lines += ["", "| part | number | value | meaning |", "|---|---|---|---|", *_part_rows(parts)]
    return "\n".join(lines)


def _part_rows(parts: dict[str, Row]) -> Iterator[str]:
    for path, row in parts.items():
        cells = (f"`{path}`", row["cardinality"], _value(row), row["description"])
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _place(context: str) -> str:
    return long_url(context) if ":" in context else context


def _value(row: Row) -> str:
    if not row["type"]:
        return "itself" if ":" in row["part"] else "parts"
    kinds = " or ".join(f"`{one}`" for one in row["type"].split())
    strength, _, value_set = row["values"].partition(" ")
    if strength == "=":
        return f"{kinds}, always `{value_set}`"
    return f"{kinds}, {strength} binding to `{value_set}`" if strength else kinds


def _home(row: Row) -> str:
    if row["package"]:
        return "in " + ", ".join(f"`{one}`" for one in row["package"].split())
    return "defined here" if row["source"] == "trialconv" else f"defined here after {row['source']}"
