"""A record of the registry as a document like any file: `NCT06108596` in the place of a path."""

from __future__ import annotations

import os
from functools import lru_cache

from trialconv.registry.client import URL_VARIABLE, Registry


def record_from_registry(nct_id: str) -> bytes:
    """Return the JSON of the record with this id. Raises SourceError when it cannot be had."""
    listed, _ = _registry(os.environ.get(URL_VARIABLE)).study(nct_id)
    return listed.data if listed else b""


@lru_cache(maxsize=1)
def _registry(url: str | None) -> Registry:
    """Return the registry at an address: one for the process, so that all its calls keep the pace."""
    return Registry(url)
