"""Trees of criteria as outlines that a person can read, and the files of tests/criteria_cases that hold them.

A file holds cases. A case is a line `#### its name`, the text, a line `----` and the outline: a line per node,
below the node that it belongs to, with `+` for inclusion, `-` for exclusion and `?` for neither, the node's role,
how its children hold together, its cohort, why it was not taken apart, and its words (` / ` for
the end of a line).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from trialconv_mappings.criteria import Criterion, read_criteria

FOLDER = Path(__file__).resolve().parent / "criteria_cases"
_SIGNS = {"inclusion": "+", "exclusion": "-", None: "?"}


class Case(NamedTuple):
    """A case: its file, its name, the text and the expected outline."""

    path: Path
    name: str
    text: str
    outline: str


def outline(text: str) -> str:
    """Return the outline of a text's tree."""
    return "\n".join(_lines(read_criteria(text).nodes, ""))


def _lines(nodes: tuple[Criterion, ...], indent: str, cohort: str | None = None) -> list[str]:
    found = []
    for node in nodes:
        head = f"{indent}{_SIGNS[node.kind]} {node.role}"
        if node.joiner:
            head += f", {node.joiner}"
        if node.cohort != cohort:
            head += f", of <{node.cohort}>"
        if node.doubt:
            head += f" ({node.doubt})"
        found.append(f"{head}: {node.text}".replace("\n", " / "))
        found += _lines(node.children, indent + "  ", node.cohort)
    return found


def cases() -> list[Case]:
    """Return the cases of all files."""
    return [case for path in sorted(FOLDER.glob("*.txt")) for case in _read(path)]


def _read(path: Path) -> list[Case]:
    found = []
    for part in path.read_text(encoding="utf-8").split("#### ")[1:]:
        name, _, rest = part.partition("\n")
        text, _, expected = rest.partition("\n----\n")
        found.append(Case(path, name, text, expected.rstrip("\n")))
    return found


def rewrite() -> None:
    """Write the outlines of all files anew."""
    for path in sorted(FOLDER.glob("*.txt")):
        parts = [f"#### {case.name}\n{case.text}\n----\n{outline(case.text)}\n" for case in _read(path)]
        path.write_text("\n".join(parts), encoding="utf-8")
