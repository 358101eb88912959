"""A record of the registry as a source like any file: `NCT06108596` in the place of a path."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from trialconv.issues import SourceError
from trialconv.readers.sources import Document, documents
from trialconv.record import SourceInfo
from trialconv.registry.client import URL_VARIABLE, Registry
from trialconv.registry.ids import nct_number


def sources(name: str) -> Iterator[Document | SourceError]:
    """Yield every document of an input as `documents` does, or the registry's record where the name is an id.

    A file or folder of that name comes first.
    """
    nct_id = nct_number(name)
    if nct_id is None or Path(name).exists():
        yield from documents(name)
        return
    try:
        listed, _ = _registry(os.environ.get(URL_VARIABLE)).study(nct_id)
    except SourceError as error:
        yield error
        return
    if listed is not None:
        yield Document(SourceInfo(nct_id), io.BytesIO(listed.data), listed.data)


@lru_cache(maxsize=1)
def _registry(url: str | None) -> Registry:
    """Return the registry at an address: one for the process, so that all its calls keep the pace."""
    return Registry(url)
