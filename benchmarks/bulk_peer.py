"""The pipeline that one would write with fhir.resources: read a ZIP, map, build and validate models, write NDJSON.

    python benchmarks/bulk_peer.py STUDIES.zip FOLDER

The reading and the mapping are trialconv's own, to FHIR R4B, since fhir.resources has neither; what is compared is
the rest. Each study becomes one Bundle of the models, which validates it, and each of its resources a line of the
file of its type, as in `trialconv bulk`. Bundles that the models refuse (they have no place for some extensions of
simple values) are counted. Prints what came of it as JSON.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

import orjson
from bench_core import SOURCE

from trialconv.catalog import TARGETS
from trialconv.context import Context, Options
from trialconv.pipeline import collect_less
from trialconv.readers.ctgov_json import read_study

TARGET: Final = "fhir-r4b"


def mapped(study: bytes) -> Any:
    """Return the finished content of a study's Bundle: dicts, which no model has seen."""
    record = read_study(study, SOURCE)
    target = TARGETS[TARGET]
    return target.build(Context(record, target.options(Options())))


def model() -> Any:
    """Return the model of Bundles."""
    from fhir.resources.R4B.bundle import Bundle

    return Bundle


def main() -> int:
    """Convert. Returns the exit code."""
    source, folder = map(Path, sys.argv[1:])
    collect_less()
    folder.mkdir()
    bundle = model()
    records = refused = 0
    files: dict[str, IO[bytes]] = {}
    with ExitStack() as opened:
        for study in _studies(source):
            records += 1
            try:
                made = bundle.model_validate(mapped(study))
            except ValueError:
                refused += 1
                continue
            for entry in made.entry:
                kind = entry.resource.get_resource_type()
                if kind not in files:
                    files[kind] = opened.enter_context((folder / f"{kind}.ndjson").open("wb"))
                files[kind].write(entry.resource.model_dump_json().encode() + b"\n")
    sys.stdout.write(orjson.dumps({"records": records, "refused": refused}).decode() + "\n")
    return 0


def _studies(source: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(source) as archive:
        for name in archive.namelist():
            yield archive.read(name)


if __name__ == "__main__":
    sys.exit(main())
