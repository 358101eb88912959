"""Files as a sink."""

from __future__ import annotations

import os
from pathlib import Path

from trialconv.issues import OutputError


def write_file(path: Path, data: bytes) -> None:
    """Write a file so that it is there complete or not at all. Raises OutputError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
