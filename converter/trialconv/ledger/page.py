"""The ledger as one HTML page: opened from disk, it needs no server, no network and nothing else beside it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import re
from importlib.resources import files
from typing import Any, Final

import msgspec

from trialconv import __version__
from trialconv.ledger.build import Ledger

_IMPORT: Final = re.compile(r"^import .*$\n", re.MULTILINE)
_PLACE: Final = re.compile(r"@([A-Z]+)@")


def ledger_page(ledger: Ledger | None, coverage: list[Any], title: str) -> bytes:
    """Return the page. `coverage` has the sums of each target, as `trialconv coverage --format json` gives them.

    Without a ledger (of several records) there are the sums alone. The page may run its own script and nothing
    else, whatever a record says (https://www.w3.org/TR/CSP3/).
    """
    style = asset("linked.css") + asset("ledger.css")
    script = bundled("linked.js", "views.js", "ledger.js")
    packed = gzip.compress(msgspec.json.encode({"ledger": ledger, "coverage": coverage}), 9, mtime=0)
    about = f"Made by trialconv {__version__}. Nothing is loaded from elsewhere."
    parts = {
        "POLICY": f"default-src 'none'; script-src '{_hash(script)}'; style-src 'unsafe-inline'; base-uri 'none'",
        "TITLE": html.escape(title),
        "ABOUT": html.escape(about),
        "STYLE": style,
        "PANES": asset("panes.html"),
        "DATA": base64.b64encode(packed).decode(),
        "SCRIPT": script,
    }
    return _PLACE.sub(lambda match: parts[match[1]], asset("ledger.html")).encode()


def asset(name: str) -> str:
    """Return the text of a file of the page."""
    return files("trialconv.ledger").joinpath("assets", name).read_text(encoding="utf-8")


def bundled(*names: str) -> str:
    """Return several modules of script as one, in the order in which they need one another."""
    return "".join(_IMPORT.sub("", asset(name)).replace("export ", "") for name in names)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
