"""The fenced blocks of the pages of the documentation, and the commands in them with the output that is shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_FENCE: Final = re.compile(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def all_blocks(text: str) -> list[tuple[str, str]]:
    """Return the language and the content of each fenced block of a text."""
    return _FENCE.findall(text)


def blocks(page: Path, language: str) -> list[str]:
    """Return the contents of the fenced blocks of a language."""
    return [text for name, text in all_blocks(page.read_text(encoding="utf-8")) if name == language]


def commands(page: Path, language: str = "console") -> list[tuple[str, list[str]]]:
    """Return the commands that a page shows, each with the lines of output that it shows.

    A command begins behind `$ `; it goes on in the next line where a backslash ends its line.
    """
    shown: list[tuple[str, list[str]]] = []
    goes_on = False
    for line in "".join(blocks(page, language)).splitlines():
        if goes_on:
            shown[-1] = (shown[-1][0].removesuffix("\\") + line.lstrip(), [])
        elif line.startswith("$ "):
            shown.append((line[2:], []))
        else:
            shown[-1][1].append(line)
        goes_on = (goes_on or line.startswith("$ ")) and line.endswith("\\")
    return shown


def as_pattern(lines: list[str]) -> re.Pattern[str]:
    """Return a pattern of shown output: `...` stands for any lines or, inside a line, for any text."""
    parts = (
        r"(?:.*\n)*" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + r"\n"
        for line in lines
    )
    return re.compile("".join(parts))
