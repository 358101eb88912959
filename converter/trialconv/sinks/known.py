"""Which studies a call has seen, in little memory."""

from __future__ import annotations

from typing import Final

_PAGE: Final = 1 << 16


class KnownStudies:
    """A set of NCT numbers: a bit for each number, in pages, so that it does not grow with the studies."""

    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def __contains__(self, nct_id: str) -> bool:
        page, bit = divmod(int(nct_id.removeprefix("NCT")), _PAGE)
        bits = self._pages.get(page)
        return bits is not None and bool(bits[bit >> 3] & 1 << (bit & 7))

    def add(self, nct_id: str) -> bool:
        """Remember a study. Returns whether it was known before."""
        page, bit = divmod(int(nct_id.removeprefix("NCT")), _PAGE)
        bits = self._pages.get(page)
        if bits is None:
            bits = self._pages[page] = bytearray(_PAGE // 8)
        known = bool(bits[bit >> 3] & 1 << (bit & 7))
        bits[bit >> 3] |= 1 << (bit & 7)
        return known
