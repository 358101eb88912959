"""What a folder of records knows of the answers that they came from, so that the same is not sent again.

The file `.trialconv-answers.json` in the folder has, for each call, what identifies its answer (ETag,
Last-Modified) and the hashes of the files that it became. As long as these files are untouched, the next call asks
for the answer only if it is another one. A registry that identifies no answers leaves nothing to know.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from trialconv.registry.client import Validators

_NAME: Final = ".trialconv-answers.json"


class _Known(msgspec.Struct):
    validators: Validators
    files: dict[str, str]


class Memory:
    """The answers that a folder knows. A file that is not there, or not ours, is a memory of nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / _NAME
        self._answers: dict[str, _Known] = {}
        if self._path.is_file():
            try:
                self._answers = msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Known])
            except (OSError, msgspec.DecodeError):
                self._answers = {}

    def validators(self, url: str, ids: Iterable[str]) -> Validators:
        """Return what identifies the answer to a call for some ids, if all of its files are untouched."""
        known = self._answers.get(_key(url, ids))
        if known is None or any(self._hash(name) != mark for name, mark in known.files.items()):
            return Validators()
        return known.validators

    def keep(
        self, url: str, ids: Iterable[str], validators: Validators, records: Iterable[tuple[str, bytes]]
    ) -> None:
        """Remember an answer that can be identified; forget an earlier one of the same call."""
        self._answers.pop(_key(url, ids), None)
        if validators.headers:
            files = {f"{name}.json": hashlib.sha256(data + b"\n").hexdigest() for name, data in records}
            self._answers[_key(url, ids)] = _Known(validators, files)

    def data(self) -> tuple[Path, bytes] | None:
        """Return the file and what belongs into it, or None where there is nothing to remember."""
        if not self._answers and not self._path.exists():
            return None
        return self._path, msgspec.json.encode(self._answers, order="sorted") + b"\n"

    def _hash(self, name: str) -> str:
        try:
            return hashlib.sha256((self._folder / name).read_bytes()).hexdigest()
        except OSError:
            return ""


def _key(url: str, ids: Iterable[str]) -> str:
    return hashlib.sha256("\n".join([url, *ids]).encode()).hexdigest()
