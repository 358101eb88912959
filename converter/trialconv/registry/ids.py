"""NCT numbers as people write them, and lists of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

# `nct` of the OpenAPI, without the short forms that the API takes beside the registered one.
_NCT: Final = re.compile(r"NCT(?!0{8})\d{8}", re.ASCII)
_SEPARATORS: Final = re.compile(r"[\s,;|]+")


def nct_number(text: str) -> str | None:
    """Return an NCT number as the registry writes it, or None for what is none."""
    number = text.strip().upper()
    return number if _NCT.fullmatch(number) else None


def listed_ids(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield every word of a list of ids with the number of its line; what follows a # is left out."""
    for number, line in enumerate(lines, start=1):
        for word in _SEPARATORS.split(line.partition("#")[0]):
            if word:
                yield number, word
