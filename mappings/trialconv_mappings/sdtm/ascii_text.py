"""Texts in ASCII, for SAS transport files: the sponsor's words, spelled without other characters.

Characters whose shape carries meaning are spelled here (a raised figure, a fraction, a Greek letter), so that 10⁹
does not become 109. For all others the tables of the library anyascii are asked.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

#: What stands for a character that has no spelling.
UNKNOWN: Final = "?"

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_RAISED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻]+")
_LEVEL: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_FRACTION = re.compile(r"(?<=[0-9])(?=[¼-¾⅐-⅞])")
_OWN: Final = {
    "≠": "!=",
    "±": "+/-",
    "\u00d7": "x",  # the sign of multiplication
    "÷": "/",
    "≈": "~",
    "≡": "=",
    "→": "->",
    "←": "<-",
    "∞": "infinity",
}
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (?:FINAL )?([A-Z]+)(?: WITH .*)?")


def ascii_text(text: str) -> str:
    """Return a text in ASCII; a character without a spelling becomes a question mark."""
    if text.isascii():
        return text
    text = _FRACTION.sub(" ", text)
    text = _RAISED.sub(lambda match: "^" + match[0].translate(_LEVEL), text)
    return _NOT_ASCII.sub(lambda match: "".join(map(_spelled, match[0])), text)


@lru_cache(maxsize=4096)
def widest(char: str) -> int:
    """Return the most bytes that a character takes, as itself in UTF-8 or spelled in ASCII anywhere in a text."""
    spelled = len(ascii_text(char)) + (1 if _FRACTION.search("0" + char) else 0)
    return max(len(char.encode("utf-8", "surrogatepass")), spelled)


@lru_cache(maxsize=4096)
def _spelled(char: str) -> str:
    from anyascii import anyascii

    if char in _OWN:
        return _OWN[char]
    name = unicodedata.name(char, "")
    if greek := _GREEK.fullmatch(name):
        return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
    if name.startswith("VULGAR FRACTION"):
        return unicodedata.normalize("NFKD", char).replace("\u2044", "/")
    return anyascii(char) or ("" if _is_invisible(char) else UNKNOWN)


def _is_invisible(char: str) -> bool:
    """Tell whether a character shows nothing of its own: marks on others, joiners, directions."""
    return unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc")
